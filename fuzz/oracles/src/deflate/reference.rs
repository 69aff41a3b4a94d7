//! The obvious slow receiver where compression was agreed on: RFC 6455 section 5 and RFC 7692 sections 6 and 7 as they read.

use sansocket::{Failure, LimitExceeded, Limits, Violation};

use super::inflater::{Fault, Inflater};
use crate::reference::{check_text, control_event};
use crate::support::seen::Seen;
use crate::support::wire::Frame;

/// What a receiver must make of a peer's frames, which are well-formed but for their first bytes: the events.
pub(super) fn receive(limits: &Limits, keeps_window: bool, frames: &[Frame]) -> Vec<Seen> {
    let mut receiver = Receiver { limits, inflater: Inflater::new(keeps_window), open: None };
    let mut seen = Vec::new();
    for frame in frames {
        let event = receiver.frame(frame).unwrap_or_else(|failure| Some(Seen::Failed(failure)));
        let over = matches!(event, Some(Seen::Close(_) | Seen::Failed(_)));
        seen.extend(event);
        if over {
            break;
        }
    }
    seen
}

/// Whether what the library saw may stand where the reference expects something else: the inflaters disagree on codes that no
/// compressor makes. `zlib-rs` refuses what zlib refuses, `miniz_oxide` reads some of it, such as codes with unused bit patterns.
/// Where both refuse, one may do so later than the other, when more has come. So what is left to hold is that no message
/// is read otherwise, and none behind such data.
pub(super) fn tolerates(seen: &[Seen], expected: &[Seen]) -> bool {
    let is_invalid =
        |seen: &Seen| matches!(seen, Seen::Failed(Failure::Violation(Violation::InvalidDeflate { .. })));
    let is_message = |seen: &Seen| matches!(seen, Seen::Text(_) | Seen::Binary(_));
    match (seen.split_last(), expected.split_last()) {
        (Some((last, before)), _) if is_invalid(last) => expected.starts_with(before),
        (_, Some((last, before))) if is_invalid(last) => {
            seen.strip_prefix(before).is_some_and(|behind| !behind.iter().any(is_message))
        }
        _ => false,
    }
}

struct Receiver<'a> {
    limits: &'a Limits,
    inflater: Inflater,
    open: Option<Open>,
}

/// A message that is not complete.
struct Open {
    text: bool,
    compressed: bool,
    frames: u32,
    data: Vec<u8>,
}

impl Receiver<'_> {
    fn frame(&mut self, frame: &Frame) -> Result<Option<Seen>, Failure> {
        let (fin, opcode) = (frame.first & 0x80 != 0, frame.first & 0x0F);
        let (rsv, compressed) = (frame.first >> 4 & 7, frame.first & 0x70 == 0x40);
        if rsv != 0 && !compressed {
            return Err(Violation::ReservedBits { bits: rsv }.into());
        }
        if (3..=7).contains(&opcode) || opcode > 10 {
            return Err(Violation::ReservedOpcode { opcode }.into());
        }
        if compressed && !matches!(opcode, 1 | 2) {
            return Err(Violation::MisplacedRsv1.into());
        }
        if opcode >= 8 {
            return if !fin {
                Err(Violation::FragmentedControlFrame.into())
            } else if frame.payload.len() > 125 {
                Err(Violation::ControlFrameTooLong.into())
            } else {
                Ok(Some(control_event(opcode, frame.payload.clone())?))
            };
        }
        let mut open = match (opcode, self.open.take()) {
            (0, None) => return Err(Violation::UnexpectedContinuation.into()),
            (0, Some(open)) => open,
            (_, Some(_)) => return Err(Violation::MessageInsideMessage.into()),
            (_, None) => Open { text: opcode == 1, compressed, frames: 0, data: Vec::new() },
        };
        self.admit(&open, frame.payload.len())?;
        open.frames += 1;
        open.data.extend_from_slice(&frame.payload);
        if !fin {
            self.check_unfinished(&open)?;
            self.open = Some(open);
            return Ok(None);
        }
        self.finish(open).map(Some)
    }

    fn admit(&self, open: &Open, len: usize) -> Result<(), Failure> {
        // Data that cannot be compressed becomes a little longer.
        let on_wire = |limit: usize| if open.compressed { limit + limit / 8 + 64 } else { limit };
        let whole = open.data.len() + len;
        // A flush between two fragments costs a few bytes too.
        let flushes = if open.compressed { 16 * open.frames as usize } else { 0 };
        if whole > on_wire(self.limits.message) + flushes {
            return Err(LimitExceeded::Message { len: whole as u64, limit: self.limits.message }.into());
        }
        if len > on_wire(self.limits.frame) {
            return Err(LimitExceeded::Frame { len: len as u64, limit: self.limits.frame }.into());
        }
        if open.frames + 1 > self.limits.fragments {
            return Err(LimitExceeded::Fragments { limit: self.limits.fragments }.into());
        }
        Ok(())
    }

    /// What is wrong with a message already, though its last frame has not come.
    fn check_unfinished(&self, open: &Open) -> Result<(), Failure> {
        if open.compressed {
            let (output, result) = self.inflater.unfinished(&open.data, self.limits.message);
            self.check_inflated(open.text, &output, result)
        } else if open.text {
            Ok(check_text(&open.data, false)?)
        } else {
            Ok(())
        }
    }

    fn finish(&mut self, open: Open) -> Result<Seen, Failure> {
        let data = if open.compressed {
            let (output, result) = self.inflater.message(&open.data, self.limits.message);
            self.check_inflated(open.text, &output, result)?;
            output
        } else {
            open.data
        };
        if open.text {
            check_text(&data, true)?;
            return Ok(Seen::Text(String::from_utf8(data).expect("checked before")));
        }
        Ok(Seen::Binary(data))
    }

    /// The first fault in the order of the output.
    fn check_inflated(&self, text: bool, output: &[u8], result: Result<(), Fault>) -> Result<(), Failure> {
        if text {
            let allowed = output.len().min(self.limits.message);
            check_text(&output[..allowed], false)?;
        }
        result.map_err(|fault| match fault {
            Fault::Invalid => Violation::InvalidDeflate { at: 0 }.into(),
            Fault::Truncated => Violation::TruncatedDeflate.into(),
            Fault::TooLong => {
                LimitExceeded::InflatedMessage { compressed: 0, limit: self.limits.message }.into()
            }
        })
    }
}
