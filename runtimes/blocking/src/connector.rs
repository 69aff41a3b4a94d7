//! A client with all that can be set about it.

use sansocket::{ClientConfig, ClientRequest, DialConfig};
use sansocket_driver::Error;
#[cfg(feature = "tls")]
use sansocket_driver::Tls;

use crate::runtime::Blocking;
use crate::wait::{Others, block_on};
use crate::websocket::WebSocket;

/// A client with all that can be set about it. The default is what a plain [`connect`](crate::connect) uses.
///
/// ```no_run
/// # fn open() -> Result<(), Box<dyn std::error::Error>> {
/// use sansocket_blocking::{Connector, Proxy};
///
/// let mut connector = Connector::default();
/// connector.dial.redirects = 3;
/// connector.dial.proxy = "http://proxy.example:3128".parse::<Proxy>()?.into();
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
}

impl Connector {
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
