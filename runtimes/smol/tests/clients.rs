//! The adapters' common tests of the client that connects again, on smol.

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

    use smol::Task;

    pub(crate) use sansocket_smol as adapter;
    pub(crate) use smol::block_on as run;
    pub(crate) use smol::net::TcpListener;

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
}
