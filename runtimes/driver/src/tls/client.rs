//! TLS of a client: whom it trusts, who it says it is, and the handshake.

use std::fmt;
use std::sync::{Arc, LazyLock};

use bytes::BytesMut;
use rustls::client::UnbufferedClientConnection;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use sansocket::{DialTimeouts, StepError, TlsFault};
use tracing::warn;

use crate::runtime::{Timer, Transport};
use crate::telemetry;
use crate::tls::danger::AnyCertificate;
use crate::tls::explain::Explaining;
use crate::tls::fault::client_fault;
use crate::tls::pem::{self, TlsConfigError};
use crate::tls::session::Role;
use crate::tls::stream::{Seen, TlsStream};
use crate::tls::{HTTP1, provider, within};

/// TLS of a client: whom it trusts and who it says it is. Cheap to clone; sessions are resumed across clones.
///
/// The default trusts whom the operating system trusts; the first connection of the process asks it, which may read files for
/// some milliseconds. [`builder`](Self::builder) has the usual options, and a ready
/// [`rustls::ClientConfig`] is taken as it is:
///
/// ```
/// # fn of(ready: std::sync::Arc<rustls::ClientConfig>) -> Result<(), sansocket_driver::TlsConfigError> {
/// use sansocket_driver::Tls;
///
/// let tls = Tls::default();
/// let tls = Tls::builder().server_name("internal.example").build()?;
/// let tls = Tls::from(ready).server_name("internal.example")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tls {
    /// `None` for the default, which is made when it is first used: to ask the operating system takes a while.
    config: Option<Arc<ClientConfig>>,
    server_name: Option<ServerName<'static>>,
}

impl Tls {
    /// The options.
    pub fn builder() -> TlsBuilder {
        TlsBuilder::default()
    }

    /// Does the handshake with the server `name` on a connected stream, for which it has 10 s. A [`Connector`](crate::Connector) does this by
    /// itself; for a stream of one's own, each adapter has it as the function `connect_tls`, for its own runtime.
    ///
    /// # Errors
    ///
    /// Why there is no TLS, in the words of the connect plan; [`TlsFault::TransportFailed`] also if the time was over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the stream.
    pub async fn connect<S: Send + 'static, R: Transport<S>>(
        &self,
        stream: S,
        name: &str,
    ) -> Result<TlsStream<S, R>, StepError<TlsFault>> {
        R::prepare(&stream);
        let mut timer = R::Timer::default();
        let deadline = DialTimeouts::default().tls.map(|limit| (limit, timer.now() + limit));
        let done = within(
            &mut timer,
            deadline.map(|(_, deadline)| deadline),
            self.begin(stream, name, BytesMut::new()),
        );
        match (done.await, deadline) {
            (Some(done), _) => done,
            (None, deadline) => {
                let limit = deadline.map(|(limit, _)| limit).unwrap_or_default();
                Err(StepError::new(
                    TlsFault::TransportFailed,
                    format_args!("it was not done within {limit:?}"),
                ))
            }
        }
    }

    /// Asks for this name (SNI), and wants a certificate for it, whatever the URL says: [`TlsBuilder::server_name`] for a ready configuration.
    ///
    /// # Errors
    ///
    /// [`TlsConfigError::Name`] if it is neither a DNS name nor an IP address.
    pub fn server_name(mut self, name: &str) -> Result<Self, TlsConfigError> {
        self.server_name = Some(server_name(name)?);
        Ok(self)
    }

    /// As [`connect`](Self::connect), without a time limit; `input` is what was read from the stream already.
    pub(crate) async fn begin<S: Send + 'static, R: Transport<S>>(
        &self,
        stream: S,
        name: &str,
        input: BytesMut,
    ) -> Result<TlsStream<S, R>, StepError<TlsFault>> {
        let config = match &self.config {
            Some(config) => Arc::clone(config),
            None => match &*PLATFORM {
                Ok(config) => Arc::clone(config),
                Err(error) => return Err(StepError::new(TlsFault::Unavailable, error)),
            },
        };
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => server_name(name).map_err(|error| StepError::new(TlsFault::Other, error))?,
        };
        let client = UnbufferedClientConnection::new(config, name)
            .map_err(|error| StepError::new(TlsFault::Other, error))?;
        let mut stream = TlsStream::new(stream, Role::Client(Box::new(client)), input);
        let mut seen = Seen::default();
        match stream.handshake(&mut seen).await {
            Ok(()) => Ok(stream),
            Err(failed) => Err(client_fault(&failed, &seen)),
        }
    }
}

impl Default for Tls {
    /// Trusts whom the operating system trusts.
    fn default() -> Self {
        Self { config: None, server_name: None }
    }
}

impl From<Arc<ClientConfig>> for Tls {
    /// Takes a ready configuration as it is, with its verifier, its cryptography and its protocols (ALPN). Where it offers `h2`
    /// before `http/1.1`, a server may take it at its word and speak HTTP/2, over which no WebSocket can be opened here.
    fn from(config: Arc<ClientConfig>) -> Self {
        Self { config: Some(config), server_name: None }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

/// Options of a client's TLS; see [`Tls::builder`].
#[derive(Default)]
#[must_use]
pub struct TlsBuilder {
    trust: Trust,
    extra: Vec<CertificateDer<'static>>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    server_name: Option<Box<str>>,
    protocols: Option<Vec<Vec<u8>>>,
}

#[derive(Default)]
enum Trust {
    #[default]
    Platform,
    #[cfg(feature = "webpki-roots")]
    WebpkiRoots,
    Nobody,
    Anybody,
}

impl TlsBuilder {
    /// Trusts the authorities that Mozilla trusts, as of when this program was built, in place of the operating system's: for
    /// containers that have none.
    #[cfg(feature = "webpki-roots")]
    #[cfg_attr(docsrs, doc(cfg(feature = "webpki-roots")))]
    pub fn webpki_roots(mut self) -> Self {
        self.trust = Trust::WebpkiRoots;
        self
    }

    /// Trusts the authorities in `pem`, and no other: for servers with certificates of an authority of your own.
    ///
    /// # Errors
    ///
    /// [`TlsConfigError::Pem`] and [`TlsConfigError::NoCertificate`].
    pub fn only_authorities(mut self, pem: &[u8]) -> Result<Self, TlsConfigError> {
        self.extra = pem::certificates("the authorities", pem)?;
        self.trust = Trust::Nobody;
        Ok(self)
    }

    /// Trusts the authorities in `pem`, besides those that are trusted anyway.
    ///
    /// # Errors
    ///
    /// [`TlsConfigError::Pem`] and [`TlsConfigError::NoCertificate`].
    pub fn extra_authorities(mut self, pem: &[u8]) -> Result<Self, TlsConfigError> {
        self.extra.extend(pem::certificates("the authorities", pem)?);
        Ok(self)
    }

    /// **Accepts every certificate, of whoever it is. Whoever is in between can read and change everything.** For tests on one's own
    /// machine; a test with an authority of its own ([`only_authorities`](Self::only_authorities)) is hardly more work. It logs a
    /// warning when it is built.
    pub fn dangerously_accept_any_certificate(mut self) -> Self {
        self.trust = Trust::Anybody;
        self
    }

    /// Shows the server this certificate, if it asks for one: the certificates in `chain`, the client's own first, and its private
    /// key. Servers that a redirect leads to get to see it too.
    ///
    /// # Errors
    ///
    /// [`TlsConfigError::Pem`], [`TlsConfigError::NoCertificate`] and [`TlsConfigError::NoKey`].
    pub fn client_certificate(mut self, chain: &[u8], key: &[u8]) -> Result<Self, TlsConfigError> {
        self.identity = Some((pem::certificates("the client's certificates", chain)?, pem::key(key)?));
        Ok(self)
    }

    /// Asks for this name (SNI), and wants a certificate for it, whatever the URL says: for servers that are reached by another
    /// name or by address. It goes with every redirect too.
    pub fn server_name(mut self, name: &str) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// The protocols that are offered (ALPN, RFC 7301), the best first. Default `http/1.1`, which is what a WebSocket speaks
    /// here; with none, the extension is left out.
    pub fn protocols<P: AsRef<[u8]>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.protocols = Some(protocols.into_iter().map(|protocol| protocol.as_ref().to_vec()).collect());
        self
    }

    /// The options put together.
    ///
    /// # Errors
    ///
    /// An authority or a key that cannot be used, a name that is none, no authorities on this machine.
    pub fn build(self) -> Result<Tls, TlsConfigError> {
        let server_name = self.server_name.as_deref().map(server_name).transpose()?;
        Ok(Tls { config: Some(Arc::new(self.config()?)), server_name })
    }

    fn config(self) -> Result<ClientConfig, TlsConfigError> {
        let Self { trust, extra, identity, protocols, .. } = self;
        let verifier: Arc<dyn ServerCertVerifier> = match trust {
            Trust::Platform => {
                let verifier = Verifier::new_with_extra_roots(extra, provider());
                Arc::new(verifier.map_err(TlsConfigError::Platform)?)
            }
            #[cfg(feature = "webpki-roots")]
            Trust::WebpkiRoots => {
                let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
                trusting(pem::authorities(roots, extra)?)?
            }
            Trust::Nobody => trusting(pem::authorities(RootCertStore::empty(), extra)?)?,
            Trust::Anybody => {
                warn!(target: telemetry::TARGET, "certificates of servers are not checked: dangerously_accept_any_certificate");
                Arc::new(AnyCertificate(provider().signature_verification_algorithms))
            }
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsConfigError::Key)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Explaining(verifier)));
        let mut config = match identity {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(TlsConfigError::Key)?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = protocols.unwrap_or_else(|| vec![HTTP1.to_vec()]);
        Ok(config)
    }
}

impl fmt::Debug for TlsBuilder {
    /// Leaves the private key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsBuilder").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

fn trusting(roots: RootCertStore) -> Result<Arc<dyn ServerCertVerifier>, TlsConfigError> {
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    Ok(verifier.map_err(|error| TlsConfigError::Verifier(error.to_string().into()))?)
}

fn server_name(name: &str) -> Result<ServerName<'static>, TlsConfigError> {
    ServerName::try_from(name.to_owned()).map_err(|_| TlsConfigError::Name(name.into()))
}

/// The default: made once, so that all connections share its sessions.
static PLATFORM: LazyLock<Result<Arc<ClientConfig>, TlsConfigError>> =
    LazyLock::new(|| TlsBuilder::default().config().map(Arc::new));
