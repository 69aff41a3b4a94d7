//! Compression (RFC 7692): what is agreed on, what is on the wire, and what a peer can do with it.

#[path = "../support/memory.rs"]
mod memory;
#[path = "../support/mod.rs"]
mod support;

mod agreement;
mod bits;
mod blocks;
mod bombs;
mod idle;
mod limits;
mod naive;
mod prepared;
mod receiving;
mod round_trip;
mod sending;
mod splits;
mod vectors;
mod with_deflate;
mod words;
