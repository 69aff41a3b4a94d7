//! A driver's clock: calls `timeout` at every deadline, as an adapter does, and notes when things happened.

use core::time::Duration;

use sansocket::{Cause, Connection, Instant, Role, Timeouts};

use crate::support::drive::{Drive, ms, open_with};
use crate::support::seen::Seen;
use crate::support::wire::{CLOSE, Frame};

/// One connection and its time, in milliseconds since the start.
pub(crate) struct Clock {
    pub(crate) end: Connection,
    now: Instant,
    /// What was written, and when. Empty while `stuck`.
    pub(crate) written: Vec<(u64, Frame)>,
    /// The transport takes no bytes.
    pub(crate) stuck: bool,
    /// When the end came, and why.
    pub(crate) ended: Option<(u64, Cause)>,
}

impl Clock {
    /// A connection with these time limits and no others, but five seconds for closing.
    pub(crate) fn with(role: Role, limits: impl FnOnce(&mut Timeouts)) -> Self {
        let end = open_with(role, |setup| {
            let timeouts = &mut setup.timeouts;
            (timeouts.ping_interval, timeouts.pong) = (None, None);
            (timeouts.idle, timeouts.message) = (None, None);
            limits(timeouts);
        });
        Self { end, now: Instant::ZERO, written: Vec::new(), stuck: false, ended: None }
    }

    /// Lets time pass until `millis`, that point included, with every deadline on the way.
    pub(crate) fn run_until(&mut self, millis: u64) {
        let end = ms(millis);
        self.write();
        let mut calls_now = 0;
        while let Some(due) = self.end.deadline().filter(|due| *due <= end) {
            calls_now = if due > self.now { 0 } else { calls_now + 1 };
            assert!(calls_now < 4, "at {:?} the deadline does not move on: a busy loop", self.now);
            self.now = self.now.max(due);
            self.end.timeout(self.now);
            self.write();
        }
        self.now = end;
    }

    /// Lets time pass until `millis`, then reads `bytes`.
    pub(crate) fn receive_at(&mut self, millis: u64, bytes: &[u8]) -> Vec<Seen> {
        self.run_until(millis);
        let seen = self.end.receive(bytes);
        self.write();
        seen
    }

    /// When it ended of itself, within the next ten minutes.
    #[track_caller]
    pub(crate) fn end_of_itself(&mut self) -> (u64, Cause) {
        self.run_until(self.millis() + 600_000);
        self.ended.expect("it ends of itself")
    }

    /// When a Close frame was written, and its close code.
    pub(crate) fn close_sent(&self) -> Option<(u64, u16)> {
        let (at, close) = self.written.iter().find(|(_, frame)| frame.first == CLOSE)?;
        Some((*at, u16::from_be_bytes(*close.payload.first_chunk()?)))
    }

    fn millis(&self) -> u64 {
        self.now.as_nanos() / 1_000_000
    }

    fn write(&mut self) {
        if !self.stuck {
            let now = self.millis();
            self.written.extend(self.end.frames_sent().into_iter().map(|frame| (now, frame)));
        }
        if let Some(closed) = self.end.take_closed() {
            assert_eq!(self.ended, None, "there is one terminal event");
            self.ended = Some((self.millis(), closed.cause));
        }
    }
}

pub(crate) const fn secs(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}
