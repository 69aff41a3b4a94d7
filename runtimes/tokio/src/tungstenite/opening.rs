//! The opening handshake, by tokio-tungstenite's function names.

use ::tungstenite::client::IntoClientRequest;
use ::tungstenite::error::{ProtocolError, UrlError};
use ::tungstenite::handshake::client::{Request, Response};
use ::tungstenite::handshake::server::{Callback, NoCallback};
use ::tungstenite::protocol::WebSocketConfig;
use sansocket::Reject;
use sansocket_driver::{client_parts, receive_request};
use tokio::net::TcpStream;

use crate::tungstenite::error::{Explained, refused};
use crate::tungstenite::stream::{client_config, server_config};
use crate::tungstenite::{Connector, MaybeTlsStream, WebSocketStream, WsError, http};
use crate::{Stream, Tokio};

/// Accepts a WebSocket on a connected stream, whatever the client asks for.
///
/// # Errors
///
/// Those of the table in `docs/migrating.md`. The client has then been told, if it speaks HTTP.
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn accept_async<S: Stream>(stream: S) -> Result<WebSocketStream<S>, WsError> {
    accept_hdr_async_with_config(stream, NoCallback, None).await
}

/// As [`accept_async`], with the limits that are given.
///
/// # Errors
///
/// As there.
///
/// # Cancel safety
///
/// As there.
pub async fn accept_async_with_config<S: Stream>(
    stream: S,
    config: Option<WebSocketConfig>,
) -> Result<WebSocketStream<S>, WsError> {
    accept_hdr_async_with_config(stream, NoCallback, config).await
}

/// Accepts a WebSocket on a connected stream; `callback` sees the request, and may add to the answer, or refuse.
///
/// # Errors
///
/// As [`accept_async`]. `Http` with what the callback returned, if it refused.
///
/// # Cancel safety
///
/// As there.
pub async fn accept_hdr_async<S: Stream, C: Callback + Unpin>(
    stream: S,
    callback: C,
) -> Result<WebSocketStream<S>, WsError> {
    accept_hdr_async_with_config(stream, callback, None).await
}

/// As [`accept_hdr_async`], with the limits that are given.
///
/// # Errors
///
/// As there.
///
/// # Cancel safety
///
/// As there.
pub async fn accept_hdr_async_with_config<S: Stream, C: Callback + Unpin>(
    stream: S,
    callback: C,
    config: Option<WebSocketConfig>,
) -> Result<WebSocketStream<S>, WsError> {
    Ok(accept_explained(stream, callback, config).await?)
}

/// As [`accept_hdr_async_with_config`], with an error that also has what this library says: who the peer appears to be, how far it came,
/// and what to do. `NoCallback` accepts all.
///
/// ```
/// # async fn serve(stream: tokio::net::TcpStream) {
/// use sansocket_tokio::tungstenite::{accept_explained, tungstenite::handshake::server::NoCallback};
///
/// match accept_explained(stream, NoCallback, None).await {
///     Ok(socket) => drop(socket),
///     // "the client closed TCP before it sent a byte", and not "Handshake not finished".
///     Err(explained) => eprintln!("{explained}"),
/// }
/// # }
/// ```
///
/// # Errors
///
/// As there.
///
/// # Cancel safety
///
/// As there.
pub async fn accept_explained<S: Stream, C: Callback + Unpin>(
    stream: S,
    callback: C,
    config: Option<WebSocketConfig>,
) -> Result<WebSocketStream<S>, Explained> {
    let config = config.unwrap_or_default();
    let incoming = receive_request::<S, Tokio>(stream, &server_config(&config)).await?;
    let seen = http::server_request(incoming.request());
    let seen = seen.and_then(|request| Ok((request, http::offered_response(incoming.request())?)));
    let (request, offered) = match seen {
        Ok(seen) => seen,
        Err(error) => {
            // A target or a value that the crate http does not take.
            incoming.reject(Reject::new(400)).await;
            return Err(error.into());
        }
    };
    let decided = callback.on_request(&request, offered).and_then(http::not_switching);
    let accept = match decided {
        Ok(response) => match http::accept(&response) {
            Ok(accept) => accept,
            Err(error) => {
                incoming.reject(Reject::new(500)).await;
                return Err(error.into());
            }
        },
        Err(response) => {
            if response.status().is_success() {
                incoming.reject(Reject::new(500)).await;
                return Err(WsError::Protocol(ProtocolError::CustomResponseSuccessful).into());
            }
            let error = incoming.reject(http::reject(&response)).await;
            return Err(refused(response, error));
        }
    };
    let parts = incoming.accept_parts(accept).await?;
    let mut socket = WebSocketStream::from_parts(parts, config);
    socket.flushed().await?;
    Ok(socket)
}

/// Opens a WebSocket as the client on a connected stream.
///
/// # Errors
///
/// Those of the table in `docs/migrating.md`; `Http` with the server's answer if it refused.
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn client_async<R, S>(request: R, stream: S) -> Result<(WebSocketStream<S>, Response), WsError>
where
    R: IntoClientRequest + Unpin,
    S: Stream,
{
    client_async_with_config(request, stream, None).await
}

/// As [`client_async`], with the limits that are given.
///
/// # Errors
///
/// As there.
///
/// # Cancel safety
///
/// As there.
pub async fn client_async_with_config<R, S>(
    request: R,
    stream: S,
    config: Option<WebSocketConfig>,
) -> Result<(WebSocketStream<S>, Response), WsError>
where
    R: IntoClientRequest + Unpin,
    S: Stream,
{
    let config = config.unwrap_or_default();
    let request = http::client_request(&request.into_client_request()?)?;
    let opened = client_parts::<S, Tokio>(stream, &request, &client_config(&config)).await;
    let parts = opened.map_err(|error| Explained::from(error).error)?;
    let response = response(parts.response.as_deref())?;
    Ok((WebSocketStream::from_parts(parts, config), response))
}

/// Connects to the server of a URL or a request, with TLS for `wss`, and opens a WebSocket.
///
/// The addresses of the server race, each step has a time limit, and TLS trusts whom the operating system trusts.
///
/// # Errors
///
/// Those of the table in `docs/migrating.md`; `Http` with the server's answer if it refused.
///
/// # Cancel safety
///
/// Dropping the future closes all that it holds.
pub async fn connect_async<R>(
    request: R,
) -> Result<(WebSocketStream<MaybeTlsStream<TcpStream>>, Response), WsError>
where
    R: IntoClientRequest + Unpin,
{
    connect_async_with_config(request, None, false).await
}

/// As [`connect_async`], with the limits that are given, and `TCP_NODELAY` if `disable_nagle`.
///
/// # Errors
///
/// As there.
///
/// # Cancel safety
///
/// As there.
pub async fn connect_async_with_config<R>(
    request: R,
    config: Option<WebSocketConfig>,
    disable_nagle: bool,
) -> Result<(WebSocketStream<MaybeTlsStream<TcpStream>>, Response), WsError>
where
    R: IntoClientRequest + Unpin,
{
    connect_async_tls_with_config(request, config, disable_nagle, None).await
}

/// As [`connect_async_with_config`], with the TLS that is given.
///
/// # Errors
///
/// As there.
///
/// # Cancel safety
///
/// As there.
pub async fn connect_async_tls_with_config<R>(
    request: R,
    config: Option<WebSocketConfig>,
    disable_nagle: bool,
    connector: Option<Connector>,
) -> Result<(WebSocketStream<MaybeTlsStream<TcpStream>>, Response), WsError>
where
    R: IntoClientRequest + Unpin,
{
    let request = request.into_client_request()?;
    let mut ours = crate::Connector::default();
    ours.dial.tcp.nodelay = disable_nagle;
    if request.uri().scheme_str() == Some("wss") {
        #[cfg(feature = "tls")]
        {
            ours.tls = super::tls::tls(connector)?;
        }
        #[cfg(not(feature = "tls"))]
        return Err(without_tls(connector));
    }
    Ok(connect_explained(request, config, &ours).await?)
}

#[cfg(not(feature = "tls"))]
fn without_tls(_connector: Option<Connector>) -> WsError {
    WsError::Url(UrlError::TlsFeatureNotEnabled)
}

/// As [`connect_async`], by a [`Connector`](crate::Connector) of this library, which has proxies, redirects and the time limits of each step,
/// and with an error that also has what this library says: all that was tried, and why it failed. The limits of the WebSocket are
/// those of `config`.
///
/// # Errors
///
/// As there.
///
/// # Cancel safety
///
/// As there.
pub async fn connect_explained<R>(
    request: R,
    config: Option<WebSocketConfig>,
    connector: &crate::Connector,
) -> Result<(WebSocketStream<MaybeTlsStream<TcpStream>>, Response), Explained>
where
    R: IntoClientRequest + Unpin,
{
    let config = config.unwrap_or_default();
    let request: Request = request.into_client_request()?;
    if request.uri().host().is_none() {
        return Err(WsError::Url(UrlError::NoHostName).into());
    }
    let request = http::client_request(&request)?;
    let mut connector = connector.clone();
    let timeouts = connector.client.timeouts;
    connector.client = client_config(&config);
    (connector.client.timeouts.connect, connector.client.timeouts.handshake) =
        (timeouts.connect, timeouts.handshake);
    let mut parts = connector.connect_parts(&request).await?;
    let response = response(parts.response.take().as_deref())?;
    Ok((WebSocketStream::connected(parts, config), response))
}

/// The server's answer, which every client has.
fn response(response: Option<&sansocket::Response>) -> Result<Response, WsError> {
    response.map_or_else(|| Ok(Response::default()), |response| http::client_response(response, None))
}
