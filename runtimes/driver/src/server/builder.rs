//! Everything that can be set about a server.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

use sansocket::{Accept, AdmissionLimits, Answer, Origins, PlainRequest, Reject, Request, ServerConfig};

use super::info::{ConnectionInfo, HandlerOutput};
use super::{AnswerHttp, Decide, Listen, Server, ServerHandle, Socket};
#[cfg(feature = "tls")]
use crate::tls::TlsAcceptor;

/// Options of a [`Server`]. Methods are for what most servers set; all the rest is in the fields.
///
/// ```
/// # fn options<R: sansocket_driver::Listen>() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use sansocket::{Answer, Origins};
/// use sansocket_driver::Server;
///
/// let mut options = Server::<R>::bind("0.0.0.0:4000")
///     .bind("[::1]:4001")
///     .max_connections(5_000)
///     .max_connections_per_address(50)
///     .max_memory(256 * 1024 * 1024)
///     .origins(Origins::new().allow("https://example.com")?)
///     .subprotocol("v2.chat")
///     .subprotocol("v1.chat")
///     .answer_http(|request, server| match request.path() {
///         "/healthz" if server.is_draining() => Answer::new(503),
///         "/healthz" => Answer::new(200),
///         _ => Answer::new(404),
///     });
/// options.limits.handshakes = 200;
/// options.config.limits.message = 64 * 1024;
/// options.drain_limit = Duration::from_secs(30);
/// let server = options.on_connection(|mut socket, _| async move { while let Ok(Some(_)) = socket.recv().await {} });
/// # drop(server);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct ServerBuilder<R: Listen> {
    /// How many clients are served at once, in all and from one address.
    pub limits: AdmissionLimits,
    /// Limits, time limits and compression of each connection. [`plain_http`](ServerConfig::plain_http) is set by
    /// [`answer_http`](Self::answer_http). Without [`Timeouts::handshake`](sansocket::Timeouts::handshake), clients that say nothing keep their place among
    /// the handshakes for ever.
    pub config: ServerConfig,
    /// How long [`ServerHandle::shutdown`] waits. Default 10 s: twice what the closing handshake may take by default.
    pub drain_limit: Duration,
    /// Bytes that all connections may hold together; what is counted is told at [`Server`](Server#memory). Default 1 GiB: room for 10,000 idle connections
    /// and 50 messages of 16 MiB that arrive at once. `None`: only the limits of each connection hold, by which 10,000 could take 220 GiB (22 MiB
    /// for a message of 16 MiB that grows, and 1 MiB of output).
    pub max_memory: Option<usize>,
    /// Bytes of [`max_memory`](Self::max_memory) that each open connection takes, whatever it does. Default 8 KiB: an idle one takes about 2, and a handler's
    /// future some more. With context takeover add the windows.
    pub memory_per_connection: usize,
    pub(super) sources: Vec<Source<R>>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<TlsAcceptor<R>>,
    pub(super) origins: Option<Origins>,
    pub(super) subprotocols: Vec<Box<str>>,
    pub(super) decide: Option<Decide>,
    pub(super) answer_http: Option<AnswerHttp>,
    runtime: PhantomData<fn() -> R>,
}

impl<R: Listen> ServerBuilder<R> {
    pub(super) fn new(source: Source<R>) -> Self {
        Self {
            limits: AdmissionLimits::default(),
            config: ServerConfig::default(),
            drain_limit: Duration::from_secs(10),
            max_memory: Some(1 << 30),
            memory_per_connection: 8 * 1024,
            sources: vec![source],
            #[cfg(feature = "tls")]
            tls: None,
            origins: None,
            subprotocols: Vec::new(),
            decide: None,
            answer_http: None,
            runtime: PhantomData,
        }
    }

    /// Listens on another address as well.
    pub fn bind(mut self, address: impl ToString) -> Self {
        self.sources.push(Source::Address(address.to_string()));
        self
    }

    /// Accepts from a listener of the runtime's as well, which listens already. See [`Server::on`].
    pub fn listener(mut self, listener: R::Listener) -> Self {
        self.sources.push(Source::Listener(listener));
        self
    }

    /// Speaks TLS, on all addresses: `wss`.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, acceptor: impl Into<Option<TlsAcceptor<R>>>) -> Self {
        self.tls = acceptor.into();
        self
    }

    /// Open connections at once. Default 10,000. See [`AdmissionLimits::connections`].
    pub fn max_connections(mut self, max: usize) -> Self {
        self.limits.connections = max;
        self
    }

    /// Open connections at once from one address, or one /64 of IPv6. Default 1,000; `usize::MAX` behind a proxy. See
    /// [`AdmissionLimits::connections_per_address`].
    pub fn max_connections_per_address(mut self, max: usize) -> Self {
        self.limits.connections_per_address = max;
        self
    }

    /// Bytes that all connections may hold together. Default 1 GiB; `None` is no such limit. See [`Server`](Server#memory).
    pub fn max_memory(mut self, bytes: impl Into<Option<usize>>) -> Self {
        self.max_memory = bytes.into();
        self
    }

    /// From which web pages a browser may connect; others get 403. Default: from all, as is told at [`Origins`].
    pub fn origins(mut self, origins: impl Into<Option<Origins>>) -> Self {
        self.origins = origins.into();
        self
    }

    /// Speaks a subprotocol ([RFC 6455 section 1.9]); of several, the first that the client offers is chosen, and none if it offers none of them.
    /// Where [`decide`](Self::decide) chooses one, that is it.
    ///
    /// [RFC 6455 section 1.9]: https://www.rfc-editor.org/rfc/rfc6455#section-1.9
    pub fn subprotocol(mut self, subprotocol: &str) -> Self {
        self.subprotocols.push(subprotocol.into());
        self
    }

    /// Decides about each request that has a place, and whose origin is allowed. Default: every one is accepted. It must not block; what
    /// takes time, such as a look into a database, is for [`decide_async`](Self::decide_async). Of the two, the one that is set last holds.
    pub fn decide(
        mut self,
        decide: impl Fn(&Request, &ConnectionInfo) -> Result<Accept, Reject> + Send + Sync + 'static,
    ) -> Self {
        self.decide = Some(Decide::AtOnce(Box::new(decide)));
        self
    }

    /// As [`decide`](Self::decide), for a decision that takes time: a token is looked up, another service is asked.
    ///
    /// ```
    /// # fn options<R: sansocket_driver::Listen>() -> Result<(), Box<dyn std::error::Error>> {
    /// use sansocket::{Accept, Reject};
    /// use sansocket_driver::Server;
    ///
    /// async fn is_known(token: &[u8]) -> bool {
    ///     // Stands for a look into a database.
    ///     token == b"Bearer open-sesame"
    /// }
    ///
    /// let challenge = Reject::unauthorized("Bearer")?;
    /// let options = Server::<R>::bind("0.0.0.0:4000").decide_async(move |info| {
    ///     let challenge = challenge.clone();
    ///     async move {
    ///         match info.request.field("Authorization") {
    ///             None => Err(challenge),
    ///             // What is attached, the handler gets by `ConnectionInfo::attached`.
    ///             Some(token) if is_known(token).await => Ok(Accept::new().attach(token.to_vec())),
    ///             Some(_) => Err(Reject::forbidden("Who are you?").because("unknown token")),
    ///         }
    ///     }
    /// });
    /// # drop(options);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Meanwhile the client has the place of an open connection, which it took before, so that nothing is looked up for who finds the server full. There is
    /// an end to that:
    ///
    /// - the decision gets as long as the client got to ask, [`Timeouts::handshake`](sansocket::Timeouts::handshake), counted anew. Then the client gets 503
    ///   with `Retry-After`, and the log a warning that names the limit ([`ServerCounts::decided_too_late`](crate::ServerCounts::decided_too_late));
    /// - a client that goes away frees its place at once, unless it sent more than its request, which it may not before it is answered;
    /// - when the server begins to drain, the client gets 503;
    /// - a panic ends this handshake with 500, and nothing else.
    ///
    /// The future is then dropped where it waits.
    pub fn decide_async<F>(mut self, decide: impl Fn(ConnectionInfo) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Accept, Reject>> + Send + 'static,
    {
        self.decide = Some(Decide::InTime(Box::new(move |info| Box::pin(decide(info)))));
        self
    }

    /// Answers plain HTTP on the same port: a health check, a page with figures, a sentence for browsers. Default: 426. Also called when the server
    /// is full or drains, which the [`ServerHandle`] tells.
    pub fn answer_http(
        mut self,
        answer: impl Fn(&PlainRequest, &ServerHandle) -> Answer + Send + Sync + 'static,
    ) -> Self {
        self.answer_http = Some(Box::new(answer));
        self
    }

    /// Runs `handler` for each connection, in a task of its own, and inside of the connection's span. Its result may be `()` or a `Result`.
    pub fn on_connection<F>(
        self,
        handler: impl Fn(Socket<R>, ConnectionInfo) -> F + Send + Sync + 'static,
    ) -> Server<R>
    where
        F: Future<Output: HandlerOutput> + Send + 'static,
    {
        let handler = move |socket: Socket<R>, info: ConnectionInfo| -> super::Handled {
            let handled = handler(socket, info);
            Box::pin(async move { handled.await.error() })
        };
        Server { options: self, handler: Box::new(handler) }
    }
}

/// Where clients come from.
pub(super) enum Source<R: Listen> {
    /// It is yet to be listened on.
    Address(String),
    Listener(R::Listener),
}

impl<R: Listen> fmt::Debug for Source<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Listener(listener) => match R::local_address(listener) {
                Ok(address) => write!(f, "a listener on {address}"),
                Err(_) => f.write_str("a listener"),
            },
        }
    }
}

impl<R: Listen> fmt::Debug for ServerBuilder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("sources", &self.sources)
            .field("limits", &self.limits)
            .field("max_memory", &self.max_memory)
            .finish_non_exhaustive()
    }
}
