//! A WebSocket inside of a server of hyper 1.
//!
//! [`upgrade`] judges a request and gives the response to return, whatever it came to, and a future of the WebSocket:
//!
//! ```no_run
//! use std::convert::Infallible;
//!
//! use bytes::Bytes;
//! use http_body_util::Full;
//! use hyper::body::Incoming;
//! use hyper::{Request, Response};
//! use sansocket_tokio::{Accept, Error, ServerConfig, hyper::upgrade};
//!
//! async fn serve(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
//!     let (response, opening) = upgrade(&mut request, &ServerConfig::default(), |_| Ok(Accept::new()));
//!     tokio::spawn(async move {
//!         let mut socket = opening.await?;
//!         while let Some(message) = socket.recv().await? {
//!             socket.send(message).await?;
//!         }
//!         Ok::<(), Error>(())
//!     });
//!     Ok(response)
//! }
//!
//! # use hyper_util::rt::TokioIo;
//! # async fn run(stream: tokio::net::TcpStream) -> Result<(), Box<dyn std::error::Error>> {
//! // Of a connection of HTTP/1, with upgrades:
//! stream.set_nodelay(true)?;
//! let service = hyper::service::service_fn(serve);
//! hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await?;
//! # Ok(())
//! # }
//! ```
//!
//! The rules, the limits and the answers are those of [`accept_with`](crate::accept_with): a refused client reads what is wrong with its
//! request and what to do, the failure is in the log and in the [counts](crate::handshakes), and the future gives the
//! [error](crate::Error::handshake). The error is in the extensions of the response too, for layers around the service. Names of
//! fields are written in lower case, as hyper does.
//!
//! The service has its own answers to plain requests, and calls this for the others. A plain request that comes here all the same is refused with
//! 426, or with 404 if [`ServerConfig::plain_http`] is on, as there.
//!
//! What hyper decides before there is a request is not seen here: a head that is not HTTP, one that is larger than its own limits, the
//! time that a client takes for it.
//!
//! [`receive_request`] is for decisions that have to wait for something.
//!
//! # TCP_NODELAY
//!
//! hyper hides the TCP stream, so that it is the server that has to set this option on it, as above. Without it the system holds small
//! messages back while earlier ones are on their way.
//!
//! # The end of the server
//!
//! An open WebSocket is not one of hyper's connections any more: neither a graceful shutdown nor its time limits concern it. Tell your
//! tasks to [close](sansocket_driver::WebSocket::close).
//!
//! # HTTP/2
//!
//! WebSockets inside of HTTP/2 ([RFC 8441]) are not supported: leave `enable_connect_protocol` of hyper's builder for HTTP/2 out. A
//! browser that is not told of them opens a WebSocket by HTTP/1.1, although the page came by HTTP/2. What asks for one by HTTP/2 all the
//! same is refused with 505, and told to use HTTP/1.1.
//!
//! [RFC 8441]: https://www.rfc-editor.org/rfc/rfc8441

mod opening;

use std::error::Error as StdError;
use std::fmt;

use ::hyper::http::Extensions;
use ::hyper::upgrade::{OnUpgrade, Upgraded};
use ::hyper::{Request, Response, Version};
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use sansocket::http::RequestHead;
use sansocket::{
    Accept, AcceptError, HandshakeError, Instant, PendingRequest, PlainRequest, Reject, ServerConfig,
    ServerHandshake, ServerStep,
};
use sansocket_driver::{Timer, failed_elsewhere};

pub use self::opening::Opening;
use self::opening::Waiting;
use crate::{Alarm, Error};

/// The byte stream of a WebSocket of hyper's: that of the HTTP connection, with what hyper had read of it already.
pub type Stream = TokioIo<Upgraded>;

/// A WebSocket of hyper's. See [`sansocket_driver::WebSocket`] for its methods.
pub type WebSocket = crate::WebSocket<Stream>;

/// Accepts a WebSocket if the request asks for one as it must and `decide` agrees; see the [module](self).
///
/// Returns the response, and the future of the WebSocket, which is to be awaited in another task: it is there when hyper has written the
/// response. If the request is refused the response says so, and the future gives the error at once.
pub fn upgrade<B>(
    request: &mut Request<B>,
    config: &ServerConfig,
    decide: impl FnOnce(&crate::Request) -> Result<Accept, Reject>,
) -> (Response<Full<Bytes>>, Opening) {
    let handshake = match receive_request(request, config) {
        Ok(handshake) => handshake,
        Err(refused) => return refused.into_parts(),
    };
    match decide(handshake.request()) {
        Ok(accept) => handshake.accept(accept),
        Err(reject) => handshake.reject(&reject).into_parts(),
    }
}

/// Judges a request, and leaves the answer to the caller: for decisions that have to wait for something.
///
/// ```no_run
/// # use bytes::Bytes;
/// # use http_body_util::Full;
/// # use hyper::{Request, Response, body::Incoming};
/// use sansocket_tokio::{Accept, Reject, ServerConfig, hyper::receive_request};
///
/// # async fn is_known(token: Option<&[u8]>) -> bool { token.is_some() }
/// async fn serve(mut request: Request<Incoming>) -> Response<Full<Bytes>> {
///     let handshake = match receive_request(&mut request, &ServerConfig::default()) {
///         Ok(handshake) => handshake,
///         Err(refused) => return refused.into_response(),
///     };
///     if !is_known(handshake.request().field("Authorization")).await {
///         return handshake.reject(&Reject::forbidden("Who are you?")).into_response();
///     }
///     let (response, opening) = handshake.accept(Accept::new());
///     tokio::spawn(opening);
///     response
/// }
/// ```
///
/// # Errors
///
/// The request breaks a rule or a limit, or asks for no WebSocket. It has been logged, and has the response to return.
pub fn receive_request<B>(request: &mut Request<B>, config: &ServerConfig) -> Result<Handshake, Refused> {
    let judged = judge(&*request, config);
    take_over(judged, request.version(), request.extensions_mut())
}

/// What a request came to, and the handshake, which knows what came of it.
pub(crate) type Judged = Result<(ServerHandshake, ServerStep), HandshakeError>;

pub(crate) fn judge<'a>(request: impl Into<RequestHead<'a>>, config: &ServerConfig) -> Judged {
    let now = now();
    let mut handshake = ServerHandshake::new(config, now);
    let step = handshake.receive_http(request, now)?;
    Ok((handshake, step))
}

/// Takes the connection of a request that was found good.
pub(crate) fn take_over(
    judged: Judged,
    version: Version,
    extensions: &mut Extensions,
) -> Result<Handshake, Refused> {
    let (mut handshake, step) = judged.map_err(|error| Refused::by_the_rules(error, version))?;
    let pending = match step {
        ServerStep::Request(pending) => pending,
        ServerStep::Http(request) => return Err(Refused::plain(&request, version)),
        ServerStep::NeedMore => return Err(Refused::by_the_rules(handshake.eof(now()), version)),
    };
    match extensions.remove::<OnUpgrade>() {
        Some(on_upgrade) => Ok(Handshake { pending, handshake, on_upgrade }),
        None => {
            let reject = Reject::new(500).body("text/plain; charset=utf-8", NO_UPGRADE);
            let error = pending.reject(reject.unwrap_or_else(|_| Reject::new(500)), now());
            Err(Refused::by_the_rules(error, version))
        }
    }
}

/// A request that follows the rules and waits for an answer. Made by [`receive_request`].
///
/// Dropped, it leaves the answer to the service: any response other than 101 ends it as a plain request.
#[must_use = "the client waits for an answer"]
pub struct Handshake {
    pending: PendingRequest,
    /// Knows what came, for the case that the connection fails before it is a WebSocket.
    handshake: ServerHandshake,
    on_upgrade: OnUpgrade,
}

impl Handshake {
    /// What the client asks for.
    #[must_use]
    pub fn request(&self) -> &crate::Request {
        self.pending.request()
    }

    /// Another configuration for the WebSocket than the one that the request was judged by.
    pub fn reconfigure(&mut self, config: &ServerConfig) {
        self.pending.reconfigure(config);
    }

    /// Accepts the request. Returns what [`upgrade`] does.
    ///
    /// If `accept` does not fit the request, as with a subprotocol that the client did not offer, the response is 500 and the future
    /// gives [`Error::Accept`].
    pub fn accept(self, accept: Accept) -> (Response<Full<Bytes>>, Opening) {
        let Self { pending, handshake, on_upgrade } = self;
        let subprotocol = accept.chosen_subprotocol().map(Box::from);
        match pending.accept_http(accept, now()) {
            Ok((response, connection)) => {
                let waiting = Waiting { on_upgrade, connection, subprotocol, handshake };
                (response.map(|()| Full::default()), Opening::waiting(waiting))
            }
            Err(AcceptError { reason, .. }) => {
                let response = Reject::new(500).to_http(Version::HTTP_11).map(Full::new);
                (response, Opening::failed(Error::Accept(reason)))
            }
        }
    }

    /// Refuses the request. The refusal is logged, and has the response to return.
    pub fn reject(self, reject: &Reject) -> Refused {
        Refused::by_the_rules(self.pending.reject(reject.clone(), now()), Version::HTTP_11)
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake").field("request", self.request()).finish_non_exhaustive()
    }
}

/// A request that was refused: the response to return, and why.
#[must_use = "the client waits for the response"]
pub struct Refused {
    // Boxed, as it is the rare half of a result.
    inner: Box<(Response<Full<Bytes>>, Error)>,
}

impl Refused {
    fn by_the_rules(error: HandshakeError, version: Version) -> Self {
        let mut response = error.to_http(version).map(Full::new);
        response.extensions_mut().insert(error.clone());
        Self { inner: Box::new((response, failed_elsewhere(error, None))) }
    }

    /// As the handshake on a socket does that has no other answer to plain HTTP.
    fn plain(request: &PlainRequest, version: Version) -> Self {
        let response = Reject::not_found().to_http(version).map(Full::new);
        Self { inner: Box::new((response, Error::PlainHttp { target: request.target().into() })) }
    }

    /// Why: mostly [`Error::Handshake`].
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.inner.1
    }

    /// The response to return.
    #[must_use]
    pub fn into_response(self) -> Response<Full<Bytes>> {
        self.inner.0
    }

    fn into_parts(self) -> (Response<Full<Bytes>>, Opening) {
        let (response, error) = *self.inner;
        (response, Opening::failed(error))
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refused").field(self.error()).finish()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error().fmt(f)
    }
}

impl StdError for Refused {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error().source()
    }
}

fn now() -> Instant {
    Alarm::default().now()
}

/// What a client is told that would have got its WebSocket, had the connection been hyper's own.
const NO_UPGRADE: &str = "The request is fine, but this server cannot give its connection away: \
    what stands between hyper and this service took the request's extensions.\n";
