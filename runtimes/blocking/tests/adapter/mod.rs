//! The names of the adapter, with `async` before each function that blocks: what the shared tests call.

use std::net::TcpStream;
use std::ops::{Deref, DerefMut};

use blocking::{Blocking, Transport};
use sansocket_blocking as blocking;

pub(crate) use blocking::{
    Accept, Cause, ClientConfig, ClientRequest, CloseCode, Closed, DialError, Error, MaybeTls, Message,
    Proxies, Proxy, Reject, Request, ServerConfig, sansocket,
};
#[cfg(feature = "tls")]
pub(crate) use blocking::{Tls, TlsAcceptError, TlsAcceptFault, TlsConfigError, TlsFault, rustls};
#[cfg(feature = "deflate")]
use sansocket::{DeflateParams, Prepared};
use sansocket::{Dialed, Response};

pub(crate) struct WebSocket<S = MaybeTls>(blocking::WebSocket<S>)
where
    Blocking: Transport<S>;
pub(crate) struct Incoming<S = TcpStream>(blocking::Incoming<S>)
where
    Blocking: Transport<S>;
pub(crate) struct ReadHalf<S = MaybeTls>(blocking::ReadHalf<S>)
where
    Blocking: Transport<S>;
pub(crate) struct WriteHalf<S = MaybeTls>(blocking::WriteHalf<S>)
where
    Blocking: Transport<S>;

type Outcome<T = ()> = Result<T, Error>;

pub(crate) async fn accept<S: Send + 'static>(stream: S) -> Outcome<WebSocket<S>>
where
    Blocking: Transport<S>,
{
    blocking::accept(stream).map(WebSocket)
}

pub(crate) async fn accept_with<S: Send + 'static>(
    stream: S,
    config: &ServerConfig,
    decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
) -> Outcome<WebSocket<S>>
where
    Blocking: Transport<S>,
{
    blocking::accept_with(stream, config, decide).map(WebSocket)
}

pub(crate) async fn receive_request(stream: TcpStream, config: &ServerConfig) -> Outcome<Incoming> {
    blocking::receive_request(stream, config).map(Incoming)
}

pub(crate) async fn client<S: Send + 'static>(
    stream: S,
    request: &ClientRequest,
    config: &ClientConfig,
) -> Outcome<WebSocket<S>>
where
    Blocking: Transport<S>,
{
    blocking::client(stream, request, config).map(WebSocket)
}

pub(crate) async fn connect(url: &str) -> Outcome<WebSocket> {
    blocking::connect(url).map(WebSocket)
}

pub(crate) async fn connect_with(request: &ClientRequest, config: &ClientConfig) -> Outcome<WebSocket> {
    blocking::connect_with(request, config).map(WebSocket)
}

#[derive(Default)]
pub(crate) struct Connector(blocking::Connector);

impl Connector {
    pub(crate) async fn connect(&self, url: &str) -> Outcome<WebSocket> {
        self.0.connect(url).map(WebSocket)
    }
}

impl Deref for Connector {
    type Target = blocking::Connector;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Connector {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

#[cfg(feature = "tls")]
pub(crate) use tls::{TlsAcceptor, accept_tls, connect_tls};

#[cfg(feature = "tls")]
mod tls {
    use std::net::TcpStream;
    use std::sync::Arc;

    use sansocket_blocking as blocking;
    use sansocket_blocking::{StepError, Tls, TlsConfigError, TlsFault, TlsStream, rustls};

    pub(crate) async fn connect_tls(
        stream: TcpStream,
        tls: &Tls,
        name: &str,
    ) -> Result<TlsStream, StepError<TlsFault>> {
        blocking::connect_tls(stream, tls, name)
    }

    pub(crate) async fn accept_tls(
        stream: TcpStream,
        acceptor: &TlsAcceptor,
    ) -> super::Outcome<super::WebSocket<TlsStream>> {
        blocking::accept_tls(stream, &acceptor.0).map(super::WebSocket)
    }

    #[derive(Clone)]
    pub(crate) struct TlsAcceptor(blocking::TlsAcceptor);

    pub(crate) struct TlsAcceptorBuilder(blocking::TlsAcceptorBuilder);

    impl TlsAcceptor {
        pub(crate) fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsConfigError> {
            blocking::TlsAcceptor::from_pem(chain, key).map(Self)
        }

        pub(crate) fn builder(chain: &[u8], key: &[u8]) -> Result<TlsAcceptorBuilder, TlsConfigError> {
            blocking::TlsAcceptor::builder(chain, key).map(TlsAcceptorBuilder)
        }

        pub(crate) async fn accept(&self, stream: TcpStream) -> super::Outcome<TlsStream> {
            self.0.accept(stream)
        }
    }

    impl From<Arc<rustls::ServerConfig>> for TlsAcceptor {
        fn from(config: Arc<rustls::ServerConfig>) -> Self {
            Self(config.into())
        }
    }

    impl TlsAcceptorBuilder {
        pub(crate) fn require_client_certificate(self, pem: &[u8]) -> Result<Self, TlsConfigError> {
            self.0.require_client_certificate(pem).map(Self)
        }

        pub(crate) fn time_limit(self, limit: Option<std::time::Duration>) -> Self {
            Self(self.0.time_limit(limit))
        }

        pub(crate) fn build(self) -> Result<TlsAcceptor, TlsConfigError> {
            self.0.build().map(TlsAcceptor)
        }
    }
}

impl<S: Send + 'static> WebSocket<S>
where
    Blocking: Transport<S>,
{
    pub(crate) async fn recv(&mut self) -> Outcome<Option<Message>> {
        self.0.recv()
    }

    pub(crate) async fn send(&mut self, message: impl Into<Message>) -> Outcome {
        self.0.send(message)
    }

    #[cfg(feature = "deflate")]
    pub(crate) async fn send_uncompressed(&mut self, message: impl Into<Message>) -> Outcome {
        self.0.send_uncompressed(message)
    }

    #[cfg(feature = "deflate")]
    pub(crate) async fn send_prepared(&mut self, message: &Prepared) -> Outcome {
        self.0.send_prepared(message)
    }

    pub(crate) async fn close(&mut self, code: CloseCode, reason: &str) -> Outcome<Closed> {
        self.0.close(code, reason)
    }

    pub(crate) fn closed(&self) -> Option<Closed> {
        self.0.closed()
    }

    pub(crate) fn subprotocol(&self) -> Option<&str> {
        self.0.subprotocol()
    }

    pub(crate) fn response(&self) -> Option<&Response> {
        self.0.response()
    }

    pub(crate) fn dialed(&self) -> Option<&Dialed> {
        self.0.dialed()
    }

    #[cfg(feature = "deflate")]
    pub(crate) fn deflate(&self) -> Option<DeflateParams> {
        self.0.deflate()
    }

    pub(crate) fn split(self) -> (ReadHalf<S>, WriteHalf<S>) {
        let (reading, writing) = self.0.split();
        (ReadHalf(reading), WriteHalf(writing))
    }
}

impl<S: Send + 'static> Incoming<S>
where
    Blocking: Transport<S>,
{
    pub(crate) fn request(&self) -> &Request {
        self.0.request()
    }

    pub(crate) async fn accept(self, accept: Accept) -> Outcome<WebSocket<S>> {
        self.0.accept(accept).map(WebSocket)
    }
}

impl<S: Send + 'static> ReadHalf<S>
where
    Blocking: Transport<S>,
{
    pub(crate) async fn recv(&mut self) -> Outcome<Option<Message>> {
        self.0.recv()
    }
}

impl<S> Clone for WriteHalf<S>
where
    Blocking: Transport<S>,
{
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Send + 'static> WriteHalf<S>
where
    Blocking: Transport<S>,
{
    pub(crate) async fn send(&self, message: impl Into<Message>) -> Outcome {
        self.0.send(message)
    }
}
