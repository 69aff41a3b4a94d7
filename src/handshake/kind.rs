//! Every way in which an opening handshake can fail, each with a code that does not change.

use core::time::Duration;

use crate::error::TransportError;
use crate::extension::ExtensionFault;
use crate::handshake::excerpt::Excerpt;
use crate::handshake::grammar::{BadTarget, Malformed};

/// What went wrong in an opening handshake.
///
/// Sorted by what has to be looked at: the network, the limits, the peer's HTTP, its handshake, or what the two ends want.
/// `seen` is always what the peer sent. Who the peer appears to be is another question, which
/// [`Peer`](crate::Peer) answers.
///
/// `docs/diagnosing.md` in the repository has an entry for the [code](Self::code) of each: what causes it, what to do, and a line
/// that reproduces it.
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
    /// The first bytes are not HTTP/1: they are no method, or no status line. [`Peer`](crate::Peer) says what they are.
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
    /// There is no `Host` (section 4.2.1, item 2).
    MissingHost,
    /// `Host` is not a host with an optional port (RFC 9112 section 3.2).
    BadHost {
        /// The value.
        seen: Excerpt,
    },
    /// A valid HTTP request without any field of a WebSocket handshake: a browser, a health check.
    PlainRequest {
        /// The request target.
        target: Excerpt,
    },
    /// There is no `Upgrade` (section 4.2.1, item 3). In a request there are `Sec-WebSocket` fields, so that most likely a
    /// proxy in between has removed it.
    MissingUpgrade,
    /// `Upgrade` does not have `websocket` (section 4.2.1, item 3); in a response, it has something else.
    UpgradeNotWebSocket {
        /// The value.
        seen: Excerpt,
    },
    /// There is no `Connection` (section 4.2.1, item 4).
    MissingConnection,
    /// `Connection` does not have `Upgrade` (section 4.2.1, item 4).
    ConnectionNotUpgrade {
        /// The value.
        seen: Excerpt,
    },
    /// There is no `Sec-WebSocket-Version` (section 4.2.1, item 6).
    MissingVersion,
    /// `Sec-WebSocket-Version` is not 13 (section 4.2.1, item 6).
    UnsupportedVersion {
        /// The value.
        seen: Excerpt,
    },
    /// There is no `Sec-WebSocket-Key` (section 4.2.1, item 5).
    MissingKey,
    /// `Sec-WebSocket-Key` does not decode to 16 bytes (section 4.2.1, item 5).
    BadKey {
        /// How many bytes it decodes to; `None` if it is not base64.
        decoded: Option<usize>,
        /// The value.
        seen: Excerpt,
    },
    /// A field that may be there once is there more often.
    DuplicateField {
        /// The name of the field.
        name: &'static str,
    },
    /// `Content-Length` announces content, which a handshake does not have and which would be taken for frames.
    HasContent {
        /// The value of `Content-Length`.
        seen: Excerpt,
    },
    /// `Transfer-Encoding` announces content, which a handshake does not have and which would be taken for frames.
    TransferCoding {
        /// The value of the last `Transfer-Encoding`.
        seen: Excerpt,
        /// Whether the final coding is `chunked`. Where it is not, nobody can say where the content ends.
        ends_chunked: bool,
    },
    /// `Expect` has something other than `100-continue` (RFC 9110 section 10.1.1).
    Expectation {
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
        /// The status of the reply.
        status: u16,
    },
    /// The server answered with 2xx: it took the handshake for a plain request.
    NotUpgraded {
        /// The status.
        status: u16,
    },
    /// The server redirects (3xx with `Location`), which a handshake cannot follow; [`Dial`](crate::Dial) can, if it is allowed to.
    Redirected {
        /// The status.
        status: u16,
        /// The value of `Location`, at most 256 bytes of it.
        location: Excerpt,
    },
    /// 401: the server wants credentials, or others (RFC 9110 section 15.5.2).
    AuthenticationRequired {
        /// The value of the first `WWW-Authenticate`, at most 256 bytes of it. Servers must send one; not all do.
        challenge: Option<Excerpt>,
    },
    /// 407: a proxy in between wants credentials, or others (RFC 9110 section 15.5.8).
    ProxyAuthenticationRequired {
        /// The value of the first `Proxy-Authenticate`, at most 256 bytes of it.
        challenge: Option<Excerpt>,
    },
    /// 426, or 400 with versions: the server does not speak version 13 of the protocol (section 4.4).
    VersionRefused {
        /// The status.
        status: u16,
        /// The value of the first `Sec-WebSocket-Version`: what the server speaks.
        offered: Option<Excerpt>,
    },
    /// 429 or 503: the server does not want the connection now.
    ServerBusy {
        /// The status.
        status: u16,
        /// The value of `Retry-After`, where it is a number of seconds. A date is in the
        /// [response](crate::HandshakeError::response).
        retry_after: Option<Duration>,
    },
    /// 502: a proxy had no answer from the server behind it, or none that it understands; 504: none in time (RFC 9110 sections
    /// 15.6.3 and 15.6.5).
    GatewayFailed {
        /// The status.
        status: u16,
    },
    /// Any other status than 101.
    UnexpectedStatus {
        /// The status.
        status: u16,
    },
    /// A 101 without `Sec-WebSocket-Accept` (section 4.1).
    MissingAccept,
    /// `Sec-WebSocket-Accept` does not answer the key that was sent (section 4.1): a cache, or no WebSocket server.
    AcceptMismatch {
        /// The value expected.
        expected: Excerpt,
        /// The value.
        seen: Excerpt,
    },
    /// The server chose an extension that was not offered (section 4.1).
    UnsolicitedExtension {
        /// The value of `Sec-WebSocket-Extensions`.
        seen: Excerpt,
    },
    /// `Sec-WebSocket-Extensions` breaks its grammar (section 9.1); in a response, it may also be no answer to what was
    /// offered (RFC 7692 section 5).
    BadExtension {
        /// What is wrong with it.
        what: ExtensionFault,
        /// The value.
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

/// Makes the function and the list from one table, so that neither lacks what the other has.
macro_rules! codes {
    ($($kind:pat => $code:literal,)+) => {
        impl HandshakeErrorKind {
            /// The [code](Self::code) of every kind, in the order of the kinds.
            pub const CODES: &'static [&'static str] = &[$($code),+];

            /// A short name that does not change, for metrics and searches, and for the headings of `docs/diagnosing.md`.
            #[must_use]
            pub const fn code(&self) -> &'static str {
                match self {
                    $($kind => $code,)+
                }
            }
        }
    };
}

codes! {
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
    Self::MissingHost => "missing-host",
    Self::BadHost { .. } => "bad-host",
    Self::PlainRequest { .. } => "plain-request",
    Self::MissingUpgrade => "missing-upgrade",
    Self::UpgradeNotWebSocket { .. } => "upgrade-not-websocket",
    Self::MissingConnection => "missing-connection",
    Self::ConnectionNotUpgrade { .. } => "connection-not-upgrade",
    Self::MissingVersion => "missing-version",
    Self::UnsupportedVersion { .. } => "unsupported-version",
    Self::MissingKey => "missing-key",
    Self::BadKey { .. } => "bad-key",
    Self::DuplicateField { .. } => "duplicate-field",
    Self::HasContent { .. } => "has-content",
    Self::TransferCoding { .. } => "transfer-coding",
    Self::Expectation { .. } => "expectation",
    Self::BadSubprotocol { .. } => "bad-subprotocol",
    Self::DuplicateSubprotocol { .. } => "duplicate-subprotocol",
    Self::Rejected { .. } => "rejected",
    Self::NotUpgraded { .. } => "not-upgraded",
    Self::Redirected { .. } => "redirected",
    Self::AuthenticationRequired { .. } => "authentication-required",
    Self::ProxyAuthenticationRequired { .. } => "proxy-authentication-required",
    Self::VersionRefused { .. } => "version-refused",
    Self::ServerBusy { .. } => "server-busy",
    Self::GatewayFailed { .. } => "gateway-failed",
    Self::UnexpectedStatus { .. } => "unexpected-status",
    Self::MissingAccept => "missing-accept",
    Self::AcceptMismatch { .. } => "accept-mismatch",
    Self::UnsolicitedExtension { .. } => "unsolicited-extension",
    Self::BadExtension { .. } => "bad-extension",
    Self::UnsolicitedSubprotocol { .. } => "unsolicited-subprotocol",
    Self::SeveralSubprotocols { .. } => "several-subprotocols",
    Self::Finished => "finished",
}
