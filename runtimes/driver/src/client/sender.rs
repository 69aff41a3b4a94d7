//! A handle to send by a client from other tasks.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use sansocket::{CloseCode, CloseFrame, Message, SendRefused, SessionSendError, SessionState, SessionStats};

use crate::client::hub::Hub;
use crate::error::Error;
use crate::runtime::Timer;

/// Sends by a [`Client`](crate::Client) from anywhere: cheap to clone, of no runtime, and good for longer than any connection.
///
/// It only queues. What is queued moves while the client is polled, by [`Client::next`](crate::Client::next) or another of its calls. When the
/// client is dropped or has ended, everything is refused.
#[derive(Clone)]
pub struct ClientSender {
    pub(super) hub: Arc<Hub>,
    /// The clock of the runtime.
    pub(super) now: fn() -> sansocket::Instant,
}

impl ClientSender {
    pub(super) fn new<T: Timer>(hub: Arc<Hub>) -> Self {
        Self { hub, now: || T::default().now() }
    }

    /// Queues a message, and says its number: 0 for the first, and one more for each. Waits for room with
    /// [`QueuePolicy::Wait`](sansocket::QueuePolicy::Wait), the default; those who wait have no order among them.
    ///
    /// # Errors
    ///
    /// Gives the message back if the session was closed or has ended, and with
    /// [`QueuePolicy::Fail`](sansocket::QueuePolicy::Fail) if the queue is full.
    ///
    /// # Cancel safety
    ///
    /// A message that still waits for room is dropped with the future; one that was queued is sent. Others are not affected.
    pub async fn send(&self, message: impl Into<Message>) -> Result<u64, SessionSendError> {
        let mut message = Some(message.into());
        let sent = poll_fn(|cx| self.hub.poll_send(cx, &mut message)).await;
        self.hub.driver.wake_all();
        sent
    }

    /// As [`send`](Self::send), and waits for nothing.
    ///
    /// # Errors
    ///
    /// Gives the message back if the queue is full, unless the policy is to drop messages then, and if the session was closed or
    /// has ended.
    pub fn try_send(&self, message: impl Into<Message>) -> Result<u64, SessionSendError> {
        let sent = self.hub.lock().send(message);
        self.hub.driver.wake_all();
        sent
    }

    /// Begins to close the session: a Close frame behind all that is queued. The client hears the end.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the code must not be sent or the reason is longer than 123 bytes.
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        let frame = CloseFrame::new(code, reason).map_err(SendRefused::from)?;
        self.hub.close(frame, (self.now)());
        Ok(())
    }

    /// Does not wait any longer for the next attempt: for when the network is known to be back. See
    /// [`Session::retry_now`](sansocket::Session::retry_now).
    pub fn retry_now(&self) {
        self.hub.lock().retry_now((self.now)());
        self.hub.driver.wake_all();
    }

    /// Where the session stands.
    #[must_use]
    pub fn state(&self) -> SessionState {
        self.hub.lock().state()
    }

    /// What the session has done so far.
    #[must_use]
    pub fn stats(&self) -> SessionStats {
        self.hub.lock().stats()
    }

    /// Which messages have arrived: all with a number below this one, but for those that an event told otherwise of
    /// ([`Disconnected::unconfirmed`](sansocket::Disconnected::unconfirmed), [`SessionEvent::Dropped`](sansocket::SessionEvent::Dropped)) or that
    /// [`take_queue`](Self::take_queue) has given back. Never goes down.
    ///
    /// The answer to a keepalive Ping shows it, so a message is known to have arrived one
    /// [`heartbeat_interval`](sansocket::SessionConfig::heartbeat_interval) later at most, and the way there and back. It says that the WebSocket of the server has read it, not
    /// what its application has made of it: see [`Session::confirmed`](sansocket::Session::confirmed).
    #[must_use]
    pub fn confirmed(&self) -> u64 {
        self.hub.lock().confirmed()
    }

    /// Messages in the queue, and not yet given to a connection.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.hub.lock().queued()
    }

    /// Takes all messages out of the queue, with their numbers: those that are left at the end, or what has become pointless
    /// during an outage.
    #[must_use]
    pub fn take_queue(&self) -> Vec<(u64, Message)> {
        let taken = self.hub.lock().take_queue().collect();
        self.hub.wake_senders();
        taken
    }
}

impl fmt::Debug for ClientSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSender").field("session", &*self.hub.lock()).finish_non_exhaustive()
    }
}
