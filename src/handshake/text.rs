//! What went wrong in an opening handshake, in one sentence for each kind.

use core::fmt;
use core::time::Duration;

use crate::handshake::kind::HandshakeErrorKind as Kind;
use crate::handshake::peer::Peer;
use crate::role::Role;

/// What went wrong, in one sentence without its full stop. `role` is that of this endpoint.
pub(crate) struct Sentence<'a> {
    pub(crate) kind: &'a Kind,
    pub(crate) role: Role,
    pub(crate) peer: &'a Peer,
    /// Why this server's application rejected the request.
    pub(crate) reason: Option<&'a str>,
}

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peer = self.role.peer();
        let head = head_of(peer);
        match self.kind {
            Kind::ClosedBeforeFirstByte => write!(f, "the {peer} closed TCP before it sent a byte"),
            Kind::ClosedInsideHead => write!(f, "the {peer} closed TCP inside the head of its {head}"),
            Kind::ClosedBeforeReply => write!(f, "the {peer} closed TCP before its request was answered"),
            Kind::TransportFailed(error) => write!(f, "{error}"),
            // Most who wait say nothing at all, and that is another trouble than half a head.
            Kind::TimedOut { limit } if *self.peer == Peer::Silent => {
                write!(f, "the {peer} sent nothing within {}", Elapsed(*limit))
            }
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
            Kind::NotHttp => write!(f, "the {peer} does not speak HTTP/1; this looks like {}", self.peer),
            Kind::MalformedHead { what, line, seen } => {
                write!(f, "line {line} of the {head} is malformed ({}): {seen}", what.rule())
            }
            Kind::HttpVersion { seen } => {
                write!(f, "the {peer} speaks {seen}, and a WebSocket needs HTTP/1.1 (RFC 6455 section 4.2.1)")
            }
            Kind::MissingHost => missing(f, head, "Host"),
            Kind::MissingUpgrade => missing(f, head, "Upgrade"),
            Kind::MissingConnection => missing(f, head, "Connection"),
            Kind::MissingVersion => missing(f, head, "Sec-WebSocket-Version"),
            Kind::MissingKey => missing(f, head, "Sec-WebSocket-Key"),
            Kind::MissingAccept => missing(f, head, "Sec-WebSocket-Accept"),
            Kind::DuplicateField { name } => {
                write!(f, "the {head} has more than one {name} field, and only one is allowed")
            }
            Kind::UpgradeNotWebSocket { seen } => {
                write!(f, "Upgrade is {seen}, where \"websocket\" is required (RFC 6455 section 4)")
            }
            Kind::ConnectionNotUpgrade { seen } => {
                write!(f, "Connection is {seen}, where \"Upgrade\" is required (RFC 6455 section 4)")
            }
            Kind::BadExtension { what, seen } => {
                write!(
                    f,
                    "Sec-WebSocket-Extensions of the {head} is {seen}: {what} (RFC 6455 section 9.1, RFC 7692)"
                )
            }
            Kind::Rejected { status } => {
                write!(f, "the application rejected the request with {status}")?;
                // What the application says may repeat what the client sent: quotes and control characters are escaped.
                self.reason.map_or(Ok(()), |reason| write!(f, ": {reason:?}"))
            }
            Kind::Finished => {
                f.write_str("the handshake was over and had succeeded; this call came too late")
            }
            kind if self.role == Role::Server => of_request(f, kind),
            kind => of_response(f, kind),
        }
    }
}

/// What only a request can have wrong.
fn of_request(f: &mut fmt::Formatter<'_>, kind: &Kind) -> fmt::Result {
    match kind {
        Kind::MethodNotGet { seen } => {
            write!(f, "the method is {seen}, and must be GET (RFC 6455 section 4.2.1)")
        }
        Kind::BadTarget { what, seen } => {
            write!(f, "the request target {seen} {} (RFC 9112 section 3.2)", what.fault())
        }
        Kind::BadHost { seen } => {
            write!(f, "Host is {seen}, which is no host with an optional port (RFC 9112 section 3.2)")
        }
        Kind::PlainRequest { target } => {
            write!(f, "this is a plain HTTP request for {target}, without any field of a WebSocket handshake")
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
        Kind::HasContent { seen } => {
            write!(f, "the request announces content with Content-Length {seen}, and a handshake has none")
        }
        Kind::TransferCoding { seen, .. } => {
            write!(f, "the request announces content with Transfer-Encoding {seen}, and a handshake has none")
        }
        Kind::Expectation { seen } => write!(f, "Expect is {seen}, which this server cannot meet"),
        Kind::BadSubprotocol { seen } => {
            write!(
                f,
                "the subprotocol {seen} in Sec-WebSocket-Protocol is not a token (RFC 6455 section 4.1)"
            )
        }
        Kind::DuplicateSubprotocol { seen } => {
            write!(f, "the subprotocol {seen} is offered more than once (RFC 6455 section 4.1)")
        }
        kind => f.write_str(kind.code()),
    }
}

/// What only a response can have wrong.
fn of_response(f: &mut fmt::Formatter<'_>, kind: &Kind) -> fmt::Result {
    match kind {
        Kind::NotUpgraded { status } => {
            write!(
                f,
                "the server answered with {status} as to a plain request, not with 101 (Switching Protocols)"
            )
        }
        Kind::Redirected { status, location } => {
            write!(f, "the server answered with {status} and redirects to {location}")
        }
        Kind::AuthenticationRequired { challenge } => {
            f.write_str("the server answered with 401 and wants credentials")?;
            optional(f, ": ", challenge.as_ref())
        }
        Kind::ProxyAuthenticationRequired { challenge } => {
            f.write_str("a proxy answered with 407 and wants credentials")?;
            optional(f, ": ", challenge.as_ref())
        }
        Kind::VersionRefused { status, offered } => {
            write!(f, "the server answered with {status} and does not speak version 13 of the protocol")?;
            optional(f, "; it offers ", offered.as_ref())
        }
        Kind::ServerBusy { status, retry_after } => {
            write!(f, "the server answered with {status} and does not want the connection now")?;
            optional(f, "; retry after ", retry_after.map(Elapsed).as_ref())
        }
        Kind::GatewayFailed { status } => {
            write!(f, "a proxy answered with {status}: the server behind it ")?;
            f.write_str(match status {
                504 => "did not answer in time",
                _ => "gave no answer, or none that the proxy understands",
            })
        }
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
            write!(f, "the server chose the extension {seen}, which was not offered (RFC 6455 section 4.1)")
        }
        Kind::UnsolicitedSubprotocol { seen } => {
            write!(f, "the server chose the subprotocol {seen}, which was not offered (RFC 6455 section 4.1)")
        }
        Kind::SeveralSubprotocols { seen } => {
            write!(f, "the server chose more than one subprotocol: {seen} (RFC 6455 section 4.2.2)")
        }
        kind => f.write_str(kind.code()),
    }
}

fn missing(f: &mut fmt::Formatter<'_>, head: &str, name: &str) -> fmt::Result {
    write!(f, "the {head} has no {name} field")
}

fn optional(f: &mut fmt::Formatter<'_>, before: &str, value: Option<&impl fmt::Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, "{before}{value}"))
}

/// What the head of this end is called.
pub(crate) const fn head_of(role: Role) -> &'static str {
    match role {
        Role::Client => "request",
        Role::Server => "response",
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
