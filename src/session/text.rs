//! Events in words: one line for each, that stands alone in a log.

use core::fmt;

use crate::handshake::Elapsed;
use crate::message::Message;
use crate::role::Role;
use crate::session::event::{
    Connected, Disconnected, Reconnected, Reconnecting, SessionClosed, SessionEvent,
};
use crate::session::outbox::MessageNumbers;

impl fmt::Display for SessionEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected(connected) => connected.fmt(f),
            Self::Disconnected(lost) => lost.fmt(f),
            Self::Reconnecting(next) => next.fmt(f),
            Self::Reconnected(again) => again.fmt(f),
            Self::Message(Message::Text(text)) => write!(f, "text message of {} bytes", text.len()),
            Self::Message(Message::Binary(bytes)) => write!(f, "binary message of {} bytes", bytes.len()),
            Self::Heartbeat { round_trip, confirmed } => {
                write!(f, "heartbeat: round trip {round_trip:?}, confirmed {confirmed}")
            }
            Self::Dropped(numbers) => write!(f, "dropped {numbers}: the queue is full"),
            Self::GaveUp(gave_up) => gave_up.fmt(f),
            Self::Closed(closed) => closed.fmt(f),
        }
    }
}

impl fmt::Display for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, info, elapsed, .. } = self;
        write!(f, "connected to {url}")?;
        if let Some(address) = info.address {
            write!(f, " by {address}")?;
        }
        if let Some(subprotocol) = &info.subprotocol {
            write!(f, ", subprotocol {subprotocol}")?;
        }
        write!(f, ", within {}", Elapsed(*elapsed))
    }
}

impl fmt::Display for Reconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connected, outage, attempts } = self;
        let plural = if *attempts == 1 { "" } else { "s" };
        write!(f, "{connected}, after an outage of {} and {attempts} attempt{plural}", Elapsed(*outage))
    }
}

impl fmt::Display for Disconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, closed, connected_for, unconfirmed, confirmed, returned, queued, .. } = self;
        write!(f, "disconnected from {url} after {}: {closed}", Elapsed(*connected_for))?;
        if !unconfirmed.is_empty() {
            write!(f, "; unconfirmed: {unconfirmed}")?;
        }
        if !confirmed.is_empty() {
            write!(f, "; confirmed: {confirmed}")?;
        }
        if !returned.is_empty() {
            write!(f, "; returned to the queue: {returned}")?;
        }
        write!(f, "; messages in the queue: {queued}")
    }
}

impl fmt::Display for Reconnecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attempt, of, delay, url, failed_url, left_out, why, .. } = self;
        let left_out = if *left_out { " is left out from now on" } else { "" };
        write!(f, "{failed_url}{left_out}: {why}; next is attempt {attempt}")?;
        if let Some(of) = of {
            write!(f, " of {of}")?;
        }
        write!(f, ", at {url} in {}", Elapsed(*delay))
    }
}

impl fmt::Display for SessionClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.by {
            Role::Client => "this client",
            Role::Server => "the server",
        };
        write!(f, "closed by {by}; messages left in the queue: {}", self.queued)
    }
}

impl fmt::Display for MessageNumbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, first, last } = self;
        match count {
            0 => f.write_str("no message"),
            1 => write!(f, "1 message (number {first})"),
            count => write!(f, "{count} messages (numbers {first} to {last})"),
        }
    }
}
