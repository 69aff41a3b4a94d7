//! What went wrong with a proxy: its own trouble, or what it says about the server.

use alloc::boxed::Box;
use core::fmt;
use core::time::Duration;

use crate::dial::proxy::address::ProxyKind;
use crate::error::TransportError;
use crate::handshake::{Elapsed, Excerpt, HandshakeErrorKind, Malformed, Peer};

/// Why a proxy did not connect to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyError {
    inner: Box<Inner>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    kind: ProxyKind,
    fault: ProxyFault,
    bytes: u64,
    elapsed: Duration,
    body: Box<[u8]>,
}

impl ProxyError {
    pub(crate) fn new(
        kind: ProxyKind,
        fault: ProxyFault,
        bytes: u64,
        elapsed: Duration,
        body: Box<[u8]>,
    ) -> Self {
        Self { inner: Box::new(Inner { kind, fault, bytes, elapsed, body }) }
    }

    /// What went wrong.
    #[must_use]
    pub fn fault(&self) -> &ProxyFault {
        &self.inner.fault
    }

    /// What the proxy should have spoken.
    #[must_use]
    pub fn kind(&self) -> ProxyKind {
        self.inner.kind
    }

    /// Bytes of the proxy up to the one that settled it.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.inner.bytes
    }

    /// Time from the first byte that was to be sent to the failure.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.inner.elapsed
    }

    /// The first bytes of the body of an HTTP answer that refuses, at most
    /// [`Limits::error_body`](crate::Limits::error_body).
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.inner.body
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (", self.fault())?;
        self.write_circumstances(f)?;
        f.write_str(")")
    }
}

impl ProxyError {
    /// What `Display` has in brackets.
    pub(crate) fn write_circumstances(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { bytes, elapsed, body, .. } = &*self.inner;
        write!(f, "after {bytes} bytes and {}", Elapsed(*elapsed))?;
        if !body.is_empty() {
            let shown = body.get(..SHOWN_BODY).unwrap_or(body);
            let more = if shown.len() < body.len() { "..." } else { "" };
            write!(f, ", body \"{}\"{more}", shown.escape_ascii())?;
        }
        Ok(())
    }
}

impl core::error::Error for ProxyError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.inner.fault {
            ProxyFault::TransportFailed(error) => Some(error),
            _ => None,
        }
    }
}

/// What went wrong with a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyFault {
    /// It closed TCP before it had answered.
    Closed,
    /// Reading or writing failed.
    TransportFailed(TransportError),
    /// It did not answer in time: [`DialTimeouts::proxy`](crate::DialTimeouts::proxy), or what was left of
    /// [`Timeouts::connect`](crate::Timeouts::connect).
    TimedOut {
        /// The time limit.
        limit: Duration,
    },

    // HTTP CONNECT.
    /// It does not speak HTTP/1.
    NotHttp {
        /// What it appears to be.
        peer: Peer,
    },
    /// A line of its answer breaks the grammar of RFC 9112.
    MalformedHead {
        /// Which rule.
        what: Malformed,
        /// The number of the line; the status line has number 1.
        line: u32,
        /// The line.
        seen: Excerpt,
    },
    /// Its answer goes over [`Limits::head_bytes`](crate::Limits::head_bytes) or
    /// [`Limits::head_fields`](crate::Limits::head_fields).
    HeadTooLarge {
        /// Bytes or fields allowed.
        limit: usize,
    },
    /// It answered with 407, or with 401: it wants credentials, or others.
    AuthenticationRequired {
        /// The status.
        status: u16,
        /// The value of the first `Proxy-Authenticate`, or else `WWW-Authenticate`, at most 64 bytes of it.
        challenge: Option<Excerpt>,
        /// Whether it was sent any.
        sent: bool,
    },
    /// It answered with a status that is none of 2xx, 401 and 407.
    Refused {
        /// The status.
        status: u16,
    },

    // SOCKS5.
    /// It does not speak SOCKS5: its answer has this in place of the version.
    NotSocks5 {
        /// The first byte of the answer, which is 5 in SOCKS5.
        version: u8,
    },
    /// It accepts none of the methods of authentication that were offered.
    NoMethod {
        /// Whether user name and password were among them.
        sent: bool,
    },
    /// It chose a method of authentication that was not offered.
    UnofferedMethod {
        /// The method.
        method: u8,
    },
    /// It did not accept user name and password (RFC 1929 section 2).
    CredentialsRefused,
    /// It could not, or did not want to, connect to the server (RFC 1928 section 6).
    Reply(SocksReply),
    /// Its answer has an address of a type that RFC 1928 section 5 does not have.
    AddressType {
        /// The type.
        byte: u8,
    },
    /// The server's name is too long for SOCKS5.
    HostTooLong {
        /// Bytes in the name; 255 are possible.
        len: usize,
    },
}

impl ProxyFault {
    /// A short name that does not change, such as `proxy-auth`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Closed => "proxy-closed",
            Self::TransportFailed(_) => "proxy-transport-failed",
            Self::TimedOut { .. } => "proxy-timeout",
            Self::NotHttp { .. } => "proxy-not-http",
            Self::MalformedHead { .. } => "proxy-malformed-head",
            Self::HeadTooLarge { .. } => "proxy-head-too-large",
            Self::AuthenticationRequired { .. } | Self::NoMethod { .. } | Self::CredentialsRefused => {
                "proxy-auth"
            }
            Self::Refused { .. } | Self::Reply(_) => "proxy-refused",
            Self::NotSocks5 { .. } => "proxy-not-socks5",
            Self::UnofferedMethod { .. } | Self::AddressType { .. } => "proxy-malformed",
            Self::HostTooLong { .. } => "proxy-host-too-long",
        }
    }

    /// What a head that was collected as one of HTTP came to.
    pub(crate) fn of_head(kind: HandshakeErrorKind, peer: Peer) -> Self {
        match kind {
            HandshakeErrorKind::MalformedHead { what, line, seen } => {
                Self::MalformedHead { what, line, seen }
            }
            HandshakeErrorKind::HeadTooLarge { limit } | HandshakeErrorKind::TooManyFields { limit } => {
                Self::HeadTooLarge { limit }
            }
            _ => Self::NotHttp { peer },
        }
    }
}

impl fmt::Display for ProxyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the proxy closed TCP before it had answered"),
            Self::TransportFailed(error) => write!(f, "the connection to the proxy failed: {error}"),
            Self::TimedOut { limit } => write!(f, "the proxy did not answer within {}", Elapsed(*limit)),
            Self::NotHttp { peer } => write!(f, "the proxy does not speak HTTP/1; this looks like {peer}"),
            Self::MalformedHead { what, line, seen } => {
                write!(f, "line {line} of the proxy's answer is malformed ({}): {seen}", what.rule())
            }
            Self::HeadTooLarge { limit } => write!(
                f,
                "the head of the proxy's answer is larger than {limit}, which is limits.head_bytes or limits.head_fields"
            ),
            Self::AuthenticationRequired { status, challenge, sent } => {
                write!(f, "the proxy answered with {status}: ")?;
                f.write_str(match sent {
                    true => "it does not accept the credentials",
                    false => "it wants credentials, and there are none",
                })?;
                challenge.as_ref().map_or(Ok(()), |challenge| write!(f, " ({challenge})"))
            }
            Self::Refused { status } => write!(f, "the proxy answered CONNECT with {status}, not with 2xx"),
            Self::NotSocks5 { version } => write!(
                f,
                "the proxy does not speak SOCKS5: its answer begins with {version:#04x}, not with the version 0x05"
            ),
            Self::NoMethod { sent: true } => {
                f.write_str("the proxy wants neither no authentication nor a user name with a password")
            }
            Self::NoMethod { sent: false } => {
                f.write_str("the proxy wants authentication, and there are no credentials for it")
            }
            Self::UnofferedMethod { method } => {
                write!(f, "the proxy chose the method of authentication {method:#04x}, which was not offered")
            }
            Self::CredentialsRefused => f.write_str("the proxy does not accept user name and password"),
            Self::Reply(reply) => write!(f, "the proxy did not connect to the server: {reply}"),
            Self::AddressType { byte } => {
                write!(f, "the proxy answered with an address of the unknown type {byte:#04x}")
            }
            Self::HostTooLong { len } => {
                write!(f, "the server's name has {len} bytes, and SOCKS5 has place for 255")
            }
        }
    }
}

/// Why a SOCKS5 proxy did not connect to a server ([RFC 1928 section 6]).
///
/// [RFC 1928 section 6]: https://www.rfc-editor.org/rfc/rfc1928#section-6
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SocksReply(pub u8);

impl SocksReply {
    /// General SOCKS server failure.
    pub const GENERAL_FAILURE: Self = Self(1);
    /// Connection not allowed by ruleset.
    pub const NOT_ALLOWED: Self = Self(2);
    /// Network unreachable.
    pub const NETWORK_UNREACHABLE: Self = Self(3);
    /// Host unreachable.
    pub const HOST_UNREACHABLE: Self = Self(4);
    /// Connection refused.
    pub const REFUSED: Self = Self(5);
    /// TTL expired.
    pub const TTL_EXPIRED: Self = Self(6);
    /// Command not supported.
    pub const COMMAND: Self = Self(7);
    /// Address type not supported.
    pub const ADDRESS_TYPE: Self = Self(8);
}

impl fmt::Display for SocksReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match *self {
            Self::GENERAL_FAILURE => "general failure",
            Self::NOT_ALLOWED => "its rules do not allow it",
            Self::NETWORK_UNREACHABLE => "the network is unreachable",
            Self::HOST_UNREACHABLE => "the host is unreachable, or there is no such name",
            Self::REFUSED => "the server refused the connection",
            Self::TTL_EXPIRED => "the server did not answer (TTL expired)",
            Self::COMMAND => "it does not support CONNECT",
            Self::ADDRESS_TYPE => "it does not support this type of address",
            _ => "a reason that RFC 1928 does not have",
        };
        write!(f, "{meaning} (reply {})", self.0)
    }
}

/// How much of a body `Display` shows: a sentence or two.
const SHOWN_BODY: usize = 120;
