//! The programs, on this library.

pub(crate) use sansocket_tokio::tungstenite as ws;

#[path = "programs.rs"]
pub(crate) mod programs;
