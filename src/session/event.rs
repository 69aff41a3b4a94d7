//! What a session tells the application.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::net::SocketAddr;
use core::time::Duration;

use crate::closed::Closed;
use crate::dial::{Dialed, Protocol};
use crate::handshake::Response;
use crate::message::Message;
use crate::role::Role;
use crate::session::attempt::Setback;
use crate::session::gave_up::GaveUp;
use crate::session::outbox::MessageNumbers;

/// Something that happened to a session.
///
/// ```text
///  Connected ─► (Message | Heartbeat)* ─► Disconnected ─► Reconnecting+ ─► Reconnected ─► ...
///                                                    └─► GaveUp | Closed       the last event, and the only one of its kind
/// ```
///
/// `Reconnecting` may also come before `Connected`, and `Dropped` at any time before the last.
///
/// `Display` is one line for each, that stands alone in a log: of servers it shows the URL without credentials and query, of messages only how
/// long they are.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SessionEvent {
    /// There is a connection for the first time.
    Connected(Connected),
    /// The connection has ended, by itself or because it was closed.
    Disconnected(Disconnected),
    /// There will be another attempt.
    Reconnecting(Reconnecting),
    /// There is a connection again.
    Reconnected(Reconnected),
    /// A message came.
    Message(Message),
    /// A keepalive Ping was answered.
    Heartbeat {
        /// Time from when the Ping was queued until its Pong was read: the way there and back, and what the server took.
        round_trip: Duration,
        /// The messages that it confirms: they were written before the Ping, and none was confirmed by an earlier one. The server's WebSocket
        /// has read them; what its application makes of them only an answer of its own can tell. A proxy that speaks WebSocket
        /// itself answers for itself.
        confirmed: MessageNumbers,
    },
    /// Messages were dropped from the queue, or before they got there: see [`QueuePolicy`](crate::QueuePolicy).
    Dropped(MessageNumbers),
    /// The session ends without having been asked to: there will be no other attempt. The last event.
    GaveUp(Box<GaveUp>),
    /// The session ends because it was closed. The last event.
    Closed(SessionClosed),
}

impl SessionEvent {
    /// Whether it is the last one.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::GaveUp(_) | Self::Closed(_))
    }
}

/// What an adapter knows about a connection that it has made: see [`Session::connected`](crate::Session::connected).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectedInfo {
    /// The address that was reached: the server's or, behind a proxy, the proxy's. `None` if it is no IP address.
    pub address: Option<SocketAddr>,
    /// The subprotocol that was agreed on.
    pub subprotocol: Option<Box<str>>,
    /// Over which protocol.
    pub protocol: Protocol,
}

impl ConnectedInfo {
    /// A connection over [`Protocol::Http1`].
    #[must_use]
    pub fn new(address: Option<SocketAddr>, subprotocol: Option<&str>) -> Self {
        Self { address, subprotocol: subprotocol.map(Into::into), protocol: Protocol::Http1 }
    }

    /// What a [`Dial`](crate::Dial) and the opening handshake at its end have found.
    #[must_use]
    pub fn of(dialed: &Dialed, response: &Response) -> Self {
        Self { protocol: dialed.protocol, ..Self::new(Some(dialed.address), response.subprotocol()) }
    }
}

/// A connection was made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connected {
    /// To which server: an index into [`SessionConfig::servers`](crate::SessionConfig::servers).
    pub server: usize,
    /// The URL of that, for people: without credentials, and of a query there is only a hint.
    pub url: Arc<str>,
    /// How it was reached, and what was agreed on.
    pub info: ConnectedInfo,
    /// Time that the dial took, to the end of the opening handshake.
    pub elapsed: Duration,
}

/// A connection was made again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconnected {
    /// The new connection.
    pub connected: Connected,
    /// Time without a connection.
    pub outage: Duration,
    /// Dials in that time, the successful one included.
    pub attempts: u64,
}

/// A connection has ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Disconnected {
    /// To which server it was: an index into [`SessionConfig::servers`](crate::SessionConfig::servers).
    pub server: usize,
    /// The URL of that, for people: without credentials, and of a query there is only a hint.
    pub url: Arc<str>,
    /// How it ended, as the core tells it.
    pub closed: Arc<Closed>,
    /// Time that it was open.
    pub connected_for: Duration,
    /// Messages that were written whole, and whose fate is unknown: nothing shows that the server has read them, nor that
    /// it has not. They are not sent again. What shows it is the Pong to a Ping that was written behind them
    /// ([`Heartbeat`](SessionEvent::Heartbeat)), and the answer to this end's Close frame, which is in `confirmed`; so there may be those of one heartbeat
    /// here, though the server has them all.
    pub unconfirmed: MessageNumbers,
    /// Messages that the closing handshake has shown to have been read, in addition to those of heartbeats.
    pub confirmed: MessageNumbers,
    /// Messages of this connection that were not written whole, and are first in the queue again.
    pub returned: MessageNumbers,
    /// Messages in the queue now, those included.
    pub queued: usize,
}

/// There will be another attempt.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reconnecting {
    /// Its number: of those since the last stable connection or, before the first, after the first attempt of all. From 1 on.
    pub attempt: u32,
    /// How many there may be, as it stands: [`SessionConfig::max_reconnect_attempts`](crate::SessionConfig::max_reconnect_attempts), and
    /// those that do not count.
    pub of: Option<u32>,
    /// Time until then.
    pub delay: Duration,
    /// Where it goes: an index into [`SessionConfig::servers`](crate::SessionConfig::servers).
    pub server: usize,
    /// The URL of that, for people: without credentials, and of a query there is only a hint.
    pub url: Arc<str>,
    /// Which server it was that failed, or whose connection was lost.
    pub failed: usize,
    /// The URL of that.
    pub failed_url: Arc<str>,
    /// Whether that server is left out from now on: it would fail in the same way another time. It comes in again after a stable
    /// connection to another one, or with another request ([`Session::set_request`](crate::Session::set_request)).
    pub left_out: bool,
    /// Why it is needed.
    pub why: Setback,
}

/// The session was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionClosed {
    /// Who closed it: the client by [`Session::close`](crate::Session::close), or the server by a close code that means that all is done (1000).
    pub by: Role,
    /// Messages left in the queue: [`Session::take_queue`](crate::Session::take_queue) has them.
    pub queued: usize,
}
