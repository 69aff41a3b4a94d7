//! Everything that can be set about a client that connects again.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

#[cfg(feature = "deflate")]
use sansocket::DeflateConfig;
use sansocket::{
    ClientRequest, Connected, Message, ProtocolSelection, Proxies, QueuePolicy, SessionEvent, UrlError,
};
use sansocket_driver::Error;
#[cfg(feature = "tls")]
use sansocket_driver::Tls;

use super::Client;
use crate::runtime::Blocking;

/// Options of a [`Client`]. Methods are for what most clients set; all the rest is in the fields, which are those of
/// [`sansocket_driver::ClientBuilder`].
///
/// ```
/// # fn build() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use sansocket_blocking::{Client, QueuePolicy};
///
/// let mut builder = Client::builder()
///     .server("wss://a.example.com/feed")?
///     .server("wss://b.example.com/feed")?
///     .connection_timeout(Duration::from_secs(5))
///     .heartbeat_interval(Duration::from_secs(10))
///     .queue(QueuePolicy::DropOldest);
/// builder.session.stable_after = Duration::from_secs(60);
/// builder.dial.redirects = 3;
/// let client = builder.build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct ClientBuilder {
    inner: sansocket_driver::ClientBuilder<Blocking>,
}

impl Deref for ClientBuilder {
    type Target = sansocket_driver::ClientBuilder<Blocking>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl DerefMut for ClientBuilder {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.inner
    }
}

impl ClientBuilder {
    /// Adds a server, by its URL. The first is preferred, the next takes over when it fails.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL, and where.
    pub fn server(self, url: &str) -> Result<Self, UrlError> {
        Ok(Self { inner: self.inner.server(url)? })
    }

    /// Adds a server, with a request of one's own: with fields, subprotocols, credentials.
    pub fn request(self, request: ClientRequest) -> Self {
        Self { inner: self.inner.request(request) }
    }

    /// Over which protocols. Default [`ProtocolSelection::WebSocket`].
    pub fn protocol(self, protocol: ProtocolSelection) -> Self {
        Self { inner: self.inner.protocol(protocol) }
    }

    /// The limit of one dial, from the server's name to the end of the opening handshake. Default 30 s. `None` leaves only the
    /// limits of the single steps.
    pub fn connection_timeout(self, limit: impl Into<Option<Duration>>) -> Self {
        Self { inner: self.inner.connection_timeout(limit) }
    }

    /// Whether to connect again after a connection was lost. Default `true`. If `false`, each server is tried once until there is a
    /// connection, and all ends with that.
    pub fn auto_reconnect(self, on: bool) -> Self {
        Self { inner: self.inner.auto_reconnect(on) }
    }

    /// How many dials, after the first one of all or after a stable connection was lost, until the client gives up. Default `None`: it
    /// never does for that reason.
    pub fn max_reconnect_attempts(self, max: impl Into<Option<u32>>) -> Self {
        Self { inner: self.inner.max_reconnect_attempts(max) }
    }

    /// The longest delay before the first retry; it doubles from there, and each is drawn at random below. Default 500 ms.
    pub fn reconnect_delay(self, delay: Duration) -> Self {
        Self { inner: self.inner.reconnect_delay(delay) }
    }

    /// What the delays do not exceed. Default 30 s.
    pub fn max_reconnect_delay(self, delay: Duration) -> Self {
        Self { inner: self.inner.max_reconnect_delay(delay) }
    }

    /// Time between keepalive Pings. Default 20 s; `None` sends none. It is also how soon it is known what has arrived: see
    /// [`ClientSender::confirmed`](super::ClientSender::confirmed).
    ///
    /// Unless [`heartbeat_timeout`](Self::heartbeat_timeout) was set, that becomes the same, but no less than 5 s, which leaves time for lost packets to be sent again, and no
    /// more than 20 s.
    pub fn heartbeat_interval(self, interval: impl Into<Option<Duration>>) -> Self {
        Self { inner: self.inner.heartbeat_interval(interval) }
    }

    /// Time that the server has to answer a keepalive Ping, before the connection counts as lost. Default 20 s, or what
    /// [`heartbeat_interval`](Self::heartbeat_interval) says; `None` waits for ever.
    ///
    /// So a server that is gone is noticed after one interval and this time; see
    /// [`SessionConfig::heartbeat_timeout`](sansocket::SessionConfig::heartbeat_timeout) for when it is a little more.
    pub fn heartbeat_timeout(self, limit: impl Into<Option<Duration>>) -> Self {
        Self { inner: self.inner.heartbeat_timeout(limit) }
    }

    /// What happens to a message for which the queue has no room. Default [`QueuePolicy::Wait`].
    pub fn queue(self, policy: QueuePolicy) -> Self {
        Self { inner: self.inner.queue(policy) }
    }

    /// Compression of messages (RFC 7692), offered to each server. Default `None`.
    #[cfg(feature = "deflate")]
    pub fn compression(self, deflate: impl Into<Option<DeflateConfig>>) -> Self {
        Self { inner: self.inner.compression(deflate) }
    }

    /// Whom to trust for `wss`, and who this client says it is. By default it trusts whom the operating system trusts.
    #[cfg(feature = "tls")]
    pub fn tls(self, tls: Tls) -> Self {
        Self { inner: self.inner.tls(tls) }
    }

    /// The way out, where there is a proxy: a [`Proxy`](sansocket::Proxy) for all servers, or a choice. By default none, whatever the
    /// environment says.
    pub fn proxy(self, proxies: impl Into<Proxies>) -> Self {
        Self { inner: self.inner.proxy(proxies) }
    }

    /// What goes first on each new connection, ahead of what waits in the queue: credentials, subscriptions. It has no number, and does not go to
    /// another connection if this one is lost.
    ///
    /// Where an answer has to come before the rest may be sent, set [`SessionConfig::resume`](sansocket::SessionConfig::resume) instead, and use
    /// [`Client::send_first`] and [`Client::resumed`].
    pub fn first_messages(self, messages: impl FnMut(&Connected) -> Vec<Message> + Send + 'static) -> Self {
        Self { inner: self.inner.first_messages(messages) }
    }

    /// Called with each event, messages included, in their order, before the application gets it by [`Client::next`]. It runs inside of the
    /// client's own calls: it must not block. One that sends needs a [`ClientSender`](super::ClientSender), which there is when the client is built: see
    /// [`Client::on_event`].
    pub fn on_event(self, callback: impl FnMut(&SessionEvent) + Send + 'static) -> Self {
        Self { inner: self.inner.on_event(callback) }
    }

    /// The client. It begins to connect with the first call that waits, and gives up at once if it has no server.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`] if the operating system has no random bytes.
    pub fn build(self) -> Result<Client, Error> {
        Ok(Client { inner: self.inner.build()? })
    }
}
