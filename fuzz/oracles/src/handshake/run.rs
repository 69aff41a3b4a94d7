//! Runs the library's handshake over pieces: what came of it, and how much memory it held.

use std::sync::LazyLock;

use bytes::{Buf, BytesMut};
use sansocket::{
    Accept, ClientConfig, ClientHandshake, ClientRequest, ClientStep, Connection, Entropy, HandshakeError,
    HandshakeErrorKind, Instant, Limits, PlainRequest, Response, ServerConfig, ServerHandshake, ServerStep,
};

pub(crate) use sansocket::Role;

use super::request::accept_value as answer_to;
use crate::memory;

/// Which endpoint shakes hands, and how it is configured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endpoint {
    pub(crate) role: Role,
    /// Small limits, and a server that accepts a malformed key.
    pub(crate) small: bool,
    /// A server that answers plain HTTP too.
    pub(crate) plain_http: bool,
}

impl Endpoint {
    pub(crate) fn limits(self) -> Limits {
        let mut limits = Limits::default();
        if self.small {
            (limits.head_bytes, limits.head_fields, limits.request_line) = (600, 8, 60);
        }
        limits
    }

    pub(crate) fn server_config(self) -> ServerConfig {
        let mut config = ServerConfig::default();
        config.limits = self.limits();
        config.accept_malformed_key = self.small;
        config.plain_http = self.plain_http;
        config
    }

    /// Bytes that a handshake takes at most: a head, and by a client a body, which may be chunked.
    pub(crate) fn most_taken(self) -> usize {
        let limits = self.limits();
        match self.role {
            Role::Server => limits.head_bytes,
            Role::Client => limits.head_bytes + 8 * limits.error_body,
        }
    }
}

/// What comes behind the last piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Eof,
    /// Nothing, until the deadline.
    Timeout,
}

/// What a handshake came to, without what depends on how the input was split.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// With the first output, and what is left of the input.
    Open(Open, Vec<u8>),
    /// A plain HTTP request, by its target, and what is left of the input.
    Plain(String, Vec<u8>),
    Failed {
        kind: HandshakeErrorKind,
        status: Option<u16>,
        reply: Option<Vec<u8>>,
        bytes: u64,
        /// Whether the end decided it, and not a byte.
        at_end: bool,
    },
}

/// An open connection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Open {
    Server { target: String, host: String, subprotocols: Vec<String>, reply: Vec<u8> },
    Client { subprotocol: Option<String> },
}

/// The heap memory of one handshake, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Held {
    /// Before anything was received.
    pub(crate) at_first: usize,
    /// The most at any time, the result included.
    pub(crate) most: usize,
}

/// What a run leaves behind.
pub(crate) struct Run {
    pub(crate) outcome: Outcome,
    pub(crate) error: Option<HandshakeError>,
    pub(crate) held: Held,
}

/// Gives `pieces` to the endpoint, and then `end` if it needs more.
pub(crate) fn run(endpoint: Endpoint, pieces: &[&[u8]], end: End) -> Run {
    let (mut handshake, created) = memory::held(|| Handshake::new(endpoint));
    let mut held = created;
    let mut most = created;
    let mut input = BytesMut::new();
    let (mut outcome, mut failure) = (None, None);
    for piece in pieces {
        input.extend_from_slice(piece);
        if outcome.is_some() {
            continue;
        }
        let ((result, peak), change) = memory::held(|| memory::peak(|| handshake.receive(&mut input)));
        most = most.max(held + peak as isize);
        held += change;
        match result {
            Ok(Step::NeedMore) => assert!(input.is_empty(), "more is needed, so all is taken"),
            Ok(Step::Request(pending)) => {
                let request = pending.request();
                let subprotocols: Vec<String> = request.subprotocols().map(str::to_owned).collect();
                let (target, host) = (request.target().to_owned(), request.host().to_owned());
                let accept = match subprotocols.first() {
                    Some(first) => Accept::new().subprotocol(first),
                    None => Accept::new(),
                };
                let mut connection =
                    pending.accept(accept, Instant::ZERO).expect("the subprotocol was offered");
                let reply = first_output(&mut connection);
                outcome = Some(Outcome::Open(Open::Server { target, host, subprotocols, reply }, Vec::new()));
            }
            Ok(Step::Http(request)) => {
                outcome = Some(Outcome::Plain(request.target().to_owned(), Vec::new()));
            }
            Ok(Step::Open(mut connection, response)) => {
                assert_eq!(response.status(), 101);
                assert!(first_output(&mut connection).is_empty());
                let subprotocol = response.subprotocol().map(str::to_owned);
                outcome = Some(Outcome::Open(Open::Client { subprotocol }, Vec::new()));
            }
            Err(error) => {
                let again = handshake.receive(&mut BytesMut::from(&b"GET"[..]));
                assert_eq!(again.err().map(|error| error.kind().clone()), Some(error.kind().clone()));
                outcome = Some(failed(&error, false));
                failure = Some(error);
            }
        }
    }
    if let Some(Outcome::Open(_, left) | Outcome::Plain(_, left)) = &mut outcome {
        *left = input.to_vec();
    }
    let outcome = outcome.unwrap_or_else(|| {
        let error = handshake.end(end);
        let outcome = failed(&error, true);
        failure = Some(error);
        outcome
    });
    let bytes = |count: isize| usize::try_from(count).unwrap_or_default();
    Run { outcome, error: failure, held: Held { at_first: bytes(created), most: bytes(most) } }
}

/// The fields of a request that is fine.
pub(crate) const REQUEST_FIELDS: [(&str, &str); 5] = [
    ("Host", "example.com"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
];

/// The fields of a response that is fine to the client here.
pub(crate) fn response_fields() -> [(&'static str, String); 3] {
    [
        ("Upgrade", "websocket".into()),
        ("Connection", "Upgrade".into()),
        ("Sec-WebSocket-Accept", accept_value()),
    ]
}

/// The value that the client here expects in `Sec-WebSocket-Accept`.
pub(crate) fn accept_value() -> String {
    answer_to(client_key())
}

/// The `Sec-WebSocket-Key` that the client here sends.
pub(crate) fn client_key() -> &'static [u8] {
    static KEY: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let request = client(&ClientConfig::default()).transmit().to_vec();
        let name = b"Sec-WebSocket-Key: ";
        let at = request.windows(name.len()).position(|part| part == name).expect("a request has a key");
        request[at + name.len()..][..24].to_vec()
    });
    &KEY
}

/// What the client here asks for.
pub(crate) const URL: &str = "ws://example.com/chat";

/// The subprotocols that it offers.
pub(crate) const OFFERED: [&str; 2] = ["chat", "superchat"];

enum Handshake {
    Client(Box<ClientHandshake>),
    Server(Box<ServerHandshake>),
}

enum Step {
    NeedMore,
    Request(Box<sansocket::PendingRequest>),
    Http(Box<PlainRequest>),
    Open(Box<Connection>, Response),
}

impl Handshake {
    fn new(endpoint: Endpoint) -> Self {
        match endpoint.role {
            Role::Client => {
                let mut config = ClientConfig::default();
                config.limits = endpoint.limits();
                let mut client = client(&config);
                client.transmit().clear();
                Self::Client(Box::new(client))
            }
            Role::Server => {
                Self::Server(Box::new(ServerHandshake::new(&endpoint.server_config(), Instant::ZERO)))
            }
        }
    }

    fn receive(&mut self, input: &mut BytesMut) -> Result<Step, HandshakeError> {
        Ok(match self {
            Self::Client(client) => match client.receive(input, Instant::ZERO)? {
                ClientStep::NeedMore => Step::NeedMore,
                ClientStep::Open(connection, response) => Step::Open(Box::new(connection), response),
            },
            Self::Server(server) => match server.receive(input, Instant::ZERO)? {
                ServerStep::NeedMore => Step::NeedMore,
                ServerStep::Request(pending) => Step::Request(Box::new(pending)),
                ServerStep::Http(request) => Step::Http(Box::new(request)),
            },
        })
    }

    fn end(&mut self, end: End) -> HandshakeError {
        match (self, end) {
            (Self::Client(client), End::Eof) => client.eof(Instant::ZERO),
            (Self::Server(server), End::Eof) => server.eof(Instant::ZERO),
            (Self::Client(client), End::Timeout) => {
                let deadline = client.deadline().expect("nothing is decided");
                client.timeout(deadline).expect_err("the time is over")
            }
            (Self::Server(server), End::Timeout) => {
                let deadline = server.deadline().expect("nothing is decided");
                server.timeout(deadline).expect_err("the time is over")
            }
        }
    }
}

fn client(config: &ClientConfig) -> ClientHandshake {
    let mut request = ClientRequest::new(URL).expect("a URL");
    for name in OFFERED {
        request = request.subprotocol(name).expect("a token");
    }
    ClientHandshake::new(&request, config, Entropy::from_seed([7; 32]), Instant::ZERO)
}

fn first_output(connection: &mut Connection) -> Vec<u8> {
    let mut output = connection.transmit();
    let len = output.remaining();
    output.copy_to_bytes(len).to_vec()
}

fn failed(error: &HandshakeError, at_end: bool) -> Outcome {
    Outcome::Failed {
        kind: error.kind().clone(),
        status: error.status(),
        reply: error.reply().map(|reply| reply.to_vec()),
        bytes: error.bytes(),
        at_end,
    }
}
