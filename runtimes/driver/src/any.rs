//! What came on a connection, be it a request for a WebSocket or plain HTTP, with the answer left to the caller.

use sansocket::{Answer, PlainRequest, ServerConfig};

use crate::error::Error;
use crate::handshake::{Incoming, receive};
use crate::opening::{Asked, Opening};
use crate::runtime::Transport;

/// What a client asks for; made by [`receive_any`].
pub enum AnyRequest<S, R: Transport<S>> {
    /// A WebSocket.
    WebSocket(Incoming<S, R>),
    /// A page, by plain HTTP. Only with [`ServerConfig::plain_http`].
    Http(IncomingHttp<S, R>),
}

/// A plain HTTP request that waits for an answer. Dropped, it closes the stream.
pub struct IncomingHttp<S, R: Transport<S>> {
    opening: Opening<S, R>,
    request: PlainRequest,
}

impl<S: Send + 'static, R: Transport<S>> IncomingHttp<S, R> {
    /// What the client asks for.
    #[must_use]
    pub fn request(&self) -> &PlainRequest {
        &self.request
    }

    /// Answers the request, makes sure that the answer arrives, and closes the stream.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the stream; the answer may be lost.
    pub async fn answer(mut self, answer: impl Into<Answer>) {
        self.opening.answer(self.request, answer).await;
    }
}

/// Reads a client's request from a connected stream, be it for a WebSocket or plain HTTP, and leaves the answer to the caller: for
/// decisions that have to wait for something, and health checks on the same port.
///
/// `config` must have [`plain_http`](ServerConfig::plain_http), or plain requests are refused with 426. The handshake's time limit ends
/// with the request.
///
/// # Errors
///
/// [`Error::Handshake`] if no acceptable request came. The client has then been told, if it speaks HTTP.
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn receive_any<S: Send + 'static, R: Transport<S>>(
    stream: S,
    config: &ServerConfig,
) -> Result<AnyRequest<S, R>, Error> {
    // Two kilobytes that are needed now and not for the life of the task.
    Ok(match Box::pin(receive(stream, config)).await? {
        (opening, Asked::WebSocket(pending)) => AnyRequest::WebSocket(Incoming { opening, pending }),
        (opening, Asked::Http(request)) => AnyRequest::Http(IncomingHttp { opening, request }),
    })
}
