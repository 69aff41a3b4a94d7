//! A failed opening handshake explains itself: what it was, how serious, who the peer is, what it was told.

#[path = "../support/memory.rs"]
mod memory;

mod body;
mod cases;
mod limits;
mod mutations;
mod origins;
mod peers;
mod plain;
mod rejects;
mod reports;
mod run;
mod table;
