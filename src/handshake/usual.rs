//! Parses a head as nearly everybody writes it: a GET request or a response of HTTP/1.1, lines that end with CRLF, values of visible
//! ASCII and spaces.
//!
//! What is not usual, be it right or wrong or not complete, is left to `parse`. What is, takes two thirds of the time here.

use alloc::vec::Vec;

use crate::handshake::fields::{FieldLine, Span, is_tchar};
use crate::handshake::parse::{HeadKind, Parsed, StartLine};

/// Parses a head with at most `max_fields` field lines from the start of `bytes`, with the result that
/// [`parse::parse`](super::parse::parse) would have.
pub(crate) fn parse(kind: HeadKind, bytes: &[u8], max_fields: usize) -> Option<Parsed> {
    let (start_line, mut rest) = match kind {
        HeadKind::Request => request_line(bytes)?,
        HeadKind::Response => status_line(bytes)?,
    };
    let mut lines = Vec::with_capacity(USUAL_FIELDS);
    let mut start = bytes.len() - rest.len();
    loop {
        let name = token_len(rest);
        let after_name = rest.get(name..)?;
        match after_name {
            [b':', ..] if name > 0 && lines.len() < max_fields => {}
            [b'\r', b'\n', ..] if name == 0 => {
                return Some(Parsed { len: start + 2, minor_version: 1, start_line, lines });
            }
            _ => return None,
        }
        let value = printable_len(after_name);
        let Some([b'\r', b'\n', behind @ ..]) = after_name.get(value..) else { return None };
        rest = behind;
        let (colon, end) = (start + name, start + name + value);
        lines.push(FieldLine::new(start, colon, end));
        start = end + 2;
    }
}

/// The request line, and what follows it.
fn request_line(bytes: &[u8]) -> Option<(StartLine, &[u8])> {
    let rest = bytes.strip_prefix(b"GET ")?;
    let start = bytes.len() - rest.len();
    let len = rest.iter().position(|byte| !matches!(byte, b'!'..=b'~')).filter(|&len| len > 0)?;
    let fields = rest.get(len..)?.strip_prefix(b" HTTP/1.1\r\n")?;
    let (method, target) = (Span::new(0, b"GET".len()), Span::new(start, start + len));
    Some((StartLine::Request { method, target }, fields))
}

/// The status line, and what follows it.
fn status_line(bytes: &[u8]) -> Option<(StartLine, &[u8])> {
    let (digits, rest) = bytes.strip_prefix(b"HTTP/1.1 ")?.split_first_chunk::<3>()?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    let reason = rest.strip_prefix(b" ")?;
    let fields = reason.get(printable_len(reason)..)?.strip_prefix(b"\r\n")?;
    Some((StartLine::Status { code }, fields))
}

/// How many bytes at the start of `bytes` are visible ASCII or spaces.
#[inline(always)]
fn printable_len(bytes: &[u8]) -> usize {
    // The high bit of a byte is set in the difference below a space, in the sum from DEL on, and in itself over 0x7F.
    len_before(bytes, |word| word.wrapping_sub(EACH * 0x20) | word.wrapping_add(EACH) | word)
}

/// How many bytes at the start of `bytes` may be in a token.
#[inline(always)]
fn token_len(bytes: &[u8]) -> usize {
    // Few names have more than letters and hyphens. A byte is in a range if its start sets the high bit and its end does not.
    let range = |word: u64, first: u8, last: u8| {
        word.wrapping_add(EACH * u64::from(0x80 - first)) ^ word.wrapping_add(EACH * u64::from(0x7F - last))
    };
    let others = |word: u64| !(range(word | (EACH * 0x20), b'a', b'z') | range(word, b'-', b'-')) | word;
    let mut len = len_before(bytes, others);
    while bytes.get(len).is_some_and(|&byte| is_tchar(byte)) {
        len += 1;
    }
    len
}

/// How many bytes of `bytes` come before the first in whose place `others` sets the high bit, as it must for 0. What it
/// carries to the bytes behind that one does not matter.
#[inline(always)]
fn len_before(bytes: &[u8], others: impl Fn(u64) -> u64) -> usize {
    let mut rest = bytes;
    loop {
        let (word, behind) = match rest.split_first_chunk() {
            Some((word, behind)) => (*word, behind),
            None => (last_word(rest), &[][..]),
        };
        let others = others(u64::from_le_bytes(word)) & (EACH * 0x80);
        if others != 0 {
            return bytes.len() - rest.len() + others.trailing_zeros() as usize / 8;
        }
        rest = behind;
    }
}

/// Less than eight bytes, with zeros behind them.
#[cold]
fn last_word(bytes: &[u8]) -> [u8; 8] {
    let mut word = [0; 8];
    for (to, from) in word.iter_mut().zip(bytes) {
        *to = *from;
    }
    word
}

/// A one in each byte of a word.
const EACH: u64 = 0x0101_0101_0101_0101;

/// Field lines for which memory is reserved at once.
const USUAL_FIELDS: usize = 16;

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;

    use httparse::Status;

    use super::*;
    use crate::handshake::parse;

    /// All that was found, whatever the offsets of what is empty or has whitespace around it.
    fn found(parsed: &Parsed, bytes: &[u8]) -> String {
        let mut text = match parsed.start_line {
            StartLine::Request { method, target } => {
                format!("{} {}", method.get_str(bytes), target.get_str(bytes))
            }
            StartLine::Status { code } => format!("{code}"),
        };
        for line in &parsed.lines {
            text += &format!(", {:?}: {:?}", line.name(bytes), line.value(bytes));
        }
        format!("{text}, HTTP/1.{}, {} bytes", parsed.minor_version, parsed.len)
    }

    /// Parses `bytes` in both ways: whether they are a usual head.
    fn is_usual(kind: HeadKind, bytes: &[u8]) -> bool {
        let Some(usual) = parse(kind, bytes, 5) else { return false };
        let Ok(Status::Complete(other)) = parse::parse(kind, bytes, 5) else {
            panic!("only here: {}", bytes.escape_ascii())
        };
        assert_eq!(found(&usual, bytes), found(&other, bytes), "{}", bytes.escape_ascii());
        true
    }

    const HEADS: [(HeadKind, &[u8]); 2] = [
        (
            HeadKind::Request,
            b"GET /a HTTP/1.1\r\nHost: example.com\r\nX:no space\r\nEmpty:\r\nY:   three  \r\nZ:  \r\n\r\nframes",
        ),
        (HeadKind::Response, b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nA: b\r\n\r\nframes"),
    ];

    #[test]
    fn what_is_usual_is_parsed_as_httparse_does() {
        for (kind, head) in HEADS {
            assert!(is_usual(kind, head));
            for at in 0..head.len() {
                for byte in 0..=u8::MAX {
                    let mut replaced = head.to_vec();
                    replaced[at] = byte;
                    is_usual(kind, &replaced);
                    let inserted = [&head[..at], &[byte], &head[at..]].concat();
                    is_usual(kind, &inserted);
                }
                is_usual(kind, &head[..at]);
                is_usual(kind, &[&head[..at], &head[at + 1..]].concat());
            }
        }
    }

    #[test]
    fn what_may_come_in_a_value_ends_at_the_first_other_byte() {
        for byte in 0..=u8::MAX {
            for len in 0..20 {
                let mut bytes = [b'~'; 24];
                bytes[len] = byte;
                bytes[len + 1] = b'\r';
                let expected = if (0x20..0x7F).contains(&byte) { len + 1 } else { len };
                assert_eq!(printable_len(&bytes), expected, "{byte:#04x} at {len}");
            }
        }
    }

    #[test]
    fn a_name_ends_at_the_first_byte_that_is_not_of_a_token() {
        for byte in 0..=u8::MAX {
            for len in 0..20 {
                let mut bytes = *b"Sec-WebSocket-Protocol-a";
                bytes[len] = byte;
                bytes[len + 1] = b':';
                let expected = if is_tchar(byte) { len + 1 } else { len };
                assert_eq!(token_len(&bytes), expected, "{byte:#04x} at {len}");
            }
        }
    }

    #[test]
    fn one_field_too_many_is_not_usual() {
        assert!(parse(HeadKind::Response, HEADS[1].1, 2).is_some());
        assert!(parse(HeadKind::Response, HEADS[1].1, 1).is_none());
    }
}
