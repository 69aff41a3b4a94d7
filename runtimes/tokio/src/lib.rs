//! WebSocket for tokio, on the sans-IO core of sansocket.
//!
//! A server:
//!
//! ```no_run
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:4000").await?;
//! loop {
//!     let (stream, _) = listener.accept().await?;
//!     tokio::spawn(async move {
//!         let mut socket = sansocket_tokio::accept(stream).await?;
//!         while let Some(message) = socket.recv().await? {
//!             socket.send(message).await?;
//!         }
//!         Ok::<(), sansocket_tokio::Error>(())
//!     });
//! }
//! # }
//! ```
//!
//! A client:
//!
//! ```no_run
//! # async fn talk() -> Result<(), Box<dyn std::error::Error>> {
//! use sansocket_tokio::CloseCode;
//!
//! let mut socket = sansocket_tokio::connect("ws://127.0.0.1:4000/chat").await?;
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
//! A [`Server`] listens and accepts by itself. It limits connections, those of one address, and the memory of all together; a panic of a handler ends
//! one connection; and it ends in an orderly way:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use sansocket_tokio::Server;
//!
//! let server = Server::bind("127.0.0.1:0").on_connection(|mut socket, _| async move {
//!     while let Ok(Some(message)) = socket.recv().await {
//!         let _ = socket.send(message).await;
//!     }
//! });
//! let handle = server.start().await?;
//! # let mut client = sansocket_tokio::connect(&format!("ws://{}", handle.local_addresses()[0])).await?;
//! # client.send("hello").await?;
//! # assert_eq!(client.recv().await?.unwrap().as_text(), Some("hello"));
//! # let client = tokio::spawn(async move { client.recv().await });
//! // ... until it is to end:
//! let report = handle.shutdown().await;
//! println!("{} closed, {} cut off", report.closed, report.cut_off);
//! # assert_eq!((report.closed, report.cut_off), (1, 0));
//! # assert!(client.await??.is_none());
//! # Ok(())
//! # }
//! ```
//!
//! A WebSocket is a byte stream too, for protocols that know nothing of messages:
//!
//! ```no_run
//! # async fn tunnel(mut tcp: tokio::net::TcpStream) -> Result<(), Box<dyn std::error::Error>> {
//! let mut tunnel = sansocket_tokio::connect("wss://gateway.example/ssh").await?.into_byte_stream();
//! tokio::io::copy_bidirectional(&mut tcp, &mut tunnel).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Time limits and keepalive are on by default: see [`Timeouts`]. They need tokio's time driver (`enable_time` or `enable_all`).
//!
//! # Features
//!
//! - `deflate` (default): compression of messages.
//! - `tls` (default): `wss`, on both sides. `webpki-roots`: with the authorities that Mozilla trusts, compiled in.
//! - `serde_json`: messages from and to JSON, with `Message::from_json` and `Message::json`.
//! - `idn`: international domain names in URLs; without it they are given in their ASCII form (`xn--...`).
//! - `http`: requests, and the opening handshake of a server, in the types of the crate of that name.
//! - `simd` (default): masks with the widest vectors that the processor has. Needs Rust 1.89.
//! - `futures`: a [`WebSocket`] and its halves are `Stream` and `Sink`, and a [`Client`] is a `Stream` of events.
//! - `hyper`: the module `hyper`, which opens a WebSocket inside of a server of hyper 1.
//! - `axum`: the module `axum`, with an extractor for servers of axum 0.8.
//! - `tungstenite`: the module `tungstenite`, with tokio-tungstenite's functions and types by the same names.
//! - `metrics`: exports the counts of opening handshakes through the crate of that name.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
// What a peer sends must never panic.
#![warn(clippy::unwrap_used, clippy::panic)]

#[cfg(feature = "axum")]
pub mod axum;
#[cfg(feature = "hyper")]
pub mod hyper;
mod runtime;
#[cfg(feature = "tungstenite")]
pub mod tungstenite;

pub use runtime::{Alarm, Tokio};

sansocket_driver::adapter! {
    name: sansocket_tokio,
    runtime: Tokio,
    stream: tokio::net::TcpStream,
    read: tokio::io::AsyncRead,
    write: tokio::io::AsyncWrite,
}
