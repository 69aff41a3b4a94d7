//! Sending: messages and fragments (RFC 6455 section 6.1). Control frames are in `control.rs`, what to write in `transmit.rs`.

use alloc::boxed::Box;

use bytes::BytesMut;

use super::Settings;
use super::closing::Closing;
use super::deadlines::Deadlines;
use super::prepared::Prepared;
use super::queue::Queue;
use super::receive::Progress;
use super::transmit::Transmit;
use crate::entropy::Entropy;
use crate::error::{SendError, SendRefused};
use crate::extension::{DeflateConfig, DeflateParams, Deflation};
use crate::frame::{FirstByte, Flags, Opcode};
use crate::message::{Message, MessageKind};
use crate::role::Role;
use crate::time::Instant;
use crate::utf8::Utf8Pieces;

/// The sending half of a connection: what is to be written, the closing handshake and all time limits.
///
/// [`Connection`](crate::Connection) holds one together with its [`Receiver`](crate::Receiver), and its methods of the same names do the
/// same.
pub struct Sender {
    pub(super) role: Role,
    write_soft: usize,
    write_hard: usize,
    pub(super) write_control: usize,
    pub(super) entropy: Option<Entropy>,
    pub(super) queue: Queue,
    /// Where messages may be compressed.
    deflation: Option<Box<Deflation>>,
    /// What was agreed on, also when the connection has ended.
    agreed: Option<DeflateParams>,
    /// The newest Ping that is not answered because too many control frames wait already.
    pub(super) newest_ping: Option<Box<[u8]>>,
    /// The message that is being sent in fragments.
    pub(super) open: Option<OpenMessage>,
    pub(super) messages: u64,
    /// Bytes of frames that have left; below zero until the reply of the opening handshake has.
    pub(super) bytes: i64,
    pub(super) closing: Closing,
    pub(super) deadlines: Deadlines,
    pub(super) progress: Progress,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct OpenMessage {
    kind: MessageKind,
    compressed: bool,
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
            bytes: -(first_output.len() as i64),
            queue: Queue::starting_with(first_output),
            deflation: None,
            agreed: None,
            newest_ping: None,
            open: None,
            messages: 0,
            closing: Closing::default(),
            deadlines: Deadlines::new(&settings.timeouts, now),
            progress: Progress::default(),
        }
    }

    /// Compresses messages from now on.
    pub(super) fn agree(&mut self, config: &DeflateConfig, params: &DeflateParams) {
        self.deflation = Some(Deflation::new(config, params, self.role));
        self.agreed = Some(*params);
    }

    /// What was agreed on in the opening handshake about the compression of messages, if anything was.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(&self) -> Option<DeflateParams> {
        self.agreed
    }

    /// Whether to compress the messages that are sent from now on, where it was agreed on. At first, `true`.
    ///
    /// Switch it off for messages that are compressed already, as most images are, and for those that hold a secret next to
    /// what somebody else chose. A message that is being sent in fragments goes on as it began.
    #[cfg(feature = "deflate")]
    pub fn set_compression(&mut self, enabled: bool) {
        if let Some(deflation) = &mut self.deflation {
            deflation.enabled = enabled;
        }
    }

    /// Whether messages are compressed; see [`set_compression`](Self::set_compression). `false` where it was not agreed on.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compression(&self) -> bool {
        self.deflation.as_ref().is_some_and(|deflation| deflation.enabled)
    }

    /// Queues a message ([RFC 6455 section 6.1]).
    ///
    /// Large payloads are not copied, unless they are compressed.
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
        let opcode = message.kind().into();
        if !self.push_compressed(opcode, message.as_bytes()) {
            self.queue.push_shared(opcode, message.into_bytes(), self.entropy.as_mut());
        }
        self.messages += 1;
        Ok(())
    }

    /// Queues a message that goes to many connections; it is encoded, and compressed, once for all of them.
    ///
    /// Where context takeover was agreed on, the messages after it begin with an empty window.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_prepared(&mut self, message: &Prepared) -> Result<(), SendRefused> {
        self.may_begin()?;
        let deflation = self.deflation.as_mut().filter(|deflation| deflation.wants(message.as_bytes().len()));
        let compressed = deflation.and_then(|deflation| message.compressed(deflation));
        let frame = compressed.unwrap_or_else(|| message.plain());
        match &mut self.entropy {
            None => self.queue.push_encoded(frame.bytes),
            entropy => {
                let first = FirstByte::new(frame.flags, message.kind().into());
                self.queue.push(first, frame.payload(), entropy.as_mut());
            }
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

    #[inline(always)] // into the two above: handing everything over takes a fifth of a small message's instructions
    fn send_copied(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), SendRefused> {
        if self.deflation.is_some() || self.may_begin().is_err() {
            return self.send_compressed_or_refuse(opcode, payload);
        }
        self.messages += 1;
        self.queue.push(FirstByte::new(Flags::WHOLE, opcode), payload, self.entropy.as_mut());
        Ok(())
    }

    /// Apart, because the rest of it is inlined where it is called.
    #[inline(never)]
    fn send_compressed_or_refuse(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), SendRefused> {
        self.may_begin()?;
        if !self.push_compressed(opcode, payload) {
            self.queue.push(FirstByte::new(Flags::WHOLE, opcode), payload, self.entropy.as_mut());
        }
        self.messages += 1;
        Ok(())
    }

    /// Queues a message compressed, if that was agreed on and is worth it.
    #[inline]
    fn push_compressed(&mut self, opcode: Opcode, payload: &[u8]) -> bool {
        let Some(deflation) = &mut self.deflation else { return false };
        if !deflation.wants(payload.len()) {
            return false;
        }
        let compressed = deflation.message(payload);
        let is_compressed = compressed.is_some();
        if let Some(compressed) = compressed {
            self.queue.push(FirstByte::new(Flags::COMPRESSED, opcode), compressed, self.entropy.as_mut());
        }
        deflation.release_buffer();
        is_compressed
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
        let (opcode, mut open) = match self.open {
            Some(open) if open.kind != kind => return Err(SendRefused::InsideMessage),
            Some(open) => (Opcode::Continuation, open),
            None => (kind.into(), self.begin(kind, data.len(), last)),
        };
        self.may_queue()?;
        if kind == MessageKind::Text {
            let pieces = &mut open.pieces;
            let checked =
                pieces.push(data).map(|_| ()).and_then(|()| if last { pieces.finish() } else { Ok(()) });
            checked.map_err(|at| SendRefused::InvalidUtf8 { at: at.0 })?;
        }
        self.open = (!last).then_some(open);
        match self.deflation.as_mut().filter(|_| open.compressed) {
            Some(deflation) => {
                let flags = Flags { fin: last, compressed: opcode != Opcode::Continuation };
                self.queue.push(
                    FirstByte::new(flags, opcode),
                    deflation.fragment(data, last),
                    self.entropy.as_mut(),
                );
                deflation.release_buffer();
            }
            None => {
                let flags = Flags { fin: last, compressed: false };
                self.queue.push(FirstByte::new(flags, opcode), data, self.entropy.as_mut());
            }
        }
        self.messages += u64::from(last);
        Ok(())
    }

    /// A message whose first fragment has `len` bytes.
    fn begin(&self, kind: MessageKind, len: usize, last: bool) -> OpenMessage {
        // How long it becomes is not known unless there is no other.
        let wants = |deflation: &Deflation| deflation.wants(if last { len } else { usize::MAX });
        let compressed = self.deflation.as_deref().is_some_and(wants);
        OpenMessage { kind, compressed, pieces: Utf8Pieces::default() }
    }

    /// Whether there is no reason to wait before [`send`](Self::send): fewer than [`Limits::write_soft`](crate::Limits::write_soft)
    /// bytes wait, or it would be refused anyway because the connection is closing.
    #[must_use]
    #[inline]
    pub fn may_send(&self) -> bool {
        self.queue.len() < self.write_soft || self.closing.has_begun()
    }

    /// Bytes that wait to be written, frame headers included: those of [`transmit`](Self::transmit).
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.queue.len()
    }

    /// Bytes of messages and of a Close frame that wait to be written; Pings and Pongs are not among them.
    pub(crate) fn data_waiting(&self) -> usize {
        self.queue.data_len()
    }

    /// What to write next, as a [`bytes::Buf`]: advance it by what was written, any number of bytes at a time.
    ///
    /// The answer may change after every other call.
    #[inline]
    pub fn transmit(&mut self) -> Transmit<'_> {
        Transmit { sender: self }
    }

    /// Bytes of frames that were written.
    pub(super) fn bytes(&self) -> u64 {
        u64::try_from(self.bytes).unwrap_or(0)
    }

    /// Bytes of the opening handshake's reply that were not written.
    pub(super) fn reply_waiting(&self) -> usize {
        usize::try_from(-self.bytes).unwrap_or(0)
    }

    /// Drops everything that is held: the connection is over.
    pub(super) fn release(&mut self) {
        self.queue.clear();
        self.deflation = None;
        self.newest_ping = None;
        self.open = None;
    }

    #[inline]
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
