//! The stream of a client, and TLS on streams of one's own.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::task::{Context, Poll};

use ::tungstenite::client::IntoClientRequest;
use ::tungstenite::error::UrlError;
use ::tungstenite::handshake::client::Response;
use ::tungstenite::protocol::WebSocketConfig;
#[cfg(feature = "tls")]
use sansocket_driver::rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::tungstenite::error::Explained;
#[cfg(feature = "tls")]
use crate::tungstenite::error::tls_kind;
use crate::tungstenite::{WebSocketStream, WsError, client_async_with_config};
use crate::{MaybeTls, Stream};

/// A byte stream that is plain, as for `ws`, or inside of TLS, as for `wss`.
#[non_exhaustive]
pub enum MaybeTlsStream<S: AsyncRead + AsyncWrite + Unpin + 'static> {
    /// The stream itself.
    Plain(S),
    /// Inside of TLS by rustls. The type is this library's own, and not that of tokio-rustls.
    #[cfg(feature = "tls")]
    Rustls(Box<crate::TlsStream<S>>),
}

/// How a client speaks TLS.
#[derive(Clone)]
#[non_exhaustive]
pub enum Connector {
    /// Not at all: `wss` is an error.
    Plain,
    /// By rustls, with a configuration of one's own.
    #[cfg(feature = "tls")]
    Rustls(Arc<ClientConfig>),
}

macro_rules! each {
    ($self:expr, $stream:ident => $then:expr) => {
        match $self {
            MaybeTlsStream::Plain($stream) => $then,
            #[cfg(feature = "tls")]
            MaybeTlsStream::Rustls($stream) => $then,
        }
    };
}

impl<S: AsyncRead + AsyncWrite + Unpin + 'static> MaybeTlsStream<S> {
    /// The stream below.
    pub fn get_ref(&self) -> &S {
        match self {
            Self::Plain(stream) => stream,
            #[cfg(feature = "tls")]
            Self::Rustls(tls) => tls.get_ref(),
        }
    }

    pub(super) fn of(stream: MaybeTls<S>) -> Self {
        #[cfg(feature = "tls")]
        let stream = match stream.into_tls() {
            Ok(tls) => return Self::Rustls(tls),
            Err(plain) => plain,
        };
        match stream.into_plain() {
            Ok(plain) => Self::Plain(plain),
            // INVARIANT: a stream inside of TLS has gone above.
            Err(_) => unreachable!("a stream that is neither plain nor inside of TLS"),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + 'static> AsyncRead for MaybeTlsStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_read(cx, buffer))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + 'static> AsyncWrite for MaybeTlsStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_write(cx, data))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        each!(self, stream => stream.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_shutdown(cx))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + fmt::Debug + 'static> fmt::Debug for MaybeTlsStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(stream) => f.debug_tuple("Plain").field(stream).finish(),
            #[cfg(feature = "tls")]
            Self::Rustls(_) => f.debug_tuple("Rustls").finish_non_exhaustive(),
        }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            #[cfg(feature = "tls")]
            Self::Rustls(_) => "Rustls",
        })
    }
}

/// Opens a WebSocket as the client on a connected stream, with TLS before it if the URL says `wss`.
///
/// # Errors
///
/// As [`connect_async`](super::connect_async).
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn client_async_tls<R, S>(
    request: R,
    stream: S,
) -> Result<(WebSocketStream<MaybeTlsStream<S>>, Response), WsError>
where
    R: IntoClientRequest + Unpin,
    S: Stream,
{
    client_async_tls_with_config(request, stream, None, None).await
}

/// As [`client_async_tls`], with the limits and the TLS that are given.
///
/// # Errors
///
/// As there.
///
/// # Cancel safety
///
/// As there.
pub async fn client_async_tls_with_config<R, S>(
    request: R,
    stream: S,
    config: Option<WebSocketConfig>,
    connector: Option<Connector>,
) -> Result<(WebSocketStream<MaybeTlsStream<S>>, Response), WsError>
where
    R: IntoClientRequest + Unpin,
    S: Stream,
{
    let request = request.into_client_request()?;
    let stream = match request.uri().scheme_str() {
        Some("ws") => MaybeTlsStream::Plain(stream),
        Some("wss") => secure(request.uri().host().unwrap_or_default(), stream, connector).await?,
        _ => return Err(WsError::Url(UrlError::UnsupportedUrlScheme)),
    };
    client_async_with_config(request, stream, config).await
}

#[cfg(feature = "tls")]
async fn secure<S: Stream>(
    host: &str,
    stream: S,
    connector: Option<Connector>,
) -> Result<MaybeTlsStream<S>, Explained> {
    let tls = tls(connector)?;
    let name = host.trim_start_matches('[').trim_end_matches(']');
    match tls.connect::<S, crate::Tokio>(stream, name).await {
        Ok(stream) => Ok(MaybeTlsStream::Rustls(Box::new(stream))),
        Err(error) => Err(WsError::Io(io::Error::new(tls_kind(error.fault()), error)).into()),
    }
}

/// Without TLS, `wss` goes no further.
#[cfg(not(feature = "tls"))]
#[expect(clippy::unused_async, reason = "its twin has to wait")]
async fn secure<S: Stream>(
    _host: &str,
    _stream: S,
    _connector: Option<Connector>,
) -> Result<MaybeTlsStream<S>, Explained> {
    Err(WsError::Url(UrlError::TlsFeatureNotEnabled).into())
}

/// The TLS that a connector means.
#[cfg(feature = "tls")]
pub(super) fn tls(connector: Option<Connector>) -> Result<crate::Tls, WsError> {
    match connector {
        None => Ok(crate::Tls::default()),
        Some(Connector::Rustls(config)) => Ok(config.into()),
        Some(Connector::Plain) => Err(WsError::Url(UrlError::TlsFeatureNotEnabled)),
    }
}
