//! The half of a connection that its reader and its writers share: the stream, the alarm and the core's `Sender`.

use std::future::poll_fn;
use std::io;
use std::mem::replace;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, BufMut};
use sansocket::{CloseCode, Closed, Progress, SendRefused, Sender, State};
use tracing::Span;

use crate::alarm::Alarm;
use crate::error::Error;
use crate::managed::Managed;
use crate::owner::Owner;
use crate::runtime::Transport;
use crate::telemetry;
use crate::wake::Waiters;

/// A lock around [`Link`], and those who wait for it.
///
/// The lock is held for one poll at a time, never across an await.
pub(crate) struct Shared<S, R: Transport<S>> {
    link: Mutex<Link<S, R>>,
}

impl<S, R: Transport<S>> Shared<S, R> {
    pub(crate) fn new(stream: S, sender: Sender, span: Span) -> Self {
        let waiters = Arc::new(Waiters::default());
        let link = Link {
            stream: Some(stream),
            alarm: Alarm::new(),
            sender,
            waker: Waker::from(Arc::clone(&waiters)),
            waiters,
            unflushed: false,
            shut: false,
            ended: false,
            wake_waiters: false,
            flush_is_scheduled: false,
            io: None,
            closed: None,
            managed: None,
            span: (!span.is_disabled()).then(|| Box::new(span)),
        };
        Self { link: Mutex::new(link) }
    }

    pub(crate) fn lock(&self) -> Guard<'_, S, R> {
        // A panic of the application's cannot leave the state half changed: none of its code runs under the lock.
        Guard { link: self.link.lock().unwrap_or_else(PoisonError::into_inner), waking: Waking(None) }
    }

    /// Lets a task of its own write what waits, for an application that may now wait for something else.
    pub(crate) fn flush_later(self: &Arc<Self>)
    where
        S: Send + 'static,
    {
        let mut link = self.lock();
        if link.is_written() || replace(&mut link.flush_is_scheduled, true) {
            return;
        }
        drop(link);
        let mut scheduled = Scheduled(Arc::downgrade(self));
        R::spawn(poll_fn(move |cx| {
            let Some(shared) = scheduled.0.upgrade() else { return Poll::Ready(()) };
            let mut link = shared.lock();
            ready!(link.poll_write(cx));
            // Before the lock is open: what is queued next needs another task.
            link.flush_is_scheduled = false;
            scheduled.0 = Weak::new();
            Poll::Ready(())
        }));
    }
}

/// A task that writes what waits, and until then the only one: however often it is asked for, output that is stuck waits in one task.
struct Scheduled<S, R: Transport<S>>(Weak<Shared<S, R>>);

impl<S, R: Transport<S>> Drop for Scheduled<S, R> {
    /// An executor may drop it before it is done.
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            shared.lock().flush_is_scheduled = false;
        }
    }
}

/// The locked link. Those who wait are woken when the lock is open again: a waker may run what takes it.
pub(crate) struct Guard<'a, S, R: Transport<S>> {
    // INVARIANT: fields are dropped in this order, so that the lock is open before anybody is woken.
    link: MutexGuard<'a, Link<S, R>>,
    waking: Waking,
}

/// Wakes all when it is dropped.
struct Waking(Option<Arc<Waiters>>);

impl<S, R: Transport<S>> Deref for Guard<'_, S, R> {
    type Target = Link<S, R>;

    fn deref(&self) -> &Link<S, R> {
        &self.link
    }
}

impl<S, R: Transport<S>> DerefMut for Guard<'_, S, R> {
    fn deref_mut(&mut self) -> &mut Link<S, R> {
        &mut self.link
    }
}

impl<S, R: Transport<S>> Drop for Guard<'_, S, R> {
    fn drop(&mut self) {
        if replace(&mut self.link.wake_waiters, false) {
            self.waking.0 = Some(Arc::clone(&self.link.waiters));
        }
    }
}

impl Drop for Waking {
    fn drop(&mut self) {
        if let Some(waiters) = &self.0 {
            waiters.wake_all();
        }
    }
}

/// Stream, timer and sender.
pub(crate) struct Link<S, R: Transport<S>> {
    /// `None` once the connection has ended: the stream is closed at that moment, not when the last handle is dropped.
    stream: Option<S>,
    alarm: Alarm<R::Timer>,
    pub(crate) sender: Sender,
    pub(crate) waiters: Arc<Waiters>,
    waker: Waker,
    /// The stream was written to and not flushed since.
    unflushed: bool,
    /// The writing side was shut down.
    shut: bool,
    /// The reading side has ended.
    ended: bool,
    /// Something has changed for those who wait.
    pub(crate) wake_waiters: bool,
    pub(crate) flush_is_scheduled: bool,
    /// The first error of the transport.
    io: Option<io::Error>,
    closed: Option<Box<Closed>>,
    /// Only if it belongs to a server that keeps it.
    pub(crate) managed: Option<Box<Managed>>,
    /// `None` if nobody is interested; boxed, because an idle connection is to be small.
    span: Option<Box<Span>>,
}

impl<S, R: Transport<S>> Link<S, R> {
    /// Writes what waits. Ready when all is written, or cannot be.
    pub(crate) fn poll_write(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.try_write().is_ready() {
            return Poll::Ready(());
        }
        self.waiters.register(cx);
        self.try_write()
    }

    /// As [`poll_write`](Self::poll_write), with all that the owner has to send.
    pub(crate) fn poll_write_of<O: Owner>(&mut self, cx: &Context<'_>, owner: &mut O) -> Poll<()> {
        if !O::SENDS {
            return self.poll_write(cx);
        }
        owner.transfer(&mut self.sender);
        loop {
            ready!(self.poll_write(cx));
            // What was written has made room.
            owner.transfer(&mut self.sender);
            if self.stream.is_none() || self.io.is_some() || !self.sender.transmit().has_remaining() {
                return Poll::Ready(());
            }
        }
    }

    /// Whether nothing waits any more, be it here or in a stream that has taken it.
    fn is_written(&mut self) -> bool {
        let is_shut = self.shut || !self.sender.wants_shutdown();
        let can_write = self.stream.is_some() && self.io.is_none();
        !can_write || (is_shut && !self.unflushed && !self.sender.transmit().has_remaining())
    }

    fn try_write(&mut self) -> Poll<()> {
        let Some(stream) = self.stream.as_mut().filter(|_| self.io.is_none()) else { return Poll::Ready(()) };
        let mut waiting = Context::from_waker(&self.waker);
        let written = loop {
            let mut data = self.sender.transmit();
            if !data.has_remaining() {
                if self.unflushed {
                    match R::poll_flush(stream, &mut waiting) {
                        Poll::Ready(Ok(())) => self.unflushed = false,
                        other => break other,
                    }
                }
                if self.sender.wants_shutdown() && !self.shut {
                    match R::poll_shutdown(stream, &mut waiting) {
                        Poll::Ready(Ok(())) => self.shut = true,
                        other => break other,
                    }
                }
                break Poll::Ready(Ok(()));
            }
            match R::poll_write(stream, &mut waiting, &mut data) {
                Poll::Ready(Ok(0)) => break Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(_)) => self.unflushed = true,
                Poll::Ready(Err(error)) => break Poll::Ready(Err(error)),
                Poll::Pending => break Poll::Pending,
            }
        };
        if self.managed.is_some() {
            self.note_queued();
        }
        match written {
            Poll::Ready(Ok(())) => Poll::Ready(()),
            // The peer may have said why before it closed, so go on reading; see `poll_read`.
            Poll::Ready(Err(error)) => {
                self.io = Some(error);
                self.wake_waiters = true;
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// Queues a Close frame, unless the closing handshake has begun already.
    pub(crate) fn begin_close(&mut self, code: CloseCode, reason: &str) -> Result<(), SendRefused> {
        match self.sender.close(code, reason) {
            Err(SendRefused::Closing) => Ok(()),
            begun => {
                // Who reads keeps the time, and a new limit has begun.
                self.wake_waiters = true;
                begun
            }
        }
    }

    /// Writes until there is room for a message, or none can be sent any more.
    pub(crate) fn poll_room(&mut self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        if !self.sender.may_send() && self.poll_write(cx).is_pending() && !self.sender.may_send() {
            return Poll::Pending;
        }
        self.written()?;
        Poll::Ready(Ok(()))
    }

    /// Writes what waits, for who has to know whether it was written.
    pub(crate) fn poll_flush(&mut self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.poll_write(cx));
        Poll::Ready(self.written())
    }

    /// Why what was sent did not leave, if it could not.
    pub(crate) fn written(&mut self) -> Result<(), Error> {
        self.not_broken()?;
        match &self.io {
            Some(io) => Err(Error::Lost(io.kind().into())),
            None => Ok(()),
        }
    }

    /// Reads some bytes. Ready with `true` if there were any; with `false` at the end of the stream, which is told to the
    /// core, once. After it nothing is left to read, but what waits may still be written.
    pub(crate) fn poll_read(&mut self, cx: &Context<'_>, buffer: &mut impl BufMut) -> Poll<bool> {
        // Before it is known whether this has to wait: a second look at the stream would cost more.
        self.waiters.register(cx);
        let mut waiting = Context::from_waker(&self.waker);
        let read = match &mut self.stream {
            Some(stream) if !self.ended => R::poll_read(stream, &mut waiting, buffer),
            _ => Poll::Pending,
        };
        let end = match read {
            Poll::Ready(Ok(1..)) => return Poll::Ready(true),
            Poll::Ready(Ok(0)) => None,
            Poll::Ready(Err(error)) => Some(error),
            // Nothing can be written, and nothing more is to be read.
            Poll::Pending if self.io.is_some() && !self.ended => None,
            Poll::Pending => return Poll::Pending,
        };
        self.ended = true;
        if let Some(error) = end {
            self.io.get_or_insert(error);
        }
        match &self.io {
            Some(error) => self.sender.transport_failed(error.into()),
            None => self.sender.eof(),
        }
        Poll::Ready(false)
    }

    /// Heeds the time limits. Ready if one has come, so that there may be something to write or to report.
    pub(crate) fn poll_deadline(&mut self, cx: &Context<'_>, progress: Progress) -> Poll<()> {
        self.waiters.register(cx);
        self.poll_alarm(progress)
    }

    /// As [`poll_deadline`](Self::poll_deadline), for a task that waits for the stream already.
    pub(crate) fn poll_alarm(&mut self, progress: Progress) -> Poll<()> {
        let Some(deadline) = self.sender.deadline() else { return Poll::Pending };
        ready!(self.alarm.poll(&self.waker, deadline));
        self.tell_time(progress);
        Poll::Ready(())
    }

    /// Tells the core the time. Also where a peer sends so much that there is no pause in which an alarm would be heard.
    pub(crate) fn tell_time(&mut self, progress: Progress) {
        let now = self.alarm.now();
        self.sender.observe(progress);
        self.sender.timeout(now);
    }

    /// How the connection ended, once it has. Closes the stream.
    #[inline]
    pub(crate) fn closed(&mut self) -> Option<&Closed> {
        if self.sender.state() == State::Closed {
            self.end();
        }
        self.closed.as_deref()
    }

    /// Notes the end, once.
    #[cold]
    fn end(&mut self) {
        let Some(closed) = self.sender.take_closed() else { return };
        if let Some(stream) = self.stream.take().filter(|_| !self.shut) {
            R::part(stream);
        }
        self.span().in_scope(|| telemetry::closed(&closed, self.io.as_ref()));
        self.closed = Some(closed);
        if let Some(managed) = &mut self.managed {
            managed.share = None;
        }
        self.wake_waiters = true;
    }

    /// The span of the connection.
    pub(crate) fn span(&self) -> Span {
        self.span.as_deref().map_or_else(Span::none, Span::clone)
    }

    /// What the operating system said about the end, for who reports it.
    pub(crate) fn take_io(&mut self) -> Option<io::Error> {
        self.io.take()
    }

    /// Gives the connection up, with one attempt to write what waits and to say good-bye.
    pub(crate) fn abandon(&mut self) {
        if self.closed().is_some() {
            return;
        }
        let code = if std::thread::panicking() { CloseCode::INTERNAL_ERROR } else { CloseCode::GOING_AWAY };
        // Refused only if the connection is closing already.
        let _ = self.sender.close(code, "");
        let _ = self.poll_write(&Context::from_waker(Waker::noop()));
        self.sender.abort();
        self.closed();
    }
}
