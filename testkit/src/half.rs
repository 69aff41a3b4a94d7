//! One end with its wires and its clock: the drive contract, step by step.

use core::time::Duration;

use sansocket::{Instant, Role, TransportError};

use crate::clock::RunningClock;
use crate::drive::{Context, Drive};
use crate::trace::Trace;
use crate::wire::{Arrival, Wire};

/// What the simulation keeps for an end.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) role: Role,
    pub(crate) clock: RunningClock,
    /// It has ended its stream.
    shut: bool,
    pub(crate) closed: bool,
}

/// What was done at one end.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Done {
    pub(crate) writes: u64,
    pub(crate) reads: u64,
}

/// One end, with all that it needs to be driven at this moment.
pub(crate) struct Half<'a, E> {
    pub(crate) end: &'a mut E,
    pub(crate) side: &'a mut Side,
    pub(crate) out: &'a mut Wire,
    pub(crate) incoming: &'a mut Wire,
    pub(crate) now: Instant,
    pub(crate) elapsed: Duration,
    pub(crate) trace: Option<&'a mut Trace>,
}

impl Side {
    pub(crate) fn new(role: Role, clock: RunningClock) -> Self {
        Self { role, clock, shut: false, closed: false }
    }
}

impl<E: Drive> Half<'_, E> {
    /// Writes and reads what can be written and read now.
    pub(crate) fn io(&mut self) -> Done {
        if self.side.closed {
            return Done { writes: 0, reads: self.refuse() };
        }
        let mut done = Done::default();
        loop {
            done.writes += self.write();
            if self.side.closed || !self.read() {
                return done;
            }
            done.reads += 1;
        }
    }

    /// Calls [`Drive::timeout`] if the deadline has come.
    pub(crate) fn timeout(&mut self) -> bool {
        let now = self.side.clock.read(self.now);
        let due = !self.side.closed && self.end.deadline().is_some_and(|deadline| deadline <= now);
        if due {
            self.call(|end, cx| {
                cx.note(|| "timeout".to_owned());
                end.timeout(cx);
            });
        }
        due
    }

    /// When something can happen at this end, if nothing comes from the other.
    pub(crate) fn next_event(&self) -> Option<Instant> {
        if self.side.closed {
            return self.incoming.next_arrival();
        }
        let deadline = self.end.deadline().map(|deadline| self.side.clock.shows(deadline));
        let jump = deadline.and_then(|_| self.side.clock.next_jump());
        let arrival = self.incoming.next_arrival().filter(|_| self.end.wants_read());
        [deadline, jump, arrival].into_iter().flatten().min()
    }

    fn write(&mut self) -> u64 {
        let mut writes = 0;
        loop {
            let room = self.out.room();
            let bytes = self.call(|end, cx| end.transmit(room, cx));
            if bytes.is_empty() {
                break;
            }
            assert!(bytes.len() <= room, "Drive::transmit gave {} bytes for a room of {room}", bytes.len());
            self.note(|| format!("writes {} bytes", bytes.len()));
            self.out.write(bytes, self.now);
            self.take_other_along();
            writes += 1;
            assert!(
                writes < MAX_AT_ONCE,
                "Drive::transmit has more to write after {MAX_AT_ONCE} writes at once"
            );
        }
        if self.end.is_closed() {
            self.close();
        } else if self.end.wants_shutdown() && !self.side.shut {
            self.side.shut = true;
            self.note(|| "ends its stream".to_owned());
            self.out.finish(self.now);
            self.take_other_along();
        }
        writes
    }

    fn close(&mut self) {
        self.side.closed = true;
        if self.end.wants_reset() {
            self.note(|| "resets the connection".to_owned());
            self.out.abort(self.now);
        } else {
            self.note(|| "closes the connection".to_owned());
            self.out.finish(self.now);
        }
        self.take_other_along();
    }

    /// Reads once.
    fn read(&mut self) -> bool {
        if !self.end.wants_read() {
            return false;
        }
        let Some(arrival) = self.incoming.read(self.now) else { return false };
        match arrival {
            Arrival::Bytes(bytes) => self.call(|end, cx| {
                cx.note(|| format!("reads {} bytes", bytes.len()));
                end.receive(bytes, cx);
            }),
            Arrival::Eof => self.call(|end, cx| {
                cx.note(|| "finds the end of the stream".to_owned());
                end.eof(cx);
            }),
            Arrival::Reset => {
                self.call(|end, cx| {
                    cx.note(|| "finds that the connection was reset".to_owned());
                    end.failed(TransportError::Reset, cx);
                });
            }
        }
        true
    }

    /// What comes when this end has closed is answered with a reset, as TCP does it.
    fn refuse(&mut self) -> u64 {
        let mut read = 0;
        while let Some(arrival) = self.incoming.read(self.now) {
            read += 1;
            if matches!(arrival, Arrival::Bytes(_)) {
                self.note(|| "has closed, and answers what comes with a reset".to_owned());
                self.out.abort(self.now);
            }
        }
        read
    }

    /// A direction that was reset takes the other one along.
    fn take_other_along(&mut self) {
        if self.out.takes_other_along() {
            self.incoming.reset_at_once(self.now);
        }
    }

    fn call<T>(&mut self, call: impl FnOnce(&mut E, &mut Context<'_>) -> T) -> T {
        let mut cx = Context {
            now: self.side.clock.read(self.now),
            elapsed: self.elapsed,
            role: self.side.role,
            trace: self.trace.as_deref_mut(),
        };
        call(self.end, &mut cx)
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        self.call(|_, cx| cx.note(what));
    }
}

/// Writes in one instant from which on it is taken for one that never ends.
pub(crate) const MAX_AT_ONCE: u64 = 1_000_000;
