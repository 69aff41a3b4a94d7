//! WebSocket URIs (RFC 6455 section 3), and the parts of RFC 3986 that the opening handshake needs of them.
//!
//! `authority` checks the parts of a URI, `credentials` takes user information apart, `reference` finds where a `Location`
//! leads to, `idn` writes international names in ASCII, and `error` says what is wrong with a text.

mod authority;
mod credentials;
mod error;
mod idn;
mod reference;

use alloc::format;
use alloc::string::String;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

pub(crate) use authority::{Authority, check_resource, split_authority, split_userinfo, to_host};
pub(crate) use credentials::Credentials;
pub use error::UrlError;
pub(crate) use idn::to_ascii;

/// A `ws` or `wss` URI ([RFC 6455 section 3]).
///
/// ```
/// use sansocket::Url;
///
/// let url: Url = "wss://[2001:db8::1]:8443/chat?room=7".parse()?;
/// assert!(url.is_secure());
/// assert_eq!(url.host(), "2001:db8::1");
/// assert_eq!(url.port(), 8443);
/// assert_eq!(url.resource_name(), "/chat?room=7");
/// assert_eq!(url.host_field(), "[2001:db8::1]:8443");
/// # Ok::<(), sansocket::UrlError>(())
/// ```
///
/// User information (`wss://user:password@host`) becomes the credentials of the request: a
/// [`ClientRequest`](crate::ClientRequest) to it has an `Authorization` field of the Basic scheme ([RFC 7617]), unless it was
/// given one of its own. Neither `Display` nor `Debug` shows them, and `Debug` no query either: it may hold secrets.
///
/// [RFC 6455 section 3]: https://www.rfc-editor.org/rfc/rfc6455#section-3
/// [RFC 7617]: https://www.rfc-editor.org/rfc/rfc7617
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    secure: bool,
    credentials: Option<Credentials>,
    /// Lower case, and without the brackets of an IPv6 address.
    host: String,
    ip: Option<IpAddr>,
    port: u16,
    resource_name: String,
}

impl Url {
    /// Whether the scheme is `wss`, so that the handshake must go through TLS and never in plain text.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// `wss` or `ws`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.secure { "wss" } else { "ws" }
    }

    /// The host as a resolver or TLS wants it: in lower case, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host if it is an address: nothing is left to resolve.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.ip
    }

    /// The port: as given or, by default, 80 for `ws` and 443 for `wss`.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Path and query as they go into the request line; at least `/`.
    #[must_use]
    pub fn resource_name(&self) -> &str {
        &self.resource_name
    }

    /// The value of the `Host` field: brackets around an IPv6 address, and the port if it is not the scheme's own.
    //= https://www.rfc-editor.org/rfc/rfc6455#section-4.1
    //# The request MUST contain a |Host| header field whose value
    //# contains /host/ plus optionally ":" followed by /port/ (when not
    //# using the default port).
    #[must_use]
    pub fn host_field(&self) -> String {
        let mut value = String::with_capacity(self.host.len() + 2 /* brackets */ + 6 /* port */);
        // Writing to a `String` cannot fail.
        let _ = self.write_authority(&mut value);
        value
    }

    /// Whether there is user information, which goes into the request as credentials.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    /// The same URL without credentials.
    #[must_use]
    pub fn without_credentials(mut self) -> Self {
        self.credentials = None;
        self
    }

    /// Whether `other` has the same scheme, host and port, so that what is secret from others is not so from it
    /// ([RFC 6454 section 5]).
    ///
    /// [RFC 6454 section 5]: https://www.rfc-editor.org/rfc/rfc6454#section-5
    #[must_use]
    pub fn is_same_origin(&self, other: &Self) -> bool {
        self.secure == other.secure && self.host == other.host && self.port == other.port
    }

    pub(crate) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    pub(crate) fn set_credentials(&mut self, credentials: Option<Credentials>) {
        self.credentials = credentials;
    }

    /// The URL for people: a query, which may hold secrets, is only hinted at.
    pub(crate) fn for_people(&self) -> String {
        let mut out = format!("{}://", self.scheme());
        // Writing to a `String` cannot fail.
        let _ = self.write_authority(&mut out);
        match self.resource_name.split_once('?') {
            Some((path, _)) => out + path + "?...",
            None => out + &self.resource_name,
        }
    }

    /// Host and port, the latter also where it is the scheme's own.
    pub(crate) fn authority_with_port(&self) -> String {
        match self.ip {
            Some(IpAddr::V6(_)) => format!("[{}]:{}", self.host, self.port),
            _ => format!("{}:{}", self.host, self.port),
        }
    }

    fn write_authority(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        match self.ip {
            Some(IpAddr::V6(_)) => write!(out, "[{}]", self.host)?,
            _ => out.write_str(&self.host)?,
        }
        if self.port != default_port(self.secure) {
            write!(out, ":{}", self.port)?;
        }
        Ok(())
    }
}

impl FromStr for Url {
    type Err = UrlError;

    /// # Errors
    ///
    /// What is wrong with `text`; nothing is repaired or guessed.
    fn from_str(text: &str) -> Result<Self, UrlError> {
        if let Some(at) = text.bytes().position(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control())
        {
            return Err(UrlError::Whitespace { at });
        }
        let Some((scheme, rest)) = text.split_once("://") else { return Err(UrlError::NoScheme) };
        let secure = if scheme.eq_ignore_ascii_case("wss") {
            true
        } else if scheme.eq_ignore_ascii_case("ws") {
            false
        } else {
            return Err(UrlError::Scheme);
        };
        let (authority, resource) = split_authority(rest);
        let (before_authority, before_resource) = (text.len() - rest.len(), text.len() - resource.len());
        let (userinfo, authority) = split_userinfo(authority);
        let credentials = Credentials::parse(userinfo).map_err(|error| error.moved_by(before_authority))?;
        let before_host = before_resource - authority.len();
        let authority = to_ascii(authority).map_err(|error| error.moved_by(before_host))?;
        let Authority { host, port } =
            Authority::parse(&authority).map_err(|error| error.moved_by(before_host))?;
        let (host, ip) = to_host(host).map_err(|error| error.moved_by(before_host))?;
        check_resource(resource).map_err(|error| error.moved_by(before_resource))?;
        //= https://www.rfc-editor.org/rfc/rfc6455#section-3
        //# The "resource-name" (also known as /resource name/ in Section 4.1)
        //# can be constructed by concatenating the following:
        //# o  "/" if the path component is empty
        //# o  the path component
        //# o  "?" if the query component is non-empty
        //# o  the query component
        let resource = resource.strip_suffix('?').filter(|path| !path.contains('?')).unwrap_or(resource);
        let mut resource_name = String::with_capacity(resource.len() + 1);
        if !resource.starts_with('/') {
            resource_name.push('/');
        }
        resource_name.push_str(resource);
        Ok(Self { secure, credentials, host, ip, port: port.unwrap_or(default_port(secure)), resource_name })
    }
}

impl fmt::Debug for Url {
    /// For people: without credentials, and of a query only that there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Url").field(&self.for_people()).finish()
    }
}

impl fmt::Display for Url {
    /// The URI in its shortest form, to be used as one: with its query, but without the port if it is the scheme's own, and without
    /// credentials. For a log, `Debug` is better.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme())?;
        self.write_authority(f)?;
        f.write_str(&self.resource_name)
    }
}

const fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}
