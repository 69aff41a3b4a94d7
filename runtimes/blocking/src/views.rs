//! A message, or a whole connection, as a byte stream, and events where they are in memory.

use std::future::poll_fn;
use std::io::{self, Read, Write};

use sansocket::{Event, MessageKind};
use sansocket_driver::{Error, Transport};

use crate::MaybeTls;
use crate::halves::ReadHalf;
use crate::runtime::Blocking;
use crate::wait::{Others, block_on};
use crate::websocket::WebSocket;

impl<S: Send + 'static> WebSocket<S>
where
    Blocking: Transport<S>,
{
    /// Receives the next message as a byte stream: it is there as soon as the first of its bytes are. `None` as of [`recv`](Self::recv).
    ///
    /// For messages that are too large to hold. [`Limits::message`](sansocket::Limits::message) and [`Limits::frame`](sansocket::Limits::frame) apply all the same,
    /// so raise them.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn read_message(&mut self) -> Result<Option<MessageReader<'_, S>>, Error> {
        let reader = block_on(Others::None, self.inner.read_message())?;
        Ok(reader.map(|inner| MessageReader { inner }))
    }

    /// Sends a message as a byte stream, in fragments of 16 KiB. Nothing else can be sent before its end.
    pub fn write_message(&mut self, kind: MessageKind) -> MessageWriter<'_, S> {
        MessageWriter { inner: self.inner.write_message(kind) }
    }

    /// Has `look` see the next event where it is in memory, without a copy: a message, or one of the control frames, which
    /// [`recv`](Self::recv) does not show. What a control frame needs in answer has been queued. `None` as of `recv`.
    ///
    /// Control frames that are read while this WebSocket sends are not shown. [Split](Self::split) it, and the half that receives shows
    /// all of them.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv). An [`Event::Failed`] comes before.
    pub fn next_event<T>(&mut self, look: impl FnOnce(Event<'_>) -> T) -> Result<Option<T>, Error> {
        block_on(Others::None, self.inner.next_event(look))
    }

    /// This WebSocket as a byte stream, in which messages do not show.
    #[must_use]
    pub fn into_byte_stream(self) -> ByteStream<S> {
        ByteStream { inner: self.inner.into_byte_stream() }
    }
}

impl<S: Send + 'static> ReadHalf<S>
where
    Blocking: Transport<S>,
{
    /// See [`WebSocket::read_message`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn read_message(&mut self) -> Result<Option<MessageReader<'_, S>>, Error> {
        let reader = block_on(Others::Threads, self.inner.read_message())?;
        Ok(reader.map(|inner| MessageReader { inner }))
    }

    /// See [`WebSocket::next_event`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn next_event<T>(&mut self, look: impl FnOnce(Event<'_>) -> T) -> Result<Option<T>, Error> {
        block_on(Others::Threads, self.inner.next_event(look))
    }
}

/// A message that is received as a byte stream. It ends where the message ends.
///
/// Text is UTF-8 as far as it came, but what one read gives may end inside a character.
///
/// A connection that ends inside the message is an error, of the kind that the [conversion](Error) gives it, with the [`Error`] inside.
/// Dropped before the end, the rest of the message is thrown away by whoever receives next.
pub struct MessageReader<'a, S: Send + 'static = MaybeTls>
where
    Blocking: Transport<S>,
{
    inner: sansocket_driver::MessageReader<'a, S, Blocking>,
}

impl<S: Send + 'static> MessageReader<'_, S>
where
    Blocking: Transport<S>,
{
    /// The type of the message.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.inner.kind()
    }
}

impl<S: Send + 'static> Read for MessageReader<'_, S>
where
    Blocking: Transport<S>,
{
    fn read(&mut self, mut buffer: &mut [u8]) -> io::Result<usize> {
        block_on(Others::Threads, poll_fn(|cx| self.inner.poll_read(cx, &mut buffer)))
    }
}

/// A message that is sent as a byte stream.
///
/// **[`finish`](Self::finish) ends the message.** What is written is held until there are 16 KiB of it or `flush` asks for it: each time a
/// fragment is sent ([RFC 6455 section 5.4]).
///
/// Dropped before the end of a message of which something was sent, it closes the connection with the code 1011: half a
/// message must not pass for a whole one, and no other could be sent.
///
/// Text must be UTF-8 as a whole; a fragment may end inside a character.
///
/// [RFC 6455 section 5.4]: https://www.rfc-editor.org/rfc/rfc6455#section-5.4
pub struct MessageWriter<'a, S: Send + 'static = MaybeTls>
where
    Blocking: Transport<S>,
{
    inner: sansocket_driver::MessageWriter<'a, S, Blocking>,
}

impl<S: Send + 'static> MessageWriter<'_, S>
where
    Blocking: Transport<S>,
{
    /// Ends the message, and waits until it is handed to the byte stream. The connection stays open.
    ///
    /// # Errors
    ///
    /// Those of [`WebSocket::send_fragment`].
    pub fn finish(mut self) -> io::Result<()> {
        block_on(Others::None, poll_fn(|cx| self.inner.poll_shutdown(cx)))
    }
}

impl<S: Send + 'static> Write for MessageWriter<'_, S>
where
    Blocking: Transport<S>,
{
    fn write(&mut self, mut data: &[u8]) -> io::Result<usize> {
        block_on(Others::None, poll_fn(|cx| self.inner.poll_write(cx, &mut data)))
    }

    fn flush(&mut self) -> io::Result<()> {
        block_on(Others::None, poll_fn(|cx| self.inner.poll_flush(cx)))
    }
}

/// A byte stream inside of a WebSocket, such as for SSH or a database behind a proxy that lets only HTTP pass. Made by
/// [`WebSocket::into_byte_stream`].
///
/// - What is written leaves as binary messages, one for each write, of 64 KiB at most.
/// - Binary messages are read one behind the other; where one ends is not to be seen. Text is refused with the code 1003.
/// - The peer's Close frame is the end of the stream if its code is 1000 or 1001 or it has none. Every other end is an
///   error, of the kind that the [conversion](Error) gives it, with the [`Error`] inside.
pub struct ByteStream<S = MaybeTls>
where
    Blocking: Transport<S>,
{
    inner: sansocket_driver::ByteStream<S, Blocking>,
}

impl<S: Send + 'static> ByteStream<S>
where
    Blocking: Transport<S>,
{
    /// Two halves, to read and to write in two threads: a call that reads holds a stream that is whole.
    #[must_use]
    pub fn split(self) -> (ByteReader<S>, ByteWriter<S>) {
        let (reader, writer) = self.inner.split();
        (ByteReader { inner: reader }, ByteWriter { inner: writer })
    }

    /// Sends a Close frame with the code 1000. What the peer has sent before its own can still be read, for as long as
    /// [`Timeouts::close`](sansocket::Timeouts::close) allows.
    ///
    /// # Errors
    ///
    /// The end of the connection, unless it was agreed on.
    pub fn shutdown(&mut self) -> io::Result<()> {
        block_on(Others::None, poll_fn(|cx| self.inner.poll_shutdown(cx)))
    }
}

impl<S: Send + 'static> Read for ByteStream<S>
where
    Blocking: Transport<S>,
{
    fn read(&mut self, mut buffer: &mut [u8]) -> io::Result<usize> {
        block_on(Others::None, poll_fn(|cx| self.inner.poll_read(cx, &mut buffer)))
    }
}

impl<S: Send + 'static> Write for ByteStream<S>
where
    Blocking: Transport<S>,
{
    /// Returns when the bytes are handed to the byte stream below.
    fn write(&mut self, mut data: &[u8]) -> io::Result<usize> {
        let written = block_on(Others::None, poll_fn(|cx| self.inner.poll_write(cx, &mut data)))?;
        self.flush()?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        block_on(Others::None, poll_fn(|cx| self.inner.poll_flush(cx)))
    }
}

/// The reading half of a [`ByteStream`].
///
/// It must be read for as long as the connection is to live: that answers Pings and heeds the time limits. Dropped, it ends the
/// connection.
pub struct ByteReader<S = MaybeTls>
where
    Blocking: Transport<S>,
{
    inner: sansocket_driver::ByteReader<S, Blocking>,
}

impl<S: Send + 'static> Read for ByteReader<S>
where
    Blocking: Transport<S>,
{
    fn read(&mut self, mut buffer: &mut [u8]) -> io::Result<usize> {
        block_on(Others::Threads, poll_fn(|cx| self.inner.poll_read(cx, &mut buffer)))
    }
}

/// The writing half of a [`ByteStream`].
pub struct ByteWriter<S = MaybeTls>
where
    Blocking: Transport<S>,
{
    inner: sansocket_driver::ByteWriter<S, Blocking>,
}

impl<S: Send + 'static> ByteWriter<S>
where
    Blocking: Transport<S>,
{
    /// See [`ByteStream::shutdown`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn shutdown(&mut self) -> io::Result<()> {
        block_on(Others::Threads, poll_fn(|cx| self.inner.poll_shutdown(cx)))
    }
}

impl<S: Send + 'static> Write for ByteWriter<S>
where
    Blocking: Transport<S>,
{
    /// Returns when the bytes are handed to the byte stream below.
    fn write(&mut self, mut data: &[u8]) -> io::Result<usize> {
        let written = block_on(Others::Threads, poll_fn(|cx| self.inner.poll_write(cx, &mut data)))?;
        self.flush()?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        block_on(Others::Threads, poll_fn(|cx| self.inner.poll_flush(cx)))
    }
}
