//! What the peer of a failed handshake appears to be.

use core::fmt;
use core::net::SocketAddr;

use crate::handshake::excerpt::Excerpt;
use crate::handshake::tls::ClientHello;

/// What the peer of a failed handshake appears to be, judged by what it sent.
///
/// It is an appearance: nothing keeps a peer from sending the first bytes of something else. The same bytes give the same
/// answer however they were split. `Display` gives a noun phrase, such as `a TLS client that asks for "example.com"`.
/// `docs/diagnosing.md` in the repository says what to think of each.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peer {
    /// It sent nothing.
    Silent,
    /// It sent too little to tell: the start of a method, an empty line.
    Unclear,

    /// An HTTP client that does not ask for a WebSocket, or has not come to that yet.
    HttpClient {
        /// The method.
        method: Excerpt,
        /// The request target, or as much of it as came.
        target: Excerpt,
    },
    /// A client that asks for a WebSocket.
    WebSocketClient,
    /// A client of a draft before RFC 6455.
    OldWebSocketClient {
        /// Its `Sec-WebSocket-Version`, less than 13; `None` for hixie-76, which has none.
        version: Option<u8>,
    },

    /// An HTTP server that does not agree to a WebSocket, or has not come to that yet.
    HttpServer,
    /// A server that agrees to a WebSocket, wrongly.
    WebSocketServer,
    /// A proxy that answers for the server behind it: its status is 407, 502 or 504, or the response has `Proxy-Status`
    /// (RFC 9209) or `Via`.
    Proxy,

    /// HTTP/0.9: a request line without a version, or a document without a head.
    Http09,
    /// HTTP/2 from its first byte: its preface, or a server's first frame (RFC 9113 section 3.4).
    Http2,
    /// TLS, from a client. The server in between that should have ended it is missing.
    TlsClient(ClientHello),
    /// TLS, from a server.
    TlsServer,
    /// A TLS alert, with which TLS answers what is not TLS.
    TlsAlert {
        /// The description (RFC 8446 section 6), if it came: 10 is `unexpected_message`, 40 `handshake_failure`, 70
        /// `protocol_version`.
        description: Option<u8>,
    },
    /// The PROXY protocol, with which a load balancer announces the client's address.
    ProxyProtocol {
        /// 1 (text) or 2 (binary).
        version: u8,
        /// The client's address, if it was announced.
        source: Option<SocketAddr>,
    },
    /// A client of a SOCKS proxy, or such a proxy itself.
    Socks {
        /// 4 or 5.
        version: u8,
    },
    /// SSH, from either end.
    Ssh,
    /// The greeting of a mail or file server: SMTP, FTP, POP3 or IMAP.
    Banner,
    /// WebSocket frames without an opening handshake before them.
    WebSocketFrame {
        /// The opcode of the first frame (RFC 6455 section 5.2).
        opcode: u8,
    },
    /// Text of another protocol, or a person with a terminal. As little as one byte can settle it.
    Text,
    /// Bytes that are none of these. As little as one byte can settle it.
    Binary,
}

/// Makes the function and the list from one table, so that neither lacks what the other has.
macro_rules! codes {
    ($($peer:pat => $code:literal,)+) => {
        impl Peer {
            /// The [code](Self::code) of every peer, in the order of the variants.
            pub const CODES: &'static [&'static str] = &[$($code),+];

            /// A short name that does not change, for metrics and searches.
            #[must_use]
            pub const fn code(&self) -> &'static str {
                match self {
                    $($peer => $code,)+
                }
            }
        }
    };
}

codes! {
    Self::Silent => "silent",
    Self::Unclear => "unclear",
    Self::HttpClient { .. } => "http-client",
    Self::WebSocketClient => "websocket-client",
    Self::OldWebSocketClient { .. } => "old-websocket-client",
    Self::HttpServer => "http-server",
    Self::WebSocketServer => "websocket-server",
    Self::Proxy => "proxy",
    Self::Http09 => "http-09",
    Self::Http2 => "http-2",
    Self::TlsClient(_) => "tls-client",
    Self::TlsServer => "tls-server",
    Self::TlsAlert { .. } => "tls-alert",
    Self::ProxyProtocol { .. } => "proxy-protocol",
    Self::Socks { .. } => "socks",
    Self::Ssh => "ssh",
    Self::Banner => "banner",
    Self::WebSocketFrame { .. } => "websocket-frame",
    Self::Text => "text",
    Self::Binary => "binary",
}

impl Peer {
    /// Whether it is known to read an HTTP/1 reply.
    pub(crate) fn reads_http(&self) -> bool {
        matches!(
            self,
            Self::HttpClient { .. } | Self::WebSocketClient | Self::OldWebSocketClient { .. } | Self::Http09
        )
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("a peer that sent nothing"),
            Self::Unclear => f.write_str("a peer that sent too little to tell"),
            Self::HttpClient { method, target } => write!(f, "an HTTP client ({method} {target})"),
            Self::WebSocketClient => f.write_str("a WebSocket client"),
            Self::OldWebSocketClient { version: Some(version) } => {
                write!(f, "a WebSocket client of a draft before RFC 6455 (version {version})")
            }
            Self::OldWebSocketClient { version: None } => {
                f.write_str("a WebSocket client of a draft before RFC 6455 (hixie-76)")
            }
            Self::HttpServer => f.write_str("an HTTP server"),
            Self::WebSocketServer => f.write_str("a WebSocket server"),
            Self::Proxy => f.write_str("a proxy that answers for the server behind it"),
            Self::Http09 => f.write_str("HTTP/0.9"),
            Self::Http2 => f.write_str("HTTP/2"),
            Self::TlsClient(hello) => write!(f, "a TLS client{hello}"),
            Self::TlsServer => f.write_str("a TLS server"),
            Self::TlsAlert { description: Some(code) } => write!(f, "TLS, with alert {code}{}", alert(*code)),
            Self::TlsAlert { description: None } => f.write_str("TLS, with an alert"),
            Self::ProxyProtocol { version, source: Some(source) } => {
                write!(f, "a load balancer with the PROXY protocol, version {version}, for {source}")
            }
            Self::ProxyProtocol { version, source: None } => {
                write!(f, "a load balancer with the PROXY protocol, version {version}")
            }
            Self::Socks { version } => write!(f, "SOCKS {version}"),
            Self::Ssh => f.write_str("SSH"),
            Self::Banner => f.write_str("the greeting of a mail or file server"),
            Self::WebSocketFrame { opcode } => {
                write!(f, "a WebSocket frame{} without an opening handshake before it", frame(*opcode))
            }
            Self::Text => f.write_str("text of another protocol"),
            Self::Binary => f.write_str("bytes of an unknown protocol"),
        }
    }
}

/// The name of an opcode, in brackets.
fn frame(opcode: u8) -> &'static str {
    match opcode {
        1 => " (Text)",
        2 => " (Binary)",
        8 => " (Close)",
        9 => " (Ping)",
        10 => " (Pong)",
        _ => "",
    }
}

/// The name of a TLS alert that a handshake meets, in brackets (RFC 8446 section 6).
fn alert(description: u8) -> &'static str {
    match description {
        0 => " (close_notify)",
        10 => " (unexpected_message)",
        22 => " (record_overflow)",
        40 => " (handshake_failure)",
        47 => " (illegal_parameter)",
        50 => " (decode_error)",
        70 => " (protocol_version)",
        80 => " (internal_error)",
        112 => " (unrecognized_name)",
        _ => "",
    }
}
