//! UTF-8 (RFC 6455 section 8.1): whole strings at once, and text that comes in pieces which may end inside a character.

use simdutf8::{basic, compat};

/// Checks text that is there as a whole. Fast, but does not say where it is wrong: [`first_invalid`] does.
#[inline]
pub(crate) fn validate(bytes: &[u8]) -> Result<&str, basic::Utf8Error> {
    basic::from_utf8(bytes)
}

/// Whether all of it is ASCII.
pub(crate) fn is_ascii(bytes: &[u8]) -> bool {
    #[cfg(feature = "simd")]
    if bytes.len() >= WIDE {
        return fearless_simd::dispatch!(fearless_simd::Level::new(), _vectors => joined(bytes)) < 0x80;
    }
    bytes.is_ascii()
}

/// All bytes, joined with OR.
#[cfg(feature = "simd")]
#[inline(always)] // so that the compiler chooses instructions where it is called
fn joined(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |joined, byte| joined | byte)
}

/// Bytes from which on wider vectors pay for finding out whether there are any.
#[cfg(feature = "simd")]
const WIDE: usize = 512;

/// Where the first byte is that cannot be UTF-8, in text that [`validate`] refused.
#[cold]
pub(crate) fn first_invalid(bytes: &[u8]) -> usize {
    compat::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len)
}

/// Checks text that comes in pieces. Fails at the first byte that no continuation could make valid.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Utf8Pieces {
    /// The first bytes of a character whose rest has not come yet.
    held: [u8; 4],
    held_len: u8,
    /// Bytes seen, held ones included.
    seen: u64,
}

/// A piece that is valid so far, as text: a character that the last piece had begun, and all whole ones after it.
pub(crate) struct Piece<'a> {
    pub(crate) completed: Option<char>,
    pub(crate) text: &'a str,
}

/// The offset, in the whole text, of a character that cannot be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InvalidAt(pub(crate) u64);

impl Utf8Pieces {
    /// Goes on behind `seen` bytes of valid text.
    pub(crate) fn after(seen: usize) -> Self {
        Self { seen: seen as u64, ..Self::default() }
    }

    /// Checks the next piece.
    pub(crate) fn push<'a>(&mut self, mut bytes: &'a [u8]) -> Result<Piece<'a>, InvalidAt> {
        let mut completed = None;
        while self.held_len > 0 {
            let Some((&byte, rest)) = bytes.split_first() else { break };
            bytes = rest;
            completed = self.complete(byte)?;
        }
        let start = self.seen;
        self.seen += bytes.len() as u64;
        // The check of whole characters is the fastest, and one of whatever comes would be done twice where it ends inside of one.
        let (whole, begun) = bytes.split_at(whole_characters(bytes));
        let text = validate(whole).map_err(|_| InvalidAt(start + first_invalid(whole) as u64))?;
        if !begun.is_empty() {
            if core::str::from_utf8(begun).is_err_and(|error| error.error_len().is_some()) {
                return Err(InvalidAt(start + whole.len() as u64));
            }
            self.held[..begun.len()].copy_from_slice(begun);
            self.held_len = begun.len() as u8;
        }
        Ok(Piece { completed, text })
    }

    /// Ends the text; it must not end inside a character.
    pub(crate) fn finish(self) -> Result<(), InvalidAt> {
        if self.held_len == 0 { Ok(()) } else { Err(InvalidAt(self.seen - u64::from(self.held_len))) }
    }

    /// Adds one byte to the character that is held.
    fn complete(&mut self, byte: u8) -> Result<Option<char>, InvalidAt> {
        let start = self.seen - u64::from(self.held_len);
        self.held[usize::from(self.held_len)] = byte;
        self.held_len += 1;
        self.seen += 1;
        match core::str::from_utf8(&self.held[..usize::from(self.held_len)]) {
            Ok(text) => {
                let character = text.chars().next();
                self.held_len = 0;
                Ok(character)
            }
            Err(error) if error.error_len().is_some() => Err(InvalidAt(start)),
            Err(_) => Ok(None),
        }
    }
}

/// How many of `bytes` there are before a character that they end inside of.
fn whole_characters(bytes: &[u8]) -> usize {
    for (behind, &byte) in (1..4).zip(bytes.iter().rev()) {
        let needed = match byte {
            0x80..0xC0 => continue,
            0..0x80 => 1,
            0xC0..0xE0 => 2,
            0xE0..0xF0 => 3,
            0xF0.. => 4,
        };
        return if needed > behind { bytes.len() - behind } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn in_pieces(pieces: &[&[u8]]) -> Result<String, u64> {
        let mut check = Utf8Pieces::default();
        let mut text = String::new();
        for piece in pieces {
            let piece = check.push(piece).map_err(|at| at.0)?;
            text.extend(piece.completed);
            text.push_str(piece.text);
        }
        check.finish().map_err(|at| at.0)?;
        Ok(text)
    }

    #[test]
    fn any_split_of_valid_text_gives_the_text() {
        let text = "aé€😀z";
        let bytes = text.as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(in_pieces(&pieces).as_deref(), Ok(text));
            }
        }
    }

    #[test]
    fn one_byte_that_is_not_ascii_is_seen_wherever_it_is() {
        for len in [1, 15, 511, 512, 600] {
            let mut bytes = alloc::vec![b'a'; len];
            assert!(is_ascii(&bytes));
            for at in 0..len {
                bytes[at] = 0x80;
                assert!(!is_ascii(&bytes), "byte {at} of {len}");
                bytes[at] = b'a';
            }
        }
    }

    #[test]
    fn fails_at_the_first_impossible_byte() {
        let mut check = Utf8Pieces::default();
        // F4 can begin a character, F4 90 cannot: it would be above U+10FFFF.
        assert!(check.push(b"ab\xF4").is_ok());
        assert_eq!(check.push(b"\x90").err(), Some(InvalidAt(2)));
        assert_eq!(in_pieces(&[b"ab\xC3"]), Err(2));
        assert_eq!(in_pieces(&[b"ab\xF5", b"c"]), Err(2));
        assert_eq!(in_pieces(&[b"a\xE2\x82\xC3", b"\xA9"]), Err(1));
        assert_eq!(in_pieces(&[b"a\x80\x80\x80\x80"]), Err(1));
        assert_eq!(in_pieces(&[b"ab", b"c\xFFd"]), Err(3));
    }
}
