//! What arrives in pieces: frames that are not there as a whole, and messages of several frames, up to where they are complete.

use super::assemble::{Ahead, Assembled, Assembly, invalid_utf8};
use super::receive::{Receiver, Stage};
use crate::config::Delivery;
use crate::error::Failure;
use crate::frame::{FrameHeader, Mask, Opcode};
use crate::message::MessageKind;
use crate::utf8::Utf8Pieces;

/// A frame whose payload data has not arrived as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct ArrivingFrame {
    pub(super) opcode: Opcode,
    pub(super) fin: bool,
    pub(super) mask: Option<Mask>,
    pub(super) len: u64,
    pub(super) to_come: u64,
    /// Bytes of its message that may be reserved before they come: the message before had so many, in large frames.
    pub(super) earned: usize,
}

/// A message that has not arrived as a whole.
pub(super) struct Arriving {
    pub(super) kind: MessageKind,
    pub(super) compressed: bool,
    pub(super) frames: u32,
    /// Payload data declared by the frames so far.
    pub(super) declared: u64,
    pub(super) content: Content,
}

pub(super) enum Content {
    /// The pieces are put together; what is beyond `unmasked` was put there by the caller, see
    /// [`Receiver::payload_buffer`].
    Assembled { assembly: Assembly, unmasked: usize },
    /// The pieces are inflated into the output of the inflation. Text is checked there as a whole; what came of it in earlier
    /// reads also then, so that a fault is found when it is there.
    Inflated { pieces: Utf8Pieces, checked: usize },
    /// The pieces are passed on; text is checked on the way.
    Passed { pieces: Option<Utf8Pieces>, begun: bool },
}

/// What became of a piece of payload data.
pub(super) enum Taken {
    /// It is kept until there is more.
    Part,
    /// It completed a message.
    Message(Assembled),
    /// It completed a message that is in the output of the inflation.
    Inflated(MessageKind),
    /// It completed the control frame in [`Receiver::control`].
    Control(Opcode),
    /// It is to be passed on.
    Chunk(Chunking),
}

/// Where a piece of payload data that is passed on stands in its message.
pub(super) struct Chunking {
    pub(super) kind: MessageKind,
    pub(super) first: bool,
    pub(super) frame_end: bool,
    pub(super) last: bool,
}

impl Receiver {
    /// Begins the payload of a frame that was [admitted](Self::admit).
    pub(super) fn begin(&mut self, header: &FrameHeader) {
        let FrameHeader { fin, opcode, payload_len, mask, compressed } = *header;
        let mut frame =
            ArrivingFrame { opcode, fin, mask, len: payload_len, to_come: payload_len, earned: 0 };
        if opcode.is_control() {
            self.control.clear();
            self.stage = Stage::Payload(frame);
            return;
        }
        frame.earned = self.take_earned();
        self.stage = Stage::Payload(frame);
        let kind = if opcode == Opcode::Text { MessageKind::Text } else { MessageKind::Binary };
        let delivery = self.delivery;
        let message = self.message.get_or_insert_with(|| Arriving::new(kind, compressed, delivery));
        if let Some(inflation) = self.inflation.as_mut().filter(|_| compressed) {
            inflation.begin();
        }
        message.frames += 1;
        message.declared += payload_len;
    }

    /// Takes in payload data of the frame that is arriving, and unmasks it; not more than is to come. So many bytes of input are
    /// `behind` it.
    pub(super) fn take(&mut self, data: &mut [u8], behind: usize) -> Result<Taken, Failure> {
        let Stage::Payload(mut frame) = self.stage else { return Ok(Taken::Part) };
        frame.to_come -= data.len() as u64;
        let frame_end = frame.to_come == 0;
        let is_control = frame.opcode.is_control();
        let last = frame_end && frame.fin && !is_control;
        let mut earned = 0;
        let taken = match &mut self.message {
            _ if is_control => {
                frame.unmask(data);
                self.control.extend_from_slice(data);
                if frame_end { Taken::Control(frame.opcode) } else { Taken::Part }
            }
            Some(Arriving { content: Content::Assembled { assembly, unmasked }, .. }) => {
                assembly.reserve(data.len(), &frame.ahead(behind));
                assembly.push(data, &mut frame.mask, last)?;
                *unmasked += data.len();
                earned = frame.earns(assembly, *unmasked);
                Taken::Part
            }
            Some(Arriving {
                content: Content::Passed { pieces, begun }, kind, compressed: false, ..
            }) => {
                frame.unmask(data);
                if let Some(pieces) = pieces {
                    pieces.push(data).map_err(invalid_utf8)?;
                }
                let first = !core::mem::replace(begun, true);
                Taken::Chunk(Chunking { kind: *kind, first, frame_end, last })
            }
            Some(Arriving { content, kind, .. }) => {
                frame.unmask(data);
                let Some(inflation) = &mut self.inflation else { return Ok(Taken::Part) };
                if matches!(content, Content::Passed { .. }) {
                    inflation.hold(data);
                    // The frame ends when all that it inflates to has been passed on.
                    self.stage = Stage::Payload(frame);
                    return Ok(Taken::Part);
                }
                let extended = inflation.extend(data, last);
                if let Content::Inflated { pieces, checked } = content {
                    // A whole message is checked at once, where it is given out. What came before another fault is
                    // checked first, so that the first fault counts however the message arrives.
                    if *kind == MessageKind::Text && (!last || extended.is_err()) {
                        let output = inflation.output();
                        pieces.push(output.get(*checked..).unwrap_or_default()).map_err(invalid_utf8)?;
                        *checked = output.len();
                    }
                }
                extended?;
                if last { Taken::Inflated(*kind) } else { Taken::Part }
            }
            None => Taken::Part,
        };
        self.stage = if frame_end { Stage::Header } else { Stage::Payload(frame) };
        if let Taken::Inflated(_) = taken {
            self.end_compressed();
            return Ok(taken);
        }
        let message = if last { self.finish_message()? } else { None };
        if frame_end && earned > 0 {
            self.expect_large(earned);
        }
        Ok(message.map_or(taken, Taken::Message))
    }

    /// Whether payload data of the frame that is arriving is inflated and passed on.
    #[inline]
    pub(super) fn passes_inflated(&self) -> bool {
        let passes =
            |message: &Arriving| message.compressed && matches!(message.content, Content::Passed { .. });
        self.inflation.is_some()
            && matches!(&self.stage, Stage::Payload(frame) if !frame.opcode.is_control())
            && self.message.as_ref().is_some_and(passes)
    }

    /// Inflates the next piece of what was taken in, to be passed on: the [output](Inflation::output). None means that more
    /// of the frame is needed.
    pub(super) fn next_inflated(&mut self) -> Result<Option<Chunking>, Failure> {
        let Stage::Payload(frame) = self.stage else { return Ok(None) };
        let Some(inflation) = &mut self.inflation else { return Ok(None) };
        let Some(Arriving { kind, content: Content::Passed { pieces, begun }, .. }) = &mut self.message
        else {
            return Ok(None);
        };
        let all_arrived = frame.to_come == 0;
        let has_piece = inflation.next_piece(all_arrived && frame.fin)?;
        if !has_piece && !all_arrived {
            return Ok(None);
        }
        if let Some(pieces) = pieces {
            pieces.push(inflation.output()).map_err(invalid_utf8)?;
        }
        let first = !core::mem::replace(begun, true);
        // Whether a piece is the last one shows when there is no other.
        let frame_end = !has_piece;
        let last = frame_end && frame.fin;
        let chunking = Chunking { kind: *kind, first, frame_end, last };
        if frame_end {
            self.stage = Stage::Header;
        }
        if last {
            self.finish_message()?;
        }
        Ok(Some(chunking))
    }

    /// The compressed message that was arriving is complete.
    fn end_compressed(&mut self) {
        self.message = None;
        if let Some(inflation) = &mut self.inflation {
            inflation.finish();
        }
    }

    pub(super) fn finish_message(&mut self) -> Result<Option<Assembled>, Failure> {
        let message = self.message.take();
        if message.as_ref().is_some_and(|message| message.compressed) {
            self.end_compressed();
        }
        let assembled = match message.map(|message| message.content) {
            Some(Content::Assembled { assembly, .. }) => Some(assembly.finish()?),
            Some(Content::Passed { pieces, .. }) => {
                pieces.map_or(Ok(()), Utf8Pieces::finish).map_err(invalid_utf8)?;
                None
            }
            Some(Content::Inflated { .. }) | None => None,
        };
        self.messages += 1;
        Ok(assembled)
    }
}

impl ArrivingFrame {
    /// What is known of the payload data to come, if so many bytes of input were not looked at.
    pub(super) fn ahead(&self, behind: usize) -> Ahead {
        Ahead { to_come: self.to_come, goes_on: !self.fin, earned: self.earned, behind }
    }

    fn unmask(&mut self, data: &mut [u8]) {
        if let Some(mask) = &mut self.mask {
            mask.apply(data);
        }
    }
}

impl Arriving {
    fn new(kind: MessageKind, compressed: bool, delivery: Delivery) -> Self {
        let content = match delivery {
            Delivery::Messages if compressed => {
                Content::Inflated { pieces: Utf8Pieces::default(), checked: 0 }
            }
            Delivery::Messages => Content::Assembled { assembly: Assembly::new(kind), unmasked: 0 },
            Delivery::Chunks => Content::Passed {
                pieces: (kind == MessageKind::Text).then(Utf8Pieces::default),
                begun: false,
            },
        };
        Self { kind, compressed, frames: 0, declared: 0, content }
    }
}
