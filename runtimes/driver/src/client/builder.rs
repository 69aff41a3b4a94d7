//! Everything that can be set about a client that connects again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "deflate")]
use sansocket::DeflateConfig;
use sansocket::{
    ClientRequest, Connected, DialConfig, Message, ProtocolSelection, Proxies, QueuePolicy, Session,
    SessionConfig, SessionEvent, UrlError,
};

use crate::client::drive::{Drive, Greeting};
use crate::client::hub::Hub;
use crate::client::report::{self, Names};
use crate::client::waiting::Waiting;
use crate::client::{Callback, Client, ClientSender};
use crate::dial::{Connector, Dialer};
use crate::error::Error;
use crate::handshake::entropy;
use crate::heartbeat::Heartbeat;
use crate::runtime::Timer;
#[cfg(feature = "tls")]
use crate::tls::Tls;

/// Options of a [`Client`]. Methods are for what most clients set; all the rest is in the fields.
///
/// ```
/// # fn build<R: sansocket_driver::Dialer>() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use sansocket::QueuePolicy;
/// use sansocket_driver::{Client, ClientBuilder};
///
/// let mut builder: ClientBuilder<R> = Client::builder()
///     .server("wss://a.example.com/feed")?
///     .server("wss://b.example.com/feed")?
///     .connection_timeout(Duration::from_secs(5))
///     .max_reconnect_attempts(20)
///     .heartbeat_interval(Duration::from_secs(10))
///     .queue(QueuePolicy::DropOldest);
/// builder.session.stable_after = Duration::from_secs(60);
/// builder.dial.redirects = 3;
/// let client = builder.build()?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct ClientBuilder<R: Dialer> {
    /// Servers, attempts, delays, heartbeat and queue; and in [`connection`](SessionConfig::connection) the limits, time limits and compression
    /// of each connection.
    pub session: SessionConfig,
    /// The way to a server: addresses, TCP, proxy, redirects, the time limit of each step.
    pub dial: DialConfig,
    /// TLS, for `wss`.
    #[cfg(feature = "tls")]
    pub tls: Tls,
    heartbeat: Heartbeat,
    greeting: Option<Greeting>,
    callback: Option<Callback>,
    runtime: std::marker::PhantomData<fn() -> R>,
}

impl<R: Dialer> ClientBuilder<R> {
    /// Adds a server, by its URL. The first is preferred, the next takes over when it fails.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL, and where.
    pub fn server(self, url: &str) -> Result<Self, UrlError> {
        Ok(self.request(ClientRequest::new(url)?))
    }

    /// Adds a server, with a request of one's own: with fields, subprotocols, credentials.
    pub fn request(mut self, request: ClientRequest) -> Self {
        self.session.servers.push(request);
        self
    }

    /// Over which protocols. Default [`ProtocolSelection::WebSocket`].
    pub fn protocol(mut self, protocol: ProtocolSelection) -> Self {
        self.session.protocol = protocol;
        self
    }

    /// The limit of one dial, from the server's name to the end of the opening handshake. Default 30 s. `None` leaves only the
    /// limits of the single steps.
    pub fn connection_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.session.connection_timeout = limit.into();
        self
    }

    /// Whether to connect again after a connection was lost. Default `true`. If `false`, each server is tried once until there is a
    /// connection, and all ends with that.
    pub fn auto_reconnect(mut self, on: bool) -> Self {
        self.session.auto_reconnect = on;
        self
    }

    /// How many dials, after the first one of all or after a stable connection was lost, until the client gives up. Default `None`: it
    /// never does for that reason.
    pub fn max_reconnect_attempts(mut self, max: impl Into<Option<u32>>) -> Self {
        self.session.max_reconnect_attempts = max.into();
        self
    }

    /// The longest delay before the first retry; it doubles from there, and each is drawn at random below. Default 500 ms.
    pub fn reconnect_delay(mut self, delay: Duration) -> Self {
        self.session.reconnect_delay = delay;
        self
    }

    /// What the delays do not exceed. Default 30 s.
    pub fn max_reconnect_delay(mut self, delay: Duration) -> Self {
        self.session.max_reconnect_delay = delay;
        self
    }

    /// Time between keepalive Pings. Default 20 s; `None` sends none. It is also how soon it is known what has arrived: see
    /// [`ClientSender::confirmed`].
    ///
    /// Unless [`heartbeat_timeout`](Self::heartbeat_timeout) was set, that becomes the same, but no less than 5 s, which leaves time for lost packets to be sent again, and no
    /// more than 20 s.
    pub fn heartbeat_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        let SessionConfig { heartbeat_interval, heartbeat_timeout, .. } = &mut self.session;
        self.heartbeat.set_interval(heartbeat_interval, heartbeat_timeout, interval.into());
        self
    }

    /// Time that the server has to answer a keepalive Ping, before the connection counts as lost. Default 20 s, or what
    /// [`heartbeat_interval`](Self::heartbeat_interval) says; `None` waits for ever.
    ///
    /// So a server that is gone is noticed after one interval and this time; see [`SessionConfig::heartbeat_timeout`] for when it is a little more.
    pub fn heartbeat_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.heartbeat.set_timeout(&mut self.session.heartbeat_timeout, limit.into());
        self
    }

    /// What happens to a message for which the queue has no room. Default [`QueuePolicy::Wait`].
    pub fn queue(mut self, policy: QueuePolicy) -> Self {
        self.session.queue = policy;
        self
    }

    /// Compression of messages (RFC 7692), offered to each server. Default `None`.
    #[cfg(feature = "deflate")]
    pub fn compression(mut self, deflate: impl Into<Option<DeflateConfig>>) -> Self {
        self.session.connection.deflate = deflate.into();
        self
    }

    /// Whom to trust for `wss`, and who this client says it is. By default it trusts whom the operating system trusts.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// The way out, where there is a proxy: a [`Proxy`](sansocket::Proxy) for all servers, or a choice. By default none, whatever the
    /// environment says.
    pub fn proxy(mut self, proxies: impl Into<Proxies>) -> Self {
        self.dial.proxy = proxies.into();
        self
    }

    /// What goes first on each new connection, ahead of what waits in the queue: credentials, subscriptions. It has no number, and does not go to
    /// another connection if this one is lost.
    ///
    /// Where an answer has to come before the rest may be sent, set [`SessionConfig::resume`] instead, and use
    /// [`Client::send_first`] and [`Client::resumed`].
    pub fn first_messages(
        mut self,
        messages: impl FnMut(&Connected) -> Vec<Message> + Send + 'static,
    ) -> Self {
        self.session.resume = true;
        self.greeting = Some(Box::new(messages));
        self
    }

    /// Called with each event, messages included, in their order, before the application gets it by [`Client::next`]. It runs inside of the
    /// client's own calls: it must not block. One that sends needs a [`ClientSender`], which there is when the client is built: see
    /// [`Client::on_event`].
    pub fn on_event(mut self, callback: impl FnMut(&SessionEvent) + Send + 'static) -> Self {
        self.callback = Some(Box::new(callback));
        self
    }

    /// The client. It begins to connect when it is first polled, and gives up at once if it has no server.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`] if the operating system has no random bytes.
    pub fn build(self) -> Result<Client<R>, Error> {
        let Self { session: config, dial, greeting, callback, .. } = self;
        let timer = R::Timer::default();
        let names = Names::of(&config);
        let queue = config.queue;
        let session = Session::new(config, entropy()?, timer.now());
        let mut connector = Connector::default();
        connector.client = session.connection_config().clone();
        connector.dial = dial;
        #[cfg(feature = "tls")]
        {
            connector.tls = self.tls;
        }
        let hub = Arc::new(Hub::new(session, queue));
        Ok(Client {
            sender: ClientSender::new::<R::Timer>(Arc::clone(&hub)),
            drive: Drive::new(hub, connector, greeting, timer),
            waiting: Waiting::default(),
            callback,
            names,
            span: report::span(),
            sending: false,
            closed: None,
            gave_up: None,
        })
    }
}

impl<R: Dialer> Default for ClientBuilder<R> {
    fn default() -> Self {
        Self {
            session: SessionConfig::default(),
            dial: DialConfig::default(),
            #[cfg(feature = "tls")]
            tls: Tls::default(),
            heartbeat: Heartbeat::default(),
            greeting: None,
            callback: None,
            runtime: std::marker::PhantomData,
        }
    }
}

impl<R: Dialer> fmt::Debug for ClientBuilder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("session", &self.session)
            .field("dial", &self.dial)
            .finish_non_exhaustive()
    }
}
