//! A bounded piece of what a peer (or a caller) wrote, safe to show.

use alloc::boxed::Box;
use core::fmt;

/// The start of something that was sent or asked for: at most 64 bytes of it, or as many as its owner says.
///
/// `Display` and `Debug` put it in quotes and escape whatever is not visible ASCII, so that it can go into a log. Of a reference to a resource they
/// leave out the query, which [`as_bytes`](Self::as_bytes) has; in place of user name and password both have three dots.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt {
    bytes: Box<[u8]>,
    /// Bytes of all of it.
    len: u32,
    /// Bytes of it that are shown.
    shown: u32,
}

impl Excerpt {
    /// The first 64 bytes of `value`, or all.
    pub(crate) fn new(value: &[u8]) -> Self {
        Self::up_to(EXCERPT_LEN, value)
    }

    /// The first `max` bytes of `value`, or all.
    pub(crate) fn up_to(max: usize, value: &[u8]) -> Self {
        let bytes: Box<[u8]> = value.get(..max).unwrap_or(value).into();
        Self { shown: short(bytes.len()), bytes, len: short(value.len()) }
    }

    /// A reference to a resource, of which the query is not shown: it may hold secrets, as a browser can put them nowhere else. User
    /// information is not even kept.
    pub(crate) fn of_resource(max: usize, value: &[u8]) -> Self {
        let mut excerpt = match userinfo(value) {
            Some((begin, end)) => {
                let (before, behind) = (value.get(..begin), value.get(end..));
                Self::up_to(max, &[before.unwrap_or_default(), b"...@", behind.unwrap_or_default()].concat())
            }
            None => Self::up_to(max, value),
        };
        excerpt.shown = short(before_query(&excerpt.bytes).len());
        excerpt
    }

    /// The path of a reference to a resource: what comes before the query, at most 128 bytes of it.
    pub(crate) fn of_path(resource: &[u8]) -> Self {
        Self::up_to(PATH_LEN, before_query(resource))
    }

    /// The bytes, as they were sent.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether something was cut off.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        short(self.bytes.len()) < self.len
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.bytes.get(..self.shown as usize).unwrap_or(&self.bytes);
        write!(f, "\"{}", shown.escape_ascii())?;
        if shown.len() < self.bytes.len() {
            return f.write_str("?...\"");
        }
        f.write_str("\"")?;
        if self.is_cut() {
            write!(f, "... ({} bytes)", self.len)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Small, as an excerpt is a part of errors; a head of 4 GiB is none.
fn short(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// What comes before the query of a reference to a resource.
pub(crate) fn before_query(value: &[u8]) -> &[u8] {
    value.split(|&byte| byte == b'?').next().unwrap_or(value)
}

/// What can be shown of a head: what comes before the query of its target, and before credentials.
pub(crate) fn before_secrets(head: &[u8]) -> &[u8] {
    let head = before_query(head);
    let mut offset = 0;
    for line in head.split_inclusive(|&byte| byte == b'\n') {
        let start_line = offset == 0;
        let secret = match start_line {
            true => userinfo(line).map(|(begin, _)| begin),
            false => {
                let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
                let is_secret = SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret));
                is_secret.then_some(name.len() + 1 /* colon */)
            }
        };
        if let Some(secret) = secret {
            return head.get(..offset + secret).unwrap_or(head);
        }
        offset += line.len();
    }
    head
}

/// Where the user information of a URI in `value` begins, and where it ends with its `@`.
fn userinfo(value: &[u8]) -> Option<(usize, usize)> {
    let begin = value.windows(2).position(|bytes| bytes == b"//")? + 2;
    let authority = value.get(begin..)?.split(|byte| b"/?# ".contains(byte)).next()?;
    let len = authority.iter().rposition(|&byte| byte == b'@')? + 1;
    Some((begin, begin + len))
}

/// Fields whose values are never shown.
const SECRET: [&[u8]; 5] = [b"authorization", b"cookie", b"location", b"proxy-authorization", b"set-cookie"];

/// Bytes that are kept of a path: more than most have, and few enough for a line.
const PATH_LEN: usize = 128;

/// Bytes that an [`Excerpt`] keeps.
pub(crate) const EXCERPT_LEN: usize = 64;
