//! Receiving: from bytes to events (RFC 6455 sections 5.2 to 5.7 and 6.2).
//!
//! A [`Receiver`] takes in all input that it is given: what is no whole frame yet is kept here, so that the caller's
//! buffer is free again after each read. Answers (Pong, Close) are the [`Sender`](crate::Sender)'s to give. The loop over the input is
//! in `read.rs`; what becomes of payload data that arrives in pieces, in `arriving.rs`.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::BytesMut;

use super::Settings;
use super::arriving::{Arriving, ArrivingFrame, Content};
use super::direct::LargeFrame;
use super::read::Reader;
use super::whole::MessageLimits;
use crate::config::Delivery;
use crate::error::{Failure, LimitExceeded, Position, Violation};
use crate::event::Event;
use crate::extension::{DeflateConfig, DeflateParams, Inflation};
use crate::frame::{FrameHeader, MAX_HEADER, Opcode, Rules};
use crate::role::Role;

/// The receiving half of a connection: decodes what the peer sends, and decides nothing else.
///
/// [`Connection`](crate::Connection) holds one together with its [`Sender`](crate::Sender). After
/// [`Connection::split`](crate::Connection::split) they can live in two tasks; then every event that is not a message must be handed
/// to [`Sender::handle`](crate::Sender::handle), which gives the answers.
pub struct Receiver {
    pub(super) role: Role,
    pub(super) delivery: Delivery,
    pub(super) max_message: usize,
    pub(super) max_frame: usize,
    pub(super) max_fragments: u32,
    max_inflate_ratio: u32,
    /// Where messages may be compressed.
    pub(super) inflation: Option<Box<Inflation>>,
    pub(super) stage: Stage,
    /// The message that is arriving in several frames or reads.
    pub(super) message: Option<Arriving>,
    /// Payload data of a control frame that arrives in several reads.
    pub(super) control: Vec<u8>,
    /// The start of a header that arrives in several reads.
    pub(super) header: [u8; MAX_HEADER],
    pub(super) header_len: u8,
    /// The last reader left input that it had not looked at.
    pub(super) unread: bool,
    pub(super) bytes: u64,
    pub(super) messages: u64,
    pub(super) large_frame: LargeFrame,
}

/// What is expected next.
#[derive(Debug)]
pub(super) enum Stage {
    Header,
    Payload(ArrivingFrame),
    /// After a Close frame or a failure: input is discarded.
    Ended,
}

/// What the receiver has seen; the [`Sender`](crate::Sender) needs it to judge time limits and to report how a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes received.
    pub bytes: u64,
    /// Whole messages received.
    pub messages: u64,
    /// Where the byte stream stands.
    pub position: Position,
    /// Whether input is waiting that was not looked at: the application is slower than the peer.
    pub unread: bool,
}

impl Receiver {
    pub(super) fn new(role: Role, settings: &Settings) -> Self {
        Self {
            role,
            delivery: Delivery::default(),
            max_message: settings.limits.message,
            max_frame: settings.limits.frame,
            max_fragments: settings.limits.fragments.max(1),
            max_inflate_ratio: settings.limits.inflate_ratio,
            inflation: None,
            stage: Stage::Header,
            message: None,
            control: Vec::new(),
            header: [0; MAX_HEADER],
            header_len: 0,
            unread: false,
            bytes: 0,
            messages: 0,
            large_frame: LargeFrame::default(),
        }
    }

    /// Inflates compressed messages from now on.
    pub(super) fn agree(&mut self, config: &DeflateConfig, params: &DeflateParams) {
        let takeover = !params.no_context_takeover(self.role.peer());
        let inflation = Inflation::new(config, takeover, self.max_message, self.max_inflate_ratio);
        self.inflation = Some(inflation);
    }

    /// Starts reading `input`. Take events until there are none; then all of `input` is consumed.
    ///
    /// A reader that is dropped earlier leaves in `input` what it did not look at; append to it or not, and read again.
    /// Nothing is lost or given twice.
    ///
    /// Hand every event that is not a message to [`Sender::handle`](crate::Sender::handle).
    pub fn read<'a>(&'a mut self, input: &'a mut BytesMut) -> Reader<'a> {
        Reader::new(self, None, input)
    }

    /// Chooses what events carry, from the next message on: whole messages (the default) or pieces as they arrive.
    pub fn set_delivery(&mut self, delivery: Delivery) {
        self.delivery = delivery;
    }

    /// Notes that the application has stopped reading the byte stream, so that what the peer has sent is not seen.
    ///
    /// Until the next [`read`](Self::read), limits on what the peer sends do not count, but a peer that does not take what is
    /// written to it still runs into the Pong limit. To call it again, or while input is left, does no harm.
    ///
    /// Nor does an end count until then, as it lies behind what was not seen. If the next thing in the stream is its end,
    /// [`read`](Self::read) the empty input, and then tell it; else the connection stays.
    pub fn pause(&mut self) {
        self.unread = true;
    }

    /// What was received so far; for [`Sender::observe`](crate::Sender::observe).
    #[must_use]
    pub fn progress(&self) -> Progress {
        let position = match self.stage {
            Stage::Payload(_) => Position::Frame,
            _ if self.header_len > 0 => Position::Frame,
            _ if self.message.is_some() => Position::Message,
            _ => Position::Boundary,
        };
        Progress { bytes: self.bytes, messages: self.messages, position, unread: self.unread }
    }

    /// Bytes of payload data that have come and are held here, because their message has not come as a whole: inflated, where it is
    /// compressed. What is reserved ahead of them and not written to is not counted, nor are windows of compression.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let assembled = match &self.message {
            Some(Arriving { content: Content::Assembled { assembly, .. }, .. }) => assembly.len(),
            _ => 0,
        };
        let inflated = self.inflation.as_ref().map_or(0, |inflation| inflation.held_bytes());
        assembled + self.control.len() + inflated
    }

    /// Ends receiving because there is no memory for what has come: for a server whose connections together may hold `limit` bytes.
    ///
    /// What is held is freed. Hand the event, [`Failure::OutOfMemory`], to [`Sender::handle`](crate::Sender::handle): it answers with a Close frame
    /// with the code 1013 (try again later), as the message may have room a moment later.
    ///
    /// ```
    /// use sansocket::{Receiver, Sender};
    ///
    /// /// To be called after each read, with what the other connections hold.
    /// fn heed(receiver: &mut Receiver, sender: &mut Sender, others: usize, limit: usize) {
    ///     let held = receiver.held_bytes() + sender.queued_bytes();
    ///     if others.saturating_add(held) > limit {
    ///         sender.handle(&receiver.exceed_budget(limit));
    ///     }
    /// }
    /// ```
    #[must_use]
    #[cold]
    pub fn exceed_budget(&mut self, limit: usize) -> Event<'static> {
        let held = self.held_bytes();
        self.fail(Failure::OutOfMemory { held, limit })
    }

    /// Frees the payload data of a control frame whose event is gone: an idle connection holds no buffer.
    #[inline]
    pub(super) fn release_control(&mut self) {
        let arriving = matches!(&self.stage, Stage::Payload(frame) if frame.opcode.is_control());
        if self.control.capacity() > 0 && !arriving {
            self.control = Vec::new();
        }
    }

    /// The piece of a compressed message that was inflated last.
    pub(super) fn inflated(&self) -> &[u8] {
        self.inflation.as_ref().map_or(&[], |inflation| inflation.output())
    }

    /// Frees the piece that was inflated last, whose event is gone.
    #[inline]
    pub(super) fn release_inflated(&mut self) {
        // Whether a piece is the last one of its frame shows when there is no other.
        let end_waits =
            self.passes_inflated() && matches!(&self.stage, Stage::Payload(frame) if frame.to_come == 0);
        if let Some(inflation) = &mut self.inflation {
            let whole = matches!(&self.message, Some(Arriving { content: Content::Inflated { .. }, .. }));
            self.unread |= end_waits || inflation.has_held();
            if !whole {
                inflation.release_buffer();
            }
        }
    }

    /// Ends receiving because of the peer's fault.
    #[cold]
    pub(super) fn fail<'a>(&mut self, failure: impl Into<Failure>) -> Event<'a> {
        self.end();
        Event::Failed(failure.into())
    }

    /// Ends receiving: no message follows.
    pub(super) fn end(&mut self) {
        self.stage = Stage::Ended;
        self.message = None;
        self.inflation = None;
        self.control = Vec::new();
        self.header_len = 0;
    }

    /// What may be in the next header.
    #[inline]
    pub(super) fn rules(&self) -> Rules {
        Rules { role: self.role, deflate: self.inflation.is_some() }
    }

    /// Checks a header against what came before it and against the limits, before anything is reserved for its payload.
    #[inline]
    pub(super) fn admit(&self, header: &FrameHeader) -> Result<(), Failure> {
        let (frames, declared, compressed) = match (header.opcode, &self.message) {
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => return Ok(()),
            (Opcode::Continuation, None) => return Err(Violation::UnexpectedContinuation.into()),
            (Opcode::Text | Opcode::Binary, Some(_)) => return Err(Violation::MessageInsideMessage.into()),
            (Opcode::Text | Opcode::Binary, None) => (0, 0, header.compressed),
            (Opcode::Continuation, Some(message)) => (message.frames, message.declared, message.compressed),
        };
        let on_wire = |limit: usize| if compressed { with_margin(limit) } else { limit as u64 };
        let len = declared.saturating_add(header.payload_len);
        // Who flushes what it compresses for each fragment needs a few bytes more for each.
        let flushes = if compressed { u64::from(frames) * FLUSH } else { 0 };
        if len > on_wire(self.max_message).saturating_add(flushes) {
            return Err(LimitExceeded::Message { len, limit: self.max_message }.into());
        }
        if header.payload_len > on_wire(self.max_frame) {
            return Err(LimitExceeded::Frame { len: header.payload_len, limit: self.max_frame }.into());
        }
        if frames >= self.max_fragments {
            return Err(LimitExceeded::Fragments { limit: self.max_fragments }.into());
        }
        Ok(())
    }

    /// What a message may have, if one begins with the next byte and is delivered as a whole.
    #[inline]
    pub(super) fn expects_message(&self) -> Option<MessageLimits> {
        let expected = matches!(self.stage, Stage::Header)
            && self.header_len == 0
            && self.message.is_none()
            && self.delivery == Delivery::Messages;
        expected.then_some(MessageLimits {
            len: self.max_message.min(self.max_frame),
            fragments: self.max_fragments,
        })
    }
}

/// The limit on the compressed bytes of what may inflate to `limit` bytes.
fn with_margin(limit: usize) -> u64 {
    (limit as u64).saturating_add(limit as u64 / 8).saturating_add(64)
}

/// Bytes that a flush between two fragments costs at most: an empty block and what is left open before it, generously.
const FLUSH: u64 = 16;
