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
//! `connect` speaks TLS for `wss`, and trusts whom the operating system trusts. [`Connector`] has all that can be set about it:
//! authorities, client certificates, proxies, redirects, the time of each step. For servers there is `TlsAcceptor`, and [`Client`] is a
//! client that connects again by itself.
//!
//! Time limits and keepalive are on by default: see [`Timeouts`].
//!
//! async-std is discontinued, and its authors recommend smol. This adapter is a crate of its own so that it can be retired without
//! touching anybody else.
//!
//! # Features
//!
//! - `deflate` (default): compression of messages.
//! - `tls` (default): `wss`, on both sides. `webpki-roots`: with the authorities that Mozilla trusts, compiled in.
//! - `simd` (default): masks with the widest vectors that the processor has. Needs Rust 1.89.
//! - `futures`: a [`WebSocket`] and its halves are `Stream` and `Sink`.
//! - `serde_json`: messages from and to JSON, with `Message::from_json` and `Message::json`.
//! - `metrics`: exports the counts of opening handshakes through the crate of that name.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
// What a peer sends must never panic.
#![warn(clippy::unwrap_used, clippy::panic)]

mod runtime;

pub use runtime::{Alarm, AsyncStd};

sansocket_driver::adapter! {
    name: sansocket_async_std,
    runtime: AsyncStd,
    stream: async_std::net::TcpStream,
    read: futures_io::AsyncRead,
    write: futures_io::AsyncWrite,
}
