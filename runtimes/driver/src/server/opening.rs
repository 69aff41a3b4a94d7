//! One client's way from TCP to an open WebSocket, or to the answer that there is none.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sansocket::{Answer, Reject};
use tracing::{error, warn};

use super::budget::Share;
use super::caught::caught_call;
use super::deciding::Decision;
use super::info::ConnectionInfo;
use super::state::Place;
use super::{Listen, Policy, ServerHandle, Socket};
use crate::error::Error;
use crate::handshake::{Incoming, receive};
use crate::maybe_tls::MaybeTls;
use crate::opening::Asked;
use crate::telemetry::TARGET;

/// An open connection, and what belongs to it.
pub(super) struct Opened<R: Listen> {
    pub(super) socket: Socket<R>,
    pub(super) info: ConnectionInfo,
    pub(super) share: Option<Share>,
}

impl<R: Listen> Policy<R> {
    /// Takes a client in, or tells it why not. What failed has been logged.
    pub(super) async fn open(
        &self,
        stream: R::Stream,
        peer: SocketAddr,
        local: SocketAddr,
        place: &mut Place,
    ) -> Option<Opened<R>> {
        let (stream, is_secure) = self.secure(stream).await?;
        let (mut opening, asked) = receive::<_, R>(stream, &self.config).await.ok()?;
        let pending = match asked {
            Asked::WebSocket(pending) => pending,
            Asked::Http(request) => {
                let handle = ServerHandle { state: Arc::clone(&place.state) };
                let answer = match &self.answer_http {
                    Some(answer) => {
                        let answer = caught_call(|| opening.span.in_scope(|| answer(&request, &handle)));
                        answer.unwrap_or_else(|panic| {
                            panicked(place, "answer_http", &panic);
                            Answer::new(500)
                        })
                    }
                    None => Reject::not_found().into(),
                };
                opening.answer(request, answer).await;
                return None;
            }
        };
        let mut incoming = Incoming { opening, pending };
        let share = match incoming.opening.span.in_scope(|| place.open(peer.ip())) {
            Ok(share) => share,
            Err(refusal) => {
                let retry_after = place.state.admission().limits().retry_after;
                incoming.turn_away(refusal.reject(retry_after)).await;
                return None;
            }
        };
        let request = incoming.request().clone();
        let mut info =
            ConnectionInfo { peer_address: peer, local_address: local, is_secure, request, attached: None };
        let decision = self.decide(&info, &mut incoming, place).await;
        let Decision::Accept(mut accept) = decision else {
            // Before it is told, which may take as long as it likes to take.
            drop(share);
            place.reject();
            match decision {
                Decision::Reject(reject) => drop(incoming.reject(reject).await),
                Decision::TurnAway(reject) => incoming.turn_away(reject).await,
                Decision::Accept(_) | Decision::Gone => {}
            }
            return None;
        };
        info.attached = accept.take_attached();
        match incoming.accept(accept).await {
            Ok(socket) => Some(Opened { socket, info, share }),
            Err(error) => {
                // It never was an open connection.
                place.reject();
                if let Error::Accept(refused) = error {
                    warn!(target: TARGET, %peer, "what decide accepts does not fit the request: {refused}");
                }
                None
            }
        }
    }

    /// TLS, if there is to be any.
    #[cfg(feature = "tls")]
    async fn secure(&self, stream: R::Stream) -> Option<(MaybeTls<R::Stream, R>, bool)> {
        match &self.tls {
            Some(tls) => Some((tls.accept(stream).await.ok()?.into(), true)),
            None => Some((MaybeTls::plain(stream), false)),
        }
    }

    #[cfg(not(feature = "tls"))]
    async fn secure(&self, stream: R::Stream) -> Option<(MaybeTls<R::Stream, R>, bool)> {
        Some((MaybeTls::plain(stream), false))
    }
}

/// Notes that code of the application's panicked.
pub(super) fn panicked(place: &Place, what: &str, panic: &str) {
    place.state.panicked.fetch_add(1, Ordering::Relaxed);
    error!(target: TARGET, "{what} panicked: {}", panic.escape_debug());
}
