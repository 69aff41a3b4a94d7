//! A WebSocket inside of a server of axum 0.8.
//!
//! ```no_run
//! use axum::{Router, response::Response, routing::any};
//! use sansocket_tokio::axum::{WebSocket, WebSocketUpgrade};
//!
//! async fn echo(upgrade: WebSocketUpgrade) -> Response {
//!     upgrade.on_upgrade(|mut socket: WebSocket| async move {
//!         while let Ok(Some(message)) = socket.recv().await {
//!             if socket.send(message).await.is_err() {
//!                 break;
//!             }
//!         }
//!     })
//! }
//!
//! # async fn serve() -> std::io::Result<()> {
//! use axum::serve::ListenerExt;
//!
//! let app: Router = Router::new().route("/echo", any(echo));
//! // axum hides the TCP stream, so that it is the server that has to turn the delay of small messages off.
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?.tap_io(|tcp| {
//!     let _ = tcp.set_nodelay(true);
//! });
//! axum::serve(listener, app).await
//! # }
//! ```
//!
//! A request that breaks a rule is answered by the extractor, as on a raw socket: with what is wrong and what to do. To answer otherwise, take
//! `Result<WebSocketUpgrade, Refused>`. A handler that serves a page as well takes `Option<WebSocketUpgrade>`.
//!
//! Route by `any`, not by `get`: then other methods too are answered here, and not by axum. Inside of `Router::nest` the request's target is
//! what axum leaves of it, without the prefix.
//!
//! What is said of [hyper](crate::hyper) about limits, TCP_NODELAY and the end of the server holds here too: axum is a layer on top of it.
//!
//! # HTTP/2
//!
//! WebSockets inside of HTTP/2 (RFC 8441) are not supported, and axum's feature `http2` has `axum::serve` say that they are, as other
//! servers for axum may. A proxy or a browser that speaks HTTP/2 to such a server asks for them, and is refused with 505. Leave that feature
//! out, or build the server with `hyper-util` and without `enable_connect_protocol`.

use std::fmt;
use std::future::Future;

use ::hyper::http::request::Parts;
use ::hyper::{Method, Version};
use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use sansocket::{Accept, Origins, Reject, ServerConfig, ServerStep};

use crate::Error;
use crate::hyper::{Handshake, judge, take_over};
pub use crate::hyper::{Refused, Stream, WebSocket};

/// The extractor of a request for a WebSocket. See the [module](self).
///
/// A [`ServerConfig`] in the extensions of the request (`axum::Extension`) is the configuration by which the request is judged and of which the
/// WebSocket is; the methods here change it for the WebSocket.
///
/// ```no_run
/// use axum::{Extension, Router, extract::State, response::Response, routing::any};
/// use sansocket_tokio::{InvalidOrigin, Origins, ServerConfig};
/// use sansocket_tokio::axum::{Refused, WebSocketUpgrade};
///
/// async fn chat(State(origins): State<Origins>, upgrade: WebSocketUpgrade) -> Result<Response, Refused> {
///     Ok(upgrade
///         .origins(&origins)?
///         .protocols(["v2.chat", "v1.chat"])
///         .max_message_size(64 * 1024)
///         .on_failed_upgrade(|error| eprintln!("{error}"))
///         .on_upgrade(|socket| async move { println!("{:?}", socket.subprotocol()) }))
/// }
///
/// fn app(config: ServerConfig) -> Result<Router, InvalidOrigin> {
///     let origins = Origins::new().allow("https://example.com")?;
///     Ok(Router::new().route("/chat", any(chat)).layer(Extension(config)).with_state(origins))
/// }
/// ```
#[must_use = "the client waits for an answer"]
pub struct WebSocketUpgrade {
    handshake: Handshake,
    accept: Accept,
    config: ServerConfig,
    on_failed_upgrade: Option<Box<dyn FnOnce(Error) + Send>>,
}

impl WebSocketUpgrade {
    /// What the client asks for.
    #[must_use]
    pub fn request(&self) -> &crate::Request {
        self.handshake.request()
    }

    /// Chooses a subprotocol: the first of these that the client offers. If it offers none of them, none is chosen.
    pub fn protocols<I>(mut self, protocols: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let is_offered =
            |ours: &I::Item| self.request().subprotocols().any(|offered| offered == ours.as_ref());
        let chosen = protocols.into_iter().find(is_offered);
        if let Some(chosen) = chosen {
            self.accept = self.accept.subprotocol(chosen.as_ref());
        }
        self
    }

    /// The subprotocol that was chosen.
    #[must_use]
    pub fn selected_protocol(&self) -> Option<&str> {
        self.accept.chosen_subprotocol()
    }

    /// How to accept the request: with fields of its own in the response, without compression. A subprotocol that it chooses must be one
    /// that the client offers, or the response is 500.
    pub fn accept(mut self, accept: Accept) -> Self {
        self.accept = accept;
        self
    }

    /// The configuration of the WebSocket: limits, time limits, keepalive, compression. The request has been judged already.
    pub fn config(mut self, config: ServerConfig) -> Self {
        self.config = config;
        self
    }

    /// Bytes in one message. Default 16 MiB; see [`Limits::message`](crate::Limits::message).
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.config.limits.message = bytes;
        self
    }

    /// Bytes in one frame. Default 16 MiB; see [`Limits::frame`](crate::Limits::frame).
    pub fn max_frame_size(mut self, bytes: usize) -> Self {
        self.config.limits.frame = bytes;
        self
    }

    /// Lets only pages of these origins in, and clients that are no browsers; see [`Origins`].
    ///
    /// # Errors
    ///
    /// The request comes from another origin, and is answered with 403.
    pub fn origins(self, origins: &Origins) -> Result<Self, Refused> {
        match origins.check(self.request()) {
            Ok(()) => Ok(self),
            Err(reject) => Err(self.reject(&reject)),
        }
    }

    /// Refuses the request, as a server on a raw socket does: the refusal is logged and counted. Any other response of a handler refuses
    /// it as well, without that.
    pub fn reject(self, reject: &Reject) -> Refused {
        self.handshake.reject(reject)
    }

    /// What to do if the response was returned and there is no WebSocket all the same. It has been logged.
    pub fn on_failed_upgrade(mut self, callback: impl FnOnce(Error) + Send + 'static) -> Self {
        self.on_failed_upgrade = Some(Box::new(callback));
        self
    }

    /// Accepts the request, and runs `callback` with the WebSocket in a task of its own. Returns the response for the handler to
    /// return, and for the layers around it to leave as it is: a layer that decides who may connect must do so before the handler
    /// ([why](crate::hyper::Opening)).
    #[must_use = "the client waits for the response"]
    pub fn on_upgrade<C, F>(self, callback: C) -> Response
    where
        C: FnOnce(WebSocket) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { mut handshake, accept, config, on_failed_upgrade } = self;
        handshake.reconfigure(&config);
        let (response, opening) = handshake.accept(accept);
        tokio::spawn(async move {
            match (opening.await, on_failed_upgrade) {
                (Ok(socket), _) => callback(socket).await,
                (Err(error), Some(on_failed_upgrade)) => on_failed_upgrade(error),
                (Err(_), None) => {}
            }
        });
        response.map(Body::new)
    }
}

impl fmt::Debug for WebSocketUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketUpgrade")
            .field("request", self.request())
            .field("accept", &self.accept)
            .finish_non_exhaustive()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for WebSocketUpgrade {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refused> {
        let config = configuration(parts);
        let judged = judge(&*parts, &config);
        let handshake = take_over(judged, parts.version, &mut parts.extensions)?;
        Ok(Self { handshake, accept: Accept::new(), config, on_failed_upgrade: None })
    }
}

/// `None` for a plain request, which asks for no WebSocket. One that asks for it in a wrong way is refused.
impl<S: Send + Sync> OptionalFromRequestParts<S> for WebSocketUpgrade {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Refused> {
        // What asks for no WebSocket in HTTP/2 is not even judged: it is not of HTTP/1.1, and there it is no fault.
        if parts.version >= Version::HTTP_2 && parts.method != Method::CONNECT {
            return Ok(None);
        }
        let mut config = configuration(parts);
        config.plain_http = true;
        let judged = judge(&*parts, &config);
        if matches!(judged, Ok((_, ServerStep::Http(_)))) {
            return Ok(None);
        }
        let handshake = take_over(judged, parts.version, &mut parts.extensions)?;
        Ok(Some(Self { handshake, accept: Accept::new(), config, on_failed_upgrade: None }))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        Self::into_response(self).map(Body::new)
    }
}

fn configuration(parts: &Parts) -> ServerConfig {
    parts.extensions.get().cloned().unwrap_or_default()
}
