//! The HTTP status that answers each failure of a server's handshake (RFC 9110 section 15, RFC 6455 section 4.2).

use crate::handshake::characters::is_number;
use crate::handshake::kind::HandshakeErrorKind;
use crate::handshake::peer::Peer;

/// The status with which a server answers this peer. What speaks TLS is answered too, and in plain text as by most servers: the
/// client then knows that this port has no TLS, which it could not tell from an end of TCP.
pub(crate) fn reply_status(kind: &HandshakeErrorKind, peer: &Peer) -> Option<u16> {
    match (kind, peer) {
        (HandshakeErrorKind::NotHttp, Peer::TlsClient(_)) => Some(400),
        _ => kind.reply_status(),
    }
}

impl HandshakeErrorKind {
    /// The status with which a server answers this, or `None` where HTTP makes no sense or a server cannot meet it. (Of what is
    /// not HTTP, TLS alone is answered, with 400.)
    #[must_use]
    pub fn reply_status(&self) -> Option<u16> {
        Some(match self {
            Self::MalformedHead { .. }
            | Self::BadTarget { .. }
            | Self::MissingHost
            | Self::MissingConnection
            | Self::MissingVersion
            | Self::MissingKey
            | Self::DuplicateField { .. }
            | Self::BadHost { .. }
            | Self::ConnectionNotUpgrade { .. }
            | Self::BadKey { .. }
            | Self::BadSubprotocol { .. }
            | Self::BadExtension { .. }
            | Self::DuplicateSubprotocol { .. } => 400,
            // RFC 9110 section 9.1: 405 for a method that is known and not allowed, 501 for one that is not known.
            Self::MethodNotGet { seen } if KNOWN_METHODS.contains(&seen.as_bytes()) => 405,
            Self::MethodNotGet { .. } => 501,
            Self::TimedOut { .. } => 408,
            // RFC 9110 section 15.5.14: content larger than the server is willing to process, and here it is willing to
            // process none. What is no length at all, as a number of more digits than an excerpt has, is a malformed request.
            Self::HasContent { seen } if is_number(seen.as_bytes()) && !seen.is_cut() => 413,
            Self::HasContent { .. } => 400,
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
            Self::UnsupportedVersion { .. }
            | Self::UpgradeNotWebSocket { .. }
            | Self::MissingUpgrade
            | Self::PlainRequest { .. } => 426,
            Self::HeadTooLarge { .. } | Self::TooManyFields { .. } => 431,
            // RFC 9112 section 6.1 asks for 501 for a coding that the server does not understand, and this one decodes
            // none. Section 6.3, item 4, asks for 400 where the final coding is not chunked.
            Self::TransferCoding { ends_chunked: true, .. } => 501,
            Self::TransferCoding { ends_chunked: false, .. } => 400,
            Self::HttpVersion { .. } => 505,
            Self::Rejected { status } => *status,
            Self::ClosedBeforeFirstByte
            | Self::ClosedInsideHead
            | Self::ClosedBeforeReply
            | Self::TransportFailed(_)
            | Self::NotHttp
            | Self::NotUpgraded { .. }
            | Self::Redirected { .. }
            | Self::AuthenticationRequired { .. }
            | Self::ProxyAuthenticationRequired { .. }
            | Self::VersionRefused { .. }
            | Self::ServerBusy { .. }
            | Self::GatewayFailed { .. }
            | Self::UnexpectedStatus { .. }
            | Self::MissingAccept
            | Self::AcceptMismatch { .. }
            | Self::UnsolicitedExtension { .. }
            | Self::UnsolicitedSubprotocol { .. }
            | Self::SeveralSubprotocols { .. }
            | Self::Finished => return None,
        })
    }
}

/// Whether `method` is one that HTTP defines.
pub(crate) fn is_known_method(method: &[u8]) -> bool {
    method == b"GET" || KNOWN_METHODS.contains(&method)
}

/// Whether a method that HTTP defines begins with `part`.
pub(crate) fn begins_known_method(part: &[u8]) -> bool {
    b"GET".starts_with(part) || KNOWN_METHODS.iter().any(|method| method.starts_with(part))
}

/// The methods of RFC 9110 section 9.3 and RFC 5789, less GET.
const KNOWN_METHODS: [&[u8]; 8] =
    [b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"];
