//! Frames (RFC 6455 sections 5.1 to 5.3 and 5.7): what is on the wire, both ways.

#[path = "../support/mod.rs"]
mod support;

mod header;
mod masking;
mod vectors;
