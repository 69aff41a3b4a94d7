//! The adapters' common tests, on async-std.

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
    use std::io;
    use std::net::SocketAddr;

    use adapter::sansocket::TcpOptions;
    use async_std::task::JoinHandle;
    use sansocket_driver::{Dialer as _, Transport as _};

    pub(crate) use async_std::net::{TcpListener, TcpStream};
    pub(crate) use async_std::task::{block_on as run, sleep, spawn};
    pub(crate) use sansocket_async_std as adapter;

    pub(crate) async fn join<T>(task: JoinHandle<T>) -> T {
        task.await
    }

    pub(crate) async fn connect_tcp(address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }

    pub(crate) fn prepare(stream: &TcpStream) {
        adapter::AsyncStd::prepare(stream);
        assert_eq!(adapter::AsyncStd::peer(stream), stream.peer_addr().ok());
    }

    /// What `TCP_NODELAY` is on a connection that was dialed with this option.
    pub(crate) async fn nodelay(address: SocketAddr, nodelay: bool) -> bool {
        let mut options = TcpOptions::default();
        options.nodelay = nodelay;
        let stream = adapter::MaybeTls::plain(adapter::AsyncStd::connect(address, options).await.unwrap());
        adapter::AsyncStd::prepare(&stream);
        assert_eq!(adapter::AsyncStd::peer(&stream), Some(address));
        stream.get_ref().nodelay().unwrap()
    }
}
