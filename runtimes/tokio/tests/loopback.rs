//! The adapters' common tests, on tokio.

#[path = "../../loopback/dropping.rs"]
mod dropping;
#[path = "../../loopback/mod.rs"]
mod list;
#[path = "../../loopback/serving.rs"]
mod serving;
#[cfg(feature = "futures")]
#[path = "../../loopback/streams.rs"]
mod streams;
#[path = "../../loopback/views.rs"]
mod views;

mod runtime {
    use std::future::Future;
    use std::io;
    use std::net::SocketAddr;
    use std::time::Duration;

    use adapter::sansocket::TcpOptions;
    use sansocket_driver::{Dialer as _, Transport as _};
    use tokio::task::JoinHandle;

    pub(crate) use sansocket_tokio as adapter;
    pub(crate) use tokio::net::{TcpListener, TcpStream};
    pub(crate) use tokio::spawn;

    pub(crate) fn run<F: Future>(test: F) -> F::Output {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
            .block_on(test)
    }

    pub(crate) async fn join<T>(task: JoinHandle<T>) -> T {
        task.await.unwrap()
    }

    pub(crate) async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    pub(crate) async fn connect_tcp(address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }

    pub(crate) fn prepare(stream: &TcpStream) {
        adapter::Tokio::prepare(stream);
        assert_eq!(adapter::Tokio::peer(stream), stream.peer_addr().ok());
    }

    /// What `TCP_NODELAY` is on a connection that was dialed with this option.
    pub(crate) async fn nodelay(address: SocketAddr, nodelay: bool) -> bool {
        let mut options = TcpOptions::default();
        options.nodelay = nodelay;
        let stream = adapter::MaybeTls::plain(adapter::Tokio::connect(address, options).await.unwrap());
        adapter::Tokio::prepare(&stream);
        assert_eq!(adapter::Tokio::peer(&stream), Some(address));
        stream.get_ref().nodelay().unwrap()
    }
}
