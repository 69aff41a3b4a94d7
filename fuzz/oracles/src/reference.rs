//! The obvious slow receiver: RFC 6455 sections 5 to 7 and 8.1 as they read, with everything kept and nothing in place.

use sansocket::{CloseCode, CloseFrame, Failure, LimitExceeded, Limits, Position, Role, Violation};

use crate::support::seen::Seen;

/// What a receiver of `role` must make of a stream: the events, and where the stream stands if it goes on.
pub(crate) fn receive(role: Role, limits: &Limits, stream: &[u8]) -> (Vec<Seen>, Position) {
    let mut seen = Vec::new();
    let mut message = None;
    let mut rest = stream;
    while !rest.is_empty() {
        match frame(role, limits, &mut message, rest) {
            Ok(Frame { len: Some(len), event }) => {
                rest = &rest[len..];
                let is_close = matches!(event, Some(Seen::Close(_)));
                seen.extend(event);
                if is_close {
                    return (seen, Position::Boundary);
                }
            }
            Ok(Frame { len: None, .. }) => return (seen, Position::Frame),
            Err(failure) => {
                seen.push(Seen::Failed(failure));
                return (seen, Position::Boundary);
            }
        }
    }
    (seen, if message.is_some() { Position::Message } else { Position::Boundary })
}

/// The close code on the wire for a failure (section 7.4.1).
pub(crate) fn close_code(failure: &Failure) -> u16 {
    match failure {
        Failure::Violation(Violation::InvalidUtf8 { .. } | Violation::InvalidUtf8InCloseReason) => 1007,
        Failure::Violation(_) => 1002,
        Failure::Limit(LimitExceeded::Fragments { .. }) => 1008,
        Failure::Limit(_) => 1009,
        Failure::OutOfMemory { .. } => 1013,
    }
}

/// A message that is not complete: whether it is text, its frames, its payload data.
struct Open {
    text: bool,
    frames: u32,
    data: Vec<u8>,
}

/// A frame: its length if it is complete, and what it means to the application.
struct Frame {
    len: Option<usize>,
    event: Option<Seen>,
}

const INCOMPLETE: Frame = Frame { len: None, event: None };

fn frame(role: Role, limits: &Limits, open: &mut Option<Open>, bytes: &[u8]) -> Result<Frame, Failure> {
    // Each rule as soon as the byte is there that can break it.
    let first = bytes[0];
    if first & 0x70 != 0 {
        return Err(Violation::ReservedBits { bits: first >> 4 & 7 }.into());
    }
    let (fin, opcode) = (first & 0x80 != 0, first & 0x0F);
    if (3..=7).contains(&opcode) || opcode > 10 {
        return Err(Violation::ReservedOpcode { opcode }.into());
    }
    let control = opcode >= 8;
    if control && !fin {
        return Err(Violation::FragmentedControlFrame.into());
    }
    let Some(second) = bytes.get(1) else { return Ok(INCOMPLETE) };
    let masked = second & 0x80 != 0;
    if role == Role::Server && !masked {
        return Err(Violation::UnmaskedFrame.into());
    }
    if role == Role::Client && masked {
        return Err(Violation::MaskedFrame.into());
    }
    let short = second & 0x7F;
    if control && short > 125 {
        return Err(Violation::ControlFrameTooLong.into());
    }
    let extended = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    if extended == 8 && bytes.get(2).is_some_and(|byte| *byte >= 0x80) {
        return Err(Violation::LengthOver63Bits.into());
    }
    let Some(extended_bytes) = bytes.get(2..2 + extended) else { return Ok(INCOMPLETE) };
    let extended_len = extended_bytes.iter().fold(0, |len, byte| len << 8 | u64::from(*byte));
    let len = if extended == 0 { u64::from(short) } else { extended_len };
    if (extended == 2 && len < 126) || (extended == 8 && len < 65_536) {
        return Err(Violation::NonMinimalLength { len }.into());
    }
    let key_at = 2 + extended;
    let data_at = key_at + if masked { 4 } else { 0 };
    if bytes.len() < data_at {
        return Ok(INCOMPLETE);
    }
    if !control {
        admit(limits, open, opcode, len)?;
    }
    let end = usize::try_from(len).map_or(usize::MAX, |len| data_at.saturating_add(len));
    let there = &bytes[data_at..end.min(bytes.len())];
    let data: Vec<u8> = there
        .iter()
        .enumerate()
        .map(|(i, byte)| if masked { byte ^ bytes[key_at + i % 4] } else { *byte })
        .collect();
    let complete = end <= bytes.len();
    let event = if control {
        if !complete { None } else { Some(control_event(opcode, data)?) }
    } else {
        let message = open.get_or_insert(Open { text: opcode == 1, frames: 0, data: Vec::new() });
        message.frames += 1;
        message.data.extend(data);
        let last = complete && fin;
        if message.text {
            check_text(&message.data, last)?;
        }
        if last { open.take().map(Open::into_event) } else { None }
    };
    Ok(Frame { len: complete.then_some(end), event })
}

/// The rules on the order of frames (section 5.4), and the limits.
fn admit(limits: &Limits, open: &Option<Open>, opcode: u8, len: u64) -> Result<(), Failure> {
    let (frames, before) = match open {
        None if opcode == 0 => return Err(Violation::UnexpectedContinuation.into()),
        Some(_) if opcode != 0 => return Err(Violation::MessageInsideMessage.into()),
        None => (0, 0),
        Some(open) => (open.frames, open.data.len() as u64),
    };
    if before + len > limits.message as u64 {
        return Err(LimitExceeded::Message { len: before + len, limit: limits.message }.into());
    }
    if len > limits.frame as u64 {
        return Err(LimitExceeded::Frame { len, limit: limits.frame }.into());
    }
    if frames + 1 > limits.fragments {
        return Err(LimitExceeded::Fragments { limit: limits.fragments }.into());
    }
    Ok(())
}

pub(crate) fn control_event(opcode: u8, data: Vec<u8>) -> Result<Seen, Violation> {
    match opcode {
        9 => Ok(Seen::Ping(data)),
        10 => Ok(Seen::Pong(data)),
        _ => match &data[..] {
            [] => Ok(close_event(CloseCode::NO_STATUS, "")),
            [_] => Err(Violation::CloseFrameOfOneByte),
            [high, low, reason @ ..] => {
                let code = CloseCode(u16::from_be_bytes([*high, *low]));
                if !matches!(code.0, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                    return Err(Violation::CloseCode { code });
                }
                let reason = core::str::from_utf8(reason).map_err(|_| Violation::InvalidUtf8InCloseReason)?;
                Ok(close_event(code, reason))
            }
        },
    }
}

fn close_event(code: CloseCode, reason: &str) -> Seen {
    Seen::Close(CloseFrame::new(code, reason).expect("checked before"))
}

pub(crate) fn check_text(data: &[u8], last: bool) -> Result<(), Violation> {
    match core::str::from_utf8(data) {
        Err(error) if last || error.error_len().is_some() => {
            Err(Violation::InvalidUtf8 { at: error.valid_up_to() as u64 })
        }
        _ => Ok(()),
    }
}

impl Open {
    fn into_event(self) -> Seen {
        if self.text {
            Seen::Text(String::from_utf8(self.data).expect("checked before"))
        } else {
            Seen::Binary(self.data)
        }
    }
}
