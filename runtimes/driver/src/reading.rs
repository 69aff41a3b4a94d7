//! The reading side of a connection: the core's `Receiver`, the input, and the loop that makes progress.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{BufMut, BytesMut};
use sansocket::{Closed, Delivery, Event, Message, Receiver, Sender};
use tracing::Span;

use crate::error::Error;
use crate::owner::{Application, Owner, Visitor, whole};
use crate::pieces::{Piece, Pieces, Streaming};
use crate::pool;
use crate::runtime::Transport;
use crate::shared::Shared;

/// Owned by whoever receives.
pub(crate) struct Reading<S, R: Transport<S>> {
    pub(crate) shared: Arc<Shared<S, R>>,
    pub(crate) receiver: Receiver,
    /// Bytes that were read and not looked at. Holds a block only while there are some.
    pub(crate) input: BytesMut,
    /// A message that was found while a sender had to wait.
    ahead: Option<Message>,
    /// What there is of a message that comes in pieces.
    pieces: Pieces,
    /// The end was reported.
    reported: bool,
    /// Reads since this last waited.
    reads: usize,
    /// What is held counts towards a budget, also while the application works.
    pub(crate) is_counted: bool,
}

impl<S: Send + 'static, R: Transport<S>> Reading<S, R> {
    pub(crate) fn new(stream: S, receiver: Receiver, sender: Sender, input: BytesMut, span: Span) -> Self {
        Self::resumed(Arc::new(Shared::new(stream, sender, span)), receiver, input)
    }

    /// Of a connection whose reader was dropped.
    pub(crate) fn resumed(shared: Arc<Shared<S, R>>, receiver: Receiver, input: BytesMut) -> Self {
        let pieces = Pieces::default();
        Self { shared, receiver, input, ahead: None, pieces, reported: false, reads: 0, is_counted: false }
    }

    /// Whether bytes wait that were not looked at: more messages of the same read, most likely.
    pub(crate) fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    /// The next message; `None` after a closing handshake, and after the end was reported.
    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>, Error>> {
        if let Some(message) = self.take_ahead() {
            return Poll::Ready(Ok(Some(message)));
        }
        self.poll_next(cx).map(|message| match message {
            Some(message) => Ok(Some(message)),
            None => self.report(),
        })
    }

    /// As [`poll_recv`](Self::poll_recv), for a function that looks at the event where it is.
    pub(crate) fn poll_event<T, F: FnOnce(Event<'_>) -> T>(
        &mut self,
        cx: &mut Context<'_>,
        visitor: &mut Visitor<F>,
    ) -> Poll<Result<Option<T>, Error>> {
        if let Some(message) = self.take_ahead() {
            return Poll::Ready(Ok(visitor.message(whole(message))));
        }
        self.poll_next_for(cx, visitor).map(|seen| match seen {
            Some(seen) => Ok(Some(seen)),
            None => self.report().map(|_| None),
        })
    }

    /// The next piece of a message; `None` at the end of the connection.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Piece>> {
        if let Some(message) = self.take_ahead() {
            return Poll::Ready(Some(message.into()));
        }
        if let Some(piece) = self.pieces.take() {
            return Poll::Ready(Some(piece));
        }
        // For a message that begins now; one that has begun comes as it began.
        self.receiver.set_delivery(Delivery::Chunks);
        let piece = self.poll_next_for(cx, &mut Streaming);
        self.receiver.set_delivery(Delivery::Messages);
        piece
    }

    /// Throws away what is still to come of a message that was read in part.
    pub(crate) fn skip_message(&mut self) {
        self.pieces.skip();
    }

    /// Receives although the application does not ask for it, so that Pings are answered and time limits heeded while it
    /// sends. At most one message is taken in. Ready if something has changed.
    pub(crate) fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.ahead.is_some() {
            let mut progress = self.receiver.progress();
            progress.unread = true;
            return self.shared.lock().poll_deadline(cx, progress);
        }
        self.ahead = ready!(self.poll_next(cx));
        if self.is_counted && self.ahead.is_some() && !self.shared.lock().hold(self.held_bytes()) {
            // Its peer does not read what is sent to it, so this message may have to wait for long.
            self.exceed_budget();
        }
        Poll::Ready(())
    }

    /// The message that was found while a sender had to wait.
    fn take_ahead(&mut self) -> Option<Message> {
        let message = self.ahead.take()?;
        if self.is_counted {
            self.shared.lock().hold(self.held_bytes());
        }
        Some(message)
    }

    /// Throws away what is held, for want of memory, and gives the event that says so.
    #[cold]
    fn exceed_budget(&mut self) -> Option<Event<'static>> {
        let kept = self.kept_bytes();
        let failed = self.shared.lock().exceed_budget(&mut self.receiver, kept);
        self.input.clear();
        (self.pieces, self.ahead) = (Pieces::default(), None);
        failed
    }

    /// Receives and throws away until the end.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Closed> {
        self.ahead = None;
        loop {
            let _discarded = ready!(self.poll_next(cx));
            if let Some(closed) = self.closed() {
                return Poll::Ready(closed);
            }
        }
    }

    /// Whether nothing more comes: the end was reported.
    #[cfg(feature = "futures")]
    pub(crate) fn is_reported(&self) -> bool {
        self.reported
    }

    /// How the connection ended, once it has.
    pub(crate) fn closed(&self) -> Option<Closed> {
        self.shared.lock().closed().cloned()
    }

    /// Makes progress: reads, answers, writes and heeds the time limits until there is a message, or `None` at the end.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll_next_for(cx, &mut Application)
    }

    /// As [`poll_next_for`](Self::poll_next_for), but for reading: what was read before is to be looked at first. Ready if a time
    /// limit has come, or at the end.
    pub(crate) fn poll_unread<O: Owner>(&mut self, cx: &mut Context<'_>, owner: &mut O) -> Poll<()> {
        let mut progress = self.receiver.progress();
        progress.unread = true;
        let mut link = self.shared.lock();
        let _ = link.poll_write_of(cx, owner);
        if link.closed().is_some() {
            return Poll::Ready(());
        }
        link.poll_deadline(cx, progress)
    }

    /// Makes progress until there is something for the owner, or `None` at the end.
    pub(crate) fn poll_next_for<O: Owner>(
        &mut self,
        cx: &mut Context<'_>,
        owner: &mut O,
    ) -> Poll<Option<O::Item>> {
        // What was read before has been looked at, unless some of it is left; of a compressed message, it may be held by the core.
        let mut has_new = self.has_input() || self.receiver.progress().unread;
        loop {
            if has_new {
                if let Some(item) = self.decode(owner) {
                    if self.is_counted {
                        // If that is too much, there is an end to it at the next call: the message is there already.
                        self.shared.lock().hold(self.held_bytes());
                    }
                    return Poll::Ready(Some(item));
                }
            }
            let mut progress = self.receiver.progress();
            let mut link = self.shared.lock();
            link.sender.observe(progress);
            if self.is_counted && !link.hold(self.held_bytes()) {
                // The lock is not held while the owner looks at it.
                drop(link);
                if let Some(item) = self.exceed_budget().and_then(|event| owner.control(event)) {
                    return Poll::Ready(Some(item));
                }
                link = self.shared.lock();
            }
            // All answers to one read leave in one write. If they cannot leave now, reading goes on all the same.
            let _ = link.poll_write_of(cx, owner);
            if link.closed().is_some() {
                return Poll::Ready(None);
            }
            if self.reads >= MAX_READS {
                // Enough for one turn: other tasks want theirs, and the limits hold for a peer that sends without end too.
                self.reads = 0;
                progress.unread = true;
                link.tell_time(progress);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let read = match self.receiver.payload_buffer() {
                Some(mut payload) => link.poll_read(cx, &mut payload),
                None => {
                    if !self.input.try_reclaim(pool::BLOCK) {
                        self.input = pool::take();
                    }
                    link.poll_read(cx, &mut (&mut self.input).limit(self.receiver.read_at_most()))
                }
            };
            if read.is_ready() {
                has_new = true;
                self.reads += 1;
                continue;
            }
            self.reads = 0;
            pool::give(std::mem::take(&mut self.input));
            ready!(link.poll_alarm(progress));
        }
    }

    /// Bytes of input that are held here, of messages that the application was not given.
    fn held_bytes(&self) -> usize {
        self.receiver.held_bytes() + self.input.len() + self.kept_bytes()
    }

    /// Those of them that the core has given out already.
    fn kept_bytes(&self) -> usize {
        self.pieces.held_bytes() + self.ahead.as_ref().map_or(0, Message::len)
    }

    /// The next thing for the owner in the input. What is no message gets its answer.
    fn decode<O: Owner>(&mut self, owner: &mut O) -> Option<O::Item> {
        let mut answered = false;
        let is_burst = self.input.len() >= BURST;
        let mut reader = self.receiver.read(&mut self.input).owning();
        let item = loop {
            if let Some(item) = is_burst.then(|| owner.split(&mut reader)).flatten() {
                break Some(item);
            }
            match reader.next()? {
                event @ (Event::Text(_) | Event::Binary(_)) => break owner.message(event),
                Event::Chunk(chunk) => {
                    if let Some(item) = owner.piece(&mut self.pieces, &chunk) {
                        break Some(item);
                    }
                }
                other => {
                    self.shared.lock().sender.handle(&other);
                    answered = true;
                    if let Some(item) = owner.control(other) {
                        break Some(item);
                    }
                }
            }
        };
        drop(reader);
        if answered {
            // The application may take its time with the message, and the peer waits for its Pong.
            self.shared.flush_later();
        }
        item
    }

    /// The end of a connection inside of a message.
    pub(crate) fn cut_off(&mut self) -> Error {
        let mut link = self.shared.lock();
        self.reported = true;
        match link.closed().cloned() {
            Some(closed) => Error::Closed { closed: Box::new(closed), io: link.take_io() },
            None => Error::Lost(std::io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// The end, as an error unless it was a closing handshake.
    pub(crate) fn report(&mut self) -> Result<Option<Message>, Error> {
        let mut link = self.shared.lock();
        let closed = link.closed().filter(|closed| !closed.is_clean() && !self.reported).cloned();
        self.reported = true;
        match closed {
            Some(closed) => Err(Error::Closed { closed: Box::new(closed), io: link.take_io() }),
            None => Ok(None),
        }
    }
}

impl<S, R: Transport<S>> Drop for Reading<S, R> {
    /// Without a reader nobody answers the peer, so this is the end.
    fn drop(&mut self) {
        if !self.leave() {
            self.shared.lock().abandon();
        }
    }
}

/// Input in bytes in which a large message most likely is one of several, which share their block. To copy one that came alone
/// takes no longer than to send it from where it is, and the block is free again at once.
const BURST: usize = pool::BLOCK * 3 / 16;

/// Reads in one turn, before other tasks get theirs: 512 KiB at most. The turn may be that of many calls of `recv`.
const MAX_READS: usize = 4;
