//! The adapters' common tests of the client that connects again, on plain threads.
//!
//! The list is written with `async` and `await`; see `loopback.rs` for how that is read here.

#[cfg(feature = "tls")]
#[path = "../../loopback/certificates.rs"]
#[expect(dead_code, reason = "shared with the tests of TLS")]
mod certificates;
#[path = "../../loopback/clients.rs"]
mod list;
#[path = "../../loopback/relay.rs"]
mod relay;
#[path = "adapter/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the tests of WebSockets")]
mod sockets;

use std::thread;
use std::time::{Duration, Instant};

use sansocket_blocking::{Client, CloseCode, Message, Next, Received, SessionEvent, accept};

mod runtime {
    use std::future::Future;
    use std::io;
    use std::net::{self, SocketAddr, TcpStream};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::thread::{self, JoinHandle};

    pub(crate) use super::adapter;

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

/// The names of the adapter as the list has them, and those of its client.
mod adapter {
    use std::sync::Arc;
    use std::time::Duration;

    use sansocket_blocking as blocking;

    pub(crate) use super::sockets::{
        CloseCode, Error, Message, ServerConfig, accept, accept_with, sansocket,
    };
    #[cfg(feature = "tls")]
    pub(crate) use super::sockets::{Tls, TlsAcceptor};
    use blocking::{Closed, Connected, GaveUp, SessionSendError, SessionStats};
    pub(crate) use blocking::{GaveUpReason, SessionEvent, SessionState};
    use sansocket::UrlError;

    pub(crate) struct Client(blocking::Client);
    pub(crate) struct ClientBuilder(blocking::ClientBuilder);
    #[derive(Clone)]
    pub(crate) struct ClientSender(blocking::ClientSender);

    impl ClientBuilder {
        pub(crate) fn server(self, url: &str) -> Result<Self, UrlError> {
            self.0.server(url).map(Self)
        }

        pub(crate) fn reconnect_delay(self, delay: Duration) -> Self {
            Self(self.0.reconnect_delay(delay))
        }

        pub(crate) fn max_reconnect_delay(self, delay: Duration) -> Self {
            Self(self.0.max_reconnect_delay(delay))
        }

        pub(crate) fn max_reconnect_attempts(self, max: u32) -> Self {
            Self(self.0.max_reconnect_attempts(max))
        }

        pub(crate) fn heartbeat_interval(self, interval: Duration) -> Self {
            Self(self.0.heartbeat_interval(interval))
        }

        pub(crate) fn on_event(self, callback: impl FnMut(&SessionEvent) + Send + 'static) -> Self {
            Self(self.0.on_event(callback))
        }

        pub(crate) fn first_messages(
            self,
            messages: impl FnMut(&Connected) -> Vec<Message> + Send + 'static,
        ) -> Self {
            Self(self.0.first_messages(messages))
        }

        #[cfg(feature = "tls")]
        pub(crate) fn tls(self, tls: Tls) -> Self {
            Self(self.0.tls(tls))
        }

        pub(crate) fn build(self) -> Result<Client, Error> {
            self.0.build().map(Client)
        }
    }

    impl Client {
        pub(crate) fn builder() -> ClientBuilder {
            ClientBuilder(blocking::Client::builder())
        }

        pub(crate) async fn next(&mut self) -> Option<SessionEvent> {
            self.0.next()
        }

        pub(crate) async fn recv(&mut self) -> Result<Option<Message>, Box<GaveUp>> {
            self.0.recv()
        }

        pub(crate) async fn run(self) -> Result<(), Box<GaveUp>> {
            self.0.run()
        }

        pub(crate) async fn send(&mut self, message: impl Into<Message>) -> Result<u64, SessionSendError> {
            self.0.send(message)
        }

        pub(crate) async fn close(
            &mut self,
            code: CloseCode,
            reason: &str,
        ) -> Result<Option<Arc<Closed>>, Error> {
            self.0.close(code, reason)
        }

        pub(crate) fn sender(&self) -> ClientSender {
            ClientSender(self.0.sender())
        }

        pub(crate) fn state(&self) -> SessionState {
            self.0.state()
        }

        pub(crate) fn confirmed(&self) -> u64 {
            self.0.confirmed()
        }

        pub(crate) fn stats(&self) -> SessionStats {
            self.0.stats()
        }

        pub(crate) fn take_queue(&mut self) -> Vec<(u64, Message)> {
            self.0.take_queue()
        }
    }

    impl ClientSender {
        pub(crate) async fn send(&self, message: impl Into<Message>) -> Result<u64, SessionSendError> {
            self.0.send(message)
        }

        pub(crate) fn try_send(&self, message: impl Into<Message>) -> Result<u64, SessionSendError> {
            self.0.try_send(message)
        }

        pub(crate) fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
            self.0.close(code, reason)
        }

        pub(crate) fn stats(&self) -> SessionStats {
            self.0.stats()
        }
    }
}

/// Much longer than anything here takes.
const SOON: Duration = Duration::from_secs(4);

#[test]
fn waits_end_when_their_time_is_over_and_the_dial_goes_on() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let mut client = Client::builder().server(&url).unwrap().build().unwrap();
    // TCP connects without the server, which does not answer yet.
    assert!(matches!(client.next_timeout(Duration::from_millis(30)), Next::TimedOut));
    assert_eq!(client.recv_timeout(Duration::ZERO).unwrap(), Received::TimedOut);

    let (stream, _) = listener.accept().unwrap();
    let server = thread::spawn(move || {
        let mut socket = accept(stream).unwrap();
        while let Some(message) = socket.recv().unwrap() {
            socket.send(message).unwrap();
        }
    });
    assert!(matches!(client.next_timeout(SOON), Next::Event(SessionEvent::Connected(_))));
    assert_eq!(client.stats().dials, 1, "the one that was begun");
    client.send("hello").unwrap();
    assert_eq!(client.recv_timeout(SOON).unwrap(), Received::Message(Message::from("hello")));
    assert!(client.close(CloseCode::NORMAL, "").unwrap().unwrap().is_clean());
    assert!(matches!(client.next_timeout(Duration::ZERO), Next::Ended));
    assert_eq!(client.recv_timeout(SOON).unwrap(), Received::Closed);
    server.join().unwrap();
}

#[test]
fn a_sender_wakes_the_thread_that_has_the_client() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let mut client = Client::builder().server(&url).unwrap().build().unwrap();
    let sender = client.sender();
    let server = thread::spawn(move || accept(listener.accept().unwrap().0).unwrap());
    assert!(matches!(client.next(), Some(SessionEvent::Connected(_))));
    let mut server = server.join().unwrap();
    let client = thread::spawn(move || client.run());
    // It waits by now, and has nothing to do for long.
    thread::sleep(Duration::from_millis(100));
    let begun = Instant::now();
    sender.send("from elsewhere").unwrap();
    assert_eq!(server.recv().unwrap(), Some(Message::from("from elsewhere")));
    sender.close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(server.recv().unwrap(), None);
    client.join().unwrap().unwrap();
    assert!(begun.elapsed() < SOON);
}
