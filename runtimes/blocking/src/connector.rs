//! A client with all that can be set about it.

use sansocket::ClientRequest;
use sansocket_driver::Error;

use crate::runtime::Blocking;
use crate::wait::{Others, block_on};
use crate::websocket::WebSocket;

sansocket_driver::connector! {
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
    pub struct Connector {}
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
        // Whole, so that none is forgotten; that of the heartbeat is about further options.
        let Self {
            client,
            dial,
            #[cfg(feature = "tls")]
            tls,
            heartbeat: _,
        } = self;
        let mut connector = sansocket_driver::Connector::<Blocking>::default();
        connector.client = client.clone();
        connector.dial = dial.clone();
        #[cfg(feature = "tls")]
        {
            connector.tls = tls.clone();
        }
        block_on(Others::None, connector.connect_with(request)).map(WebSocket::from_driver)
    }
}
