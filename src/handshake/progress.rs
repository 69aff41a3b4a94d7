//! What both roles count while they shake hands, and the first error, which stays.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use crate::handshake::appearance::begins_http;
use crate::handshake::error::{HandshakeError, Inner, Phase};
use crate::handshake::excerpt::{Excerpt, before_secrets};
use crate::handshake::kind::HandshakeErrorKind;
use crate::handshake::peer::Peer;
use crate::handshake::response::Response;
use crate::role::Role;
use crate::time::Instant;

/// How far a handshake is, and what it took.
#[derive(Clone)]
pub(crate) struct Progress {
    role: Role,
    started: Instant,
    limit: Option<Duration>,
    bytes: u64,
    reads: u32,
    /// When what is only of use to the explanation is not waited for any longer.
    patience: Option<Instant>,
    succeeded: bool,
    // INVARIANT: once set it does not change, so that no later trouble hides the cause.
    failed: Option<HandshakeError>,
}

/// What an error carries besides its kind and the counts.
pub(crate) struct Evidence<'a> {
    pub(crate) peer: Peer,
    /// What came of the head, if there is no whole `response`.
    pub(crate) head: &'a [u8],
    /// What came with it and is no part of a head: the rest of another protocol.
    pub(crate) behind: &'a [u8],
    pub(crate) reply: Option<Bytes>,
    pub(crate) response: Option<Response>,
    /// What came of the body behind that response.
    pub(crate) body: Vec<u8>,
    /// The path of the request, if that is known.
    pub(crate) path: Option<Excerpt>,
    /// Why this server's application rejected the request.
    pub(crate) reason: Option<Box<str>>,
}

impl Evidence<'_> {
    /// Of a peer that sent nothing that is worth to be kept.
    pub(crate) fn of(peer: Peer) -> Self {
        Self {
            peer,
            head: &[],
            behind: &[],
            reply: None,
            response: None,
            body: Vec::new(),
            path: None,
            reason: None,
        }
    }
}

impl Progress {
    pub(crate) fn new(role: Role, limit: Option<Duration>, now: Instant) -> Self {
        Self { role, started: now, limit, bytes: 0, reads: 0, patience: None, succeeded: false, failed: None }
    }

    #[inline]
    pub(crate) fn count(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    #[inline]
    pub(crate) fn count_read(&mut self) {
        self.reads = self.reads.saturating_add(1);
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn succeed(&mut self) {
        self.succeeded = true;
    }

    pub(crate) fn has_succeeded(&self) -> bool {
        self.succeeded
    }

    /// Whether it has neither succeeded nor failed.
    #[inline]
    pub(crate) fn is_under_way(&self) -> bool {
        !self.succeeded && self.failed.is_none()
    }

    pub(crate) fn failure(&self) -> Option<HandshakeError> {
        self.failed.clone()
    }

    /// Notes that it is certain to fail, so that the rest is only waited for until [`PATIENCE`] is over. The first call counts.
    pub(crate) fn lose_patience(&mut self, now: Instant) {
        self.patience.get_or_insert(now + PATIENCE);
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.succeeded || self.failed.is_some() {
            return None;
        }
        let whole = self.limit.map(|limit| self.started + limit);
        [whole, self.patience].into_iter().flatten().min()
    }

    pub(crate) fn is_expired(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= now)
    }

    /// The kind that the end of the time has, for a peer that speaks another protocol or not.
    pub(crate) fn timeout_kind(&self, is_foreign: bool) -> HandshakeErrorKind {
        match is_foreign {
            true => HandshakeErrorKind::NotHttp,
            false => HandshakeErrorKind::TimedOut { limit: self.limit.unwrap_or_default() },
        }
    }

    /// The kind that the end of the stream has now, for a peer that speaks another protocol or not.
    pub(crate) fn eof_kind(&self, is_foreign: bool) -> HandshakeErrorKind {
        match (self.succeeded, self.role) {
            (true, Role::Server) => HandshakeErrorKind::ClosedBeforeReply,
            (true, Role::Client) => HandshakeErrorKind::Finished,
            (false, _) if is_foreign => HandshakeErrorKind::NotHttp,
            (false, _) if self.bytes == 0 => HandshakeErrorKind::ClosedBeforeFirstByte,
            (false, _) => HandshakeErrorKind::ClosedInsideHead,
        }
    }

    /// Makes the first error, or gives it again.
    pub(crate) fn fail(
        &mut self,
        kind: HandshakeErrorKind,
        phase: Phase,
        evidence: Evidence<'_>,
        now: Instant,
    ) -> HandshakeError {
        let error = || {
            let Evidence { peer, head, behind, reply, response, body, path, reason } = evidence;
            let head = response.as_ref().map_or(head, |response| response.head().bytes());
            // Of HTTP, up to what may be secret.
            let is_http = peer.reads_http() || begins_http(head) || head.starts_with(b"HTTP/");
            let head = if is_http { before_secrets(head) } else { head };
            HandshakeError::new(Inner {
                kind,
                role: self.role,
                phase,
                bytes: self.bytes,
                reads: self.reads,
                elapsed: now.since(self.started),
                peer,
                first_bytes: head.iter().chain(behind).copied().take(FIRST_BYTES).collect(),
                reply,
                response,
                body: body.into(),
                path,
                reason,
            })
        };
        match &self.failed {
            Some(first) => first.clone(),
            None => self.failed.insert(error()).clone(),
        }
    }
}

/// How many of the peer's first bytes an error keeps: enough to know most protocols by.
pub(crate) const FIRST_BYTES: usize = 64;

/// How long an endpoint waits for what only explains a failure that is certain: the rest of another protocol's first words, or
/// the body of a response that refuses. One more round trip of a bad link, and never more than is left for the handshake.
const PATIENCE: Duration = Duration::from_secs(1);
