//! The server's side of the opening handshake (RFC 6455 section 4.2).

use alloc::boxed::Box;
use core::fmt;

use bytes::{Bytes, BytesMut};

use crate::config::ServerConfig;
use crate::connection::{Connection, Settings};
use crate::error::TransportError;
use crate::extension::DeflateParams;
use crate::handshake::appearance::begins_http;
use crate::handshake::decision::{Accept, AcceptError, AcceptRefused};
use crate::handshake::error::{HandshakeError, Phase};
use crate::handshake::excerpt::Excerpt;
use crate::handshake::head::Collector;
use crate::handshake::key::accept_value;
use crate::handshake::kind::HandshakeErrorKind as Kind;
use crate::handshake::parse::HeadKind;
use crate::handshake::peer::Peer;
use crate::handshake::plain::PlainRequest;
use crate::handshake::progress::{Evidence, Progress};
use crate::handshake::refused::Refused;
use crate::handshake::reject::Reject;
use crate::handshake::reply;
use crate::handshake::request::Request;
use crate::role::Role;
use crate::time::Instant;

/// A server's opening handshake, up to the point where the application has the request.
///
/// **Give it what comes: bytes, the end of the stream, trouble, and the time of its deadline; the first result other than
/// [`ServerStep::NeedMore`] decides.**
///
/// 1. Bytes came: [`receive`](Self::receive) them. What comes behind the head stays in the input, for the connection.
/// 2. The stream ended or failed: [`eof`](Self::eof) or [`failed`](Self::failed).
/// 3. The [`deadline`](Self::deadline) came: [`timeout`](Self::timeout).
/// 4. It failed: say [`farewell`](HandshakeError::farewell), which sends the reply if there is one, and close TCP. Every later
///    call gives the same error, so that a reply that cannot be written does not hide the cause.
/// 5. There is a [`PendingRequest`]: [`accept`](PendingRequest::accept) or [`reject`](PendingRequest::reject) it.
/// 6. There is a [`PlainRequest`], if asked for: [`answer`](PlainRequest::answer) it, and close TCP as after a failure.
///
/// Bytes that are not HTTP are followed until it is known what they are, such as a TLS ClientHello up to the name of the
/// server that it asks for, but for no longer than a second. What they are so far decides if the stream ends before that, or
/// the time.
///
/// Until the head is complete it holds little more than the bytes received.
///
/// ```
/// use bytes::{Buf, BytesMut};
/// use sansocket::{Accept, Instant, ServerConfig, ServerHandshake, ServerStep};
///
/// let now = Instant::ZERO;
/// let mut handshake = ServerHandshake::new(&ServerConfig::default(), now);
/// let mut input = BytesMut::from(
///     "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
/// );
/// let ServerStep::Request(pending) = handshake.receive(&mut input, now)? else { panic!("the head is whole") };
/// assert_eq!(pending.request().target(), "/chat");
/// let mut connection = pending.accept(Accept::new(), now)?;
/// assert!(connection.transmit().chunk().starts_with(b"HTTP/1.1 101 "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ServerHandshake {
    pub(crate) collector: Collector,
    settings: Settings,
    accept_malformed_key: bool,
    plain_http: bool,
    /// Who sent the request that has been given.
    given: Option<Peer>,
    progress: Progress,
}

/// What [`ServerHandshake::receive`] came to.
#[derive(Debug)]
#[must_use]
pub enum ServerStep {
    /// The head is not complete, and all of the input was taken. A normal answer.
    NeedMore,
    /// The request is complete and follows the rules; the application decides.
    Request(PendingRequest),
    /// A plain HTTP request, which the application answers. Only with
    /// [`ServerConfig::plain_http`](crate::ServerConfig::plain_http). Not a failure.
    Http(PlainRequest),
}

impl ServerHandshake {
    /// A handshake that begins `now`, when TCP (and TLS) are connected.
    #[must_use]
    pub fn new(config: &ServerConfig, now: Instant) -> Self {
        Self {
            collector: Collector::new(HeadKind::Request, &config.limits),
            settings: Settings::from(config),
            accept_malformed_key: config.accept_malformed_key,
            plain_http: config.plain_http,
            given: None,
            progress: Progress::new(Role::Server, config.timeouts.handshake, now),
        }
    }

    /// Takes what belongs to the head from the front of `input`, and leaves what comes behind it.
    ///
    /// When the request has been given, it takes nothing any more and needs more.
    ///
    /// # Errors
    ///
    /// The request breaks a rule or a limit, as soon as the byte that settles it is there. `input` keeps what comes behind
    /// that byte, which is of no use.
    // The short way of a peer that sends byte by byte is to be inlined where it is called, and the rest is not.
    #[inline]
    pub fn receive(&mut self, input: &mut BytesMut, now: Instant) -> Result<ServerStep, HandshakeError> {
        if self.progress.is_under_way() && self.collector.receive_byte(input) {
            self.progress.count_read();
            self.progress.count(1);
            return Ok(ServerStep::NeedMore);
        }
        self.receive_bytes(input, now)
    }

    #[inline(never)]
    fn receive_bytes(&mut self, input: &mut BytesMut, now: Instant) -> Result<ServerStep, HandshakeError> {
        if let Some(error) = self.progress.failure() {
            return Err(error);
        }
        if self.progress.has_succeeded() || input.is_empty() {
            return Ok(ServerStep::NeedMore);
        }
        self.progress.count_read();
        let before = input.len();
        if self.collector.receive_few(input) {
            self.progress.count(before);
            return Ok(ServerStep::NeedMore);
        }
        self.receive_head(input, now)
    }

    // Apart, so that the short ways do not pay for its stack.
    #[inline(never)]
    fn receive_head(&mut self, input: &mut BytesMut, now: Instant) -> Result<ServerStep, HandshakeError> {
        let before = input.len();
        let collected = self.collector.receive(input);
        self.progress.count(before - input.len());
        let parsed = match collected {
            Ok(Some(parsed)) => parsed,
            Ok(None) => {
                if self.collector.is_foreign() {
                    self.progress.lose_patience(now);
                }
                return Ok(ServerStep::NeedMore);
            }
            Err(kind) => {
                let behind: &[u8] = if kind == Kind::NotHttp { input } else { &[] };
                return Err(self.fail(kind, behind, false, now));
            }
        };
        if self.plain_http && PlainRequest::is_plain(&parsed.head) {
            let request = PlainRequest::check(parsed).map_err(|refused| self.refuse(*refused, now))?;
            self.progress.succeed();
            self.given = Some(request.peer());
            return Ok(ServerStep::Http(request));
        }
        let checked = Request::check(parsed, self.accept_malformed_key);
        let request = checked.map_err(|refused| self.refuse(*refused, now))?;
        self.progress.succeed();
        self.given = Some(Peer::WebSocketClient);
        let (settings, progress) = (self.settings.clone(), self.progress.clone());
        Ok(ServerStep::Request(PendingRequest { inner: Box::new(Pending { request, settings, progress }) }))
    }

    #[cold]
    fn refuse(&mut self, refused: Refused, now: Instant) -> HandshakeError {
        let Refused { kind, peer, head, is_head_method, path, command } = refused;
        let reply = reply::fault(&kind, &peer, is_head_method, command);
        let evidence = Evidence { head: head.bytes(), reply, path, ..Evidence::of(peer) };
        self.progress.fail(kind, Phase::ReadingRequest, evidence, now)
    }

    /// The client closed its side of TCP. There is no reply: who has gone does not read.
    ///
    /// When the request has been given and not yet answered, the kind is
    /// [`ClosedBeforeReply`](crate::HandshakeErrorKind::ClosedBeforeReply).
    pub fn eof(&mut self, now: Instant) -> HandshakeError {
        let kind = self.progress.eof_kind(self.collector.is_foreign());
        self.fail(kind, &[], true, now)
    }

    /// Reading or writing failed. There is no reply.
    pub fn failed(&mut self, error: TransportError, now: Instant) -> HandshakeError {
        self.fail(Kind::TransportFailed(error), &[], true, now)
    }

    /// When to call [`timeout`](Self::timeout). `None` once the request has been given or the handshake has failed: from
    /// then on the application takes its own time. [`receive`](Self::receive) may bring it nearer.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.progress.deadline()
    }

    /// The time is `now`. Before the [`deadline`](Self::deadline) nothing happens.
    ///
    /// # Errors
    ///
    /// The request was not complete in time. The reply is 408 if the client sent a part of it, and none if it was silent.
    pub fn timeout(&mut self, now: Instant) -> Result<(), HandshakeError> {
        if let Some(error) = self.progress.failure() {
            return Err(error);
        }
        if !self.progress.is_expired(now) {
            return Ok(());
        }
        let kind = self.progress.timeout_kind(self.collector.is_foreign());
        Err(self.fail(kind, &[], false, now))
    }

    /// Fails before the head is complete, or when the request is with the application.
    fn fail(&mut self, kind: Kind, behind: &[u8], ended: bool, now: Instant) -> HandshakeError {
        let head = self.collector.held();
        let peer = self.given.take().unwrap_or_else(|| self.collector.peer());
        let phase = match (self.progress.has_succeeded(), self.progress.bytes()) {
            (true, _) => Phase::Deciding,
            (false, 0) => Phase::AwaitingRequest,
            (false, _) => Phase::ReadingRequest,
        };
        let reply = match phase {
            // Who has closed TCP before its words of TLS were whole does not read.
            _ if ended && kind == Kind::NotHttp => None,
            Phase::ReadingRequest if peer.reads_http() || is_tls(&peer) || begins_http(head) => {
                reply::fault(&kind, &peer, asks_for_head(head), None)
            }
            _ => None,
        };
        let evidence = Evidence { head, behind, reply, ..Evidence::of(peer) };
        self.progress.fail(kind, phase, evidence, now)
    }
}

impl fmt::Debug for ServerHandshake {
    /// Leaves out the bytes received, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandshake")
            .field("bytes", &self.progress.bytes())
            .field("deadline", &self.progress.deadline())
            .finish_non_exhaustive()
    }
}

/// A request that follows the rules and awaits the application's decision.
///
/// It is owned and can go to another task. No deadline applies any more: an application that asks others before it
/// decides must limit that time itself.
pub struct PendingRequest {
    // Boxed so that what a read came to fits into registers: nearly always it is `NeedMore` where a peer sends byte by byte.
    inner: Box<Pending>,
}

/// A request that is accepted, the reply that says so, and what was agreed about compression.
type Agreed = (Box<Pending>, BytesMut, Option<DeflateParams>);

struct Pending {
    request: Request,
    settings: Settings,
    progress: Progress,
}

impl PendingRequest {
    /// The request.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.inner.request
    }

    /// Another configuration for the connection than the one that the request was judged by, such as larger messages on one path.
    pub fn reconfigure(&mut self, config: &ServerConfig) {
        self.inner.settings = Settings::from(config);
    }

    /// Opens the connection. Its first output ([`Connection::transmit`]) is the reply with status 101.
    ///
    /// # Errors
    ///
    /// A subprotocol that the client does not offer; the request comes back in the error.
    pub fn accept(self, accept: Accept, now: Instant) -> Result<Connection, AcceptError> {
        let (pending, reply, params) = self.agree(accept)?;
        Ok(Connection::start(Role::Server, &pending.settings, params, None, reply, now))
    }

    /// As [`accept`](Self::accept), with the reply by itself: for who writes it before the connection writes anything, such as an HTTP
    /// server.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn accept_apart(self, accept: Accept, now: Instant) -> Result<(Bytes, Connection), AcceptError> {
        let (pending, reply, params) = self.agree(accept)?;
        let nothing = BytesMut::new();
        let connection = Connection::start(Role::Server, &pending.settings, params, None, nothing, now);
        Ok((reply.freeze(), connection))
    }

    #[inline]
    fn agree(self, accept: Accept) -> Result<Agreed, AcceptError> {
        let Accept { subprotocol, fields, uncompressed, .. } = accept;
        //= https://www.rfc-editor.org/rfc/rfc6455#section-4.2.2
        //# The value chosen MUST be derived
        //# from the client's handshake, specifically by selecting one of
        //# the values from the |Sec-WebSocket-Protocol| field that the
        //# server is willing to use for this connection (if any).
        let Pending { request, settings, .. } = &*self.inner;
        if let Some(chosen) = &subprotocol {
            if !request.subprotocols().any(|offered| offered == &**chosen) {
                let reason = AcceptRefused::SubprotocolNotOffered;
                return Err(AcceptError { pending: self.into(), reason });
            }
        }
        let key = accept_value(request.key_bytes());
        let deflate = settings.deflate.as_ref().filter(|_| !uncompressed);
        let deflate = deflate.and_then(|deflate| deflate.accept(request.extensions()));
        let (params, extensions) = deflate.unzip();
        let reply = reply::switching_protocols(&key, subprotocol.as_deref(), extensions.as_deref(), &fields);
        Ok((self.inner, reply, params))
    }

    /// Rejects the request. The error, of kind [`Rejected`](crate::HandshakeErrorKind::Rejected), has the reply to send.
    #[must_use]
    pub fn reject(mut self, reject: Reject, now: Instant) -> HandshakeError {
        let kind = Kind::Rejected { status: reject.status() };
        let Pending { request, progress, .. } = &mut *self.inner;
        let evidence = Evidence {
            head: request.head().bytes(),
            reply: Some(reject.encode(false)),
            path: Some(Excerpt::of_path(request.target().as_bytes())),
            reason: reject.kept_reason(),
            ..Evidence::of(Peer::WebSocketClient)
        };
        progress.fail(kind, Phase::Deciding, evidence, now)
    }
}

impl fmt::Debug for PendingRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingRequest").field("request", self.request()).finish_non_exhaustive()
    }
}

fn is_tls(peer: &Peer) -> bool {
    matches!(peer, Peer::TlsClient(_))
}

/// Whether a head, of which nothing more may be known, asks for a reply without a body.
fn asks_for_head(head: &[u8]) -> bool {
    let start = head.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or_default();
    head.get(start..).is_some_and(|head| head.starts_with(b"HEAD "))
}
