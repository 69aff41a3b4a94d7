//! sansocket
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod closed;
mod config;
mod connection;
mod entropy;
mod error;
mod event;
mod frame;
mod message;
mod role;
mod time;
mod utf8;

pub use closed::{Closed, Counts};
pub use config::{ClientConfig, Delivery, Limits, ServerConfig, Timeouts};
pub use connection::{Connection, Progress, Reader, Receiver, Sender, State, Transmit};
pub use entropy::Entropy;
pub use error::{Cause, Failure, LimitExceeded, Position, SendError, SendRefused, TransportError, Violation};
pub use event::{Chunk, Event};
pub use frame::{CloseCode, CloseFrame, InvalidCloseFrame};
pub use message::{Message, MessageKind};
pub use role::Role;
pub use time::Instant;
