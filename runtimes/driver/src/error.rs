//! What can go wrong with a WebSocket in an adapter.

use std::io;

use sansocket::{AcceptRefused, Closed, HandshakeError, SendError, SendRefused, UrlError};
use thiserror::Error;

/// What went wrong. Each variant names the layer that it comes from.
///
/// `Display` is one line that stands alone in a log; what the operating system said is the [source](std::error::Error::source).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL is not one of a WebSocket.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// No byte stream could be had: the address was not found, nobody listens there, or that took too long.
    #[error("could not connect to {target}: {io}")]
    Connect {
        /// What was to be reached: `host:port`.
        target: Box<str>,
        /// What the operating system says.
        #[source]
        io: io::Error,
    },
    /// The URL's scheme is `wss`, which never goes out unencrypted.
    #[error(
        "wss://{target} needs TLS, which `connect` does not have: make a TLS stream and hand it to `client`"
    )]
    TlsUnavailable {
        /// What was to be reached: `host:port`.
        target: Box<str>,
    },
    /// The operating system has no random bytes, and without them no client may speak (RFC 6455 section 5.3).
    #[error("no random bytes for masking-keys could be had: {0}")]
    Entropy(#[source] io::Error),
    /// The opening handshake failed.
    #[error("{error}{}", after_colon(io.as_ref()))]
    Handshake {
        /// What happened.
        error: HandshakeError,
        /// What the operating system says, if it was the transport that failed.
        #[source]
        io: Option<io::Error>,
    },
    /// A plain HTTP request came, and was answered with 404 because this function has no other answer.
    #[error("a plain HTTP request for {target} came, and only accept_or_answer can answer it")]
    PlainHttp {
        /// Its path and query.
        target: Box<str>,
    },
    /// This end's own answer does not fit the request. The client was told 500.
    #[error("the request could not be accepted: {0}")]
    Accept(#[from] AcceptRefused),
    /// The connection ended other than by a closing handshake.
    #[error("{closed}{}", after_colon(io.as_ref()))]
    Closed {
        /// How it ended.
        closed: Box<Closed>,
        /// What the operating system says, if it was the transport that failed.
        #[source]
        io: Option<io::Error>,
    },
    /// What was sent could not be written. How the connection ended is found by receiving: the peer may have said why.
    #[error("what was sent could not be written: {0}")]
    Lost(#[source] io::Error),
    /// A message was refused and is given back; the connection goes on.
    #[error(transparent)]
    Send(#[from] SendError),
    /// A control frame was refused; the connection goes on.
    #[error("the control frame was not sent: {0}")]
    Refused(#[from] SendRefused),
}

fn after_colon(io: Option<&io::Error>) -> String {
    io.map_or_else(String::new, |io| format!(": {io}"))
}
