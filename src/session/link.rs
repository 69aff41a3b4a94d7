//! A session's connection: what is given to it, what is learnt from it, and how it is left.

use super::machine::State;
use super::{Session, SessionState};
use crate::connection::{Sender, State as ConnectionState};
use crate::error::SendRefused;
use crate::event::Event;
use crate::frame::CloseFrame;
use crate::message::Message;
use crate::session::event::SessionEvent;
use crate::time::Instant;

/// The connection that a session has.
#[derive(Debug)]
pub(super) struct Link {
    /// The number of the dial that led to it.
    pub(super) dial: u64,
    pub(super) server: usize,
    pub(super) since: Instant,
    phase: Phase,
    ping: Option<Ping>,
}

#[derive(Debug)]
enum Phase {
    /// The application sends first.
    Resuming,
    /// Messages flow.
    Open,
    /// The Close frame waits for the messages in the queue, until then.
    Draining(CloseFrame, Instant),
    /// The Close frame waits for nothing.
    Leaving(CloseFrame),
    /// The Close frame was given to the connection.
    Left,
}

/// The last keepalive Ping.
#[derive(Debug, PartialEq, Eq)]
struct Ping {
    payload: [u8; 4],
    sent: Instant,
    answered: bool,
}

impl Link {
    pub(super) fn new(dial: u64, server: usize, resume: bool, now: Instant) -> Self {
        let phase = if resume { Phase::Resuming } else { Phase::Open };
        Self { dial, server, since: now, phase, ping: None }
    }

    pub(super) fn state(&self) -> SessionState {
        match self.phase {
            Phase::Resuming => SessionState::Resuming,
            Phase::Open => SessionState::Open,
            _ => SessionState::Closing,
        }
    }

    /// Whether the session is being closed.
    pub(super) fn is_leaving(&self) -> bool {
        self.state() == SessionState::Closing
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Draining(_, until) => Some(until),
            _ => None,
        }
    }

    pub(super) fn timeout(&mut self, now: Instant) {
        if self.deadline().is_some_and(|until| until <= now) {
            self.change(|phase| match phase {
                Phase::Draining(frame, _) => Phase::Leaving(frame),
                other => other,
            });
        }
    }

    pub(super) fn leave(&mut self, frame: CloseFrame, until: Instant) {
        self.change(|phase| match phase {
            // What waits is not to be sent before the server is ready for it.
            Phase::Resuming => Phase::Leaving(frame),
            Phase::Open => Phase::Draining(frame, until),
            other => other,
        });
    }

    /// Whether messages from the queue may go.
    fn flows(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Draining(..))
    }

    /// The Close frame, if it is time for it.
    fn take_close(&mut self, drained: bool) -> Option<CloseFrame> {
        match core::mem::replace(&mut self.phase, Phase::Left) {
            Phase::Leaving(frame) => Some(frame),
            Phase::Draining(frame, _) if drained => Some(frame),
            other => {
                self.phase = other;
                None
            }
        }
    }

    fn change(&mut self, next: impl FnOnce(Phase) -> Phase) {
        let phase = core::mem::replace(&mut self.phase, Phase::Left);
        self.phase = next(phase);
    }

    /// Whether the connection has sent another keepalive Ping than the one that is known.
    fn notice_ping(&mut self, last: Option<([u8; 4], Instant)>) -> bool {
        let Some((payload, sent)) = last else { return false };
        if self.ping.as_ref().is_some_and(|ping| ping.payload == payload) {
            return false;
        }
        self.ping = Some(Ping { payload, sent, answered: false });
        true
    }
}

impl Session {
    /// Gives the connection what it is to send, and notes what it has written.
    ///
    /// To be called after each input and command, of the session or of the connection, and after each write, **before** the next
    /// bytes are written; with the sender of the connection that [`connected`](Self::connected) was about, and of no other. On a
    /// [`Connection`](crate::Connection), that is the second of its [halves](crate::Connection::halves). Nothing else may send messages or close there:
    /// the session could not tell which of its own were written.
    ///
    /// A message stays with the session until it is written whole. The connection gets a copy, at most
    /// [`Limits::write_soft`](crate::Limits::write_soft) bytes and one message ahead of what the network takes.
    pub fn transfer(&mut self, sender: &mut Sender, now: Instant) {
        self.tell(now);
        let State::Connected(link) = &mut self.state else { return };
        link.timeout(self.now);
        if sender.state() != ConnectionState::Open {
            // Its end will tell what was written; until then the queue must do.
            self.outbox.set_passing(false);
            return;
        }
        // First the Ping, then what was written: what is counted by then has left before it.
        if link.notice_ping(sender.last_ping()) {
            self.outbox.pinged();
        }
        self.stats.messages_written += self.outbox.written(sender.data_waiting() as u64);
        let flows = link.flows();
        while sender.may_send() {
            let Some(message) = self.outbox.next(flows) else { break };
            let before = sender.data_waiting();
            if give(sender, message).is_err() {
                break;
            }
            self.outbox.taken(sender.data_waiting() - before);
        }
        self.outbox.set_passing(flows && sender.may_send());
        if let Some(frame) = link.take_close(self.outbox.next(flows).is_none()) {
            // It is open, so it does not refuse.
            let _ = sender.close_with(frame);
        }
    }

    /// Takes what the connection has said, and gives what the application is to hear of it.
    ///
    /// Messages are given back as [`SessionEvent::Message`], answers to keepalive Pings as [`SessionEvent::Heartbeat`]. The end of the
    /// connection leads to events of [`next_event`](Self::next_event).
    #[must_use]
    pub fn handle(&mut self, event: Event<'_>, now: Instant) -> Option<SessionEvent> {
        match event {
            Event::Pong(payload) => self.ponged(payload, now),
            Event::Closed(closed) => {
                self.disconnected(closed, now);
                None
            }
            event => {
                self.tell(now);
                let message = event.into_message()?;
                self.stats.messages_received += 1;
                Some(SessionEvent::Message(message))
            }
        }
    }

    fn ponged(&mut self, payload: &[u8], now: Instant) -> Option<SessionEvent> {
        self.tell(now);
        let State::Connected(link) = &mut self.state else { return None };
        let ping = link.ping.as_mut().filter(|ping| ping.payload == payload && !ping.answered)?;
        ping.answered = true;
        let round_trip = self.now.since(ping.sent);
        self.stats.round_trip = Some(round_trip);
        let confirmed = self.outbox.ponged();
        self.stats.messages_confirmed += confirmed.count;
        Some(SessionEvent::Heartbeat { round_trip, confirmed })
    }

    /// The application has sent what it had to send first, see [`SessionConfig::resume`](crate::SessionConfig::resume): the queue flows.
    /// Without effect in any other state than [`SessionState::Resuming`].
    pub fn resumed(&mut self) {
        if let State::Connected(link) = &mut self.state {
            link.change(|phase| match phase {
                Phase::Resuming => Phase::Open,
                other => other,
            });
        }
    }
}

/// Copies a message into the connection's write queue: the session keeps it until it is written.
fn give(sender: &mut Sender, message: &Message) -> Result<(), SendRefused> {
    match message {
        Message::Text(text) => sender.send_text(text),
        Message::Binary(bytes) => sender.send_binary(bytes),
    }
}
