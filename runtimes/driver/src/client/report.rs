//! What operators see of a session: one line for each thing that happens to it.

use std::time::Duration;

use sansocket::{Connected, Reconnected, SessionConfig, SessionEvent, Setback, Url};
use tracing::{Span, debug, error, info, info_span, trace, warn};

use crate::telemetry::TARGET;

/// The names of the servers, for the log: without paths and credentials.
pub(super) struct Names(Vec<Box<str>>);

impl Names {
    pub(super) fn of(config: &SessionConfig) -> Self {
        Self(config.servers.iter().map(|request| name(request.url())).collect())
    }

    /// The server has become another one.
    pub(super) fn set(&mut self, server: usize, url: &Url) {
        if let Some(old) = self.0.get_mut(server) {
            *old = name(url);
        }
    }

    fn get(&self, server: usize) -> &str {
        self.0.get(server).map_or("", |name| name)
    }
}

fn name(url: &Url) -> Box<str> {
    format!("{}://{}", url.scheme(), url.host_field()).into()
}

/// The span of a session; those of its connections are inside of it.
pub(super) fn span() -> Span {
    info_span!(target: TARGET, "session")
}

/// Tells what happened.
pub(super) fn event(event: &SessionEvent, servers: &Names) {
    match event {
        SessionEvent::Connected(connected) => opened(connected, servers, None),
        SessionEvent::Reconnected(again) => opened(&again.connected, servers, Some(again)),
        SessionEvent::Disconnected(lost) => {
            let (server, unconfirmed) = (servers.get(lost.server), lost.unconfirmed.count);
            let (returned, open_ms) = (lost.returned.count, millis(lost.connected_for));
            let closed = &lost.closed;
            if closed.is_clean() && unconfirmed == 0 {
                info!(target: TARGET, server, open_ms, unconfirmed, returned, "disconnected: {closed}");
            } else {
                warn!(target: TARGET, server, open_ms, unconfirmed, returned, "disconnected: {closed}");
            }
        }
        SessionEvent::Reconnecting(next) => {
            let (server, attempt, of, delay_ms) =
                (servers.get(next.server), next.attempt, next.of, millis(next.delay));
            match &next.why {
                why if next.left_out => {
                    let left_out = servers.get(next.failed);
                    let text =
                        "will not try that server again, it would fail in the same way; another one is next";
                    warn!(target: TARGET, left_out, server, attempt, of, delay_ms, "{text}: {why}");
                }
                // Its own line has said why.
                Setback::Lost(_) => {
                    info!(target: TARGET, server, attempt, of, delay_ms, "will connect again")
                }
                // It was logged as every failed handshake is.
                Setback::Failed(failed) if failed.handshake_error().is_some() => {
                    info!(target: TARGET, server, attempt, of, delay_ms, "will try again");
                }
                why => warn!(target: TARGET, server, attempt, of, delay_ms, "will try again: {why}"),
            }
        }
        SessionEvent::Dropped(dropped) => {
            let (count, first, last) = (dropped.count, dropped.first, dropped.last);
            warn!(target: TARGET, count, first, last, "messages dropped: the queue is full");
        }
        SessionEvent::GaveUp(gave_up) => {
            // What came of each server; who wants all attempts has the event.
            let (attempts, queued) = (gave_up.attempts.count(), gave_up.queued);
            error!(target: TARGET, attempts, queued, "{gave_up}");
        }
        SessionEvent::Closed(closed) => {
            info!(target: TARGET, by = %closed.by, queued = closed.queued, "session closed");
        }
        SessionEvent::Heartbeat { round_trip, confirmed } => {
            trace!(target: TARGET, ?round_trip, confirmed = confirmed.count, "heartbeat");
        }
        SessionEvent::Message(_) => {}
        // One that this driver does not know is shown as it is.
        other => debug!(target: TARGET, "{other:?}"),
    }
}

fn opened(connected: &Connected, servers: &Names, again: Option<&Reconnected>) {
    let Connected { server, info, elapsed, .. } = connected;
    let (server, elapsed_ms, subprotocol) =
        (servers.get(*server), millis(*elapsed), info.subprotocol.as_deref());
    let address = info.address.map(tracing::field::display);
    match again {
        None => info!(target: TARGET, server, address, subprotocol, elapsed_ms, "connected"),
        Some(again) => {
            let (outage_ms, attempts) = (millis(again.outage), again.attempts);
            info!(target: TARGET, server, address, subprotocol, elapsed_ms, outage_ms, attempts, "reconnected");
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
