//! Heads of both roles.

use bytes::{Buf, BytesMut};
use sansocket::{
    Accept, ClientConfig, ClientHandshake, ClientRequest, ClientStep, Connection, Delivery, Entropy,
    HandshakeError, HandshakeErrorKind, Instant, Limits, Role, ServerConfig, ServerHandshake, ServerStep,
};

use crate::memory;
use crate::script::Endpoint;

/// The first byte chooses the endpoint: `s` a server, `c` a client, in capitals with small limits (and a server that
/// accepts a malformed key). The rest is what its peer sends. The client offers the subprotocols chat and superchat.
///
/// - Whole, byte by byte and in two pieces cut anywhere, the result is the same, the reply too, and so is what is left.
/// - Nothing that belongs behind the head is taken, and nothing of the head is left.
/// - An accepted request has what RFC 6455 section 4.2.1 asks for, found by a naive search.
/// - A reply is one well-formed HTTP message; a line for the log is one line. Neither lets the peer write control characters.
/// - What is held is bounded by what was received and by the limit on the head.
/// - After the result every call repeats it.
pub fn handshake(input: &[u8]) {
    let Some((endpoint, stream)) = Endpoint::choose(input) else { return };
    let small = endpoint.delivery == Delivery::Chunks;
    let run = |pieces: &[&[u8]]| run(endpoint.role, small, pieces);
    let (whole, held) = memory::peak(|| run(&[stream]));
    let bound = 8 * stream.len() + 64 * 1024;
    assert!(held <= bound, "{held} bytes held after {} were received", stream.len());
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(run(&bytes), whole, "left: byte by byte, right: whole");
    // A cut that the fuzzer can move without a byte of its own.
    let cut = stream.iter().map(|byte| usize::from(*byte)).sum::<usize>() % (stream.len() + 1);
    assert_eq!(run(&[&stream[..cut], &stream[cut..]]), whole, "left: cut at {cut}, right: whole");
    check(endpoint.role, small, stream, &whole);
}

/// What a handshake came to, without what depends on how the input was split.
#[derive(Debug, PartialEq)]
enum Outcome {
    NeedMore,
    /// With the first output, and what is left of the input.
    Open {
        output: Vec<u8>,
        left: Vec<u8>,
    },
    Failed {
        kind: HandshakeErrorKind,
        status: Option<u16>,
        reply: Option<Vec<u8>>,
        bytes: u64,
    },
}

fn run(role: Role, small: bool, pieces: &[&[u8]]) -> Outcome {
    let (mut input, mut outcome) = (BytesMut::new(), Outcome::NeedMore);
    let mut endpoint = Handshake::new(role, small);
    for piece in pieces {
        input.extend_from_slice(piece);
        if outcome != Outcome::NeedMore {
            continue;
        }
        match endpoint.receive(&mut input) {
            Ok(None) => assert!(input.is_empty(), "more is needed, so all is taken"),
            Ok(Some(mut connection)) => {
                let mut transmit = connection.transmit();
                let len = transmit.remaining();
                outcome = Outcome::Open { output: transmit.copy_to_bytes(len).to_vec(), left: Vec::new() };
            }
            Err(error) => {
                check_error(&error);
                let again = endpoint.receive(&mut BytesMut::from(&b"GET"[..])).expect_err("it has failed");
                assert_eq!(again.kind(), error.kind());
                outcome = Outcome::Failed {
                    kind: error.kind().clone(),
                    status: error.status(),
                    reply: error.reply().map(|reply| reply.to_vec()),
                    bytes: error.bytes(),
                };
            }
        }
    }
    match &mut outcome {
        Outcome::NeedMore => endpoint.check_eof(pieces.iter().all(|piece| piece.is_empty())),
        Outcome::Open { left, .. } => *left = input.to_vec(),
        Outcome::Failed { .. } => {}
    }
    outcome
}

enum Handshake {
    Client(Box<ClientHandshake>),
    Server(Box<ServerHandshake>),
}

impl Handshake {
    fn new(role: Role, small: bool) -> Self {
        let now = Instant::ZERO;
        match role {
            Role::Client => {
                let mut config = ClientConfig::default();
                config.limits = limits(small);
                let request = ClientRequest::new("ws://example.com/chat").expect("a URL");
                let request =
                    request.subprotocol("chat").and_then(|request| request.subprotocol("superchat"));
                let request = request.expect("two tokens");
                let mut client = ClientHandshake::new(&request, &config, Entropy::from_seed([7; 32]), now);
                client.transmit().clear();
                Self::Client(Box::new(client))
            }
            Role::Server => {
                let mut config = ServerConfig::default();
                config.limits = limits(small);
                config.accept_malformed_key = small;
                Self::Server(Box::new(ServerHandshake::new(&config, now)))
            }
        }
    }

    fn receive(&mut self, input: &mut BytesMut) -> Result<Option<Connection>, HandshakeError> {
        let now = Instant::ZERO;
        match self {
            Self::Client(client) => Ok(match client.receive(input, now)? {
                ClientStep::NeedMore => None,
                ClientStep::Open(connection, response) => {
                    assert_eq!(response.status(), 101);
                    assert!(matches!(response.subprotocol(), None | Some("chat" | "superchat")));
                    Some(connection)
                }
            }),
            Self::Server(server) => Ok(match server.receive(input, now)? {
                ServerStep::NeedMore | ServerStep::Http(_) => None,
                ServerStep::Request(pending) => {
                    let target = pending.request().target();
                    assert!(
                        target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic()),
                        "{target:?}"
                    );
                    let offered = pending.request().subprotocols().next().map(str::to_owned);
                    let accept = match &offered {
                        Some(first) => Accept::new().subprotocol(first),
                        None => Accept::new(),
                    };
                    Some(pending.accept(accept, now).expect("the subprotocol was offered"))
                }
            }),
        }
    }

    /// The stream ends before it is decided: after nothing, inside of a head, inside of another protocol's first words, or
    /// inside of the body of a response that refuses.
    fn check_eof(&mut self, nothing: bool) {
        let error = match self {
            Self::Client(client) => client.eof(Instant::ZERO),
            Self::Server(server) => server.eof(Instant::ZERO),
        };
        check_error(&error);
        match error.kind() {
            HandshakeErrorKind::ClosedBeforeFirstByte => assert!(nothing),
            HandshakeErrorKind::ClosedInsideHead | HandshakeErrorKind::NotHttp => assert!(!nothing),
            kind => assert!(error.response().is_some(), "{kind:?}"),
        }
    }
}

fn limits(small: bool) -> Limits {
    let mut limits = Limits::default();
    if small {
        (limits.head_bytes, limits.head_fields, limits.request_line) = (600, 8, 60);
    }
    limits
}

fn check_error(error: &HandshakeError) {
    let line = error.to_string();
    assert!(!line.chars().any(char::is_control), "control characters in {line:?}");
    assert!(line.len() < 2_000, "a line of {} bytes: {line}", line.len());
    assert!(error.first_bytes().len() <= 64);
    let Some(reply) = error.reply() else { return };
    let end = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a reply has a head");
    let head = core::str::from_utf8(&reply[..end]).expect("a head of ours is ASCII");
    let mut lines = head.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status = error.status().expect("a reply has a status");
    assert!(status_line.starts_with(&format!("HTTP/1.1 {status} ")), "{status_line}");
    let (mut content_length, mut close) = (None, false);
    for line in lines {
        assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
        let (name, value) = line.split_once(": ").expect("a field line");
        match name {
            "Content-Length" => content_length = value.parse::<usize>().ok(),
            "Connection" => close = value.split(", ").any(|option| option == "close"),
            _ => {}
        }
    }
    let body = &reply[end + 4..];
    assert!(close, "{head}");
    // A reply to HEAD announces a body that it does not have.
    assert!(content_length == Some(body.len()) || body.is_empty(), "{head}");
    let text = core::str::from_utf8(body).expect("a body of ours is text");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}

fn check(role: Role, small: bool, stream: &[u8], outcome: &Outcome) {
    match outcome {
        Outcome::NeedMore => {
            let limit = most_taken(role, small);
            assert!(stream.len() <= limit, "{} bytes, of which {limit} are allowed", stream.len());
        }
        Outcome::Open { output, left } => {
            assert!(stream.ends_with(left), "what is left is the end of the input");
            let head = &stream[..stream.len() - left.len()];
            assert!(head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n"), "the head ends with an empty line");
            if role == Role::Server {
                assert!(output.starts_with(b"HTTP/1.1 101 ") && output.ends_with(b"\r\n\r\n"));
                check_request(head, small);
            } else {
                assert!(output.is_empty());
                let text = String::from_utf8_lossy(head).to_ascii_lowercase();
                assert!(text.contains(" 101") && text.contains("sec-websocket-accept"), "{text}");
            }
        }
        Outcome::Failed { bytes, .. } => {
            assert!(*bytes <= stream.len() as u64);
            let limit = most_taken(role, small) as u64;
            assert!(*bytes <= limit + 1, "{bytes} bytes were counted, of which {limit} are allowed");
        }
    }
}

/// Bytes that a handshake takes at most: a head, and by a client a body, which may be chunked.
fn most_taken(role: Role, small: bool) -> usize {
    let limits = limits(small);
    match role {
        Role::Server => limits.head_bytes,
        Role::Client => limits.head_bytes + 8 * limits.error_body,
    }
}

/// Section 4.2.1, naively.
fn check_request(head: &[u8], malformed_key: bool) {
    let text: String = head.iter().map(|byte| char::from(*byte)).collect();
    let mut lines =
        text.split('\n').map(|line| line.trim_end_matches('\r')).skip_while(|line| line.is_empty());
    let request_line = lines.next().unwrap_or_default();
    assert!(request_line.starts_with("GET ") && request_line.contains(" HTTP/1."), "{request_line}");
    let fields: Vec<(String, &str)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim_matches([' ', '\t'])))
        .collect();
    let all = |name: &str| {
        fields.iter().filter(|(found, _)| found == name).map(|(_, value)| *value).collect::<Vec<_>>()
    };
    let has_token = |name: &str, token: &str| {
        all(name).iter().flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(token))
    };
    assert_eq!(all("host").len(), 1, "{text}");
    assert!(has_token("upgrade", "websocket") && has_token("connection", "upgrade"), "{text}");
    assert_eq!(all("sec-websocket-version"), ["13"], "{text}");
    let keys = all("sec-websocket-key");
    assert_eq!(keys.len(), 1, "{text}");
    assert!(malformed_key || (keys[0].len() == 24 && keys[0].ends_with("==")), "{text}");
    assert!(all("transfer-encoding").is_empty(), "{text}");
    assert!(all("content-length").iter().all(|value| value.bytes().all(|digit| digit == b'0')), "{text}");
}
