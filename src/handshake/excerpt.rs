//! A bounded piece of what a peer (or a caller) wrote, safe to show.

use alloc::boxed::Box;
use core::fmt;

/// The start of something that was sent or asked for: at most 64 bytes of it, or as many as its owner says.
///
/// `Display` puts it in quotes and escapes whatever is not visible ASCII, so that it can go into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt {
    bytes: Box<[u8]>,
    len: usize,
}

impl Excerpt {
    /// The first 64 bytes of `value`, or all.
    pub(crate) fn new(value: &[u8]) -> Self {
        Self::up_to(EXCERPT_LEN, value)
    }

    /// The first `max` bytes of `value`, or all.
    pub(crate) fn up_to(max: usize, value: &[u8]) -> Self {
        let bytes = value.get(..max).unwrap_or(value).into();
        Self { bytes, len: value.len() }
    }

    /// The bytes, as they were sent.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A reference to a resource without its query, which may hold secrets.
    pub(crate) fn without_query(&self) -> Self {
        match self.bytes.iter().position(|&byte| byte == b'?') {
            Some(at) => {
                Self::up_to(usize::MAX, &[self.bytes.get(..at).unwrap_or_default(), b"?..."].concat())
            }
            None => self.clone(),
        }
    }

    /// Whether something was cut off.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.bytes.len() < self.len
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.bytes.escape_ascii())?;
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

/// Bytes that an [`Excerpt`] keeps.
const EXCERPT_LEN: usize = 64;
