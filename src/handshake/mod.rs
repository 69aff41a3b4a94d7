//! The opening handshake (RFC 6455 section 4), both roles.
//!
//! `head` collects a head from pieces of any size. `usual` finds the parts of one as nearly everybody writes it, `parse` those of
//! all others, and `fields` gives access to them. `request` and `response` check what the peer sent, with `target`, `key` and
//! `characters` for the parts that have rules of their own; a request that breaks one is `refused`. `server` and
//! `client`, which sends a `client_request`, are the two state machines; `progress` is what they count. `decision`, `reject`,
//! `origin` and `plain` are the application's answers to a request and `reply` writes them; `farewell` makes sure that they
//! arrive.
//!
//! What went wrong is a `kind`, with words for it in `excerpt`, `grammar`, `status`, `text`, `advice` and `report`. Who the
//! peer is, is a `peer`: by its HTTP in `appearance`, by the first bytes of other protocols in `recognize`, `tls` and
//! `foreign`. Both together make a `severity`, and all of it an `error`; `body` adds what a refusing server says.

mod advice;
mod appearance;
mod body;
mod characters;
mod client;
mod client_request;
mod decision;
mod error;
mod excerpt;
mod extensions;
mod farewell;
mod fields;
mod foreign;
mod grammar;
mod head;
mod key;
mod kind;
mod origin;
mod parse;
mod peer;
mod plain;
mod progress;
mod recognize;
mod refused;
mod reject;
mod reply;
mod report;
mod request;
mod response;
mod server;
mod severity;
mod status;
mod target;
mod text;
mod tls;
mod usual;

pub(crate) use body::Body;
pub use client::{ClientHandshake, ClientStep};
pub use client_request::ClientRequest;
pub use decision::{Accept, AcceptError, AcceptRefused};
pub use error::{HandshakeError, Phase};
pub use excerpt::Excerpt;
pub use farewell::Farewell;
pub(crate) use fields::push_line;
pub use fields::{InvalidField, InvalidSubprotocol};
pub use grammar::{BadTarget, Malformed};
pub(crate) use head::Collector;
pub use kind::HandshakeErrorKind;
pub use origin::{InvalidOrigin, Origins};
pub(crate) use parse::HeadKind;
pub use peer::Peer;
pub use plain::{Answer, PlainRequest};
pub use reject::Reject;
#[cfg(feature = "http")]
pub(crate) use reply::{FinalReply, TEXT};
pub use request::Request;
pub use response::Response;
pub(crate) use response::delay;
pub use server::{PendingRequest, ServerHandshake, ServerStep};
pub use severity::Severity;
pub(crate) use text::Elapsed;
pub use tls::ClientHello;
