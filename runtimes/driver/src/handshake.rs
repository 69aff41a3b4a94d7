//! The opening handshake over a byte stream, in both roles.
//!
//! The stream is handed over and only comes back as an open WebSocket: a future that is dropped closes it.

use std::io;
use std::sync::LazyLock;

use sansocket::{
    Accept, AcceptError, Answer, ClientConfig, ClientHandshake, ClientRequest, Connection, Entropy,
    PendingRequest, PlainRequest, Reject, Request, Role, ServerConfig, ServerHandshake,
};

use crate::error::Error;
use crate::opening::{Asked, Opening};
use crate::runtime::{Timer, Transport};
use crate::telemetry;
use crate::websocket::{Agreed, WebSocket};

/// A client's request that waits for an answer. Made by [`receive_request`]; dropped, it closes the stream.
pub struct Incoming<S, R: Transport<S>> {
    pub(crate) opening: Opening<S, R>,
    pub(crate) pending: PendingRequest,
}

/// Reads a client's request from a connected stream, checks it, and leaves the answer to the caller.
///
/// For decisions that take time; [`accept_with`] is shorter where they do not. The handshake's time limit ends with the request.
///
/// # Errors
///
/// [`Error::Handshake`] if no acceptable request came. The client has then been told, if it speaks HTTP.
/// [`Error::PlainHttp`] if [`ServerConfig::plain_http`] is on: use [`receive_any`](crate::receive_any) then.
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn receive_request<S: Send + 'static, R: Transport<S>>(
    stream: S,
    config: &ServerConfig,
) -> Result<Incoming<S, R>, Error> {
    // Two kilobytes that are needed now and not for the life of the task.
    match Box::pin(receive(stream, config)).await? {
        (opening, Asked::WebSocket(pending)) => Ok(Incoming { opening, pending }),
        (mut opening, Asked::Http(request)) => {
            let target = request.path().into();
            opening.answer(request, Reject::not_found()).await;
            Err(Error::PlainHttp { target })
        }
    }
}

pub(crate) async fn receive<S: Send + 'static, R: Transport<S>>(
    stream: S,
    config: &ServerConfig,
) -> Result<(Opening<S, R>, Asked), Error> {
    let mut opening = Opening::<S, R>::new(stream, Role::Server, config.timeouts.close);
    let handshake = ServerHandshake::new(config, opening.timer.now());
    let asked = opening.run(handshake).await?;
    Ok((opening, asked))
}

impl<S: Send + 'static, R: Transport<S>> Incoming<S, R> {
    /// What the client asks for.
    #[must_use]
    pub fn request(&self) -> &Request {
        self.pending.request()
    }

    async fn decide(
        self,
        decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
    ) -> Result<WebSocket<S, R>, Error> {
        match self.opening.span.in_scope(|| decide(self.request())) {
            Ok(accept) => self.accept(accept).await,
            Err(reject) => Err(self.reject(reject).await),
        }
    }

    /// Accepts the request and sends the answer.
    ///
    /// # Errors
    ///
    /// [`Error::Accept`] if `accept` does not fit the request: a subprotocol that the client did not offer.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the stream.
    pub async fn accept(self, accept: Accept) -> Result<WebSocket<S, R>, Error> {
        let subprotocol = accept.chosen_subprotocol().map(Box::from);
        let (opening, connection) = self.agree(accept).await?;
        let mut socket = opening.into_websocket(connection, Agreed::Subprotocol(subprotocol));
        match socket.flush().await {
            Ok(()) => Ok(socket),
            // The client has gone before it was answered; the end says how.
            Err(Error::Lost(io)) => Err(socket.lost(io).await),
            Err(error) => Err(error),
        }
    }

    /// Accepts the request; the answer is the first output of the connection.
    pub(crate) async fn agree(self, accept: Accept) -> Result<(Opening<S, R>, Connection), Error> {
        let Self { mut opening, pending } = self;
        let now = opening.timer.now();
        match pending.accept(accept, now) {
            Ok(connection) => Ok((opening, connection)),
            Err(AcceptError { pending, reason, .. }) => {
                opening.tell(&pending.reject(Reject::new(500), now)).await;
                Err(Error::Accept(reason))
            }
        }
    }

    /// Refuses the request with an HTTP answer, and makes sure that it arrives.
    ///
    /// Returns the refusal as the error that it is for the caller of an accepting function.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the stream; the answer may be lost.
    pub async fn reject(mut self, reject: Reject) -> Error {
        let error = self.pending.reject(reject, self.opening.timer.now());
        self.opening.fail(error, None).await
    }

    /// As [`reject`](Self::reject), for a server that has logged why: those who come when it is full come in large numbers.
    pub(crate) async fn turn_away(mut self, reject: Reject) {
        let error = self.pending.reject(reject, self.opening.timer.now());
        telemetry::count_failed(&error);
        self.opening.tell(&error).await;
    }
}

/// Accepts every client on a connected stream, with the default configuration.
///
/// # Errors
///
/// As [`accept_with`].
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn accept<S: Send + 'static, R: Transport<S>>(stream: S) -> Result<WebSocket<S, R>, Error> {
    // Not in the future, whose memory the task holds for as long as it lives.
    static DEFAULT: LazyLock<ServerConfig> = LazyLock::new(ServerConfig::default);
    accept_with(stream, &DEFAULT, |_| Ok(Accept::new())).await
}

/// Accepts a client's request on a connected stream; `decide` answers it.
///
/// # Errors
///
/// [`Error::Handshake`] if no acceptable request came or `decide` refused it. The client has then been told, if it speaks HTTP.
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn accept_with<S: Send + 'static, R: Transport<S>>(
    stream: S,
    config: &ServerConfig,
    decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
) -> Result<WebSocket<S, R>, Error> {
    let accepting = async { receive_request(stream, config).await?.decide(decide).await };
    Box::pin(accepting).await
}

/// As [`accept_with`], and answers plain HTTP requests on the same port: a load balancer's `GET /healthz`, a browser.
///
/// `None` means that a plain request was answered. `config` must have [`plain_http`](ServerConfig::plain_http), or such requests are
/// refused as by [`accept_with`].
///
/// # Errors
///
/// As [`accept_with`].
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn accept_or_answer<S: Send + 'static, R: Transport<S>>(
    stream: S,
    config: &ServerConfig,
    decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
    answer: impl FnOnce(&PlainRequest) -> Answer,
) -> Result<Option<WebSocket<S, R>>, Error> {
    let accepting = async {
        match receive(stream, config).await? {
            (opening, Asked::WebSocket(pending)) => {
                Incoming { opening, pending }.decide(decide).await.map(Some)
            }
            (mut opening, Asked::Http(request)) => {
                let answer = opening.span.in_scope(|| answer(&request));
                opening.answer(request, answer).await;
                Ok(None)
            }
        }
    };
    Box::pin(accepting).await
}

/// Sends a request on a connected stream, and checks the answer.
///
/// # Errors
///
/// [`Error::Handshake`] if the server did not agree, or did not answer as it must.
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn client<S: Send + 'static, R: Transport<S>>(
    stream: S,
    request: &ClientRequest,
    config: &ClientConfig,
) -> Result<WebSocket<S, R>, Error> {
    let handshake = async {
        let mut opening = Opening::<S, R>::new(stream, Role::Client, config.timeouts.close);
        let handshake = ClientHandshake::new(request, config, entropy()?, opening.timer.now());
        let (connection, response) = opening.run(handshake).await?;
        Ok(opening.into_websocket(connection, Agreed::Response(Box::new(response), None)))
    };
    Box::pin(handshake).await
}

/// A seed from the operating system, for the masking-keys of a client whose handshake was done elsewhere.
///
/// # Errors
///
/// [`Error::Entropy`]: the operating system has no random bytes.
pub fn entropy() -> Result<Entropy, Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Error::Entropy(io::Error::other(error)))?;
    Ok(Entropy::from_seed(seed))
}
