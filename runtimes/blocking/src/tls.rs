//! TLS of a server, and of a client on a stream of its own.

use std::sync::Arc;
use std::time::Duration;

use sansocket::{StepError, TlsFault};
use sansocket_driver::{Error, Tls, TlsConfigError, rustls};

use crate::runtime::Blocking;
use crate::wait::{Others, block_on};
use crate::{Stream, TlsStream, WebSocket};

/// Puts TLS around a connected stream, as the client of the server `name`: for streams that no [`Connector`](crate::Connector) makes. [`client`](crate::client) then opens a
/// WebSocket on it.
///
/// ```no_run
/// # fn open(tcp: std::net::TcpStream) -> Result<(), Box<dyn std::error::Error>> {
/// use sansocket_blocking::{ClientConfig, ClientRequest, Tls, client, connect_tls};
///
/// let stream = connect_tls(tcp, &Tls::default(), "example.com")?;
/// let request = ClientRequest::new("wss://example.com/chat")?;
/// let mut socket = client(stream, &request, &ClientConfig::default())?;
/// # drop(socket);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Why there is no TLS, in the words of the connect plan; [`TlsFault::TransportFailed`] also if it was not there within 10 s.
pub fn connect_tls<S: Stream>(stream: S, tls: &Tls, name: &str) -> Result<TlsStream<S>, StepError<TlsFault>> {
    block_on(Others::None, tls.connect(stream, name))
}

/// TLS with a client, and in it a WebSocket as [`accept`](crate::accept) does. For another accepting function, put it behind
/// [`TlsAcceptor::accept`] in the same way.
///
/// # Errors
///
/// [`Error::TlsAccept`] if there is no TLS with the client, which says why and is logged; otherwise as [`accept`](crate::accept).
pub fn accept_tls<S: Stream>(stream: S, acceptor: &TlsAcceptor) -> Result<WebSocket<TlsStream<S>>, Error> {
    crate::accept(acceptor.accept(stream)?)
}

/// TLS of a server: certificate, key, and the handshake with each client. Cheap to clone.
///
/// [`accept`](Self::accept) makes a stream of which the accepting functions then make a WebSocket. A ready
/// [`rustls::ServerConfig`] is taken as it is.
///
/// ```no_run
/// # fn serve(tcp: std::net::TcpStream) -> Result<(), Box<dyn std::error::Error>> {
/// use sansocket_blocking::{TlsAcceptor, accept_tls};
///
/// let acceptor = TlsAcceptor::from_pem(&std::fs::read("chain.pem")?, &std::fs::read("key.pem")?)?;
/// let mut socket = accept_tls(tcp, &acceptor)?;
/// # drop(socket);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TlsAcceptor {
    inner: sansocket_driver::TlsAcceptor<Blocking>,
}

impl TlsAcceptor {
    /// A server with the certificates in `chain`, its own first and then those up to the authority, and its private key, both as
    /// PEM.
    ///
    /// # Errors
    ///
    /// Neither certificate nor key in it, or they do not belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsConfigError> {
        Self::builder(chain, key)?.build()
    }

    /// As [`from_pem`](Self::from_pem), with options.
    ///
    /// # Errors
    ///
    /// [`TlsConfigError::Pem`], [`TlsConfigError::NoCertificate`] and [`TlsConfigError::NoKey`].
    pub fn builder(chain: &[u8], key: &[u8]) -> Result<TlsAcceptorBuilder, TlsConfigError> {
        Ok(TlsAcceptorBuilder { inner: sansocket_driver::TlsAcceptor::builder(chain, key)? })
    }

    /// Does the handshake with a client on a connected stream. Takes the builder's
    /// [`time_limit`](TlsAcceptorBuilder::time_limit) at most.
    ///
    /// # Errors
    ///
    /// [`Error::TlsAccept`], which has been logged. A client that speaks plain HTTP was told so, with the status 400.
    pub fn accept<S: Stream>(&self, stream: S) -> Result<TlsStream<S>, Error> {
        block_on(Others::None, self.inner.accept(stream))
    }
}

impl From<Arc<rustls::ServerConfig>> for TlsAcceptor {
    /// Takes a ready configuration as it is, but for early data, which could be replayed and is not accepted. It needs
    /// `http/1.1` among its protocols (ALPN), or none.
    fn from(config: Arc<rustls::ServerConfig>) -> Self {
        Self { inner: config.into() }
    }
}

/// Options of a server's TLS; see [`TlsAcceptor::builder`].
#[derive(Debug)]
#[must_use]
pub struct TlsAcceptorBuilder {
    inner: sansocket_driver::TlsAcceptorBuilder<Blocking>,
}

impl TlsAcceptorBuilder {
    /// Lets only clients in that show a certificate of one of the authorities in `pem`.
    ///
    /// # Errors
    ///
    /// [`TlsConfigError::Pem`] and [`TlsConfigError::NoCertificate`].
    pub fn require_client_certificate(self, pem: &[u8]) -> Result<Self, TlsConfigError> {
        Ok(Self { inner: self.inner.require_client_certificate(pem)? })
    }

    /// How long a client may take for its handshake. Default 10 s, as for the opening handshake that follows; `None` is no
    /// limit.
    pub fn time_limit(self, limit: Option<Duration>) -> Self {
        Self { inner: self.inner.time_limit(limit) }
    }

    /// The options put together.
    ///
    /// # Errors
    ///
    /// Certificate and key do not belong together, or an authority cannot be used.
    pub fn build(self) -> Result<TlsAcceptor, TlsConfigError> {
        Ok(TlsAcceptor { inner: self.inner.build()? })
    }
}
