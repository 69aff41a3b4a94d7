//! How a session behaves: every value with its unit, its default and the reason for it.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::RangeInclusive;
use core::time::Duration;

use crate::config::ClientConfig;
use crate::dial::Protocol;
use crate::handshake::ClientRequest;
use crate::session::verdict::RetryRules;

/// How a [`Session`](crate::Session) behaves: which servers, how often and when it dials, and what it keeps meanwhile.
///
/// ```
/// use core::time::Duration;
/// use sansocket::{ClientRequest, QueuePolicy, SessionConfig};
///
/// let mut config = SessionConfig::new(ClientRequest::new("wss://a.example.com/feed")?);
/// config.servers.push(ClientRequest::new("wss://b.example.com/feed")?);
/// config.max_reconnect_attempts = Some(20);
/// config.heartbeat_interval = Some(Duration::from_secs(10));
/// config.queue = QueuePolicy::DropOldest;
/// # Ok::<(), sansocket::UrlError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionConfig {
    /// Where to connect to, in the order of preference. After a failed attempt the next one is tried, after the last the
    /// first; after a [stable](Self::stable_after) connection the same one comes first.
    pub servers: Vec<ClientRequest>,
    /// Over which protocols. Default [`ProtocolSelection::WebSocket`].
    pub protocol: ProtocolSelection,
    /// The limits, time limits and compression of each connection. Of its time limits, `connect`, `ping_interval` and
    /// `pong` are not used: [`connection_timeout`](Self::connection_timeout) and the heartbeat of this configuration take
    /// their places. See [`Session::connection_config`](crate::Session::connection_config).
    pub connection: ClientConfig,
    /// All that one dial does, from the name of the server to the end of the opening handshake. Default 30 s: time
    /// for an address that does not answer, and for one after it that does. `None` waits for ever, or as long as the limits of the
    /// single steps allow.
    pub connection_timeout: Option<Duration>,

    /// Whether to connect again after a connection was lost. Default `true`. If `false`, each server is tried once until
    /// there is a connection, and the session ends with it.
    pub auto_reconnect: bool,
    /// How many dials, after the first one of all or after a stable connection was lost, until the session gives up.
    /// Default `None`: it never does for that reason. A server that takes connections and drops them at once does not
    /// start the count again.
    ///
    /// So with `n` the session makes at most `n + 1` dials at its start, and `n` after a stable connection.
    ///
    /// A server that names a time by `Retry-After` is asked at that time, or a little later, before the session gives up, unless all
    /// attempts were made already when it named it. Until then dials of the other servers do not count, so the attempts are still there when
    /// the time has come.
    pub max_reconnect_attempts: Option<u32>,
    /// The longest delay before the first retry. Default 500 ms; less than 1 ms counts as 1 ms.
    ///
    /// Each delay is drawn between zero and a ceiling ("full jitter"), so a single lost connection is back at once, and
    /// the thousands that a restarted server has lost do not come together. [RFC 6455 section 7.2.3] asks for both: a random
    /// first delay, and longer ones after it.
    ///
    /// [RFC 6455 section 7.2.3]: https://www.rfc-editor.org/rfc/rfc6455#section-7.2.3
    pub reconnect_delay: Duration,
    /// The ceiling that the ceilings do not exceed. Default 30 s. A server that says when to come back is another matter:
    /// [`max_retry_after`](Self::max_retry_after).
    pub max_reconnect_delay: Duration,
    /// By how much the ceiling grows each time that all servers were tried in vain. Default 2; 0 counts as 1.
    pub reconnect_multiplier: u32,
    /// How long a connection has to be open until it counts as a success, after which delays and counts begin anew. Default
    /// 10 s: longer than a server needs to refuse what it let in, or to crash over it.
    pub stable_after: Duration,
    /// The longest that a server may ask this client to stay away, by `Retry-After`. Default 1 h: a number from outside
    /// must not end a client for good.
    pub max_retry_after: Duration,
    /// After the close code 1012 (service restart), the delay is drawn from this. Default 5 s to 30 s, which the
    /// registration of the code names.
    pub restart_delay: RangeInclusive<Duration>,
    /// Which failures are final, where the defaults do not fit.
    pub rules: RetryRules,

    /// Time between keepalive Pings. Default 20 s; `None` sends none. See
    /// [`Timeouts::ping_interval`](crate::Timeouts::ping_interval).
    pub heartbeat_interval: Option<Duration>,
    /// Time that the server has to answer one, before the connection counts as lost. Default 20 s; `None` waits for ever.
    /// See [`Timeouts::pong`](crate::Timeouts::pong).
    ///
    /// So a server that is gone is noticed after `heartbeat_interval` and `heartbeat_timeout` at most; while messages wait to be
    /// written, at most nine eighths of `heartbeat_timeout` after the network took the last byte, if that is later. Then the connection has 1 s to say
    /// why it closes ([`Timeouts::close`](crate::Timeouts::close) if that is less), after which it counts as lost.
    pub heartbeat_timeout: Option<Duration>,

    /// What happens to a message for which the queue has no room. Default [`QueuePolicy::Wait`].
    pub queue: QueuePolicy,
    /// Messages that may wait while there is no connection, or while it does not keep up. Default 1,024. With 0, a message is
    /// taken only if a connection takes it at once.
    pub queue_messages: usize,
    /// Bytes of payload data in them. Default 1 MiB.
    ///
    /// What was handed to a connection is not counted: that is up to [`Limits::write_soft`](crate::Limits::write_soft) and
    /// one message, which come back on top of this if the connection is lost.
    pub queue_bytes: usize,

    /// Whether the application sends something first on each new connection, such as its credentials or subscriptions:
    /// then [`Session::send_first`](crate::Session::send_first) is for that, and what waits in the queue stays there until
    /// [`Session::resumed`](crate::Session::resumed). Default `false`.
    pub resume: bool,
    /// How long [`Session::close`](crate::Session::close) lets queued messages leave before it sends its Close frame.
    /// Default 5 s. The closing handshake has [`Timeouts::close`](crate::Timeouts::close) after that.
    pub drain_timeout: Duration,
}

impl SessionConfig {
    /// The defaults, for one server.
    #[must_use]
    pub fn new(server: ClientRequest) -> Self {
        Self { servers: vec![server], ..Self::default() }
    }

    /// What a connection of this session is configured with.
    pub(super) fn for_connections(&self) -> ClientConfig {
        let mut config = self.connection.clone();
        config.timeouts.connect = self.connection_timeout;
        config.timeouts.ping_interval = self.heartbeat_interval;
        config.timeouts.pong = self.heartbeat_timeout;
        config.timeouts.of_session = true;
        config
    }
}

impl Default for SessionConfig {
    /// The defaults, for no server: they are to be added, or the session gives up at once.
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            protocol: ProtocolSelection::default(),
            connection: ClientConfig::default(),
            connection_timeout: Some(Duration::from_secs(30)),
            auto_reconnect: true,
            max_reconnect_attempts: None,
            reconnect_delay: Duration::from_millis(500),
            max_reconnect_delay: Duration::from_secs(30),
            reconnect_multiplier: 2,
            stable_after: Duration::from_secs(10),
            max_retry_after: Duration::from_secs(60 * 60),
            restart_delay: Duration::from_secs(5)..=Duration::from_secs(30),
            rules: RetryRules::default(),
            heartbeat_interval: Some(Duration::from_secs(20)),
            heartbeat_timeout: Some(Duration::from_secs(20)),
            queue: QueuePolicy::default(),
            queue_messages: 1024,
            queue_bytes: 1024 * 1024,
            resume: false,
            drain_timeout: Duration::from_secs(5),
        }
    }
}

/// What happens to a message for which the queue of a session has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum QueuePolicy {
    /// It is given back, and its sender is to wait until there is room. Nothing is lost.
    #[default]
    Wait,
    /// It is given back, and its sender is told that it failed. Nothing is lost that was accepted.
    Fail,
    /// It is dropped, and counted. What is in the queue is what came first.
    DropNewest,
    /// The oldest messages in the queue are dropped until there is room, and counted. What is in the queue is what came
    /// last: for values of which only the newest matters. A message larger than the whole queue is dropped itself.
    DropOldest,
}

/// Over which protocols a session may reach its servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ProtocolSelection {
    /// The opening handshake of RFC 6455: an upgrade of HTTP/1.1.
    #[default]
    WebSocket,
    /// All that this version knows, raced against each other. Today that is [`Protocol::Http1`] alone.
    Auto,
}

impl ProtocolSelection {
    /// The protocols to try, the preferred one first. Never empty.
    #[must_use]
    pub const fn protocols(self) -> &'static [Protocol] {
        match self {
            Self::WebSocket | Self::Auto => &[Protocol::Http1],
        }
    }
}
