//! The states of a session: when it dials, waits, connects again and ends.
//!
//! ```text
//!            time                connected()
//!  Waiting ────────► Dialling ────────────────► Connected ──close()──► Connected, leaving
//!     ▲                 │ dial_failed(), time      │ disconnected()        │ disconnected()
//!     │                 ▼                          ▼                       ▼
//!     └──── retry ── judged ◄──────────────────────┘                     Ended
//!                       └── never, done, too often ─────────────────────►  ▲
//!  close() in Waiting or Dialling ─────────────────────────────────────────┘
//! ```

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::time::Duration;

use super::link::Link;
use super::outbox::Leftovers;
use super::{Session, SessionState};
use crate::closed::Closed;
use crate::error::Cause;
use crate::frame::CloseFrame;
use crate::role::Role;
use crate::session::attempt::{DialFailed, SessionAttempt, Setback};
use crate::session::event::{
    Connected, ConnectedInfo, Disconnected, Reconnected, Reconnecting, SessionClosed, SessionEvent,
};
use crate::session::gave_up::{GaveUp, GaveUpReason};
use crate::session::verdict::{Pace, Verdict};
use crate::time::Instant;

/// Where a session stands.
#[derive(Debug)]
pub(super) enum State {
    /// For the time of the next attempt.
    Waiting { until: Instant, server: usize },
    /// For what comes of a dial.
    Dialling(Dialling),
    /// With a connection.
    Connected(Link),
    /// Nothing follows.
    Ended,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Dialling {
    pub(super) number: u64,
    pub(super) server: usize,
    /// When it was taken; before that, there is no limit to its time.
    pub(super) started: Option<Instant>,
}

/// The time without a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outage {
    pub(super) since: Instant,
    pub(super) dials: u64,
}

impl Session {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> SessionState {
        match &self.state {
            State::Waiting { .. } => SessionState::Waiting,
            State::Dialling(_) => SessionState::Dialling,
            State::Connected(link) => link.state(),
            State::Ended => SessionState::Ended,
        }
    }

    /// When to call [`timeout`](Self::timeout): not later than this, or not at all if `None`. The answer may change after every other
    /// call.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Waiting { until, .. } => Some(*until),
            State::Dialling(dialling) => self.dial_until(dialling),
            State::Connected(link) => link.deadline(),
            State::Ended => None,
        }
    }

    /// Tells the time. Begins an attempt, or gives one up, if it is time to.
    ///
    /// May be called at any moment and any number of times. `now` never runs backwards: an earlier one than before counts as the same.
    pub fn timeout(&mut self, now: Instant) {
        self.tell(now);
        let now = self.now;
        match &mut self.state {
            State::Waiting { until, server } if *until <= now => {
                let server = *server;
                self.retries = self.retries.saturating_add(1);
                if !self.servers.ask(server) {
                    self.uncounted = self.uncounted.saturating_add(1);
                }
                self.dial(server);
            }
            State::Connected(link) => link.timeout(now),
            State::Dialling(dialling) => {
                let dialling = *dialling;
                if self.dial_until(&dialling).is_some_and(|until| until <= now) {
                    let limit = self.config.connection_timeout.unwrap_or_default();
                    self.abandons = true;
                    self.dial_ended(dialling, Setback::TimedOut { limit }, Verdict::Retry(Pace::Normal));
                }
            }
            _ => {}
        }
    }

    /// The dial with this [number](crate::DialRequest::number) has led to a connection.
    ///
    /// Says whether that is the session's connection from now on. If not, it came too late: close it, in a way that the server
    /// can tell from a fault ([`CloseCode::GOING_AWAY`](crate::CloseCode::GOING_AWAY)).
    #[must_use]
    pub fn connected(&mut self, dial: u64, info: ConnectedInfo, now: Instant) -> bool {
        self.tell(now);
        let Some((dialling, started)) = self.dialling(dial) else { return false };
        let server = dialling.server;
        let outage = self.now.since(self.outage.since);
        let url = self.servers.url(server);
        let connected = Connected { server, url, info, elapsed: self.now.since(started) };
        self.events.push_back(match self.stats.connections {
            0 => SessionEvent::Connected(connected),
            _ => {
                self.stats.outages = self.stats.outages.saturating_add(outage);
                SessionEvent::Reconnected(Reconnected { connected, outage, attempts: self.outage.dials })
            }
        });
        self.stats.connections += 1;
        self.state = State::Connected(Link::new(dial, server, self.config.resume, self.now));
        true
    }

    /// The dial with this [number](crate::DialRequest::number) has failed. Ignored if it was abandoned.
    pub fn dial_failed(&mut self, dial: u64, failed: DialFailed, now: Instant) {
        self.tell(now);
        if let Some((dialling, _)) = self.dialling(dial) {
            let verdict = failed.verdict(&self.config.rules);
            self.dial_ended(dialling, Setback::Failed(failed), verdict);
        }
    }

    /// The connection has ended: what [`Event::Closed`](crate::Event::Closed) carries, for adapters that take it out with
    /// [`Connection::take_closed`](crate::Connection::take_closed). [`handle`](Self::handle) does it for the event.
    pub fn disconnected(&mut self, closed: impl Into<Arc<Closed>>, now: Instant) {
        self.tell(now);
        self.lost(closed.into());
    }

    fn lost(&mut self, closed: Arc<Closed>) {
        let State::Connected(link) = &self.state else { return };
        let (number, server, since, leaving) = (link.dial, link.server, link.since, link.is_leaving());
        let connected_for = self.now.since(since);
        // The peer answers this end's Close frame, which comes behind all messages, when it has read them; and it mostly answers
        // with the same code, unlike a Close frame that it sent by itself and that has crossed this one.
        let code = |frame: &Option<CloseFrame>| frame.as_ref().map(CloseFrame::code);
        let confirmed = closed.cause == Cause::Clean
            && closed.first == Role::Client
            && code(&closed.sent) == code(&closed.received);
        let Leftovers { unconfirmed, confirmed, returned, written } =
            self.outbox.disconnected(closed.counts.unsent, confirmed);
        self.stats.disconnects += 1;
        self.stats.connected = self.stats.connected.saturating_add(connected_for);
        self.stats.messages_written += written;
        self.stats.messages_returned += returned.count;
        self.stats.messages_unconfirmed += unconfirmed.count;
        self.stats.messages_confirmed += confirmed.count;
        self.stats.bytes_received += closed.counts.bytes_received;
        self.stats.bytes_sent += closed.counts.bytes_sent;
        self.events.push_back(SessionEvent::Disconnected(Disconnected {
            server,
            url: self.servers.url(server),
            closed: Arc::clone(&closed),
            connected_for,
            unconfirmed,
            confirmed,
            returned,
            queued: self.outbox.len(),
        }));
        self.outage = Outage { since: self.now, dials: 0 };
        if leaving {
            return self.end_closed(Role::Client);
        }
        let verdict = self.config.rules.closed(&closed);
        if verdict == Verdict::Done {
            return self.end_closed(closed.first);
        }
        let stable = connected_for >= self.config.stable_after;
        if stable {
            (self.retries, self.uncounted) = (0, 0);
            self.attempts.clear();
            self.servers.forgive();
        }
        let setback = Setback::Lost(closed);
        let url = self.servers.url(server);
        let attempt = SessionAttempt { number, server, url, started: since, took: connected_for, setback };
        if !self.config.auto_reconnect {
            self.note(attempt);
            return self.give_up(GaveUpReason::NoReconnect);
        }
        self.try_again(attempt, verdict, if stable { server } else { server + 1 });
    }

    /// Ends the session. A connection is closed with `frame`, after the messages in the queue if they leave within
    /// [`drain_timeout`](crate::SessionConfig::drain_timeout); what the session waited for otherwise is given up. The last event is
    /// [`SessionEvent::Closed`]. A second call changes nothing.
    pub fn close(&mut self, frame: CloseFrame, now: Instant) {
        self.tell(now);
        match &mut self.state {
            State::Waiting { .. } => self.end_closed(Role::Client),
            State::Dialling(dialling) => {
                // One that was not taken need not be abandoned.
                self.abandons |= dialling.started.is_some();
                self.end_closed(Role::Client);
            }
            State::Connected(link) => link.leave(frame, self.now + self.config.drain_timeout),
            State::Ended => {}
        }
    }

    /// Does not wait any longer if it waits: for when the network is known to be back. A time that the server asked for, by
    /// `Retry-After` or a close code, is waited for all the same.
    pub fn retry_now(&mut self, now: Instant) {
        self.tell(now);
        if let State::Waiting { until, server } = &mut self.state {
            *until = self.servers.held_until(*server).max(self.now);
        }
    }

    pub(super) fn tell(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// Begins with the first server.
    pub(super) fn start(&mut self) {
        match self.config.servers.len() {
            0 => self.give_up(GaveUpReason::NoServer),
            _ => self.dial(0),
        }
    }

    fn dial(&mut self, server: usize) {
        self.state = State::Dialling(Dialling { number: self.stats.dials + 1, server, started: None });
    }

    /// The dial that is under way, if it has this number, and since when.
    fn dialling(&self, number: u64) -> Option<(Dialling, Instant)> {
        match self.state {
            State::Dialling(dialling) if dialling.number == number => Some((dialling, dialling.started?)),
            _ => None,
        }
    }

    /// When a dial has taken too long.
    fn dial_until(&self, dialling: &Dialling) -> Option<Instant> {
        Some(dialling.started? + self.config.connection_timeout?)
    }

    fn dial_ended(&mut self, dialling: Dialling, setback: Setback, verdict: Verdict) {
        let Dialling { number, server, started } = dialling;
        let started = started.unwrap_or(self.now);
        self.stats.dials_failed += 1;
        let verdict = if self.config.auto_reconnect { verdict } else { Verdict::Never };
        let (url, took) = (self.servers.url(server), self.now.since(started));
        self.try_again(SessionAttempt { number, server, url, started, took, setback }, verdict, server + 1);
    }

    /// What follows a failed dial or a lost connection: another attempt, counted from the server `from` on, or none.
    fn try_again(&mut self, attempt: SessionAttempt, verdict: Verdict, from: usize) {
        let SessionAttempt { server: failed, ref url, ref setback, .. } = attempt;
        let (failed_url, why) = (Arc::clone(url), setback.clone());
        self.note(attempt);
        // The ceiling grows when all were tried, not from one to the next.
        let servers = u32::try_from(self.servers.available()).unwrap_or(u32::MAX).max(1);
        let rounds = self.retries / servers;
        let max = self.config.max_reconnect_attempts;
        let used_up = max.filter(|max| self.retries - self.uncounted >= *max);
        match verdict {
            Verdict::Retry(pace) => {
                let hold = self.backoff.hold(pace, rounds);
                self.servers.hold(failed, self.now + hold);
                // With no attempt left for it, the time that it names is none to wait for.
                if matches!(pace, Pace::After(_)) && used_up.is_none() {
                    self.servers.await_it(failed);
                }
            }
            // What is done is done after a connection; if there was none, nothing was.
            Verdict::Never | Verdict::Done => self.servers.refuse(failed),
        }
        if self.servers.available() == 0 {
            return self.give_up(match self.config.auto_reconnect {
                true => GaveUpReason::AllRefused,
                false => GaveUpReason::NoReconnect,
            });
        }
        let ready = self.now + self.backoff.delay(rounds);
        let Some((server, until)) = self.servers.choose(from, (self.now, ready), used_up.is_some()) else {
            return self.give_up(GaveUpReason::TooManyAttempts { max: used_up.unwrap_or_default() });
        };
        let (delay, attempt): (Duration, u32) = (until.since(self.now), self.retries.saturating_add(1));
        // Those that do not count come on top.
        let free = self.uncounted.saturating_add(u32::from(!self.servers.counts(server)));
        let of = max.map(|max| max.saturating_add(free).max(attempt));
        let (url, left_out) = (self.servers.url(server), !matches!(verdict, Verdict::Retry(_)));
        let next = Reconnecting { attempt, of, delay, server, url, failed, failed_url, left_out, why };
        self.events.push_back(SessionEvent::Reconnecting(next));
        self.state = State::Waiting { until, server };
    }

    fn note(&mut self, attempt: SessionAttempt) {
        self.servers.failed(attempt.server, attempt.setback.clone());
        self.attempts.push(attempt);
    }

    fn give_up(&mut self, why: GaveUpReason) {
        let (attempts, servers) = (core::mem::take(&mut self.attempts), self.servers.setbacks());
        self.end(|queued| SessionEvent::GaveUp(Box::new(GaveUp { why, servers, attempts, queued })));
    }

    fn end_closed(&mut self, by: Role) {
        self.end(|queued| SessionEvent::Closed(SessionClosed { by, queued }));
    }

    /// The terminal event, and nothing after it.
    fn end(&mut self, event: impl FnOnce(usize) -> SessionEvent) {
        // The outage that it ends with; after a connection that has just ended it has no length.
        self.stats.outages = self.stats().outages;
        self.state = State::Ended;
        self.note_dropped();
        let event = event(self.outbox.len());
        self.events.push_back(event);
    }

    /// Queues the report of what was dropped, if anything was.
    pub(super) fn note_dropped(&mut self) {
        if let Some(dropped) = self.outbox.take_dropped() {
            self.stats.messages_dropped += dropped.count;
            self.events.push_back(SessionEvent::Dropped(dropped));
        }
    }
}
