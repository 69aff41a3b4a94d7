//! The client's side of the opening handshake (RFC 6455 section 4.1).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::{Bytes, BytesMut};

use crate::config::ClientConfig;
use crate::connection::{Connection, Settings};
use crate::entropy::Entropy;
use crate::error::TransportError;
use crate::handshake::error::{HandshakeError, Phase};
use crate::handshake::fields::{
    ExtraFields, InvalidField, InvalidSubprotocol, elements, is_token, push_line,
};
use crate::handshake::head::Collector;
use crate::handshake::key::{ACCEPT_LEN, accept_value, encode_nonce};
use crate::handshake::kind::{Excerpt, HandshakeErrorKind as Kind};
use crate::handshake::parse::HeadKind;
use crate::handshake::progress::{Evidence, Progress};
use crate::handshake::response::Response;
use crate::role::Role;
use crate::time::Instant;
use crate::url::{Url, UrlError};

/// What a client asks for: where, with which subprotocols, and with which fields of its own.
///
/// It can be used for any number of attempts; each has a key of its own.
///
/// ```
/// use sansocket::ClientRequest;
///
/// let request = ClientRequest::new("wss://example.com/chat")?
///     .subprotocol("chat.v2")?
///     .subprotocol("chat.v1")?
///     .field("Authorization", "Bearer 7")?;
/// assert!(request.url().is_secure());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ClientRequest {
    url: Url,
    /// As a field value: `a, b`.
    subprotocols: String,
    fields: ExtraFields,
}

impl ClientRequest {
    /// A request for the resource at `url`, such as `ws://host:port/path?query`.
    ///
    /// # Errors
    ///
    /// `url` is not a WebSocket URI.
    pub fn new(url: &str) -> Result<Self, UrlError> {
        Ok(Self::to(url.parse()?))
    }

    /// A request for the resource at `url`.
    #[must_use]
    pub fn to(url: Url) -> Self {
        Self { url, subprotocols: String::new(), fields: ExtraFields::default() }
    }

    /// The URL that was given. If it [is secure](Url::is_secure), the handshake must go through TLS.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Offers a subprotocol; the preferred one comes first.
    ///
    /// # Errors
    ///
    /// It is not a token, or was offered before.
    pub fn subprotocol(mut self, subprotocol: &str) -> Result<Self, InvalidSubprotocol> {
        if !is_token(subprotocol.as_bytes()) {
            return Err(InvalidSubprotocol::NotToken);
        }
        if elements(self.subprotocols.as_bytes()).any(|offered| offered == subprotocol.as_bytes()) {
            return Err(InvalidSubprotocol::Twice);
        }
        if !self.subprotocols.is_empty() {
            self.subprotocols.push_str(", ");
        }
        self.subprotocols.push_str(subprotocol);
        Ok(self)
    }

    /// Adds a field, such as `Origin` or `Authorization`. `value` may have bytes over 0x7F.
    ///
    /// # Errors
    ///
    /// A name that is not a token or that the handshake sets itself (`Host`, `Upgrade`, `Connection`, `Content-Length`,
    /// `Transfer-Encoding`, and all that begin with `Sec-WebSocket-`), or a value with control characters.
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, InvalidField> {
        self.fields.push(name, value.as_ref(), &["host"])?;
        Ok(self)
    }

    //= https://www.rfc-editor.org/rfc/rfc6455#section-4.1
    //# The request MUST contain an |Upgrade| header field whose value
    //# MUST include the "websocket" keyword.
    //# The request MUST contain a |Connection| header field whose value
    //# MUST include the "Upgrade" token.
    //# The request MUST include a header field with the name
    //# |Sec-WebSocket-Version|.  The value of this header field MUST be
    //# 13.
    fn encode(&self, key: &[u8]) -> Bytes {
        let mut out = Vec::with_capacity(REQUEST_CAPACITY + self.fields.lines().len());
        for part in ["GET ", self.url.resource_name(), " HTTP/1.1\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
        push_line(&mut out, "Host", self.url.host_field().as_bytes());
        push_line(&mut out, "Upgrade", b"websocket");
        push_line(&mut out, "Connection", b"Upgrade");
        push_line(&mut out, "Sec-WebSocket-Key", key);
        push_line(&mut out, "Sec-WebSocket-Version", b"13");
        if !self.subprotocols.is_empty() {
            push_line(&mut out, "Sec-WebSocket-Protocol", self.subprotocols.as_bytes());
        }
        out.extend_from_slice(self.fields.lines());
        out.extend_from_slice(b"\r\n");
        out.into()
    }
}

impl fmt::Debug for ClientRequest {
    /// Shows the names of the fields and not their values, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields.names().collect();
        f.debug_struct("ClientRequest")
            .field("url", &self.url)
            .field("subprotocols", &self.subprotocols)
            .field("fields", &names)
            .finish()
    }
}

/// A client's opening handshake.
///
/// **Write what [`transmit`](Self::transmit) gives, and give it what comes: bytes, the end of the stream, trouble, and the
/// time of its deadline; the first result other than [`ClientStep::NeedMore`] decides.**
///
/// 1. Write [`transmit`](Self::transmit) until it is empty. If [`Url::is_secure`], through TLS only.
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
/// let mut input = BytesMut::from("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
/// let error = handshake.receive(&mut input, Instant::ZERO).unwrap_err();
/// assert_eq!(error.kind(), &HandshakeErrorKind::UnexpectedStatus { status: 404 });
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
    progress: Progress,
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
        Self {
            out: request.encode(&key),
            collector: Collector::new(HeadKind::Response, config.limits),
            settings: Settings::from(config),
            entropy: Some(entropy),
            accept: accept_value(&key),
            offered: request.subprotocols.clone(),
            progress: Progress::new(Role::Client, config.timeouts.handshake, now),
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
    /// that settles it, such as the body of the response.
    pub fn receive(&mut self, input: &mut BytesMut, now: Instant) -> Result<ClientStep, HandshakeError> {
        if let Some(error) = self.progress.failure() {
            return Err(error);
        }
        if self.progress.has_succeeded() || input.is_empty() {
            return Ok(ClientStep::NeedMore);
        }
        self.progress.count_read();
        loop {
            let before = input.len();
            let collected = self.collector.receive(input);
            self.progress.count(before - input.len());
            let parsed = match collected {
                Ok(Some(parsed)) => parsed,
                Ok(None) => return Ok(ClientStep::NeedMore),
                Err(kind) => return Err(self.fail(kind, None, now)),
            };
            let minor_version = parsed.minor_version;
            let mut response = Response::new(parsed);
            match response.status() {
                // RFC 9110 section 15.2: a client must be able to skip interim responses.
                100 | 102..=199 => continue,
                101 if minor_version == 0 => {
                    let seen = Excerpt::new(b"HTTP/1.0");
                    return Err(self.fail(Kind::HttpVersion { seen }, Some(response), now));
                }
                101 => {}
                status => return Err(self.fail(Kind::UnexpectedStatus { status }, Some(response), now)),
            }
            if let Err(kind) = response.check(&self.accept, &self.offered) {
                return Err(self.fail(kind, Some(response), now));
            }
            self.progress.succeed();
            let first_output = BytesMut::new();
            let entropy = self.entropy.take();
            let connection = Connection::start(Role::Client, &self.settings, entropy, first_output, now);
            return Ok(ClientStep::Open(connection, response));
        }
    }

    /// The server closed its side of TCP.
    pub fn eof(&mut self, now: Instant) -> HandshakeError {
        let kind = self.progress.eof_kind();
        self.fail(kind, None, now)
    }

    /// Reading or writing failed.
    pub fn failed(&mut self, error: TransportError, now: Instant) -> HandshakeError {
        self.fail(Kind::TransportFailed(error), None, now)
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
    /// The response was not complete in time.
    pub fn timeout(&mut self, now: Instant) -> Result<(), HandshakeError> {
        if let Some(error) = self.progress.failure() {
            return Err(error);
        }
        match self.progress.expired(now) {
            Some(limit) => Err(self.fail(Kind::TimedOut { limit }, None, now)),
            None => Ok(()),
        }
    }

    fn fail(&mut self, kind: Kind, response: Option<Response>, now: Instant) -> HandshakeError {
        let phase = match (self.progress.has_succeeded(), self.progress.bytes()) {
            (true, _) => Phase::Done,
            (false, 0) if !self.out.is_empty() => Phase::SendingRequest,
            (false, 0) => Phase::AwaitingResponse,
            (false, _) => Phase::ReadingResponse,
        };
        self.out.clear();
        let evidence = Evidence { head: self.collector.held(), reply: None, response };
        self.progress.fail(kind, phase, evidence, now)
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

/// Room for a request without long names, so that it is built without moving it.
const REQUEST_CAPACITY: usize = 512;
