//! The adapters' common tests, on plain threads.
//!
//! The list is written with `async` and `await`. Here a task is a thread and to await is to block: whatever the list calls is an
//! `async` function that calls the blocking one of the same name, and is ready when it is first polled.

#[path = "../../loopback/mod.rs"]
mod list;

use std::io;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use list::proxy::Manner;
use sansocket_blocking::Proxy;

mod runtime {
    use std::future::Future;
    use std::io;
    use std::net::{self, SocketAddr};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::thread::{self, JoinHandle};
    use std::time::Duration;

    use sansocket_blocking::Blocking;
    use sansocket_blocking::sansocket::TcpOptions;
    use sansocket_driver::{Dialer as _, Transport as _};

    pub(crate) use super::adapter;
    pub(crate) use std::net::TcpStream;

    pub(crate) fn run<F: Future>(test: F) -> F::Output {
        match pin!(test).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("a call that blocks is never pending"),
        }
    }

    pub(crate) fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        thread::spawn(move || run(task))
    }

    pub(crate) async fn join<T>(task: JoinHandle<T>) -> T {
        task.join().unwrap()
    }

    pub(crate) async fn sleep(duration: Duration) {
        thread::sleep(duration);
    }

    pub(crate) async fn connect_tcp(address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address)
    }

    pub(crate) fn prepare(stream: &TcpStream) {
        assert_eq!(Blocking::prepare(stream), stream.peer_addr().ok());
    }

    /// What `TCP_NODELAY` is on a connection that was dialed with this option.
    pub(crate) async fn nodelay(address: SocketAddr, nodelay: bool) -> bool {
        let mut options = TcpOptions::default();
        options.nodelay = nodelay;
        // Nobody but the adapter's own calls can wait for this; on loopback it is done at once.
        let stream = adapter::MaybeTls::plain(Blocking::connect(address, options).await.unwrap());
        assert_eq!(Blocking::prepare(&stream), Some(address));
        stream.get_ref().nodelay().unwrap()
    }

    pub(crate) struct TcpListener(net::TcpListener);

    impl TcpListener {
        pub(crate) async fn bind(address: &str) -> io::Result<Self> {
            net::TcpListener::bind(address).map(Self)
        }

        pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
            self.0.local_addr()
        }

        pub(crate) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
            self.0.accept()
        }
    }
}

/// In place of futures that are dropped, which there are none of: calls whose time is over.
#[test]
fn a_connect_whose_time_is_over_leaves_nothing_open() {
    // It takes what comes, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = silent.local_addr().unwrap();
    thread::spawn(move || {
        for stream in silent.incoming() {
            thread::spawn(|| io::copy(&mut stream.unwrap(), &mut io::sink()));
        }
    });
    let urls: &[&str] = if cfg!(feature = "tls") { &["ws://h/", "wss://h/"] } else { &["ws://h/"] };
    for manner in [Manner::Silent, Manner::Open] {
        for url in urls {
            let proxy = list::proxy::http(manner, server);
            let mut connector = sansocket_blocking::Connector::default();
            connector.dial.proxy = format!("http://{}", proxy.address).parse::<Proxy>().unwrap().into();
            connector.client.timeouts.connect = Some(Duration::from_millis(50));
            let begun = Instant::now();
            let Err(error) = connector.connect(url) else { panic!("connected") };
            assert!(begun.elapsed() < SOON, "{error}");
            // The proxy notices a client that is gone by the end of its stream.
            while proxy.clients.load(Ordering::SeqCst) > 0 {
                assert!(begun.elapsed() < SOON, "still open: {error}");
                thread::sleep(Duration::from_millis(5));
            }
            assert_eq!(proxy.targets.lock().unwrap().len(), 1, "{error}");
        }
    }
}

/// Much longer than anything here takes.
const SOON: Duration = Duration::from_secs(4);

/// The names of the adapter, with `async` before each function that blocks.
mod adapter {
    use std::net::TcpStream;
    use std::ops::{Deref, DerefMut};

    use blocking::{Blocking, Transport};
    use sansocket_blocking as blocking;

    pub(crate) use blocking::{
        Accept, Cause, ClientConfig, ClientRequest, CloseCode, Closed, DialError, Error, MaybeTls, Message,
        Proxies, Proxy, Reject, Request, ServerConfig, sansocket,
    };
    #[cfg(feature = "tls")]
    pub(crate) use blocking::{Tls, TlsAcceptError, TlsAcceptFault, rustls};
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

    pub(crate) async fn client(
        stream: TcpStream,
        request: &ClientRequest,
        config: &ClientConfig,
    ) -> Outcome<WebSocket<TcpStream>> {
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
    pub(crate) use tls::TlsAcceptor;

    #[cfg(feature = "tls")]
    mod tls {
        use std::net::TcpStream;
        use std::sync::Arc;

        use sansocket_blocking as blocking;
        use sansocket_blocking::{TlsConfigError, TlsStream, rustls};

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
}
