//! The adapters' common tests, on smol.

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
    use smol::{Task, Timer};

    pub(crate) use sansocket_smol as adapter;
    pub(crate) use smol::block_on as run;
    pub(crate) use smol::net::{TcpListener, TcpStream};

    /// A task that goes on although nobody waits for it, as on the other runtimes.
    pub(crate) struct Running<T>(Option<Task<T>>);

    impl<T> Drop for Running<T> {
        fn drop(&mut self) {
            if let Some(task) = self.0.take() {
                task.detach();
            }
        }
    }

    pub(crate) fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> Running<T> {
        Running(Some(smol::spawn(task)))
    }

    pub(crate) async fn join<T>(mut task: Running<T>) -> T {
        task.0.take().unwrap().await
    }

    pub(crate) async fn sleep(duration: Duration) {
        Timer::after(duration).await;
    }

    pub(crate) async fn connect_tcp(address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }

    pub(crate) fn prepare(stream: &TcpStream) {
        adapter::Smol::prepare(stream);
        assert_eq!(adapter::Smol::peer(stream), stream.peer_addr().ok());
    }

    /// What `TCP_NODELAY` is on a connection that was dialed with this option.
    pub(crate) async fn nodelay(address: SocketAddr, nodelay: bool) -> bool {
        let mut options = TcpOptions::default();
        options.nodelay = nodelay;
        let stream = adapter::MaybeTls::plain(adapter::Smol::connect(address, options).await.unwrap());
        adapter::Smol::prepare(&stream);
        assert_eq!(adapter::Smol::peer(&stream), Some(address));
        stream.get_ref().nodelay().unwrap()
    }
}
