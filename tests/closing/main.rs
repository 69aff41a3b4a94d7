//! The closing handshake and every other end (RFC 6455 section 7).

#[path = "../support/mod.rs"]
mod support;

mod causes;
mod codes;
mod early_end;
mod handshake;
mod report;
mod terminal;
