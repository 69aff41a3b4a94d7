//! The adapters' common tests, on tokio.

#[path = "../../loopback/mod.rs"]
mod list;

mod runtime {
    use std::future::Future;
    use std::time::Duration;

    use sansocket_driver::Transport;
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

    pub(crate) fn prepare(stream: &TcpStream) {
        assert_eq!(adapter::Tokio::prepare(stream), stream.peer_addr().ok());
    }
}
