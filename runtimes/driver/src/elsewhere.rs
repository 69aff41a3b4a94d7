//! Opening handshakes whose bytes somebody else reads and writes, such as an HTTP server: they are logged and counted as all others.

use std::io;

use bytes::BytesMut;
use sansocket::{Connection, HandshakeError};

use crate::error::Error;
use crate::runtime::Transport;
use crate::telemetry;
use crate::websocket::{Agreed, WebSocket};

/// A WebSocket on a stream whose opening handshake has just succeeded.
///
/// As [`WebSocket::new`], and counts the handshake. `subprotocol` is what the server chose.
#[must_use]
pub fn opened_elsewhere<S: Send + 'static, R: Transport<S>>(
    stream: S,
    connection: Connection,
    subprotocol: Option<Box<str>>,
) -> WebSocket<S, R> {
    R::prepare(&stream);
    let role = connection.role();
    let span = telemetry::span(role, telemetry::peer::<S, R>(&stream));
    span.in_scope(|| telemetry::opened(role));
    WebSocket::open(stream, connection, BytesMut::new(), Agreed::Subprotocol(subprotocol), span)
}

/// Notes that an opening handshake failed: logs and counts it. To be called once for each.
///
/// `io` is what the operating system says, if it was the transport that failed.
#[must_use]
pub fn failed_elsewhere(error: HandshakeError, io: Option<io::Error>) -> Error {
    telemetry::failed(&error, io.as_ref(), None);
    Error::Handshake { error, io }
}
