//! The short way: messages that are in the input as a whole.
//!
//! Everything else, and everything that is wrong, is left to `read.rs` as it is: `None` decides nothing.

use core::ops::Range;

use crate::frame::{Part, ShortFrame};
use crate::message::MessageKind;
use crate::role::Role;

/// A message with which the input begins, unmasked.
pub(super) struct Whole {
    pub(super) kind: MessageKind,
    /// Where its payload data is.
    pub(super) data: Range<usize>,
    /// Where it ends on the wire.
    pub(super) end: usize,
}

/// What a message may have that is taken the short way.
pub(super) struct MessageLimits {
    /// Bytes of payload data.
    pub(super) len: usize,
    pub(super) fragments: u32,
}

impl Whole {
    /// A message of one frame: what comes most.
    #[inline(always)]
    pub(super) fn in_one_frame(input: &mut [u8], role: Role, limits: &MessageLimits) -> Option<Self> {
        let Part::Whole(kind) = Part::of(*input.first()?)? else { return None };
        let ShortFrame { payload, mask } = ShortFrame::parse(input, role)?;
        if payload.len() > limits.len {
            return None;
        }
        if let Some(mut mask) = mask {
            mask.apply(input.get_mut(payload.clone())?);
        }
        Some(Self { kind, end: payload.end, data: payload })
    }

    /// As [`in_one_frame`](Self::in_one_frame), if it is binary with at least `min_len` bytes of payload data. Nothing is touched otherwise.
    pub(super) fn large_binary(
        input: &mut [u8],
        role: Role,
        limits: &MessageLimits,
        min_len: usize,
    ) -> Option<Self> {
        let Part::Whole(MessageKind::Binary) = Part::of(*input.first()?)? else { return None };
        if ShortFrame::parse(input, role)?.payload.len() < min_len {
            return None;
        }
        Self::in_one_frame(input, role, limits)
    }

    /// A message of several frames, one right behind the other. Its payload data is moved together, which is cheaper than a buffer
    /// of its own.
    pub(super) fn in_fragments(input: &mut [u8], role: Role, limits: &MessageLimits) -> Option<Self> {
        let Part::First(kind) = Part::of(*input.first()?)? else { return None };
        let first = ShortFrame::parse(input, role)?;
        // Nothing is touched before all of the message is known to be there.
        let mut fragments = 1;
        let mut len = first.payload.len();
        let mut end = first.payload.end;
        loop {
            let rest = input.get(end..)?;
            let part = Part::of(*rest.first()?)?;
            let next = ShortFrame::parse(rest, role)?;
            fragments += 1;
            len += next.payload.len();
            if len > limits.len || fragments > limits.fragments {
                return None;
            }
            end += next.payload.end;
            match part {
                Part::Middle => {}
                Part::Last => break,
                Part::First(_) | Part::Whole(_) => return None,
            }
        }
        let start = first.payload.start;
        let mut joined = first.payload.end;
        if let Some(mut mask) = first.mask {
            mask.apply(input.get_mut(first.payload)?);
        }
        let mut at = joined;
        while at < end {
            let frame = input.get_mut(at..)?;
            let ShortFrame { payload, mask } = ShortFrame::parse(frame, role)?;
            if let Some(mut mask) = mask {
                mask.apply(frame.get_mut(payload.clone())?);
            }
            let fragment = at + payload.start..at + payload.end;
            let fragment_len = payload.len();
            at = fragment.end;
            input.copy_within(fragment, joined);
            joined += fragment_len;
        }
        Some(Self { kind, data: start..joined, end })
    }
}
