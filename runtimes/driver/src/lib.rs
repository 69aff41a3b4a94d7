//! Drives the core of [sansocket](https://docs.rs/sansocket) over an async byte stream. Knows no runtime.
//!
//! An adapter implements [`Runtime`] (with a [`Timer`]) and [`Transport`] on a type without data, and re-exports the functions of this crate
//! with that type filled in; that is all of it. What is decided, the core decides; what is awaited, is awaited here:
//!
//! ```text
//!  network ─► Transport::poll_read  ─► handshake | reading ─► core ─► message ─► application
//!  network ◄─ Transport::poll_write ◄─ shared              ◄─ core ◄─ message ◄─ application
//! ```
//!
//! # Features
//!
//! - `metrics`: exports the counts of [`handshakes`] through the crate of that name.
//! - `futures-io`: reading and writing through the traits of futures-io, for adapters of runtimes that use them.

#![forbid(unsafe_code)]
// What a peer sends must never panic.
#![warn(clippy::unwrap_used, clippy::panic)]

pub mod clock;
mod error;
#[cfg(feature = "futures-io")]
pub mod futures_io;
mod halves;
mod handshake;
mod opening;
mod pool;
mod reading;
mod runtime;
mod shared;
mod telemetry;
mod wake;
mod websocket;

pub use error::Error;
pub use halves::{ReadHalf, WriteHalf};
pub use handshake::{Incoming, accept, accept_or_answer, accept_with, client, connect, receive_request};
pub use runtime::{Runtime, Timer, Transport};
pub use telemetry::{Handshakes, handshakes};
pub use websocket::WebSocket;
