//! Inflating compressed messages, in pieces of bounded size (RFC 7692 section 7.2.2).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::config::DeflateConfig;
use super::pool::Pool;
use crate::error::{Failure, LimitExceeded, Violation};

/// What a connection needs to inflate: the window, if it is kept between messages, and the message that is arriving.
///
/// What a message inflates to lies in one buffer, where a back-reference costs least. A whole message stays there; a message
/// that is passed on in pieces overwrites one with the next.
pub(crate) struct Inflation {
    pool: Pool,
    spare_contexts: usize,
    takeover: bool,
    max_message: usize,
    max_ratio: u32,
    stream: Option<Inflate>,
    /// Where the output goes; borrowed from the pool while it is in use.
    buffer: Vec<u8>,
    /// Bytes of the buffer that are output.
    len: usize,
    /// Compressed data of a message that is passed on.
    held: Vec<u8>,
    held_used: usize,
    message: Message,
}

/// How far the message that is arriving is.
#[derive(Debug, Default, Clone, Copy)]
struct Message {
    /// Compressed bytes taken in.
    taken: u64,
    /// Bytes that came out.
    produced: u64,
    /// The room for output was filled: there may be more for the same input.
    more: bool,
    /// The last block was marked as final and nothing came after it.
    final_block: bool,
    /// Bytes of [`TAIL`] taken in.
    tail: usize,
    complete: bool,
}

impl Inflation {
    pub(crate) fn new(
        config: &DeflateConfig,
        takeover: bool,
        max_message: usize,
        max_ratio: u32,
    ) -> Box<Self> {
        Box::new(Self {
            pool: config.pool.clone(),
            spare_contexts: config.spare_contexts,
            takeover,
            max_message,
            max_ratio,
            stream: None,
            buffer: Vec::new(),
            len: 0,
            held: Vec::new(),
            held_used: 0,
            message: Message::default(),
        })
    }

    /// A compressed message begins.
    pub(crate) fn begin(&mut self) {
        self.message = Message::default();
        self.len = 0;
    }

    /// Adds to the output what `data` inflates to; `last` says that the message ends behind it.
    pub(crate) fn extend(&mut self, mut data: &[u8], last: bool) -> Result<(), Failure> {
        loop {
            self.make_room(data.len());
            match self.step(&mut data, last)? {
                0 => return Ok(()),
                made => self.len += made,
            }
        }
    }

    /// Keeps compressed data for [`next_piece`](Self::next_piece).
    pub(crate) fn hold(&mut self, data: &[u8]) {
        self.held.clear();
        self.held_used = 0;
        self.held.extend_from_slice(data);
    }

    /// Puts the next piece of what the held data inflates to in the place of the last one. Without one, more data is needed or,
    /// if `last` says that there is none, the message is complete.
    pub(crate) fn next_piece(&mut self, last: bool) -> Result<bool, Failure> {
        self.len = 0;
        self.make_room(0);
        let held = core::mem::take(&mut self.held);
        let mut data = held.get(self.held_used..).unwrap_or_default();
        let made = self.step(&mut data, last);
        self.held_used = held.len() - data.len();
        self.held = held;
        self.len = made?;
        Ok(self.len > 0)
    }

    /// Whether [`next_piece`](Self::next_piece) may have one without more data.
    pub(crate) fn has_held(&self) -> bool {
        self.held_used < self.held.len() || self.message.more
    }

    /// Bytes of messages that are held, compressed or not.
    pub(crate) fn held_bytes(&self) -> usize {
        self.output().len() + self.held.len()
    }

    /// The piece that was inflated last.
    pub(crate) fn output(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }

    /// The whole message: the first so many bytes of a buffer, which may be [put back](Self::put_back).
    pub(crate) fn take_output(&mut self) -> (Vec<u8>, usize) {
        (core::mem::take(&mut self.buffer), core::mem::take(&mut self.len))
    }

    /// Takes a buffer back whose message is gone.
    pub(crate) fn put_back(&mut self, buffer: Vec<u8>) {
        self.pool.put_buffer(buffer, self.spare_contexts);
    }

    /// The message is complete: without context takeover, the window goes to whoever needs it next. The output stays until
    /// it is [taken](Self::take_output).
    pub(crate) fn finish(&mut self) {
        self.held = Vec::new();
        self.held_used = 0;
        self.message = Message::default();
        if !self.takeover {
            self.release_stream();
        }
    }

    /// Gives the output buffer back, when nothing borrows from it any more and no message is in it.
    pub(crate) fn release_buffer(&mut self) {
        self.len = 0;
        if !self.buffer.is_empty() {
            let buffer = core::mem::take(&mut self.buffer);
            self.put_back(buffer);
        }
    }

    fn release_stream(&mut self) {
        if let Some(stream) = self.stream.take() {
            self.pool.put_inflater(stream, self.spare_contexts);
        }
    }

    /// Makes the buffer longer if it is full: by what so much compressed data usually becomes, or twofold.
    fn make_room(&mut self, data_len: usize) {
        if self.buffer.is_empty() {
            self.buffer = self.pool.buffer();
        }
        if self.len == self.buffer.len() {
            let longer = self.len.max(data_len.saturating_mul(USUAL_RATIO));
            let mut len = self.len.saturating_add(longer);
            if len > self.max_message / 2 {
                // The last time: of the two buffers that there are for a moment, one is at most half as long as the other.
                len = self.max_message.saturating_add(1);
            }
            self.buffer.reserve_exact(len.saturating_sub(self.len));
            self.buffer.resize(len, 0);
        }
    }

    /// Inflates some of `data` behind the output, and moves it on; returns how many bytes came out. None means that more input is
    /// needed or, if `last` says that there is none, that the message is complete.
    ///
    /// Nothing beyond the limits is ever inflated.
    fn step(&mut self, data: &mut &[u8], last: bool) -> Result<usize, Failure> {
        let stream = self.stream.get_or_insert_with(|| self.pool.inflater());
        let message = &mut self.message;
        // A decompressor may stop at the border of a block without taking or giving anything.
        let mut idle = 0;
        loop {
            let in_tail = data.is_empty() && !message.more;
            let needs_more = in_tail && !last;
            let at_end = in_tail && last && (message.complete || message.ends_with_final_block());
            // Between these points it would depend on the pieces in which the message comes.
            if at_end || message.produced % RATIO_STEP == 0 {
                message.check_ratio(self.max_ratio)?;
            }
            if needs_more || at_end {
                return Ok(0);
            }
            let tail = TAIL.get(message.tail..).unwrap_or_default();
            let (input, flush) =
                if in_tail { (tail, InflateFlush::Block) } else { (*data, InflateFlush::NoFlush) };
            // What the limit allows is looked at first; then one byte shows that there is more.
            let room = (self.max_message as u64).saturating_sub(message.produced).max(1);
            let room = room.min(RATIO_STEP - message.produced % RATIO_STEP);
            let end =
                self.len.saturating_add(usize::try_from(room).unwrap_or(usize::MAX)).min(self.buffer.len());
            let output = self.buffer.get_mut(self.len..end).unwrap_or_default();
            let room = output.len();

            let (in_before, out_before) = (stream.total_in(), stream.total_out());
            let status = stream.decompress(input, output, flush);
            let used = (stream.total_in() - in_before) as usize;
            let made = (stream.total_out() - out_before) as usize;
            if status.is_err() && made == 0 {
                return Err(Violation::InvalidDeflate { at: message.produced }.into());
            }
            // What came out before invalid data is looked at first, as if it had come by itself.
            message.more = made == room || status.is_err();
            message.produced += made as u64;
            if in_tail {
                message.tail += used;
            } else {
                *data = data.get(used..).unwrap_or_default();
                message.taken += used as u64;
            }
            if status == Ok(Status::StreamEnd) {
                // RFC 7692 section 7.2.3.4: a final block may be followed by more, which is a stream of its own.
                stream.reset(false);
                // It may have ended the message before this one, as the last thing in its tail.
                message.final_block = message.taken > 0 || message.tail > 0;
            } else if used > 0 {
                message.final_block = false;
            }
            if message.produced > self.max_message as u64 {
                let (compressed, limit) = (message.taken, self.max_message);
                return Err(LimitExceeded::InflatedMessage { compressed, limit }.into());
            }
            // All that the message says came out before its tail.
            if in_tail && (made > 0 || message.tail > TAIL_LEN) {
                return Err(Violation::TruncatedDeflate.into());
            }
            message.complete = message.tail == TAIL_LEN;
            if made > 0 {
                return Ok(made);
            }
            idle = if used == 0 { idle + 1 } else { 0 };
            if idle > MAX_IDLE {
                return Err(Violation::InvalidDeflate { at: message.produced }.into());
            }
        }
    }
}

impl Message {
    /// The sender ended its stream, and did not add the byte that RFC 7692 section 7.2.3.4 asks for then. There is nothing that it
    /// could have left out.
    fn ends_with_final_block(&self) -> bool {
        self.final_block && self.tail == 0
    }

    fn check_ratio(&self, max_ratio: u32) -> Result<(), LimitExceeded> {
        let ratio_limit = self.taken.saturating_mul(u64::from(max_ratio));
        if self.produced > RATIO_FREE && self.produced > ratio_limit {
            return Err(LimitExceeded::InflateRatio {
                len: self.produced,
                compressed: self.taken,
                limit: max_ratio,
            });
        }
        Ok(())
    }
}

impl Drop for Inflation {
    fn drop(&mut self) {
        self.release_buffer();
        self.release_stream();
    }
}

impl fmt::Debug for Inflation {
    /// Leaves out the data, and what the library does not show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflation")
            .field("takeover", &self.takeover)
            .field("holds_window", &self.stream.is_some())
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// What a sender leaves out at the end of a message, the length and its complement of an empty block (RFC 7692 section 7.2.1), and
/// one byte more: a decompressor that is asked to stop at the border of a block does not take it, unless the message
/// ended inside of one.
const TAIL: [u8; TAIL_LEN + 1] = [0x00, 0x00, 0xFF, 0xFF, 0x55];
const TAIL_LEN: usize = 4;

/// Bytes that so many compressed ones usually become at most.
const USUAL_RATIO: usize = 8;

/// Stops of a decompressor in a row without progress. Each takes at least the ten bits of an empty block out of
/// the 64 that it may have read ahead.
const MAX_IDLE: u32 = 8;

/// Bytes of a message to which the ratio limit does not apply: a short message of zeros is no attack.
const RATIO_FREE: u64 = 1024 * 1024;

/// Bytes of output from one look at the ratio to the next.
const RATIO_STEP: u64 = RATIO_FREE;
