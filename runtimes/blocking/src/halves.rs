//! A WebSocket in halves, for threads of their own.

use std::time::Duration;

use sansocket::{CloseCode, Closed, Message, MessageKind, Prepared};
use sansocket_driver::{Error, Transport};

use crate::MaybeTls;
use crate::runtime::Blocking;
use crate::wait::{Others, block_on, block_until};
use crate::websocket::{Received, end_of};

/// The receiving half of a [`WebSocket`](crate::WebSocket).
///
/// It must be used for as long as the connection is to live: it answers Pings and heeds the time limits. Dropped, it ends
/// the connection as a dropped [`WebSocket`](crate::WebSocket) does, and the [`WriteHalf`] is told so.
pub struct ReadHalf<S = MaybeTls>
where
    Blocking: Transport<S>,
{
    pub(crate) inner: sansocket_driver::ReadHalf<S, Blocking>,
}

impl<S: Send + 'static> ReadHalf<S>
where
    Blocking: Transport<S>,
{
    /// See [`WebSocket::recv`](crate::WebSocket::recv).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn recv(&mut self) -> Result<Option<Message>, Error> {
        block_on(Others::Threads, self.inner.recv())
    }

    /// See [`WebSocket::recv_timeout`](crate::WebSocket::recv_timeout).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Received, Error> {
        let received = block_until(Others::Threads, end_of(timeout), self.inner.recv());
        received.transpose().map(Received::new)
    }

    /// See [`WebSocket::closed`](crate::WebSocket::closed).
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.inner.closed()
    }
}

/// The sending half of a [`WebSocket`](crate::WebSocket). Clones send on the same connection.
pub struct WriteHalf<S = MaybeTls>
where
    Blocking: Transport<S>,
{
    pub(crate) inner: sansocket_driver::WriteHalf<S, Blocking>,
}

impl<S> Clone for WriteHalf<S>
where
    Blocking: Transport<S>,
{
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<S: Send + 'static> WriteHalf<S>
where
    Blocking: Transport<S>,
{
    /// Sends a message. Returns when it was handed to the byte stream; while the peer does not read, this waits.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::send`](crate::WebSocket::send).
    pub fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        block_on(Others::Threads, self.inner.send(message))
    }

    /// See [`WebSocket::send_uncompressed`](crate::WebSocket::send_uncompressed).
    ///
    /// # Errors
    ///
    /// As there.
    #[cfg(feature = "deflate")]
    pub fn send_uncompressed(&self, message: impl Into<Message>) -> Result<(), Error> {
        block_on(Others::Threads, self.inner.send_uncompressed(message))
    }

    /// See [`WebSocket::send_prepared`](crate::WebSocket::send_prepared).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn send_prepared(&self, message: &Prepared) -> Result<(), Error> {
        block_on(Others::Threads, self.inner.send_prepared(message))
    }

    /// See [`WebSocket::send_fragment`](crate::WebSocket::send_fragment).
    ///
    /// Fragments of one message must come from one thread; messages that others send meanwhile are refused.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn send_fragment(&self, kind: MessageKind, data: &[u8], last: bool) -> Result<(), Error> {
        block_on(Others::Threads, self.inner.send_fragment(kind, data, last))
    }

    /// See [`WebSocket::ping`](crate::WebSocket::ping).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn ping(&self, payload: &[u8]) -> Result<(), Error> {
        block_on(Others::Threads, self.inner.ping(payload))
    }

    /// See [`WebSocket::flush`](crate::WebSocket::flush).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn flush(&self) -> Result<(), Error> {
        block_on(Others::Threads, self.inner.flush())
    }

    /// Begins to close the connection: sends a Close frame behind all messages. The [`ReadHalf`] receives what still comes, and the end.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the code must not be sent or the reason is longer than 123 bytes.
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        block_on(Others::Threads, self.inner.close(code, reason))
    }

    /// See [`WebSocket::closed`](crate::WebSocket::closed).
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.inner.closed()
    }

    /// Waits until the connection has ended, and says how: for a thread that has nothing to send at the moment. It is the [`ReadHalf`] that
    /// finds the end, or is dropped.
    #[must_use]
    pub fn wait_closed(&self) -> Closed {
        block_on(Others::Threads, self.inner.wait_closed())
    }
}
