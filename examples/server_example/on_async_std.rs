//! The echo server on async-std.

use std::io;

use async_channel::Receiver;
use sansocket::Request;
use sansocket_async_std::{TlsAcceptor, accept_with};
use tracing::warn;

use super::{End, GRACE, PAUSE, Server, Summary, scheme};

/// As [`on_tokio`](super::on_tokio), line by line.
pub(super) fn serve(
    server: Server,
    ended: Receiver<End>,
    listen: &str,
    tls: Option<TlsAcceptor>,
) -> io::Result<()> {
    async_std::task::block_on(async {
        let listener = async_std::net::TcpListener::bind(listen).await?;
        println!("listening on {}://{}", scheme(tls.is_some()), listener.local_addr()?);
        while let Some(accepted) = server.unless_stopped(listener.accept()).await {
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "cannot accept");
                    async_std::task::sleep(PAUSE).await;
                    continue;
                }
            };
            let (server, tls) = (server.clone(), tls.clone());
            let connection = async move {
                let answer = |request: &Request| server.policy.answer(request);
                match tls {
                    None => server.serve(peer, accept_with(stream, &server.config, answer)).await,
                    Some(tls) => {
                        let secure = async {
                            let stream = tls.accept(stream).await?;
                            accept_with(stream, &server.config, answer).await
                        };
                        server.serve(peer, secure).await;
                    }
                }
            };
            async_std::task::spawn(connection);
        }
        drop(listener);
        drop(server);
        let mut summary = Summary::default();
        let _ = async_std::future::timeout(GRACE, summary.gather(&ended)).await;
        summary.print(&ended);
        Ok(())
    })
}
