//! Limits (RFC 6455 section 10.4): each below, at and above, and what a peer can make this endpoint hold.

#[path = "../support/memory.rs"]
mod memory;
#[path = "../support/mod.rs"]
mod support;

mod budget;
mod held;
mod received;
mod waiting;
