//! One TCP connection of a server: its opening, its handler, and its end.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::BytesMut;
use sansocket::{CloseCode, Departure, Receiver};
use tracing::debug;

use super::caught::{caught, caught_call};
use super::opening::{Opened, panicked};
use super::signal::{Level, Watch};
use super::state::Place;
use super::{Listen, SharedPolicy};
use crate::managed::Managed;
use crate::maybe_tls::MaybeTls;
use crate::reading::Reading;
use crate::runtime::Transport;
use crate::shared::Shared;
use crate::telemetry::TARGET;

/// Serves a TCP connection that was accepted, to its end.
pub(super) async fn serve<R: Listen>(
    stream: R::Stream,
    peer: SocketAddr,
    local: SocketAddr,
    mut place: Place,
    policy: SharedPolicy<R>,
) {
    let state = Arc::clone(&place.state);
    let mut watch = Watch::new(&state.signal);
    let opened = {
        // Some kilobytes that are needed now and not for the life of the task.
        let mut opening = Box::pin(policy.open(stream, peer, local, &mut place));
        poll_fn(|cx| match watch.level(cx) {
            Level::Stopped => Poll::Ready(None),
            _ => opening.as_mut().poll(cx).map(Some),
        })
        .await
    };
    // If the time is over, it may have had the place of an open connection, and is cut off.
    let Some(opened) = opened else { return };
    let Some(opened) = opened else {
        place.departure = Departure::Otherwise;
        return;
    };
    let keeper = Keeper(Arc::clone(&opened.socket.reading.shared));
    let code = handle(opened, &policy, &place, &keeper, &mut watch).await;
    let ended = match code {
        Some(code) => keeper.end(code, &mut watch).await,
        None => false,
    };
    let mut link = keeper.0.lock();
    if !ended {
        link.abandon();
        return;
    }
    place.departure = match link.closed() {
        Some(closed) if closed.is_clean() => Departure::Clean,
        _ => Departure::Otherwise,
    };
}

/// Runs the handler. Returns with which code the connection is to end, or `None` if the time is over.
async fn handle<R: Listen>(
    opened: Opened<R>,
    policy: &SharedPolicy<R>,
    place: &Place,
    keeper: &Keeper<MaybeTls<R::Stream, R>, R>,
    watch: &mut Watch<'_>,
) -> Option<CloseCode> {
    let Opened { mut socket, info, share } = opened;
    socket.reading.is_counted = share.is_some();
    let span = socket.span();
    keeper.0.lock().managed = Some(Managed::new(share));
    let handled = caught_call(|| span.in_scope(|| (policy.handler)(socket, info)));
    let handled = match handled {
        Ok(handled) => {
            let mut handled = pin!(caught(handled));
            poll_fn(|cx| {
                match watch.level(cx) {
                    Level::Serving => {}
                    Level::Draining => keeper.say_good_bye(cx),
                    Level::Stopped => return Poll::Ready(None),
                }
                span.in_scope(|| handled.as_mut().poll(cx)).map(Some)
            })
            .await?
        }
        Err(panic) => Err(panic),
    };
    Some(span.in_scope(|| match handled {
        Ok(error) => {
            if let Some(error) = error {
                debug!(target: TARGET, "the handler returned an error: {}", error.escape_debug());
            }
            CloseCode::NORMAL
        }
        Err(panic) => {
            panicked(place, "the handler", &panic);
            CloseCode::INTERNAL_ERROR
        }
    }))
}

/// Ends a connection that its application leaves, and gives it up if its own task is dropped.
struct Keeper<S, R: Transport<S>>(Arc<Shared<S, R>>);

impl<S: Send + 'static, R: Transport<S>> Keeper<S, R> {
    /// The server drains.
    fn say_good_bye(&self, cx: &std::task::Context<'_>) {
        let mut link = self.0.lock();
        if link.closed().is_none() {
            // A reason of this length is always taken.
            let _ = link.begin_close(CloseCode::GOING_AWAY, GOING_AWAY);
            let _ = link.poll_write(cx);
        }
    }

    /// Waits for the end of the connection, and closes it if its reader is gone. `false` if the time is over.
    async fn end(&self, code: CloseCode, watch: &mut Watch<'_>) -> bool {
        let left = poll_fn(|cx| {
            match watch.level(cx) {
                Level::Serving => {}
                // Its halves are in tasks of the application's own.
                Level::Draining => self.say_good_bye(cx),
                Level::Stopped => return Poll::Ready(Left::TimeIsOver),
            }
            let mut link = self.0.lock();
            if link.closed().is_some() {
                return Poll::Ready(Left::Nothing);
            }
            if let Some(managed) = &mut link.managed {
                if let Some((receiver, input)) = managed.left.take() {
                    managed.is_ending = true;
                    return Poll::Ready(Left::Reading(Box::new(receiver), input));
                }
            }
            link.waiters.register(cx);
            Poll::Pending
        })
        .await;
        let (receiver, input) = match left {
            Left::Nothing => return true,
            Left::TimeIsOver => return false,
            Left::Reading(receiver, input) => (receiver, input),
        };
        let mut reading = Reading::resumed(Arc::clone(&self.0), *receiver, input);
        {
            let mut link = self.0.lock();
            reading.is_counted = link.managed.as_ref().is_some_and(|managed| managed.share.is_some());
            // If it is closing already, that goes on.
            let _ = link.begin_close(code, "");
        }
        poll_fn(|cx| match watch.level(cx) {
            Level::Stopped => Poll::Ready(false),
            _ => reading.poll_end(cx).map(|_| true),
        })
        .await
    }
}

impl<S, R: Transport<S>> Drop for Keeper<S, R> {
    fn drop(&mut self) {
        let mut link = self.0.lock();
        if link.managed.take().is_some_and(|managed| managed.left.is_some()) {
            link.abandon();
        }
    }
}

/// What the application left of its connection.
enum Left {
    Nothing,
    Reading(Box<Receiver>, BytesMut),
    TimeIsOver,
}

/// The reason in the Close frame of a server that ends.
const GOING_AWAY: &str = "the server is shutting down";
