//! Attempts that came to nothing: why, and a bounded list of them.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;
use core::time::Duration;

use crate::closed::Closed;
use crate::dial::DialError;
use crate::error::{Cause, Failure};
use crate::frame::CloseCode;
use crate::handshake::{Elapsed, HandshakeError};
use crate::session::retry_after::retry_after;
use crate::session::verdict::{Pace, RetryRules, Verdict};
use crate::time::Instant;

/// Why a dial failed, and whether it is worth another try: what an adapter hands to
/// [`Session::dial_failed`](crate::Session::dial_failed).
///
/// It is cheap to clone, as events and the list of attempts share it.
///
/// ```
/// use sansocket::DialFailed;
///
/// // What can be different another time: no route, connection refused, a name that does not resolve now.
/// let failed = DialFailed::transient("connection refused by 192.0.2.7:443");
/// // What will not: an untrusted certificate, a proxy that wants other credentials.
/// let failed = DialFailed::permanent("the certificate is for example.org, not example.com");
/// ```
#[derive(Debug, Clone)]
pub struct DialFailed {
    judged: Judged,
    source: Arc<dyn Error + Send + Sync>,
}

#[derive(Debug, Clone)]
enum Judged {
    Already(Verdict),
    /// By the rules of the session.
    Handshake(HandshakeError),
    Dial(DialError),
}

impl DialFailed {
    /// A failure that may not happen another time. `source` is an error, or a text.
    #[must_use]
    pub fn transient(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::judged(Verdict::Retry(Pace::Normal), source)
    }

    /// A failure that will happen every time.
    #[must_use]
    pub fn permanent(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::judged(Verdict::Never, source)
    }

    /// A failure with a verdict of its own, such as that of [`RetryRules::status`] on the answer of a proxy.
    #[must_use]
    pub fn judged(verdict: Verdict, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { judged: Judged::Already(verdict), source: source.into().into() }
    }

    /// A failed opening handshake, which the session judges by its [rules](crate::SessionConfig::rules). `source` is the error that tells
    /// the whole story, if there is more to tell than the handshake's own; [`From`] is for that one alone.
    #[must_use]
    pub fn handshake(handshake: HandshakeError, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { judged: Judged::Handshake(handshake), source: source.into().into() }
    }

    /// The error of the opening handshake, if it was that which failed.
    #[must_use]
    pub fn handshake_error(&self) -> Option<&HandshakeError> {
        match &self.judged {
            Judged::Already(_) => None,
            Judged::Handshake(error) => Some(error),
            Judged::Dial(error) => error.handshake(),
        }
    }

    /// The error of the dial, with all that was tried, if it came from a [`Dial`](crate::Dial).
    #[must_use]
    pub fn dial_error(&self) -> Option<&DialError> {
        match &self.judged {
            Judged::Dial(error) => Some(error),
            _ => None,
        }
    }

    pub(super) fn verdict(&self, rules: &RetryRules) -> Verdict {
        match &self.judged {
            Judged::Already(verdict) => *verdict,
            Judged::Handshake(error) => rules.handshake(error),
            Judged::Dial(error) => rules.dial(error),
        }
    }
}

impl From<HandshakeError> for DialFailed {
    fn from(error: HandshakeError) -> Self {
        Self::handshake(error.clone(), error)
    }
}

impl From<DialError> for DialFailed {
    fn from(error: DialError) -> Self {
        Self { judged: Judged::Dial(error.clone()), source: Arc::new(error) }
    }
}

impl fmt::Display for DialFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl Error for DialFailed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // `Display` says what it says, so the chain goes on behind it.
        self.source.source()
    }
}

/// Why an attempt came to nothing, or a connection to its end.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Setback {
    /// The dial failed.
    Failed(DialFailed),
    /// The dial took too long, and was abandoned.
    TimedOut {
        /// [`SessionConfig::connection_timeout`](crate::SessionConfig::connection_timeout).
        limit: Duration,
    },
    /// There was a connection, and it ended.
    Lost(Arc<Closed>),
}

impl Setback {
    /// A short name that does not change, for metrics and searches: that of the [handshake error](crate::HandshakeError::code) or of the [error of
    /// the dial](DialError::code), and else one of `dial-failed`, `connection-timeout`, `closed`, `peer-broke-protocol`, `limit-exceeded`, `out-of-memory`,
    /// `eof`, `transport-failed`, `aborted`, `pong-timeout`, `idle-timeout`, `message-timeout` and `close-timeout`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Failed(failed) => match (failed.handshake_error(), failed.dial_error()) {
                (Some(error), _) => error.code(),
                (None, Some(error)) => error.code(),
                (None, None) => "dial-failed",
            },
            Self::TimedOut { .. } => "connection-timeout",
            Self::Lost(closed) => match closed.cause {
                Cause::Clean => "closed",
                Cause::Failed(Failure::Violation(_)) => "peer-broke-protocol",
                Cause::Failed(Failure::Limit(_)) => "limit-exceeded",
                Cause::Failed(Failure::OutOfMemory { .. }) => "out-of-memory",
                Cause::Eof(_) => "eof",
                Cause::Transport(_) => "transport-failed",
                Cause::Aborted => "aborted",
                Cause::PongTimeout => "pong-timeout",
                Cause::IdleTimeout => "idle-timeout",
                Cause::MessageTimeout => "message-timeout",
                Cause::CloseTimeout(_) => "close-timeout",
            },
        }
    }

    /// The code of the server's Close frame, if that is how the connection ended.
    #[must_use]
    pub fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Lost(closed) => closed.received.as_ref().map(|frame| frame.code()),
            _ => None,
        }
    }

    /// The time that the server named in `Retry-After` ([RFC 9110 section 10.2.3]), from its response on, if it refused the opening handshake and named
    /// one. [`SessionConfig::max_retry_after`](crate::SessionConfig::max_retry_after) is not applied to it.
    ///
    /// [RFC 9110 section 10.2.3]: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Failed(failed) => failed.handshake_error()?.response().and_then(retry_after),
            _ => None,
        }
    }

    /// What can be done about it: one sentence for a person, if there is more to say than the text does.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Failed(failed) => match (failed.dial_error(), failed.handshake_error()) {
                (Some(error), _) => Some(error.advice()),
                (None, Some(error)) => Some(error.advice()),
                (None, None) => None,
            },
            _ => None,
        }
    }
}

impl fmt::Display for Setback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failed) => failed.fmt(f),
            Self::TimedOut { limit } => {
                write!(f, "no connection within {}, which is connection_timeout", Elapsed(*limit))
            }
            Self::Lost(closed) => write!(f, "connection lost: {closed}"),
        }
    }
}

impl Error for Setback {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(failed) => failed.source(),
            Self::TimedOut { .. } => None,
            Self::Lost(closed) => closed.source(),
        }
    }
}

/// An attempt that did not lead to a stable connection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionAttempt {
    /// The number of the dial, counted from 1 since the session began.
    pub number: u64,
    /// Which server it went to: an index into [`SessionConfig::servers`](crate::SessionConfig::servers).
    pub server: usize,
    /// The URL of that, for people: without credentials, and of a query there is only a hint.
    pub url: Arc<str>,
    /// When it began.
    pub started: Instant,
    /// How long it took; if there was a connection, to the end of that.
    pub took: Duration,
    /// Why it came to nothing.
    pub setback: Setback,
}

impl fmt::Display for SessionAttempt {
    /// One line that stands alone in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, url, took, setback, .. } = self;
        write!(f, "dial {number}, to {url}, {}: {setback}", Elapsed(*took))
    }
}

/// The attempts since the last stable connection: the first eight, the last eight, and how many there were.
#[derive(Debug, Clone, Default)]
pub struct SessionAttempts {
    first: Vec<SessionAttempt>,
    last: VecDeque<SessionAttempt>,
    count: u64,
}

impl SessionAttempts {
    /// How many there were, those left out included.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many are not listed: those between the first and the last eight.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.count - (self.first.len() + self.last.len()) as u64
    }

    /// Those that are listed, in order. Between the eighth and the ninth, [`left_out`](Self::left_out) are missing.
    pub fn iter(&self) -> impl Iterator<Item = &SessionAttempt> + Clone {
        self.first.iter().chain(&self.last)
    }

    /// The latest.
    #[must_use]
    pub fn last(&self) -> Option<&SessionAttempt> {
        self.last.back().or(self.first.last())
    }

    pub(super) fn push(&mut self, attempt: SessionAttempt) {
        self.count += 1;
        if self.first.len() < KEPT {
            self.first.push(attempt);
            return;
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(attempt);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl fmt::Display for SessionAttempts {
    /// One attempt on each line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gap = self.left_out();
        for (at, attempt) in self.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            if at == KEPT && gap > 0 {
                writeln!(f, "({gap} more)")?;
            }
            write!(f, "{attempt}")?;
        }
        Ok(())
    }
}

/// How many of the first attempts are kept, and of the last. The first say what happened, the last what is still so.
const KEPT: usize = 8;
