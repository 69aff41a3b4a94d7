//! A client that connects again: when to dial which server, how long to wait, when to give up, and what becomes of messages
//! meanwhile.
//!
//! `machine` has the states, `link` what concerns a connection, `outbox` the messages on their way out. What is to be decided is
//! decided in `verdict` (whether to try again), `backoff` (when) and `servers` (where); `text` has the events in words. The dial itself is not here: an adapter
//! resolves, connects and does the opening handshake, and says what came of it.

mod attempt;
mod backoff;
mod config;
mod event;
mod gave_up;
mod link;
mod machine;
mod outbox;
mod queries;
mod retry_after;
mod servers;
mod stats;
mod text;
mod verdict;

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use crate::config::ClientConfig;
use crate::dial::Protocol;
use crate::entropy::Entropy;
use crate::handshake::ClientRequest;
use crate::message::Message;
use crate::time::Instant;

use backoff::Backoff;
use machine::{Outage, State};
use outbox::Outbox;
use servers::Servers;

pub use attempt::{DialFailed, SessionAttempt, SessionAttempts, Setback};
pub use config::{ProtocolSelection, QueuePolicy, SessionConfig};
pub use event::{
    Connected, ConnectedInfo, Disconnected, Reconnected, Reconnecting, SessionClosed, SessionEvent,
};
pub use gave_up::{GaveUp, GaveUpReason, ServerSetback};
pub use outbox::{MessageNumbers, QueueLimit, SessionRefused, SessionSendError};
pub use stats::SessionStats;
pub use verdict::{Pace, RetryRules, Verdict};

/// A client's connection that outlives the connections it is made of, as a state machine without IO.
///
/// **After every input or command, take the events and then the steps until there are none, [`transfer`](Self::transfer) if there is a
/// connection, and heed [`deadline`](Self::deadline).**
///
/// 1. [`next_event`](Self::next_event): what the application is to hear. There are no steps while events wait, so an application that takes none
///    gets no new attempts, and nothing piles up.
/// 2. [`next_step`](Self::next_step): [`SessionStep::Dial`] a server, and say what came of it: [`connected`](Self::connected) or
///    [`dial_failed`](Self::dial_failed). [`SessionStep::Abandon`] the dial that is under way.
/// 3. While there is a connection, drive it as its own contract says, but let the session send: [`transfer`](Self::transfer) before each write. Events of
///    the connection go to [`handle`](Self::handle).
/// 4. The deadline came: [`timeout`](Self::timeout).
/// 5. After the terminal event, [`SessionEvent::GaveUp`] or [`SessionEvent::Closed`], and the steps that are left, every call is without effect.
///
/// # What becomes of messages
///
/// [`send`](Self::send) numbers a message and puts it into a bounded queue: see [`QueuePolicy`] for when it is full. It leaves the queue when a connection
/// can take it, and comes back to its front, in order, if that connection ends before it was written whole. So nothing is
/// sent twice, and nothing is lost without being told: what was written but may not have arrived is counted as
/// [`Disconnected::unconfirmed`], with the numbers of the messages. What has arrived is told by the heartbeat: see
/// [`confirmed`](Self::confirmed). Only an acknowledgement by the application at the other end can say more.
///
/// # Examples
///
/// An adapter, in memory:
///
/// ```
/// use bytes::{Buf, BytesMut};
/// use sansocket::{
///     ClientRequest, ConnectedInfo, Connection, DialFailed, Entropy, Instant, Session, SessionConfig, SessionEvent,
///     SessionState, SessionStep,
/// };
///
/// let mut config = SessionConfig::new(ClientRequest::new("ws://a.example.com/feed")?);
/// config.servers.push(ClientRequest::new("ws://b.example.com/feed")?);
/// // A real client takes its seeds from the operating system.
/// let mut session = Session::new(config, Entropy::from_seed([7; 32]), Instant::ZERO);
///
/// // There is no connection yet, so this waits.
/// session.send("hello")?;
///
/// // The first server cannot be reached.
/// let Some(SessionStep::Dial(dial)) = session.next_step() else { panic!("it begins with a dial") };
/// assert_eq!(dial.request.url().host(), "a.example.com");
/// session.dial_failed(dial.number, DialFailed::transient("connection refused"), Instant::ZERO);
/// let Some(SessionEvent::Reconnecting(next)) = session.next_event() else { panic!("it goes on") };
/// assert_eq!((next.attempt, next.server), (1, 1));
///
/// // A timer waits for the deadline. Then the second one is dialled, and answers.
/// let now = session.deadline().expect("it waits for the next attempt");
/// session.timeout(now);
/// let Some(SessionStep::Dial(dial)) = session.next_step() else { panic!("now is the time") };
/// let mut connection = Connection::client(session.connection_config(), Entropy::from_seed([8; 32]), now);
/// assert!(session.connected(dial.number, ConnectedInfo::new(None, None), now));
/// assert!(matches!(session.next_event(), Some(SessionEvent::Connected(_))));
///
/// // The message is given to the connection, and its bytes are written.
/// session.transfer(connection.halves().1, now);
/// let written = connection.transmit().remaining();
/// connection.transmit().advance(written);
/// session.transfer(connection.halves().1, now);
/// assert_eq!(session.stats().messages_written, 1);
///
/// // What comes is read, and handed on. Here, the server goes away.
/// connection.eof();
/// let mut input = BytesMut::new();
/// let mut reader = connection.read(&mut input);
/// while let Some(event) = reader.next() {
///     if let Some(SessionEvent::Message(message)) = session.handle(event, now) {
///         println!("{message:?}");
///     }
/// }
/// let Some(SessionEvent::Disconnected(lost)) = session.next_event() else { panic!("it has ended") };
/// assert_eq!(lost.unconfirmed.count, 1, "nobody knows whether it has arrived");
/// assert_eq!(session.state(), SessionState::Waiting);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Session {
    config: SessionConfig,
    /// What each connection is configured with.
    connection: ClientConfig,
    backoff: Backoff,
    servers: Servers,
    state: State,
    /// The latest time that was told.
    now: Instant,
    /// Dials since the last stable connection was lost, without the first of all.
    retries: u32,
    /// Of these, dials that were made because another server had to be waited for.
    uncounted: u32,
    attempts: SessionAttempts,
    outage: Outage,
    outbox: Outbox,
    /// Few: there is no new attempt before they are taken.
    events: VecDeque<SessionEvent>,
    /// A dial is under way of which the session wants to hear no more.
    abandons: bool,
    stats: SessionStats,
}

/// What an adapter is to do.
#[derive(Debug, Clone)]
#[must_use]
#[non_exhaustive]
pub enum SessionStep {
    /// Begin a dial. There is never more than one under way.
    Dial(Box<DialRequest>),
    /// Give up the dial that is under way: drop what it has come to. What still comes of it is ignored.
    Abandon,
}

/// A dial: connect to a server, with everything that is needed for it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DialRequest {
    /// The number of the dial, counted from 1: it goes with the result.
    pub number: u64,
    /// The server: an index into [`SessionConfig::servers`].
    pub server: usize,
    /// What to ask it for.
    pub request: ClientRequest,
    /// Over which protocols, the preferred one first.
    pub protocols: &'static [Protocol],
    /// When it takes too long. The session keeps watch over that by itself, and says [`SessionStep::Abandon`]. An adapter that
    /// knows in which step the time was lost ends the dial first, and says so.
    pub until: Option<Instant>,
}

/// Where a session stands: see [`Session::state`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// It waits for the time of the next attempt.
    Waiting,
    /// It waits for what comes of a dial.
    Dialling,
    /// There is a connection, on which the application is to send first: see [`SessionConfig::resume`].
    Resuming,
    /// There is a connection, and messages flow.
    Open,
    /// There is a connection, and it is being closed.
    Closing,
    /// It has ended: the terminal event was given, or waits.
    Ended,
}

impl Session {
    /// A session that begins `now`, with a dial to the first server.
    ///
    /// `entropy` is for the delays between attempts. It needs a seed of its own, as each connection does.
    #[must_use]
    pub fn new(config: SessionConfig, entropy: Entropy, now: Instant) -> Self {
        let mut session = Self {
            connection: config.for_connections(),
            backoff: Backoff::new(&config, entropy),
            servers: Servers::new(&config.servers),
            state: State::Ended,
            now,
            retries: 0,
            uncounted: 0,
            attempts: SessionAttempts::default(),
            outage: Outage { since: now, dials: 0 },
            outbox: Outbox::new(&config),
            events: VecDeque::new(),
            abandons: false,
            stats: SessionStats::default(),
            config,
        };
        session.start();
        session
    }

    /// What to configure each connection with: [`SessionConfig::connection`], with the time limits of the session.
    #[must_use]
    pub fn connection_config(&self) -> &ClientConfig {
        &self.connection
    }

    /// The next thing that the application is to hear. The answer may change after every other call.
    pub fn next_event(&mut self) -> Option<SessionEvent> {
        if self.events.is_empty() {
            self.note_dropped();
        }
        self.events.pop_front()
    }

    /// The next thing to do; none while events wait to be taken. The answer may change after every other call.
    pub fn next_step(&mut self) -> Option<SessionStep> {
        if !self.events.is_empty() {
            return None;
        }
        if core::mem::take(&mut self.abandons) {
            return Some(SessionStep::Abandon);
        }
        let State::Dialling(dialling) = &mut self.state else { return None };
        if dialling.started.is_some() {
            return None;
        }
        let request = self.config.servers.get(dialling.server)?.clone();
        dialling.started = Some(self.now);
        self.stats.dials += 1;
        self.outage.dials += 1;
        Some(SessionStep::Dial(Box::new(DialRequest {
            number: dialling.number,
            server: dialling.server,
            request,
            protocols: self.config.protocol.protocols(),
            until: self.config.connection_timeout.map(|limit| self.now + limit),
        })))
    }

    /// Queues a message, and says its number: 0 for the first, and one more for each.
    ///
    /// With [`QueuePolicy::DropNewest`] and [`QueuePolicy::DropOldest`] it may have been dropped, which an event tells.
    ///
    /// # Errors
    ///
    /// Gives the message back if the queue is full and the policy is another one, or if the session was closed or has ended.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<u64, SessionSendError> {
        let message = message.into();
        if matches!(self.state(), SessionState::Closing | SessionState::Ended) {
            return Err(SessionSendError { message, reason: SessionRefused::Closed });
        }
        let number = self.outbox.push(message)?;
        self.stats.messages_accepted += 1;
        Ok(number)
    }

    /// Sends a message ahead of the queue, on this connection only: for what each new connection has to begin with. See
    /// [`SessionConfig::resume`]. It has no number, and is neither sent again nor counted if the connection ends.
    ///
    /// # Errors
    ///
    /// Gives the message back in any other state than [`SessionState::Resuming`].
    pub fn send_first(&mut self, message: impl Into<Message>) -> Result<(), SessionSendError> {
        let message = message.into();
        if self.state() != SessionState::Resuming {
            return Err(SessionSendError { message, reason: SessionRefused::NotResuming });
        }
        self.outbox.push_first(message);
        Ok(())
    }

    /// Whether [`send`](Self::send) takes a message of `len` bytes without dropping any. May change after every other call, and
    /// mostly after [`transfer`](Self::transfer).
    #[must_use]
    pub fn has_room(&self, len: usize) -> bool {
        !matches!(self.state(), SessionState::Closing | SessionState::Ended) && self.outbox.has_room(len)
    }

    /// Asks for something else the next time that this server is dialled, such as with new credentials. If it had refused
    /// this client for good, it is tried again. Without effect if there is no such server.
    pub fn set_request(&mut self, server: usize, request: ClientRequest) {
        if let Some(old) = self.config.servers.get_mut(server) {
            self.servers.accept(server, &request);
            *old = request;
        }
    }
}
