//! Reading a large message straight to where it is put together, so that its bytes are written once.

use alloc::vec::Vec;

use bytes::BufMut;
use bytes::buf::Limit;

use super::arriving::{Arriving, ArrivingFrame, Content};
use super::assemble::{Assembled, Assembly};
use super::receive::{Receiver, Stage};
use crate::error::Failure;
use crate::frame::MAX_HEADER;
use crate::role::Role;

/// The large frame that came last, which lets the next one be expected to be large, too.
#[derive(Debug, Default)]
pub(super) struct LargeFrame {
    /// Bytes of its message, or of the one before, if that is more and its own goes on; 0 if there was none.
    earned: usize,
    /// Messages that had come when it ended: with another one it is forgotten.
    messages: u64,
}

impl Receiver {
    /// Where to put the next bytes of a large message, so that they are written once.
    ///
    /// `None` means: into the usual input. Otherwise append up to [`remaining_mut`](BufMut::remaining_mut) bytes to the
    /// buffer instead of the input (which must be empty, as it is after a reader is used up), and then call
    /// [`read`](Self::read) with the empty input. What is in the buffer already must stay as it is.
    ///
    /// Text has a buffer as long as it is ASCII: other text is checked as it comes, and then copied.
    ///
    /// Without this the bytes go through the input, which is one copy more and no fault.
    pub fn payload_buffer(&mut self) -> Option<Limit<&mut Vec<u8>>> {
        let Stage::Payload(frame) = &self.stage else { return None };
        if frame.opcode.is_control() || frame.to_come < MIN_DIRECT {
            return None;
        }
        let Content::Assembled { assembly, unmasked } = &mut self.message.as_mut()?.content else {
            return None;
        };
        if *unmasked == 0 {
            // Nothing has come of what was declared, so nothing is reserved for it.
            return None;
        }
        let buffer = assembly.buffer(&frame.ahead(0))?;
        let arrived = buffer.len().saturating_sub(*unmasked);
        let room = buffer.capacity() - buffer.len();
        let to_come = usize::try_from(frame.to_come).unwrap_or(usize::MAX) - arrived;
        Some(buffer.limit(room.min(to_come)))
    }

    /// How many bytes the next read into the usual input should bring at most; `usize::MAX` if there is no reason for fewer.
    ///
    /// Where large frames follow each other there is: of a frame, what comes with the read that brings its header is copied, and the rest
    /// is read straight to where it belongs, see [`payload_buffer`](Self::payload_buffer). To read more is no mistake.
    #[must_use]
    pub fn read_at_most(&self) -> usize {
        let expects_large = matches!(self.stage, Stage::Header) && self.earned() > 0;
        match self.role {
            _ if !expects_large => usize::MAX,
            Role::Server => MAX_HEADER + FIRST_PAYLOAD,
            Role::Client => MAX_HEADER - MASKING_KEY + FIRST_PAYLOAD,
        }
    }

    /// Takes in what the caller put into the [`payload_buffer`](Self::payload_buffer).
    pub(super) fn take_direct(&mut self) -> Result<Option<Assembled>, Failure> {
        let Stage::Payload(frame) = &mut self.stage else { return Ok(None) };
        let Some(Arriving { content: Content::Assembled { assembly, unmasked }, .. }) = &mut self.message
        else {
            return Ok(None);
        };
        let len = (assembly.direct(*unmasked) as u64).min(frame.to_come);
        if len == 0 {
            return Ok(None);
        }
        // They have come, also if they are none that may come.
        self.bytes += len;
        frame.to_come -= len;
        let completes = frame.fin && frame.to_come == 0;
        assembly.take_direct(*unmasked, len as usize, &mut frame.mask, completes)?;
        *unmasked += len as usize;
        if frame.to_come > 0 {
            return Ok(None);
        }
        let (fin, earned) = (frame.fin, frame.earns(assembly, *unmasked));
        self.stage = Stage::Header;
        let message = if fin { self.finish_message()? } else { None };
        self.expect_large(earned);
        Ok(message)
    }

    /// Expects the frame behind the one that has just ended to be large, if `earned` is above 0.
    pub(super) fn expect_large(&mut self, earned: usize) {
        self.large_frame = LargeFrame { earned, messages: self.messages };
    }

    /// What the next data frame has [earned](ArrivingFrame::earned).
    fn earned(&self) -> usize {
        if self.large_frame.messages == self.messages { self.large_frame.earned } else { 0 }
    }

    /// As [`earned`](Self::earned), for the frame that begins now; what was before it is forgotten.
    pub(super) fn take_earned(&mut self) -> usize {
        let earned = self.earned();
        self.large_frame = LargeFrame::default();
        earned
    }
}

impl ArrivingFrame {
    /// What the next frame has [earned](Self::earned), if `come` bytes of the message have come at the end of this one.
    pub(super) fn earns(&self, assembly: &Assembly, come: usize) -> usize {
        match self.len >= LARGE_FRAME && assembly.has_buffer() {
            true if self.fin => come,
            true => come.max(self.earned),
            false => 0,
        }
    }
}

/// Payload data still to come from which on it is read straight into the message.
const MIN_DIRECT: u64 = 8 * 1024;

/// Bytes of a frame from which on the next one is expected to be as large: it does not fit into the usual read block.
const LARGE_FRAME: u64 = 64 * 1024;

/// Bytes of payload data to read with a header: few, as they are copied, and so many that what follows is aligned, which makes it up to
/// a fifth faster to write. Allocators keep 16 bytes before a large buffer.
const FIRST_PAYLOAD: usize = 1024 - 16;

/// Bytes of a masking-key.
const MASKING_KEY: usize = 4;
