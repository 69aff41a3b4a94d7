//! WebSocket URIs (RFC 6455 section 3), and the parts of RFC 3986 that the opening handshake needs of them.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use thiserror::Error;

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
/// [RFC 6455 section 3]: https://www.rfc-editor.org/rfc/rfc6455#section-3
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Url {
    secure: bool,
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
        let Authority { host, port } =
            Authority::parse(authority).map_err(|error| error.moved_by(before_authority))?;
        if let Some(at) = host.find('%') {
            return Err(UrlError::HostCharacter { at: before_authority + at, character: '%' });
        }
        let host = host.to_ascii_lowercase();
        let ip = if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(IpAddr::V6(address.parse().map_err(|_| UrlError::Ipv6)?))
        } else if let Ok(address) = host.parse::<Ipv4Addr>() {
            Some(IpAddr::V4(address))
        } else if ends_in_a_number(&host) {
            return Err(UrlError::Ipv4);
        } else {
            None
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
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
        Ok(Self { secure, host, ip, port: port.unwrap_or(default_port(secure)), resource_name })
    }
}

impl fmt::Display for Url {
    /// The URI in its shortest form: without the port if it is the scheme's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme())?;
        self.write_authority(f)?;
        f.write_str(&self.resource_name)
    }
}

/// Why a text is not a WebSocket URI (RFC 6455 section 3).
///
/// `at` is always an offset in bytes from the start of the text that was given: `text[at..]` begins with what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UrlError {
    /// A space, a line end or another control character.
    #[error("the URL has whitespace or a control character at byte {at}; percent-encode it")]
    Whitespace {
        /// Where the first of them is.
        at: usize,
    },
    /// There is no `://`.
    #[error("the URL has no scheme: it must begin with ws:// or wss://")]
    NoScheme,
    /// A scheme other than `ws` and `wss`.
    #[error("the URL's scheme must be ws (for http) or wss (for https)")]
    Scheme,
    /// Nothing between `://` and the path.
    #[error("the URL has no host")]
    EmptyHost,
    /// `user@host`: there is no such part in a WebSocket URI.
    #[error("the URL has user information before the host; send an Authorization field instead")]
    Userinfo,
    /// A character that no host name has.
    #[error(
        "the URL's host has the character {character:?} at byte {at}; write international names in their ASCII form (xn--...)"
    )]
    HostCharacter {
        /// Where it is.
        at: usize,
        /// The first such character.
        character: char,
    },
    /// Something in brackets that is not an IPv6 address, or a bracket without its other.
    #[error("the URL's host in brackets is not an IPv6 address (a zone is not allowed)")]
    Ipv6,
    /// A host that ends in a number must be an IPv4 address of four numbers.
    #[error("the URL's host ends in a number but is not an IPv4 address")]
    Ipv4,
    /// The port is not a number from 1 to 65535.
    #[error("the URL's port is not a number from 1 to 65535")]
    Port,
    /// A fragment, which has no meaning here.
    #[error(
        "the URL has a fragment, which a WebSocket URI must not have; a '#' in path or query is written %23"
    )]
    Fragment,
    /// A `%` without two hexadecimal digits behind it.
    #[error("the URL has a '%' at byte {at} without two hexadecimal digits behind it")]
    PercentEscape {
        /// Where the `%` is.
        at: usize,
    },
    /// A character in path or query that must be percent-encoded.
    #[error("the URL has a character at byte {at}, in path or query, that must be percent-encoded")]
    Character {
        /// Where it is.
        at: usize,
    },
}

impl UrlError {
    /// The same fault, found in a part of the text that begins `offset` bytes behind its start.
    fn moved_by(mut self, offset: usize) -> Self {
        if let Self::Whitespace { at }
        | Self::HostCharacter { at, .. }
        | Self::PercentEscape { at }
        | Self::Character { at } = &mut self
        {
            *at += offset;
        }
        self
    }
}

/// Host and port as they stand in a URI and in a `Host` field (RFC 3986 section 3.2, RFC 9110 section 7.2).
pub(crate) struct Authority<'a> {
    /// Not empty. An IPv6 address is in its brackets.
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Offsets in the error count from the start of `text`.
    pub(crate) fn parse(text: &'a str) -> Result<Self, UrlError> {
        if text.as_bytes().contains(&b'@') {
            return Err(UrlError::Userinfo);
        }
        let (host, port) = if text.starts_with('[') {
            let Some((address, after)) = text.split_once(']') else { return Err(UrlError::Ipv6) };
            if address.trim_start_matches('[').parse::<Ipv6Addr>().is_err() || address.starts_with("[[") {
                return Err(UrlError::Ipv6);
            }
            let host = text.get(..address.len() + 1).unwrap_or_default();
            let Some(port) = after.strip_prefix(':').or(after.is_empty().then_some("")) else {
                return Err(UrlError::Port);
            };
            (host, port)
        } else {
            let colon = text.bytes().position(|byte| byte == b':').unwrap_or(text.len());
            let (host, port) = text.split_at(colon);
            let port = port.strip_prefix(':').unwrap_or_default();
            check_name(host)?;
            (host, port)
        };
        if host.is_empty() {
            return Err(UrlError::EmptyHost);
        }
        Ok(Self { host, port: parse_port(port)? })
    }
}

/// Splits what follows `://` where path, query or fragment begins.
pub(crate) fn split_authority(text: &str) -> (&str, &str) {
    text.split_at(text.find(['/', '?', '#']).unwrap_or(text.len()))
}

/// Checks path and query. All visible ASCII is let through, not only what RFC 3986 lists: browsers leave characters such
/// as `|` unescaped.
pub(crate) fn check_resource(text: &str) -> Result<(), UrlError> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'#' => return Err(UrlError::Fragment),
            b'%' => {
                let digits = text.as_bytes().get(at + 1..at + 3);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(UrlError::PercentEscape { at });
                }
            }
            b'!'..=b'~' => {}
            _ => return Err(UrlError::Character { at }),
        }
    }
    Ok(())
}

/// `reg-name` of RFC 3986 section 3.2.2.
fn check_name(name: &str) -> Result<(), UrlError> {
    for (at, byte) in name.bytes().enumerate() {
        let allowed = match byte {
            b'%' => {
                let digits = name.as_bytes().get(at + 1..at + 3);
                digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            }
            b'!' | b'$' | b'&'..=b'.' | b';' | b'=' | b'_' | b'~' => true,
            _ => byte.is_ascii_alphanumeric(),
        };
        if !allowed {
            let character = name.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
            return Err(UrlError::HostCharacter { at, character });
        }
    }
    Ok(())
}

/// An empty port stands for the default (RFC 3986 section 3.2.3).
fn parse_port(text: &str) -> Result<Option<u16>, UrlError> {
    if text.is_empty() {
        return Ok(None);
    }
    // `parse` would take a sign.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(UrlError::Port);
    }
    match text.parse() {
        Ok(0) | Err(_) => Err(UrlError::Port),
        Ok(port) => Ok(Some(port)),
    }
}

/// Resolvers read `127.1` as 127.0.0.1; whoever wrote it may have meant something else.
fn ends_in_a_number(host: &str) -> bool {
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
}

const fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}
