//! What both roles count while they shake hands, and the first error, which stays.

use alloc::boxed::Box;
use core::time::Duration;

use bytes::Bytes;

use crate::handshake::error::{HandshakeError, Inner, Phase};
use crate::handshake::kind::HandshakeErrorKind;
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
    succeeded: bool,
    // INVARIANT: once set it does not change, so that no later trouble hides the cause.
    failed: Option<HandshakeError>,
}

/// What an error carries besides its kind and the counts.
pub(crate) struct Evidence<'a> {
    /// What came of the head, if there is no whole `response`.
    pub(crate) head: &'a [u8],
    pub(crate) reply: Option<Bytes>,
    pub(crate) response: Option<Response>,
}

impl Progress {
    pub(crate) fn new(role: Role, limit: Option<Duration>, now: Instant) -> Self {
        Self { role, started: now, limit, bytes: 0, reads: 0, succeeded: false, failed: None }
    }

    pub(crate) fn count(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

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

    pub(crate) fn failure(&self) -> Option<HandshakeError> {
        self.failed.clone()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.succeeded || self.failed.is_some() { None } else { Some(self.started + self.limit?) }
    }

    /// The time limit, if it is over at `now`.
    pub(crate) fn expired(&self, now: Instant) -> Option<Duration> {
        self.limit.filter(|_| self.deadline().is_some_and(|deadline| deadline <= now))
    }

    /// The kind that the end of the stream has now.
    pub(crate) fn eof_kind(&self) -> HandshakeErrorKind {
        match (self.succeeded, self.role) {
            (true, Role::Server) => HandshakeErrorKind::ClosedBeforeReply,
            (true, Role::Client) => HandshakeErrorKind::Finished,
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
            let Evidence { head, reply, response } = evidence;
            let head = response.as_ref().map_or(head, |response| response.head().bytes());
            HandshakeError::new(Inner {
                kind,
                role: self.role,
                phase,
                bytes: self.bytes,
                reads: self.reads,
                elapsed: now.since(self.started),
                first_bytes: Box::from(head.get(..FIRST_BYTES).unwrap_or(head)),
                reply,
                response,
            })
        };
        match &self.failed {
            Some(first) => first.clone(),
            None => self.failed.insert(error()).clone(),
        }
    }
}

/// How many of the peer's first bytes an error keeps: enough to know most protocols by.
const FIRST_BYTES: usize = 64;
