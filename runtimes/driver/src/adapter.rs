//! What every adapter with futures offers, written once.

/// Defines what an adapter offers: the types of this crate with its runtime filled in, functions that take its streams, and the
/// core's names. To be called once, in the root of the adapter's crate.
///
/// The crate that calls it has the features `tls` and `deflate`, which turn on those of this crate, and depends on `sansocket` besides.
/// The roots of `sansocket-tokio`, `sansocket-async-std` and `sansocket-smol` are such calls.
#[macro_export]
macro_rules! adapter {
    (
        name: $name:ident,
        runtime: $runtime:ident,
        stream: $stream:path,
        read: $read:path,
        write: $write:path $(,)?
    ) => {
        $crate::names!();
        pub use sansocket::{AdmissionCounts, AdmissionLimits, DrainReport, Refusals};
        pub use $crate::{ClientSender, ConnectionInfo, HandlerOutput, ServerCounts, ServerEnd, ServerHandle};

        /// The stream of a client: TCP for `ws`, TLS over TCP for `wss`.
        pub type MaybeTls<S = $stream> = $crate::MaybeTls<S, $runtime>;

        /// A client with all that can be set about it. See [`sansocket_driver::Connector`] for its methods.
        ///
        /// ```no_run
        /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
        #[doc = concat!(" use ", stringify!($name), "::{Connector, Proxy};")]
        ///
        /// let mut connector = Connector::default().proxy("http://proxy.example:3128".parse::<Proxy>()?);
        /// connector.dial.redirects = 3;
        /// let socket = connector.connect("wss://example.com/chat").await?;
        /// println!("{:?}", socket.dialed());
        /// # Ok(())
        /// # }
        /// ```
        pub type Connector = $crate::Connector<$runtime>;

        /// A client that connects again by itself. See [`sansocket_driver::Client`] for its methods, and
        /// [`sansocket_driver::ClientBuilder`] for its options.
        ///
        /// ```no_run
        /// # async fn talk() -> Result<(), Box<dyn std::error::Error>> {
        #[doc = concat!(" use ", stringify!($name), "::{Client, SessionEvent};")]
        ///
        /// let mut client =
        ///     Client::builder().server("wss://a.example.com/feed")?.server("wss://b.example.com/feed")?.build()?;
        /// client.send("subscribe").await?;
        /// while let Some(event) = client.next().await {
        ///     match event {
        ///         SessionEvent::Message(message) => println!("{message:?}"),
        ///         SessionEvent::GaveUp(all) => eprintln!("{all}"),
        ///         other => eprintln!("{other:?}"),
        ///     }
        /// }
        /// # Ok(())
        /// # }
        /// ```
        pub type Client = $crate::Client<$runtime>;

        /// Options of a [`Client`]. See [`sansocket_driver::ClientBuilder`] for its methods.
        pub type ClientBuilder = $crate::ClientBuilder<$runtime>;

        /// A server that runs a handler for each connection, within limits, and ends in an orderly way. See [`sansocket_driver::Server`] for
        /// what it does, and [`sansocket_driver::ServerBuilder`] for its options.
        ///
        /// ```no_run
        /// # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
        #[doc = concat!(" use ", stringify!($name), "::{Answer, Error, Server};")]
        ///
        /// let server = Server::bind("0.0.0.0:4000")
        ///     .max_connections(5_000)
        ///     .max_memory(256 * 1024 * 1024)
        ///     .answer_http(|request, server| match request.path() {
        ///         "/healthz" => Answer::new(if server.is_draining() { 503 } else { 200 }),
        ///         _ => Answer::new(404),
        ///     })
        ///     .on_connection(|mut socket, info| async move {
        ///         println!("{} asks for {}", info.peer_address, info.request.path());
        ///         while let Some(message) = socket.recv().await? {
        ///             socket.send(message).await?;
        ///         }
        ///         Ok::<(), Error>(())
        ///     });
        /// let handle = server.start().await?;
        /// // ... until it is to end:
        /// let report = handle.shutdown().await;
        /// println!("{} closed, {} cut off", report.closed, report.cut_off);
        /// # Ok(())
        /// # }
        /// ```
        pub type Server = $crate::Server<$runtime>;

        /// Options of a [`Server`]. See [`sansocket_driver::ServerBuilder`] for its methods.
        pub type ServerBuilder = $crate::ServerBuilder<$runtime>;

        /// A byte stream inside of TLS. See [`sansocket_driver::TlsStream`] for its methods.
        #[cfg(feature = "tls")]
        pub type TlsStream<S = $stream> = $crate::TlsStream<S, $runtime>;

        /// TLS of a server. See [`sansocket_driver::TlsAcceptor`] for its methods.
        ///
        /// ```no_run
        #[doc = concat!(" # async fn serve(tcp: ", stringify!($stream), ") -> Result<(), Box<dyn std::error::Error>> {")]
        #[doc = concat!(" use ", stringify!($name), "::{TlsAcceptor, accept_tls};")]
        ///
        /// let acceptor = TlsAcceptor::from_pem(&std::fs::read("chain.pem")?, &std::fs::read("key.pem")?)?;
        /// let mut socket = accept_tls(tcp, &acceptor).await?;
        /// # Ok(())
        /// # }
        /// ```
        #[cfg(feature = "tls")]
        pub type TlsAcceptor = $crate::TlsAcceptor<$runtime>;

        /// Options of a server's TLS. See [`sansocket_driver::TlsAcceptorBuilder`] for its methods.
        #[cfg(feature = "tls")]
        pub type TlsAcceptorBuilder = $crate::TlsAcceptorBuilder<$runtime>;

        /// An open WebSocket. See [`sansocket_driver::WebSocket`] for its methods.
        pub type WebSocket<S = MaybeTls> = $crate::WebSocket<S, $runtime>;

        /// The receiving half of a [`WebSocket`]. See [`sansocket_driver::ReadHalf`] for its methods.
        pub type ReadHalf<S = MaybeTls> = $crate::ReadHalf<S, $runtime>;

        /// The sending half of a [`WebSocket`]. See [`sansocket_driver::WriteHalf`] for its methods.
        pub type WriteHalf<S = MaybeTls> = $crate::WriteHalf<S, $runtime>;

        /// A message that is received as a byte stream. See [`sansocket_driver::MessageReader`] for its methods.
        pub type MessageReader<'a, S = MaybeTls> = $crate::MessageReader<'a, S, $runtime>;

        /// A message that is sent as a byte stream. See [`sansocket_driver::MessageWriter`] for its methods.
        pub type MessageWriter<'a, S = MaybeTls> = $crate::MessageWriter<'a, S, $runtime>;

        /// A WebSocket as a byte stream. See [`sansocket_driver::ByteStream`] for its methods.
        pub type ByteStream<S = MaybeTls> = $crate::ByteStream<S, $runtime>;

        /// The reading half of a [`ByteStream`]. See [`sansocket_driver::ByteReader`] for its methods.
        pub type ByteReader<S = MaybeTls> = $crate::ByteReader<S, $runtime>;

        /// The writing half of a [`ByteStream`]. See [`sansocket_driver::ByteWriter`] for its methods.
        pub type ByteWriter<S = MaybeTls> = $crate::ByteWriter<S, $runtime>;

        /// A client's request that waits for an answer. See [`sansocket_driver::Incoming`] for its methods.
        pub type Incoming<S = $stream> = $crate::Incoming<S, $runtime>;

        /// A plain HTTP request that waits for an answer. See [`sansocket_driver::IncomingHttp`] for its methods.
        pub type IncomingHttp<S = $stream> = $crate::IncomingHttp<S, $runtime>;

        /// What a client asks for: a WebSocket, or a page by plain HTTP. See [`sansocket_driver::AnyRequest`].
        pub type AnyRequest<S = $stream> = $crate::AnyRequest<S, $runtime>;

        /// A connected byte stream: TCP, TLS, a pipe in memory.
        pub trait Stream: $read + $write + Unpin + Send + 'static {}

        impl<S: $read + $write + Unpin + Send + 'static> Stream for S {}

        /// Accepts a WebSocket on a connected stream, whatever the client asks for, with the default configuration.
        ///
        /// On a connection of TCP, TCP_NODELAY is set first.
        ///
        /// # Errors
        ///
        /// [`Error::Handshake`] if no acceptable request came. The client has then been told, if it speaks HTTP.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes the stream.
        pub async fn accept<S: Stream>(stream: S) -> Result<WebSocket<S>, Error> {
            $crate::accept(stream).await
        }

        /// TLS with a client, and in it a WebSocket as [`accept`] does. For another accepting function, put it behind
        /// `TlsAcceptor::accept` in the same way.
        ///
        /// # Errors
        ///
        /// [`Error::TlsAccept`] if there is no TLS with the client, which says why and is logged; otherwise as [`accept`].
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes the stream.
        #[cfg(feature = "tls")]
        pub async fn accept_tls<S: Stream>(
            stream: S,
            acceptor: &TlsAcceptor,
        ) -> Result<WebSocket<TlsStream<S>>, Error> {
            accept(acceptor.accept(stream).await?).await
        }

        /// Accepts a WebSocket on a connected stream; `decide` sees the request and answers it.
        ///
        /// ```no_run
        #[doc = concat!(" # async fn serve(stream: ", stringify!($stream), ") -> Result<(), ", stringify!($name), "::Error> {")]
        #[doc = concat!(" use ", stringify!($name), "::{Accept, Reject, ServerConfig, accept_with};")]
        ///
        /// let socket = accept_with(stream, &ServerConfig::default(), |request| {
        ///     if request.path() != "/chat" {
        ///         return Err(Reject::new(404));
        ///     }
        ///     Ok(match request.subprotocols().find(|offered| *offered == "v2.chat") {
        ///         Some(chosen) => Accept::new().subprotocol(chosen),
        ///         None => Accept::new(),
        ///     })
        /// })
        /// .await?;
        /// # drop(socket);
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Errors
        ///
        /// [`Error::Handshake`] if no acceptable request came or `decide` refused it. The client has then been told, if it speaks
        /// HTTP.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes the stream.
        pub async fn accept_with<S: Stream>(
            stream: S,
            config: &ServerConfig,
            decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
        ) -> Result<WebSocket<S>, Error> {
            $crate::accept_with(stream, config, decide).await
        }

        /// As [`accept_with`], and answers plain HTTP requests on the same port. `None` means that one was answered.
        ///
        /// ```no_run
        #[doc = concat!(" # async fn serve(stream: ", stringify!($stream), ") -> Result<(), ", stringify!($name), "::Error> {")]
        #[doc = concat!(" use ", stringify!($name), "::{Accept, Answer, Reject, ServerConfig, accept_or_answer};")]
        ///
        /// let mut config = ServerConfig::default();
        /// config.plain_http = true;
        /// let accepted = accept_or_answer(stream, &config, |_| Ok(Accept::new()), |request| match request.path() {
        ///     "/healthz" => Answer::new(200),
        ///     _ => Reject::not_found().into(),
        /// });
        /// if let Some(socket) = accepted.await? {
        ///     // ...
        /// #   drop(socket);
        /// }
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Errors
        ///
        /// As [`accept_with`].
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes the stream.
        pub async fn accept_or_answer<S: Stream>(
            stream: S,
            config: &ServerConfig,
            decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
            answer: impl FnOnce(&PlainRequest) -> Answer,
        ) -> Result<Option<WebSocket<S>>, Error> {
            $crate::accept_or_answer(stream, config, decide, answer).await
        }

        /// Reads a client's request, and leaves the answer to the caller: for decisions that have to wait for something.
        ///
        /// # Errors
        ///
        /// [`Error::Handshake`] if no acceptable request came. The client has then been told, if it speaks HTTP.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes the stream.
        pub async fn receive_request<S: Stream>(stream: S, config: &ServerConfig) -> Result<Incoming<S>, Error> {
            $crate::receive_request(stream, config).await
        }

        /// As [`receive_request`], and with [`plain_http`](ServerConfig::plain_http) gives plain HTTP requests on the same port too: for
        /// decisions that have to wait for something, and health checks.
        ///
        /// ```no_run
        #[doc = concat!(" # async fn serve(stream: ", stringify!($stream), ") -> Result<(), ", stringify!($name), "::Error> {")]
        /// # async fn may_enter(token: Option<&[u8]>) -> bool { token.is_some() }
        #[doc = concat!(" use ", stringify!($name), "::{Accept, AnyRequest, Answer, Reject, ServerConfig, receive_any};")]
        ///
        /// let mut config = ServerConfig::default();
        /// config.plain_http = true;
        /// let incoming = match receive_any(stream, &config).await? {
        ///     AnyRequest::WebSocket(incoming) => incoming,
        ///     AnyRequest::Http(page) if page.request().path() == "/healthz" => return Ok(page.answer(Answer::new(200)).await),
        ///     AnyRequest::Http(page) => return Ok(page.answer(Reject::not_found()).await),
        /// };
        /// // A look into a database, say. The application limits how long that takes.
        /// if !may_enter(incoming.request().field("Authorization")).await {
        ///     return Err(incoming.reject(Reject::forbidden("You may not enter.").because("unknown token")).await);
        /// }
        /// let mut socket = incoming.accept(Accept::new()).await?;
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Errors
        ///
        /// As [`receive_request`].
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes the stream.
        pub async fn receive_any<S: Stream>(stream: S, config: &ServerConfig) -> Result<AnyRequest<S>, Error> {
            $crate::receive_any(stream, config).await
        }

        /// Opens a WebSocket as the client, on a connected stream.
        ///
        /// The stream may be of any kind. For `wss` it must be encrypted already.
        ///
        /// # Errors
        ///
        /// [`Error::Handshake`] if the server did not agree, or did not answer as it must.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes the stream.
        pub async fn client<S: Stream>(
            stream: S,
            request: &ClientRequest,
            config: &ClientConfig,
        ) -> Result<WebSocket<S>, Error> {
            $crate::client(stream, request, config).await
        }

        /// Puts TLS around a connected stream, as the client of the server `name`: for streams that no [`Connector`] makes. [`client`] then
        /// opens a WebSocket on it.
        ///
        /// ```no_run
        #[doc = concat!(" # async fn open(tcp: ", stringify!($stream), ") -> Result<(), Box<dyn std::error::Error>> {")]
        #[doc = concat!(" use ", stringify!($name), "::{ClientConfig, ClientRequest, Tls, client, connect_tls};")]
        ///
        /// let stream = connect_tls(tcp, &Tls::default(), "example.com").await?;
        /// let request = ClientRequest::new("wss://example.com/chat")?;
        /// let mut socket = client(stream, &request, &ClientConfig::default()).await?;
        /// # drop(socket);
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Errors
        ///
        /// Why there is no TLS, in the words of the connect plan; [`TlsFault::TransportFailed`] also if it was not there within 10 s.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes the stream.
        #[cfg(feature = "tls")]
        pub async fn connect_tls<S: Stream>(
            stream: S,
            tls: &Tls,
            name: &str,
        ) -> Result<TlsStream<S>, StepError<TlsFault>> {
            tls.connect(stream, name).await
        }

        /// Dials a server and opens a WebSocket, with the default configuration: `connect("wss://host:port/path")`.
        ///
        /// # Errors
        ///
        /// [`Error::Url`] if it is not the URL of a WebSocket; otherwise [`Error::Dial`], which has everything that was tried.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes all that it holds.
        pub async fn connect(url: &str) -> Result<WebSocket, Error> {
            Connector::default().connect(url).await
        }

        /// Dials the server of a request and opens a WebSocket. A [`Connector`] has the options of the way there: proxy, TLS,
        /// redirects, time limits.
        ///
        /// # Errors
        ///
        /// [`Error::Dial`], which has everything that was tried; also if it was the opening handshake that failed
        /// ([`Error::handshake`]).
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes all that it holds.
        pub async fn connect_with(request: &ClientRequest, config: &ClientConfig) -> Result<WebSocket, Error> {
            let mut connector = Connector::default();
            connector.client = config.clone();
            connector.connect_with(request).await
        }
    };
}
