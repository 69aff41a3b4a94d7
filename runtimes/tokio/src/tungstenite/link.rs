//! A connection and the stream below it, polled by whoever receives or sends: nothing happens in the background.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use ::tungstenite::Message;
use bytes::{Buf, BytesMut};
use sansocket::{Closed, Connection, Event, Failure, Instant};
use sansocket_driver::{Timer as _, pool};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::poll_read_buf;

use crate::runtime::{Alarm, poll_write};
use crate::tungstenite::wakers::{Side, Wakers};

pub(super) struct Link<S> {
    pub(super) stream: S,
    pub(super) connection: Connection,
    /// Bytes that were read and not looked at. Holds a block only while there are some.
    input: BytesMut,
    alarm: Alarm,
    wakers: Arc<Wakers>,
    /// Wakes who is in `wakers`.
    waker: Waker,
    /// The time that the core was told last.
    told: Instant,
    /// There is something to write that nobody has to ask for: an answer, or what could not leave before.
    due: bool,
    /// The stream was written to and not flushed since.
    unflushed: bool,
    /// The writing side was shut down.
    shut: bool,
    /// The reading side has ended.
    ended: bool,
    /// The peer's Close frame has come.
    close_received: bool,
    /// The first error of the stream.
    io: Option<io::Error>,
    pub(super) closed: Option<Box<Closed>>,
}

/// What the peer did.
pub(super) enum Heard {
    Message(Message),
    /// It broke a rule, or went over a limit.
    Failed(Failure),
}

impl<S> Link<S> {
    pub(super) fn new(stream: S, connection: Connection, input: BytesMut) -> Self {
        let wakers = Arc::new(Wakers::default());
        let alarm = Alarm::default();
        Self {
            stream,
            connection,
            input,
            told: alarm.now(),
            alarm,
            waker: Waker::from(Arc::clone(&wakers)),
            wakers,
            due: false,
            unflushed: false,
            shut: false,
            ended: false,
            close_received: false,
            io: None,
            closed: None,
        }
    }

    pub(super) fn register(&self, side: Side, cx: &Context<'_>) {
        self.wakers.register(side, cx);
    }

    /// Something has changed for both: the closing handshake has begun.
    pub(super) fn begin_closing(&mut self) {
        self.due = true;
        self.wakers.wake_all();
    }

    /// Whether a stream that fails from now on is the end that was agreed on.
    pub(super) fn close_received(&self) -> bool {
        self.close_received
    }

    /// The error of the stream, if it has one. It stays here, as the report of the end needs it too.
    pub(super) fn io_error(&self) -> Option<io::Error> {
        let error = self.io.as_ref()?;
        Some(match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(error.kind(), error.to_string()),
        })
    }

    /// The next thing that the peer did, in the input. Its answer is queued.
    fn hear(&mut self) -> Option<Heard> {
        let (receiver, sender) = self.connection.halves();
        let mut reader = receiver.read(&mut self.input);
        let heard = loop {
            let Some(event) = reader.next() else { break None };
            match &event {
                // With the reason too, as tungstenite has it.
                Event::Close(frame) => {
                    sender.answer_close(frame, frame.clone());
                    self.close_received = true;
                    self.due = true;
                }
                other => {
                    sender.handle(other);
                    self.due |= matches!(other, Event::Ping(_) | Event::Failed(_));
                }
            }
            match event {
                Event::Failed(failure) => break Some(Heard::Failed(failure)),
                event => {
                    if let Ok(message) = Message::try_from(event) {
                        break Some(Heard::Message(message));
                    }
                }
            }
        };
        drop(reader);
        sender.observe(receiver.progress());
        heard
    }

    /// Notes the end, if it has come.
    pub(super) fn take_closed(&mut self) -> bool {
        if self.closed.is_none() {
            self.closed = self.connection.take_closed();
        }
        self.closed.is_some()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Link<S> {
    /// Receives, answers and heeds the time limits, until there is something to tell, or `None` at the end.
    pub(super) fn poll_heard(&mut self, cx: &Context<'_>) -> Poll<Option<Heard>> {
        self.register(Side::Receiver, cx);
        let mut has_new = !self.input.is_empty();
        let mut reads = 0;
        loop {
            if has_new {
                if let Some(heard) = self.hear() {
                    if self.due {
                        // The program may take its time with it, and the peer waits for its answer.
                        let _ = self.poll_write();
                    }
                    if self.close_received || matches!(heard, Heard::Failed(_)) {
                        // Who waits for room need not any more.
                        self.wakers.wake_all();
                    }
                    return Poll::Ready(Some(heard));
                }
            }
            if self.due {
                // If it cannot leave now, reading goes on all the same.
                let _ = self.poll_write();
            }
            if self.take_closed() {
                return Poll::Ready(None);
            }
            if reads == MAX_READS {
                // Other tasks want their turn, and the limits hold for a peer that sends without end too.
                self.tell_time();
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if self.poll_read().is_ready() {
                has_new = true;
                reads += 1;
                continue;
            }
            pool::give(std::mem::take(&mut self.input));
            ready!(self.poll_deadline());
        }
    }

    /// Reads some bytes. Ready if there were any, or at the end of the stream, which the core is told once.
    fn poll_read(&mut self) -> Poll<()> {
        if self.ended {
            return Poll::Pending;
        }
        let mut cx = Context::from_waker(&self.waker);
        let read = match self.connection.payload_buffer() {
            Some(mut payload) => poll_read_buf(Pin::new(&mut self.stream), &mut cx, &mut payload),
            None => {
                if !self.input.try_reclaim(pool::BLOCK) {
                    self.input = pool::take();
                }
                poll_read_buf(Pin::new(&mut self.stream), &mut cx, &mut self.input)
            }
        };
        match read {
            Poll::Ready(Ok(1..)) => return Poll::Ready(()),
            Poll::Ready(Ok(0)) => {}
            Poll::Ready(Err(error)) => {
                self.io.get_or_insert(error);
            }
            // Nothing can be written, and nothing more is to be read.
            Poll::Pending if self.io.is_some() => {}
            Poll::Pending => return Poll::Pending,
        }
        self.ended = true;
        self.due = true;
        match &self.io {
            Some(error) => self.connection.transport_failed(error.into()),
            None => self.connection.eof(),
        }
        Poll::Ready(())
    }

    /// Writes what waits. Ready when all is written, or cannot be: see [`io_error`](Self::io_error).
    pub(super) fn poll_write(&mut self) -> Poll<()> {
        if self.io.is_some() || self.closed.is_some() {
            self.due = false;
            return Poll::Ready(());
        }
        match self.try_write() {
            Poll::Ready(Ok(())) => {
                self.due = false;
                Poll::Ready(())
            }
            // The peer may have said why before it closed, so go on reading; see `poll_read`.
            Poll::Ready(Err(error)) => {
                self.io = Some(error);
                self.wakers.wake_all();
                Poll::Ready(())
            }
            Poll::Pending => {
                self.due = true;
                Poll::Pending
            }
        }
    }

    fn try_write(&mut self) -> Poll<io::Result<()>> {
        let mut cx = Context::from_waker(&self.waker);
        let mut stream = Pin::new(&mut self.stream);
        loop {
            let mut data = self.connection.transmit();
            if !data.has_remaining() {
                break;
            }
            if ready!(poll_write(&mut stream, &mut cx, &mut data))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(stream.as_mut().poll_flush(&mut cx))?;
            self.unflushed = false;
        }
        if self.connection.wants_shutdown() && !self.shut {
            ready!(stream.as_mut().poll_shutdown(&mut cx))?;
            self.shut = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Heeds the time limits: that of the closing handshake, as no other is on. Ready if it has come.
    fn poll_deadline(&mut self) -> Poll<()> {
        let Some(deadline) = self.connection.deadline() else { return Poll::Pending };
        // A deadline in the past asks for the time, so no alarm is needed.
        if deadline > self.told {
            ready!(self.alarm.poll_until(&mut Context::from_waker(&self.waker), deadline));
        }
        self.tell_time();
        Poll::Ready(())
    }

    fn tell_time(&mut self) {
        self.told = self.alarm.now();
        self.connection.timeout(self.told);
        self.due = true;
    }

    /// Ends the writing side, so that the peer sees the end although the stream is still held.
    pub(super) fn shut_down(&mut self) {
        if !std::mem::replace(&mut self.shut, true) {
            // One attempt: for TCP it cannot fail to be heard, and TLS may say good-bye if there is room.
            let _ = Pin::new(&mut self.stream).poll_shutdown(&mut Context::from_waker(Waker::noop()));
        }
    }
}

/// Reads in one turn, before other tasks get theirs: 1 MiB of fragments at most. A whole message ends the turn anyway.
const MAX_READS: usize = 16;
