//! The grammar of RFC 9112 as it reads: a head as lines, a line as its parts, byte by byte and with everything copied.
//!
//! It shares nothing with the library, not even httparse: where both misread the same bytes, nobody would notice.

/// What a reader of a head that is not fine comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may still become fine.
    Incomplete,
    /// It is not HTTP/1, so that HTTP is no answer.
    NotHttp,
    /// It is refused. At a server with this status, at a client because of a response with it; `None` if there is no
    /// answer, or no whole response.
    Refused(Option<u16>),
}

/// The field lines of a head.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Vec<(String, Vec<u8>)>);

impl Fields {
    /// The values of all lines with this name, which is in lower case.
    pub(crate) fn all(&self, name: &str) -> Vec<&[u8]> {
        self.0.iter().filter(|(other, _)| other == name).map(|(_, value)| &value[..]).collect()
    }

    /// The elements of a list-based field (RFC 9110 section 5.6.1), those of all lines.
    pub(crate) fn list(&self, name: &str) -> Vec<Vec<u8>> {
        let joined = self.all(name).join(&b',');
        joined.split(|byte| *byte == b',').map(trim).filter(|element| !element.is_empty()).collect()
    }

    /// Whether a list has a token, in upper or lower case.
    pub(crate) fn list_has(&self, name: &str, token: &str) -> bool {
        self.list(name).iter().any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    }

    pub(crate) fn any_name_begins_with(&self, start: &str) -> bool {
        self.0.iter().any(|(name, _)| name.starts_with(start))
    }
}

/// The empty lines before a start line (section 2.2 allows them), as bytes; an error if what follows is no start line.
pub(crate) fn empty_lines(bytes: &[u8]) -> Result<usize, Verdict> {
    let mut rest = bytes;
    while let Some(after) = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")) {
        rest = after;
    }
    match rest {
        [] | [b'\r'] => Err(Verdict::Incomplete),
        [b'\r', ..] => Err(Verdict::NotHttp),
        _ => Ok(bytes.len() - rest.len()),
    }
}

/// The first line of `bytes` without its LF, and what follows. `None` behind it if there is no LF.
pub(crate) fn first_line(bytes: &[u8]) -> (&[u8], Option<&[u8]>) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], Some(&bytes[end + 1..])),
        None => (bytes, None),
    }
}

/// The field lines at the start of `bytes` up to the empty line, and what follows it.
///
/// `too_many` and `malformed` are the verdicts for more lines than `limit`, and for lines that break the grammar once all
/// of them are there.
pub(crate) fn fields(
    bytes: &[u8],
    limit: usize,
    too_many: Verdict,
    malformed: Verdict,
) -> Result<(Fields, &[u8]), Verdict> {
    let (mut lines, mut rest) = (Vec::new(), bytes);
    loop {
        let (line, after) = first_line(rest);
        rest = after.ok_or(Verdict::Incomplete)?;
        if line.is_empty() || line == b"\r" {
            break;
        }
        lines.push(without_cr(line));
        if lines.len() > limit {
            return Err(too_many);
        }
    }
    let fields: Option<Vec<_>> = lines.into_iter().map(field).collect();
    Ok((Fields(fields.ok_or(malformed)?), rest))
}

/// `field-line` of section 5: a token, a colon, and a value without control characters.
fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if !is_token(name) || !value.iter().all(|byte| is_text(*byte)) {
        return None;
    }
    let name = name.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    Some((name, trim(value)))
}

/// `HTTP-version` of section 2.3, if the major version is 1: the minor one.
pub(crate) fn minor_version(text: &[u8]) -> Option<u8> {
    match text {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor @ b'0'..=b'9'] => Some(minor - b'0'),
        _ => None,
    }
}

/// `token` of RFC 9110 section 5.6.2.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| is_tchar(*byte))
}

pub(crate) fn is_tchar(byte: u8) -> bool {
    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".contains(char::from(byte))
}

/// HTAB, SP, VCHAR or obs-text (RFC 9110 section 5.5): what a field value and a reason phrase are made of.
pub(crate) fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7F)
}

pub(crate) fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Without the spaces and tabs around it.
pub(crate) fn trim(text: &[u8]) -> Vec<u8> {
    let mut text = text;
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text.to_vec()
}
