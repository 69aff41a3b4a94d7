//! Sending: messages, fragments, control frames, and what to write (RFC 6455 section 6.1).

use bytes::{Buf, Bytes, BytesMut};

use super::Settings;
use super::closing::Closing;
use super::deadlines::Deadlines;
use super::queue::Queue;
use super::receive::Progress;
use crate::entropy::Entropy;
use crate::error::{SendError, SendRefused};
use crate::frame::{CloseCode, CloseFrame, MAX_CONTROL_PAYLOAD, Opcode};
use crate::message::{Message, MessageKind};
use crate::role::Role;
use crate::time::Instant;
use crate::utf8::Utf8Pieces;

/// The sending half of a connection: what is to be written, the closing handshake and all time limits.
///
/// [`Connection`](crate::Connection) holds one together with its [`Receiver`](crate::Receiver), and its methods of the same names do the
/// same.
#[derive(Debug)]
pub struct Sender {
    pub(super) role: Role,
    write_soft: usize,
    write_hard: usize,
    pub(super) write_control: usize,
    pub(super) entropy: Option<Entropy>,
    pub(super) queue: Queue,
    /// The newest Ping that is not answered because too many control frames wait already.
    newest_ping: Option<Bytes>,
    /// The message that is being sent in fragments.
    open: Option<OpenMessage>,
    pub(super) messages: u64,
    pub(super) bytes: u64,
    /// Bytes in the queue that belong to the opening handshake and are not counted.
    reply_left: usize,
    pub(super) closing: Closing,
    pub(super) deadlines: Deadlines,
    pub(super) progress: Progress,
}

#[derive(Debug)]
struct OpenMessage {
    kind: MessageKind,
    /// For text: what was sent must be UTF-8 even across fragments.
    pieces: Utf8Pieces,
}

impl Sender {
    pub(super) fn new(
        role: Role,
        settings: &Settings,
        entropy: Option<Entropy>,
        first_output: BytesMut,
        now: Instant,
    ) -> Self {
        Self {
            role,
            write_soft: settings.limits.write_soft,
            write_hard: settings.limits.write_hard,
            write_control: settings.limits.write_control,
            entropy,
            reply_left: first_output.len(),
            queue: Queue::starting_with(first_output),
            newest_ping: None,
            open: None,
            messages: 0,
            bytes: 0,
            closing: Closing::default(),
            deadlines: Deadlines::new(&settings.timeouts, now),
            progress: Progress::default(),
        }
    }

    /// Queues a message ([RFC 6455 section 6.1]).
    ///
    /// Large payloads are not copied.
    ///
    /// # Errors
    ///
    /// Gives the message back if it cannot be queued: the closing handshake has begun, a fragmented message is being
    /// sent, or [`Limits::write_hard`](crate::Limits::write_hard) is reached.
    ///
    /// [RFC 6455 section 6.1]: https://www.rfc-editor.org/rfc/rfc6455#section-6.1
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        if let Err(reason) = self.may_begin() {
            return Err(SendError { message, reason });
        }
        let entropy = self.entropy.as_mut();
        match message {
            Message::Text(text) => self.queue.push_shared(true, Opcode::Text, text.into(), entropy),
            Message::Binary(bytes) => self.queue.push_shared(true, Opcode::Binary, bytes, entropy),
        }
        self.messages += 1;
        Ok(())
    }

    /// Queues a text message, copying it: for text that is borrowed.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    #[inline]
    pub fn send_text(&mut self, text: &str) -> Result<(), SendRefused> {
        self.send_copied(Opcode::Text, text.as_bytes())
    }

    /// Queues a binary message, copying it: for bytes that are borrowed.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    #[inline]
    pub fn send_binary(&mut self, bytes: &[u8]) -> Result<(), SendRefused> {
        self.send_copied(Opcode::Binary, bytes)
    }

    #[inline]
    fn send_copied(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), SendRefused> {
        self.may_begin()?;
        self.queue.push(true, opcode, payload, self.entropy.as_mut());
        self.messages += 1;
        Ok(())
    }

    /// Queues one fragment of a message ([RFC 6455 section 5.4]); `last` ends the message.
    ///
    /// The fragments of one message have the same `kind`, and no other message can be sent before the last of them.
    /// Fragments of text may end inside a character.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); also if `kind` is not that of the message that was begun, or the text is not UTF-8. A
    /// refused fragment changes nothing: the message is still open.
    ///
    /// [RFC 6455 section 5.4]: https://www.rfc-editor.org/rfc/rfc6455#section-5.4
    pub fn send_fragment(&mut self, kind: MessageKind, data: &[u8], last: bool) -> Result<(), SendRefused> {
        let (opcode, mut pieces) = match &self.open {
            Some(open) if open.kind != kind => return Err(SendRefused::InsideMessage),
            Some(open) => (Opcode::Continuation, open.pieces),
            None if kind == MessageKind::Text => (Opcode::Text, Utf8Pieces::default()),
            None => (Opcode::Binary, Utf8Pieces::default()),
        };
        self.may_queue()?;
        if kind == MessageKind::Text {
            let checked =
                pieces.push(data).map(|_| ()).and_then(|()| if last { pieces.finish() } else { Ok(()) });
            checked.map_err(|at| SendRefused::InvalidUtf8 { at: at.0 })?;
        }
        self.open = (!last).then_some(OpenMessage { kind, pieces });
        self.queue.push(last, opcode, data, self.entropy.as_mut());
        self.messages += u64::from(last);
        Ok(())
    }

    /// Queues a Ping ([RFC 6455 section 5.5.2]); it overtakes messages that wait.
    ///
    /// # Errors
    ///
    /// Over 125 bytes; the closing handshake has begun; or control frames of [`Limits::write_control`](crate::Limits::write_control) wait already.
    ///
    /// [RFC 6455 section 5.5.2]: https://www.rfc-editor.org/rfc/rfc6455#section-5.5.2
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendRefused> {
        self.send_control(Opcode::Ping, payload)
    }

    /// Queues a Pong that nobody asked for ([RFC 6455 section 5.5.3]). Pings are answered without it.
    ///
    /// # Errors
    ///
    /// As [`ping`](Self::ping).
    ///
    /// [RFC 6455 section 5.5.3]: https://www.rfc-editor.org/rfc/rfc6455#section-5.5.3
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendRefused> {
        self.send_control(Opcode::Pong, payload)
    }

    fn send_control(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), SendRefused> {
        if payload.len() > MAX_CONTROL_PAYLOAD {
            return Err(SendRefused::ControlTooLong { len: payload.len() });
        }
        if self.closing.has_begun() {
            return Err(SendRefused::Closing);
        }
        let (queued, limit) = (self.queue.control_len(), self.write_control);
        if queued >= limit {
            return Err(SendRefused::ControlQueueFull { queued, limit });
        }
        self.queue.push_control(opcode, payload, self.entropy.as_mut());
        Ok(())
    }

    /// Begins the closing handshake ([RFC 6455 section 7.1.2]): queues a Close frame behind the messages that wait.
    ///
    /// [`CloseCode::NO_STATUS`] with an empty reason sends a frame without code and reason.
    ///
    /// Go on reading: messages may still come, then the peer's Close frame.
    ///
    /// # Errors
    ///
    /// A code or reason that cannot be sent; or the closing handshake has begun already.
    ///
    /// [RFC 6455 section 7.1.2]: https://www.rfc-editor.org/rfc/rfc6455#section-7.1.2
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), SendRefused> {
        self.close_with(CloseFrame::new(code, reason)?)
    }

    /// As [`close`](Self::close), with a frame that is there already: one that another peer sent, perhaps.
    ///
    /// # Errors
    ///
    /// The closing handshake has begun already.
    pub fn close_with(&mut self, frame: CloseFrame) -> Result<(), SendRefused> {
        if self.closing.has_begun() {
            return Err(SendRefused::Closing);
        }
        self.queue_close(frame);
        Ok(())
    }

    /// Whether there is no reason to wait before [`send`](Self::send): fewer than [`Limits::write_soft`](crate::Limits::write_soft)
    /// bytes wait, or it would be refused anyway because the connection is closing.
    #[must_use]
    pub fn may_send(&self) -> bool {
        self.queue.len() < self.write_soft || self.closing.has_begun()
    }

    /// What to write next, as a [`bytes::Buf`]: advance it by what was written, any number of bytes at a time.
    ///
    /// The answer may change after every other call.
    pub fn transmit(&mut self) -> Transmit<'_> {
        Transmit { sender: self }
    }

    /// Answers a Ping: at once, or together with later ones if too many answers wait already.
    //= https://www.rfc-editor.org/rfc/rfc6455#section-5.5.3
    //# If an endpoint receives a Ping frame and has not yet sent Pong
    //# frame(s) in response to previous Ping frame(s), the endpoint MAY
    //# elect to send a Pong frame for only the most recently processed Ping
    //# frame.
    pub(super) fn answer_ping(&mut self, payload: &[u8]) {
        if self.queue.control_len() < self.write_control {
            self.queue.push_control(Opcode::Pong, payload, self.entropy.as_mut());
        } else {
            self.newest_ping = Some(Bytes::copy_from_slice(payload));
        }
    }

    /// Answers the Ping that was not answered at once, if there is room now.
    fn answer_newest_ping(&mut self) {
        if self.queue.control_len() < self.write_control {
            if let Some(payload) = self.newest_ping.take() {
                self.queue.push_control(Opcode::Pong, &payload, self.entropy.as_mut());
            }
        }
    }

    /// Queues the one Close frame of this end.
    pub(super) fn queue_close(&mut self, frame: CloseFrame) {
        let mut payload = alloc::vec::Vec::new();
        frame.encode(&mut payload);
        self.queue.push(true, Opcode::Close, &payload, self.entropy.as_mut());
        self.closing.queued(frame, self.role);
        self.open = None;
    }

    /// Drops everything that is held: the connection is over.
    pub(super) fn release(&mut self) {
        self.queue.clear();
        self.newest_ping = None;
        self.open = None;
    }

    fn may_begin(&self) -> Result<(), SendRefused> {
        if self.open.is_some() {
            return Err(SendRefused::InsideMessage);
        }
        self.may_queue()
    }

    #[inline]
    fn may_queue(&self) -> Result<(), SendRefused> {
        if self.closing.has_begun() {
            return Err(SendRefused::Closing);
        }
        let (queued, limit) = (self.queue.len(), self.write_hard);
        if queued >= limit { Err(SendRefused::QueueFull { queued, limit }) } else { Ok(()) }
    }
}

/// The bytes that wait to be written; made by [`Connection::transmit`](crate::Connection::transmit).
///
/// With the feature `std`, [`Buf::chunks_vectored`] gives all pieces for one vectored write.
#[derive(Debug)]
pub struct Transmit<'a> {
    sender: &'a mut Sender,
}

impl Buf for Transmit<'_> {
    fn remaining(&self) -> usize {
        self.sender.queue.len()
    }

    fn chunk(&self) -> &[u8] {
        self.sender.queue.first()
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for (slice, piece) in slices.iter_mut().zip(self.sender.queue.pieces()) {
            *slice = std::io::IoSlice::new(piece);
            filled += 1;
        }
        filled
    }

    /// Notes that `n` bytes were written.
    ///
    /// # Panics
    ///
    /// If `n` is more than [`remaining`](Buf::remaining).
    fn advance(&mut self, n: usize) {
        self.sender.queue.advance(n);
        let reply = n.min(self.sender.reply_left);
        self.sender.reply_left -= reply;
        self.sender.bytes += (n - reply) as u64;
        self.sender.answer_newest_ping();
        self.sender.settle();
    }
}
