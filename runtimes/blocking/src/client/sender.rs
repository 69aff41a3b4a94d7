//! Sending by a client that another thread has.

use sansocket::{CloseCode, Message, SessionSendError, SessionState, SessionStats};
use sansocket_driver::Error;

use crate::wait::{Others, block_on};

/// Sends by a [`Client`](crate::Client) from other threads. Cheap to clone, and good for longer than any connection.
///
/// It only queues. What is queued moves while a thread waits in [`Client::next`](crate::Client::next) or another call of the client. When the
/// client is dropped or has ended, everything is refused.
#[derive(Debug, Clone)]
pub struct ClientSender {
    pub(super) inner: sansocket_driver::ClientSender,
}

impl ClientSender {
    /// Queues a message, and says its number: 0 for the first, and one more for each. Waits for room with
    /// [`QueuePolicy::Wait`](sansocket::QueuePolicy::Wait), the default; those who wait have no order among them.
    ///
    /// Room is made while another thread waits in a call of the client: do not wait for it in the thread that has the client.
    ///
    /// # Errors
    ///
    /// Gives the message back if the session was closed or has ended, and with
    /// [`QueuePolicy::Fail`](sansocket::QueuePolicy::Fail) if the queue is full.
    pub fn send(&self, message: impl Into<Message>) -> Result<u64, SessionSendError> {
        block_on(Others::Threads, self.inner.send(message))
    }

    /// As [`send`](Self::send), and waits for nothing.
    ///
    /// # Errors
    ///
    /// Gives the message back if the queue is full, unless the policy is to drop messages then, and if the session was closed or
    /// has ended.
    pub fn try_send(&self, message: impl Into<Message>) -> Result<u64, SessionSendError> {
        self.inner.try_send(message)
    }

    /// Begins to close the session: a Close frame behind all that is queued. The client hears the end.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the code must not be sent or the reason is longer than 123 bytes.
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.inner.close(code, reason)
    }

    /// Does not wait any longer for the next attempt: for when the network is known to be back. See
    /// [`Session::retry_now`](sansocket::Session::retry_now).
    pub fn retry_now(&self) {
        self.inner.retry_now();
    }

    /// Where the session stands.
    #[must_use]
    pub fn state(&self) -> SessionState {
        self.inner.state()
    }

    /// What the session has done so far.
    #[must_use]
    pub fn stats(&self) -> SessionStats {
        self.inner.stats()
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
        self.inner.confirmed()
    }

    /// Messages in the queue, and not yet given to a connection.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.inner.queued()
    }

    /// Takes all messages out of the queue, with their numbers: those that are left at the end, or what has become pointless
    /// during an outage.
    #[must_use]
    pub fn take_queue(&self) -> Vec<(u64, Message)> {
        self.inner.take_queue()
    }
}
