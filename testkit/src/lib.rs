//! A network that can be broken, for tests of WebSocket programs.
//!
//! Two [`sansocket`] cores stand at the ends of a virtual wire, under a virtual clock. The wire delays, splits, stalls,
//! cuts and resets what passes; the clock jumps when it is told to. There is no socket, no thread and no sleep: an hour of
//! keepalive takes milliseconds, and the same seed gives the same run, byte for byte.
//!
//! ```
//! use std::time::Duration;
//!
//! use sansocket::CloseCode;
//! use sansocket_testkit::{Link, Network, Split};
//!
//! // A bad line: 40 ms each way, 20 KB/s, and every byte is a read of its own.
//! let line = Link::new().latency(Duration::from_millis(40)).bandwidth(20_000).split(Split::EveryByte);
//! let mut pair = Network::new(7).both_ways(line).open()?;
//!
//! pair.client.send("hello")?;
//! pair.run_for(Duration::from_millis(40));
//! assert!(pair.server.events().is_empty(), "the last of eleven bytes is still on the way");
//! pair.run_for(Duration::from_millis(1));
//! assert_eq!(pair.server.events(), ["hello"]);
//!
//! pair.server.close(CloseCode::NORMAL, "")?;
//! pair.run();
//! assert!(pair.client.closed().is_some_and(|closed| closed.is_clean()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The parts
//!
//! - [`Network`] describes a simulation: the seed, a [`Link`] for each direction, a [`Clock`] and a configuration for
//!   each end, the request, and how the server answers it. All of these are values.
//! - [`Network::open`] gives a [`Pair`] after a real opening handshake, [`Network::start`] one before it. To test one end
//!   against bytes of your own, [`Network::raw_client`] and [`Network::raw_server`] take a [`Script`].
//! - [`Sim`] is what runs: commands go to its two ends, and [`Sim::run_for`], [`Sim::run_until`] and [`Sim::run`] let
//!   time pass. Every run ends: when nothing is left to happen, or at [`Network::time_limit`].
//! - [`Endpoint`] is the core at one end. It keeps the drive contract of [`sansocket`] after every step, and keeps what
//!   the application [has seen](Endpoint::events).
//! - [`Drive`] is the contract itself, for ends of your own.
//!
//! # Faults
//!
//! | fault | how |
//! |---|---|
//! | latency, jitter, bandwidth | [`Link::latency`], [`Link::jitter`], [`Link::bandwidth`] |
//! | splits and partial writes | [`Link::split`], [`Link::short_writes`] |
//! | coalescing | [`Link::coalesce`] |
//! | back-pressure, slow readers | [`Link::window`], [`Endpoint::set_reading`], [`Script::stop_reading`] |
//! | a stall | [`Link::stall`] |
//! | the stream is cut at a byte, or at a time | [`Link::cut_after`], [`Link::cut_at`], [`Sim::cut`] |
//! | half-close, reset, a peer that is gone | [`Cut::Eof`], [`Cut::Reset`], [`Cut::Silence`] |
//! | the last bytes are lost | [`Link::lose_tail`] |
//! | clocks that jump | [`Clock::forward`], [`Clock::backward`] |
//! | a peer that breaks the protocol | [`Script`] |
//!
//! # Your own protocol
//!
//! A protocol on top of WebSocket messages is tested the same way: [`Endpoint::on_event`] puts its state machine at one
//! end, and the test plays the other.
//!
//! ```
//! use std::time::Duration;
//!
//! use sansocket::Message;
//! use sansocket_testkit::{Cut, Direction, Link, Network};
//!
//! let mut pair = Network::new(1).open()?;
//! let mut sum = 0;
//! pair.server.on_event(move |connection, event| {
//!     if let Some(Message::Text(number)) = event.into_message() {
//!         sum += number.parse::<i32>().unwrap_or(0);
//!         let _ = connection.send(sum.to_string());
//!     }
//! });
//! pair.client.send("20")?;
//! pair.client.send("22")?;
//! pair.run_for(Duration::ZERO);
//! assert_eq!(pair.client.take_events(), ["20", "42"]);
//!
//! // And if the answer breaks off inside its frame?
//! pair.set_link(Direction::ToClient, Link::new().cut_after(3, Cut::Eof));
//! pair.client.send("5")?;
//! pair.run();
//! assert_eq!(pair.client.closed().map(|closed| closed.is_clean()), Some(false));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod clock;
mod drive;
mod endpoint;
mod half;
mod link;
mod network;
mod phase;
mod random;
mod raw;
mod reading;
mod script;
mod seen;
mod sim;
mod timing;
mod trace;
mod wire;

pub use clock::Clock;
pub use drive::{Context, Drive};
pub use endpoint::Endpoint;
pub use link::{Cut, Link, Split};
pub use network::{Network, NotOpen};
pub use raw::{Ended, RawEndpoint};
pub use reading::Reading;
pub use script::Script;
pub use seen::Seen;
pub use sim::{Direction, Outcome, Pair, START, Sim};
pub use trace::{Entry, Trace};
