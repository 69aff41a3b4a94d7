//! One message as a byte stream, for messages that are not there, or not wanted, as a whole.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes};
use sansocket::{CloseCode, Event, MessageKind};

use crate::error::Error;
use crate::halves::ReadHalf;
use crate::owner::Visitor;
use crate::reading::Reading;
use crate::runtime::Transport;
use crate::stream_traits::{read_traits, write_traits};
use crate::websocket::WebSocket;

impl<S: Send + 'static, R: Transport<S>> WebSocket<S, R> {
    /// Receives the next message as a byte stream: it is there as soon as the first of its bytes are. `None` as of [`recv`](Self::recv).
    ///
    /// For messages that are too large to hold. [`Limits::message`](sansocket::Limits::message) and [`Limits::frame`](sansocket::Limits::frame) apply all the same,
    /// so raise them.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what came is given by whoever receives next.
    pub async fn read_message(&mut self) -> Result<Option<MessageReader<'_, S, R>>, Error> {
        self.begin_receiving();
        self.reading.read_message().await
    }

    /// Sends a message as a byte stream, in fragments of 16 KiB, until [`finish`](MessageWriter::finish).
    ///
    /// Nothing else can be sent before its end.
    pub fn write_message(&mut self, kind: MessageKind) -> MessageWriter<'_, S, R> {
        MessageWriter { socket: self, kind, held: Vec::new(), progress: Progress::Unsent }
    }

    /// Has `look` see the next event where it is in memory, without a copy: a message, or one of the control frames, which
    /// [`recv`](Self::recv) does not show. What a control frame needs in answer has been queued. `None` as of `recv`.
    ///
    /// ```
    /// use std::io;
    ///
    /// use sansocket::Event;
    /// use sansocket_driver::{Error, Transport, WebSocket};
    ///
    /// async fn count<S: Send + 'static, R: Transport<S>>(mut socket: WebSocket<S, R>) -> Result<usize, Error> {
    ///     let mut lines = 0;
    ///     while let Some(count) = socket
    ///         .next_event(|event| match event {
    ///             Event::Text(text) => text.lines().count(),
    ///             _ => 0,
    ///         })
    ///         .await?
    ///     {
    ///         lines += count;
    ///     }
    ///     Ok(lines)
    /// }
    /// ```
    ///
    /// Control frames that are read while this WebSocket sends are not shown. [Split](Self::split) it, and the half that receives shows
    /// all of them.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv). An [`Event::Failed`] comes before.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no event is lost or given twice.
    pub async fn next_event<T>(&mut self, look: impl FnOnce(Event<'_>) -> T) -> Result<Option<T>, Error> {
        self.begin_receiving();
        self.reading.next_event(look).await
    }
}

impl<S: Send + 'static, R: Transport<S>> ReadHalf<S, R> {
    /// See [`WebSocket::read_message`].
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn read_message(&mut self) -> Result<Option<MessageReader<'_, S, R>>, Error> {
        self.reading.read_message().await
    }

    /// See [`WebSocket::next_event`].
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn next_event<T>(&mut self, look: impl FnOnce(Event<'_>) -> T) -> Result<Option<T>, Error> {
        self.reading.next_event(look).await
    }
}

impl<S: Send + 'static, R: Transport<S>> Reading<S, R> {
    async fn read_message(&mut self) -> Result<Option<MessageReader<'_, S, R>>, Error> {
        match poll_fn(|cx| self.poll_piece(cx)).await {
            Some(first) => Ok(Some(MessageReader {
                kind: first.kind,
                data: first.data,
                last: first.last,
                reading: self,
            })),
            None => self.report().map(|_| None),
        }
    }

    async fn next_event<T>(&mut self, look: impl FnOnce(Event<'_>) -> T) -> Result<Option<T>, Error> {
        let mut visitor = Visitor(Some(look));
        poll_fn(|cx| self.poll_event(cx, &mut visitor)).await
    }
}

/// A message that is received as a byte stream. It ends where the message ends.
///
/// Implements the `AsyncRead` of the adapter's runtime. Text is UTF-8 as far as it came, but what one read gives may end
/// inside a character.
///
/// A connection that ends inside the message is an error, of the kind that the [conversion](Error) gives it, with the [`Error`] inside.
/// Dropped before the end, the rest of the message is thrown away by whoever receives next.
///
/// # Cancel safety
///
/// A read that is given up has taken nothing. What a runtime builds of several, such as `read_exact`, has its own rules.
pub struct MessageReader<'a, S: Send + 'static, R: Transport<S>> {
    reading: &'a mut Reading<S, R>,
    kind: MessageKind,
    data: Bytes,
    last: bool,
}

impl<S: Send + 'static, R: Transport<S>> MessageReader<'_, S, R> {
    /// The type of the message.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// Reads some bytes to the end of `buffer`, at most as many as it has room for; 0 means the end of the message.
    ///
    /// # Errors
    ///
    /// The end of the connection, if it came before that of the message.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut impl BufMut) -> Poll<io::Result<usize>> {
        while self.data.is_empty() && !self.last {
            let Some(next) = ready!(self.reading.poll_piece(cx)) else {
                self.last = true;
                return Poll::Ready(Err(self.reading.cut_off().into()));
            };
            (self.data, self.last) = (next.data, next.last);
        }
        Poll::Ready(Ok(give(&mut self.data, buffer)))
    }
}

impl<S: Send + 'static, R: Transport<S>> Drop for MessageReader<'_, S, R> {
    fn drop(&mut self) {
        if !self.last {
            self.reading.skip_message();
        }
    }
}

read_traits!(['a, S: Send + 'static, R: Transport<S>] MessageReader<'a, S, R>);

/// A message that is sent as a byte stream.
///
/// Implements the `AsyncWrite` of the adapter's runtime. **[`finish`](Self::finish) ends the message**, and so does `shutdown` (`close` in
/// futures-io); the connection stays open. What is written is held until there are 16 KiB of it or `flush` asks for it: each time a fragment is sent
/// ([RFC 6455 section 5.4]).
///
/// Dropped before the end of a message of which something was sent, it closes the connection with the code 1011: half a
/// message must not pass for a whole one, and no other could be sent.
///
/// Text must be UTF-8 as a whole; a fragment may end inside a character.
///
/// # Cancel safety
///
/// A write that is given up has taken nothing. What a flush that is given up was to send leaves with the next write that fills a fragment or
/// flush, or when the writer is dropped. What a runtime builds of several writes, such as `write_all`, has its own rules.
///
/// [RFC 6455 section 5.4]: https://www.rfc-editor.org/rfc/rfc6455#section-5.4
pub struct MessageWriter<'a, S: Send + 'static, R: Transport<S>> {
    socket: &'a mut WebSocket<S, R>,
    kind: MessageKind,
    held: Vec<u8>,
    progress: Progress,
}

/// How much of a message was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Unsent,
    Begun,
    Ended,
}

impl<S: Send + 'static, R: Transport<S>> MessageWriter<'_, S, R> {
    /// Takes some bytes from the front of `data`, and advances it by as many.
    ///
    /// # Errors
    ///
    /// Those of [`WebSocket::send_fragment`], and [`BrokenPipe`](io::ErrorKind::BrokenPipe) after the end of the message.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, data: &mut impl Buf) -> Poll<io::Result<usize>> {
        if self.progress == Progress::Ended {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, "the message has ended")));
        }
        if self.held.len() >= FRAGMENT {
            ready!(self.poll_fragment(cx, false))?;
        }
        let len = data.remaining().min(FRAGMENT - self.held.len());
        self.held.put(data.take(len));
        Poll::Ready(Ok(len))
    }

    /// Sends what was written so far, and waits until it is handed to the byte stream.
    ///
    /// # Errors
    ///
    /// Those of [`WebSocket::send_fragment`].
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.held.is_empty() {
            ready!(self.poll_fragment(cx, false))?;
        }
        Poll::Ready(Ok(ready!(self.socket.poll_flush(cx))?))
    }

    /// Ends the message, and waits until it is handed to the byte stream.
    ///
    /// # Errors
    ///
    /// Those of [`WebSocket::send_fragment`].
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.progress != Progress::Ended {
            ready!(self.poll_fragment(cx, true))?;
        }
        Poll::Ready(Ok(ready!(self.socket.poll_flush(cx))?))
    }

    /// Ends the message, and waits until it is handed to the byte stream. The connection stays open.
    ///
    /// # Errors
    ///
    /// Those of [`WebSocket::send_fragment`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the writer. If the end of the message could not be queued yet, that is as described [there](Self): the
    /// connection is closed, or nothing was sent at all. Otherwise the message leaves.
    pub async fn finish(mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_shutdown(cx)).await
    }

    fn poll_fragment(&mut self, cx: &mut Context<'_>, last: bool) -> Poll<Result<(), Error>> {
        ready!(self.socket.poll_room(cx))?;
        self.socket.reading.shared.lock().sender.send_fragment(self.kind, &self.held, last)?;
        self.held.clear();
        self.progress = if last { Progress::Ended } else { Progress::Begun };
        Poll::Ready(Ok(()))
    }
}

impl<S: Send + 'static, R: Transport<S>> Drop for MessageWriter<'_, S, R> {
    fn drop(&mut self) {
        let shared = &self.socket.reading.shared;
        if self.progress == Progress::Begun {
            // Refused only if the connection is closing already.
            let _ = shared.lock().begin_close(CloseCode::INTERNAL_ERROR, "a message was not finished");
        }
        shared.flush_later();
    }
}

write_traits!(['a, S: Send + 'static, R: Transport<S>] MessageWriter<'a, S, R>);

/// Moves as many bytes as there is room for.
pub(crate) fn give(data: &mut Bytes, buffer: &mut impl BufMut) -> usize {
    let len = data.len().min(buffer.remaining_mut());
    buffer.put(data.split_to(len));
    len
}

/// Bytes of a fragment: what TLS puts into one record, and enough for the header not to matter.
const FRAGMENT: usize = 16 * 1024;
