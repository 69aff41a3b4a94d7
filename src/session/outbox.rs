//! Messages on their way out: those that wait for a connection, and those that one has taken and not yet written.
//!
//! ```text
//!  send() ─► waiting ──taken──► in flight ──written──► (since the last Ping ─► before it ─► confirmed)
//!               ▲                   │                          │
//!               └──────returned─────┴── connection lost ───────┴─► unconfirmed
//! ```

use alloc::collections::VecDeque;

use thiserror::Error;

use crate::message::Message;
use crate::session::config::{QueuePolicy, SessionConfig};

/// Messages by the numbers that [`Session::send`](crate::Session::send) gave them: how many there are, and which.
///
/// Messages leave in the order of their numbers, so those that were written are all between the first and the last, but for
/// those that were dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MessageNumbers {
    /// How many.
    pub count: u64,
    /// The number of the first, and of the last; equal and without a meaning if there is none.
    pub first: u64,
    /// See `first`.
    pub last: u64,
}

impl MessageNumbers {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether a message is among them, as far as the first and the last tell: what lies between may have been dropped.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        !self.is_empty() && (self.first..=self.last).contains(&number)
    }

    fn add(&mut self, number: u64) {
        self.append(Self { count: 1, first: number, last: number });
    }

    fn append(&mut self, other: Self) {
        *self = match (self.count, other.count) {
            (_, 0) => *self,
            (0, _) => other,
            // Those that were dropped before others came back to the queue have the higher numbers.
            _ => Self {
                count: self.count + other.count,
                first: self.first.min(other.first),
                last: self.last.max(other.last),
            },
        };
    }
}

/// A message that a session did not take, given back with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the message was not queued: {reason}")]
pub struct SessionSendError {
    /// The message, as it was handed over.
    pub message: Message,
    /// Why it was not queued.
    #[source]
    pub reason: SessionRefused,
}

/// Why a session did not take a message. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SessionRefused {
    /// The queue has no room. With [`QueuePolicy::Wait`], try again when
    /// [`Session::has_room`](crate::Session::has_room).
    #[error("the queue has no room: {limit} (messages that wait: {messages}, bytes in them: {bytes})")]
    QueueFull {
        /// Messages that wait.
        messages: usize,
        /// Bytes of payload data in them.
        bytes: usize,
        /// The limit that this one would go over.
        limit: QueueLimit,
    },
    /// The session was closed, or has ended.
    #[error("the session is closing or has ended")]
    Closed,
    /// [`Session::send_first`](crate::Session::send_first), and this is not the time: there is no connection, or it has been resumed.
    #[error("there is no connection that waits to be resumed")]
    NotResuming,
}

/// The limit of a session's queue that a message would go over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueueLimit {
    /// [`SessionConfig::queue_messages`].
    #[error("queue_messages allows {max}")]
    Messages {
        /// Messages that may wait.
        max: usize,
    },
    /// [`SessionConfig::queue_bytes`].
    #[error("queue_bytes allows {max}, and this message has {len}")]
    Bytes {
        /// Bytes of payload data that may wait.
        max: usize,
        /// Bytes of payload data of the message that was refused. If that is more than `max`, only a connection that takes it at once takes it.
        len: usize,
    },
}

/// The queue and what is in flight.
#[derive(Debug)]
pub(super) struct Outbox {
    policy: QueuePolicy,
    max_messages: usize,
    max_bytes: usize,
    /// With their numbers.
    waiting: VecDeque<(u64, Message)>,
    waiting_bytes: usize,
    next_number: u64,
    /// All messages with lower numbers have been read by a server, or it was told otherwise.
    settled: u64,
    /// Nothing waits, and the connection takes a message at once.
    passes: bool,
    /// What goes out first on this connection, and on no other.
    first: VecDeque<Message>,
    flight: Flight,
    dropped: MessageNumbers,
}

/// What the present connection has of it.
#[derive(Debug, Default)]
struct Flight {
    /// In the connection's write queue, the oldest first.
    unwritten: VecDeque<Unwritten>,
    /// Bytes of data frames that the connection was given.
    given: u64,
    /// Written since the last Ping was seen, and before that.
    since_ping: MessageNumbers,
    before_ping: MessageNumbers,
}

#[derive(Debug)]
struct Unwritten {
    /// Where its frame ends, in bytes of data frames since the connection began.
    end: u64,
    /// `None` for what [`Outbox::push_first`] took.
    message: Option<(u64, Message)>,
}

/// What a connection leaves behind.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    pub(super) unconfirmed: MessageNumbers,
    pub(super) confirmed: MessageNumbers,
    pub(super) returned: MessageNumbers,
    /// Messages found written that were not known to be.
    pub(super) written: u64,
}

impl Outbox {
    pub(super) fn new(config: &SessionConfig) -> Self {
        Self {
            policy: config.queue,
            max_messages: config.queue_messages,
            max_bytes: config.queue_bytes,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            next_number: 0,
            settled: 0,
            passes: false,
            first: VecDeque::new(),
            flight: Flight::default(),
            dropped: MessageNumbers::default(),
        }
    }

    /// Messages that wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether a message of `len` bytes would be taken without loss.
    pub(super) fn has_room(&self, len: usize) -> bool {
        let fits = self.waiting.len() < self.max_messages
            && self.waiting_bytes.checked_add(len).is_some_and(|bytes| bytes <= self.max_bytes);
        fits || self.passes
    }

    /// Takes a message, and says its number.
    pub(super) fn push(&mut self, message: Message) -> Result<u64, SessionSendError> {
        let len = message.len();
        if self.policy == QueuePolicy::DropOldest && self.max_messages > 0 && len <= self.max_bytes {
            while !self.has_room(len) {
                let Some((number, oldest)) = self.waiting.pop_front() else { break };
                self.waiting_bytes -= oldest.len();
                self.dropped.add(number);
            }
        }
        if !self.has_room(len) {
            return match self.policy {
                QueuePolicy::Wait | QueuePolicy::Fail => {
                    let (messages, bytes) = (self.waiting.len(), self.waiting_bytes);
                    let limit = match messages < self.max_messages {
                        true => QueueLimit::Bytes { max: self.max_bytes, len },
                        false => QueueLimit::Messages { max: self.max_messages },
                    };
                    let reason = SessionRefused::QueueFull { messages, bytes, limit };
                    Err(SessionSendError { message, reason })
                }
                QueuePolicy::DropNewest | QueuePolicy::DropOldest => {
                    let number = self.number();
                    self.dropped.add(number);
                    Ok(number)
                }
            };
        }
        self.passes = false;
        let number = self.number();
        self.waiting_bytes += len;
        self.waiting.push_back((number, message));
        Ok(number)
    }

    /// Takes a message for this connection alone.
    pub(super) fn push_first(&mut self, message: Message) {
        self.first.push_back(message);
    }

    /// What to give to the connection next. Messages from the queue only if it `flows`.
    pub(super) fn next(&self, flows: bool) -> Option<&Message> {
        let waiting = || self.waiting.front().filter(|_| flows).map(|(_, message)| message);
        self.first.front().or_else(waiting)
    }

    /// The connection has taken [`next`](Self::next), as a frame of `len` bytes.
    pub(super) fn taken(&mut self, len: usize) {
        self.flight.given += len as u64;
        let message = match self.first.pop_front() {
            Some(_) => None,
            None => self.waiting.pop_front(),
        };
        if let Some((_, message)) = &message {
            self.waiting_bytes -= message.len();
        }
        self.flight.unwritten.push_back(Unwritten { end: self.flight.given, message });
    }

    /// Whether the connection would take a message at once.
    pub(super) fn set_passing(&mut self, passes: bool) {
        self.passes = passes && self.waiting.is_empty();
    }

    /// `unwritten` bytes of data frames wait to be written still. Says how many messages were written since the last time.
    pub(super) fn written(&mut self, unwritten: u64) -> u64 {
        let flight = &mut self.flight;
        let written = flight.given.saturating_sub(unwritten);
        let mut count = 0;
        while flight.unwritten.front().is_some_and(|frame| frame.end <= written) {
            let frame = flight.unwritten.pop_front();
            if let Some((number, _)) = frame.and_then(|frame| frame.message) {
                flight.since_ping.add(number);
                count += 1;
            }
        }
        count
    }

    /// A Ping was queued, after what is known to be written by now.
    pub(super) fn pinged(&mut self) {
        let since = core::mem::take(&mut self.flight.since_ping);
        self.flight.before_ping.append(since);
    }

    /// The last Ping was answered: the server has read all that was written before it. Says what that was.
    pub(super) fn ponged(&mut self) -> MessageNumbers {
        let confirmed = core::mem::take(&mut self.flight.before_ping);
        self.settle(confirmed);
        confirmed
    }

    /// The number below which every message has been read by a server, or it was told otherwise.
    pub(super) fn settled(&self) -> u64 {
        self.settled
    }

    // Messages leave in the order of their numbers, so those with lower ones have left before.
    fn settle(&mut self, confirmed: MessageNumbers) {
        if !confirmed.is_empty() {
            self.settled = confirmed.last + 1;
        }
    }

    /// The connection has ended with so many bytes of data frames unwritten. `confirmed` says that the server has read all that was
    /// written.
    pub(super) fn disconnected(&mut self, unwritten: u64, confirmed: bool) -> Leftovers {
        let written = self.written(unwritten);
        self.passes = false;
        self.first.clear();
        let flight = core::mem::take(&mut self.flight);
        let mut unconfirmed = flight.before_ping;
        unconfirmed.append(flight.since_ping);
        let mut returned = MessageNumbers::default();
        let messages = flight.unwritten.into_iter().filter_map(|frame| frame.message);
        for (number, message) in messages.rev() {
            self.waiting_bytes += message.len();
            self.waiting.push_front((number, message));
            returned.add(number);
        }
        let none = MessageNumbers::default();
        let (confirmed, unconfirmed) = if confirmed { (unconfirmed, none) } else { (none, unconfirmed) };
        self.settle(confirmed);
        Leftovers { unconfirmed, confirmed, returned, written }
    }

    /// Which messages were dropped since the last time.
    pub(super) fn take_dropped(&mut self) -> Option<MessageNumbers> {
        Some(core::mem::take(&mut self.dropped)).filter(|dropped| !dropped.is_empty())
    }

    /// Everything that waits, with the numbers.
    pub(super) fn take(&mut self) -> VecDeque<(u64, Message)> {
        self.waiting_bytes = 0;
        core::mem::take(&mut self.waiting)
    }

    fn number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }
}
