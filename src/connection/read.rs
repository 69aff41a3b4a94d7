//! The loop over the input: finds the next event, without a copy where a frame is there as a whole.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use bytes::{Buf, Bytes, BytesMut};

use super::arriving::{ArrivingFrame, Chunking, Taken};
use super::assemble::{Assembled, invalid_utf8};
use super::receive::{Progress, Receiver, Stage};
use super::send::Sender;
use super::whole::{MessageLimits, Whole};
use crate::config::Delivery;
use crate::error::{Failure, Violation};
use crate::event::{Chunk, Event};
use crate::frame::{CloseFrame, FrameHeader, MAX_HEADER, Opcode, Parsed};
use crate::message::MessageKind;
use crate::role::Role;
use crate::utf8::{InvalidAt, first_invalid, is_ascii, validate};

/// Takes events out of input, one after the other; made by [`Connection::read`](crate::Connection::read) and
/// [`Receiver::read`].
///
/// A lending iterator: an event borrows from the reader, so it must be gone before the next is taken. When
/// [`next`](Self::next) has returned `None`, all input is consumed; a reader dropped earlier leaves the rest in the input.
pub struct Reader<'a> {
    pub(super) receiver: &'a mut Receiver,
    /// Where the answers go, unless the caller carries the events there.
    sender: Option<&'a mut Sender>,
    pub(super) input: &'a mut BytesMut,
    /// Bytes of `input` that are dealt with. They are removed when the reader is dropped: an event may still borrow from them.
    pub(super) consumed: usize,
    /// The message that was inflated or put together last: an event may still borrow from it.
    output: Vec<u8>,
    owning: bool,
}

/// An event before anything is borrowed for it; ranges are of the input.
enum Found {
    /// No more input.
    Nothing,
    /// A message that is there as a whole; text is not checked yet.
    Message(MessageKind, Range<usize>),
    Ping(Payload),
    Pong(Payload),
    Close(CloseFrame),
    /// A message that came in pieces.
    Assembled(Assembled),
    /// A message that was compressed; it is the output of the inflation.
    Inflated(MessageKind),
    Chunk(Chunking, Data),
}

/// Where the payload data of a control frame is.
enum Payload {
    Input(Range<usize>),
    Held,
}

/// Where the payload data of a chunk is.
enum Data {
    Input(Range<usize>),
    /// The output of the inflation.
    Inflated,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        receiver: &'a mut Receiver,
        sender: Option<&'a mut Sender>,
        input: &'a mut BytesMut,
    ) -> Self {
        Self { receiver, sender, input, consumed: 0, output: Vec::new(), owning: false }
    }

    /// For who keeps the messages: large text that was put together is given owned where that spares the copy which
    /// [`Event::into_message`] would make. It takes a little longer to give than borrowed text.
    #[must_use]
    pub fn owning(mut self) -> Self {
        self.owning = true;
        self
    }

    /// The next event, or `None` if the input holds no more.
    ///
    /// What an event needs in answer (a Pong, a Close frame) is queued when it is returned, unless this reader is of a
    /// [`Receiver`] on its own.
    #[expect(clippy::should_implement_trait, reason = "a lending iterator cannot be an `Iterator`")]
    #[inline]
    pub fn next(&mut self) -> Option<Event<'_>> {
        match self.whole_message(Whole::in_one_frame) {
            Some(message) => Some(self.pass(message)),
            None => self.next_of_any_kind(),
        }
    }

    /// Splits the payload data of the next message off the input, without a copy, if that is a binary message in one frame which
    /// is in the input as a whole and has at least `min_len` bytes.
    ///
    /// `None` decides nothing: take the [`next`](Self::next) event. The bytes share the memory of the input, all of which stays for as
    /// long as they do: `min_len` decides how much more than itself a message may hold.
    #[inline]
    pub fn split_binary(&mut self, min_len: usize) -> Option<Bytes> {
        if self.input.len() - self.consumed < min_len {
            return None;
        }
        let limits = self.receiver.expects_message()?;
        let rest = self.input.get_mut(self.consumed..)?;
        let Whole { data, .. } = Whole::large_binary(rest, self.receiver.role, &limits, min_len)?;
        let before = self.consumed + data.start;
        self.input.advance(before);
        self.consumed = 0;
        self.receiver.bytes += (before + data.len()) as u64;
        self.receiver.messages += 1;
        Some(self.input.split_to(data.len()).freeze())
    }

    /// The message with which the rest of the input begins, if it is all there and one is expected.
    #[inline(always)]
    fn whole_message(&mut self, take: fn(&mut [u8], Role, &MessageLimits) -> Option<Whole>) -> Option<Whole> {
        let limits = self.receiver.expects_message()?;
        take(self.input.get_mut(self.consumed..)?, self.receiver.role, &limits)
    }

    /// Goes behind a message that is in the input as a whole.
    #[inline]
    fn pass(&mut self, Whole { kind, data, end }: Whole) -> Event<'_> {
        let data = self.consumed + data.start..self.consumed + data.end;
        self.consumed += end;
        self.message(kind, data)
    }

    /// A message whose payload data is in the input.
    #[inline]
    fn message(&mut self, kind: MessageKind, data: Range<usize>) -> Event<'_> {
        self.receiver.messages += 1;
        match kind {
            MessageKind::Text => self.text(data),
            MessageKind::Binary => Event::Binary(Cow::Borrowed(&self.input[data])),
        }
    }

    /// A whole text message, if it is text.
    #[inline]
    fn text(&mut self, data: Range<usize>) -> Event<'_> {
        text(self.receiver, &mut self.sender, self.consumed, &self.input[data])
    }

    /// A whole message that was compressed, if it is what it says.
    fn inflated(&mut self, kind: MessageKind) -> Event<'_> {
        let Some(inflation) = &mut self.receiver.inflation else { return Event::Binary(Cow::default()) };
        let (buffer, len) = inflation.take_output();
        self.receiver.messages += 1;
        if kind == MessageKind::Binary {
            if buffer.len() > MAX_BORROWED {
                let mut message = buffer;
                message.truncate(len);
                return Event::Binary(Cow::Owned(message));
            }
            self.output = buffer;
            return Event::Binary(Cow::Borrowed(&self.output[..len]));
        }
        self.output = buffer;
        text(self.receiver, &mut self.sender, self.consumed, &self.output[..len])
    }

    /// A text message that was put together, of which so many bytes are ASCII.
    fn assembled(&mut self, bytes: Vec<u8>, ascii: usize) -> Event<'_> {
        // Without a copy, which costs the standard library's validation: fast only for ASCII.
        let bytes = match self.owning && bytes.get(ascii..).is_some_and(is_ascii) {
            true => match String::from_utf8(bytes) {
                Ok(text) => return Event::Text(Cow::Owned(text)),
                Err(error) => error.into_bytes(),
            },
            false => bytes,
        };
        self.output = bytes;
        text(self.receiver, &mut self.sender, self.consumed, &self.output)
    }

    #[inline(never)] // so that the shortest way stays short
    fn next_of_any_kind(&mut self) -> Option<Event<'_>> {
        self.release_output();
        if let Some(message) = self.whole_message(Whole::in_fragments) {
            return Some(self.pass(message));
        }
        let event = match self.find() {
            Ok(Found::Message(kind, data)) => return Some(self.message(kind, data)),
            Ok(Found::Assembled(Assembled::Event(event))) => return Some(event),
            Ok(Found::Assembled(Assembled::Text { bytes, ascii })) => {
                return Some(self.assembled(bytes, ascii));
            }
            Ok(Found::Inflated(kind)) => return Some(self.inflated(kind)),
            Ok(Found::Chunk(Chunking { kind, first, frame_end, last }, data)) => {
                let data = match data {
                    Data::Input(range) => &self.input[range],
                    Data::Inflated => self.receiver.inflated(),
                };
                return Some(Event::Chunk(Chunk { kind, data, first, frame_end, last }));
            }
            Ok(Found::Nothing) => {
                let progress = self.receiver.progress();
                let bytes = progress.bytes + self.consumed as u64;
                let sender = self.sender.as_mut()?;
                // An end that came behind this input counts from now on. What lies behind an end does not.
                if !sender.closing.has_ended() {
                    sender.observe(Progress { bytes, unread: false, ..progress });
                }
                let closed = sender.take_closed()?;
                self.receiver.end();
                return Some(Event::Closed(closed));
            }
            Ok(Found::Ping(payload)) => Event::Ping(payload.of(self.input, &self.receiver.control)),
            Ok(Found::Pong(payload)) => Event::Pong(payload.of(self.input, &self.receiver.control)),
            Ok(Found::Close(frame)) => Event::Close(frame),
            Err(failure) => self.receiver.fail(failure),
        };
        answer(&mut self.sender, self.receiver, self.consumed, &event);
        Some(event)
    }

    /// Gives back the buffer of the message that was given out last, where there is use for it.
    #[inline]
    fn release_output(&mut self) {
        if self.output.capacity() > 0 {
            if let Some(inflation) = &mut self.receiver.inflation {
                inflation.put_back(core::mem::take(&mut self.output));
            }
        }
    }

    /// Moves on to the next event.
    fn find(&mut self) -> Result<Found, Failure> {
        loop {
            match self.receiver.stage {
                Stage::Header => {
                    let Some(header) = self.header()? else { return Ok(Found::Nothing) };
                    self.receiver.admit(&header)?;
                    match self.whole(&header) {
                        Some(data) => return self.frame(header.opcode, data),
                        None => self.receiver.begin(&header),
                    }
                }
                Stage::Payload(_) => {
                    if let Some(message) = self.receiver.take_direct()? {
                        return Ok(Found::Assembled(message));
                    }
                    // Payload data that was read straight into the message may have ended the frame.
                    let Stage::Payload(ArrivingFrame { to_come, .. }) = self.receiver.stage else { continue };
                    let mut available = self.input.len() - self.consumed;
                    if self.receiver.passes_inflated() {
                        if let Some(chunking) = self.receiver.next_inflated()? {
                            return Ok(Found::Chunk(chunking, Data::Inflated));
                        }
                        available = available.min(MAX_HELD);
                    }
                    let len = usize::try_from(to_come).map_or(available, |to_come| to_come.min(available));
                    if len == 0 && to_come > 0 {
                        return Ok(Found::Nothing);
                    }
                    let data = self.consumed..self.consumed + len;
                    self.consumed = data.end;
                    let behind = self.input.len() - data.end;
                    match self.receiver.take(&mut self.input[data.clone()], behind)? {
                        Taken::Part => {}
                        Taken::Message(message) => return Ok(Found::Assembled(message)),
                        Taken::Inflated(kind) => return Ok(Found::Inflated(kind)),
                        Taken::Control(opcode) => return self.control(opcode, Payload::Held),
                        Taken::Chunk(chunking) => return Ok(Found::Chunk(chunking, Data::Input(data))),
                    }
                }
                Stage::Ended => {
                    self.consumed = self.input.len();
                    return Ok(Found::Nothing);
                }
            }
        }
    }

    /// Takes the next header; its beginning is kept in the receiver if the input ends inside it.
    #[inline]
    fn header(&mut self) -> Result<Option<FrameHeader>, Violation> {
        let rest = &self.input[self.consumed..];
        if self.receiver.header_len == 0 {
            if let Parsed::Header(header, len) = FrameHeader::parse(rest, self.receiver.rules())? {
                self.consumed += len;
                return Ok(Some(header));
            }
        }
        self.header_in_pieces()
    }

    #[cold]
    fn header_in_pieces(&mut self) -> Result<Option<FrameHeader>, Violation> {
        let rules = self.receiver.rules();
        let rest = &self.input[self.consumed..];
        let held = usize::from(self.receiver.header_len);
        let len = rest.len().min(MAX_HEADER - held);
        let header = &mut self.receiver.header;
        header[held..held + len].copy_from_slice(&rest[..len]);
        match FrameHeader::parse(&header[..held + len], rules)? {
            Parsed::Incomplete => {
                self.receiver.header_len += len as u8;
                self.consumed += len;
                Ok(None)
            }
            Parsed::Header(header, used) => {
                self.receiver.header_len = 0;
                self.consumed += used - held;
                Ok(Some(header))
            }
        }
    }

    /// The payload data, unmasked, if the frame needs nothing put together: a control frame or a whole message, wholly in
    /// the input.
    #[inline]
    fn whole(&mut self, header: &FrameHeader) -> Option<Range<usize>> {
        let alone = header.fin
            && !header.compressed
            && self.receiver.message.is_none()
            && self.receiver.delivery == Delivery::Messages;
        if !alone && !header.opcode.is_control() {
            return None;
        }
        let len = usize::try_from(header.payload_len).ok()?;
        let start = self.consumed;
        let data = self.input.get_mut(start..)?.get_mut(..len)?;
        if let Some(mut mask) = header.mask {
            mask.apply(data);
        }
        self.consumed += len;
        Some(start..start + len)
    }

    #[inline]
    fn frame(&mut self, opcode: Opcode, data: Range<usize>) -> Result<Found, Failure> {
        match opcode {
            Opcode::Text => Ok(Found::Message(MessageKind::Text, data)),
            Opcode::Binary => Ok(Found::Message(MessageKind::Binary, data)),
            control => self.control(control, Payload::Input(data)),
        }
    }

    fn control(&mut self, opcode: Opcode, payload: Payload) -> Result<Found, Failure> {
        Ok(match opcode {
            Opcode::Ping => Found::Ping(payload),
            Opcode::Pong => Found::Pong(payload),
            _ => {
                let frame = CloseFrame::parse(payload.of(self.input, &self.receiver.control))?;
                self.receiver.end();
                Found::Close(frame)
            }
        })
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.input.advance(self.consumed);
        self.receiver.bytes += self.consumed as u64;
        self.receiver.unread = !self.input.is_empty();
        self.receiver.release_control();
        self.release_output();
        self.receiver.release_inflated();
    }
}

/// A whole text message, which was counted, if it is text.
#[inline]
fn text<'a>(
    receiver: &mut Receiver,
    sender: &mut Option<&mut Sender>,
    consumed: usize,
    bytes: &'a [u8],
) -> Event<'a> {
    match validate(bytes) {
        Ok(text) => Event::Text(Cow::Borrowed(text)),
        Err(_) => {
            receiver.messages -= 1;
            let violation = invalid_utf8(InvalidAt(first_invalid(bytes) as u64));
            let event = receiver.fail(violation);
            answer(sender, receiver, consumed, &event);
            event
        }
    }
}

/// Has the sender queue what `event` needs in answer, if this reader is of a whole connection.
fn answer(sender: &mut Option<&mut Sender>, receiver: &Receiver, consumed: usize, event: &Event<'_>) {
    if let Some(sender) = sender {
        // A Close frame may be the end, which reports what was received up to it.
        let progress = receiver.progress();
        sender.observe(Progress { bytes: progress.bytes + consumed as u64, ..progress });
        sender.handle(event);
    }
}

/// An inflated message in a buffer of more bytes is handed over with it: no other message would get so large a buffer again.
const MAX_BORROWED: usize = 256 * 1024;

/// Compressed bytes that are taken in before what they inflate to is passed on.
const MAX_HELD: usize = 16 * 1024;

impl Payload {
    fn of<'a>(&self, input: &'a [u8], held: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Input(range) => &input[range.clone()],
            Self::Held => held,
        }
    }
}
