//! A client with all that can be set about it.

use std::time::Duration;

#[cfg(feature = "deflate")]
use sansocket::DeflateConfig;
use sansocket::{ClientConfig, ClientRequest, DialConfig, Proxies, Timeouts};
use sansocket_driver::Error;
#[cfg(feature = "tls")]
use sansocket_driver::Tls;
use sansocket_driver::heartbeat::Heartbeat;

use crate::runtime::Blocking;
use crate::wait::{Others, block_on};
use crate::websocket::WebSocket;

/// A client with all that can be set about it. The default is what a plain [`connect`](crate::connect) uses.
///
/// Methods are for what most clients set, under the names that [`ClientBuilder`](crate::ClientBuilder) has for the same; all the rest is in the
/// fields.
///
/// ```no_run
/// # fn open() -> Result<(), Box<dyn std::error::Error>> {
/// use sansocket_blocking::{Connector, Proxy};
///
/// let mut connector = Connector::default().proxy("http://proxy.example:3128".parse::<Proxy>()?);
/// connector.dial.redirects = 3;
/// let socket = connector.connect("wss://example.com/chat")?;
/// println!("{:?}", socket.dialed());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Connector {
    /// The WebSocket: limits, time limits (that of all of `connect` among them), compression.
    pub client: ClientConfig,
    /// The way to the server: addresses, TCP, proxy, redirects, the time limit of each step.
    pub dial: DialConfig,
    /// TLS, for `wss`.
    #[cfg(feature = "tls")]
    pub tls: Tls,
    heartbeat: Heartbeat,
}

impl Connector {
    /// The limit of one dial, from the server's name to the end of the opening handshake. Default 30 s. `None` leaves only the
    /// limits of the single steps.
    #[must_use]
    pub fn connection_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.client.timeouts.connect = limit.into();
        self
    }

    /// Time between keepalive Pings. Default 20 s; `None` sends none.
    ///
    /// Unless [`heartbeat_timeout`](Self::heartbeat_timeout) was set, that becomes the same, but no less than 5 s, which leaves time for lost packets to be sent again, and no
    /// more than 20 s.
    #[must_use]
    pub fn heartbeat_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        let Timeouts { ping_interval, pong, .. } = &mut self.client.timeouts;
        self.heartbeat.set_interval(ping_interval, pong, interval.into());
        self
    }

    /// Time that the server has to answer a keepalive Ping, before the connection counts as lost. Default 20 s, or what
    /// [`heartbeat_interval`](Self::heartbeat_interval) says; `None` waits for ever.
    ///
    /// It is [`Timeouts::pong`], which says when it is a little more.
    #[must_use]
    pub fn heartbeat_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.heartbeat.set_timeout(&mut self.client.timeouts.pong, limit.into());
        self
    }

    /// Compression of messages (RFC 7692), offered to the server. Default `None`.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compression(mut self, deflate: impl Into<Option<DeflateConfig>>) -> Self {
        self.client.deflate = deflate.into();
        self
    }

    /// Whom to trust for `wss`, and who this client says it is. By default it trusts whom the operating system trusts.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// The way out, where there is a proxy: a [`Proxy`](sansocket::Proxy) for all servers, or a choice. By default none, whatever the
    /// environment says.
    #[must_use]
    pub fn proxy(mut self, proxies: impl Into<Proxies>) -> Self {
        self.dial.proxy = proxies.into();
        self
    }

    /// Opens a WebSocket at `url`.
    ///
    /// # Errors
    ///
    /// [`Error::Url`] if it is not the URL of a WebSocket; otherwise as [`connect_with`](Self::connect_with).
    pub fn connect(&self, url: &str) -> Result<WebSocket, Error> {
        self.connect_with(&ClientRequest::new(url)?)
    }

    /// Opens a WebSocket with a request of one's own: with fields, subprotocols, credentials.
    ///
    /// Several addresses of a host are tried at once where one takes long, on this thread. **To find them blocks**, as the system does it
    /// (`getaddrinfo`): no time limit of ours ends that search, but what it took counts. It has limits of the system's, 10 s in all or
    /// more where no server of names answers. A URL with an IP address needs no search.
    ///
    /// # Errors
    ///
    /// [`Error::Dial`], which has everything that was tried; also if it was the opening handshake that failed
    /// ([`Error::handshake`]).
    pub fn connect_with(&self, request: &ClientRequest) -> Result<WebSocket, Error> {
        let mut connector = sansocket_driver::Connector::<Blocking>::default();
        connector.client = self.client.clone();
        connector.dial = self.dial.clone();
        #[cfg(feature = "tls")]
        {
            connector.tls = self.tls.clone();
        }
        block_on(Others::None, connector.connect_with(request)).map(WebSocket::from_driver)
    }
}
