//! What is decided about a client that asks for a WebSocket, and what may end the wait for a decision that takes its time.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BufMut;
use sansocket::{Accept, Refusal, Reject, Request};
use tracing::{debug, warn};

use super::caught::{caught, caught_call};
use super::info::ConnectionInfo;
use super::opening::panicked;
use super::signal::{Level, Watch};
use super::state::Place;
use super::{Decide, DecideInTime, Decided, Listen, Policy};
use crate::handshake::Incoming;
use crate::opening::Opening;
use crate::pool;
use crate::runtime::{Timer, Transport};
use crate::telemetry::TARGET;

/// What becomes of a client.
pub(super) enum Decision {
    Accept(Accept),
    /// It is told, and so is the log.
    Reject(Reject),
    /// It is told, and the log has a line that says why.
    TurnAway(Reject),
    /// It has gone.
    Gone,
}

impl<R: Listen> Policy<R> {
    /// Decides about a client that has a place.
    pub(super) async fn decide<S: Send + 'static>(
        &self,
        info: &ConnectionInfo,
        incoming: &mut Incoming<S, R>,
        place: &mut Place,
    ) -> Decision
    where
        R: Transport<S>,
    {
        let request = &info.request;
        if let Some(Err(reject)) = self.origins.as_ref().map(|origins| origins.check(request)) {
            return Decision::Reject(reject);
        }
        let decided = match &self.decide {
            None => Ok(Accept::new()),
            Some(Decide::AtOnce(decide)) => {
                let decided = caught_call(|| incoming.opening.span.in_scope(|| decide(request, info)));
                decided.unwrap_or_else(|panic| {
                    panicked(place, "decide", &panic);
                    Err(Reject::new(500))
                })
            }
            Some(Decide::InTime(decide)) => match self.wait(decide, info, incoming, place).await {
                Ok(decided) => decided,
                Err(ended) => return ended,
            },
        };
        match decided {
            Ok(accept) if accept.chosen_subprotocol().is_none() => {
                Decision::Accept(self.choose(accept, request))
            }
            Ok(accept) => Decision::Accept(accept),
            Err(reject) => Decision::Reject(reject),
        }
    }

    /// The first of this server's subprotocols that the client offers.
    fn choose(&self, accept: Accept, request: &Request) -> Accept {
        let mut known = self.subprotocols.iter();
        match known.find(|known| request.subprotocols().any(|offered| offered == &***known)) {
            Some(chosen) => accept.subprotocol(chosen),
            None => accept,
        }
    }

    /// Waits for a decision, or says what ended the wait before there was one.
    async fn wait<S: Send + 'static>(
        &self,
        decide: &DecideInTime,
        info: &ConnectionInfo,
        incoming: &mut Incoming<S, R>,
        place: &mut Place,
    ) -> Result<Decided, Decision>
    where
        R: Transport<S>,
    {
        let limit = self.config.timeouts.handshake;
        let state = Arc::clone(&place.state);
        let retry_after = state.admission().limits().retry_after;
        let ended = {
            let mut watch = Watch::new(&state.signal);
            let Opening { stream, timer, input, span, .. } = &mut incoming.opening;
            // Its time begins now: that the client took its own to ask is no fault of the application's.
            let deadline = limit.map(|limit| (timer.now() + limit, limit));
            // The call is in the future, so that a panic in it is caught as well.
            let mut deciding = pin!(caught(async { decide(info.clone()).await }));
            poll_fn(|cx| {
                if watch.level(cx) != Level::Serving {
                    return Poll::Ready(Ended::Draining);
                }
                if let Poll::Ready(decided) = span.in_scope(|| deciding.as_mut().poll(cx)) {
                    return Poll::Ready(decided.map_or_else(Ended::Panicked, Ended::Decided));
                }
                if let Poll::Ready(io) = poll_gone::<S, R>(stream, input, cx) {
                    return Poll::Ready(Ended::Gone(io));
                }
                let Some((deadline, limit)) = deadline else { return Poll::Pending };
                timer.poll_until(cx, deadline).map(|()| Ended::TooLate(limit))
            })
            .await
        };
        let peer = info.peer_address;
        Err(match ended {
            Ended::Decided(decided) => return Ok(decided),
            Ended::Panicked(panic) => {
                panicked(place, "decide_async", &panic);
                Decision::Reject(Reject::new(500))
            }
            Ended::TooLate(limit) => {
                let times = state.decided_too_late.fetch_add(1, Ordering::Relaxed) + 1;
                let limit_ms = limit.as_millis() as u64;
                if times.is_power_of_two() {
                    warn!(target: TARGET, times, %peer, limit_ms, "a client gets 503: the application's decision (decide_async) took longer than config.timeouts.handshake allows, which is {limit:?} (this is told at the 1st, 2nd, 4th, 8th ... time)");
                } else {
                    debug!(target: TARGET, times, %peer, limit_ms, "a client gets 503: the application's decision (decide_async) took longer than config.timeouts.handshake allows, which is {limit:?}");
                }
                Decision::TurnAway(Reject::too_busy(retry_after))
            }
            Ended::Draining => {
                place.refuse(Refusal::Draining, peer.ip());
                Decision::TurnAway(Refusal::Draining.reject(retry_after))
            }
            Ended::Gone(io) => {
                let io = io.map(|io| io.to_string());
                debug!(target: TARGET, %peer, io, "the client went away before the application's decision (decide_async)");
                Decision::Gone
            }
        })
    }
}

/// What ended the wait for a decision.
enum Ended {
    Decided(Decided),
    Panicked(String),
    /// This much time was over.
    TooLate(Duration),
    Draining,
    /// The client closed its stream, or it failed.
    Gone(Option<io::Error>),
}

/// Reads to notice that the client goes away. What it sends is kept for the connection; once there is some, nothing more is read: it has to wait
/// for the answer ([RFC 6455 section 4.1]), and is not to fill the memory meanwhile.
///
/// [RFC 6455 section 4.1]: https://www.rfc-editor.org/rfc/rfc6455#section-4.1
fn poll_gone<S, R: Transport<S>>(
    stream: &mut S,
    input: &mut bytes::BytesMut,
    cx: &mut Context<'_>,
) -> Poll<Option<io::Error>> {
    if !input.is_empty() {
        return Poll::Pending;
    }
    let mut block = pool::take();
    let read = R::poll_read(stream, cx, &mut (&mut block).limit(MAX_EARLY));
    input.extend_from_slice(&block);
    pool::give(block);
    match ready!(read) {
        Ok(0) => Poll::Ready(None),
        Ok(_) => Poll::Pending,
        Err(io) => Poll::Ready(Some(io)),
    }
}

/// Bytes that are read of a client that does not wait for the answer.
const MAX_EARLY: usize = 4096;
