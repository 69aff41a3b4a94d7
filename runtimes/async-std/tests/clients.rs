//! The adapters' common tests of the client that connects again, on async-std.

#[cfg(feature = "tls")]
#[path = "../../loopback/certificates.rs"]
#[expect(dead_code, reason = "shared with the tests of TLS")]
mod certificates;
#[path = "../../loopback/clients.rs"]
mod list;
#[path = "../../loopback/relay.rs"]
mod relay;

mod runtime {
    use async_std::task::JoinHandle;

    pub(crate) use async_std::net::TcpListener;
    pub(crate) use async_std::task::{block_on as run, spawn};
    pub(crate) use sansocket_async_std as adapter;

    pub(crate) async fn join<T>(task: JoinHandle<T>) -> T {
        task.await
    }
}
