//! `Stream` of what is received and `Sink` of what is sent: a WebSocket and its halves among the combinators of the crate futures.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::stream::{FusedStream, Stream};
use futures_sink::Sink;
use sansocket::{CloseCode, Message};

use crate::error::Error;
use crate::halves::{ReadHalf, WriteHalf};
use crate::reading::Reading;
use crate::runtime::Transport;
use crate::shared::Link;
use crate::websocket::WebSocket;

/// As [`recv`](WebSocket::recv): each message, then an error if the connection ended other than by a closing handshake, once, and `None`
/// from then on.
///
/// # Cancel safety
///
/// A future that waits for the next item may be dropped: no message is lost or given twice.
impl<S: Send + 'static, R: Transport<S>> Stream for WebSocket<S, R> {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let socket = self.get_mut();
        socket.begin_receiving();
        poll_item(&mut socket.reading, cx)
    }
}

impl<S: Send + 'static, R: Transport<S>> FusedStream for WebSocket<S, R> {
    fn is_terminated(&self) -> bool {
        self.reading.is_reported()
    }
}

/// Sends messages, and goes on receiving (up to one message) and heeding the time limits while the peer does not read.
///
/// - `poll_ready` waits until fewer than [`Limits::write_soft`](sansocket::Limits::write_soft) bytes wait to be written.
/// - `start_send` queues a message, and writes nothing. [`Error::Send`] gives it back if the connection is closing.
/// - `poll_flush` waits until all is handed to the byte stream.
/// - `poll_close` queues a Close frame with the code 1000, unless one was sent, and waits as `poll_flush` does. To see the connection end, receive
///   until there is nothing more; [`close`](WebSocket::close) does all of it.
///
/// Where the connection has ended other than by a closing handshake, each of them is [`Error::Closed`]; [`Error::Lost`] where
/// something could not be written.
///
/// # Cancel safety
///
/// A message that `start_send` took is sent, by whoever flushes or receives next.
impl<S: Send + 'static, R: Transport<S>> Sink<Message> for WebSocket<S, R> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let socket = self.get_mut();
        socket.attend(cx);
        socket.poll_room(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.reading.shared.lock().start_send(message)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.get_mut().poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let socket = self.get_mut();
        socket.reading.shared.lock().begin_close(CloseCode::NORMAL, "")?;
        socket.poll_flush(cx)
    }
}

/// As [`recv`](ReadHalf::recv): each message, then an error if the connection ended other than by a closing handshake, once, and `None`
/// from then on.
///
/// # Cancel safety
///
/// A future that waits for the next item may be dropped: no message is lost or given twice.
impl<S: Send + 'static, R: Transport<S>> Stream for ReadHalf<S, R> {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        poll_item(&mut self.get_mut().reading, cx)
    }
}

impl<S: Send + 'static, R: Transport<S>> FusedStream for ReadHalf<S, R> {
    fn is_terminated(&self) -> bool {
        self.reading.is_reported()
    }
}

/// Sends messages, as the sink of a [`WebSocket`] does; its [`ReadHalf`] receives meanwhile.
///
/// # Cancel safety
///
/// As there.
impl<S: Send + 'static, R: Transport<S>> Sink<Message> for WriteHalf<S, R> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared.lock().poll_room(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.shared.lock().start_send(message)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared.lock().poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut link = self.shared.lock();
        link.begin_close(CloseCode::NORMAL, "")?;
        link.poll_flush(cx)
    }
}

fn poll_item<S: Send + 'static, R: Transport<S>>(
    reading: &mut Reading<S, R>,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Message, Error>>> {
    reading.poll_recv(cx).map(Result::transpose)
}

impl<S, R: Transport<S>> Link<S, R> {
    fn start_send(&mut self, message: Message) -> Result<(), Error> {
        self.not_broken()?;
        Ok(self.sender.send(message)?)
    }
}
