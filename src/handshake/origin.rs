//! From which web pages a browser may open a WebSocket here (RFC 6455 sections 1.6 and 10.2).

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::str::{self, FromStr};

use thiserror::Error;

use crate::handshake::excerpt::Excerpt;
use crate::handshake::reject::Reject;
use crate::handshake::request::Request;
use crate::url::Authority;

/// The origins whose pages may open a WebSocket to this server.
///
/// A browser lets any page open a WebSocket to any server, and sends the user's cookies along: whoever trusts cookies must
/// check from where a request comes, or any page can act for the user (cross-site hijacking). Browsers always send
/// `Origin`, and no page can forge it. Other clients can send what they like, so this is no authentication.
///
/// An origin is a scheme, a host and a port; it is compared as a whole, scheme and host in upper or lower case, the default
/// port of `http` and `https` being the same as none. `https://*.example.com` stands for every host below `example.com`,
/// however deep, and not for `example.com` itself. `null`, which pages without an origin send, cannot be allowed, as every
/// sandboxed page of any site sends it too.
///
/// ```
/// use sansocket::{Accept, InvalidOrigin, Origins, Reject, Request};
///
/// fn decide(origins: &Origins, request: &Request) -> Result<Accept, Reject> {
///     origins.check(request)?;
///     Ok(Accept::new())
/// }
///
/// let origins = Origins::new().allow("https://example.com")?.allow("https://*.example.com")?;
/// assert!(origins.allows(b"https://chat.example.com"));
/// assert!(!origins.allows(b"https://example.com.evil.test"));
/// # Ok::<(), InvalidOrigin>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Origins {
    allowed: Vec<Allowed>,
    required: bool,
}

#[derive(Debug, Clone)]
struct Allowed {
    origin: Origin,
    /// Hosts below this one, and not itself.
    subdomains: bool,
}

impl Origins {
    /// No origin is allowed. Requests without `Origin` are, as they do not come from a page.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows an origin, such as `https://example.com`, `http://localhost:8080` or `https://*.example.com`.
    ///
    /// # Errors
    ///
    /// It is not an origin: a path or a `/` at the end, no scheme, `*` elsewhere than as the first label, `null`.
    pub fn allow(mut self, origin: &str) -> Result<Self, InvalidOrigin> {
        let invalid = || InvalidOrigin { origin: Excerpt::new(origin.as_bytes()) };
        let (exact, subdomains) = match origin.split_once("://*.") {
            Some((scheme, host)) => (format!("{scheme}://{host}"), true),
            None => (origin.into(), false),
        };
        let parsed: Origin = exact.parse().map_err(|_| invalid())?;
        // An address has nothing below it.
        let is_address = parsed.host.starts_with('[') || parsed.host.parse::<core::net::Ipv4Addr>().is_ok();
        if parsed.host.contains('*') || (subdomains && is_address) {
            return Err(invalid());
        }
        self.allowed.push(Allowed { origin: parsed, subdomains });
        Ok(self)
    }

    /// Refuses requests without `Origin` as well: only browsers are served.
    #[must_use]
    pub fn require(mut self) -> Self {
        self.required = true;
        self
    }

    /// Whether a page of `origin`, the value of an `Origin` field, may open a WebSocket.
    #[must_use]
    pub fn allows(&self, origin: &[u8]) -> bool {
        let Some(origin) = str::from_utf8(origin).ok().and_then(|origin| origin.parse::<Origin>().ok())
        else {
            return false;
        };
        self.allowed.iter().any(|allowed| allowed.covers(&origin))
    }

    /// Checks a request by its `Origin` field.
    ///
    /// # Errors
    ///
    /// 403, if its origin is not allowed, if it has several, or if it has none and one is [required](Self::require).
    pub fn check(&self, request: &Request) -> Result<(), Reject> {
        let mut origins = request.head().values("Origin");
        match (origins.next(), origins.next()) {
            (None, _) if self.required => Err(Reject::forbidden("The request has no Origin field.")),
            (None, _) => Ok(()),
            (Some(origin), None) if self.allows(origin) => Ok(()),
            (Some(origin), None) => {
                let seen = Excerpt::new(origin);
                Err(Reject::forbidden(&format!("Pages of the origin {seen} may not open a WebSocket here.")))
            }
            (Some(_), Some(_)) => Err(Reject::forbidden("The request has more than one Origin field.")),
        }
    }
}

impl Allowed {
    fn covers(&self, origin: &Origin) -> bool {
        let Origin { scheme, host, port } = &self.origin;
        let host_fits = match self.subdomains {
            false => *host == origin.host,
            true => {
                let below = origin.host.strip_suffix(&**host).and_then(|labels| labels.strip_suffix('.'));
                below.is_some_and(|labels| !labels.is_empty())
            }
        };
        host_fits && *scheme == origin.scheme && *port == origin.port
    }
}

/// Scheme and host are in lower case, the port is there unless neither it nor the scheme's default is known.
#[derive(Debug, Clone)]
struct Origin {
    scheme: Box<str>,
    host: Box<str>,
    port: Option<u16>,
}

impl FromStr for Origin {
    type Err = ();

    /// RFC 6454 section 6.2: scheme, `://`, host and, if it is not the default, port.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (scheme, authority) = text.split_once("://").ok_or(())?;
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        let Authority { host, port } = Authority::parse(authority).map_err(|_| ())?;
        if !is_scheme || authority.ends_with(':') {
            return Err(());
        }
        let scheme = scheme.to_ascii_lowercase().into_boxed_str();
        let default = match &*scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        Ok(Self { scheme, host: host.to_ascii_lowercase().into(), port: port.or(default) })
    }
}

/// A text that is not an origin, or names one that cannot be allowed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{origin} is not an origin such as https://example.com, http://localhost:8080 or https://*.example.com, without a path"
)]
pub struct InvalidOrigin {
    origin: Excerpt,
}
