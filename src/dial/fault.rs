//! What an adapter met in one of its steps: the kind of fault, which decides what to do, and the words of the layer below.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt::{self, Write as _};

use thiserror::Error;

/// Why a step that an adapter took for [`Dial`](crate::Dial) failed: what kind of fault it was, and what the operating system
/// or the library below says about it.
///
/// ```
/// use sansocket::{ConnectFault, StepError};
///
/// let error = StepError::new(ConnectFault::Refused, "Connection refused (os error 111)");
/// assert_eq!(error.fault(), ConnectFault::Refused);
/// assert_eq!(error.to_string(), "refused the connection: Connection refused (os error 111)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepError<F> {
    fault: F,
    text: Box<str>,
}

impl<F: Copy> StepError<F> {
    /// A fault in the words of the layer below, of which up to 256 characters are kept. Control characters are escaped: such
    /// texts may quote what a peer sent.
    #[must_use]
    pub fn new(fault: F, text: impl fmt::Display) -> Self {
        let mut out = OneLine::default();
        // It ends early when enough has been written, which is no fault.
        let _ = write!(out, "{text}");
        Self { fault, text: out.text.into() }
    }

    /// What kind of fault it was.
    #[must_use]
    pub fn fault(&self) -> F {
        self.fault
    }

    /// The words of the layer below; they may be empty.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl<F: fmt::Display> fmt::Display for StepError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fault)?;
        if self.text.is_empty() { Ok(()) } else { write!(f, ": {}", self.text) }
    }
}

impl<F: fmt::Display + fmt::Debug> core::error::Error for StepError<F> {}

/// Why the addresses of a host were not found. `Display` is the rest of a sentence about the resolver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum ResolveFault {
    /// There is no such name.
    #[error("there is no such name")]
    NotFound,
    /// The name servers did not answer or have a problem of their own.
    #[error("the name servers gave no answer")]
    Temporary,
    /// Anything else.
    #[error("the resolver failed")]
    Other,
}

impl ResolveFault {
    /// A short name that does not change: `dns-not-found`, `dns-temporary` or `dns-failed`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "dns-not-found",
            Self::Temporary => "dns-temporary",
            Self::Other => "dns-failed",
        }
    }
}

/// Why TCP could not be connected to an address. `Display` is the rest of a sentence about the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum ConnectFault {
    /// Nobody listens there, or a firewall says so.
    #[error("refused the connection")]
    Refused,
    /// There is no route to this host or network.
    #[error("is unreachable")]
    Unreachable,
    /// The peer, or something in between, cut the connection off.
    #[error("reset the connection")]
    Reset,
    /// The operating system gave up.
    #[error("did not answer until the operating system gave up")]
    TimedOut,
    /// The operating system or its firewall does not permit it.
    #[error("must not be connected to, says the operating system")]
    NotPermitted,
    /// This machine has no address or no port left to connect from.
    #[error("cannot be connected to from any address of this machine")]
    AddressNotAvailable,
    /// Anything else.
    #[error("could not be connected to")]
    Other,
}

impl ConnectFault {
    /// A short name that does not change: `refused`, `unreachable`, `reset`, `connect-timeout`, `not-permitted`,
    /// `address-not-available` or `connect-failed`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Reset => "reset",
            Self::TimedOut => "connect-timeout",
            Self::NotPermitted => "not-permitted",
            Self::AddressNotAvailable => "address-not-available",
            Self::Other => "connect-failed",
        }
    }
}

/// Why TLS was not established, as an adapter sorts the errors of its TLS library. `Display` is a sentence of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum TlsFault {
    /// No authority that this end trusts has signed the certificate.
    #[error("the certificate is not signed by an authority that is trusted here")]
    UntrustedIssuer,
    /// The certificate, or one that signed it, has expired.
    #[error("the certificate has expired")]
    Expired,
    /// The certificate, or one that signed it, is not valid yet.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// The certificate is for other names.
    #[error("the certificate is for another name")]
    WrongName,
    /// The certificate was revoked.
    #[error("the certificate was revoked")]
    Revoked,
    /// Another fault of the certificate: malformed, a wrong signature, not meant for servers.
    #[error("the certificate is not acceptable")]
    BadCertificate,
    /// The server wants a certificate of the client, or does not accept the one that it was sent.
    #[error("the server wants another certificate of this client")]
    ClientCertificate,
    /// What came is not TLS, such as an answer in plain HTTP.
    #[error("the server does not speak TLS on this port")]
    NotTls,
    /// Both ends have no version of TLS in common.
    #[error("the server speaks no version of TLS that this end speaks")]
    Version,
    /// The server refused: nothing in common, or a name that it does not know.
    #[error("the server refused the handshake of TLS")]
    Refused,
    /// The stream ended inside the handshake of TLS, without `close_notify`.
    #[error("the server closed TCP inside the handshake of TLS")]
    Closed,
    /// Reading or writing failed.
    #[error("the connection failed inside the handshake of TLS")]
    TransportFailed,
    /// The URL says `wss`, and this adapter was built or set up without TLS. Nothing goes out in plain text instead.
    #[error("wss needs TLS, which this client does not have")]
    Unavailable,
    /// Anything else.
    #[error("TLS failed")]
    Other,
}

impl TlsFault {
    /// A short name that does not change, such as `tls-untrusted-issuer`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UntrustedIssuer => "tls-untrusted-issuer",
            Self::Expired => "tls-expired",
            Self::NotYetValid => "tls-not-yet-valid",
            Self::WrongName => "tls-wrong-name",
            Self::Revoked => "tls-revoked",
            Self::BadCertificate => "tls-bad-certificate",
            Self::ClientCertificate => "tls-client-certificate",
            Self::NotTls => "tls-not-tls",
            Self::Version => "tls-version",
            Self::Refused => "tls-refused",
            Self::Closed => "tls-closed",
            Self::TransportFailed => "tls-transport-failed",
            Self::Unavailable => "tls-unavailable",
            Self::Other => "tls-failed",
        }
    }
}

#[cfg(feature = "std")]
impl From<&std::io::Error> for StepError<ConnectFault> {
    fn from(error: &std::io::Error) -> Self {
        use std::io::ErrorKind;

        let fault = match error.kind() {
            ErrorKind::ConnectionRefused => ConnectFault::Refused,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
                ConnectFault::Unreachable
            }
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => ConnectFault::Reset,
            ErrorKind::TimedOut => ConnectFault::TimedOut,
            ErrorKind::PermissionDenied => ConnectFault::NotPermitted,
            ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse => ConnectFault::AddressNotAvailable,
            _ => ConnectFault::Other,
        };
        Self::new(fault, error)
    }
}

#[cfg(feature = "std")]
impl From<&std::io::Error> for StepError<ResolveFault> {
    /// The standard library has no kinds for a resolver's errors, so that it is the text which is looked at.
    fn from(error: &std::io::Error) -> Self {
        use alloc::string::ToString as _;
        use std::io::ErrorKind;

        let text = error.to_string();
        let says = |any: &[&str]| any.iter().any(|part| text.contains(part));
        let fault = match error.kind() {
            ErrorKind::NotFound => ResolveFault::NotFound,
            ErrorKind::TimedOut => ResolveFault::Temporary,
            _ if says(&NOT_FOUND) => ResolveFault::NotFound,
            _ if says(&TEMPORARY) => ResolveFault::Temporary,
            _ => ResolveFault::Other,
        };
        Self::new(fault, text)
    }
}

/// How glibc, musl, the BSDs with macOS, and Windows say that there is no such name.
#[cfg(feature = "std")]
const NOT_FOUND: [&str; 6] = [
    "Name or service not known",
    "No address associated with hostname",
    "Name does not resolve",
    "nodename nor servname provided",
    "Name has no usable address",
    "No such host is known",
];

/// How they say that it may be otherwise later.
#[cfg(feature = "std")]
const TEMPORARY: [&str; 3] =
    ["Temporary failure in name resolution", "Try again", "a temporary error during hostname resolution"];

/// Text without control characters, and not too much of it.
#[derive(Default)]
struct OneLine {
    text: String,
    characters: usize,
}

impl fmt::Write for OneLine {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.characters == MAX_TEXT {
                return Err(fmt::Error);
            }
            self.characters += 1;
            match character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
                true => self.text.extend(character.escape_default()),
                false => self.text.push(character),
            }
        }
        Ok(())
    }
}

/// Characters that are kept of what a layer below says.
const MAX_TEXT: usize = 256;
