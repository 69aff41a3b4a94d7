//! The error of a failed opening handshake: what went wrong, where, after how much, and what to answer.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use bytes::Bytes;

use crate::handshake::farewell::Farewell;
use crate::handshake::kind::HandshakeErrorKind;
use crate::handshake::response::Response;
use crate::handshake::text::{Elapsed, Sentence, advice};
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
    pub(crate) first_bytes: Box<[u8]>,
    pub(crate) reply: Option<Bytes>,
    pub(crate) response: Option<Response>,
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

    /// A short name of the kind that does not change, such as `closed-before-first-byte`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.inner.kind.code()
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

    /// Bytes of the peer up to the one that settled it. What came behind that one was left in the input.
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

    /// The first bytes of the head that failed, at most 64.
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

    /// The HTTP status: of [`reply`](Self::reply) on a server, of the server's answer on a client.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.inner.kind {
            HandshakeErrorKind::UnexpectedStatus { status } => Some(status),
            _ => self.inner.reply.as_ref().and(self.inner.kind.reply_status()),
        }
    }

    /// A client: the head of the server's response, if it came whole, such as a redirect's with its `Location` field.
    #[must_use]
    pub fn response(&self) -> Option<&Response> {
        self.inner.response.as_ref()
    }

    /// What can be done about it: one sentence for a person.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        advice(&self.inner.kind, self.inner.role)
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, role, phase, bytes, reads, elapsed, first_bytes, .. } = &*self.inner;
        let sentence = Sentence { kind, role: *role };
        let byte_s = if *bytes == 1 { "byte" } else { "bytes" };
        let read_s = if *reads == 1 { "read" } else { "reads" };
        let code = kind.code();
        write!(f, "opening handshake failed: {sentence} ({code}; {phase}, ")?;
        write!(f, "{bytes} {byte_s} in {reads} {read_s}, {}", Elapsed(*elapsed))?;
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
        f.write_str(")")
    }
}

impl fmt::Debug for HandshakeError {
    /// Leaves out the head, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, role, phase, bytes, reads, elapsed, .. } = &*self.inner;
        f.debug_struct("HandshakeError")
            .field("kind", kind)
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
