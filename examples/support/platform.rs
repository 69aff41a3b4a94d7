//! What a server or a client of the matrix runs on: one of the async runtimes, or a plain thread whose calls block.
//!
//! For a thread, to await is to block: its functions are `async` here, call the blocking ones of the same names, and are ready when
//! they are first polled. A program of your own has one of the four, and needs nothing of this.

use std::future::Future;
use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use futures_lite::future;
use sansocket::{
    Accept, ClientConfig, ClientRequest, CloseCode, Closed, DialConfig, Dialed, Message, Reject, Request,
    Response, ServerConfig, SessionEvent, SessionSendError,
};
use sansocket_blocking::Blocking;
use sansocket_driver::{ClientBuilder, Dialer, Error, MaybeTls, Tls, Transport};

use crate::certificates::Identity;
use crate::runtime::{Runtime, WebSocket};

/// One of the four.
pub(crate) trait Platform: 'static {
    /// Its name.
    const NAME: &'static str;
    /// What its adapter implements the driver's traits on.
    type Adapter: Dialer;
    /// An open WebSocket.
    type Socket: Socket;
    /// A client that connects again.
    type Client: Client;

    /// Runs `future` to its end on this thread.
    fn run<T>(future: impl Future<Output = T>) -> T;

    /// The platform's own stream of a connected socket.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    fn stream(tcp: TcpStream) -> io::Result<<Self::Adapter as Dialer>::Stream>;

    /// Does the handshake of TLS as a server with this certificate.
    fn secure(
        stream: <Self::Adapter as Dialer>::Stream,
        identity: &Identity,
    ) -> impl Future<Output = Result<Stream<Self>, Error>>;

    /// Does the opening handshake as a server.
    fn accept(
        stream: Stream<Self>,
        config: &ServerConfig,
        decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
    ) -> impl Future<Output = Result<Self::Socket, Error>>;

    /// Opens a WebSocket as a client.
    fn connect(request: &ClientRequest, way: &Way) -> impl Future<Output = Result<Self::Socket, Error>>;

    /// A client that connects again.
    ///
    /// # Errors
    ///
    /// The operating system has no random bytes.
    fn client(configure: impl FnOnce(&mut ClientBuilder<Self::Adapter>)) -> Result<Self::Client, Error>;
}

/// The stream of a WebSocket on the platform `P`.
pub(crate) type Stream<P> = MaybeTls<<<P as Platform>::Adapter as Dialer>::Stream, <P as Platform>::Adapter>;

/// How a client gets to its server.
#[derive(Clone, Default)]
pub(crate) struct Way {
    /// Limits and time limits of the connection.
    pub(crate) client: ClientConfig,
    /// Proxy, and the time limit of each step.
    pub(crate) dial: DialConfig,
    /// Whom to trust.
    pub(crate) tls: Tls,
}

/// An open WebSocket.
pub(crate) trait Socket {
    /// The next message; `None` after the closing handshake.
    fn recv(&mut self) -> impl Future<Output = Result<Option<Message>, Error>>;
    /// Sends a message.
    fn send(&mut self, message: Message) -> impl Future<Output = Result<(), Error>>;
    /// Closes, and waits for the end.
    fn close(&mut self, code: CloseCode) -> impl Future<Output = Result<Closed, Error>>;
    /// How it ended, once it has.
    fn closed(&self) -> Option<Closed>;
    /// What was agreed on.
    fn subprotocol(&self) -> Option<&str>;
    /// The server's answer, on a client.
    fn response(&self) -> Option<&Response>;
    /// The way to the server, on a client.
    fn dialed(&self) -> Option<&Dialed>;
}

/// A client that connects again.
pub(crate) trait Client {
    /// The next event; `None` after the last.
    fn next(&mut self) -> impl Future<Output = Option<SessionEvent>>;
    /// Queues a message, and says its number.
    fn send(&mut self, message: Message) -> impl Future<Output = Result<u64, SessionSendError>>;
    /// Closes, and tells how the latest connection ended.
    fn close(&mut self, code: CloseCode) -> impl Future<Output = Result<Option<Arc<Closed>>, Error>>;
}

impl<R: Runtime> Platform for R {
    const NAME: &'static str = R::NAME;
    type Adapter = R::Adapter;
    type Socket = WebSocket<R>;
    type Client = sansocket_driver::Client<R::Adapter>;

    fn run<T>(future: impl Future<Output = T>) -> T {
        R::block_on(future)
    }

    fn stream(tcp: TcpStream) -> io::Result<R::Stream> {
        <R as Runtime>::stream(tcp)
    }

    async fn secure(stream: R::Stream, identity: &Identity) -> Result<Stream<R>, Error> {
        let acceptor = sansocket_driver::TlsAcceptor::<R::Adapter>::from_pem(
            identity.chain.as_bytes(),
            identity.key.as_bytes(),
        );
        Ok(acceptor.expect(FITS).accept(stream).await?.into())
    }

    async fn accept(
        stream: Stream<R>,
        config: &ServerConfig,
        decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
    ) -> Result<WebSocket<R>, Error> {
        R::accept_with(stream, config, decide).await
    }

    async fn connect(request: &ClientRequest, way: &Way) -> Result<WebSocket<R>, Error> {
        let mut connector = sansocket_driver::Connector::<R::Adapter>::default();
        connector.client = way.client.clone();
        connector.dial = way.dial.clone();
        connector.tls = way.tls.clone();
        connector.connect_with(request).await
    }

    fn client(configure: impl FnOnce(&mut ClientBuilder<R::Adapter>)) -> Result<Self::Client, Error> {
        let mut builder = sansocket_driver::Client::builder();
        configure(&mut builder);
        builder.build()
    }
}

/// A plain thread.
pub(crate) enum Thread {}

impl Platform for Thread {
    const NAME: &'static str = "blocking";
    type Adapter = Blocking;
    type Socket = sansocket_blocking::WebSocket;
    type Client = sansocket_blocking::Client;

    fn run<T>(future: impl Future<Output = T>) -> T {
        future::block_on(future)
    }

    fn stream(tcp: TcpStream) -> io::Result<TcpStream> {
        Ok(tcp)
    }

    async fn secure(stream: TcpStream, identity: &Identity) -> Result<Stream<Self>, Error> {
        let acceptor =
            sansocket_blocking::TlsAcceptor::from_pem(identity.chain.as_bytes(), identity.key.as_bytes());
        Ok(acceptor.expect(FITS).accept(stream)?.into())
    }

    async fn accept(
        stream: Stream<Self>,
        config: &ServerConfig,
        decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
    ) -> Result<Self::Socket, Error> {
        sansocket_blocking::accept_with(stream, config, decide)
    }

    async fn connect(request: &ClientRequest, way: &Way) -> Result<Self::Socket, Error> {
        let mut connector = sansocket_blocking::Connector::default();
        connector.client = way.client.clone();
        connector.dial = way.dial.clone();
        connector.tls = way.tls.clone();
        connector.connect_with(request)
    }

    fn client(configure: impl FnOnce(&mut ClientBuilder<Blocking>)) -> Result<Self::Client, Error> {
        let mut builder = sansocket_blocking::Client::builder();
        configure(&mut builder);
        builder.build()
    }
}

const FITS: &str = "the authority made the certificate for this key";

macro_rules! socket {
    ($($await:tt)*) => {
        async fn recv(&mut self) -> Result<Option<Message>, Error> {
            Self::recv(self)$($await)*
        }

        async fn send(&mut self, message: Message) -> Result<(), Error> {
            Self::send(self, message)$($await)*
        }

        async fn close(&mut self, code: CloseCode) -> Result<Closed, Error> {
            Self::close(self, code, "")$($await)*
        }

        fn closed(&self) -> Option<Closed> {
            Self::closed(self)
        }

        fn subprotocol(&self) -> Option<&str> {
            Self::subprotocol(self)
        }

        fn response(&self) -> Option<&Response> {
            Self::response(self)
        }

        fn dialed(&self) -> Option<&Dialed> {
            Self::dialed(self)
        }
    };
}

macro_rules! client {
    ($($await:tt)*) => {
        async fn next(&mut self) -> Option<SessionEvent> {
            Self::next(self)$($await)*
        }

        async fn send(&mut self, message: Message) -> Result<u64, SessionSendError> {
            Self::send(self, message)$($await)*
        }

        async fn close(&mut self, code: CloseCode) -> Result<Option<Arc<Closed>>, Error> {
            Self::close(self, code, "")$($await)*
        }
    };
}

impl<S: Send + 'static, A: Transport<S>> Socket for sansocket_driver::WebSocket<S, A> {
    socket!(.await);
}

impl<S: Send + 'static> Socket for sansocket_blocking::WebSocket<S>
where
    Blocking: Transport<S>,
{
    socket!();
}

impl<A: Dialer> Client for sansocket_driver::Client<A> {
    client!(.await);
}

impl Client for sansocket_blocking::Client {
    client!();
}
