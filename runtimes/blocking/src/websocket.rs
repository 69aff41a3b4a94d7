//! An open WebSocket.

use std::time::{Duration, Instant};

use bytes::BytesMut;
#[cfg(feature = "deflate")]
use sansocket::DeflateParams;
use sansocket::{CloseCode, Closed, Connection, Dialed, Message, MessageKind, Prepared, Response};
use sansocket_driver::{Error, Transport};
use tracing::Span;

use crate::MaybeTls;
use crate::halves::{ReadHalf, WriteHalf};
use crate::runtime::Blocking;
use crate::wait::{Others, block_on, block_until, left_over};

/// An open WebSocket over the byte stream `S`.
///
/// Receive until there is nothing more; that is also what answers Pings and heeds the time limits:
///
/// ```
/// use sansocket_blocking::{Error, WebSocket};
///
/// fn echo(mut socket: WebSocket) -> Result<(), Error> {
///     while let Some(message) = socket.recv()? {
///         socket.send(message)?;
///     }
///     Ok(())
/// }
/// ```
///
/// Every call that waits does all that is due meanwhile. Between calls nothing happens: see the
/// [crate](crate#between-calls).
///
/// Dropped without [`close`](Self::close), it makes one attempt to send what waits and a Close frame with the code 1001 (1011 if the
/// thread panics), and ends TCP. That does not wait.
pub struct WebSocket<S = MaybeTls>
where
    Blocking: Transport<S>,
{
    pub(crate) inner: sansocket_driver::WebSocket<S, Blocking>,
}

/// What [`recv_timeout`](WebSocket::recv_timeout) has to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// A message.
    Message(Message),
    /// None came in this time. The connection goes on.
    TimedOut,
    /// The closing handshake is done, and nothing more will come.
    Closed,
}

impl Received {
    pub(crate) fn new(received: Option<Option<Message>>) -> Self {
        match received {
            Some(Some(message)) => Self::Message(message),
            Some(None) => Self::Closed,
            None => Self::TimedOut,
        }
    }
}

/// When a wait of this length ends; `None` if no clock goes so far.
pub(crate) fn end_of(timeout: Duration) -> Option<Instant> {
    Instant::now().checked_add(timeout)
}

impl<S: Send + 'static> WebSocket<S>
where
    Blocking: Transport<S>,
{
    pub(crate) fn from_driver(inner: sansocket_driver::WebSocket<S, Blocking>) -> Self {
        Self { inner }
    }

    /// A WebSocket on a stream whose opening handshake was done elsewhere, such as in an HTTP server.
    ///
    /// `input` is what was read from the stream behind the handshake.
    #[must_use]
    pub fn new(stream: S, connection: Connection, input: BytesMut) -> Self {
        Self::from_driver(sansocket_driver::WebSocket::new(stream, connection, input))
    }

    /// The subprotocol that was agreed on ([RFC 6455 section 1.9]).
    ///
    /// [RFC 6455 section 1.9]: https://www.rfc-editor.org/rfc/rfc6455#section-1.9
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.inner.subprotocol()
    }

    /// What was agreed on in the opening handshake about the compression of messages, if anything was.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(&self) -> Option<DeflateParams> {
        self.inner.deflate()
    }

    /// The span of this connection, with the peer's address. Enter it, and the application's own events show whom they are
    /// about.
    #[must_use]
    pub fn span(&self) -> Span {
        self.inner.span()
    }

    /// The server's answer to the opening handshake, with all its fields; `None` on a server.
    #[must_use]
    pub fn response(&self) -> Option<&Response> {
        self.inner.response()
    }

    /// How the server was reached: address, proxy, redirects, the time of each step. `None` unless
    /// [`connect`](crate::connect) made the connection.
    #[must_use]
    pub fn dialed(&self) -> Option<&Dialed> {
        self.inner.dialed()
    }

    /// Receives the next message. `None` means that the closing handshake is done, whatever its code: see [`closed`](Self::closed).
    ///
    /// Waits as long as the connection lives. That it lives is made sure of meanwhile: see [`Timeouts`](sansocket::Timeouts).
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the connection ended other than by a closing handshake. Given once; then `None`.
    pub fn recv(&mut self) -> Result<Option<Message>, Error> {
        block_on(Others::None, self.inner.recv())
    }

    /// As [`recv`](Self::recv), and waits for `timeout` at most. With a timeout of zero it gives what is there already, answers Pings and
    /// heeds the time limits.
    ///
    /// Nothing is lost when the time is over: the next call goes on inside of a message that has come in part.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use sansocket_blocking::{Error, Received, WebSocket};
    ///
    /// /// Receives what comes, and sends a line when nothing has come for a second.
    /// fn chat(mut socket: WebSocket) -> Result<(), Error> {
    ///     loop {
    ///         match socket.recv_timeout(Duration::from_secs(1))? {
    ///             Received::Message(message) => println!("{message:?}"),
    ///             Received::TimedOut => socket.send("still there?")?,
    ///             Received::Closed => return Ok(()),
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Received, Error> {
        let received = block_until(Others::None, end_of(timeout), self.inner.recv());
        received.transpose().map(Received::new)
    }

    /// Sends a message.
    ///
    /// Returns when the message was handed to the byte stream. While the peer does not read, this waits, and goes on receiving (up
    /// to one message) and heeding the time limits.
    ///
    /// # Errors
    ///
    /// [`Error::Send`] gives the message back when the connection is closing or was closed by a closing handshake.
    /// [`Error::Closed`] if it has ended otherwise, [`Error::Lost`] if the message could not be written.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        let sent = async {
            self.inner.send(message).await?;
            self.flush_left_over().await
        };
        block_on(Others::None, sent)
    }

    /// Sends a message uncompressed, even if compression was agreed on: one that is compressed already, such as an image, or
    /// that holds a secret next to what somebody else chose.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    #[cfg(feature = "deflate")]
    pub fn send_uncompressed(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        let sent = async {
            self.inner.send_uncompressed(message).await?;
            self.flush_left_over().await
        };
        block_on(Others::None, sent)
    }

    /// Sends a message that goes to many connections; it is encoded, and compressed, once for all of them.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), but for the message, which does not come back: [`Error::Refused`].
    pub fn send_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        let sent = async {
            self.inner.send_prepared(message).await?;
            self.flush_left_over().await
        };
        block_on(Others::None, sent)
    }

    /// The driver leaves replies to several messages of one read to a background task, so that they leave together. Here it had one
    /// turn, and if the stream took not all of it, there will be no other.
    async fn flush_left_over(&mut self) -> Result<(), Error> {
        if left_over() { self.inner.flush().await } else { Ok(()) }
    }

    /// Sends one fragment of a message ([RFC 6455 section 5.4]); `last` ends the message.
    ///
    /// For messages that are not there as a whole. All fragments have the same `kind`, and no other message can be sent before the
    /// last of them. Fragments of text may end inside a character.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if `kind` is not that of the message that was begun, the text is not UTF-8, or the connection is
    /// closing. [`Error::Closed`] and [`Error::Lost`] as in [`send`](Self::send).
    ///
    /// [RFC 6455 section 5.4]: https://www.rfc-editor.org/rfc/rfc6455#section-5.4
    pub fn send_fragment(&mut self, kind: MessageKind, data: &[u8], last: bool) -> Result<(), Error> {
        block_on(Others::None, self.inner.send_fragment(kind, data, last))
    }

    /// Sends a Ping with up to 125 bytes. Keepalive needs no help while something is waited for; this is for Pings of your own.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the payload is too long, the closing handshake has begun or too many Pings wait.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        block_on(Others::None, self.inner.ping(payload))
    }

    /// Waits until all that was sent is handed to the byte stream: only Pongs can be left over.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the connection has ended, [`Error::Lost`] if writing failed.
    pub fn flush(&mut self) -> Result<(), Error> {
        block_on(Others::None, self.inner.flush())
    }

    /// Closes the connection: sends a Close frame behind all messages, waits for the peer's, and ends TCP.
    ///
    /// Messages that still come are thrown away; use [`split`](Self::split) to receive them. Takes [`Timeouts::close`](sansocket::Timeouts::close) at most. If
    /// the peer began to close, this only waits for the end.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the code must not be sent or the reason is longer than 123 bytes. How the connection ended is
    /// the result, not an error.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<Closed, Error> {
        block_on(Others::None, self.inner.close(code, reason))
    }

    /// How the connection ended, once it has.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.inner.closed()
    }

    /// Two halves, to receive and to send in two threads.
    #[must_use]
    pub fn split(self) -> (ReadHalf<S>, WriteHalf<S>) {
        let (reading, writing) = self.inner.split();
        (ReadHalf { inner: reading }, WriteHalf { inner: writing })
    }
}
