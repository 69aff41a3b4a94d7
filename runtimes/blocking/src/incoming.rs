//! What a client asks for, with the answer left to the caller.

use std::net::TcpStream;

use sansocket::{Accept, Answer, PlainRequest, Reject, Request};
use sansocket_driver::{Error, Transport};

use crate::runtime::Blocking;
use crate::wait::{Others, block_on};
use crate::websocket::WebSocket;

/// A client's request that waits for an answer. Made by [`receive_request`](crate::receive_request); dropped, it closes the stream.
pub struct Incoming<S = TcpStream>
where
    Blocking: Transport<S>,
{
    pub(crate) inner: sansocket_driver::Incoming<S, Blocking>,
}

impl<S: Send + 'static> Incoming<S>
where
    Blocking: Transport<S>,
{
    /// What the client asks for.
    #[must_use]
    pub fn request(&self) -> &Request {
        self.inner.request()
    }

    /// Accepts the request and sends the answer.
    ///
    /// # Errors
    ///
    /// [`Error::Accept`] if `accept` does not fit the request: a subprotocol that the client did not offer.
    pub fn accept(self, accept: Accept) -> Result<WebSocket<S>, Error> {
        block_on(Others::None, self.inner.accept(accept)).map(WebSocket::from_driver)
    }

    /// Refuses the request with an HTTP answer, and makes sure that it arrives.
    ///
    /// Returns the refusal as the error that it is for the caller of an accepting function.
    pub fn reject(self, reject: Reject) -> Error {
        block_on(Others::None, self.inner.reject(reject))
    }
}

/// What a client asks for; made by [`receive_any`](crate::receive_any).
pub enum AnyRequest<S = TcpStream>
where
    Blocking: Transport<S>,
{
    /// A WebSocket.
    WebSocket(Incoming<S>),
    /// A page, by plain HTTP. Only with [`ServerConfig::plain_http`](crate::ServerConfig::plain_http).
    Http(IncomingHttp<S>),
}

/// A plain HTTP request that waits for an answer. Dropped, it closes the stream.
pub struct IncomingHttp<S = TcpStream>
where
    Blocking: Transport<S>,
{
    pub(crate) inner: sansocket_driver::IncomingHttp<S, Blocking>,
}

impl<S: Send + 'static> IncomingHttp<S>
where
    Blocking: Transport<S>,
{
    /// What the client asks for.
    #[must_use]
    pub fn request(&self) -> &PlainRequest {
        self.inner.request()
    }

    /// Answers the request, makes sure that the answer arrives, and closes the stream.
    pub fn answer(self, answer: impl Into<Answer>) {
        block_on(Others::None, self.inner.answer(answer));
    }
}
