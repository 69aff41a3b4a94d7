//! Putting a message together from pieces, where it does not arrive as a whole.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::Violation;
use crate::event::Event;
use crate::frame::Mask;
use crate::message::MessageKind;
use crate::utf8::{InvalidAt, Utf8Pieces};

/// The pieces of one message so far. Memory follows what has arrived, not what was declared, and a fragment costs
/// nothing beyond its payload.
#[derive(Debug)]
pub(super) enum Assembly {
    /// Checked as it grows, so that it is a `String` at every moment and nothing is checked twice.
    Text {
        text: String,
        pieces: Utf8Pieces,
    },
    Binary(Vec<u8>),
}

impl Assembly {
    pub(super) fn new(kind: MessageKind) -> Self {
        match kind {
            MessageKind::Text => Self::Text { text: String::new(), pieces: Utf8Pieces::default() },
            MessageKind::Binary => Self::Binary(Vec::new()),
        }
    }

    /// Makes room for `len` bytes of payload data; `to_come` bytes of the same frame have not arrived yet.
    pub(super) fn reserve(&mut self, len: usize, to_come: u64) {
        match self {
            Self::Text { text, .. } => {
                text.reserve_exact(reservation(text.capacity(), text.len(), len, to_come));
            }
            Self::Binary(bytes) => {
                bytes.reserve_exact(reservation(bytes.capacity(), bytes.len(), len, to_come));
            }
        }
    }

    /// Appends payload data, unmasked with `mask` if there is one.
    pub(super) fn push(&mut self, data: &mut [u8], mask: &mut Option<Mask>) -> Result<(), Violation> {
        match (self, mask) {
            (Self::Binary(bytes), Some(mask)) => mask.append(bytes, data),
            (Self::Binary(bytes), None) => {
                data.chunks(PIECE).for_each(|piece| bytes.extend_from_slice(piece))
            }
            (Self::Text { text, pieces }, mask) => {
                for piece in data.chunks_mut(CHECKED) {
                    if let Some(mask) = mask {
                        mask.apply(piece);
                    }
                    let piece = pieces.push(piece).map_err(invalid_utf8)?;
                    text.extend(piece.completed);
                    push_in_pieces(text, piece.text);
                }
            }
        }
        Ok(())
    }

    /// The buffer of a binary message with room for more of the frame that is arriving.
    pub(super) fn buffer(&mut self, to_come: u64) -> Option<&mut Vec<u8>> {
        match self {
            Self::Text { .. } => None,
            Self::Binary(bytes) => {
                bytes.reserve_exact(reservation(bytes.capacity(), bytes.len(), 1, to_come));
                Some(bytes)
            }
        }
    }

    /// The whole message.
    pub(super) fn finish(self) -> Result<Event<'static>, Violation> {
        match self {
            Self::Text { text, pieces } => {
                pieces.finish().map_err(invalid_utf8)?;
                Ok(Event::Text(Cow::Owned(text)))
            }
            Self::Binary(bytes) => Ok(Event::Binary(Cow::Owned(bytes))),
        }
    }
}

pub(super) fn invalid_utf8(InvalidAt(at): InvalidAt) -> Violation {
    Violation::InvalidUtf8 { at }
}

/// How much more to reserve for `len` bytes to be added to `used` bytes: what the frame still has to bring, but at most
/// three times what has come, so that a declared length alone costs nothing. Where a large part of a read has come it may be some
/// megabytes: to move a message costs more than what is reserved and not touched.
fn reservation(capacity: usize, used: usize, len: usize, to_come: u64) -> usize {
    if capacity - used >= len {
        return 0;
    }
    let come = used + len;
    let further = if come < LARGE { MIN_AHEAD } else { MAX_AHEAD };
    let ahead = usize::try_from(to_come).unwrap_or(usize::MAX).min(come.saturating_mul(3).max(further));
    // A message of many fragments must not be moved once per fragment.
    len + ahead.max(used / 2).max(MIN_GROWTH)
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
