//! Everything that can be set about a client that connects again.

use std::fmt;
use std::sync::Arc;

use sansocket::{ClientRequest, DialConfig, Session, SessionConfig, UrlError};

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

    crate::client_options!();

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
