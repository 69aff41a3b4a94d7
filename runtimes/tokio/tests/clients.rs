//! The adapters' common tests of the client that connects again, on tokio.

#[cfg(feature = "tls")]
#[path = "../../loopback/certificates.rs"]
#[expect(dead_code, reason = "shared with the tests of TLS")]
mod certificates;
#[path = "../../loopback/clients.rs"]
mod list;
#[path = "../../loopback/relay.rs"]
mod relay;

mod runtime {
    use std::future::Future;

    use tokio::task::JoinHandle;

    pub(crate) use sansocket_tokio as adapter;
    pub(crate) use tokio::net::TcpListener;
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
}
