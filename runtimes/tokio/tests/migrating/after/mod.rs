//! The programs after one `use` was changed.

pub(crate) mod chat_server;
pub(crate) mod client;
pub(crate) mod echo_server;
