//! What all tests of the opening handshake share: cases from files, a way to run one, and what came of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, BytesMut};
use sansocket::{
    Accept, ClientConfig, ClientHandshake, ClientRequest, ClientStep, Entropy, HandshakeError,
    HandshakeErrorKind, Instant, Peer, PendingRequest, Phase, ServerConfig, ServerHandshake, ServerStep,
    Severity,
};
use sha1::{Digest, Sha1};

pub(crate) const HOST: &str = "Host: example.com\r\n";
pub(crate) const UPGRADE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
pub(crate) const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
pub(crate) const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";

/// A request that every server accepts, with `fields` (each with its line end) on top.
pub(crate) fn request_with(fields: &str) -> Vec<u8> {
    format!("GET /chat HTTP/1.1\r\n{HOST}{UPGRADE}{KEY}{VERSION}{fields}\r\n").into_bytes()
}

pub(crate) fn request() -> Vec<u8> {
    request_with("")
}

/// A case of a data file.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// What stands behind `=>`.
    pub(crate) expected: String,
    pub(crate) head: Vec<u8>,
}

pub(crate) fn requests() -> Vec<Case> {
    let rest = format!("{HOST}{UPGRADE}{KEY}{VERSION}");
    cases(
        include_str!("data/requests.http"),
        &[
            ("{host}", HOST),
            ("{upgrade}", UPGRADE),
            ("{key}", KEY),
            ("{version}", VERSION),
            ("{rest}", &rest),
        ],
    )
}

pub(crate) fn responses() -> Vec<Case> {
    let accept = format!("Sec-WebSocket-Accept: {}\r\n", accept_value(&new_client().1));
    let rest = format!("{UPGRADE}{accept}");
    let wrong = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    cases(
        include_str!("data/responses.http"),
        &[("{upgrade}", UPGRADE), ("{accept}", &accept), ("{rest}", &rest), ("{wrong}", wrong)],
    )
}

fn cases(file: &str, lines: &[(&str, &str)]) -> Vec<Case> {
    file.split("\n### ")
        .skip(1)
        .map(|case| {
            let (title, head) = case.split_once('\n').expect("a case has a head");
            let (name, expected) = title.split_once(" => ").expect("a case has a result");
            let mut bytes = Vec::new();
            for line in head.trim_end_matches('\n').split('\n') {
                match lines.iter().find(|(name, _)| *name == line) {
                    Some((_, text)) => bytes.extend_from_slice(text.as_bytes()),
                    None => {
                        unescape(line, &mut bytes);
                        bytes.extend_from_slice(b"\r\n");
                    }
                }
            }
            bytes.extend_from_slice(b"\r\n");
            let mut expected_bytes = Vec::new();
            unescape(expected, &mut expected_bytes);
            let expected = String::from_utf8(expected_bytes).expect("a result is text");
            Case { name: name.to_owned(), expected, head: bytes }
        })
        .collect()
}

fn unescape(line: &str, out: &mut Vec<u8>) {
    let mut rest = line;
    while let Some((before, escape)) = rest.split_once('\\') {
        out.extend_from_slice(before.as_bytes());
        rest = &escape[1..];
        match escape.as_bytes()[0] {
            b't' => out.push(b'\t'),
            b'\\' => out.push(b'\\'),
            b'x' => {
                out.push(u8::from_str_radix(&rest[..2], 16).expect("two digits"));
                rest = &rest[2..];
            }
            other => panic!("no such escape: {:?}", char::from(other)),
        }
    }
    out.extend_from_slice(rest.as_bytes());
}

/// What came of a handshake, without what depends on how the input was split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    NeedMore,
    Accepted(Agreed),
    Failed(Failed),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// Resource name and host, or the subprotocol.
    pub(crate) about: String,
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    pub(crate) first_output: Vec<u8>,
    /// What is left in the input.
    pub(crate) rest: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) kind: HandshakeErrorKind,
    pub(crate) phase: Phase,
    pub(crate) bytes: u64,
    /// Left out where the peer does not speak HTTP: what came in the same read is among them.
    pub(crate) first_bytes: Vec<u8>,
    pub(crate) peer: Peer,
    pub(crate) severity: Severity,
    pub(crate) body: Vec<u8>,
    pub(crate) reply: Option<Vec<u8>>,
    pub(crate) rest: Vec<u8>,
}

impl Outcome {
    /// As the data files write it.
    pub(crate) fn summary(&self) -> String {
        match self {
            Self::NeedMore => "need more".to_owned(),
            Self::Accepted(agreed) => format!("ok {}", agreed.about),
            Self::Failed(failed) => failed.kind.code().to_owned(),
        }
    }
}

pub(crate) fn outcome_of(error: &HandshakeError, rest: &[u8]) -> Outcome {
    Outcome::Failed(Failed {
        kind: error.kind().clone(),
        phase: error.phase(),
        bytes: error.bytes(),
        first_bytes: match error.kind() {
            HandshakeErrorKind::NotHttp => Vec::new(),
            _ => error.first_bytes().to_vec(),
        },
        peer: error.peer().clone(),
        severity: error.severity(),
        body: error.body().to_vec(),
        reply: error.reply().map(|reply| reply.to_vec()),
        rest: rest.to_vec(),
    })
}

/// Runs a server's handshake over `pieces`, each appended to the input when the one before was looked at.
pub(crate) fn serve(config: &ServerConfig, pieces: &[&[u8]]) -> Outcome {
    let mut handshake = ServerHandshake::new(config, Instant::ZERO);
    let mut input = BytesMut::new();
    let mut outcome = Outcome::NeedMore;
    for piece in pieces {
        input.extend_from_slice(piece);
        if outcome != Outcome::NeedMore {
            continue;
        }
        match handshake.receive(&mut input, Instant::ZERO) {
            Ok(ServerStep::NeedMore) => assert!(input.is_empty(), "all of the input is taken"),
            Ok(ServerStep::Request(pending)) => outcome = accepted(pending),
            Ok(ServerStep::Http(request)) => panic!("nobody asked for {request:?}"),
            Err(error) => outcome = outcome_of(&error, &[]),
        }
    }
    set_rest(&mut outcome, &input);
    outcome
}

fn accepted(pending: PendingRequest) -> Outcome {
    let request = pending.request();
    let about = request.target().to_owned();
    let fields = owned(request.fields());
    let mut connection = pending.accept(Accept::new(), Instant::ZERO).expect("nothing is asked for");
    let mut output = connection.transmit();
    let first_output = output.copy_to_bytes(output.remaining()).to_vec();
    Outcome::Accepted(Agreed { about, fields, first_output, rest: Vec::new() })
}

/// Runs a client's handshake over `pieces`, as [`serve`] does.
pub(crate) fn connect(config: &ClientConfig, pieces: &[&[u8]]) -> Outcome {
    let request = client_request();
    let mut handshake = ClientHandshake::new(&request, config, entropy(), Instant::ZERO);
    handshake.transmit().clear();
    let mut input = BytesMut::new();
    let mut outcome = Outcome::NeedMore;
    for piece in pieces {
        input.extend_from_slice(piece);
        if outcome != Outcome::NeedMore {
            continue;
        }
        match handshake.receive(&mut input, Instant::ZERO) {
            Ok(ClientStep::NeedMore) => assert!(input.is_empty(), "all of the input is taken"),
            Ok(ClientStep::Open(mut connection, response)) => {
                assert_eq!(connection.transmit().remaining(), 0, "a client has nothing to say yet");
                let about = response.subprotocol().unwrap_or("-").to_owned();
                let fields = owned(response.fields());
                outcome =
                    Outcome::Accepted(Agreed { about, fields, first_output: Vec::new(), rest: Vec::new() });
            }
            Err(error) => outcome = outcome_of(&error, &[]),
        }
    }
    set_rest(&mut outcome, &input);
    outcome
}

fn set_rest(outcome: &mut Outcome, input: &[u8]) {
    match outcome {
        Outcome::NeedMore => {}
        Outcome::Accepted(Agreed { rest, .. }) | Outcome::Failed(Failed { rest, .. }) => {
            *rest = input.to_vec()
        }
    }
}

fn owned<'a>(fields: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<(String, Vec<u8>)> {
    fields.map(|(name, value)| (name.to_owned(), value.to_vec())).collect()
}

/// Feeds `bytes` at once and gives the error.
pub(crate) fn refusal(bytes: &[u8]) -> HandshakeError {
    refusal_with(&ServerConfig::default(), bytes)
}

pub(crate) fn refusal_with(config: &ServerConfig, bytes: &[u8]) -> HandshakeError {
    let mut handshake = ServerHandshake::new(config, Instant::ZERO);
    handshake.receive(&mut BytesMut::from(bytes), Instant::ZERO).expect_err("the request breaks a rule")
}

/// Feeds `bytes` at once and gives the request.
pub(crate) fn pending(bytes: &[u8]) -> PendingRequest {
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    match handshake.receive(&mut BytesMut::from(bytes), Instant::ZERO) {
        Ok(ServerStep::Request(pending)) => pending,
        other => panic!("the request follows the rules, but: {other:?}"),
    }
}

pub(crate) fn client_request() -> ClientRequest {
    let request = ClientRequest::new("ws://example.com/chat").expect("a URL");
    request.subprotocol("chat").and_then(|request| request.subprotocol("superchat")).expect("two tokens")
}

/// The same randomness, and so the same key, in every test.
pub(crate) fn entropy() -> Entropy {
    Entropy::from_seed([7; 32])
}

/// A client that has not written its request, and the key that it sends.
pub(crate) fn new_client() -> (ClientHandshake, String) {
    let config = ClientConfig::default();
    let mut handshake = ClientHandshake::new(&client_request(), &config, entropy(), Instant::ZERO);
    let key = field(handshake.transmit(), "Sec-WebSocket-Key").expect("a request has a key");
    (handshake, key)
}

/// The response that a server sends to [`new_client`], with `fields` on top.
pub(crate) fn response_with(fields: &str) -> Vec<u8> {
    let accept = accept_value(&new_client().1);
    format!("HTTP/1.1 101 Switching Protocols\r\n{UPGRADE}Sec-WebSocket-Accept: {accept}\r\n{fields}\r\n")
        .into()
}

/// Section 4.2.2, written down once more: the library is not judged by its own code.
pub(crate) fn accept_value(key: &str) -> String {
    STANDARD.encode(Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")))
}

/// The value of a field in a head that this library wrote.
pub(crate) fn field(head: &[u8], name: &str) -> Option<String> {
    let (head, _) = split_head(head);
    head.split("\r\n").skip(1).find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        (found == name).then(|| value.to_owned())
    })
}

/// A head that this library wrote, and what comes behind it.
pub(crate) fn split_head(message: &[u8]) -> (String, Vec<u8>) {
    let end = message.windows(4).position(|end| end == b"\r\n\r\n").expect("a head ends");
    let head = message[..end].iter().map(|&byte| char::from(byte)).collect();
    (head, message[end + 4..].to_vec())
}

pub(crate) fn millis(millis: u64) -> Instant {
    Instant::from_nanos(millis * 1_000_000)
}
