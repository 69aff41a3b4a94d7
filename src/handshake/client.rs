//! The client's side of the opening handshake (RFC 6455 section 4.1).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::{Bytes, BytesMut};

use crate::config::ClientConfig;
use crate::connection::{Connection, Settings};
use crate::entropy::Entropy;
use crate::error::TransportError;
use crate::handshake::body::Body;
use crate::handshake::client_request::ClientRequest;
use crate::handshake::error::{HandshakeError, Phase};
use crate::handshake::excerpt::Excerpt;
use crate::handshake::head::Collector;
use crate::handshake::key::{ACCEPT_LEN, accept_value, encode_nonce};
use crate::handshake::kind::HandshakeErrorKind as Kind;
use crate::handshake::parse::HeadKind;
use crate::handshake::peer::Peer;
use crate::handshake::progress::{Evidence, Progress};
use crate::handshake::response::Response;
use crate::role::Role;
use crate::time::Instant;

/// A client's opening handshake.
///
/// **Write what [`transmit`](Self::transmit) gives, and give it what comes: bytes, the end of the stream, trouble, and the
/// time of its deadline; the first result other than [`ClientStep::NeedMore`] decides.**
///
/// 1. Write [`transmit`](Self::transmit) until it is empty. If [`Url::is_secure`](crate::Url::is_secure), through TLS only.
/// 2. Bytes came: [`receive`](Self::receive) them, also while the request is not written whole. What comes behind the head
///    stays in the input, for the connection.
/// 3. The stream ended or failed: [`eof`](Self::eof) or [`failed`](Self::failed).
/// 4. The [`deadline`](Self::deadline) came: [`timeout`](Self::timeout).
/// 5. It failed: close TCP. Every later call gives the same error.
///
/// ```
/// use bytes::{Buf, BytesMut};
/// use sansocket::{ClientConfig, ClientHandshake, ClientRequest, Entropy, HandshakeErrorKind, Instant};
///
/// let request = ClientRequest::new("ws://example.com/chat")?;
/// // Take the seed from the operating system.
/// let entropy = Entropy::from_seed([7; 32]);
/// let mut handshake = ClientHandshake::new(&request, &ClientConfig::default(), entropy, Instant::ZERO);
/// assert!(handshake.transmit().starts_with(b"GET /chat HTTP/1.1\r\nHost: example.com\r\n"));
/// let written = handshake.transmit().len();
/// handshake.transmit().advance(written);
///
/// let mut input = BytesMut::from("HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\nNothing here.");
/// let error = handshake.receive(&mut input, Instant::ZERO).unwrap_err();
/// assert_eq!(error.kind(), &HandshakeErrorKind::UnexpectedStatus { status: 404 });
/// assert_eq!(error.body(), b"Nothing here.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ClientHandshake {
    out: Bytes,
    collector: Collector,
    settings: Settings,
    /// Goes to the connection when it opens.
    entropy: Option<Entropy>,
    accept: [u8; ACCEPT_LEN],
    /// The subprotocols offered, as a field value.
    offered: String,
    /// The path of the request, for the error.
    path: Option<Excerpt>,
    progress: Progress,
    error_body: usize,
    refused: Option<Box<Refused>>,
}

/// A response that refuses the handshake, while its body is read.
struct Refused {
    kind: Kind,
    response: Response,
    body: Body,
}

/// What [`ClientHandshake::receive`] came to.
#[derive(Debug)]
#[must_use]
#[expect(clippy::large_enum_variant, reason = "it is matched at once, and once in the life of a connection")]
pub enum ClientStep {
    /// The head is not complete, and all of the input was taken. A normal answer.
    NeedMore,
    /// The connection is open, and this is how the server agreed to it.
    Open(Connection, Response),
}

impl ClientHandshake {
    /// A handshake that begins `now`, when TCP (and TLS) are connected.
    ///
    /// `entropy` gives the key, and later the masking-keys of the connection; each handshake needs one of its own.
    #[must_use]
    pub fn new(request: &ClientRequest, config: &ClientConfig, mut entropy: Entropy, now: Instant) -> Self {
        let key = encode_nonce(entropy.nonce());
        let settings = Settings::from(config);
        Self {
            out: request.encode(&key, settings.deflate.as_ref()),
            collector: Collector::new(HeadKind::Response, &config.limits),
            settings,
            entropy: Some(entropy),
            accept: accept_value(&key),
            offered: request.offered().into(),
            path: Some(Excerpt::of_path(request.url().resource_name().as_bytes())),
            progress: Progress::new(Role::Client, config.timeouts.handshake, now),
            error_body: config.limits.error_body,
            refused: None,
        }
    }

    /// The request, less what was written: a [`bytes::Buf`], to be advanced by what was written. Empty once it is written
    /// or the handshake has failed.
    pub fn transmit(&mut self) -> &mut Bytes {
        &mut self.out
    }

    /// Takes what belongs to the head from the front of `input`, and leaves what comes behind it.
    ///
    /// Interim responses (status 100, 102 to 199) are skipped; together with the final one they may have
    /// [`Limits::head_bytes`](crate::Limits::head_bytes). When the connection has been given, it takes nothing any more.
    ///
    /// # Errors
    ///
    /// The response has a status other than 101, or breaks a rule or a limit. `input` keeps what comes behind the byte
    /// that settles it.
    ///
    /// If the status is another, the first [`Limits::error_body`](crate::Limits::error_body) bytes of the body are taken
    /// too before the error comes, for [`HandshakeError::body`]; its end, the end of the stream or the deadline cut that
    /// short.
    pub fn receive(&mut self, input: &mut BytesMut, now: Instant) -> Result<ClientStep, HandshakeError> {
        if let Some(error) = self.progress.failure() {
            return Err(error);
        }
        if self.progress.has_succeeded() || input.is_empty() {
            return Ok(ClientStep::NeedMore);
        }
        self.progress.count_read();
        if self.refused.is_some() {
            return self.receive_body(input, now);
        }
        let before = input.len();
        if self.collector.receive_byte(input) || self.collector.receive_few(input) {
            self.progress.count(before);
            return Ok(ClientStep::NeedMore);
        }
        loop {
            let before = input.len();
            let collected = self.collector.receive(input);
            self.progress.count(before - input.len());
            let parsed = match collected {
                Ok(Some(parsed)) => parsed,
                Ok(None) => {
                    if self.collector.is_foreign() {
                        self.progress.lose_patience(now);
                    }
                    return Ok(ClientStep::NeedMore);
                }
                Err(kind) => {
                    let behind: &[u8] = if kind == Kind::NotHttp { input } else { &[] };
                    return Err(self.fail(kind, behind, now));
                }
            };
            let minor_version = parsed.minor_version;
            let mut response = Response::new(parsed);
            match response.status() {
                // RFC 9110 section 15.2: a client must be able to skip interim responses.
                100 | 102..=199 => continue,
                101 if minor_version == 0 => {
                    let seen = Excerpt::new(b"HTTP/1.0");
                    return Err(self.fail_by(Kind::HttpVersion { seen }, response, Vec::new(), now));
                }
                101 => {}
                _ => {
                    self.out.clear();
                    let kind = response.refusal();
                    let body = Body::new(&response, self.error_body);
                    self.progress.lose_patience(now);
                    self.refused = Some(Refused { kind, response, body }.into());
                    return self.receive_body(input, now);
                }
            }
            if let Err(kind) = response.check(&self.accept, &self.offered, self.settings.deflate.as_ref()) {
                return Err(self.fail_by(kind, response, Vec::new(), now));
            }
            self.progress.succeed();
            let first_output = BytesMut::new();
            let entropy = self.entropy.take();
            let deflate = response.agreed_deflate();
            let connection =
                Connection::start(Role::Client, &self.settings, deflate, entropy, first_output, now);
            return Ok(ClientStep::Open(connection, response));
        }
    }

    /// The server closed its side of TCP.
    pub fn eof(&mut self, now: Instant) -> HandshakeError {
        let kind = self.progress.eof_kind(self.collector.is_foreign());
        self.fail(kind, &[], now)
    }

    /// Reading or writing failed.
    pub fn failed(&mut self, error: TransportError, now: Instant) -> HandshakeError {
        let kind = match self.progress.has_succeeded() {
            true => Kind::Finished,
            false => Kind::TransportFailed(error),
        };
        self.fail(kind, &[], now)
    }

    /// When to call [`timeout`](Self::timeout). `None` once the connection is open or the handshake has failed.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.progress.deadline()
    }

    /// The time is `now`. Before the [`deadline`](Self::deadline) nothing happens.
    ///
    /// # Errors
    ///
    /// The response was not complete in time. If its head was, and it is only the body that is late, the error is that of
    /// the response.
    pub fn timeout(&mut self, now: Instant) -> Result<(), HandshakeError> {
        if let Some(error) = self.progress.failure() {
            return Err(error);
        }
        if !self.progress.is_expired(now) {
            return Ok(());
        }
        let kind = self.progress.timeout_kind(self.collector.is_foreign());
        Err(self.fail(kind, &[], now))
    }

    /// Takes what is wanted of the body of a response that refuses the handshake.
    fn receive_body(&mut self, input: &mut BytesMut, now: Instant) -> Result<ClientStep, HandshakeError> {
        if let Some(refused) = &mut self.refused {
            let taken = refused.body.receive(input);
            self.progress.count(taken);
        }
        match self.refused.take_if(|refused| refused.body.is_complete()) {
            Some(refused) => Err(self.refuse(*refused, now)),
            None => Ok(ClientStep::NeedMore),
        }
    }

    /// Fails with what a response has already said, or else with `kind`.
    fn fail(&mut self, kind: Kind, behind: &[u8], now: Instant) -> HandshakeError {
        if let Some(refused) = self.refused.take() {
            return self.refuse(*refused, now);
        }
        let phase = match (self.progress.has_succeeded(), self.progress.bytes()) {
            (true, _) => Phase::Done,
            (false, 0) if !self.out.is_empty() => Phase::SendingRequest,
            (false, 0) => Phase::AwaitingResponse,
            (false, _) => Phase::ReadingResponse,
        };
        self.out.clear();
        let peer = match phase {
            Phase::Done => Peer::WebSocketServer,
            _ => self.collector.peer(),
        };
        let head = self.collector.held();
        let path = self.path.take();
        let evidence = Evidence { head, behind, path, ..Evidence::of(peer) };
        self.progress.fail(kind, phase, evidence, now)
    }

    fn refuse(&mut self, refused: Refused, now: Instant) -> HandshakeError {
        let Refused { kind, response, body } = refused;
        self.fail_by(kind, response, body.into_content(), now)
    }

    /// Fails because of a response whose head is whole.
    fn fail_by(&mut self, kind: Kind, response: Response, body: Vec<u8>, now: Instant) -> HandshakeError {
        self.out.clear();
        let peer = Peer::of_response(&response);
        let path = self.path.take();
        let evidence = Evidence { response: Some(response), body, path, ..Evidence::of(peer) };
        self.progress.fail(kind, Phase::ReadingResponse, evidence, now)
    }
}

impl fmt::Debug for ClientHandshake {
    /// Leaves out the request and the bytes received, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandshake")
            .field("unwritten", &self.out.len())
            .field("bytes", &self.progress.bytes())
            .field("deadline", &self.progress.deadline())
            .finish_non_exhaustive()
    }
}
