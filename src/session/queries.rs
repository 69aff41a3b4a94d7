//! What a session tells when it is asked: its queue, what has arrived, and its numbers.

use core::fmt;

use super::Session;
use super::machine::State;
use super::stats::SessionStats;
use crate::message::Message;

impl Session {
    /// Messages in the queue, and not yet given to a connection.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.outbox.len()
    }

    /// Takes all messages out of the queue, with their numbers: those that are left at the end, or what has become pointless during an outage.
    pub fn take_queue(&mut self) -> impl Iterator<Item = (u64, Message)> + use<> {
        self.outbox.take().into_iter()
    }

    /// Which messages have arrived: all with a number below this one, but for those that an event told otherwise of
    /// ([`Disconnected::unconfirmed`](crate::Disconnected::unconfirmed), [`SessionEvent::Dropped`](crate::SessionEvent::Dropped)) or that
    /// [`take_queue`](Self::take_queue) has given back. Never goes down.
    ///
    /// What shows it is the Pong to a keepalive Ping that was sent after the message ([`SessionEvent::Heartbeat`](crate::SessionEvent::Heartbeat)), so it is known
    /// within one [`heartbeat_interval`](crate::SessionConfig::heartbeat_interval) and the way there and back; and the answer to this end's Close frame. It means that the WebSocket of the server
    /// has read the message, or that of a proxy which speaks WebSocket itself; not that the application there has dealt with it.
    ///
    /// If [`messages_unconfirmed`](SessionStats::messages_unconfirmed) and [`messages_dropped`](SessionStats::messages_dropped) have not grown since a
    /// message was sent, there is no exception to look for.
    #[must_use]
    pub fn confirmed(&self) -> u64 {
        self.outbox.settled()
    }

    /// What it has done so far.
    #[must_use]
    pub fn stats(&self) -> SessionStats {
        let mut stats = self.stats;
        match &self.state {
            State::Connected(link) => {
                stats.connected = stats.connected.saturating_add(self.now.since(link.since));
            }
            State::Waiting { .. } | State::Dialling(_) if stats.connections > 0 => {
                stats.outages = stats.outages.saturating_add(self.now.since(self.outage.since));
            }
            _ => {}
        }
        stats
    }
}

impl fmt::Debug for Session {
    /// Leaves out messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("state", &self.state)
            .field("now", &self.now)
            .field("retries", &self.retries)
            .field("queued", &self.outbox.len())
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}
