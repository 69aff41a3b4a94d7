//! A WebSocket in halves, for tasks of their own.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use sansocket::{CloseCode, Closed, Message, MessageKind, Prepared};

use crate::error::Error;
use crate::reading::Reading;
use crate::runtime::Transport;
use crate::sending::Outgoing;
use crate::shared::Shared;

/// The receiving half of a [`WebSocket`](crate::WebSocket).
///
/// It must be used for as long as the connection is to live: it answers Pings and heeds the time limits. Dropped, it ends
/// the connection as a dropped [`WebSocket`](crate::WebSocket) does, and the [`WriteHalf`] is told so.
pub struct ReadHalf<S, R: Transport<S>> {
    pub(crate) reading: Reading<S, R>,
}

impl<S: Send + 'static, R: Transport<S>> ReadHalf<S, R> {
    /// See [`WebSocket::recv`](crate::WebSocket::recv).
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no message is lost or given twice.
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| self.reading.poll_recv(cx)).await
    }

    /// See [`WebSocket::closed`](crate::WebSocket::closed).
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.reading.closed()
    }
}

/// The sending half of a [`WebSocket`](crate::WebSocket). Clones send on the same connection.
pub struct WriteHalf<S, R: Transport<S>> {
    pub(crate) shared: Arc<Shared<S, R>>,
}

impl<S, R: Transport<S>> Clone for WriteHalf<S, R> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S: Send + 'static, R: Transport<S>> WriteHalf<S, R> {
    /// Sends a message. Returns when it was handed to the byte stream; while the peer does not read, this waits.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::send`](crate::WebSocket::send).
    ///
    /// # Cancel safety
    ///
    /// As [`WebSocket::send`](crate::WebSocket::send).
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.send_outgoing(Outgoing::Message(message.into())).await
    }

    /// See [`WebSocket::send_uncompressed`](crate::WebSocket::send_uncompressed).
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Cancel safety
    ///
    /// As there.
    #[cfg(feature = "deflate")]
    pub async fn send_uncompressed(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.send_outgoing(Outgoing::Uncompressed(message.into())).await
    }

    /// See [`WebSocket::send_prepared`](crate::WebSocket::send_prepared).
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn send_prepared(&self, message: &Prepared) -> Result<(), Error> {
        self.send_outgoing(Outgoing::Prepared(message.clone())).await
    }

    async fn send_outgoing(&self, message: Outgoing) -> Result<(), Error> {
        let mut message = Some(message);
        self.finish(|cx| {
            loop {
                let mut link = self.shared.lock();
                link.queue(&mut message)?;
                ready!(link.poll_flush(cx))?;
                if message.is_none() {
                    return Poll::Ready(Ok(()));
                }
            }
        })
        .await
    }

    /// See [`WebSocket::send_fragment`](crate::WebSocket::send_fragment).
    ///
    /// Fragments of one message must come from one task; messages that others send meanwhile are refused.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn send_fragment(&self, kind: MessageKind, data: &[u8], last: bool) -> Result<(), Error> {
        poll_fn(|cx| self.shared.lock().poll_room(cx)).await?;
        self.shared.lock().sender.send_fragment(kind, data, last)?;
        self.flush().await
    }

    /// See [`WebSocket::ping`](crate::WebSocket::ping).
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn ping(&self, payload: &[u8]) -> Result<(), Error> {
        self.shared.lock().sender.ping(payload)?;
        self.flush().await
    }

    /// See [`WebSocket::flush`](crate::WebSocket::flush).
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn flush(&self) -> Result<(), Error> {
        self.finish(|cx| self.shared.lock().poll_flush(cx)).await
    }

    /// Begins to close the connection: sends a Close frame behind all messages. The [`ReadHalf`] receives what still comes, and the end.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the code must not be sent or the reason is longer than 123 bytes.
    ///
    /// # Cancel safety
    ///
    /// The Close frame is sent even if this future is dropped after its first poll.
    pub async fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.shared.lock().begin_close(code, reason)?;
        match self.flush().await {
            // The connection has ended already, as was wished.
            Err(Error::Closed { .. }) => Ok(()),
            flushed => flushed,
        }
    }

    /// See [`WebSocket::closed`](crate::WebSocket::closed).
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.shared.lock().closed().cloned()
    }

    /// Waits until the connection has ended, and says how: for a task that has nothing to send at the moment. It is the [`ReadHalf`] that
    /// finds the end, or is dropped.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn wait_closed(&self) -> Closed {
        poll_fn(|cx| {
            let mut link = self.shared.lock();
            match link.closed() {
                Some(closed) => Poll::Ready(closed.clone()),
                None => {
                    link.waiters.register(cx);
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Waits for `poll`. If nobody waits any more, what was queued is sent all the same.
    async fn finish(
        &self,
        poll: impl FnMut(&mut Context<'_>) -> Poll<Result<(), Error>>,
    ) -> Result<(), Error> {
        struct FlushLater<'a, S: Send + 'static, R: Transport<S>>(&'a Arc<Shared<S, R>>);

        impl<S: Send + 'static, R: Transport<S>> Drop for FlushLater<'_, S, R> {
            fn drop(&mut self) {
                self.0.flush_later();
            }
        }

        let unless_done = FlushLater(&self.shared);
        let done = poll_fn(poll).await;
        std::mem::forget(unless_done);
        done
    }
}
