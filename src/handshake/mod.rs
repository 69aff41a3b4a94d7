//! The opening handshake (RFC 6455 section 4), both roles.
//!
//! `head` collects a head from pieces of any size and `parse` finds its parts, which `fields` gives access to. `request` and
//! `response` check what the peer sent, with `target` and `key` for the parts that have rules of their own. `server` and
//! `client` are the two state machines; `progress` is what they count. `decision` is the application's answer to a
//! request and `reply` writes it; `farewell` makes sure that it arrives. `kind`, `error` and `text` say what went wrong.

mod client;
mod decision;
mod error;
mod farewell;
mod fields;
mod head;
mod key;
mod kind;
mod parse;
mod progress;
mod reply;
mod request;
mod response;
mod server;
mod target;
mod text;

pub use client::{ClientHandshake, ClientRequest, ClientStep};
pub use decision::{Accept, AcceptError, AcceptRefused, Reject};
pub use error::{HandshakeError, Phase};
pub use farewell::Farewell;
pub use fields::{InvalidField, InvalidSubprotocol};
pub use kind::{BadTarget, Excerpt, HandshakeErrorKind, Malformed};
pub use request::Request;
pub use response::Response;
pub use server::{PendingRequest, ServerHandshake, ServerStep};
