//! An open WebSocket.

use std::future::{Future, poll_fn};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
#[cfg(feature = "deflate")]
use sansocket::DeflateParams;
use sansocket::{CloseCode, Closed, Connection, Dialed, Message, MessageKind, Prepared, Response};
use tracing::Span;

use crate::error::Error;
use crate::halves::{ReadHalf, WriteHalf};
use crate::reading::Reading;
use crate::runtime::Transport;
use crate::sending::{Outgoing, Sending};
use crate::telemetry;

/// An open WebSocket over the byte stream `S`.
///
/// Receive until there is nothing more; that is also what answers Pings and heeds the time limits:
///
/// ```
/// use sansocket_driver::{Error, Transport, WebSocket};
///
/// async fn echo<S: Send + 'static, R: Transport<S>>(mut socket: WebSocket<S, R>) -> Result<(), Error> {
///     while let Some(message) = socket.recv().await? {
///         socket.send(message).await?;
///     }
///     Ok(())
/// }
/// ```
///
/// With the feature `futures` it is a `Stream` and a `Sink` of messages, and so are its halves:
///
#[cfg_attr(feature = "futures", doc = "```")]
#[cfg_attr(not(feature = "futures"), doc = "```ignore")]
/// use futures_util::StreamExt;
/// use sansocket_driver::{Error, Transport, WebSocket};
///
/// async fn echo<S: Send + 'static, R: Transport<S>>(socket: WebSocket<S, R>) -> Result<(), Error> {
///     let (read, write) = socket.split();
///     // Ends with an error, or when the client closes; and then answers its Close frame.
///     read.forward(write).await
/// }
/// ```
///
/// Dropped without [`close`](Self::close), it makes one attempt to send what waits and a Close frame with the code 1001 (1011 if the
/// task panics), and ends TCP.
pub struct WebSocket<S, R: Transport<S>> {
    pub(crate) reading: Reading<S, R>,
    agreed: Agreed,
    /// Something was sent since the last `recv`.
    pub(crate) sending: bool,
}

/// What is kept of the opening handshake.
pub(crate) enum Agreed {
    /// By a server, which has shown the request to the application already.
    Subprotocol(Option<Box<str>>),
    /// By a client, for its application to look at; and how it got to the server, if that was its business.
    Response(Box<Response>, Option<Box<Dialed>>),
}

impl<S: Send + 'static, R: Transport<S>> WebSocket<S, R> {
    /// A WebSocket on a stream whose opening handshake was done elsewhere, such as in an HTTP server.
    ///
    /// `input` is what was read from the stream behind the handshake.
    #[must_use]
    pub fn new(stream: S, connection: Connection, input: BytesMut) -> Self {
        R::prepare(&stream);
        let span = telemetry::span(connection.role(), telemetry::peer::<S, R>(&stream));
        Self::open(stream, connection, input, Agreed::Subprotocol(None), span)
    }

    pub(crate) fn open(
        stream: S,
        connection: Connection,
        input: BytesMut,
        agreed: Agreed,
        span: Span,
    ) -> Self {
        let (receiver, sender) = connection.split();
        let reading = Reading::new(stream, receiver, sender, input, span);
        Self { reading, agreed, sending: false }
    }

    /// The subprotocol that was agreed on ([RFC 6455 section 1.9]).
    ///
    /// [RFC 6455 section 1.9]: https://www.rfc-editor.org/rfc/rfc6455#section-1.9
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        match &self.agreed {
            Agreed::Subprotocol(subprotocol) => subprotocol.as_deref(),
            Agreed::Response(response, _) => response.subprotocol(),
        }
    }

    /// What was agreed on in the opening handshake about the compression of messages, if anything was.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(&self) -> Option<DeflateParams> {
        self.reading.shared.lock().sender.deflate()
    }

    /// The span of this connection, with the peer's address. Instrument the task of the connection with it, and the
    /// application's own events show whom they are about.
    #[must_use]
    pub fn span(&self) -> Span {
        self.reading.shared.lock().span()
    }

    /// The server's answer to the opening handshake, with all its fields; `None` on a server.
    #[must_use]
    pub fn response(&self) -> Option<&Response> {
        match &self.agreed {
            Agreed::Subprotocol(_) => None,
            Agreed::Response(response, _) => Some(response),
        }
    }

    /// How the connection was made: by which address, after how long, past which faults. `None` unless it was `connect` that
    /// made it.
    #[must_use]
    pub fn dialed(&self) -> Option<&Dialed> {
        match &self.agreed {
            Agreed::Response(_, dialed) => dialed.as_deref(),
            Agreed::Subprotocol(_) => None,
        }
    }

    /// Receives the next message. `None` means that the closing handshake is done, whatever its code: see [`closed`](Self::closed).
    ///
    /// What is still to be written leaves before this waits: replies to several messages that came in one read leave in one write.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the connection ended other than by a closing handshake. Given once; then `None`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no message is lost or given twice.
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        self.begin_receiving();
        poll_fn(|cx| self.reading.poll_recv(cx)).await
    }

    /// Sends a message.
    ///
    /// Returns when the message was handed to the byte stream, or will be when this task waits next: while input of the same read is
    /// still to be received, replies are gathered. While the peer does not read, this waits, and goes on receiving (up
    /// to one message) and heeding the time limits.
    ///
    /// # Errors
    ///
    /// [`Error::Send`] gives the message back when the connection is closing or was closed by a closing handshake.
    /// [`Error::Closed`] if it has ended otherwise, [`Error::Lost`] if the message could not be written.
    ///
    /// # Cancel safety
    ///
    /// The message is sent whole or not at all, and others are not affected. It is queued at the first poll unless more than
    /// [`Limits::write_soft`](sansocket::Limits::write_soft) bytes wait; a message that was queued is sent even if this future is dropped.
    pub fn send(&mut self, message: impl Into<Message>) -> impl Future<Output = Result<(), Error>> {
        self.sending(Outgoing::Message(message.into()))
    }

    /// Sends a message uncompressed, even if compression was agreed on: one that is compressed already, such as an image, or
    /// that holds a secret next to what somebody else chose.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    #[cfg(feature = "deflate")]
    pub fn send_uncompressed(
        &mut self,
        message: impl Into<Message>,
    ) -> impl Future<Output = Result<(), Error>> {
        self.sending(Outgoing::Uncompressed(message.into()))
    }

    /// Sends a message that goes to many connections; it is encoded, and compressed, once for all of them.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), but for the message, which does not come back: [`Error::Refused`].
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub fn send_prepared(&mut self, message: &Prepared) -> impl Future<Output = Result<(), Error>> {
        self.sending(Outgoing::Prepared(message.clone()))
    }

    /// Not `async`, as the functions that call it: each would keep a copy of the message in the task.
    fn sending(&mut self, message: Outgoing) -> Sending<'_, S, R> {
        Sending { socket: self, message: Some(message), gathers: true, done: false }
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
    /// # Cancel safety
    ///
    /// The fragment is queued at the first poll unless more than [`Limits::write_soft`](sansocket::Limits::write_soft) bytes wait. To know
    /// whether it was, [`flush`](Self::flush) before.
    ///
    /// [RFC 6455 section 5.4]: https://www.rfc-editor.org/rfc/rfc6455#section-5.4
    pub async fn send_fragment(&mut self, kind: MessageKind, data: &[u8], last: bool) -> Result<(), Error> {
        poll_fn(|cx| self.poll_room(cx)).await?;
        self.reading.shared.lock().sender.send_fragment(kind, data, last)?;
        self.flush().await
    }

    /// Sends a Ping with up to 125 bytes. Keepalive needs no help; this is for Pings of your own.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the payload is too long, the closing handshake has begun or too many Pings wait.
    ///
    /// # Cancel safety
    ///
    /// The Ping is sent even if this future is dropped after its first poll.
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.reading.shared.lock().sender.ping(payload)?;
        self.flush().await
    }

    /// Waits until all that was sent is handed to the byte stream.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the connection has ended, [`Error::Lost`] if writing failed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn flush(&mut self) -> Result<(), Error> {
        Sending { socket: self, message: None, gathers: false, done: false }.await
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
    ///
    /// # Cancel safety
    ///
    /// The closing handshake has begun and goes on with [`recv`](Self::recv).
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<Closed, Error> {
        self.reading.shared.lock().begin_close(code, reason)?;
        Ok(poll_fn(|cx| self.reading.poll_end(cx)).await)
    }

    /// How the connection ended, once it has.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.reading.closed()
    }

    /// Two halves, to receive and to send in two tasks.
    #[must_use]
    pub fn split(self) -> (ReadHalf<S, R>, WriteHalf<S, R>) {
        let shared = Arc::clone(&self.reading.shared);
        (ReadHalf { reading: self.reading }, WriteHalf { shared })
    }

    /// Waits for the end of a connection to which nothing can be written, and tells how it ended.
    pub(crate) async fn lost(&mut self, io: io::Error) -> Error {
        let closed = poll_fn(|cx| self.reading.poll_end(cx)).await;
        Error::Closed { closed: Box::new(closed), io: Some(io) }
    }

    /// The application receives, and need not be made to.
    pub(crate) fn begin_receiving(&mut self) {
        self.sending = false;
    }

    /// An application that only sends must answer Pings all the same.
    pub(crate) fn attend(&mut self, cx: &mut Context<'_>) {
        if std::mem::replace(&mut self.sending, true) {
            let _ = self.reading.poll_ahead(cx);
        }
    }

    /// Waits until there is room for a message.
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            let room = self.reading.shared.lock().poll_room(cx);
            if room.is_ready() {
                return room;
            }
            // A peer that does not read may be one that waits to be read.
            ready!(self.reading.poll_ahead(cx));
        }
    }

    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.attend(cx);
        loop {
            let flushed = self.reading.shared.lock().poll_flush(cx);
            if flushed.is_ready() {
                return flushed;
            }
            // A peer that does not read may be one that waits to be read.
            ready!(self.reading.poll_ahead(cx));
        }
    }
}
