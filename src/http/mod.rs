//! The opening handshake in the types of the crate [http], for who has them from an HTTP server or gives them to an HTTP client.
//!
//! An HTTP server has read the request already, and wants to write the reply itself. The rules are the same all the same, because it
//! is the same code that judges: the request is written out as the head that it was, and read as one that came from a socket. What is
//! refused has the reply that it would have had there, field by field.
//!
//! ```
//! use http::{Request, StatusCode};
//! use sansocket::{Accept, Instant, ServerConfig, ServerHandshake, ServerStep};
//!
//! let request = Request::get("/chat")
//!     .header("Host", "example.com")
//!     .header("Upgrade", "websocket")
//!     .header("Connection", "Upgrade")
//!     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
//!     .header("Sec-WebSocket-Version", "13")
//!     .body(())?;
//! let now = Instant::ZERO;
//! let mut handshake = ServerHandshake::new(&ServerConfig::default(), now);
//! let ServerStep::Request(pending) = handshake.receive_http(&request, now)? else { panic!("it is no plain request") };
//! let (response, connection) = pending.accept_http(Accept::new(), now)?;
//! assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
//! assert_eq!(response.headers()["Sec-WebSocket-Accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
//! # drop(connection);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # HTTP/2
//!
//! A WebSocket is opened by HTTP/1.1 alone. Requests of HTTP/2 and later are refused with 505, and with the advice to use HTTP/1.1; so is
//! the extended CONNECT of [RFC 8441], which such a server must not offer (`SETTINGS_ENABLE_CONNECT_PROTOCOL`).
//!
//! [RFC 8441]: https://www.rfc-editor.org/rfc/rfc8441

mod client;
mod reply;
mod request;

pub use client::InvalidRequest;
pub use request::RequestHead;
