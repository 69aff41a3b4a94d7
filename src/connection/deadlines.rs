//! Time limits: keepalive, idle, message and close.
//!
//! Nothing here reads a clock, and receiving needs no time at all. What the peer does is noted when it happens and gets its time at
//! the next call of [`Sender::timeout`]; see [`Timeouts`] for how exact that makes the limits.

use alloc::boxed::Box;
use core::time::Duration;

use super::send::Sender;
use crate::config::Timeouts;
use crate::error::{Cause, Position};
use crate::frame::{CloseCode, Opcode};
use crate::time::Instant;

/// The clocks that run.
#[derive(Debug)]
pub(super) struct Deadlines {
    ping_interval: Option<Duration>,
    pong: Option<Duration>,
    close_limit: Duration,
    of_session: bool,
    /// The latest time that was told.
    now: Instant,
    next_ping: Option<Instant>,
    /// The last keepalive Ping, if it waits for its Pong. Boxed, as the others below: an idle connection is to be small.
    ping: Option<Box<Ping>>,
    /// How many keepalive Pings there were, which is the payload data of the last one; and when that was queued.
    pings: u32,
    pinged: Instant,
    /// When the connection must have ended, once closing has begun.
    close: Option<Instant>,
    // Few connections have them.
    idle: Option<Box<Watch>>,
    message: Option<Box<Watch>>,
}

#[derive(Debug)]
struct Ping {
    due: Instant,
    /// Bytes received and sent when the time began to run.
    received: u64,
    sent: u64,
    /// What was seen of both at the last look, which has found something new then.
    seen: u64,
    moved: Instant,
    next_look: Instant,
}

/// A limit on something that the peer does; looked at every now and then.
#[derive(Debug)]
struct Watch {
    limit: Duration,
    /// Since when it has been so, and whether it was so at the last look.
    since: Instant,
    held: bool,
    /// What was seen when it began.
    mark: u64,
    next_look: Instant,
}

impl Deadlines {
    pub(super) fn new(limits: &Timeouts, now: Instant) -> Self {
        let ping_interval = limits.ping_interval.map(|interval| interval.max(SHORTEST));
        let watch = |limit: Duration, held| {
            let limit = limit.max(SHORTEST);
            Box::new(Watch { limit, since: now, held, mark: 0, next_look: now + limit / STEPS })
        };
        Self {
            ping_interval,
            pong: limits.pong,
            close_limit: limits.close,
            of_session: limits.of_session,
            now,
            next_ping: ping_interval.map(|interval| now + interval),
            ping: None,
            pings: 0,
            pinged: now,
            close: None,
            idle: limits.idle.map(|limit| watch(limit, true)),
            message: limits.message.map(|limit| watch(limit, false)),
        }
    }

    /// Whether the limits are those of a session.
    pub(super) fn of_session(&self) -> bool {
        self.of_session
    }

    /// Notes a Pong; an older one than the last Ping's is not its answer.
    pub(super) fn answered(&mut self, payload: &[u8]) {
        if self.pings.to_be_bytes() == payload {
            self.ping = None;
        }
    }
}

impl Sender {
    /// When to call [`timeout`](Self::timeout): not later than this, or not at all if `None`.
    ///
    /// It may have passed already: then the core has to learn the time, because something began to which a limit applies. The answer may change
    /// after every other call.
    #[must_use]
    #[inline]
    pub fn deadline(&self) -> Option<Instant> {
        let clocks = &self.deadlines;
        if self.closing.has_ended() {
            return None;
        }
        if self.closing.has_begun() {
            return Some(clocks.close.unwrap_or(clocks.now));
        }
        let ping = clocks.ping.as_ref().map(|ping| match self.pong_may_wait() {
            true => ping.due.min(ping.next_look),
            false => ping.due,
        });
        let idle = clocks.idle.as_ref().map(|watch| watch.next_look);
        let message = clocks.message.as_ref().map(|watch| watch.next_look);
        // Asked once per message, so without the iterator that would say the same.
        earlier(earlier(clocks.next_ping, ping), earlier(idle, message))
    }

    /// Tells the time. Sends a keepalive Ping, or ends the connection, if it is time to.
    ///
    /// May be called at any moment and any number of times. `now` never runs backwards: an earlier one than before
    /// counts as the same. If the [`deadline`](Self::deadline) is not after `now` even then, the end has begun: tell the time again, which it
    /// takes a few times at most.
    ///
    /// If the stream holds more than can be read now, [pause](crate::Receiver::pause) before: a Pong may be among it.
    pub fn timeout(&mut self, now: Instant) {
        let now = now.max(self.deadlines.now);
        self.deadlines.now = now;
        if self.closing.has_ended() {
            return;
        }
        if self.closing.has_begun() {
            let limit = match self.closing.cause() {
                Some(Cause::PongTimeout) => self.deadlines.close_limit.min(CLOSE_AFTER_SILENCE),
                _ => self.deadlines.close_limit,
            };
            if *self.deadlines.close.get_or_insert(now + limit) <= now {
                self.closing_timed_out();
            }
            return;
        }
        self.check_pong(now);
        self.check_watches(now);
        self.send_ping(now);
    }

    /// The last keepalive Ping: its payload data, and when it was queued.
    pub(crate) fn last_ping(&self) -> Option<([u8; 4], Instant)> {
        let Deadlines { pings, pinged, .. } = self.deadlines;
        (pings > 0).then_some((pings.to_be_bytes(), pinged))
    }

    fn check_pong(&mut self, now: Instant) {
        let Some(limit) = self.deadlines.pong else { return };
        let (sent, received) = (self.bytes(), self.progress.bytes);
        let waits = self.queue.len() > 0;
        let Some(ping) = self.deadlines.ping.as_mut() else { return };
        if ping.next_look <= now || ping.due <= now {
            let seen = received.wrapping_add(sent);
            if seen != ping.seen {
                (ping.seen, ping.moved) = (seen, now);
            }
            ping.next_look = now + (limit / STEPS).max(SHORTEST);
        }
        if ping.due > now {
            return;
        }
        let receives = received > ping.received;
        let stuck = waits && sent == ping.sent;
        // No Pong can come inside a frame that is still arriving; none is seen that waits behind messages which the
        // application has not taken; and a peer that reads what waits for it is alive.
        let excused = match self.progress.position {
            Position::Frame if receives => true,
            _ if self.progress.unread => !stuck,
            _ => waits && !stuck,
        };
        // What moves no more has had its time since it last did. Where nothing waits, what this end has not read says nothing about that.
        let due = if self.progress.unread && !waits { now + limit } else { ping.moved + limit };
        if excused && due > now {
            (ping.due, ping.received, ping.sent) = (due, received, sent);
            return;
        }
        self.fail(Cause::PongTimeout, CloseCode::INTERNAL_ERROR, "no Pong came in answer to a Ping");
    }

    /// Whether a Pong may be late for a reason that can be seen, so that it is worth a look now and then.
    fn pong_may_wait(&self) -> bool {
        self.queue.len() > 0 || self.progress.position == Position::Frame
    }

    fn check_watches(&mut self, now: Instant) {
        let progress = self.progress;
        if let Some(idle) = &mut self.deadlines.idle {
            if idle.exceeded(now, progress.bytes, !progress.unread) {
                return self.fail(
                    Cause::IdleTimeout,
                    CloseCode::GOING_AWAY,
                    "the connection was idle for too long",
                );
            }
        }
        if let Some(message) = &mut self.deadlines.message {
            let waiting = progress.position != Position::Boundary && !progress.unread;
            if message.exceeded(now, progress.messages, waiting) {
                let reason = "a message took too long to arrive";
                self.fail(Cause::MessageTimeout, CloseCode::POLICY_VIOLATION, reason);
            }
        }
    }

    fn send_ping(&mut self, now: Instant) {
        let (Some(interval), Some(due)) = (self.deadlines.ping_interval, self.deadlines.next_ping) else {
            return;
        };
        if due > now || self.closing.has_begun() {
            return;
        }
        self.deadlines.next_ping = Some(now + interval);
        if self.deadlines.ping.is_some() || self.queue.control_len() >= self.write_control {
            return;
        }
        self.deadlines.pings = self.deadlines.pings.wrapping_add(1);
        self.deadlines.pinged = now;
        let payload = self.deadlines.pings.to_be_bytes();
        self.queue.push_control(Opcode::Ping, &payload, self.entropy.as_mut());
        if let Some(limit) = self.deadlines.pong {
            let (received, sent) = (self.progress.bytes, self.bytes());
            let (seen, next_look) = (received.wrapping_add(sent), now + (limit / STEPS).max(SHORTEST));
            let ping = Ping { due: now + limit, received, sent, seen, moved: now, next_look };
            self.deadlines.ping = Some(Box::new(ping));
        }
    }
}

impl Watch {
    /// Whether it has been so for the whole limit: `holds`, and `mark` has not changed.
    fn exceeded(&mut self, now: Instant, mark: u64, holds: bool) -> bool {
        // What began between two looks counts from the second.
        if !(holds && self.held) || mark != self.mark {
            self.since = now;
            self.mark = mark;
        }
        self.held = holds;
        let end = self.since + self.limit;
        self.next_look = end.min(now + self.limit / STEPS);
        end <= now
    }
}

/// The earlier of two, if there is one.
#[inline]
fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// A watch looks this often within its limit, and so is late by at most this part of it. So it is with a Pong that may have to wait behind something.
const STEPS: u32 = 8;

/// Time for a Close frame to a peer that has not answered a Ping, if less than the limit for closing: time for a bad link, and more than a peer
/// that is gone needs.
const CLOSE_AFTER_SILENCE: Duration = Duration::from_secs(1);

/// What comes again and again must leave time in between: a limit of zero would keep a driver busy for nothing.
const SHORTEST: Duration = Duration::from_millis(1);
