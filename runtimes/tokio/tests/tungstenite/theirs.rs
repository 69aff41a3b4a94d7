//! The programs, on tokio-tungstenite.

pub(crate) use tokio_tungstenite as ws;

#[path = "programs.rs"]
#[expect(clippy::duplicate_mod, reason = "to compile the same text twice is the point")]
pub(crate) mod programs;
