//! Runs one handshake over pieces, and says what came of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
pub(crate) use sansocket::Role;
use sansocket::{
    ClientConfig, ClientHandshake, ClientRequest, ClientStep, Entropy, HandshakeError, HandshakeErrorKind,
    Instant, Peer, PendingRequest, Phase, Reject, ServerConfig, ServerHandshake, ServerStep, Severity,
    TransportError,
};
use sha1::{Digest, Sha1};

use crate::cases::{Case, End};

/// What answers the key of [`client`], which is always the same; by section 4.2.2, written down once more.
pub(crate) fn accept_value() -> String {
    let mut client = client_with_request(&ClientConfig::default());
    let request = String::from_utf8(client.transmit().to_vec()).expect("a request is ASCII");
    let (_, rest) = request.split_once("Sec-WebSocket-Key: ").expect("a request has a key");
    let (key, _) = rest.split_once("\r\n").expect("a line has an end");
    STANDARD.encode(Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")))
}

/// What came of a handshake, without what depends on how the input was split.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    NeedMore,
    /// With what is left of the input.
    Ok(Vec<u8>),
    Failed(Box<Failed>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failed {
    pub(crate) kind: HandshakeErrorKind,
    pub(crate) phase: Phase,
    pub(crate) peer: Peer,
    pub(crate) severity: Severity,
    pub(crate) status: Option<u16>,
    pub(crate) bytes: u64,
    pub(crate) reply: Option<Vec<u8>>,
    pub(crate) body: Vec<u8>,
    pub(crate) advice: &'static str,
    pub(crate) rest: Vec<u8>,
}

impl Outcome {
    /// As the data files write it.
    pub(crate) fn summary(&self) -> String {
        match self {
            Self::NeedMore => "need more".to_owned(),
            Self::Ok(_) => "ok".to_owned(),
            Self::Failed(failed) => {
                let Failed { kind, phase, peer, severity, status, .. } = &**failed;
                let status = status.map_or("-".to_owned(), |status| status.to_string());
                format!("{}; {phase}; {}; {severity}; {status}", kind.code(), peer.code())
            }
        }
    }
}

/// What a run ended in: the outcome, and the error as it was, if it failed.
pub(crate) fn run(case: &Case, pieces: &[&[u8]]) -> (Outcome, Option<HandshakeError>) {
    match case.role {
        Role::Server => serve(case, pieces),
        Role::Client => connect(case, pieces),
    }
}

pub(crate) fn whole(case: &Case) -> (Outcome, Option<HandshakeError>) {
    run(case, &[&case.bytes])
}

/// A failure of the server with bytes that are followed by nothing.
pub(crate) fn refusal(bytes: &[u8]) -> HandshakeError {
    let mut server = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    server.receive(&mut BytesMut::from(bytes), Instant::ZERO).expect_err("these bytes settle it")
}

/// A client that offers chat and superchat, and has written its request.
pub(crate) fn client(config: &ClientConfig) -> ClientHandshake {
    let mut client = client_with_request(config);
    client.transmit().clear();
    client
}

fn client_with_request(config: &ClientConfig) -> ClientHandshake {
    let request = ClientRequest::new("ws://example.com/chat")
        .expect("a URL")
        .subprotocol("chat")
        .and_then(|request| request.subprotocol("superchat"))
        .expect("two tokens");
    ClientHandshake::new(&request, config, Entropy::from_seed([7; 32]), Instant::ZERO)
}

pub(crate) fn secs(secs: u64) -> Instant {
    Instant::from_nanos(secs * 1_000_000_000)
}

fn serve(case: &Case, pieces: &[&[u8]]) -> (Outcome, Option<HandshakeError>) {
    let mut config = ServerConfig::default();
    config.plain_http = case.plain_http;
    let mut handshake = ServerHandshake::new(&config, Instant::ZERO);
    let mut input = BytesMut::new();
    let mut pending: Option<PendingRequest> = None;
    let (mut answered, mut decided) = (false, false);
    let mut error = None;
    for piece in pieces {
        input.extend_from_slice(piece);
        if decided || error.is_some() {
            continue;
        }
        match handshake.receive(&mut input, Instant::ZERO) {
            Ok(ServerStep::NeedMore) => assert!(input.is_empty(), "all of the input is taken"),
            Ok(ServerStep::Request(request)) => (pending, decided) = (Some(request), true),
            Ok(ServerStep::Http(_)) => (answered, decided) = (true, true),
            Err(failed) => error = Some(failed),
        }
    }
    if answered {
        // The handshake is over, and what ends the stream is none of its business.
        return (Outcome::Ok(input.to_vec()), None);
    }
    let error = error.or_else(|| match (case.end, pending) {
        (End::Nothing, _) => None,
        (End::Eof, _) => Some(handshake.eof(secs(1))),
        (End::Timeout, _) => {
            let deadline = handshake.deadline().expect("it is not decided");
            Some(handshake.timeout(deadline).expect_err("the time is over"))
        }
        (End::Reset, _) => Some(handshake.failed(TransportError::Reset, secs(1))),
        (End::Reject(status), pending) => {
            let reject = Reject::new(status);
            Some(pending.expect("a request that follows the rules").reject(reject, secs(1)))
        }
    });
    (outcome(error.as_ref(), decided, &input), error)
}

fn connect(case: &Case, pieces: &[&[u8]]) -> (Outcome, Option<HandshakeError>) {
    let mut handshake = client(&ClientConfig::default());
    let mut input = BytesMut::new();
    let mut open = false;
    let mut error = None;
    for piece in pieces {
        input.extend_from_slice(piece);
        if open || error.is_some() {
            continue;
        }
        match handshake.receive(&mut input, Instant::ZERO) {
            Ok(ClientStep::NeedMore) => assert!(input.is_empty(), "all of the input is taken"),
            Ok(ClientStep::Open(..)) => open = true,
            Err(failed) => error = Some(failed),
        }
    }
    let error = error.or_else(|| match case.end {
        End::Nothing => None,
        End::Eof => Some(handshake.eof(secs(1))),
        End::Timeout => {
            let deadline = handshake.deadline().expect("it is not decided");
            Some(handshake.timeout(deadline).expect_err("the time is over"))
        }
        End::Reset => Some(handshake.failed(TransportError::Reset, secs(1))),
        End::Reject(_) => panic!("a client rejects nothing"),
    });
    (outcome(error.as_ref(), open, &input), error)
}

fn outcome(error: Option<&HandshakeError>, is_ok: bool, rest: &[u8]) -> Outcome {
    match error {
        None if is_ok => Outcome::Ok(rest.to_vec()),
        None => Outcome::NeedMore,
        Some(error) => Outcome::Failed(Box::new(Failed {
            kind: error.kind().clone(),
            phase: error.phase(),
            peer: error.peer().clone(),
            severity: error.severity(),
            status: error.status(),
            bytes: error.bytes(),
            reply: error.reply().map(|reply| reply.to_vec()),
            body: error.body().to_vec(),
            advice: error.advice(),
            rest: rest.to_vec(),
        })),
    }
}
