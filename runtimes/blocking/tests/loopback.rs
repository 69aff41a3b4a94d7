//! The adapters' common tests, on plain threads.
//!
//! The list is written with `async` and `await`. Here a task is a thread and to await is to block: whatever the list calls is an
//! `async` function that calls the blocking one of the same name, and is ready when it is first polled.

mod adapter;
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
        Blocking::prepare(stream);
        assert_eq!(Blocking::peer(stream), stream.peer_addr().ok());
    }

    /// What `TCP_NODELAY` is on a connection that was dialed with this option.
    pub(crate) async fn nodelay(address: SocketAddr, nodelay: bool) -> bool {
        let mut options = TcpOptions::default();
        options.nodelay = nodelay;
        // Nobody but the adapter's own calls can wait for this; on loopback it is done at once.
        let stream = adapter::MaybeTls::plain(Blocking::connect(address, options).await.unwrap());
        Blocking::prepare(&stream);
        assert_eq!(Blocking::peer(&stream), Some(address));
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
