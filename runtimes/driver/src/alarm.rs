//! The alarm of a connection: set for a deadline, and left alone while messages come and go.

use std::task::{Context, Poll, Waker};

use sansocket::Instant;

use crate::runtime::Timer;

/// A timer, and what is known of the time without asking for it.
pub(crate) struct Alarm<T> {
    timer: T,
    /// The time when it was last asked for.
    told: Instant,
}

impl<T: Timer> Alarm<T> {
    /// With a timer of its own: that of the opening handshake was polled for another waker.
    pub(crate) fn new() -> Self {
        let timer = T::default();
        Self { told: timer.now(), timer }
    }

    /// Asks for the time.
    pub(crate) fn now(&mut self) -> Instant {
        self.told = self.timer.now();
        self.told
    }

    /// Ready when `deadline` has come. Always with the same waker.
    pub(crate) fn poll(&mut self, waker: &Waker, deadline: Instant) -> Poll<()> {
        // A deadline in the past asks for the time, so no alarm is needed.
        if deadline <= self.told {
            return Poll::Ready(());
        }
        // Messages do not move the deadline, so most of the time the alarm is set as it should be.
        if self.timer.is_set(deadline) {
            return Poll::Pending;
        }
        self.timer.poll_until(&mut Context::from_waker(waker), deadline)
    }
}
