//! Control frames (RFC 6455 sections 5.5.2 and 5.5.3): Ping, Pong, and their way past the data. Close has tests of its own.

#[path = "../support/mod.rs"]
mod support;

mod halves;
mod order;
mod ping;
