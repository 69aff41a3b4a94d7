//! A WebSocket ([RFC 6455]) as a pure state machine: bytes, commands, end-of-file and time go in; events, bytes to send and
//! one deadline come out.
//!
//! This crate opens no socket, reads no clock and draws no randomness. It is for those who write an adapter, a proxy, a
//! simulation or firmware. To use a WebSocket in an application, take one of the adapters on top of it:
//! [`sansocket-tokio`], [`sansocket-async-std`], [`sansocket-smol`], [`sansocket-blocking`].
//!
//! ```text
//!  bytes ─► ServerHandshake | ClientHandshake ─► Connection ─► Event
//!           (request, decision, reply)           ▲    │
//!                         commands: send, close ─┘    └─► transmit(): bytes to write, deadline(): when to call timeout()
//! ```
//!
//! # How to drive it
//!
//! **After every input or command, write what `transmit` gives and heed `deadline`.**
//!
//! 1. A server makes a [`ServerHandshake`] for each stream, a client a [`ClientHandshake`]. Bytes that come are handed to
//!    `receive`, which takes what it needs and says what to do next.
//! 2. The handshake ends in a [`Connection`], or in a [`HandshakeError`] with the complete HTTP reply to send.
//! 3. Bytes that come are handed to [`Connection::read`], and events taken until there are none. [`Connection::eof`],
//!    [`Connection::timeout`] and [`Connection::transport_failed`] are the other inputs.
//! 4. After each of these, the bytes of [`Connection::transmit`] are written.
//! 5. The last event is [`Event::Closed`]. It says how the connection ended.
//!
//! ```
//! use bytes::{Buf, BytesMut};
//! use sansocket::{
//!     Accept, ClientConfig, ClientHandshake, ClientRequest, ClientStep, Entropy, Event, Instant, ServerConfig,
//!     ServerHandshake, ServerStep,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = Instant::ZERO;
//! // In place of a network: what one end wants to write becomes the other's input.
//! let mut to_server = BytesMut::new();
//! let mut to_client = BytesMut::new();
//!
//! let request = ClientRequest::new("ws://example.com/chat")?;
//! // A real client takes its seed from the operating system.
//! let entropy = Entropy::from_seed([7; 32]);
//! let mut client = ClientHandshake::new(&request, &ClientConfig::default(), entropy, now);
//! to_server.extend_from_slice(client.transmit());
//!
//! let mut server = ServerHandshake::new(&ServerConfig::default(), now);
//! let ServerStep::Request(pending) = server.receive(&mut to_server, now)? else { panic!("the request is whole") };
//! assert_eq!(pending.request().target(), "/chat");
//! let mut server = pending.accept(Accept::new(), now)?;
//! to_client.extend_from_slice(server.transmit().chunk());
//! let written = to_client.len();
//! server.transmit().advance(written);
//!
//! let ClientStep::Open(mut client, _response) = client.receive(&mut to_client, now)? else { panic!("so is the reply") };
//! client.send("hello")?;
//! to_server.extend_from_slice(client.transmit().chunk());
//!
//! let mut reader = server.read(&mut to_server);
//! assert_eq!(reader.next(), Some(Event::Text("hello".into())));
//! assert_eq!(reader.next(), None);
//! # Ok(())
//! # }
//! ```
//!
//! How a client gets to its server (addresses, proxies, TLS, redirects, and the time that each of them may take) is a state machine
//! too, before the handshake: [`Dial`].
//!
//! Who may connect to a server, and how it ends, is one as well: [`Admission`]. So is a client that connects again, and what becomes of its messages
//! meanwhile: [`Session`].
//!
//! # Features
//!
//! - `std` (default): lets dependencies choose CPU instructions at run time, and output be written with vectored writes.
//!   Without it the crate needs `alloc` only.
//! - `deflate`: compression of messages (permessage-deflate, [RFC 7692]), with `DeflateConfig`. Needs `std`, as the library behind it
//!   takes its memory from there.
//! - `simd` (default): masks with the widest vectors that the processor has. Needs Rust 1.89.
//! - `idn`: international domain names in URLs (`wss://münchen.example`). Without it they are given in their ASCII form.
//! - `http`: the server's handshake in the types of the crate of that name, for HTTP servers that have read the request already; see the
//!   module `http`. Needs `std`, as that crate does.
//! - `serde_json`: messages from and to JSON, with `Message::from_json` and `Message::json`.
//! - `tungstenite`: conversions from and to the types of the crate of that name, listed in the module `tungstenite`. Needs `std`. No public item but
//!   those conversions depends on it.
//!
//! [RFC 6455]: https://www.rfc-editor.org/rfc/rfc6455
//! [RFC 7692]: https://www.rfc-editor.org/rfc/rfc7692
//! [`sansocket-tokio`]: https://docs.rs/sansocket-tokio
//! [`sansocket-async-std`]: https://docs.rs/sansocket-async-std
//! [`sansocket-smol`]: https://docs.rs/sansocket-smol
//! [`sansocket-blocking`]: https://docs.rs/sansocket-blocking

#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]
#![forbid(unsafe_code)]
// What a peer sends must never panic.
#![warn(clippy::unwrap_used, clippy::panic)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod admission;
mod closed;
mod config;
mod connection;
mod dial;
mod entropy;
mod error;
mod event;
mod extension;
mod frame;
mod handshake;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "serde_json")]
pub mod json;
mod message;
mod role;
mod session;
mod time;
#[cfg(feature = "tungstenite")]
pub mod tungstenite;
mod url;
mod utf8;

pub use admission::{
    AddressGroup, Admission, AdmissionCounts, AdmissionLimits, Departure, DrainReport, Refusal, Refusals,
    Ticket,
};
pub use closed::{Closed, Counts};
pub use config::{ClientConfig, Delivery, Limits, ServerConfig, Timeouts};
pub use connection::{Connection, Prepared, Progress, Reader, Receiver, Sender, State, Transmit};
pub use dial::{
    Addresses, AttemptId, ConnectFault, Dial, DialAttempt, DialCause, DialConfig, DialError, DialStep,
    DialStepKind, DialTimeouts, Dialed, Family, InvalidProxy, InvalidProxyVariable, Protocol, Proxies, Proxy,
    ProxyError, ProxyFault, ProxyHandshake, ProxyKind, ProxyStep, RedirectError, RedirectFault, ResolveFault,
    SocksReply, StepError, TcpKeepalive, TcpOptions, Timings, TlsFault, TlsParams,
};
pub use entropy::Entropy;
pub use error::{Cause, Failure, LimitExceeded, Position, SendError, SendRefused, TransportError, Violation};
pub use event::{Chunk, Event};
pub use extension::ExtensionFault;
#[cfg(feature = "deflate")]
pub use extension::{DeflateConfig, DeflateParams};
pub use frame::{CloseCode, CloseFrame, InvalidCloseFrame};
pub use handshake::{
    Accept, AcceptError, AcceptRefused, Answer, BadTarget, ClientHandshake, ClientHello, ClientRequest,
    ClientStep, Excerpt, Farewell, HandshakeError, HandshakeErrorKind, InvalidField, InvalidOrigin,
    InvalidSubprotocol, Malformed, Origins, Peer, PendingRequest, Phase, PlainRequest, Reject, Request,
    Response, ServerHandshake, ServerStep, Severity,
};
pub use message::{Message, MessageKind};
pub use role::Role;
pub use session::{
    Connected, ConnectedInfo, DialFailed, DialRequest, Disconnected, GaveUp, GaveUpReason, MessageNumbers,
    Pace, ProtocolSelection, QueueLimit, QueuePolicy, Reconnected, Reconnecting, RetryRules, ServerSetback,
    Session, SessionAttempt, SessionAttempts, SessionClosed, SessionConfig, SessionEvent, SessionRefused,
    SessionSendError, SessionState, SessionStats, SessionStep, Setback, Verdict,
};
pub use time::Instant;
pub use url::{Url, UrlError};
