//! A message on its way: to the core, as soon as there is room, and to the stream.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use sansocket::{Message, Prepared, State};

use crate::error::Error;
use crate::runtime::Transport;
use crate::shared::Link;
use crate::websocket::WebSocket;

/// A message on its way to the core, and how it is to be sent.
pub(crate) enum Outgoing {
    Message(Message),
    Prepared(Prepared),
    #[cfg(feature = "deflate")]
    Uncompressed(Message),
}

impl<S, R: Transport<S>> Link<S, R> {
    /// Hands `message` to the core if there is room for it; leaves it where it is if not.
    pub(crate) fn queue(&mut self, message: &mut Option<Outgoing>) -> Result<(), Error> {
        self.not_broken()?;
        if let Some(unsent) = message.take_if(|_| self.sender.may_send()) {
            match unsent {
                Outgoing::Message(message) => self.sender.send(message)?,
                Outgoing::Prepared(message) => self.sender.send_prepared(&message)?,
                #[cfg(feature = "deflate")]
                Outgoing::Uncompressed(message) => {
                    let enabled = self.sender.compression();
                    self.sender.set_compression(false);
                    let sent = self.sender.send(message);
                    self.sender.set_compression(enabled);
                    sent?;
                }
            }
        }
        Ok(())
    }

    /// The end as an error, if it has come other than by a closing handshake.
    #[inline]
    pub(crate) fn not_broken(&mut self) -> Result<(), Error> {
        if self.sender.state() == State::Closed { self.ended_well() } else { Ok(()) }
    }

    #[cold]
    fn ended_well(&mut self) -> Result<(), Error> {
        match self.closed().filter(|closed| !closed.is_clean()) {
            Some(closed) => Err(Error::Closed { closed: Box::new(closed.clone()), io: None }),
            None => Ok(()),
        }
    }
}

/// A message on its way to the stream, or only the wait for what was sent before.
pub(crate) struct Sending<'a, S: Send + 'static, R: Transport<S>> {
    pub(crate) socket: &'a mut WebSocket<S, R>,
    pub(crate) message: Option<Outgoing>,
    /// Need not wait until the message is written if more input is there to be answered.
    pub(crate) gathers: bool,
    pub(crate) done: bool,
}

impl<S: Send + 'static, R: Transport<S>> Future for Sending<'_, S, R> {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { socket, message, gathers, done } = self.get_mut();
        loop {
            let mut link = socket.reading.shared.lock();
            link.queue(message).inspect_err(|_| *done = true)?;
            if *gathers && message.is_none() && socket.reading.has_input() && link.sender.may_send() {
                let scheduled = link.flush_is_scheduled;
                drop(link);
                *done = true;
                if !scheduled {
                    socket.reading.shared.flush_later();
                }
                return Poll::Ready(Ok(()));
            }
            let sent_before = std::mem::replace(&mut socket.sending, true);
            let written = if sent_before { Poll::Pending } else { link.poll_flush(cx) };
            drop(link);
            let flushed = ready!(if written.is_ready() { written } else { socket.poll_flush(cx) });
            if message.is_none() || flushed.is_err() {
                *done = true;
                return Poll::Ready(flushed);
            }
        }
    }
}

impl<S: Send + 'static, R: Transport<S>> Drop for Sending<'_, S, R> {
    /// What was queued is sent even if nobody waits for it any more.
    fn drop(&mut self) {
        if !self.done {
            self.socket.reading.shared.flush_later();
        }
    }
}
