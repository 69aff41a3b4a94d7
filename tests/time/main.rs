//! Time limits: keepalive, idle, message and close. Time is an input, so nothing here sleeps.

#[path = "../support/mod.rs"]
mod support;

mod clock;
mod close;
mod contract;
mod idle;
mod keepalive;
mod message;
