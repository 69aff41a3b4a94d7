//! WebSocket for plain blocking threads, on the sans-IO core of sansocket: no executor, no background thread.
//!
//! A server, one thread per connection:
//!
//! ```no_run
//! # fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = std::net::TcpListener::bind("127.0.0.1:4000")?;
//! for stream in listener.incoming() {
//!     let stream = stream?;
//!     std::thread::spawn(move || {
//!         let mut socket = sansocket_blocking::accept(stream)?;
//!         while let Some(message) = socket.recv()? {
//!             socket.send(message)?;
//!         }
//!         Ok::<(), sansocket_blocking::Error>(())
//!     });
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A client:
//!
//! ```no_run
//! # fn talk() -> Result<(), Box<dyn std::error::Error>> {
//! use sansocket_blocking::CloseCode;
//!
//! let mut socket = sansocket_blocking::connect("ws://127.0.0.1:4000/chat")?;
//! socket.send("hello")?;
//! println!("{:?}", socket.recv()?);
//! socket.close(CloseCode::NORMAL, "")?;
//! # Ok(())
//! # }
//! ```
//!
//! `connect` speaks TLS for `wss`, and trusts whom the operating system trusts. [`Connector`] has all that can be set about it:
//! authorities, client certificates, proxies, redirects, the time of each step. For servers there is `TlsAcceptor`, and [`Client`] is a
//! client that connects again by itself.
//!
//! Inside, the same driver runs as in the async adapters, on a socket that does not block; the calling thread waits in the
//! system's `poll`. So every time limit holds while a call waits, and a call waits for several things at once: to receive, to write what
//! is due, and for the limits.
//!
//! A WebSocket is a byte stream too, for protocols that know nothing of messages: [`WebSocket::into_byte_stream`]; and so is one message:
//! [`WebSocket::read_message`], [`WebSocket::write_message`].
//!
//! # Between calls
//!
//! nothing happens. Pings are answered and keepalive ([`Timeouts`]) works while some call waits, [`WebSocket::recv`] above all; a [`Client`]
//! connects again while one of its calls waits. An application that computes for long does one of these:
//!
//! - it calls [`recv_timeout`](WebSocket::recv_timeout) now and then, with [`Duration::ZERO`](std::time::Duration::ZERO) if it likes;
//! - it [splits](WebSocket::split) the WebSocket, and a thread of its own receives and passes on what comes, in a channel; a
//!   [`Client`] can be [run](Client::run) by such a thread.
//!
//! If it does neither, it finds what came meanwhile when it receives next, and a peer with keepalive of its own may have
//! given up. This end does not: what has come is read before a time limit is judged.
//!
//! # Limits of a server
//!
//! There is no `Server` here, as there is on the async runtimes. What such a server does when it ends, a Close frame for each connection and an end for those that are stuck, needs
//! somebody who is not the connection's thread: that thread may be in a call of the application's, which nothing ends from outside. What can be had without, the limits on connections
//! and the refusals, is in the core ([`Admission`](sansocket::Admission)):
//!
//! ```no_run
//! # fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::{Arc, Mutex};
//! use sansocket_blocking::sansocket::{Admission, AdmissionLimits, Departure, Ticket};
//! use sansocket_blocking::{Accept, Error, ServerConfig, receive_request};
//!
//! fn talk(stream: std::net::TcpStream, admission: &Mutex<Admission>, ticket: &mut Ticket) -> Result<(), Error> {
//!     let incoming = receive_request(stream, &ServerConfig::default())?;
//!     let (opened, retry_after) = {
//!         let mut admission = admission.lock().unwrap();
//!         (admission.open(ticket), admission.limits().retry_after)
//!     };
//!     if let Err(refusal) = opened {
//!         return Err(incoming.reject(refusal.reject(retry_after)));
//!     }
//!     let mut socket = incoming.accept(Accept::new())?;
//!     while let Some(message) = socket.recv()? {
//!         socket.send(message)?;
//!     }
//!     Ok(())
//! }
//!
//! let listener = std::net::TcpListener::bind("127.0.0.1:4000")?;
//! let admission = Arc::new(Mutex::new(Admission::new(AdmissionLimits::default())));
//! loop {
//!     let Ok((stream, peer)) = listener.accept() else {
//!         // There are no file descriptors left, most likely.
//!         std::thread::sleep(std::time::Duration::from_millis(100));
//!         continue;
//!     };
//!     // If there is no ticket, TCP is closed at once.
//!     let Ok(mut ticket) = admission.lock().unwrap().arrive(peer.ip()) else { continue };
//!     let admission = Arc::clone(&admission);
//!     std::thread::spawn(move || {
//!         let departure = match talk(stream, &admission, &mut ticket) {
//!             Ok(()) => Departure::Clean,
//!             Err(_) => Departure::Otherwise,
//!         };
//!         admission.lock().unwrap().leave(ticket, departure);
//!     });
//! }
//! # }
//! ```
//!
//! # Features
//!
//! - `deflate` (default): compression of messages.
//! - `tls` (default): `wss`, on both sides. `webpki-roots`: with the authorities that Mozilla trusts, compiled in.
//! - `simd` (default): masks with the widest vectors that the processor has. Needs Rust 1.89.
//! - `serde_json`: messages from and to JSON, with `Message::from_json` and `Message::json`.
//! - `idn`: international domain names in URLs; without it they are given in their ASCII form (`xn--...`).
//! - `http`: requests, and the opening handshake of a server, in the types of the crate of that name.
//! - `metrics`: exports the counts of opening handshakes through the crate of that name.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
// What a peer sends must never panic.
#![warn(clippy::unwrap_used, clippy::panic)]

mod bell;
mod client;
mod connector;
mod dial;
mod halves;
mod incoming;
mod runtime;
#[cfg(feature = "tls")]
mod tls;
mod views;
mod wait;
mod websocket;

use std::net::TcpStream;

use wait::{Others, block_on};

pub use client::{Client, ClientBuilder, ClientSender, Next};
pub use connector::Connector;
pub use halves::{ReadHalf, WriteHalf};
pub use incoming::{AnyRequest, Incoming, IncomingHttp};
pub use runtime::{Alarm, Blocking, Stream};
pub use sansocket_driver::Transport;
#[cfg(feature = "tls")]
pub use tls::{TlsAcceptor, TlsAcceptorBuilder, accept_tls, connect_tls};
pub use views::{ByteReader, ByteStream, ByteWriter, MessageReader, MessageWriter};
pub use websocket::{Received, WebSocket};

sansocket_driver::names!();

/// The stream of a client: TCP for `ws`, TLS over TCP for `wss`.
pub type MaybeTls<S = TcpStream> = sansocket_driver::MaybeTls<S, Blocking>;

/// A byte stream inside of TLS. See [`sansocket_driver::TlsStream`] for its methods.
#[cfg(feature = "tls")]
pub type TlsStream<S = TcpStream> = sansocket_driver::TlsStream<S, Blocking>;

/// Accepts a WebSocket on a connected stream, whatever the client asks for, with the default configuration.
///
/// The socket is made non-blocking, and TCP_NODELAY is set, first.
///
/// # Errors
///
/// [`Error::Handshake`] if no acceptable request came. The client has then been told, if it speaks HTTP.
pub fn accept<S>(stream: S) -> Result<WebSocket<S>, Error>
where
    S: Send + 'static,
    Blocking: Transport<S>,
{
    block_on(Others::None, sansocket_driver::accept(stream)).map(WebSocket::from_driver)
}

/// Accepts a WebSocket on a connected stream; `decide` sees the request and answers it.
///
/// ```no_run
/// # fn serve(stream: std::net::TcpStream) -> Result<(), sansocket_blocking::Error> {
/// use sansocket_blocking::{Accept, Reject, ServerConfig, accept_with};
///
/// let socket = accept_with(stream, &ServerConfig::default(), |request| {
///     if request.path() != "/chat" {
///         return Err(Reject::new(404));
///     }
///     Ok(match request.subprotocols().find(|offered| *offered == "v2.chat") {
///         Some(chosen) => Accept::new().subprotocol(chosen),
///         None => Accept::new(),
///     })
/// })?;
/// # drop(socket);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Handshake`] if no acceptable request came or `decide` refused it. The client has then been told, if it speaks
/// HTTP.
pub fn accept_with<S>(
    stream: S,
    config: &ServerConfig,
    decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
) -> Result<WebSocket<S>, Error>
where
    S: Send + 'static,
    Blocking: Transport<S>,
{
    block_on(Others::None, sansocket_driver::accept_with(stream, config, decide)).map(WebSocket::from_driver)
}

/// As [`accept_with`], and answers plain HTTP requests on the same port. `None` means that one was answered.
///
/// ```no_run
/// # fn serve(stream: std::net::TcpStream) -> Result<(), sansocket_blocking::Error> {
/// use sansocket_blocking::{Accept, Answer, Reject, ServerConfig, accept_or_answer};
///
/// let mut config = ServerConfig::default();
/// config.plain_http = true;
/// let accepted = accept_or_answer(stream, &config, |_| Ok(Accept::new()), |request| match request.path() {
///     "/healthz" => Answer::new(200),
///     _ => Reject::not_found().into(),
/// });
/// if let Some(socket) = accepted? {
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
pub fn accept_or_answer<S>(
    stream: S,
    config: &ServerConfig,
    decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
    answer: impl FnOnce(&PlainRequest) -> Answer,
) -> Result<Option<WebSocket<S>>, Error>
where
    S: Send + 'static,
    Blocking: Transport<S>,
{
    let accepted = block_on(Others::None, sansocket_driver::accept_or_answer(stream, config, decide, answer));
    Ok(accepted?.map(WebSocket::from_driver))
}

/// Reads a client's request, and leaves the answer to the caller: for decisions that another thread takes.
///
/// # Errors
///
/// [`Error::Handshake`] if no acceptable request came. The client has then been told, if it speaks HTTP.
pub fn receive_request<S>(stream: S, config: &ServerConfig) -> Result<Incoming<S>, Error>
where
    S: Send + 'static,
    Blocking: Transport<S>,
{
    block_on(Others::None, sansocket_driver::receive_request(stream, config)).map(|inner| Incoming { inner })
}

/// As [`receive_request`], and with [`plain_http`](ServerConfig::plain_http) gives plain HTTP requests on the same port too.
///
/// # Errors
///
/// As [`receive_request`].
pub fn receive_any<S>(stream: S, config: &ServerConfig) -> Result<AnyRequest<S>, Error>
where
    S: Send + 'static,
    Blocking: Transport<S>,
{
    use sansocket_driver::AnyRequest as Any;
    Ok(match block_on(Others::None, sansocket_driver::receive_any(stream, config))? {
        Any::WebSocket(inner) => AnyRequest::WebSocket(Incoming { inner }),
        Any::Http(inner) => AnyRequest::Http(IncomingHttp { inner }),
    })
}

/// Opens a WebSocket as the client, on a connected stream.
///
/// The stream may be of any kind. For `wss` it must be encrypted already.
///
/// # Errors
///
/// [`Error::Handshake`] if the server did not agree, or did not answer as it must.
pub fn client<S>(stream: S, request: &ClientRequest, config: &ClientConfig) -> Result<WebSocket<S>, Error>
where
    S: Send + 'static,
    Blocking: Transport<S>,
{
    block_on(Others::None, sansocket_driver::client(stream, request, config)).map(WebSocket::from_driver)
}

/// Dials a server and opens a WebSocket, with the default configuration: `connect("wss://host:port/path")`.
///
/// # Errors
///
/// [`Error::Url`] if it is not the URL of a WebSocket; otherwise [`Error::Dial`], which has everything that was tried.
pub fn connect(url: &str) -> Result<WebSocket, Error> {
    Connector::default().connect(url)
}

/// Dials the server of a request and opens a WebSocket. A [`Connector`] has the options of the way there: proxy, TLS,
/// redirects, time limits; and [`Connector::connect_with`] says what no time limit ends.
///
/// # Errors
///
/// [`Error::Dial`], which has everything that was tried; also if it was the opening handshake that failed
/// ([`Error::handshake`]).
pub fn connect_with(request: &ClientRequest, config: &ClientConfig) -> Result<WebSocket, Error> {
    let mut connector = Connector::default();
    connector.client = config.clone();
    connector.connect_with(request)
}
