//! Putting a message together from pieces, where it does not arrive as a whole.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::Violation;
use crate::event::Event;
use crate::frame::Mask;
use crate::message::MessageKind;
use crate::utf8::{InvalidAt, Utf8Pieces, is_ascii};

/// A message that was put together.
pub(super) enum Assembled {
    Event(Event<'static>),
    /// A text message that is checked as a whole where it is given out; its first so many bytes are known to be ASCII.
    Text {
        bytes: Vec<u8>,
        ascii: usize,
    },
}

/// The pieces of one message so far. Memory follows what has arrived, not what was declared, and a fragment costs
/// nothing beyond its payload.
pub(super) enum Assembly {
    /// Text that is all ASCII so far, where it was read to. Bytes become text without a copy only if they are checked as a whole in the
    /// end, which costs less than the copy if they are ASCII. Only what completes the message may be anything behind the first
    /// `ascii` bytes.
    Ascii {
        bytes: Vec<u8>,
        ascii: usize,
    },
    /// Any other text: checked as it grows, so that it is a `String` at every moment and nothing is checked twice.
    Text {
        text: String,
        pieces: Utf8Pieces,
    },
    Binary(Vec<u8>),
}

impl Assembly {
    pub(super) fn new(kind: MessageKind) -> Self {
        match kind {
            MessageKind::Text => Self::Ascii { bytes: Vec::new(), ascii: 0 },
            MessageKind::Binary => Self::Binary(Vec::new()),
        }
    }

    /// Bytes of payload data so far.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text { text, .. } => text.len(),
            Self::Ascii { bytes, .. } | Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Makes room for `len` bytes of payload data, and for what `ahead` says.
    #[inline]
    pub(super) fn reserve(&mut self, len: usize, ahead: &Ahead) {
        match self {
            Self::Text { text, .. } => {
                text.reserve_exact(reservation(text.capacity(), text.len(), len, ahead));
            }
            Self::Ascii { bytes, .. } | Self::Binary(bytes) => {
                bytes.reserve_exact(reservation(bytes.capacity(), bytes.len(), len, ahead));
            }
        }
    }

    /// Appends payload data, unmasked with `mask` if there is one. What `completes` the message may be left to be checked in the end.
    #[inline]
    pub(super) fn push(
        &mut self,
        data: &mut [u8],
        mask: &mut Option<Mask>,
        completes: bool,
    ) -> Result<(), Violation> {
        match (self, mask) {
            (Self::Binary(bytes), Some(mask)) => mask.append(bytes, data),
            (Self::Binary(bytes), None) => append(bytes, data),
            (Self::Ascii { bytes, .. }, Some(mask)) if completes => mask.append(bytes, data),
            (Self::Ascii { bytes, .. }, None) if completes => append(bytes, data),
            (text, mask) => {
                for piece in data.chunks_mut(CHECKED) {
                    let is_ascii = unmask_text(piece, mask);
                    text.push_text(piece, is_ascii)?;
                }
            }
        }
        Ok(())
    }

    /// Appends text.
    fn push_text(&mut self, piece: &[u8], is_ascii: bool) -> Result<(), Violation> {
        match self {
            Self::Ascii { bytes, ascii } if is_ascii => {
                append(bytes, piece);
                *ascii = bytes.len();
                return Ok(());
            }
            Self::Ascii { bytes, .. } => *self = Self::text(core::mem::take(bytes))?,
            _ => {}
        }
        if let Self::Text { text, pieces } = self {
            let piece = pieces.push(piece).map_err(invalid_utf8)?;
            text.extend(piece.completed);
            push_in_pieces(text, piece.text);
        }
        Ok(())
    }

    /// Text of which more follows that is not ASCII.
    fn text(ascii: Vec<u8>) -> Result<Self, Violation> {
        let pieces = Utf8Pieces::after(ascii.len());
        Ok(Self::Text { text: string(ascii)?, pieces })
    }

    /// The buffer of the message with room for more, unless that must be copied there.
    pub(super) fn buffer(&mut self, ahead: &Ahead) -> Option<&mut Vec<u8>> {
        match self {
            Self::Text { .. } => None,
            Self::Ascii { bytes, .. } | Self::Binary(bytes) => {
                bytes.reserve_exact(reservation(bytes.capacity(), bytes.len(), 1, ahead));
                Some(bytes)
            }
        }
    }

    /// Whether it has a [`buffer`](Self::buffer).
    pub(super) fn has_buffer(&self) -> bool {
        !matches!(self, Self::Text { .. })
    }

    /// How many bytes were put into the [`buffer`](Self::buffer) behind the first `taken`.
    #[inline]
    pub(super) fn direct(&self, taken: usize) -> usize {
        match self {
            Self::Ascii { bytes, .. } | Self::Binary(bytes) => bytes.len().saturating_sub(taken),
            Self::Text { .. } => 0,
        }
    }

    /// Takes in the `len` bytes that were put into the [`buffer`](Self::buffer) behind the first `taken`, and what is behind them away.
    /// What `completes` the message may be left to be checked in the end.
    pub(super) fn take_direct(
        &mut self,
        taken: usize,
        len: usize,
        mask: &mut Option<Mask>,
        completes: bool,
    ) -> Result<(), Violation> {
        let (bytes, known) = match self {
            Self::Ascii { bytes, ascii } => (bytes, Some(ascii)),
            Self::Binary(bytes) => (bytes, None),
            Self::Text { .. } => return Ok(()),
        };
        // The caller may have put more there than was asked for, which belongs nowhere.
        bytes.truncate(taken.saturating_add(len));
        let Some(data) = bytes.get_mut(taken..) else { return Ok(()) };
        match (known, mask) {
            (Some(ascii), mask) if !completes => {
                if unmask_text(data, mask) {
                    *ascii = bytes.len();
                } else {
                    let rest = bytes.split_off(taken);
                    *self = Self::text(core::mem::take(bytes))?;
                    rest.chunks(CHECKED).try_for_each(|piece| self.push_text(piece, false))?;
                }
            }
            (_, Some(mask)) => mask.apply(data),
            (_, None) => {}
        }
        Ok(())
    }

    /// The whole message.
    pub(super) fn finish(self) -> Result<Assembled, Violation> {
        Ok(Assembled::Event(match self {
            Self::Ascii { bytes, ascii } => return Ok(Assembled::Text { bytes, ascii }),
            Self::Text { text, pieces } => {
                pieces.finish().map_err(invalid_utf8)?;
                Event::Text(Cow::Owned(text))
            }
            Self::Binary(bytes) => Event::Binary(Cow::Owned(bytes)),
        }))
    }
}

/// What is known of the payload data to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ahead {
    /// Bytes of the same frame that have not arrived yet.
    pub(super) to_come: u64,
    /// Other frames of the message follow.
    pub(super) goes_on: bool,
    /// Bytes of the whole message that may be reserved whatever has arrived: the peer has sent so many in one before.
    pub(super) earned: usize,
    /// Bytes of input that are there and were not looked at.
    pub(super) behind: usize,
}

/// Unmasks text, and says whether it is ASCII.
fn unmask_text(data: &mut [u8], mask: &mut Option<Mask>) -> bool {
    match mask {
        Some(mask) => mask.apply_to_text(data),
        None => is_ascii(data),
    }
}

/// Text without a copy, which costs little if it is ASCII.
fn string(ascii: Vec<u8>) -> Result<String, Violation> {
    String::from_utf8(ascii).map_err(|error| invalid_utf8(InvalidAt(error.utf8_error().valid_up_to() as u64)))
}

pub(super) fn invalid_utf8(InvalidAt(at): InvalidAt) -> Violation {
    Violation::InvalidUtf8 { at }
}

/// How much more to reserve for `len` bytes to be added to `used` bytes: what the frame still has to bring, but at most
/// three times what has come, so that a declared length alone costs nothing. Where a large part of a read has come it may be some
/// megabytes: to move a message costs more than what is reserved and not touched.
fn reservation(capacity: usize, used: usize, len: usize, ahead: &Ahead) -> usize {
    if capacity - used >= len {
        return 0;
    }
    let come = used + len;
    let further = if come < LARGE { ahead.earned.clamp(MIN_AHEAD, MAX_AHEAD) } else { MAX_AHEAD };
    let mut to_come = usize::try_from(ahead.to_come).unwrap_or(usize::MAX);
    // A message of many fragments must not be moved once per fragment.
    let mut growth = (used / 2).max(MIN_GROWTH);
    if ahead.goes_on {
        to_come = to_come.max(ahead.earned.saturating_sub(come));
        growth = growth.max(ahead.behind.min(come.saturating_mul(3)).saturating_add(MIN_GROWTH));
    }
    len + to_come.min(come.saturating_mul(3).max(further)).max(growth)
}

/// Appends bytes in [pieces](PIECE).
fn append(to: &mut Vec<u8>, data: &[u8]) {
    data.chunks(PIECE).for_each(|piece| to.extend_from_slice(piece));
}

/// Payload data of a message that is put together is checked and copied in pieces of this many bytes, too few for the C
/// library to copy with `rep movsb`. That instruction is several times slower on some processors (glibc bug 30994) where
/// the low bits of the two addresses are close, as they are for a block that begins with a frame header.
const PIECE: usize = 2 * 1024;

/// Text is checked in larger pieces, which still fit into the first-level cache.
const CHECKED: usize = 8 * PIECE;

/// Appends text in [pieces](PIECE), cut at borders of characters.
fn push_in_pieces(text: &mut String, mut more: &str) {
    while more.len() > PIECE {
        let border = (PIECE - 3..=PIECE).rev().find(|at| more.is_char_boundary(*at)).unwrap_or(PIECE);
        let (piece, rest) = more.split_at(border);
        text.push_str(piece);
        more = rest;
    }
    text.push_str(more);
}

/// Bytes by which a message grows at least, so that a few short fragments do not move it each time.
const MIN_GROWTH: usize = 64;

/// Bytes of a message from which on it is reserved further ahead.
const LARGE: usize = 32 * 1024;

/// Bytes that may be reserved then.
const MAX_AHEAD: usize = 4 * 1024 * 1024;

/// Bytes that may be reserved before any of them arrived.
const MIN_AHEAD: usize = 4096;
