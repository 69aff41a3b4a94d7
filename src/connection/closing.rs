//! The closing handshake and every other end (RFC 6455 section 7).
//!
//! ```text
//!            close()                          peer's Close
//!   Open ──────────────► Close queued ───────────────────────┐
//!    │                                                       ▼
//!    │ peer's Close → answer queued ───────────────► both Close frames
//!    │                                                       │ server: all written; client: end of TCP
//!    │ failure, time limit → Close queued ─► written,        ▼
//!    │                        half-closed ─► end of TCP ─► Closed
//!    │                                       or time limit   ▲
//!    └─ end of TCP, transport error ─────────────────────────┘
//! ```
//!
//! From every state but Closed, `Timeouts::close` after the first Close frame leads to Closed, or less after a Ping that was not answered.

use alloc::boxed::Box;
use alloc::string::ToString;

use super::receive::Progress;
use super::send::Sender;
use crate::closed::{Closed, Counts};
use crate::config::Timeouts;
use crate::error::{Cause, TransportError};
use crate::event::Event;
use crate::frame::{CloseCode, CloseFrame};
use crate::role::Role;

/// How far a connection is on the way to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Messages flow.
    Open,
    /// A Close frame was queued or received, and the connection has not ended.
    Closing,
    /// The connection has ended. The transport can be closed.
    Closed,
}

/// What is known about the end.
#[derive(Debug, Default)]
pub(super) struct Closing {
    first: Option<Role>,
    /// Boxed: an open connection has none.
    reasons: Option<Box<Reasons>>,
    /// The peer's byte stream has ended.
    eof: bool,
    /// The byte stream has ended or failed, and input that came before that was not looked at yet.
    end_to_come: Option<Option<TransportError>>,
    ended: bool,
    /// How it ended, until that was reported.
    closed: Option<Box<Closed>>,
}

/// What was said about the end, and by whom.
#[derive(Debug, Default)]
struct Reasons {
    sent: Option<CloseFrame>,
    received: Option<CloseFrame>,
    /// Why this endpoint ends the connection, if it is not by a closing handshake.
    cause: Option<Cause>,
}

impl Closing {
    /// Whether a Close frame was queued or received, or the connection has ended.
    #[inline]
    pub(super) fn has_begun(&self) -> bool {
        self.first.is_some()
    }

    /// Whether the end has come, or will when the input before it was looked at.
    #[inline]
    fn has_an_end(&self) -> bool {
        self.end_to_come.is_some() || self.has_ended()
    }

    #[inline]
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    fn has_sent(&self) -> bool {
        self.reasons.as_ref().is_some_and(|reasons| reasons.sent.is_some())
    }

    fn has_received(&self) -> bool {
        self.reasons.as_ref().is_some_and(|reasons| reasons.received.is_some())
    }

    pub(super) fn cause(&self) -> Option<Cause> {
        self.reasons.as_ref()?.cause
    }

    fn reasons(&mut self) -> &mut Reasons {
        self.reasons.get_or_insert_default()
    }

    pub(super) fn queued(&mut self, frame: CloseFrame, role: Role) {
        self.reasons().sent = Some(frame);
        self.first.get_or_insert(role);
    }
}

impl Sender {
    /// Gives the answer that an event of the [`Receiver`](crate::Receiver) needs: a Pong, a Close frame, or none.
    ///
    /// Only for halves: of a connection that was [split](crate::Connection::split), or borrowed with
    /// [`halves`](crate::Connection::halves). The reader of [`Connection::read`](crate::Connection::read) does it already. Messages and chunks need
    /// not be handed over, but may be.
    pub fn handle(&mut self, event: &Event<'_>) {
        if self.closing.has_ended() {
            return;
        }
        match event {
            Event::Ping(payload) if !self.closing.has_received() => self.answer_ping(payload),
            Event::Pong(payload) => self.deadlines.answered(payload),
            // "When sending a Close frame in response, the endpoint typically echos the status code it received."
            Event::Close(frame) => self.answer_close(frame, CloseFrame::own(frame.code(), "")),
            Event::Failed(failure) => {
                self.fail(Cause::Failed(*failure), failure.close_code(), &failure.to_string())
            }
            _ => {}
        }
    }

    /// In place of [`handle`](Self::handle) for [`Event::Close`]: answers with a frame of the caller's, unless this end sent one before.
    ///
    /// `handle` answers with the code that came, and no reason.
    //= https://www.rfc-editor.org/rfc/rfc6455#section-5.5.1
    //# If an endpoint receives a Close frame and did not previously send a
    //# Close frame, the endpoint MUST send a Close frame in response.
    pub fn answer_close(&mut self, received: &CloseFrame, answer: CloseFrame) {
        if self.closing.has_ended() {
            return;
        }
        self.closing.first.get_or_insert(self.role.peer());
        if !self.closing.has_sent() {
            self.queue_close(answer);
        }
        self.closing.reasons().received = Some(received.clone());
        self.settle();
    }

    /// Notes that the peer's byte stream has ended. To note it twice does no harm.
    ///
    /// Counts when all input that came before has been read; after [`Receiver::pause`](crate::Receiver::pause), when anything has been read. What waits to be written is discarded then, but for the
    /// answer to the peer's Close frame and the Close frame after a failure: a peer that ends its stream without a
    /// Close frame has gone.
    pub fn eof(&mut self) {
        if self.progress.unread {
            self.closing.end_to_come.get_or_insert(None);
            return;
        }
        self.closing.eof = true;
        if !self.closing.has_received() && self.closing.cause().is_none() {
            self.end(Cause::Eof(self.progress.position));
        }
        // Otherwise a Close frame may still wait: the peer has ended its stream but may go on reading.
        self.settle();
    }

    /// Notes that reading or writing failed for good.
    ///
    /// Counts when [`eof`](Self::eof) would. If it was writing that failed, read what the stream still
    /// holds first: the peer may have said why. After the peer's Close frame this is no fault: it has said all, and did
    /// not wait for the answer.
    pub fn transport_failed(&mut self, error: TransportError) {
        if self.progress.unread {
            self.closing.end_to_come = Some(Some(error));
            return;
        }
        let said_all = self.closing.has_received();
        self.end(if said_all { Cause::Clean } else { Cause::Transport(error) });
    }

    /// Ends the connection at once, without waiting for the peer: for an application that has no use for it any more.
    pub fn abort(&mut self) {
        self.end(Cause::Aborted);
    }

    /// How far the connection is on the way to its end.
    #[inline]
    #[must_use]
    pub fn state(&self) -> State {
        if self.closing.has_ended() {
            State::Closed
        } else if self.closing.has_begun() {
            State::Closing
        } else {
            State::Open
        }
    }

    /// Whether to shut down the writing side of the transport now, and go on reading.
    ///
    /// After a failure the peer may still be sending. To close at once would reset the connection, and the Close frame
    /// that tells the peer what is wrong would be lost. So: write all, shut down writing, read (input is discarded)
    /// until the end of the stream or the deadline. Only `true` when all is written, and stays so until the end; to shut down
    /// twice does no harm.
    #[must_use]
    pub fn wants_shutdown(&self) -> bool {
        self.closing.cause().is_some() && self.is_flushed() && !self.closing.has_ended()
    }

    /// The terminal event, the first time that this is asked after the end; what [`Event::Closed`] carries, and instead
    /// of it. `None` if a reader of [`Connection::read`](crate::Connection::read) has given it; those of a [`Receiver`](crate::Receiver), and so of
    /// [`halves`](crate::Connection::halves), never do.
    #[inline]
    pub fn take_closed(&mut self) -> Option<Box<Closed>> {
        self.closing.closed.take()
    }

    /// Takes over what the [`Receiver`](crate::Receiver) has seen.
    ///
    /// Only for a connection that was [split](crate::Connection::split); otherwise this is done already, also if its
    /// [`halves`](crate::Connection::halves) are borrowed now and then. Call it before
    /// [`eof`](Self::eof), [`transport_failed`](Self::transport_failed), [`timeout`](Self::timeout) and
    /// [`take_closed`](Self::take_closed).
    #[inline]
    pub fn observe(&mut self, progress: Progress) {
        self.progress = progress;
        if self.closing.has_an_end() {
            self.observe_before_the_end(progress);
        }
    }

    fn observe_before_the_end(&mut self, progress: Progress) {
        if !progress.unread {
            match self.closing.end_to_come.take() {
                Some(None) => self.eof(),
                Some(Some(error)) => self.transport_failed(error),
                None => {}
            }
        }
        // The end may have come inside a read whose bytes were not counted yet.
        if let Some(closed) = &mut self.closing.closed {
            closed.counts.messages_received = progress.messages;
            closed.counts.bytes_received = progress.bytes;
        }
    }

    //= https://www.rfc-editor.org/rfc/rfc6455#section-7.1.7
    //# If _The WebSocket Connection is Established_ prior to the point where
    //# the endpoint is required to _Fail the WebSocket Connection_, the
    //# endpoint SHOULD send a Close frame with an appropriate status code
    pub(super) fn fail(&mut self, cause: Cause, code: CloseCode, reason: &str) {
        if self.closing.has_ended() {
            return;
        }
        self.closing.reasons().cause.get_or_insert(cause);
        if !self.closing.has_sent() {
            self.queue_close(CloseFrame::own(code, reason));
        }
        self.settle();
    }

    /// Ends the connection if nothing is left to wait for.
    #[inline]
    pub(super) fn settle(&mut self) {
        if !self.closing.has_begun() || self.closing.has_ended() || !self.is_flushed() {
            return;
        }
        match self.closing.cause() {
            // A peer that sends nothing need not be waited for; the others may still be sending, see `wants_shutdown`.
            Some(cause @ (Cause::PongTimeout | Cause::IdleTimeout)) => self.end(cause),
            Some(cause) if self.closing.eof => self.end(cause),
            Some(_) => {}
            //= https://www.rfc-editor.org/rfc/rfc6455#section-7.1.1
            //# the server MUST close the connection immediately, and the client
            //# SHOULD wait for the server to close the connection
            None if self.closing.has_received() && (self.role == Role::Server || self.closing.eof) => {
                self.end(Cause::Clean);
            }
            None => {}
        }
    }

    /// The time for closing is over.
    pub(super) fn closing_timed_out(&mut self) {
        let cause = match self.closing.cause() {
            Some(cause) => cause,
            // The client has waited long enough for the server to close TCP.
            None if self.closing.has_received() && self.is_flushed() => Cause::Clean,
            None => Cause::CloseTimeout(self.role.peer()),
        };
        self.end(cause);
    }

    fn end(&mut self, cause: Cause) {
        if self.closing.has_ended() {
            return;
        }
        // What made this endpoint fail the connection is the cause, whatever became of the transport afterwards.
        let reasons = self.closing.reasons.take().unwrap_or_default();
        let cause = reasons.cause.unwrap_or(cause);
        let first = *self.closing.first.get_or_insert(match cause {
            Cause::Aborted => self.role,
            _ => self.role.peer(),
        });
        // It is the last in the data lane, so whole if anything of a message waits; a Pong may wait all the same.
        let close_waiting = reasons.sent.as_ref().map_or(0, |frame| frame.encoded_len(self.role));
        let sent = reasons.sent.filter(|_| !self.queue.has_data());
        let own_waiting = close_waiting + self.reply_waiting();
        self.closing.ended = true;
        self.closing.closed = Some(Box::new(Closed {
            cause,
            sent,
            received: reasons.received,
            first,
            name_of_pong: Timeouts::name_of_pong(self.deadlines.of_session(), self.role),
            counts: Counts {
                messages_received: self.progress.messages,
                messages_sent: self.messages,
                bytes_received: self.progress.bytes,
                bytes_sent: self.bytes(),
                unsent: self.data_waiting().saturating_sub(own_waiting) as u64,
            },
        }));
        self.release();
    }

    fn is_flushed(&self) -> bool {
        self.queue.len() == 0 && self.closing.has_sent()
    }
}
