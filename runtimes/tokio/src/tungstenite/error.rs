//! Errors as tokio-tungstenite has them, and what they are about as this library has it.
//!
//! The rule: a program that matches on tungstenite's variants finds the variant that it would find there. Where tungstenite has none, it is
//! `Error::Io`, with this library's error inside. `docs/migrating.md` has the table.

use std::error::Error as StdError;
use std::sync::Arc;
use std::{fmt, io};

use ::tungstenite::error::{CapacityError, ProtocolError, SubProtocolError, UrlError};
use ::tungstenite::http::header::HeaderName;
use sansocket::{
    Cause, ConnectFault, DialCause, DialError, HandshakeError, HandshakeErrorKind as Kind, SendError,
    TlsFault, UrlError as OurUrlError,
};

use crate::Error;
use crate::tungstenite::WsError;
use crate::tungstenite::http;
use crate::tungstenite::sending::of_refused;

/// An error as tokio-tungstenite has it, and this library's own, which says what happened.
///
/// Made by [`accept_explained`](super::accept_explained) and [`connect_explained`](super::connect_explained), and of every [`Error`]. `?` makes the `error` of it in a
/// function that returns tungstenite's error. `Display` is this library's text where there is one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Explained {
    /// What a program of tokio-tungstenite gets.
    pub error: WsError,
    /// Only where the error itself has no room for it.
    kept: Option<Box<Error>>,
}

impl Explained {
    /// What happened, in full; `None` if it is the caller's own callback or argument that tungstenite itself refuses.
    #[must_use]
    pub fn diagnosis(&self) -> Option<&Error> {
        self.kept.as_deref().or_else(|| diagnosis(&self.error))
    }

    /// Of an error that tungstenite has a variant for; `error` is kept inside of it, if it has room, or beside.
    fn found(found: WsError, error: Error) -> Self {
        match found {
            WsError::Io(io) => Self::io(io.kind(), error),
            found => keep(found, error),
        }
    }

    fn io(kind: io::ErrorKind, error: Error) -> Self {
        WsError::Io(io::Error::new(kind, error)).into()
    }
}

impl From<WsError> for Explained {
    fn from(error: WsError) -> Self {
        Self { error, kept: None }
    }
}

impl From<Error> for Explained {
    /// What tungstenite has for an error of this library's own functions, for a program that moves on to them one function at a time.
    fn from(error: Error) -> Self {
        match error {
            Error::Url(url) => match url {
                OurUrlError::NoScheme | OurUrlError::Scheme => {
                    keep(WsError::Url(UrlError::UnsupportedUrlScheme), error)
                }
                OurUrlError::EmptyHost => keep(WsError::Url(UrlError::EmptyHostName), error),
                _ => Self::io(io::ErrorKind::InvalidInput, error),
            },
            Error::Dial(ref dial) => {
                if let Some(handshake) = dial.handshake() {
                    let found = of_handshake(handshake, None);
                    return found.explained(error);
                }
                match dial.cause() {
                    DialCause::Tls(step) if step.fault() == TlsFault::Unavailable => {
                        keep(WsError::Url(UrlError::TlsFeatureNotEnabled), error)
                    }
                    _ => Self::io(dial_kind(dial), error),
                }
            }
            Error::Handshake { error: ref handshake, ref io } => {
                let found = of_handshake(handshake, io.as_ref().map(io::Error::kind));
                found.explained(error)
            }
            Error::Accept(_) => keep(subprotocol(SubProtocolError::InvalidSubProtocol), error),
            Error::Closed { ref closed, io: None } => match closed.cause {
                Cause::Eof(_) => keep(WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake), error),
                Cause::Failed(failure) => Self::found(failure.into(), error),
                _ => WsError::Io(error.into()).into(),
            },
            Error::Send(SendError { ref message, reason }) => {
                Self::found(of_refused(reason, Some(message.clone().into())), error)
            }
            Error::Refused(reason) => Self::found(of_refused(reason, None), error),
            _ => WsError::Io(error.into()).into(),
        }
    }
}

impl From<Explained> for WsError {
    fn from(explained: Explained) -> Self {
        explained.error
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.diagnosis() {
            Some(diagnosis) => diagnosis.fmt(f),
            None => self.error.fmt(f),
        }
    }
}

impl StdError for Explained {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self.diagnosis() {
            Some(diagnosis) => diagnosis.source(),
            None => self.error.source(),
        }
    }
}

/// What this library says about an error of this module, where the error has room for it: `Error::Io` and `Error::Http`.
///
/// ```
/// use sansocket_tokio::tungstenite::{diagnosis, tungstenite::Error};
///
/// fn report(error: &Error) {
///     match diagnosis(error).and_then(|error| error.handshake()) {
///         Some(handshake) => eprintln!("{handshake}: {}", handshake.advice()),
///         None => eprintln!("{error}"),
///     }
/// }
/// ```
#[must_use]
pub fn diagnosis(error: &WsError) -> Option<&Error> {
    match error {
        WsError::Io(io) => io.get_ref()?.downcast_ref(),
        WsError::Http(response) => response.extensions().get::<Arc<Error>>().map(|error| &**error),
        _ => None,
    }
}

/// The refusal of a callback, which is what it returned.
pub(super) fn refused(mut response: http::ErrorResponse, error: Error) -> Explained {
    response.extensions_mut().insert(Arc::new(error));
    let response = response.map(|body| body.map(String::into_bytes));
    WsError::Http(Box::new(response)).into()
}

fn keep(found: WsError, error: Error) -> Explained {
    Explained { error: found, kept: Some(Box::new(error)) }
}

/// What tungstenite has for a failed handshake.
enum Found {
    /// A variant of its own, which has no room for ours.
    Variant(WsError),
    /// The server's answer.
    Http(Box<http::ClientResponse>),
    /// Nothing.
    Io(io::ErrorKind),
}

impl Found {
    fn explained(self, error: Error) -> Explained {
        match self {
            Self::Variant(found) => keep(found, error),
            Self::Http(mut response) => {
                response.extensions_mut().insert(Arc::new(error));
                WsError::Http(response).into()
            }
            Self::Io(kind) => Explained::io(kind, error),
        }
    }
}

fn of_handshake(error: &HandshakeError, io: Option<io::ErrorKind>) -> Found {
    if let Some(response) = error.response().filter(|response| response.status() != 101) {
        if let Ok(response) = http::client_response(response, Some(error.body().to_vec())) {
            return Found::Http(Box::new(response));
        }
    }
    let broken = match error.kind() {
        Kind::ClosedBeforeFirstByte | Kind::ClosedInsideHead | Kind::ClosedBeforeReply => {
            ProtocolError::HandshakeIncomplete
        }
        Kind::TransportFailed(_) => return Found::Io(io.unwrap_or(io::ErrorKind::Other)),
        Kind::TimedOut { .. } => return Found::Io(io::ErrorKind::TimedOut),
        Kind::TooManyFields { .. } => {
            return Found::Variant(WsError::Capacity(CapacityError::TooManyHeaders));
        }
        // Which of httparse's errors it would be there depends on where the first wrong byte is; this is the usual one.
        Kind::NotHttp | Kind::MalformedHead { .. } => ProtocolError::HttparseError(httparse::Error::Token),
        Kind::HttpVersion { .. } => ProtocolError::WrongHttpVersion,
        Kind::MethodNotGet { .. } => ProtocolError::WrongHttpMethod,
        // What tungstenite looks at first is missing too.
        Kind::PlainRequest { .. } | Kind::MissingConnection | Kind::ConnectionNotUpgrade { .. } => {
            ProtocolError::MissingConnectionUpgradeHeader
        }
        Kind::MissingUpgrade | Kind::UpgradeNotWebSocket { .. } => {
            ProtocolError::MissingUpgradeWebSocketHeader
        }
        Kind::MissingVersion | Kind::UnsupportedVersion { .. } => {
            ProtocolError::MissingSecWebSocketVersionHeader
        }
        Kind::MissingKey => ProtocolError::MissingSecWebSocketKey,
        Kind::BadKey { .. } => ProtocolError::InvalidSecWebSocketKey,
        Kind::MissingAccept | Kind::AcceptMismatch { .. } => ProtocolError::SecWebSocketAcceptKeyMismatch,
        Kind::DuplicateField { name } => match HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) => ProtocolError::InvalidHeader(Box::new(name)),
            Err(_) => return Found::Io(io::ErrorKind::InvalidData),
        },
        Kind::UnsolicitedSubprotocol { .. } | Kind::SeveralSubprotocols { .. } => {
            return Found::Variant(subprotocol(SubProtocolError::InvalidSubProtocol));
        }
        _ => return Found::Io(io::ErrorKind::InvalidData),
    };
    Found::Variant(WsError::Protocol(broken))
}

pub(super) fn subprotocol(error: SubProtocolError) -> WsError {
    WsError::Protocol(ProtocolError::SecWebSocketSubProtocolError(error))
}

/// The kind that the operating system's own error has, or would have.
fn dial_kind(dial: &DialError) -> io::ErrorKind {
    match dial.cause() {
        DialCause::Connect(step) => match step.fault() {
            ConnectFault::Refused => io::ErrorKind::ConnectionRefused,
            ConnectFault::Unreachable => io::ErrorKind::HostUnreachable,
            ConnectFault::Reset => io::ErrorKind::ConnectionReset,
            ConnectFault::TimedOut => io::ErrorKind::TimedOut,
            ConnectFault::NotPermitted => io::ErrorKind::PermissionDenied,
            ConnectFault::AddressNotAvailable => io::ErrorKind::AddrNotAvailable,
            _ => io::ErrorKind::Other,
        },
        DialCause::Tls(step) => tls_kind(step.fault()),
        DialCause::NoAddress => io::ErrorKind::NotFound,
        DialCause::ResolveTimedOut { .. }
        | DialCause::ConnectTimedOut { .. }
        | DialCause::TlsTimedOut { .. }
        | DialCause::OverallTimedOut { .. } => io::ErrorKind::TimedOut,
        _ => io::ErrorKind::Other,
    }
}

pub(super) fn tls_kind(fault: TlsFault) -> io::ErrorKind {
    match fault {
        TlsFault::Closed => io::ErrorKind::UnexpectedEof,
        TlsFault::TransportFailed => io::ErrorKind::ConnectionReset,
        // As rustls' own errors have it.
        _ => io::ErrorKind::InvalidData,
    }
}
