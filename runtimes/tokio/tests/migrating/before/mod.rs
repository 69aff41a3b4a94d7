//! The programs as they were.

pub(crate) mod chat_server;
pub(crate) mod client;
pub(crate) mod echo_server;
