//! Where a refused handshake leads to: which redirects are followed, and why others are not.

use alloc::boxed::Box;
use core::fmt;

use crate::handshake::{ClientRequest, Excerpt, HandshakeError};
use crate::url::{Url, UrlError};

/// The request that `error` redirects `request` to, or `None` if it is no redirect or none is followed.
///
/// `passed` are the URLs that have redirected before this one.
pub(crate) fn follow(
    request: &ClientRequest,
    error: &HandshakeError,
    passed: &[Url],
    limit: u32,
) -> Option<Result<ClientRequest, RedirectError>> {
    if limit == 0 {
        return None;
    }
    let response = error.response()?;
    // RFC 9110 section 15.4. The method is GET, which none of them changes; 300 and 304 to 306 ask for something else.
    if !matches!(response.status(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.field("Location")?;
    let refuse = |fault, target| {
        let location = Excerpt::of_resource(SHOWN_LOCATION, location);
        Some(Err(RedirectError { inner: Box::new(Inner { fault, location, target, error: error.clone() }) }))
    };
    let url = request.url();
    let target = core::str::from_utf8(location).map_err(|error| UrlError::Character {
        // A resource has visible ASCII only.
        at: error.valid_up_to(),
    });
    let target = match target.and_then(|location| url.join(location)) {
        Ok(target) => target,
        Err(error) => return refuse(RedirectFault::Target(error), None),
    };
    if url.is_secure() && !target.is_secure() {
        return refuse(RedirectFault::Downgrade, Some(target));
    }
    let is_passed =
        |passed: &Url| passed.clone().without_credentials() == target.clone().without_credentials();
    if is_passed(url) || passed.iter().any(is_passed) {
        return refuse(RedirectFault::Loop, Some(target));
    }
    if passed.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
        return refuse(RedirectFault::Limit { limit }, Some(target));
    }
    Some(Ok(request.redirected_to(target)))
}

/// A redirect that was not followed, although redirects are.
#[derive(Debug, Clone)]
pub struct RedirectError {
    inner: Box<Inner>,
}

#[derive(Debug, Clone)]
struct Inner {
    fault: RedirectFault,
    location: Excerpt,
    target: Option<Url>,
    error: HandshakeError,
}

impl RedirectError {
    /// Why it was not followed.
    #[must_use]
    pub fn fault(&self) -> RedirectFault {
        self.inner.fault
    }

    /// Where it leads to. `None` if that is no WebSocket URI.
    #[must_use]
    pub fn target(&self) -> Option<&Url> {
        self.inner.target.as_ref()
    }

    /// The value of `Location`, at most 256 bytes of it.
    #[must_use]
    pub fn location(&self) -> &Excerpt {
        &self.inner.location
    }

    /// The answer of the server, as the error of the handshake that it ended.
    #[must_use]
    pub fn handshake(&self) -> &HandshakeError {
        &self.inner.error
    }
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { fault, location, target, error } = &*self.inner;
        let status = error.status().unwrap_or_default();
        write!(f, "the server answered with {status} and redirects to ")?;
        match target {
            Some(target) => write!(f, "{}, ", target.for_people())?,
            None => write!(f, "{location}, ")?,
        }
        match fault {
            RedirectFault::Limit { limit } => write!(f, "after {limit} redirects, which is dial.redirects"),
            RedirectFault::Loop => f.write_str("which has redirected before"),
            RedirectFault::Downgrade => f.write_str("from an encrypted connection to plain text"),
            RedirectFault::Target(error) => write!(f, "which is no WebSocket URI: {error}"),
        }
    }
}

impl core::error::Error for RedirectError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.inner.error)
    }
}

/// Why a redirect was not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedirectFault {
    /// It is one more than [`DialConfig::redirects`](crate::DialConfig::redirects).
    Limit {
        /// Redirects allowed.
        limit: u32,
    },
    /// It leads to a URL that has redirected before. Cookies that would change the answer are not kept.
    Loop,
    /// It leads from `wss` to `ws`.
    Downgrade,
    /// Its `Location` is no WebSocket URI, and does not become one where `http` is taken for `ws`.
    Target(UrlError),
}

impl RedirectFault {
    /// A short name that does not change: `redirect-limit`, `redirect-loop`, `redirect-downgrade` or `redirect-target`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Limit { .. } => "redirect-limit",
            Self::Loop => "redirect-loop",
            Self::Downgrade => "redirect-downgrade",
            Self::Target(_) => "redirect-target",
        }
    }
}

/// Bytes that are kept of a `Location`.
const SHOWN_LOCATION: usize = 256;
