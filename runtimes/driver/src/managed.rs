//! What a connection of a `Server` has that others have not: its share of the memory, and somebody who ends it orderly.

use std::fmt::Display;

use bytes::BytesMut;
use sansocket::{CloseCode, Connection, Event, Failure, Instant, Receiver, ServerConfig, State};
use tracing::{debug, warn};

use crate::reading::Reading;
use crate::runtime::Transport;
use crate::server::budget::Share;
use crate::shared::Link;
use crate::telemetry::TARGET;

/// Held by the link of a connection that a server keeps.
pub(crate) struct Managed {
    /// `None` if memory has no budget, and when the connection has ended.
    pub(crate) share: Option<Share>,
    /// Bytes of messages that are arriving, as far as they were last looked at.
    held: usize,
    /// What the application left of the connection, for the server to end it.
    pub(crate) left: Option<(Receiver, BytesMut)>,
    /// The server ends it now, and nobody after it.
    pub(crate) is_ending: bool,
}

impl Managed {
    pub(crate) fn new(share: Option<Share>) -> Box<Self> {
        Box::new(Self { share, held: 0, left: None, is_ending: false })
    }
}

impl<S, R: Transport<S>> Link<S, R> {
    /// Notes the bytes that are held of messages that arrive. `false` if they have become more and there is no memory for that.
    pub(crate) fn hold(&mut self, held: usize) -> bool {
        let queued = self.sender.queued_bytes();
        let Some(managed) = &mut self.managed else { return true };
        // Where it is output that has grown, that was seen when it was queued.
        let has_grown = held > managed.held;
        let has_room = managed.share.as_mut().is_none_or(|share| share.hold(held + queued)) || !has_grown;
        if has_room {
            managed.held = held;
        }
        has_room
    }

    /// Fails a connection for whose input there is no memory, and gives the event that says so. Besides what the receiver holds of it there are `more`
    /// bytes.
    pub(crate) fn exceed_budget(&mut self, receiver: &mut Receiver, more: usize) -> Option<Event<'static>> {
        let share = self.managed.as_ref().and_then(|managed| managed.share.as_ref());
        let limit = share.map(Share::limit)?;
        let mut event = receiver.exceed_budget(limit);
        if let Event::Failed(failure) = &mut event {
            if let Failure::OutOfMemory { held, .. } = failure {
                *held += more;
            }
            self.tell_exceeded(failure);
        }
        self.sender.handle(&event);
        Some(event)
    }

    /// Notes the bytes that wait to be written. If there is no memory for them, the connection closes behind them.
    pub(crate) fn note_queued(&mut self) {
        let queued = self.sender.queued_bytes();
        let Some(managed) = &mut self.managed else { return };
        let Some(share) = &mut managed.share else { return };
        if share.hold(managed.held + queued) || self.sender.state() != State::Open {
            return;
        }
        let limit = share.limit();
        let reason = format!(
            "no memory for {queued} bytes of output: all connections may hold {limit} bytes (max_memory)"
        );
        self.tell_exceeded(&reason);
        // At most 123 bytes, whatever the numbers are, so it is not refused.
        let _ = self.sender.close(CloseCode::TRY_AGAIN_LATER, &reason);
        self.wake_waiters = true;
    }

    /// Counts a connection that ends for want of memory, and logs it, but not each of thousands.
    #[cold]
    fn tell_exceeded(&self, why: &dyn Display) {
        let share = self.managed.as_ref().and_then(|managed| managed.share.as_ref());
        // One that is closing already is no other one.
        let Some(share) = share.filter(|_| self.sender.state() == State::Open) else { return };
        let times = share.exceeded();
        self.span().in_scope(|| {
            if times.is_power_of_two() {
                warn!(target: TARGET, times, "closing with 1013: {why} (this is told at the 1st, 2nd, 4th, 8th ... time)");
            } else {
                debug!(target: TARGET, times, "closing with 1013: {why}");
            }
        });
    }
}

impl<S, R: Transport<S>> Reading<S, R> {
    /// What is left of a connection that its application has dropped, for who ends it.
    pub(crate) fn leave(&mut self) -> bool {
        let mut link = self.shared.lock();
        if link.closed().is_some() {
            return true;
        }
        let Some(managed) = link.managed.as_mut().filter(|managed| !managed.is_ending) else { return false };
        let receiver = std::mem::replace(&mut self.receiver, nothing());
        managed.left = Some((receiver, std::mem::take(&mut self.input)));
        link.wake_waiters = true;
        true
    }
}

/// A receiver in the place of one that goes on elsewhere.
fn nothing() -> Receiver {
    Connection::server(&ServerConfig::default(), Instant::ZERO).split().0
}
