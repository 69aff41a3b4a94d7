//! The adapters' common tests, on plain threads.
//!
//! The list is written with `async` and `await`. Here a task is a thread and to await is to block: whatever the list calls is an
//! `async` function that calls the blocking one of the same name, and is ready when it is first polled.

#[path = "../../loopback/mod.rs"]
mod list;

mod runtime {
    use std::future::Future;
    use std::io;
    use std::net::{self, SocketAddr, ToSocketAddrs};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::thread::{self, JoinHandle};
    use std::time::Duration;

    use sansocket_driver::Transport;

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

    pub(crate) fn prepare(stream: &TcpStream) {
        assert_eq!(sansocket_blocking::Blocking::prepare(&stream.0), stream.0.peer_addr().ok());
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
            self.0.accept().map(|(stream, peer)| (TcpStream(stream), peer))
        }
    }

    pub(crate) struct TcpStream(pub(super) net::TcpStream);

    impl TcpStream {
        pub(crate) async fn connect(address: impl ToSocketAddrs) -> io::Result<Self> {
            net::TcpStream::connect(address).map(Self)
        }

        pub(crate) fn nodelay(&self) -> io::Result<bool> {
            self.0.nodelay()
        }
    }

    pub(crate) use super::adapter;
}

/// The names of the adapter, with `async` before each function that blocks.
mod adapter {
    use super::runtime::TcpStream;
    use sansocket_blocking as blocking;

    pub(crate) use blocking::{
        Accept, Cause, ClientConfig, ClientRequest, CloseCode, Closed, Error, Message, Reject, Request,
        ServerConfig, sansocket,
    };
    use sansocket::Response;
    #[cfg(feature = "deflate")]
    use sansocket::{DeflateParams, Prepared};

    pub(crate) struct WebSocket(blocking::WebSocket);
    pub(crate) struct Incoming(blocking::Incoming);
    pub(crate) struct ReadHalf(blocking::ReadHalf);
    #[derive(Clone)]
    pub(crate) struct WriteHalf(blocking::WriteHalf);

    type Outcome<T = ()> = Result<T, Error>;

    pub(crate) async fn accept(stream: TcpStream) -> Outcome<WebSocket> {
        blocking::accept(stream.0).map(WebSocket)
    }

    pub(crate) async fn accept_with(
        stream: TcpStream,
        config: &ServerConfig,
        decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
    ) -> Outcome<WebSocket> {
        blocking::accept_with(stream.0, config, decide).map(WebSocket)
    }

    pub(crate) async fn receive_request(stream: TcpStream, config: &ServerConfig) -> Outcome<Incoming> {
        blocking::receive_request(stream.0, config).map(Incoming)
    }

    pub(crate) async fn client(
        stream: TcpStream,
        request: &ClientRequest,
        config: &ClientConfig,
    ) -> Outcome<WebSocket> {
        blocking::client(stream.0, request, config).map(WebSocket)
    }

    pub(crate) async fn connect(url: &str) -> Outcome<WebSocket> {
        blocking::connect(url).map(WebSocket)
    }

    pub(crate) async fn connect_with(request: &ClientRequest, config: &ClientConfig) -> Outcome<WebSocket> {
        blocking::connect_with(request, config).map(WebSocket)
    }

    impl WebSocket {
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

        #[cfg(feature = "deflate")]
        pub(crate) fn deflate(&self) -> Option<DeflateParams> {
            self.0.deflate()
        }

        pub(crate) fn split(self) -> (ReadHalf, WriteHalf) {
            let (reading, writing) = self.0.split();
            (ReadHalf(reading), WriteHalf(writing))
        }
    }

    impl Incoming {
        pub(crate) fn request(&self) -> &Request {
            self.0.request()
        }

        pub(crate) async fn accept(self, accept: Accept) -> Outcome<WebSocket> {
            self.0.accept(accept).map(WebSocket)
        }
    }

    impl ReadHalf {
        pub(crate) async fn recv(&mut self) -> Outcome<Option<Message>> {
            self.0.recv()
        }
    }

    impl WriteHalf {
        pub(crate) async fn send(&self, message: impl Into<Message>) -> Outcome {
            self.0.send(message)
        }
    }
}
