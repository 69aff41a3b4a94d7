//! The WebSocket of this module: `Stream` and `Sink` of tungstenite's messages.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::tungstenite::Message;
use ::tungstenite::error::ProtocolError;
use ::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use bytes::BytesMut;
use futures_core::stream::{FusedStream, Stream};
use futures_sink::Sink;
use sansocket::{Cause, ClientConfig, Closed, Connection, ServerConfig, State};
use sansocket_driver::{Parts, Timer as _, entropy};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::runtime::Alarm;
use crate::tungstenite::link::{Heard, Link};
use crate::tungstenite::sending::Sending;
use crate::tungstenite::wakers::Side;
use crate::tungstenite::{MaybeTlsStream, WsError};
use crate::{Error, MaybeTls};

/// An open WebSocket, as tokio-tungstenite's type of that name.
///
/// It owns its stream and does nothing in the background: what is to be sent leaves in `flush`, `send`, or as soon as more than
/// `write_buffer_size` bytes wait, and Pings are answered, and delivered, while messages are received. Dropped, it closes the stream as it
/// is; [`close`](Self::close) before that says good-bye.
pub struct WebSocketStream<S> {
    pub(super) link: Link<S>,
    pub(super) sending: Sending,
    config: WebSocketConfig,
    /// The end, or an error, was given out.
    ended: bool,
}

/// What no program of tokio-tungstenite expects is off: Pongs that nobody asked for would be delivered as messages.
pub(super) fn server_config(config: &WebSocketConfig) -> ServerConfig {
    let mut ours = ServerConfig::from(config);
    (ours.timeouts.ping_interval, ours.timeouts.pong) = (None, None);
    ours
}

/// As [`server_config`].
pub(super) fn client_config(config: &WebSocketConfig) -> ClientConfig {
    let mut ours = ClientConfig::from(config);
    (ours.timeouts.ping_interval, ours.timeouts.pong) = (None, None);
    ours
}

impl<S> WebSocketStream<S> {
    /// A WebSocket on a stream whose opening handshake was done elsewhere.
    ///
    /// # Panics
    ///
    /// For a client, if the operating system has no random bytes.
    pub async fn from_raw_socket(stream: S, role: Role, config: Option<WebSocketConfig>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        Self::from_partially_read(stream, Vec::new(), role, config).await
    }

    /// A WebSocket on a stream whose opening handshake was done elsewhere, and of which `part` was read behind it.
    ///
    /// # Panics
    ///
    /// For a client, if the operating system has no random bytes.
    #[expect(clippy::unused_async, reason = "programs await it")]
    pub async fn from_partially_read(
        stream: S,
        part: Vec<u8>,
        role: Role,
        config: Option<WebSocketConfig>,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = config.unwrap_or_default();
        let now = Alarm::default().now();
        let connection = match role {
            Role::Server => Connection::server(&server_config(&config), now),
            Role::Client => {
                let entropy = entropy().expect("the operating system has random bytes");
                Connection::client(&client_config(&config), entropy, now)
            }
        };
        Self::new(stream, connection, BytesMut::from(&part[..]), config)
    }

    pub(super) fn from_parts(parts: Parts<S>, config: WebSocketConfig) -> Self {
        Self::new(parts.stream, parts.connection, parts.input, config)
    }

    fn new(stream: S, connection: Connection, input: BytesMut, config: WebSocketConfig) -> Self {
        let link = Link::new(stream, connection, input);
        Self { link, sending: Sending::new(&config), config, ended: false }
    }

    /// The stream. What was received or is to be sent and waits here is lost.
    pub fn into_inner(self) -> S {
        self.link.stream
    }

    /// The stream.
    pub fn get_ref(&self) -> &S {
        &self.link.stream
    }

    /// The stream. To read or write by it breaks the protocol.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.link.stream
    }

    /// The configuration that was given.
    pub fn get_config(&self) -> &WebSocketConfig {
        &self.config
    }

    /// How the connection ended, once it has: what tokio-tungstenite does not tell.
    ///
    /// It is known when the stream of messages has ended, or a flush behind the closing handshake.
    pub fn closed(&self) -> Option<&Closed> {
        self.link.closed.as_deref()
    }

    /// Sends a Close frame behind all messages. Go on receiving: what still comes, the peer's Close frame, and the end.
    ///
    /// # Errors
    ///
    /// As for any message: `Protocol(SendAfterClosing)` if the closing handshake has begun, `AlreadyClosed` if the connection has ended. Also
    /// `Protocol(InvalidCloseSequence)` for a code that must not be sent, or a reason over 123 bytes.
    ///
    /// # Cancel safety
    ///
    /// The frame is queued at the first poll that has room for it.
    pub async fn close(&mut self, frame: Option<CloseFrame>) -> Result<(), WsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        poll_fn(|cx| Pin::new(&mut *self).poll_ready(cx)).await?;
        Pin::new(&mut *self).start_send(Message::Close(frame))?;
        self.flushed().await
    }

    pub(super) async fn flushed(&mut self) -> Result<(), WsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        poll_fn(|cx| Pin::new(&mut *self).poll_flush(cx)).await
    }

    /// The end as tungstenite tells it: none, if the peer has closed, or was told of its fault before.
    fn end(&mut self) -> Option<WsError> {
        let closed = self.link.closed.as_ref()?;
        if closed.received.is_some() {
            return None;
        }
        let io = self.link.io_error();
        let kind = match closed.cause {
            Cause::Clean | Cause::Failed(_) => return None,
            Cause::Eof(_) => return Some(WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake)),
            Cause::Transport(_) => io.as_ref().map_or(io::ErrorKind::Other, io::Error::kind),
            _ => io::ErrorKind::TimedOut,
        };
        Some(WsError::Io(io::Error::new(kind, Error::Closed { closed: closed.clone(), io })))
    }
}

impl WebSocketStream<MaybeTlsStream<TcpStream>> {
    /// As [`from_parts`](Self::from_parts), of what a connector made.
    pub(super) fn connected(parts: Parts<MaybeTls>, config: WebSocketConfig) -> Self {
        Self::new(MaybeTlsStream::of(parts.stream), parts.connection, parts.input, config)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WebSocketStream<S> {
    type Item = Result<Message, WsError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let socket = self.get_mut();
        if socket.ended {
            return Poll::Ready(None);
        }
        Poll::Ready(match ready!(socket.link.poll_heard(cx)) {
            Some(Heard::Message(message)) => Some(Ok(message)),
            Some(Heard::Failed(failure)) => {
                socket.ended = true;
                Some(Err(failure.into()))
            }
            None => {
                socket.ended = true;
                socket.link.shut_down();
                socket.end().map(Err)
            }
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> FusedStream for WebSocketStream<S> {
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for WebSocketStream<S> {
    type Error = WsError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        let link = &mut self.get_mut().link;
        // Who may not send is told so by `start_send`.
        if link.closed.is_some() || link.connection.state() != State::Open || link.connection.may_send() {
            return Poll::Ready(Ok(()));
        }
        link.register(Side::Sender, cx);
        let written = link.poll_write();
        match link.io_error() {
            Some(error) => Poll::Ready(Err(error.into())),
            None if written.is_ready() || link.connection.may_send() => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), WsError> {
        let Self { link, sending, .. } = self.get_mut();
        sending.send(link, message)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        let link = &mut self.get_mut().link;
        link.register(Side::Sender, cx);
        ready!(link.poll_write());
        if link.take_closed() || link.close_received() {
            // What could not leave was not waited for any more.
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(link.io_error().map_or(Ok(()), |error| Err(error.into())))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        let socket = self.get_mut();
        if socket.link.closed.is_none() && socket.link.connection.state() == State::Open {
            socket.sending.send(&mut socket.link, Message::Close(None))?;
        }
        Pin::new(socket).poll_flush(cx)
    }
}

impl<S: fmt::Debug> fmt::Debug for WebSocketStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketStream")
            .field("stream", &self.link.stream)
            .field("closed", &self.link.closed)
            .finish_non_exhaustive()
    }
}
