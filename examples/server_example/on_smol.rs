//! The echo server on smol.

use std::io;

use async_channel::Receiver;
use futures_lite::future::or;
use sansocket::Request;
use tracing::warn;

use super::{End, GRACE, PAUSE, Server, Summary, scheme};

/// As [`on_tokio`](super::on_tokio), line by line.
pub(super) fn serve(
    server: Server,
    ended: Receiver<End>,
    listen: &str,
    tls: Option<sansocket_smol::TlsAcceptor>,
) -> io::Result<()> {
    smol::block_on(async {
        let listener = smol::net::TcpListener::bind(listen).await?;
        println!("listening on {}://{}", scheme(tls.is_some()), listener.local_addr()?);
        while let Some(accepted) = server.unless_stopped(listener.accept()).await {
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "cannot accept");
                    smol::Timer::after(PAUSE).await;
                    continue;
                }
            };
            let (server, tls) = (server.clone(), tls.clone());
            let connection = async move {
                let answer = |request: &Request| server.policy.answer(request);
                match tls {
                    None => {
                        server.serve(peer, sansocket_smol::accept_with(stream, &server.config, answer)).await
                    }
                    Some(tls) => {
                        let secure = async {
                            let stream = tls.accept(stream).await?;
                            sansocket_smol::accept_with(stream, &server.config, answer).await
                        };
                        server.serve(peer, secure).await;
                    }
                }
            };
            smol::spawn(connection).detach();
        }
        drop(listener);
        drop(server);
        let mut summary = Summary::default();
        let grace = async {
            smol::Timer::after(GRACE).await;
        };
        or(summary.gather(&ended), grace).await;
        summary.print(&ended);
        Ok(())
    })
}
