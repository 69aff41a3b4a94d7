//! What the example programs share.
//!
//! - [`runtime`]: tokio, async-std and smol behind one trait, so that a program is written once and runs on all of them.
//! - [`by_hand`]: the core driven by hand over a blocking socket, without an adapter.
//! - [`matrix`] and [`cases`]: servers and clients of every kind, against each other on loopback, [`strangers`] among them; [`raw`] are
//!   those that speak no WebSocket, or not well, and [`saw`] is what each of them sees.
//! - [`probe`]: one server, tested step by step.

pub mod by_hand;
pub mod cases;
pub mod compression;
pub mod matrix;
pub mod probe;
pub mod raw;
pub mod runtime;
pub mod saw;
pub mod strangers;

/// The code in the README, which has to compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// The code in the page on diagnoses, which has to yield the codes that it says.
#[cfg(doctest)]
#[doc = include_str!("../../docs/diagnosing.md")]
pub struct Diagnosing;

/// The code in the guide to compression, which has to compile as well.
#[cfg(doctest)]
#[doc = include_str!("../../docs/compression.md")]
pub struct Compression;

/// The code in the page on clients that connect again.
#[cfg(doctest)]
#[doc = include_str!("../../docs/sessions.md")]
pub struct Sessions;
