//! What a failed handshake says to people: a sentence for each kind, and a piece of advice.

use core::fmt;
use core::time::Duration;

use crate::handshake::kind::{BadTarget, HandshakeErrorKind as Kind, Malformed};
use crate::role::Role;

/// What went wrong, in one sentence without its full stop. `role` is that of this endpoint.
pub(crate) struct Sentence<'a> {
    pub(crate) kind: &'a Kind,
    pub(crate) role: Role,
}

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peer = self.role.peer();
        let head = match peer {
            Role::Client => "request",
            Role::Server => "response",
        };
        match self.kind {
            Kind::ClosedBeforeFirstByte => write!(f, "the {peer} closed TCP before it sent a byte"),
            Kind::ClosedInsideHead => write!(f, "the {peer} closed TCP inside the head of its {head}"),
            Kind::ClosedBeforeReply => write!(f, "the {peer} closed TCP before its request was answered"),
            Kind::TransportFailed(error) => write!(f, "{error}"),
            Kind::TimedOut { limit } => {
                write!(f, "the {peer} did not send a whole {head} within {}", Elapsed(*limit))
            }
            Kind::HeadTooLarge { limit } => {
                write!(f, "the head of the {head} has more than {limit} bytes, which is limits.head_bytes")
            }
            Kind::TooManyFields { limit } => {
                write!(f, "the {head} has more than {limit} field lines, which is limits.head_fields")
            }
            Kind::RequestLineTooLong { limit } => {
                write!(f, "the request line has more than {limit} bytes, which is limits.request_line")
            }
            Kind::NotHttp => write!(f, "the {peer} does not speak HTTP/1"),
            Kind::MalformedHead { what, line, seen } => {
                write!(f, "line {line} of the {head} is malformed ({}): {seen}", rule(*what))
            }
            Kind::HttpVersion { seen } => {
                write!(f, "the {peer} speaks {seen}, and a WebSocket needs HTTP/1.1 (RFC 6455 section 4.2.1)")
            }
            Kind::MethodNotGet { seen } => {
                write!(f, "the method is {seen}, and must be GET (RFC 6455 section 4.2.1)")
            }
            Kind::BadTarget { what, seen } => {
                write!(f, "the request target {seen} {} (RFC 9112 section 3.2)", fault(*what))
            }
            Kind::MissingField { name } => write!(f, "the {head} has no {name} field"),
            Kind::DuplicateField { name } => {
                write!(f, "the {head} has more than one {name} field, and only one is allowed")
            }
            Kind::BadHost { seen } => {
                write!(f, "Host is {seen}, which is no host with an optional port (RFC 9112 section 3.2)")
            }
            Kind::HasContent { name, seen } => {
                write!(f, "the request announces content with {name} {seen}, and a handshake has none")
            }
            Kind::Expectation { seen } => write!(f, "Expect is {seen}, which this server cannot meet"),
            Kind::UpgradeNotWebSocket { seen } => {
                write!(f, "Upgrade is {seen}, where \"websocket\" is required (RFC 6455 section 4)")
            }
            Kind::ConnectionNotUpgrade { seen } => {
                write!(f, "Connection is {seen}, where \"Upgrade\" is required (RFC 6455 section 4)")
            }
            Kind::UnsupportedVersion { seen } => {
                write!(f, "Sec-WebSocket-Version is {seen}, where 13 is required (RFC 6455 section 4.2.1)")
            }
            Kind::BadKey { decoded: Some(len), seen } => write!(
                f,
                "Sec-WebSocket-Key {seen} decodes to {len} bytes where 16 are required (RFC 6455 section 4.2.1)"
            ),
            Kind::BadKey { decoded: None, seen } => write!(
                f,
                "Sec-WebSocket-Key {seen} is not base64, where the base64 of 16 bytes is required (RFC 6455 section 4.2.1)"
            ),
            Kind::BadSubprotocol { seen } => {
                write!(
                    f,
                    "the subprotocol {seen} in Sec-WebSocket-Protocol is not a token (RFC 6455 section 4.1)"
                )
            }
            Kind::DuplicateSubprotocol { seen } => {
                write!(f, "the subprotocol {seen} is offered more than once (RFC 6455 section 4.1)")
            }
            Kind::Rejected { status } => write!(f, "the application rejected the request with {status}"),
            Kind::UnexpectedStatus { status } => {
                write!(f, "the server answered with {status}, not with 101 (Switching Protocols)")
            }
            Kind::AcceptMismatch { expected, seen } => {
                write!(
                    f,
                    "Sec-WebSocket-Accept is {seen} where {expected} answers the key (RFC 6455 section 4.1)"
                )
            }
            Kind::UnsolicitedExtension { seen } => {
                write!(
                    f,
                    "the server chose the extension {seen}, which was not offered (RFC 6455 section 4.1)"
                )
            }
            Kind::UnsolicitedSubprotocol { seen } => {
                write!(
                    f,
                    "the server chose the subprotocol {seen}, which was not offered (RFC 6455 section 4.1)"
                )
            }
            Kind::SeveralSubprotocols { seen } => {
                write!(f, "the server chose more than one subprotocol: {seen} (RFC 6455 section 4.2.2)")
            }
            Kind::Finished => {
                f.write_str("the handshake was over and had succeeded; this call came too late")
            }
        }
    }
}

/// What can be done about it, in one sentence.
pub(crate) fn advice(kind: &Kind, role: Role) -> &'static str {
    match (kind, role) {
        (Kind::ClosedBeforeFirstByte, Role::Server) => {
            "Usually a health check, a port scan or a client that gave up; nothing is wrong with this server."
        }
        (Kind::ClosedBeforeFirstByte | Kind::ClosedInsideHead, Role::Client) => {
            "Look into the server's log, and whether a proxy or the port of a TLS server is in between (try wss)."
        }
        (Kind::ClosedInsideHead | Kind::ClosedBeforeReply, Role::Server) => {
            "The client gave up or lost its network; look whether it has a shorter time limit than this server needs."
        }
        (Kind::TransportFailed(_), _) => {
            "Look at the network between the two ends; the handshake has no fault."
        }
        (Kind::TimedOut { .. }, Role::Server) => {
            "Send the whole request at once; a client that only connects is a probe or a slow network."
        }
        (Kind::TimedOut { .. }, Role::Client) => {
            "Look whether the server is overloaded, or whether something else listens on this port."
        }
        (Kind::HeadTooLarge { .. } | Kind::TooManyFields { .. }, Role::Server) => {
            "Send fewer or shorter field lines; large cookies are the usual cause."
        }
        (Kind::HeadTooLarge { .. } | Kind::TooManyFields { .. }, Role::Client) => {
            "Raise the limit if the server is trusted and needs this much."
        }
        (Kind::RequestLineTooLong { .. }, _) => "Shorten the query, and move what is long into a message.",
        (Kind::NotHttp, Role::Server) => {
            "Look whether the client uses TLS (wss) where this server expects plain text (ws), or another protocol."
        }
        (Kind::NotHttp, Role::Client) => {
            "Look whether the server expects TLS (use wss) or something else listens on this port."
        }
        (Kind::MalformedHead { .. }, _) => {
            "Correct that line; a WebSocket library would have sent a valid one."
        }
        (Kind::HttpVersion { .. }, Role::Server) => {
            "Use HTTP/1.1; a proxy in front of this server must be told to (nginx: proxy_http_version 1.1)."
        }
        (Kind::HttpVersion { .. }, Role::Client) => "A server that speaks HTTP/1.1 is needed.",
        (Kind::MethodNotGet { .. }, _) => "Use GET; this port serves WebSocket connections.",
        (Kind::BadTarget { .. }, _) => {
            "Ask for a path such as /chat?room=7, and percent-encode what is not visible ASCII."
        }
        (Kind::MissingField { name: "Upgrade" | "Connection" }, Role::Server)
        | (Kind::UpgradeNotWebSocket { .. } | Kind::ConnectionNotUpgrade { .. }, Role::Server) => {
            "This port serves WebSocket connections: use a WebSocket client, and let a proxy in between pass \
             Upgrade and Connection on (nginx: proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \
             \"upgrade\")."
        }
        (Kind::MissingField { name: "Host" } | Kind::BadHost { .. }, _) => {
            "Send one Host field, such as Host: example.com."
        }
        (Kind::MissingField { .. } | Kind::DuplicateField { .. }, Role::Server) => {
            "Send this field exactly once; a WebSocket library does."
        }
        (Kind::HasContent { .. }, _) => "Leave this field and the content out; send data as messages.",
        (Kind::Expectation { .. }, _) => "Leave Expect out.",
        (Kind::UnsupportedVersion { .. }, _) => "Use a client of RFC 6455, whose version is 13.",
        (Kind::BadKey { .. }, _) => "Send 16 random bytes in base64, which makes 24 characters.",
        (Kind::BadSubprotocol { .. } | Kind::DuplicateSubprotocol { .. }, _) => {
            "Offer each subprotocol once, as a token: letters, digits and !#$%&'*+-.^_`|~."
        }
        (Kind::Rejected { .. }, _) => "The application of this server decided so; its reply says more.",
        (Kind::UnexpectedStatus { status: 300..=399 }, _) => {
            "The server redirects: use the URL in its Location field."
        }
        (Kind::UnexpectedStatus { status: 401 | 403 | 407 }, _) => "Look at the credentials, and at Origin.",
        (Kind::UnexpectedStatus { status: 404 }, _) => "Look at the path: no WebSocket is served there.",
        (Kind::UnexpectedStatus { status: 200..=299 }, _) => {
            "An HTTP server answered as to a plain request: a proxy did not pass Upgrade on, or the path is wrong."
        }
        (Kind::UnexpectedStatus { .. }, _) => "Look into the server's log.",
        (Kind::AcceptMismatch { .. }, _) => {
            "A cache or a faulty server answered; look at what is in between."
        }
        (
            Kind::UnsolicitedExtension { .. }
            | Kind::UnsolicitedSubprotocol { .. }
            | Kind::SeveralSubprotocols { .. },
            _,
        ) => "The server is faulty or set up wrongly: it must choose from what the client offers.",
        (
            Kind::MissingField { .. }
            | Kind::DuplicateField { .. }
            | Kind::UpgradeNotWebSocket { .. }
            | Kind::ConnectionNotUpgrade { .. },
            Role::Client,
        ) => "The server, or a proxy in between, does not follow RFC 6455 section 4.2.2.",
        (Kind::ClosedBeforeReply, Role::Client) | (Kind::Finished, _) => {
            "Drop a handshake when it has given its connection."
        }
    }
}

fn rule(what: Malformed) -> &'static str {
    match what {
        Malformed::RequestLine => "a request line is: method, space, target, space, HTTP version",
        Malformed::StatusLine => "a status line is: HTTP version, space, three digits, space, reason",
        Malformed::FieldName => "a field line begins with a name without spaces, and a colon",
        Malformed::FieldValue => "a field value has no control characters",
        Malformed::LineEnd => "a carriage return stands only before a line feed",
        Malformed::Folding => "a field line must not begin with a space or a tab",
    }
}

fn fault(what: BadTarget) -> &'static str {
    match what {
        BadTarget::Asterisk => "is for OPTIONS and names no resource",
        BadTarget::NotAPath => "does not begin with \"/\" and is no absolute URI",
        BadTarget::Scheme => "has a scheme other than http, https, ws and wss",
        BadTarget::Authority => "has no valid host and port",
        BadTarget::Fragment => "has a fragment (\"#\")",
        BadTarget::PercentEscape => "has a \"%\" without two hexadecimal digits behind it",
        BadTarget::Character => "has a character that must be percent-encoded",
    }
}

/// A duration for people: `12 ms`, `10 s`, `61.5 s`.
pub(crate) struct Elapsed(pub(crate) Duration);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        match (millis / 1000, millis % 1000 / 100) {
            (0, _) => write!(f, "{millis} ms"),
            (seconds, 0) => write!(f, "{seconds} s"),
            (seconds, tenths) => write!(f, "{seconds}.{tenths} s"),
        }
    }
}
