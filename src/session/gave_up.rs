//! The end of a session that was not asked for: why, and what was tried.

use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use crate::session::attempt::{SessionAttempts, Setback};

/// The session has given up.
///
/// `Display` is one line that stands alone in a log, with what came of each server; [`report`](Self::report) has the
/// attempts with their causes: the first eight, the last eight, and how many were between.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GaveUp {
    /// Why there is no other attempt.
    pub why: GaveUpReason,
    /// What came of each server in the end, in the order of [`SessionConfig::servers`](crate::SessionConfig::servers); without those that were not
    /// tried since the last stable connection.
    pub servers: Vec<ServerSetback>,
    /// What was tried since the last stable connection, and the loss of that.
    pub attempts: SessionAttempts,
    /// Messages left in the queue: [`Session::take_queue`](crate::Session::take_queue) has them.
    pub queued: usize,
}

/// What came of one of the servers.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerSetback {
    /// Which: an index into [`SessionConfig::servers`](crate::SessionConfig::servers).
    pub server: usize,
    /// The URL of that, for people: without credentials, and of a query there is only a hint.
    pub url: Arc<str>,
    /// How often it was tried since the last stable connection, which counts if it was to this server.
    pub attempts: u64,
    /// Whether it was left out in the end, as it would have failed in the same way another time.
    pub left_out: bool,
    /// Why the latest of these attempts came to nothing.
    pub setback: Setback,
}

/// Why a session does not try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GaveUpReason {
    /// There was no server to begin with.
    #[error("no server is configured")]
    NoServer,
    /// Every server has failed in a way that would be the same another time.
    #[error("no server is left that might take this client as it is")]
    AllRefused,
    /// [`SessionConfig::max_reconnect_attempts`](crate::SessionConfig::max_reconnect_attempts) is reached.
    #[error("max_reconnect_attempts is {max}, and so many were made")]
    TooManyAttempts {
        /// The limit.
        max: u32,
    },
    /// [`SessionConfig::auto_reconnect`](crate::SessionConfig::auto_reconnect) is off.
    #[error("auto_reconnect is off")]
    NoReconnect,
}

impl GaveUp {
    /// All that is known, on several lines: why, what came of each server with what can be done about it, and each attempt that is listed. For people; the
    /// format may change.
    #[must_use]
    pub fn report(&self) -> String {
        let mut out = String::new();
        // Writing to a `String` cannot fail.
        let _ = self.write_report(&mut out);
        out
    }

    fn write_report(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "Gave up: {}.", self.why)?;
        writeln!(out, "  queued    messages left in the queue: {}", self.queued)?;
        for server in &self.servers {
            writeln!(out, "  server    {server}")?;
            if let Some(advice) = server.setback.advice() {
                writeln!(out, "  advice    {advice}")?;
            }
        }
        for attempt in self.attempts.to_string().lines() {
            writeln!(out, "  attempt   {attempt}")?;
        }
        Ok(())
    }
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gave up: {}", self.why)?;
        for server in self.servers.iter().take(SHOWN_SERVERS) {
            write!(f, "; {server}")?;
        }
        if let more @ 1.. = self.servers.len().saturating_sub(SHOWN_SERVERS) {
            write!(f, "; and {more} more servers")?;
        }
        write!(f, "; messages left in the queue: {}", self.queued)
    }
}

impl core::error::Error for GaveUp {}

impl fmt::Display for ServerSetback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, attempts, left_out, setback, .. } = self;
        write!(f, "{url} (tried {}", Times(*attempts))?;
        write!(f, "{}): {setback}", if *left_out { ", then left out" } else { "" })
    }
}

/// How often.
struct Times(u64);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("once"),
            times => write!(f, "{times} times"),
        }
    }
}

/// Servers that `Display` shows: more than most sessions have, and few enough for one line.
const SHOWN_SERVERS: usize = 4;
