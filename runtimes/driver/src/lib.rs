//! Drives the core of [sansocket](https://docs.rs/sansocket) over an async byte stream. Knows no runtime.
//!
//! An adapter implements [`Runtime`] (with a [`Timer`]) and [`Transport`] on a type without data, and offers what is here with that type
//! filled in, by [`adapter!`]; that is all of it, but for [`Dialer`] and [`Listen`], by which clients and servers get their streams. What is
//! decided, the core decides; what is awaited, is awaited here:
//!
//! ```text
//!  network ─► Transport::poll_read  ─► handshake | reading ─► core ─► message ─► application
//!  network ◄─ Transport::poll_write ◄─ shared              ◄─ core ◄─ message ◄─ application
//! ```
//!
//! # Features
//!
//! - `metrics`: exports the counts of [`handshakes`] through the crate of that name.
//! - `futures`: `Stream` and `Sink` for [`WebSocket`] and its halves, and `Stream` for [`Client`], of the crates futures-core and futures-sink.
//! - `futures-io`: reading and writing through the traits of futures-io, for adapters of runtimes that use them.
//! - `tokio-io`: the traits of tokio on the streams that are made here. Of tokio nothing but the traits is used.
//! - `deflate`: compression of messages (permessage-deflate).
//! - `simd`: masks with the widest vectors that the processor has. Needs Rust 1.89.
//! - `tls`: `wss`, on both sides, by rustls with the cryptography of ring.
//! - `webpki-roots`: the authorities that Mozilla trusts, compiled in.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
// What a peer sends must never panic.
#![warn(clippy::unwrap_used, clippy::panic)]

mod adapter;
mod alarm;
mod any;
mod byte_stream;
mod client;
pub mod clock;
mod dial;
mod elsewhere;
mod error;
#[cfg(feature = "futures-io")]
pub mod futures_io;
mod halves;
mod handshake;
pub mod heartbeat;
mod managed;
mod maybe_tls;
mod message_io;
mod names;
mod opening;
mod options;
mod owner;
mod parts;
mod pieces;
pub mod pool;
mod reading;
mod runtime;
mod scratch;
mod sending;
mod server;
mod shared;
#[cfg(any(feature = "futures-io", feature = "tokio-io"))]
mod slices;
#[cfg(feature = "futures")]
mod stream_sink;
mod stream_traits;
mod telemetry;
#[cfg(feature = "tls")]
mod tls;
pub mod transfer;
mod wake;
mod websocket;

pub use any::{AnyRequest, IncomingHttp, receive_any};
pub use byte_stream::{ByteReader, ByteStream, ByteWriter};
pub use client::{Client, ClientBuilder, ClientSender};
pub use dial::{Connector, Dialer, set_tcp_options};
pub use elsewhere::{failed_elsewhere, opened_elsewhere};
pub use error::Error;
pub use halves::{ReadHalf, WriteHalf};
pub use handshake::{Incoming, accept, accept_or_answer, accept_with, client, entropy, receive_request};
pub use maybe_tls::MaybeTls;
pub use message_io::{MessageReader, MessageWriter};
pub use parts::{Parts, client_parts};
pub use runtime::{Runtime, Timer, Transport};
pub use server::{
    ConnectionInfo, HandlerOutput, Listen, Server, ServerBuilder, ServerCounts, ServerEnd, ServerHandle,
};
pub use telemetry::{Handshakes, handshakes};
#[cfg(feature = "tls")]
pub use tls::{
    Tls, TlsAcceptError, TlsAcceptFault, TlsAcceptor, TlsAcceptorBuilder, TlsBuilder, TlsConfigError,
    TlsStream,
};
pub use websocket::WebSocket;

/// The library of TLS, for what is not re-exported by name.
#[cfg(feature = "tls")]
pub use rustls;
