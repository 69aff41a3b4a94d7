//! WebSocket for smol, on the sans-IO core of sansocket.
//!
//! A server:
//!
//! ```no_run
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = smol::net::TcpListener::bind("127.0.0.1:4000").await?;
//! loop {
//!     let (stream, _) = listener.accept().await?;
//!     smol::spawn(async move {
//!         let mut socket = sansocket_smol::accept(stream).await?;
//!         while let Some(message) = socket.recv().await? {
//!             socket.send(message).await?;
//!         }
//!         Ok::<(), sansocket_smol::Error>(())
//!     })
//!     .detach();
//! }
//! # }
//! ```
//!
//! A client:
//!
//! ```no_run
//! # async fn talk() -> Result<(), Box<dyn std::error::Error>> {
//! use sansocket_smol::CloseCode;
//!
//! let mut socket = sansocket_smol::connect("ws://127.0.0.1:4000/chat").await?;
//! socket.send("hello").await?;
//! println!("{:?}", socket.recv().await?);
//! socket.close(CloseCode::NORMAL, "").await?;
//! # Ok(())
//! # }
//! ```
//!
//! Time limits and keepalive are on by default: see [`Timeouts`].
//!
//! It works under every executor. One thing is spawned: when an application leaves messages or a Pong unwritten and then awaits something
//! else, they are written by a small task on smol's global executor ([`smol::spawn`]), which is started when that first happens.

#![forbid(unsafe_code)]
// What a peer sends must never panic.
#![warn(clippy::unwrap_used, clippy::panic)]

mod runtime;

use futures_io::{AsyncRead, AsyncWrite};
use smol::net::TcpStream;

pub use runtime::{Alarm, Smol};
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
pub type WebSocket<S = TcpStream> = sansocket_driver::WebSocket<S, Smol>;

/// The receiving half of a [`WebSocket`]. See [`sansocket_driver::ReadHalf`] for its methods.
pub type ReadHalf<S = TcpStream> = sansocket_driver::ReadHalf<S, Smol>;

/// The sending half of a [`WebSocket`]. See [`sansocket_driver::WriteHalf`] for its methods.
pub type WriteHalf<S = TcpStream> = sansocket_driver::WriteHalf<S, Smol>;

/// A client's request that waits for an answer. See [`sansocket_driver::Incoming`] for its methods.
pub type Incoming<S = TcpStream> = sansocket_driver::Incoming<S, Smol>;

/// A connected byte stream: TCP, TLS, a pipe in memory.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// Accepts a WebSocket on a connected stream, whatever the client asks for, with the default configuration.
///
/// On a [`TcpStream`] or [`Async<TcpStream>`](smol::Async), TCP_NODELAY is set first.
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
/// # async fn serve(stream: smol::net::TcpStream) -> Result<(), sansocket_smol::Error> {
/// use sansocket_smol::{Accept, Reject, ServerConfig, accept_with};
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
/// # async fn serve(stream: smol::net::TcpStream) -> Result<(), sansocket_smol::Error> {
/// use sansocket_smol::{Accept, Answer, Reject, ServerConfig, accept_or_answer};
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
