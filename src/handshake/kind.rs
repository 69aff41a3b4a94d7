//! Every way in which an opening handshake can fail, and the HTTP status that answers it.

use alloc::boxed::Box;
use core::fmt;
use core::time::Duration;

use crate::error::TransportError;

/// What went wrong in an opening handshake.
///
/// Sorted by what has to be looked at: the network, the limits, the peer's HTTP, its handshake, or what the two ends want.
/// `seen` is always what the peer sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeErrorKind {
    // The byte stream or the time ended.
    /// The peer closed TCP before it sent a byte: a health check, a port scan, a client that changed its mind.
    ClosedBeforeFirstByte,
    /// The peer closed TCP inside the head.
    ClosedInsideHead,
    /// The client closed TCP when its request was complete and not yet answered.
    ClosedBeforeReply,
    /// Reading or writing failed.
    TransportFailed(TransportError),
    /// The peer's head was not complete within [`Timeouts::handshake`](crate::Timeouts::handshake).
    TimedOut {
        /// The time limit.
        limit: Duration,
    },

    // The peer went over a limit of this endpoint.
    /// [`Limits::head_bytes`](crate::Limits::head_bytes).
    HeadTooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// [`Limits::head_fields`](crate::Limits::head_fields).
    TooManyFields {
        /// Field lines allowed.
        limit: usize,
    },
    /// [`Limits::request_line`](crate::Limits::request_line).
    RequestLineTooLong {
        /// Bytes allowed.
        limit: usize,
    },

    // The peer does not speak HTTP, or not well.
    /// The first bytes are not HTTP/1: they are no method, or no status line. Another protocol, such as TLS or SSH.
    NotHttp,
    /// A line of the head breaks the grammar of RFC 9112.
    MalformedHead {
        /// Which rule.
        what: Malformed,
        /// The number of the line; the start line has number 1.
        line: u32,
        /// The line.
        seen: Excerpt,
    },
    /// An HTTP version other than 1.1 or a later 1.x (RFC 6455 section 4.2.1, item 1).
    HttpVersion {
        /// The version, as `HTTP/1.0`.
        seen: Excerpt,
    },

    // The peer's handshake breaks a rule of RFC 6455 section 4.
    /// The method is not GET (section 4.2.1, item 1).
    MethodNotGet {
        /// The method.
        seen: Excerpt,
    },
    /// The request target is not a resource name (section 4.2.1, item 1).
    BadTarget {
        /// Which rule it breaks.
        what: BadTarget,
        /// The request target.
        seen: Excerpt,
    },
    /// A field that the handshake must have is not there.
    MissingField {
        /// The name of the field.
        name: &'static str,
    },
    /// A field that may be there once is there more often.
    DuplicateField {
        /// The name of the field.
        name: &'static str,
    },
    /// `Host` is not a host with an optional port (RFC 9112 section 3.2).
    BadHost {
        /// The value.
        seen: Excerpt,
    },
    /// The request announces content, which a handshake does not have and which would be taken for frames.
    HasContent {
        /// `Content-Length` or `Transfer-Encoding`.
        name: &'static str,
        /// The value.
        seen: Excerpt,
    },
    /// `Expect` has something other than `100-continue` (RFC 9110 section 10.1.1).
    Expectation {
        /// The value.
        seen: Excerpt,
    },
    /// `Upgrade` does not have `websocket` (section 4.2.1, item 3); in a response, it has something else.
    UpgradeNotWebSocket {
        /// The value.
        seen: Excerpt,
    },
    /// `Connection` does not have `Upgrade` (section 4.2.1, item 4).
    ConnectionNotUpgrade {
        /// The value.
        seen: Excerpt,
    },
    /// `Sec-WebSocket-Version` is not 13 (section 4.2.1, item 6).
    UnsupportedVersion {
        /// The value.
        seen: Excerpt,
    },
    /// `Sec-WebSocket-Key` does not decode to 16 bytes (section 4.2.1, item 5).
    BadKey {
        /// How many bytes it decodes to; `None` if it is not base64.
        decoded: Option<usize>,
        /// The value.
        seen: Excerpt,
    },
    /// A subprotocol that is not a token (section 4.1, item 10).
    BadSubprotocol {
        /// The subprotocol.
        seen: Excerpt,
    },
    /// A subprotocol that is offered twice (section 4.1, item 10).
    DuplicateSubprotocol {
        /// The subprotocol.
        seen: Excerpt,
    },

    // The two ends did not agree.
    /// The application of this server refused the request.
    Rejected {
        /// The status of its reply.
        status: u16,
    },
    /// The server answered with a status other than 101; see [`HandshakeError::response`](crate::HandshakeError::response).
    UnexpectedStatus {
        /// The status.
        status: u16,
    },
    /// `Sec-WebSocket-Accept` does not answer the key that was sent (section 4.1): a cache, or no WebSocket server.
    AcceptMismatch {
        /// The value expected.
        expected: Excerpt,
        /// The value.
        seen: Excerpt,
    },
    /// The server chose an extension, and none was offered (section 4.1).
    UnsolicitedExtension {
        /// The value of `Sec-WebSocket-Extensions`.
        seen: Excerpt,
    },
    /// The server chose a subprotocol that was not offered (section 4.1).
    UnsolicitedSubprotocol {
        /// The value of `Sec-WebSocket-Protocol`.
        seen: Excerpt,
    },
    /// The server chose more than one subprotocol (section 4.2.2).
    SeveralSubprotocols {
        /// The value of `Sec-WebSocket-Protocol`.
        seen: Excerpt,
    },

    // The caller misused the state machine.
    /// The handshake was over and had succeeded; this call came too late.
    Finished,
}

impl HandshakeErrorKind {
    /// A short name that does not change, for metrics and searches.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ClosedBeforeFirstByte => "closed-before-first-byte",
            Self::ClosedInsideHead => "closed-inside-head",
            Self::ClosedBeforeReply => "closed-before-reply",
            Self::TransportFailed(_) => "transport-failed",
            Self::TimedOut { .. } => "timed-out",
            Self::HeadTooLarge { .. } => "head-too-large",
            Self::TooManyFields { .. } => "too-many-fields",
            Self::RequestLineTooLong { .. } => "request-line-too-long",
            Self::NotHttp => "not-http",
            Self::MalformedHead { .. } => "malformed-head",
            Self::HttpVersion { .. } => "http-version",
            Self::MethodNotGet { .. } => "method-not-get",
            Self::BadTarget { .. } => "bad-target",
            Self::MissingField { .. } => "missing-field",
            Self::DuplicateField { .. } => "duplicate-field",
            Self::BadHost { .. } => "bad-host",
            Self::HasContent { .. } => "has-content",
            Self::Expectation { .. } => "expectation",
            Self::UpgradeNotWebSocket { .. } => "upgrade-not-websocket",
            Self::ConnectionNotUpgrade { .. } => "connection-not-upgrade",
            Self::UnsupportedVersion { .. } => "unsupported-version",
            Self::BadKey { .. } => "bad-key",
            Self::BadSubprotocol { .. } => "bad-subprotocol",
            Self::DuplicateSubprotocol { .. } => "duplicate-subprotocol",
            Self::Rejected { .. } => "rejected",
            Self::UnexpectedStatus { .. } => "unexpected-status",
            Self::AcceptMismatch { .. } => "accept-mismatch",
            Self::UnsolicitedExtension { .. } => "unsolicited-extension",
            Self::UnsolicitedSubprotocol { .. } => "unsolicited-subprotocol",
            Self::SeveralSubprotocols { .. } => "several-subprotocols",
            Self::Finished => "finished",
        }
    }

    /// The status with which a server answers this, or `None` where HTTP makes no sense or a server cannot meet it.
    #[must_use]
    pub fn reply_status(&self) -> Option<u16> {
        Some(match self {
            Self::MalformedHead { .. }
            | Self::BadTarget { .. }
            | Self::DuplicateField { .. }
            | Self::BadHost { .. }
            | Self::ConnectionNotUpgrade { .. }
            | Self::BadKey { .. }
            | Self::BadSubprotocol { .. }
            | Self::DuplicateSubprotocol { .. } => 400,
            // RFC 9110 section 9.1: 405 for a method that is known and not allowed, 501 for one that is not known.
            Self::MethodNotGet { seen } if KNOWN_METHODS.contains(&seen.as_bytes()) => 405,
            Self::MethodNotGet { .. } => 501,
            Self::TimedOut { .. } => 408,
            Self::RequestLineTooLong { .. } => 414,
            Self::Expectation { .. } => 417,
            //= https://www.rfc-editor.org/rfc/rfc6455#section-4.2.2
            //# If this
            //# version does not match a version understood by the server, the
            //# server MUST abort the WebSocket handshake described in this
            //# section and instead send an appropriate HTTP error code (such
            //# as 426 Upgrade Required) and a |Sec-WebSocket-Version| header
            //# field indicating the version(s) the server is capable of
            //# understanding.
            Self::UnsupportedVersion { .. } | Self::UpgradeNotWebSocket { .. } => 426,
            Self::MissingField { name } if *name == "Upgrade" => 426,
            Self::MissingField { .. } => 400,
            Self::HeadTooLarge { .. } | Self::TooManyFields { .. } => 431,
            // RFC 9112 section 6.1: a transfer coding that is not understood.
            Self::HasContent { name, seen } if *name == "Transfer-Encoding" && !seen.is("chunked") => 501,
            Self::HasContent { .. } => 400,
            Self::HttpVersion { .. } => 505,
            Self::Rejected { status } => *status,
            Self::ClosedBeforeFirstByte
            | Self::ClosedInsideHead
            | Self::ClosedBeforeReply
            | Self::TransportFailed(_)
            | Self::NotHttp
            | Self::UnexpectedStatus { .. }
            | Self::AcceptMismatch { .. }
            | Self::UnsolicitedExtension { .. }
            | Self::UnsolicitedSubprotocol { .. }
            | Self::SeveralSubprotocols { .. }
            | Self::Finished => return None,
        })
    }
}

/// A rule of the grammar of a head ([RFC 9112]).
///
/// [RFC 9112]: https://www.rfc-editor.org/rfc/rfc9112
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// A request line is `method SP request-target SP HTTP-version` (section 3).
    RequestLine,
    /// A status line is `HTTP-version SP status-code SP [reason-phrase]` (section 4).
    StatusLine,
    /// A field line begins with a token and a colon (section 5.1).
    FieldName,
    /// A field value has no control characters (section 5.5 of RFC 9110).
    FieldValue,
    /// A carriage return stands only before a line feed (section 2.2).
    LineEnd,
    /// A field value is on one line (section 5.2).
    Folding,
}

/// Why a request target is not a resource name ([RFC 9112 section 3.2]).
///
/// [RFC 9112 section 3.2]: https://www.rfc-editor.org/rfc/rfc9112#section-3.2
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadTarget {
    /// `*` is for OPTIONS.
    Asterisk,
    /// Neither a path that begins with `/` nor an absolute URI: `host:port`, which is for CONNECT, or a query alone.
    NotAPath,
    /// An absolute URI whose scheme is none of `http`, `https`, `ws`, `wss`.
    Scheme,
    /// An absolute URI whose host or port is missing or malformed, or that has user information.
    Authority,
    /// There is a fragment.
    Fragment,
    /// A `%` without two hexadecimal digits behind it.
    PercentEscape,
    /// A character that is not visible ASCII.
    Character,
}

/// The start of something that the peer sent: at most 64 bytes of it.
///
/// `Display` puts it in quotes and escapes whatever is not visible ASCII, so that it can go into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt {
    bytes: Box<[u8]>,
    len: usize,
}

impl Excerpt {
    /// The first 64 bytes of `value`, or all.
    pub(crate) fn new(value: &[u8]) -> Self {
        let bytes = value.get(..EXCERPT_LEN).unwrap_or(value).into();
        Self { bytes, len: value.len() }
    }

    /// The bytes, as they were sent.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether something was cut off.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.bytes.len() < self.len
    }

    fn is(&self, token: &str) -> bool {
        self.bytes.eq_ignore_ascii_case(token.as_bytes())
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.bytes.escape_ascii())?;
        if self.is_cut() {
            write!(f, "... ({} bytes)", self.len)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Bytes that an [`Excerpt`] keeps.
const EXCERPT_LEN: usize = 64;

/// The methods of RFC 9110 section 9.3 and RFC 5789, less GET.
const KNOWN_METHODS: [&[u8]; 8] =
    [b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"];
