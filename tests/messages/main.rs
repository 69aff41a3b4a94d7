//! Messages (RFC 6455 sections 5.4, 5.6, 6 and 8.1): fragments, text, and what the application gets and gives.

#[path = "../support/mod.rs"]
mod support;

mod chunks;
mod fragments;
mod payload_buffer;
mod reading;
mod sending;
mod split;
mod text;
