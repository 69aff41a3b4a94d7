//! What the example programs share.
//!
//! - [`runtime`]: tokio, async-std and smol behind one trait, so that a program is written once and runs on all of them; `platform`
//!   has plain threads as well.
//! - [`by_hand`]: the core driven by hand over a blocking socket, without an adapter.
//! - [`matrix`]: servers and clients of every kind, against each other on loopback. `sides` are those of the adapters, [`raw`] those that
//!   speak no WebSocket, or not well; [`saw`] is what each of them sees, and `table` prints it.
//! - [`cases`] is what the matrix tries, with a file for each topic: `silence`, `strangers`, `secure`, `proxies`, `failover`, `reconnect`.
//! - [`probe`]: one server, tested step by step.

pub mod by_hand;
pub mod cases;
pub mod compression;
mod failover;
pub mod matrix;
mod platform;
pub mod probe;
mod proxies;
pub mod raw;
mod reconnect;
pub mod runtime;
pub mod saw;
mod secure;
mod sides;
mod silence;
mod strangers;
mod table;

// What the tests of the adapters have as well.
#[path = "../../runtimes/loopback/certificates.rs"]
#[expect(dead_code, reason = "shared with the tests of TLS")]
mod certificates;
#[path = "../../runtimes/loopback/proxy.rs"]
#[expect(dead_code, reason = "shared with the tests of connecting")]
mod proxy;
#[path = "../../runtimes/loopback/relay.rs"]
mod relay;

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

/// The code in the page on how a client gets to its server.
#[cfg(doctest)]
#[doc = include_str!("../../docs/connecting.md")]
pub struct Connecting;

/// The code in the page on servers.
#[cfg(doctest)]
#[doc = include_str!("../../docs/serving.md")]
pub struct Serving;

/// The code in the page on security.
#[cfg(doctest)]
#[doc = include_str!("../../docs/security.md")]
pub struct Security;

/// The code in the page on driving the core, which has to run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/integrating.md")]
pub struct Integrating;
