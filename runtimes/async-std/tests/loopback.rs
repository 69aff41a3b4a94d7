//! The adapters' common tests, on async-std.

#[path = "../../loopback/mod.rs"]
mod list;

mod runtime {
    use async_std::task::JoinHandle;
    use sansocket_driver::Transport;

    pub(crate) use async_std::net::{TcpListener, TcpStream};
    pub(crate) use async_std::task::{block_on as run, sleep, spawn};
    pub(crate) use sansocket_async_std as adapter;

    pub(crate) async fn join<T>(task: JoinHandle<T>) -> T {
        task.await
    }

    pub(crate) fn prepare(stream: &TcpStream) {
        assert_eq!(adapter::AsyncStd::prepare(stream), stream.peer_addr().ok());
    }
}
