//! Everything that can be set about a client, and `connect`.

use std::fmt;
use std::marker::PhantomData;

use sansocket::{ClientConfig, ClientRequest, DialConfig, Dialed};

use crate::dial::Dialer;
use crate::dial::plan::{self, Opened};
use crate::error::Error;
use crate::heartbeat::Heartbeat;
use crate::maybe_tls::MaybeTls;
#[cfg(feature = "tls")]
use crate::tls::Tls;
use crate::websocket::{Agreed, WebSocket};

crate::connector! {
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
    pub struct Connector<R> {
        runtime: PhantomData<fn() -> R>,
    }
}

impl<R: Dialer> Connector<R> {
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
