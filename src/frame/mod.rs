//! Frames as they are on the wire (RFC 6455 section 5.2): header, opcode, masking, and the payload of a Close frame.

mod close;
mod encode;
mod header;
mod mask;

pub use close::{CloseCode, CloseFrame, InvalidCloseFrame};
pub(crate) use encode::{EncodedHeader, FirstByte, append_frame};
pub(crate) use header::{
    Flags, FrameHeader, MAX_CONTROL_PAYLOAD, MAX_HEADER, Opcode, Parsed, Part, Rules, ShortFrame,
};
pub(crate) use mask::Mask;
