//! What an opening handshake leaves, for who drives the connection by itself instead of by a `WebSocket`.

use bytes::BytesMut;
use sansocket::{Accept, ClientConfig, ClientHandshake, ClientRequest, Connection, Response, Role};

use crate::dial::{Connector, Dialer};
use crate::error::Error;
use crate::handshake::{Incoming, entropy};
use crate::maybe_tls::MaybeTls;
use crate::opening::Opening;
use crate::runtime::{Timer, Transport};
use crate::telemetry;

/// An open connection and the stream below it, each for itself.
///
/// [`WebSocket::new`](crate::WebSocket::new) makes a WebSocket of them.
#[derive(Debug)]
#[non_exhaustive]
pub struct Parts<S> {
    /// The byte stream.
    pub stream: S,
    /// The connection. On a server its first output is the answer to the handshake, which is still to be written.
    pub connection: Connection,
    /// What was read behind the handshake: the first input.
    pub input: BytesMut,
    /// The server's answer, with all its fields; `None` on a server.
    pub response: Option<Box<Response>>,
}

impl<S: Send + 'static, R: Transport<S>> Opening<S, R> {
    pub(crate) fn into_parts(self, connection: Connection, response: Option<Response>) -> Parts<S> {
        let Self { stream, input, role, span, .. } = self;
        span.in_scope(|| telemetry::opened(role));
        Parts { stream, connection, input, response: response.map(Box::new) }
    }
}

impl<S: Send + 'static, R: Transport<S>> Incoming<S, R> {
    /// As [`accept`](Self::accept), but leaves it to the caller to write the answer, and to drive the connection.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the stream.
    pub async fn accept_parts(self, accept: Accept) -> Result<Parts<S>, Error> {
        let (opening, connection) = self.agree(accept).await?;
        Ok(opening.into_parts(connection, None))
    }
}

/// As [`client`](crate::client), but leaves it to the caller to drive the connection.
///
/// # Errors
///
/// As there.
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn client_parts<S: Send + 'static, R: Transport<S>>(
    stream: S,
    request: &ClientRequest,
    config: &ClientConfig,
) -> Result<Parts<S>, Error> {
    let handshake = async {
        let mut opening = Opening::<S, R>::new(stream, Role::Client, config.timeouts.close);
        let handshake = ClientHandshake::new(request, config, entropy()?, opening.timer.now());
        let (connection, response) = opening.run(handshake).await?;
        Ok(opening.into_parts(connection, Some(response)))
    };
    Box::pin(handshake).await
}

impl<R: Dialer> Connector<R> {
    /// As [`connect_with`](Self::connect_with), but leaves it to the caller to drive the connection.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes all that it holds.
    pub async fn connect_parts(
        &self,
        request: &ClientRequest,
    ) -> Result<Parts<MaybeTls<R::Stream, R>>, Error> {
        let (opened, _) = self.open(request).await?;
        Ok(opened.opening.into_parts(opened.connection, Some(opened.response)))
    }
}
