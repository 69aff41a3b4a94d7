//! The opening handshake (RFC 6455 section 4): both roles, and what is said when it fails.

#[path = "../support/memory.rs"]
mod memory;

mod client;
mod eof;
mod errors;
mod half_open;
mod head;
mod injection;
mod limits;
mod replies;
mod rules;
mod server;
mod splits;
mod support;
mod time;
mod url;
