//! Field lines (RFC 9110 section 5, RFC 9112 section 5): where they are in a head, list-based fields, and what a field line
//! that we send may hold.

use alloc::format;
use alloc::vec::Vec;
use core::str;

use thiserror::Error;

use crate::handshake::characters::Characters;
use crate::handshake::excerpt::Excerpt;

/// A part of a head, as offsets from its first byte.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// INVARIANT: a head has at most `u32::MAX` bytes (see `Collector::new`), so nothing is cut here.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// Where `part`, which is a slice of `whole`, lies in it.
    pub(crate) fn of(part: &[u8], whole: &[u8]) -> Self {
        let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
        Self::new(start, start + part.len())
    }

    pub(crate) fn get(self, whole: &[u8]) -> &[u8] {
        whole.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    pub(crate) fn get_str(self, whole: &[u8]) -> &str {
        str::from_utf8(self.get(whole)).unwrap_or_default()
    }

    pub(crate) fn end(self) -> usize {
        self.end as usize
    }

    pub(crate) fn start(self) -> usize {
        self.start as usize
    }
}

/// A head that was parsed: its bytes, and where its field lines are.
#[derive(Clone)]
pub(crate) struct Head {
    bytes: Vec<u8>,
    lines: Vec<FieldLine>,
}

/// Where a field's name and value are.
#[derive(Clone, Copy)]
pub(crate) struct FieldLine {
    start: u32,
    colon: u32,
    end: u32,
}

impl FieldLine {
    /// A line whose name is from `start` to `colon`. Its value, which may have whitespace around it, is from there to `end`.
    pub(crate) fn new(start: usize, colon: usize, end: usize) -> Self {
        // INVARIANT: as for `Span`, nothing is cut here.
        Self { start: start as u32, colon: colon as u32, end: end as u32 }
    }

    pub(crate) fn name(self, head: &[u8]) -> &[u8] {
        head.get(self.start as usize..self.colon as usize).unwrap_or_default()
    }

    /// The value without the whitespace around it.
    pub(crate) fn value(self, head: &[u8]) -> &[u8] {
        trim(head.get(self.colon as usize + 1..self.end as usize).unwrap_or_default())
    }
}

impl Head {
    pub(crate) fn new(bytes: Vec<u8>, lines: Vec<FieldLine>) -> Self {
        Self { bytes, lines }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All field lines in their order, the whitespace around the values removed.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        self.lines
            .iter()
            .map(|line| (str::from_utf8(line.name(&self.bytes)).unwrap_or_default(), line.value(&self.bytes)))
    }

    pub(crate) fn lines(&self) -> &[FieldLine] {
        &self.lines
    }

    /// The value of the first field line called `name`.
    pub(crate) fn value(&self, name: &str) -> Option<&[u8]> {
        let line =
            self.lines.iter().find(|line| line.name(&self.bytes).eq_ignore_ascii_case(name.as_bytes()))?;
        Some(line.value(&self.bytes))
    }

    /// The values of all field lines called `name`.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.lines
            .iter()
            .filter(move |line| line.name(&self.bytes).eq_ignore_ascii_case(name.as_bytes()))
            .map(|line| line.value(&self.bytes))
    }

    /// The elements of a list-based field, over all of its lines ([RFC 9110 section 5.3]).
    ///
    /// [RFC 9110 section 5.3]: https://www.rfc-editor.org/rfc/rfc9110#section-5.3
    pub(crate) fn elements<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.values(name).flat_map(elements)
    }
}

/// The elements of a list of tokens; empty ones do not count (RFC 9110 section 5.6.1.2).
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    value.split(|&byte| byte == b',').map(trim).filter(|element| !element.is_empty())
}

/// `value` without the whitespace around it (OWS: spaces and tabs).
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let mut value = value;
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Whether `byte` may be in a token (RFC 9110 section 5.6.2).
#[inline]
pub(crate) const fn is_tchar(byte: u8) -> bool {
    Characters::TOKEN.contain(byte)
}

pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && Characters::TOKEN.contain_all(text)
}

/// Why a field cannot be sent. `name` is always the name that was given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidField {
    /// The name is not a token (RFC 9110 section 5.1).
    #[error("the field name {name} is not a token: letters, digits and !#$%&'*+-.^_`|~")]
    Name {
        /// The name of the field.
        name: Excerpt,
    },
    /// The value has a line end, NUL or another control character, with which it could forge more field lines.
    #[error("the value of the field {name} has the control character {byte:#04x} at its byte {at}")]
    Value {
        /// The name of the field.
        name: Excerpt,
        /// Offset in the value, in bytes.
        at: usize,
        /// The character.
        byte: u8,
    },
    /// The handshake sets this field itself.
    #[error("the field {name} is one that the opening handshake sets itself")]
    Reserved {
        /// The name of the field.
        name: Excerpt,
    },
}

impl InvalidField {
    /// The name of the field.
    #[must_use]
    pub fn name(&self) -> &Excerpt {
        let (Self::Name { name } | Self::Value { name, .. } | Self::Reserved { name }) = self;
        name
    }
}

/// Why a subprotocol cannot be offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidSubprotocol {
    /// It is not a token (RFC 6455 section 4.1).
    #[error("a subprotocol must be a token: letters, digits and !#$%&'*+-.^_`|~")]
    NotToken,
    /// It was offered before.
    #[error("a subprotocol must not be offered twice")]
    Twice,
}

/// Field lines that the application adds to a head, ready to be sent.
#[derive(Clone, Default)]
pub(crate) struct ExtraFields {
    lines: Vec<u8>,
}

impl ExtraFields {
    /// Adds a field line. `reserved` lists names, in lower case, that are refused on top of those that every handshake owns.
    pub(crate) fn push(&mut self, name: &str, value: &[u8], reserved: &[&str]) -> Result<(), InvalidField> {
        if !is_token(name.as_bytes()) {
            return Err(InvalidField::Name { name: Excerpt::new(name.as_bytes()) });
        }
        let owned = RESERVED.iter().chain(reserved).any(|reserved| name.eq_ignore_ascii_case(reserved));
        if owned || starts_with_ignore_case(name, "sec-websocket-") {
            return Err(InvalidField::Reserved { name: Excerpt::new(name.as_bytes()) });
        }
        check_value(name, value)?;
        push_line(&mut self.lines, name, value);
        Ok(())
    }

    /// Adds a field whose name and value are known to be fine.
    pub(crate) fn push_number(&mut self, name: &'static str, value: u64) {
        push_line(&mut self.lines, name, format!("{value}").as_bytes());
    }

    pub(crate) fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// The names, for people; values may be secret.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.lines.split_inclusive(|&byte| byte == b'\n').map(name_of)
    }

    /// Whether there is a field called `name`, in lower or upper case.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names().any(|other| other.eq_ignore_ascii_case(name))
    }

    /// Removes all fields with one of these names, in lower or upper case.
    pub(crate) fn remove(&mut self, names: &[&str]) {
        let lines = self.lines.split_inclusive(|&byte| byte == b'\n');
        let kept = lines.filter(|line| !names.iter().any(|name| name_of(line).eq_ignore_ascii_case(name)));
        self.lines = kept.flatten().copied().collect();
    }
}

/// The name in a field line of ours.
fn name_of(line: &[u8]) -> &str {
    let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
    str::from_utf8(name).unwrap_or_default()
}

/// Appends `name: value` and the line end.
pub(crate) fn push_line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// Refuses what is no `field-content` (RFC 9110 section 5.5); bytes over 0x7F are let through.
pub(crate) fn check_value(name: &str, value: &[u8]) -> Result<(), InvalidField> {
    let is_bad = |byte: u8| byte.is_ascii_control() && byte != b'\t';
    match value.iter().copied().enumerate().find(|&(_, byte)| is_bad(byte)) {
        Some((at, byte)) => Err(InvalidField::Value { name: Excerpt::new(name.as_bytes()), at, byte }),
        None => Ok(()),
    }
}

pub(crate) fn starts_with_ignore_case(text: &str, prefix: &str) -> bool {
    text.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

/// Fields of the opening handshake itself, and those that would announce content, which it must not have. All that begin
/// with `Sec-WebSocket-` belong to them.
const RESERVED: [&str; 4] = ["upgrade", "connection", "content-length", "transfer-encoding"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_elements_of_a_list_do_not_count() {
        let list: Vec<&[u8]> = elements(b" ,a,\t,  b\t, ,").collect();
        assert_eq!(list, [b"a", b"b"]);
        assert_eq!(elements(b"").count(), 0);
        assert_eq!(trim(b" \t "), b"");
    }
}
