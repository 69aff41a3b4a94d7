//! What a session has done so far, in numbers.

use core::time::Duration;

/// What a [`Session`](crate::Session) has done since it began: see [`Session::stats`](crate::Session::stats).
///
/// All but `round_trip` only grow, so that they suit metrics. What concerns bytes is noted when a connection ends. Times count up to
/// the latest time that the session was told.
///
/// Of the messages that were written, those that are neither confirmed nor unconfirmed are on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SessionStats {
    /// Dials that were begun.
    pub dials: u64,
    /// Dials that came to nothing, those included that took too long.
    pub dials_failed: u64,
    /// Connections that were made.
    pub connections: u64,
    /// Connections that have ended.
    pub disconnects: u64,
    /// Messages that were received.
    pub messages_received: u64,
    /// Messages that [`send`](crate::Session::send) took, those included that were dropped.
    pub messages_accepted: u64,
    /// Of these, messages that were written whole.
    pub messages_written: u64,
    /// Messages that came back from a connection that ended before they were written. One may come back several times.
    pub messages_returned: u64,
    /// Messages that were read by a server, as a Pong or a closing handshake has shown.
    pub messages_confirmed: u64,
    /// Messages that were written whole and whose fate is unknown, because the connection ended.
    pub messages_unconfirmed: u64,
    /// Messages that were dropped by the [`QueuePolicy`](crate::QueuePolicy).
    pub messages_dropped: u64,
    /// Bytes received after opening handshakes, frame headers included.
    pub bytes_received: u64,
    /// Bytes sent after opening handshakes, frame headers included.
    pub bytes_sent: u64,
    /// Time with a connection.
    pub connected: Duration,
    /// Time without one: from the end of each connection until there was another, or until the session ended. The present outage is part of it, the time before
    /// the first connection is not. How many there were, `disconnects` says.
    pub outages: Duration,
    /// The latest [`Heartbeat`](crate::SessionEvent::Heartbeat).
    pub round_trip: Option<Duration>,
}
