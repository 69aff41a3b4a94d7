//! A WebSocket as a byte stream: a tunnel for protocols that know nothing of messages.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes};
use sansocket::{CloseCode, CloseFrame, Closed, Message};

use crate::error::Error;
use crate::halves::{ReadHalf, WriteHalf};
use crate::message_io::give;
use crate::reading::Reading;
use crate::runtime::Transport;
use crate::shared::Shared;
use crate::stream_traits::{read_traits, write_traits};
use crate::websocket::WebSocket;

/// A byte stream inside of a WebSocket, such as for SSH or a database behind a proxy that lets only HTTP pass. Made by
/// [`WebSocket::into_byte_stream`].
///
/// Implements `AsyncRead` and `AsyncWrite` of the adapter's runtime.
///
/// - What is written leaves as binary messages, one for each write, of 64 KiB at most, without a flush.
/// - Binary messages are read one behind the other; where one ends is not to be seen. Text is refused with the code 1003.
/// - `shutdown` (`close` in futures-io) sends a Close frame with the code 1000. What the peer has sent before its own can still be
///   read, for as long as [`Timeouts::close`](sansocket::Timeouts::close) allows: unlike with TCP, a direction does not stay open.
/// - The peer's Close frame is the end of the stream if its code is 1000 or 1001 or it has none. Every other end is an
///   error, of the kind that the [conversion](Error) gives it, with the [`Error`] inside.
///
/// Pings are answered and time limits are heeded while it is read.
///
/// # Cancel safety
///
/// A read or write that is given up has taken nothing, and a flush or shutdown that is given up may be asked for again. What a runtime builds of
/// several, such as `read_exact` and `write_all`, has its own rules.
pub struct ByteStream<S, R: Transport<S>> {
    socket: WebSocket<S, R>,
    input: Input,
}

impl<S: Send + 'static, R: Transport<S>> WebSocket<S, R> {
    /// This WebSocket as a byte stream, in which messages do not show.
    #[must_use]
    pub fn into_byte_stream(self) -> ByteStream<S, R> {
        ByteStream { socket: self, input: Input::default() }
    }
}

impl<S: Send + 'static, R: Transport<S>> ByteStream<S, R> {
    /// The WebSocket: what was agreed on, and how it ended.
    #[must_use]
    pub fn get_ref(&self) -> &WebSocket<S, R> {
        &self.socket
    }

    /// Two halves, to read and to write in two tasks.
    #[must_use]
    pub fn split(self) -> (ByteReader<S, R>, ByteWriter<S, R>) {
        let (reading, writing) = self.socket.split();
        (ByteReader { half: reading, input: self.input }, ByteWriter { half: writing })
    }

    /// Reads some bytes to the end of `buffer`, at most as many as it has room for; 0 means the end of the stream.
    ///
    /// # Errors
    ///
    /// Every end of the connection but the one that was agreed on, once; and a text message.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut impl BufMut) -> Poll<io::Result<usize>> {
        self.socket.begin_receiving();
        self.input.poll_read(&mut self.socket.reading, cx, buffer)
    }

    /// Writes some bytes from the front of `data`, and advances it by as many. They leave without a flush.
    ///
    /// # Errors
    ///
    /// The end of the connection, and [`BrokenPipe`](io::ErrorKind::BrokenPipe) if it is closing.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, data: &mut impl Buf) -> Poll<io::Result<usize>> {
        self.socket.attend(cx);
        ready!(self.socket.poll_room(cx))?;
        Poll::Ready(self.socket.reading.shared.write(cx, data))
    }

    /// Waits until what was written is handed to the byte stream below.
    ///
    /// # Errors
    ///
    /// The end of the connection, unless it was agreed on.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(ready!(self.socket.poll_flush(cx))?))
    }

    /// Sends a Close frame with the code 1000, unless one was sent.
    ///
    /// # Errors
    ///
    /// The end of the connection, unless it was agreed on.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.reading.shared.lock().begin_close(CloseCode::NORMAL, "").map_err(Error::from)?;
        self.poll_flush(cx)
    }
}

/// The reading half of a [`ByteStream`], which implements `AsyncRead`.
///
/// It must be read for as long as the connection is to live: that answers Pings and heeds the time limits. Dropped, it ends the
/// connection.
pub struct ByteReader<S, R: Transport<S>> {
    half: ReadHalf<S, R>,
    input: Input,
}

impl<S: Send + 'static, R: Transport<S>> ByteReader<S, R> {
    /// See [`ByteStream::poll_read`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut impl BufMut) -> Poll<io::Result<usize>> {
        self.input.poll_read(&mut self.half.reading, cx, buffer)
    }
}

/// The writing half of a [`ByteStream`], which implements `AsyncWrite`.
pub struct ByteWriter<S, R: Transport<S>> {
    half: WriteHalf<S, R>,
}

impl<S: Send + 'static, R: Transport<S>> ByteWriter<S, R> {
    /// See [`ByteStream::poll_write`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, data: &mut impl Buf) -> Poll<io::Result<usize>> {
        ready!(self.half.shared.lock().poll_room(cx))?;
        Poll::Ready(self.half.shared.write(cx, data))
    }

    /// See [`ByteStream::poll_flush`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(ready!(self.half.shared.lock().poll_flush(cx))?))
    }

    /// See [`ByteStream::poll_shutdown`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.half.shared.lock().begin_close(CloseCode::NORMAL, "").map_err(Error::from)?;
        self.poll_flush(cx)
    }
}

/// What was received and not read.
#[derive(Default)]
struct Input {
    rest: Bytes,
    /// The end was given, or is to be given again.
    ended: bool,
}

impl Input {
    fn poll_read<S: Send + 'static, R: Transport<S>>(
        &mut self,
        reading: &mut Reading<S, R>,
        cx: &mut Context<'_>,
        buffer: &mut impl BufMut,
    ) -> Poll<io::Result<usize>> {
        while self.rest.is_empty() && !self.ended && buffer.has_remaining_mut() {
            let received = ready!(reading.poll_recv(cx));
            self.ended = !matches!(received, Ok(Some(Message::Binary(_))));
            match received? {
                Some(Message::Binary(bytes)) => self.rest = bytes,
                Some(Message::Text(_)) => return Poll::Ready(Err(refuse_text(&reading.shared))),
                None => end(reading.closed())?,
            }
        }
        Poll::Ready(Ok(give(&mut self.rest, buffer)))
    }
}

impl<S: Send + 'static, R: Transport<S>> Shared<S, R> {
    /// Sends a message with what is at the front of `data`; there is room for it. What does not leave at once leaves later.
    fn write(self: &Arc<Self>, cx: &Context<'_>, data: &mut impl Buf) -> io::Result<usize> {
        let len = data.remaining().min(MAX_MESSAGE);
        if len > 0 {
            let mut link = self.lock();
            match data.chunk().get(..len) {
                Some(bytes) => {
                    link.sender.send_binary(bytes).map_err(Error::from)?;
                    data.advance(len);
                }
                None => link.sender.send(data.copy_to_bytes(len)).map_err(Error::from)?,
            }
            if link.poll_write(cx).is_pending() {
                drop(link);
                self.flush_later();
            }
        }
        Ok(len)
    }
}

fn refuse_text<S: Send + 'static, R: Transport<S>>(shared: &Arc<Shared<S, R>>) -> io::Error {
    // Refused only if the connection is closing already.
    let _ = shared.lock().begin_close(CloseCode::UNSUPPORTED_DATA, "a byte stream takes binary messages");
    shared.flush_later();
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the peer sent a text message, and a byte stream takes binary ones",
    )
}

/// The end by a closing handshake, which is that of the stream if the peer says so.
fn end(closed: Option<Closed>) -> io::Result<()> {
    let Some(closed) = closed else { return Ok(()) };
    match closed.received.as_ref().map_or(CloseCode::NO_STATUS, CloseFrame::code) {
        CloseCode::NO_STATUS | CloseCode::NORMAL | CloseCode::GOING_AWAY => Ok(()),
        _ => Err(Error::Closed { closed: Box::new(closed), io: None }.into()),
    }
}

read_traits!([S: Unpin + Send + 'static, R: Transport<S>] ByteStream<S, R>);
write_traits!([S: Unpin + Send + 'static, R: Transport<S>] ByteStream<S, R>);
read_traits!([S: Unpin + Send + 'static, R: Transport<S>] ByteReader<S, R>);
write_traits!([S: Unpin + Send + 'static, R: Transport<S>] ByteWriter<S, R>);

/// Bytes of one message: enough for its header not to matter, and little enough for any peer's limit.
const MAX_MESSAGE: usize = 64 * 1024;
