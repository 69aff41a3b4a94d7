//! A failed opening handshake explains itself: what it was, how serious, who the peer is, what it was told.

#[path = "../support/memory.rs"]
mod memory;

mod body;
mod cases;
mod documented;
mod limits;
mod mutations;
mod old_complaint;
mod origins;
mod page;
mod peers;
mod plain;
mod python;
mod rejects;
mod reports;
mod run;
mod table;
