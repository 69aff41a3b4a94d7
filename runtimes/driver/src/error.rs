//! What can go wrong with a WebSocket in an adapter.

use std::io;

use sansocket::{
    AcceptRefused, Cause, Closed, DialError, Failure, HandshakeError, SendError, SendRefused, UrlError,
};
use thiserror::Error;

#[cfg(feature = "tls")]
use crate::tls::TlsAcceptError;

/// What went wrong. Each variant names the layer that it comes from.
///
/// `Display` is one line that stands alone in a log; what the operating system said is the [source](std::error::Error::source).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL is not one of a WebSocket.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// There is no connection to the server: its address was not found, it did not answer, a proxy or TLS was in the way, or
    /// the opening handshake failed. It has all that was tried.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// A server has no TLS with a client. It has been logged.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    TlsAccept(#[from] TlsAcceptError),
    /// TLS cannot be begun with this configuration.
    #[cfg(feature = "tls")]
    #[error("TLS cannot be begun: {0}")]
    Tls(#[source] rustls::Error),
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
    #[error(
        "a plain HTTP request for {target} came and was answered with 404: this function opens WebSockets only"
    )]
    PlainHttp {
        /// Its path, without the query, which may hold secrets.
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

impl Error {
    /// The error of the opening handshake, if it is that which failed; on the way to a server too.
    #[must_use]
    pub fn handshake(&self) -> Option<&HandshakeError> {
        match self {
            Self::Handshake { error, .. } => Some(error),
            Self::Dial(error) => error.handshake(),
            _ => None,
        }
    }
}

/// With the error itself inside ([`io::Error::get_ref`]), and the kind of what the operating system said, if it said something.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Lost(io) | Error::Closed { io: Some(io), .. } => io.kind(),
            Error::Closed { closed, .. } => match closed.cause {
                Cause::Eof(_) => io::ErrorKind::UnexpectedEof,
                Cause::Failed(Failure::OutOfMemory { .. }) => io::ErrorKind::OutOfMemory,
                Cause::Failed(_) => io::ErrorKind::InvalidData,
                Cause::PongTimeout | Cause::IdleTimeout | Cause::MessageTimeout | Cause::CloseTimeout(_) => {
                    io::ErrorKind::TimedOut
                }
                _ => io::ErrorKind::ConnectionAborted,
            },
            Error::Refused(SendRefused::Closing) => io::ErrorKind::BrokenPipe,
            Error::Refused(SendRefused::InvalidUtf8 { .. }) => io::ErrorKind::InvalidData,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

fn after_colon(io: Option<&io::Error>) -> String {
    io.map_or_else(String::new, |io| format!(": {io}"))
}
