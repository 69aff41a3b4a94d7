//! WebSocket for async-std, on the sans-IO core of sansocket.
//!
//! A server:
//!
//! ```no_run
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = async_std::net::TcpListener::bind("127.0.0.1:4000").await?;
//! loop {
//!     let (stream, _) = listener.accept().await?;
//!     async_std::task::spawn(async move {
//!         let mut socket = sansocket_async_std::accept(stream).await?;
//!         while let Some(message) = socket.recv().await? {
//!             socket.send(message).await?;
//!         }
//!         Ok::<(), sansocket_async_std::Error>(())
//!     });
//! }
//! # }
//! ```
//!
//! A client:
//!
//! ```no_run
//! # async fn talk() -> Result<(), Box<dyn std::error::Error>> {
//! use sansocket_async_std::CloseCode;
//!
//! let mut socket = sansocket_async_std::connect("ws://127.0.0.1:4000/chat").await?;
//! socket.send("hello").await?;
//! println!("{:?}", socket.recv().await?);
//! socket.close(CloseCode::NORMAL, "").await?;
//! # Ok(())
//! # }
//! ```
//!
//! Time limits and keepalive are on by default: see [`Timeouts`].
//!
//! async-std is discontinued, and its authors recommend smol. This adapter is a crate of its own so that it can be retired without
//! touching anybody else.

#![forbid(unsafe_code)]
// What a peer sends must never panic.
#![warn(clippy::unwrap_used, clippy::panic)]

mod runtime;

use async_std::net::TcpStream;
use futures_io::{AsyncRead, AsyncWrite};

pub use runtime::{Alarm, AsyncStd};
pub use sansocket::{
    Accept, Answer, Cause, ClientConfig, ClientRequest, CloseCode, CloseFrame, Closed, HandshakeError,
    Limits, Message, PlainRequest, Prepared, Reject, Request, ServerConfig, Timeouts,
};
#[cfg(feature = "deflate")]
pub use sansocket::{DeflateConfig, DeflateParams};
pub use sansocket_driver::{Error, Handshakes, handshakes};

/// All of the core, for what is not re-exported by name.
pub use sansocket;

/// An open WebSocket. See [`sansocket_driver::WebSocket`] for its methods.
pub type WebSocket<S = TcpStream> = sansocket_driver::WebSocket<S, AsyncStd>;

/// The receiving half of a [`WebSocket`]. See [`sansocket_driver::ReadHalf`] for its methods.
pub type ReadHalf<S = TcpStream> = sansocket_driver::ReadHalf<S, AsyncStd>;

/// The sending half of a [`WebSocket`]. See [`sansocket_driver::WriteHalf`] for its methods.
pub type WriteHalf<S = TcpStream> = sansocket_driver::WriteHalf<S, AsyncStd>;

/// A client's request that waits for an answer. See [`sansocket_driver::Incoming`] for its methods.
pub type Incoming<S = TcpStream> = sansocket_driver::Incoming<S, AsyncStd>;

/// A connected byte stream: TCP, TLS, a pipe in memory.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// Accepts a WebSocket on a connected stream, whatever the client asks for, with the default configuration.
///
/// On a [`TcpStream`], TCP_NODELAY is set first.
///
/// # Errors
///
/// [`Error::Handshake`] if no acceptable request came. The client has then been told, if it speaks HTTP.
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn accept<S: Stream>(stream: S) -> Result<WebSocket<S>, Error> {
    sansocket_driver::accept(stream).await
}

/// Accepts a WebSocket on a connected stream; `decide` sees the request and answers it.
///
/// ```no_run
/// # async fn serve(stream: async_std::net::TcpStream) -> Result<(), sansocket_async_std::Error> {
/// use sansocket_async_std::{Accept, Reject, ServerConfig, accept_with};
///
/// let socket = accept_with(stream, &ServerConfig::default(), |request| {
///     if request.target() != "/chat" {
///         return Err(Reject::new(404));
///     }
///     Ok(match request.subprotocols().find(|offered| *offered == "v2.chat") {
///         Some(chosen) => Accept::new().subprotocol(chosen),
///         None => Accept::new(),
///     })
/// })
/// .await?;
/// # drop(socket);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Handshake`] if no acceptable request came or `decide` refused it. The client has then been told, if it speaks
/// HTTP.
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn accept_with<S: Stream>(
    stream: S,
    config: &ServerConfig,
    decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
) -> Result<WebSocket<S>, Error> {
    sansocket_driver::accept_with(stream, config, decide).await
}

/// As [`accept_with`], and answers plain HTTP requests on the same port. `None` means that one was answered.
///
/// ```no_run
/// # async fn serve(stream: async_std::net::TcpStream) -> Result<(), sansocket_async_std::Error> {
/// use sansocket_async_std::{Accept, Answer, Reject, ServerConfig, accept_or_answer};
///
/// let mut config = ServerConfig::default();
/// config.plain_http = true;
/// let accepted = accept_or_answer(stream, &config, |_| Ok(Accept::new()), |request| match request.target() {
///     "/healthz" => Answer::new(200),
///     _ => Reject::not_found().into(),
/// });
/// if let Some(socket) = accepted.await? {
///     // ...
/// #   drop(socket);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`accept_with`].
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn accept_or_answer<S: Stream>(
    stream: S,
    config: &ServerConfig,
    decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
    answer: impl FnOnce(&PlainRequest) -> Answer,
) -> Result<Option<WebSocket<S>>, Error> {
    sansocket_driver::accept_or_answer(stream, config, decide, answer).await
}

/// Reads a client's request, and leaves the answer to the caller: for decisions that have to wait for something.
///
/// # Errors
///
/// [`Error::Handshake`] if no acceptable request came. The client has then been told, if it speaks HTTP.
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn receive_request<S: Stream>(stream: S, config: &ServerConfig) -> Result<Incoming<S>, Error> {
    sansocket_driver::receive_request(stream, config).await
}

/// Opens a WebSocket as the client, on a connected stream.
///
/// The stream may be of any kind. For `wss` it must be encrypted already.
///
/// # Errors
///
/// [`Error::Handshake`] if the server did not agree, or did not answer as it must.
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn client<S: Stream>(
    stream: S,
    request: &ClientRequest,
    config: &ClientConfig,
) -> Result<WebSocket<S>, Error> {
    sansocket_driver::client(stream, request, config).await
}

/// Dials a server and opens a WebSocket, with the default configuration: `connect("ws://host:port/path")`.
///
/// # Errors
///
/// As [`connect_with`]; [`Error::Url`] if the URL is not one of a WebSocket.
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn connect(url: &str) -> Result<WebSocket, Error> {
    connect_with(&ClientRequest::new(url)?, &ClientConfig::default()).await
}

/// Dials the server of a request and opens a WebSocket. TCP_NODELAY is set before the first byte.
///
/// # Errors
///
/// [`Error::Connect`] if nothing answers there within [`Timeouts::connect`]; [`Error::TlsUnavailable`] for
/// `wss`; and as [`client`].
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn connect_with(request: &ClientRequest, config: &ClientConfig) -> Result<WebSocket, Error> {
    let dial = |host: Box<str>, port| async move { TcpStream::connect((&*host, port)).await };
    sansocket_driver::connect(request, config, dial).await
}
