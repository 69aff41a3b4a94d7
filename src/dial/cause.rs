//! Why a step on the way to a server failed.

use core::time::Duration;

use crate::dial::fault::{ConnectFault, ResolveFault, StepError, TlsFault};
use crate::dial::proxy::ProxyError;
use crate::dial::redirect::RedirectError;
use crate::dial::step::DialStepKind;
use crate::handshake::HandshakeError;

/// Why a step on the way to a server failed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum DialCause {
    /// The resolver found nothing.
    Resolve(StepError<ResolveFault>),
    /// The resolver found no address of the families that are wanted
    /// ([`DialConfig::addresses`](crate::DialConfig::addresses)).
    NoAddress,
    /// TCP was not connected.
    Connect(StepError<ConnectFault>),
    /// The proxy did not connect to the server.
    Proxy(ProxyError),
    /// TLS was not established.
    Tls(StepError<TlsFault>),
    /// The opening handshake failed.
    Handshake(HandshakeError),
    /// The server redirects, and that was not followed.
    Redirect(RedirectError),
    /// No address was found within [`DialTimeouts::resolve`](crate::DialTimeouts::resolve).
    ResolveTimedOut {
        /// The time limit.
        limit: Duration,
    },
    /// An address did not answer within [`DialTimeouts::address`](crate::DialTimeouts::address).
    ConnectTimedOut {
        /// The time limit.
        limit: Duration,
    },
    /// TLS was not established within [`DialTimeouts::tls`](crate::DialTimeouts::tls).
    TlsTimedOut {
        /// The time limit.
        limit: Duration,
    },
    /// All of it took too long ([`Timeouts::connect`](crate::Timeouts::connect)), in this step.
    OverallTimedOut {
        /// The step.
        step: DialStepKind,
        /// The time limit.
        limit: Duration,
    },
}

impl DialCause {
    /// Every [code](Self::code) but those of failed handshakes, in the order of the steps.
    pub const CODES: &'static [&'static str] = &[
        "dns-not-found",
        "dns-temporary",
        "dns-failed",
        "dns-no-address",
        "dns-timeout",
        "refused",
        "unreachable",
        "reset",
        "connect-timeout",
        "not-permitted",
        "address-not-available",
        "connect-failed",
        "proxy-auth",
        "proxy-refused",
        "proxy-closed",
        "proxy-timeout",
        "proxy-transport-failed",
        "proxy-not-http",
        "proxy-malformed-head",
        "proxy-head-too-large",
        "proxy-not-socks5",
        "proxy-malformed",
        "proxy-host-too-long",
        "tls-untrusted-issuer",
        "tls-expired",
        "tls-not-yet-valid",
        "tls-wrong-name",
        "tls-revoked",
        "tls-bad-certificate",
        "tls-client-certificate",
        "tls-not-tls",
        "tls-version",
        "tls-refused",
        "tls-closed",
        "tls-transport-failed",
        "tls-unavailable",
        "tls-timeout",
        "tls-failed",
        "redirect-limit",
        "redirect-loop",
        "redirect-downgrade",
        "redirect-target",
        "overall-timeout",
    ];

    /// A short name that does not change, for metrics and searches, such as `refused` or `tls-expired`: one of
    /// [`CODES`](Self::CODES). `docs/connecting.md` in the repository has an entry for each.
    ///
    /// Of a failed handshake it is the [code of that](HandshakeError::code), such as `unexpected-status`: one of
    /// [`HandshakeErrorKind::CODES`](crate::HandshakeErrorKind::CODES). No two have one in common.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Resolve(error) => error.fault().code(),
            Self::NoAddress => "dns-no-address",
            Self::Connect(error) => error.fault().code(),
            Self::Proxy(error) => error.fault().code(),
            Self::Tls(error) => error.fault().code(),
            Self::Handshake(error) => error.code(),
            Self::Redirect(error) => error.fault().code(),
            Self::ResolveTimedOut { .. } => "dns-timeout",
            Self::ConnectTimedOut { .. } => "connect-timeout",
            Self::TlsTimedOut { .. } => "tls-timeout",
            Self::OverallTimedOut { .. } => "overall-timeout",
        }
    }

    /// How much it says about the server, to find the one of several causes that matters: a server that refuses is there,
    /// where no route or no answer says nothing about it.
    pub(crate) fn weight(&self) -> u8 {
        match self {
            Self::Connect(error) => match error.fault() {
                ConnectFault::Refused | ConnectFault::Reset => 3,
                ConnectFault::TimedOut => 2,
                ConnectFault::NotPermitted | ConnectFault::Other => 1,
                ConnectFault::Unreachable | ConnectFault::AddressNotAvailable => 0,
            },
            Self::ConnectTimedOut { .. } => 2,
            // It ended all of them.
            Self::OverallTimedOut { .. } => 4,
            _ => 0,
        }
    }

    /// The error of another layer that it is.
    pub(crate) fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Resolve(error) => Some(error),
            Self::Connect(error) => Some(error),
            Self::Proxy(error) => Some(error),
            Self::Tls(error) => Some(error),
            Self::Handshake(error) => Some(error),
            Self::Redirect(error) => Some(error),
            Self::NoAddress
            | Self::ResolveTimedOut { .. }
            | Self::ConnectTimedOut { .. }
            | Self::TlsTimedOut { .. }
            | Self::OverallTimedOut { .. } => None,
        }
    }
}
