//! What was decided, and how often.

use core::time::Duration;

use thiserror::Error;

use crate::handshake::Reject;

/// Why a client was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Draining,
    /// [`AdmissionLimits::handshakes`](crate::AdmissionLimits::handshakes).
    #[error("as many opening handshakes are under way as limits.handshakes allows, which is {limit}")]
    Handshakes {
        /// Handshakes allowed.
        limit: usize,
    },
    /// [`AdmissionLimits::handshakes_per_address`](crate::AdmissionLimits::handshakes_per_address).
    #[error(
        "as many opening handshakes from the same address are under way as limits.handshakes_per_address allows, which is {limit}"
    )]
    HandshakesOfAddress {
        /// Handshakes allowed.
        limit: usize,
    },
    /// [`AdmissionLimits::connections`](crate::AdmissionLimits::connections).
    #[error("as many connections are open as limits.connections allows, which is {limit}")]
    Connections {
        /// Connections allowed.
        limit: usize,
    },
    /// [`AdmissionLimits::connections_per_address`](crate::AdmissionLimits::connections_per_address).
    #[error(
        "as many connections from the same address are open as limits.connections_per_address allows, which is {limit}"
    )]
    ConnectionsOfAddress {
        /// Connections allowed.
        limit: usize,
    },
    /// The memory that all connections may hold together. An [`Admission`](crate::Admission) does not count it; its caller does.
    #[error("the open connections leave too little of max_memory, which is {limit} bytes")]
    Memory {
        /// Bytes allowed.
        limit: usize,
    },
}

impl Refusal {
    /// A short name that stays, for logs and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::Handshakes { .. } => "handshakes",
            Self::HandshakesOfAddress { .. } => "handshakes-of-address",
            Self::Connections { .. } => "connections",
            Self::ConnectionsOfAddress { .. } => "connections-of-address",
            Self::Memory { .. } => "memory",
        }
    }

    /// The answer to a client that has asked: 503, when to come again, and a sentence that says why. What the limit is, is not the client's
    /// business, and not in it.
    ///
    /// ```
    /// use core::time::Duration;
    /// use sansocket::Refusal;
    ///
    /// let reject = Refusal::Connections { limit: 10_000 }.reject(Duration::from_secs(5));
    /// assert_eq!(reject.status(), 503);
    /// ```
    #[must_use]
    pub fn reject(&self, retry_after: Duration) -> Reject {
        Reject::unavailable(
            match self {
                Self::Draining => "The server is shutting down. Try again later, or another server.\n",
                Self::Handshakes { .. } => {
                    "The server has as many opening handshakes under way as it may have. Try again later.\n"
                }
                Self::HandshakesOfAddress { .. } => {
                    "Your address has as many opening handshakes under way as it may have. Try again later.\n"
                }
                Self::Connections { .. } => {
                    "The server has as many connections as it may have. Try again later.\n"
                }
                Self::ConnectionsOfAddress { .. } => {
                    "Your address has as many connections to this server as it may have. Close one, or try again later.\n"
                }
                Self::Memory { .. } => {
                    "The server has no memory left for another connection. Try again later.\n"
                }
            },
            retry_after,
        )
    }
}

/// How many clients were refused, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Refusals {
    /// [`Refusal::Draining`]; answered with 503.
    pub draining: u64,
    /// [`Refusal::Handshakes`]; TCP was closed.
    pub handshakes: u64,
    /// [`Refusal::HandshakesOfAddress`]; TCP was closed.
    pub handshakes_of_address: u64,
    /// [`Refusal::Connections`]; answered with 503.
    pub connections: u64,
    /// [`Refusal::ConnectionsOfAddress`]; answered with 503.
    pub connections_of_address: u64,
    /// [`Refusal::Memory`]; answered with 503.
    pub memory: u64,
}

impl Refusals {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        let Self { draining, handshakes, handshakes_of_address, connections, connections_of_address, memory } =
            *self;
        draining + handshakes + handshakes_of_address + connections + connections_of_address + memory
    }

    /// How many were refused for this reason.
    #[must_use]
    pub const fn of(&self, refusal: &Refusal) -> u64 {
        match refusal {
            Refusal::Draining => self.draining,
            Refusal::Handshakes { .. } => self.handshakes,
            Refusal::HandshakesOfAddress { .. } => self.handshakes_of_address,
            Refusal::Connections { .. } => self.connections,
            Refusal::ConnectionsOfAddress { .. } => self.connections_of_address,
            Refusal::Memory { .. } => self.memory,
        }
    }

    pub(super) fn count(&mut self, refusal: &Refusal) {
        *match refusal {
            Refusal::Draining => &mut self.draining,
            Refusal::Handshakes { .. } => &mut self.handshakes,
            Refusal::HandshakesOfAddress { .. } => &mut self.handshakes_of_address,
            Refusal::Connections { .. } => &mut self.connections,
            Refusal::ConnectionsOfAddress { .. } => &mut self.connections_of_address,
            Refusal::Memory { .. } => &mut self.memory,
        } += 1;
    }
}

/// What a server has to do, and what it has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AdmissionCounts {
    /// Connections that are open now.
    pub open: usize,
    /// TCP connections that are no open WebSocket now, as in [`AdmissionLimits::handshakes`](crate::AdmissionLimits::handshakes).
    pub handshaking: usize,
    /// TCP connections that arrived, refused ones included.
    pub accepted: u64,
    /// TCP connections that ended without having been an open WebSocket: failed handshakes, plain HTTP, and clients that were refused after
    /// they asked.
    pub unopened: u64,
    /// Connections that ended by a closing handshake, whatever its code.
    pub closed: u64,
    /// Connections that ended otherwise: lost, timed out, failed.
    pub ended: u64,
    /// Connections that were open when the time for the server's end was over.
    pub cut_off: u64,
    /// Clients refused, by reason.
    pub refused: Refusals,
}

/// What came of a server's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DrainReport {
    /// Connections that ended by a closing handshake.
    pub closed: u64,
    /// Connections that ended otherwise, and in time.
    pub ended: u64,
    /// Connections that were open when the time was over.
    pub cut_off: u64,
    /// Clients that came meanwhile, and were refused.
    pub refused: u64,
    /// How long it took.
    pub elapsed: Duration,
}
