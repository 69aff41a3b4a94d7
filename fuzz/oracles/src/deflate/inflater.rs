//! The independent inflater: `miniz_oxide`, with everything kept.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// What the messages of one sender inflate to, one after the other.
pub(super) struct Inflater {
    /// Everything that a match may refer to, at most [`WINDOW`] bytes.
    window: Vec<u8>,
    keeps_window: bool,
}

/// What is wrong with the data of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Invalid,
    /// The message ends inside of a block.
    Truncated,
    TooLong,
}

impl Inflater {
    pub(super) fn new(keeps_window: bool) -> Self {
        Self { window: Vec::new(), keeps_window }
    }

    /// What comes out of the data of a message of which more is to come, up to the first fault.
    pub(super) fn unfinished(&self, data: &[u8], max: usize) -> (Vec<u8>, Result<(), Fault>) {
        let mut run = Run::new(self.window.clone(), max);
        let result = run.take_in(data);
        (run.output[run.start..run.len].to_vec(), result)
    }

    /// Inflates the data of one message: what comes out of it up to the first fault.
    ///
    /// A final block ends the stream, and what follows is a new one that refers to nothing before; data may end with a final
    /// block and without the byte that belongs behind it (RFC 7692 section 7.2.3.4).
    pub(super) fn message(&mut self, data: &[u8], max: usize) -> (Vec<u8>, Result<(), Fault>) {
        let mut run = Run::new(core::mem::take(&mut self.window), max);
        let mut result = run.take_in(data);
        if result.is_ok() && !run.ended {
            // What the sender left out can only end an empty block, whose header came.
            let came_before = run.len;
            if run.take_in(&[0x00, 0x00, 0xFF, 0xFF]).is_err() || run.len > came_before || !run.at_boundary {
                (run.len, result) = (came_before, Err(Fault::Truncated));
            }
        }
        let message = run.output[run.start..run.len].to_vec();
        if self.keeps_window && result.is_ok() {
            let begin = run.stream_start.max(run.len.saturating_sub(WINDOW));
            self.window = run.output[begin..run.len].to_vec();
        }
        (message, result)
    }
}

struct Run {
    decompressor: DecompressorOxide,
    /// The window, then the message.
    output: Vec<u8>,
    start: usize,
    len: usize,
    /// Nothing before it can be referred to.
    stream_start: usize,
    /// All input so far is used, and the next would begin a block.
    at_boundary: bool,
    /// The last block was a final one, and nothing came behind it.
    ended: bool,
}

impl Run {
    fn new(window: Vec<u8>, max: usize) -> Self {
        let (start, mut output) = (window.len(), window);
        output.resize(start + max + 1, 0);
        let decompressor = DecompressorOxide::new();
        Self { decompressor, output, start, len: start, stream_start: 0, at_boundary: true, ended: false }
    }

    fn take_in(&mut self, mut data: &[u8]) -> Result<(), Fault> {
        let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF
            | TINFL_FLAG_HAS_MORE_INPUT
            | TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY;
        while !data.is_empty() {
            self.ended = false;
            let at = self.len - self.stream_start;
            let stream = &mut self.output[self.stream_start..];
            let (status, used, made) = decompress(&mut self.decompressor, data, stream, at, flags);
            data = &data[used..];
            self.len += made;
            if self.len == self.output.len() {
                return Err(Fault::TooLong);
            }
            self.at_boundary = matches!(status, TINFLStatus::BlockBoundary | TINFLStatus::Done);
            match status {
                TINFLStatus::Done => {
                    self.decompressor = DecompressorOxide::new();
                    self.stream_start = self.len;
                    self.ended = true;
                }
                TINFLStatus::BlockBoundary | TINFLStatus::NeedsMoreInput => {}
                _ => return Err(Fault::Invalid),
            }
        }
        Ok(())
    }
}

/// Inflates a message whose matches are at most `2^bits` back, given those before it; one that is farther back gives other bytes.
pub(super) struct NarrowInflater {
    decompressor: DecompressorOxide,
    ring: Vec<u8>,
    at: usize,
}

impl NarrowInflater {
    pub(super) fn new(bits: u8) -> Self {
        Self { decompressor: DecompressorOxide::new(), ring: vec![0; 1 << bits], at: 0 }
    }

    pub(super) fn message(&mut self, data: &[u8]) -> Vec<u8> {
        let data = [data, &[0x00, 0x00, 0xFF, 0xFF]].concat();
        let (mut rest, mut message) = (&data[..], Vec::new());
        loop {
            let Self { decompressor, ring, at } = self;
            let (status, used, made) = decompress(decompressor, rest, ring, *at, TINFL_FLAG_HAS_MORE_INPUT);
            message.extend_from_slice(&ring[*at..*at + made]);
            *at = (*at + made) % ring.len();
            rest = &rest[used..];
            match status {
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput => return message,
                other => panic!("{other:?} after {} bytes of a message", message.len()),
            }
        }
    }
}

/// The largest distance of a match.
const WINDOW: usize = 32 * 1024;
