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
//! A [`Server`] listens and accepts by itself. It limits connections, those of one address, and the memory of all together; a panic of a handler ends
//! one connection; and it ends in an orderly way:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # async_std::task::block_on(async {
//! use sansocket_async_std::Server;
//!
//! let server = Server::bind("127.0.0.1:0").on_connection(|mut socket, _| async move {
//!     while let Ok(Some(message)) = socket.recv().await {
//!         let _ = socket.send(message).await;
//!     }
//! });
//! let handle = server.start().await?;
//! # let mut client = sansocket_async_std::connect(&format!("ws://{}", handle.local_addresses()[0])).await?;
//! # client.send("hello").await?;
//! # assert_eq!(client.recv().await?.unwrap().as_text(), Some("hello"));
//! # let client = async_std::task::spawn(async move { client.recv().await });
//! // ... until it is to end:
//! let report = handle.shutdown().await;
//! println!("{} closed, {} cut off", report.closed, report.cut_off);
//! # assert_eq!((report.closed, report.cut_off), (1, 0));
//! # assert!(client.await?.is_none());
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! A WebSocket is a byte stream too, for protocols that know nothing of messages:
//!
//! ```no_run
//! # async fn greet() -> Result<(), Box<dyn std::error::Error>> {
//! use async_std::io::{BufReadExt, BufReader, WriteExt};
//!
//! let mut mail = BufReader::new(sansocket_async_std::connect("wss://gateway.example/smtp").await?.into_byte_stream());
//! let mut line = String::new();
//! mail.read_line(&mut line).await?;
//! mail.get_mut().write_all(b"EHLO client.example\r\n").await?;
//! # Ok(())
//! # }
//! ```
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
//! - `futures`: a [`WebSocket`] and its halves are `Stream` and `Sink`, and a [`Client`] is a `Stream` of events.
//! - `serde_json`: messages from and to JSON, with `Message::from_json` and `Message::json`.
//! - `idn`: international domain names in URLs; without it they are given in their ASCII form (`xn--...`).
//! - `http`: requests, and the opening handshake of a server, in the types of the crate of that name.
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
