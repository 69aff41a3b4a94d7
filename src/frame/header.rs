//! The frame header (RFC 6455 section 5.2).
//!
//! ```text
//!  0               1               2               3
//!  0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
//! +-+-+-+-+-------+-+-------------+-------------------------------+
//! |F|R|R|R| opcode|M| payload len |  extended payload length      |
//! |I|S|S|S|       |A|             |  (16 bits if payload len is   |
//! |N|V|V|V|       |S|             |  126, 64 bits if it is 127)   |
//! | |1|2|3|       |K|             |                               |
//! +-+-+-+-+-------+-+-------------+-------------------------------+
//! |  masking-key, 32 bits, if MASK is 1                           |
//! +---------------------------------------------------------------+
//! ```
//!
//! Each rule is checked as soon as the byte that breaks it is there, not when the header is complete.

use core::ops::Range;

use crate::error::Violation;
use crate::message::MessageKind;
use crate::role::Role;

use super::mask::Mask;

/// Opcodes (RFC 6455 section 5.2); the reserved ones never become a value of this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    pub(crate) const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    pub(super) const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }
}

impl From<MessageKind> for Opcode {
    fn from(kind: MessageKind) -> Self {
        match kind {
            MessageKind::Text => Self::Text,
            MessageKind::Binary => Self::Binary,
        }
    }
}

/// What may be in a header, as seen by the endpoint that reads it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// The role of this endpoint.
    pub(crate) role: Role,
    /// Whether permessage-deflate was agreed on, which gives RSV1 a meaning (RFC 7692 section 6).
    pub(crate) deflate: bool,
}

/// The bits of a data frame that say what it is a part of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flags {
    /// It is the last one of its message.
    pub(crate) fin: bool,
    /// It is the first one of a compressed message: RSV1, as permessage-deflate defines it.
    pub(crate) compressed: bool,
}

impl Flags {
    /// Of a frame that is a whole message, or a control frame.
    pub(crate) const WHOLE: Self = Self { fin: true, compressed: false };
    /// Of a frame that is a whole compressed message.
    pub(crate) const COMPRESSED: Self = Self { fin: true, compressed: true };
}

/// A header that obeys every rule that can be seen in a header alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameHeader {
    pub(crate) fin: bool,
    /// It begins a compressed message.
    pub(crate) compressed: bool,
    pub(crate) opcode: Opcode,
    /// Below 2^63.
    pub(crate) payload_len: u64,
    pub(crate) mask: Option<Mask>,
}

/// What [`FrameHeader::parse`] found.
pub(crate) enum Parsed {
    /// No rule is broken yet, and more bytes are needed.
    Incomplete,
    /// A header, and how many bytes it takes.
    Header(FrameHeader, usize),
}

/// A frame below 64 KiB that is all there, read the shortest way. Of its first byte, nothing is checked.
pub(crate) struct ShortFrame {
    /// Where its payload data is.
    pub(crate) payload: Range<usize>,
    pub(crate) mask: Option<Mask>,
}

/// What a data frame is of its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole(MessageKind),
    First(MessageKind),
    Middle,
    Last,
}

impl Part {
    /// What a frame is whose first byte this is. `None` is for [`FrameHeader::parse`] to decide: a control frame, reserved bits ...
    #[inline(always)]
    pub(crate) fn of(first: u8) -> Option<Self> {
        Some(match first {
            0x81 => Self::Whole(MessageKind::Text),
            0x82 => Self::Whole(MessageKind::Binary),
            0x01 => Self::First(MessageKind::Text),
            0x02 => Self::First(MessageKind::Binary),
            0x00 => Self::Middle,
            0x80 => Self::Last,
            _ => return None,
        })
    }
}

impl ShortFrame {
    /// Reads a frame from the start of `bytes`. `None` decides nothing: that is for [`FrameHeader::parse`].
    #[inline(always)]
    pub(crate) fn parse(bytes: &[u8], role: Role) -> Option<Self> {
        let (&[_, second], rest) = bytes.split_first_chunk::<2>()?;
        let expects_mask = role == Role::Server;
        // With the wrong MASK bit this is over any length.
        let len7 = second ^ if expects_mask { MASK } else { 0 };
        let (len, at) = if len7 < LEN_16 {
            (usize::from(len7), 2)
        } else if len7 == LEN_16 {
            let len = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
            if len < usize::from(LEN_16) {
                return None;
            }
            (len, 4)
        } else {
            return None;
        };
        let (mask, start) = if expects_mask {
            (Some(Mask::new(*bytes.get(at..)?.first_chunk()?)), at + 4)
        } else {
            (None, at)
        };
        let payload = start..start + len;
        (payload.end <= bytes.len()).then_some(Self { payload, mask })
    }
}

impl FrameHeader {
    /// Reads a header from the start of `bytes`.
    #[inline]
    pub(crate) fn parse(bytes: &[u8], rules: Rules) -> Result<Parsed, Violation> {
        let Some((&first, rest)) = bytes.split_first() else { return Ok(Parsed::Incomplete) };
        let rsv = first & RSV;
        let compressed = rsv == RSV1 && rules.deflate;
        if rsv != 0 && !compressed {
            return Err(Violation::ReservedBits { bits: rsv >> 4 });
        }
        let Some(opcode) = Opcode::from_bits(first & OPCODE) else {
            return Err(Violation::ReservedOpcode { opcode: first & OPCODE });
        };
        if compressed && !matches!(opcode, Opcode::Text | Opcode::Binary) {
            return Err(Violation::MisplacedRsv1);
        }
        let fin = first & FIN != 0;
        if opcode.is_control() && !fin {
            return Err(Violation::FragmentedControlFrame);
        }
        let Some((&second, rest)) = rest.split_first() else { return Ok(Parsed::Incomplete) };
        let masked = second & MASK != 0;
        match rules.role {
            Role::Server if !masked => return Err(Violation::UnmaskedFrame),
            Role::Client if masked => return Err(Violation::MaskedFrame),
            _ => {}
        }
        let len7 = second & LEN;
        if opcode.is_control() && usize::from(len7) > MAX_CONTROL_PAYLOAD {
            return Err(Violation::ControlFrameTooLong);
        }
        let (payload_len, rest) = match len7 {
            LEN_16 => {
                let Some((len, rest)) = rest.split_first_chunk::<2>() else { return Ok(Parsed::Incomplete) };
                let len = u16::from_be_bytes(*len);
                if len < u16::from(LEN_16) {
                    return Err(Violation::NonMinimalLength { len: u64::from(len) });
                }
                (u64::from(len), rest)
            }
            LEN_64 => {
                let Some((len, rest)) = rest.split_first_chunk::<8>() else {
                    // The most significant bit is in the first of the eight bytes.
                    if rest.first().is_some_and(|byte| byte & 0x80 != 0) {
                        return Err(Violation::LengthOver63Bits);
                    }
                    return Ok(Parsed::Incomplete);
                };
                let len = u64::from_be_bytes(*len);
                if len >> 63 != 0 {
                    return Err(Violation::LengthOver63Bits);
                }
                if len <= u64::from(u16::MAX) {
                    return Err(Violation::NonMinimalLength { len });
                }
                (len, rest)
            }
            len => (u64::from(len), rest),
        };
        let (mask, rest) = if masked {
            let Some((key, rest)) = rest.split_first_chunk::<4>() else { return Ok(Parsed::Incomplete) };
            (Some(Mask::new(*key)), rest)
        } else {
            (None, rest)
        };
        Ok(Parsed::Header(Self { fin, compressed, opcode, payload_len, mask }, bytes.len() - rest.len()))
    }
}

/// Payload data of a control frame, in bytes (RFC 6455 section 5.5).
pub(crate) const MAX_CONTROL_PAYLOAD: usize = 125;

/// The longest header: 2 fixed + 8 length + 4 masking-key.
pub(crate) const MAX_HEADER: usize = 2 /* fixed */ + 8 /* length */ + 4 /* masking-key */;

pub(super) const FIN: u8 = 0x80;
const RSV: u8 = 0x70;
pub(super) const RSV1: u8 = 0x40;
const OPCODE: u8 = 0x0F;
pub(super) const MASK: u8 = 0x80;
const LEN: u8 = 0x7F;
pub(super) const LEN_16: u8 = 126;
pub(super) const LEN_64: u8 = 127;
