//! Everything that can be set about a client, and `connect`.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

#[cfg(feature = "deflate")]
use sansocket::DeflateConfig;
use sansocket::{ClientConfig, ClientRequest, DialConfig, Dialed, Proxies, Timeouts};

use crate::dial::Dialer;
use crate::dial::plan::{self, Opened};
use crate::error::Error;
use crate::heartbeat::Heartbeat;
use crate::maybe_tls::MaybeTls;
#[cfg(feature = "tls")]
use crate::tls::Tls;
use crate::websocket::{Agreed, WebSocket};

/// A client with all that can be set about it. The default is what a plain `connect` uses.
///
/// Methods are for what most clients set, under the names that [`ClientBuilder`](crate::ClientBuilder) has for the same; all the rest is in the
/// fields.
///
/// ```
/// use sansocket_driver::{Connector, Dialer, Error, MaybeTls, WebSocket};
///
/// async fn open<R: Dialer>(url: &str) -> Result<WebSocket<MaybeTls<R::Stream, R>, R>, Error> {
///     let mut connector = Connector::default().connection_timeout(std::time::Duration::from_secs(5));
///     connector.dial.redirects = 3;
///     connector.connect(url).await
/// }
/// ```
#[non_exhaustive]
pub struct Connector<R> {
    /// The WebSocket: limits, time limits (that of all of `connect` among them), compression.
    pub client: ClientConfig,
    /// The way to the server: addresses, TCP, proxy, redirects, the time limit of each step.
    pub dial: DialConfig,
    /// TLS, for `wss`.
    #[cfg(feature = "tls")]
    pub tls: Tls,
    heartbeat: Heartbeat,
    runtime: PhantomData<fn() -> R>,
}

impl<R: Dialer> Connector<R> {
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
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes all that it holds.
    pub async fn connect(&self, url: &str) -> Result<WebSocket<MaybeTls<R::Stream, R>, R>, Error> {
        self.connect_with(&ClientRequest::new(url)?).await
    }

    /// Opens a WebSocket with a request of one's own: with fields, subprotocols, credentials.
    ///
    /// # Errors
    ///
    /// [`Error::Dial`], which has everything that was tried; also if it was the opening handshake that failed
    /// ([`Error::handshake`]).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes all that it holds.
    pub async fn connect_with(
        &self,
        request: &ClientRequest,
    ) -> Result<WebSocket<MaybeTls<R::Stream, R>, R>, Error> {
        let (opened, dialed) = self.open(request).await?;
        let agreed = Agreed::Response(Box::new(opened.response), Some(dialed));
        Ok(opened.opening.into_websocket(opened.connection, agreed))
    }

    /// Follows the connect plan to its end.
    pub(crate) async fn open(&self, request: &ClientRequest) -> Result<(Opened<R>, Box<Dialed>), Error> {
        // Some kilobytes that are needed now and not for the life of the task.
        Box::pin(plan::follow(self, request)).await
    }
}

impl<R> Default for Connector<R> {
    fn default() -> Self {
        Self {
            client: ClientConfig::default(),
            dial: DialConfig::default(),
            #[cfg(feature = "tls")]
            tls: Tls::default(),
            heartbeat: Heartbeat::default(),
            runtime: PhantomData,
        }
    }
}

impl<R> Clone for Connector<R> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            dial: self.dial.clone(),
            #[cfg(feature = "tls")]
            tls: self.tls.clone(),
            heartbeat: self.heartbeat,
            runtime: PhantomData,
        }
    }
}

impl<R> fmt::Debug for Connector<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("client", &self.client)
            .field("dial", &self.dial)
            .finish_non_exhaustive()
    }
}
