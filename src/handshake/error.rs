//! The error of a failed opening handshake: what went wrong, where, after how much, and what to answer.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use bytes::Bytes;

use crate::handshake::advice::advice;
use crate::handshake::excerpt::Excerpt;
use crate::handshake::farewell::Farewell;
use crate::handshake::kind::HandshakeErrorKind;
use crate::handshake::peer::Peer;
use crate::handshake::response::Response;
use crate::handshake::severity::Severity;
use crate::handshake::status::reply_status;
use crate::handshake::text::{Elapsed, Sentence};
use crate::role::Role;
use crate::time::Instant;

/// Why an opening handshake failed.
///
/// It is as large as a pointer, and cheap to clone. `Display` gives one line that stands alone in a log:
///
/// ```
/// use core::time::Duration;
/// use sansocket::{HandshakeErrorKind, Instant, ServerConfig, ServerHandshake};
///
/// let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
/// let error = handshake.eof(Instant::ZERO + Duration::from_millis(12));
/// assert_eq!(error.kind(), &HandshakeErrorKind::ClosedBeforeFirstByte);
/// assert_eq!(
///     error.to_string(),
///     "opening handshake failed: the client closed TCP before it sent a byte \
///      (closed-before-first-byte; awaiting request, 0 bytes in 0 reads, 12 ms)",
/// );
/// ```
#[derive(Clone)]
pub struct HandshakeError {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) kind: HandshakeErrorKind,
    pub(crate) role: Role,
    pub(crate) phase: Phase,
    pub(crate) bytes: u64,
    pub(crate) reads: u32,
    pub(crate) elapsed: Duration,
    pub(crate) peer: Peer,
    pub(crate) first_bytes: Box<[u8]>,
    pub(crate) body: Box<[u8]>,
    pub(crate) reply: Option<Bytes>,
    pub(crate) response: Option<Response>,
    pub(crate) path: Option<Excerpt>,
    pub(crate) reason: Option<Box<str>>,
}

impl HandshakeError {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> &HandshakeErrorKind {
        &self.inner.kind
    }

    /// A short name of the kind that does not change, such as `closed-before-first-byte`: one of
    /// [`HandshakeErrorKind::CODES`].
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.inner.kind.code()
    }

    /// How serious it is, and which level it deserves in a log.
    #[must_use]
    pub fn severity(&self) -> Severity {
        Severity::of(self.kind(), self.peer(), self.role())
    }

    /// What the peer appears to be.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.inner.peer
    }

    /// How far the handshake had come.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.inner.phase
    }

    /// The role of this endpoint.
    #[must_use]
    pub fn role(&self) -> Role {
        self.inner.role
    }

    /// Bytes of the peer up to the one that settled it, on a client with the [body](Self::body) as it was on the wire. What
    /// came behind that one was left in the input.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.inner.bytes
    }

    /// Calls of `receive` that brought bytes.
    #[must_use]
    pub fn reads(&self) -> u32 {
        self.inner.reads
    }

    /// Time from the start of the handshake to its failure.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.inner.elapsed
    }

    /// The first bytes that came, at most 64. Where the peer does not speak HTTP, those behind the one that settled it are
    /// among them if they came in the same read. Of HTTP, what comes before the query, which may hold secrets,
    /// and before the value of a field such as `Authorization`.
    #[must_use]
    pub fn first_bytes(&self) -> &[u8] {
        &self.inner.first_bytes
    }

    /// A server: the whole HTTP reply to send before TCP is closed. `None` if HTTP would be wrong, as after the end of the
    /// stream or to a peer that does not speak it. A client: always `None`.
    ///
    /// So that the client gets to see it, write it, shut down the writing side, and read on for a short while before
    /// TCP is closed: closing with unread input resets the connection. An error while doing so does not matter any more.
    #[must_use]
    pub fn reply(&self) -> Option<&Bytes> {
        self.inner.reply.as_ref()
    }

    /// What is left to do with the byte stream: to write the reply, and to make sure that it arrives within `limit`, for which
    /// [`Timeouts::close`](crate::Timeouts::close) is a good value.
    #[must_use]
    pub fn farewell(&self, limit: Duration, now: Instant) -> Farewell {
        Farewell::new(self.reply().cloned(), limit, now)
    }

    /// The HTTP status: of [`reply`](Self::reply) on a server, of the server's [`response`](Self::response) on a client.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &self.inner.response {
            Some(response) => Some(response.status()),
            None => self.inner.reply.as_ref().and(reply_status(&self.inner.kind, &self.inner.peer)),
        }
    }

    /// The path of the request, at most 128 bytes of it: without the query, which may hold secrets. On a client, of the request that
    /// it sent. On a server, of the request that came: `None` unless its head was whole and could be read.
    #[must_use]
    pub fn path(&self) -> Option<&Excerpt> {
        self.inner.path.as_ref()
    }

    /// A server: why its application rejected the request, as [`Reject::reason`](crate::Reject::reason) has it, at most 200
    /// characters of it. A client: always `None`.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.inner.reason.as_deref()
    }

    /// A client: the head of the server's response, if it came whole, such as a redirect's with its `Location` field.
    #[must_use]
    pub fn response(&self) -> Option<&Response> {
        self.inner.response.as_ref()
    }

    /// A client: the first bytes of the body of a response with another status than 101, at most
    /// [`Limits::error_body`](crate::Limits::error_body). The chunked transfer coding is taken off; a content coding
    /// (`gzip`) is not.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.inner.body
    }

    /// What can be done about it: one sentence for a person.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        advice(self.kind(), self.peer(), self.role())
    }

    pub(crate) fn counts(&self) -> impl fmt::Display + use<> {
        Counts { bytes: self.inner.bytes, reads: self.inner.reads }
    }

    /// What went wrong, in one sentence without its full stop.
    pub(crate) fn sentence(&self) -> impl fmt::Display + '_ {
        let Inner { kind, role, peer, reason, .. } = &*self.inner;
        Sentence { kind, role: *role, peer, reason: reason.as_deref() }
    }

    /// What `Display` has in brackets behind the code.
    pub(crate) fn write_circumstances(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, role, phase, elapsed, first_bytes, body, path, .. } = &*self.inner;
        // The path of a request that has a fault is in the sentence, where it matters.
        let tells = *role == Role::Client || matches!(kind, HandshakeErrorKind::Rejected { .. });
        if let Some(path) = path.as_ref().filter(|_| tells) {
            write!(f, "path {path}, ")?;
        }
        write!(f, "{phase}, {}, {}", self.counts(), Elapsed(*elapsed))?;
        let helpful = matches!(
            kind,
            HandshakeErrorKind::NotHttp
                | HandshakeErrorKind::ClosedInsideHead
                | HandshakeErrorKind::TimedOut { .. }
                | HandshakeErrorKind::TransportFailed(_)
        );
        if helpful && !first_bytes.is_empty() {
            let shown = first_bytes.get(..SHOWN).unwrap_or(first_bytes);
            write!(f, ", first bytes \"{}\"", shown.escape_ascii())?;
        }
        if !body.is_empty() {
            let shown = body.get(..SHOWN_BODY).unwrap_or(body);
            let more = if shown.len() < body.len() { "..." } else { "" };
            write!(f, ", body \"{}\"{more}", shown.escape_ascii())?;
        }
        Ok(())
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "opening handshake failed: {} ({}; ", self.sentence(), self.code())?;
        self.write_circumstances(f)?;
        f.write_str(")")
    }
}

impl fmt::Debug for HandshakeError {
    /// Leaves out the head, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, role, phase, bytes, reads, elapsed, peer, .. } = &*self.inner;
        f.debug_struct("HandshakeError")
            .field("kind", kind)
            .field("peer", &peer.code())
            .field("role", role)
            .field("phase", phase)
            .field("bytes", bytes)
            .field("reads", reads)
            .field("elapsed", elapsed)
            .finish_non_exhaustive()
    }
}

impl core::error::Error for HandshakeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.inner.kind {
            HandshakeErrorKind::TransportFailed(error) => Some(error),
            _ => None,
        }
    }
}

/// How much came: `50 bytes in 1 read`.
struct Counts {
    bytes: u64,
    reads: u32,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, reads } = self;
        let byte_s = if *bytes == 1 { "byte" } else { "bytes" };
        let read_s = if *reads == 1 { "read" } else { "reads" };
        write!(f, "{bytes} {byte_s} in {reads} {read_s}")
    }
}

/// How far an opening handshake has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// A server that has not received a byte.
    AwaitingRequest,
    /// A server that has received a part of the request.
    ReadingRequest,
    /// A server whose application has the request.
    Deciding,
    /// A client that has not written its whole request, nor received a byte.
    SendingRequest,
    /// A client that has written its request and not received a byte.
    AwaitingResponse,
    /// A client that has received a part of the response.
    ReadingResponse,
    /// The connection is open.
    Done,
}

impl Phase {
    /// A short name that does not change, for metrics: `awaiting-request`, `reading-request`, `deciding`, `sending-request`,
    /// `awaiting-response`, `reading-response` or `done`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AwaitingRequest => "awaiting-request",
            Self::ReadingRequest => "reading-request",
            Self::Deciding => "deciding",
            Self::SendingRequest => "sending-request",
            Self::AwaitingResponse => "awaiting-response",
            Self::ReadingResponse => "reading-response",
            Self::Done => "done",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AwaitingRequest => "awaiting request",
            Self::ReadingRequest => "reading request",
            Self::Deciding => "deciding",
            Self::SendingRequest => "sending request",
            Self::AwaitingResponse => "awaiting response",
            Self::ReadingResponse => "reading response",
            Self::Done => "done",
        })
    }
}

/// How many of the first bytes `Display` shows: enough to know a protocol, and few enough for one line.
const SHOWN: usize = 32;

/// How much of a body `Display` shows: a sentence or two.
const SHOWN_BODY: usize = 120;
