//! TLS of a server: its certificate and key, whom it lets in, and the handshake with each client.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{UnbufferedServerConnection, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use sansocket::{Instant, Peer, Reject, ServerHandshake};

use crate::error::Error;
use crate::opening::{Asked, Opening};
use crate::runtime::{Runtime, Timer, Transport};
use crate::telemetry;
use crate::tls::pem::{self, TlsConfigError};
use crate::tls::refused::TlsAcceptError;
use crate::tls::session::Role;
use crate::tls::stream::{Failed, Seen, TlsStream};
use crate::tls::within;
use crate::tls::{HTTP1, provider};

/// TLS of a server: certificate, key, and the handshake with each client. Cheap to clone.
///
/// [`accept`](Self::accept) makes a stream of which the accepting functions then make a WebSocket. A ready
/// [`rustls::ServerConfig`] is taken as it is.
pub struct TlsAcceptor<R> {
    config: Arc<ServerConfig>,
    limit: Option<Duration>,
    runtime: PhantomData<fn() -> R>,
}

impl<R: Runtime> TlsAcceptor<R> {
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
    pub fn builder(chain: &[u8], key: &[u8]) -> Result<TlsAcceptorBuilder<R>, TlsConfigError> {
        Ok(TlsAcceptorBuilder {
            chain: pem::certificates("the server's certificates", chain)?,
            key: pem::key(key)?,
            clients: None,
            limit: Some(LIMIT),
            runtime: PhantomData,
        })
    }

    /// Does the handshake with a client on a connected stream.
    ///
    /// ```
    /// use sansocket_driver::{Error, TlsAcceptor, TlsStream, Transport, WebSocket, accept};
    ///
    /// async fn serve<S, R>(acceptor: &TlsAcceptor<R>, tcp: S) -> Result<(), Error>
    /// where
    ///     S: Send + 'static,
    ///     R: Transport<S> + Transport<TlsStream<S, R>>,
    /// {
    ///     let stream = acceptor.accept(tcp).await?;
    ///     let mut socket: WebSocket<_, R> = accept(stream).await?;
    ///     while let Some(message) = socket.recv().await? {
    ///         socket.send(message).await?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::TlsAccept`], which has been logged. A client that speaks plain HTTP was told so, with the status 400.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the stream.
    pub async fn accept<S: Send + 'static>(&self, stream: S) -> Result<TlsStream<S, R>, Error>
    where
        R: Transport<S>,
    {
        // What is needed during the handshake is not held for the life of the task.
        Box::pin(self.accept_now(stream)).await
    }

    async fn accept_now<S: Send + 'static>(&self, stream: S) -> Result<TlsStream<S, R>, Error>
    where
        R: Transport<S>,
    {
        R::prepare(&stream);
        let peer_address = telemetry::peer::<S, R>(&stream);
        let span = telemetry::span(sansocket::Role::Server, peer_address);
        let mut timer = R::Timer::default();
        let started = timer.now();
        let deadline = self.limit.map(|limit| started + limit);
        let role = UnbufferedServerConnection::new(Arc::clone(&self.config)).map_err(Error::Tls)?;
        let mut stream = TlsStream::new(stream, Role::Server(Box::new(role)), BytesMut::new());
        let mut seen = Seen::default();
        let done = within(&mut timer, deadline, stream.handshake(&mut seen)).await;
        let elapsed = timer.now().since(started);
        let error = match done {
            Some(Ok(())) => return Ok(stream),
            Some(Err(Failed::NotTls)) => {
                let left = deadline.map(|deadline| deadline.since(timer.now()));
                let peer = say_that_it_is_tls(stream, left).await;
                TlsAcceptError::new(&Failed::NotTls, &seen, peer, elapsed)
            }
            Some(Err(failed)) => TlsAcceptError::new(&failed, &seen, look_at(&seen), elapsed),
            None => TlsAcceptError::timed_out(self.limit.unwrap_or_default(), &seen, look_at(&seen), elapsed),
        };
        span.in_scope(|| telemetry::tls_refused(&error, peer_address));
        Err(Error::TlsAccept(error))
    }
}

impl<R> Clone for TlsAcceptor<R> {
    fn clone(&self) -> Self {
        Self { config: Arc::clone(&self.config), limit: self.limit, runtime: PhantomData }
    }
}

impl<R> From<Arc<ServerConfig>> for TlsAcceptor<R> {
    /// Takes a ready configuration as it is, but for early data, which could be replayed and is not accepted. It needs
    /// `http/1.1` among its protocols (ALPN), or none.
    fn from(mut config: Arc<ServerConfig>) -> Self {
        if config.max_early_data_size > 0 {
            Arc::make_mut(&mut config).max_early_data_size = 0;
        }
        Self { config, limit: Some(LIMIT), runtime: PhantomData }
    }
}

impl<R> fmt::Debug for TlsAcceptor<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsAcceptor").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// Options of a server's TLS; see [`TlsAcceptor::builder`].
#[must_use]
pub struct TlsAcceptorBuilder<R> {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    clients: Option<Vec<CertificateDer<'static>>>,
    limit: Option<Duration>,
    runtime: PhantomData<fn() -> R>,
}

impl<R> TlsAcceptorBuilder<R> {
    /// Lets only clients in that show a certificate of one of the authorities in `pem`.
    ///
    /// # Errors
    ///
    /// [`TlsConfigError::Pem`] and [`TlsConfigError::NoCertificate`].
    pub fn require_client_certificate(mut self, pem: &[u8]) -> Result<Self, TlsConfigError> {
        self.clients = Some(pem::certificates("the authorities of clients", pem)?);
        Ok(self)
    }

    /// How long a client may take for its handshake. Default 10 s, as for the opening handshake that follows; `None` is no
    /// limit.
    pub fn time_limit(mut self, limit: Option<Duration>) -> Self {
        self.limit = limit;
        self
    }

    /// The options put together.
    ///
    /// # Errors
    ///
    /// Certificate and key do not belong together, or an authority cannot be used.
    pub fn build(self) -> Result<TlsAcceptor<R>, TlsConfigError> {
        let Self { chain, key, clients, limit, .. } = self;
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsConfigError::Key)?;
        let builder = match clients {
            Some(clients) => {
                let roots = Arc::new(pem::authorities(RootCertStore::empty(), clients)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
                builder.with_client_cert_verifier(
                    verifier.map_err(|error| TlsConfigError::Verifier(error.to_string().into()))?,
                )
            }
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(TlsConfigError::Key)?;
        config.alpn_protocols = vec![HTTP1.to_vec()];
        Ok(TlsAcceptor { config: Arc::new(config), limit, runtime: PhantomData })
    }
}

impl<R> fmt::Debug for TlsAcceptorBuilder<R> {
    /// Leaves the private key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsAcceptorBuilder").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// What the core takes a client for that began with these bytes.
fn look_at(seen: &Seen) -> Peer {
    let mut handshake = ServerHandshake::new(&sansocket::ServerConfig::default(), Instant::ZERO);
    match handshake.receive(&mut BytesMut::from(&seen.first[..]), Instant::ZERO) {
        Err(error) => error.peer().clone(),
        Ok(_) => handshake.eof(Instant::ZERO).peer().clone(),
    }
}

/// Finds out what a client speaks that does not speak TLS, and if it is HTTP, answers in it.
async fn say_that_it_is_tls<S: Send + 'static, R: Transport<S>>(
    stream: TlsStream<S, R>,
    limit: Option<Duration>,
) -> Peer {
    let (stream, input) = stream.into_parts();
    let mut config = sansocket::ServerConfig::default();
    config.plain_http = true;
    config.timeouts.handshake = limit;
    let mut opening = Opening::<S, R>::resumed(stream, input, sansocket::Role::Server, config.timeouts.close);
    let handshake = ServerHandshake::new(&config, opening.timer.now());
    let reject = || {
        let plain = Reject::new(400);
        plain.clone().body("text/plain; charset=utf-8", SPEAK_TLS).unwrap_or(plain)
    };
    match opening.run_quietly(handshake).await {
        Ok(Asked::WebSocket(pending)) => {
            let error = pending.reject(reject(), opening.timer.now());
            opening.tell(&error).await;
            error.peer().clone()
        }
        Ok(Asked::Http(request)) => {
            let peer = request.peer();
            let farewell = request.answer(reject(), config.timeouts.close, opening.timer.now());
            opening.say(farewell).await;
            peer
        }
        Err((error, _)) => {
            opening.tell(&error).await;
            error.peer().clone()
        }
    }
}

/// How long a client may take, unless said otherwise.
const LIMIT: Duration = Duration::from_secs(10);

/// What a client of plain HTTP is told.
const SPEAK_TLS: &str = "This port speaks TLS: use wss:// or https://.\n";
