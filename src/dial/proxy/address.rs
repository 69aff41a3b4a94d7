//! Where a proxy is, and what it speaks.

use alloc::string::String;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use thiserror::Error;

use crate::url::{Authority, Credentials, UrlError, split_authority, split_userinfo, to_ascii, to_host};

/// A proxy: `http://host:port` or `socks5://host:port`, with `user:password@` before the host if it wants credentials;
/// [`credentials`](Self::credentials) gives it such as are no part of a URL.
///
/// Without a scheme it is `http`, as many environments have it. The default port is 80 for `http` and 1080 for SOCKS5.
/// `socks5` and `socks5h` are the same: the proxy finds the server's address, so that no name leaks past it.
///
/// Neither `Display` nor `Debug` shows credentials.
///
/// ```
/// use sansocket::{Proxy, ProxyKind};
///
/// let proxy: Proxy = "socks5://me:secret@proxy.example".parse()?;
/// assert_eq!(proxy.kind(), ProxyKind::Socks5);
/// assert_eq!(proxy.to_string(), "socks5://proxy.example:1080");
/// # Ok::<(), sansocket::InvalidProxy>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    kind: ProxyKind,
    /// Lower case, and without the brackets of an IPv6 address.
    host: String,
    ip: Option<IpAddr>,
    port: u16,
    credentials: Option<Credentials>,
}

/// What a proxy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProxyKind {
    /// HTTP/1.1, and there the method CONNECT ([RFC 9110 section 9.3.6]), also for `ws`.
    ///
    /// [RFC 9110 section 9.3.6]: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
    Http,
    /// SOCKS version 5 ([RFC 1928]), with user name and password ([RFC 1929]) if there are any.
    ///
    /// [RFC 1928]: https://www.rfc-editor.org/rfc/rfc1928
    /// [RFC 1929]: https://www.rfc-editor.org/rfc/rfc1929
    Socks5,
}

impl Proxy {
    /// What it speaks.
    #[must_use]
    pub fn kind(&self) -> ProxyKind {
        self.kind
    }

    /// The host as a resolver wants it: in lower case, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host if it is an address: nothing is left to resolve.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.ip
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether there are credentials for it.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    /// Gives it this user name and password, in place of those that it has: for credentials that do not come from a URL. They are taken
    /// as they are, without percent-encoding.
    ///
    /// ```
    /// use sansocket::Proxy;
    ///
    /// let proxy = "http://proxy.example:3128".parse::<Proxy>()?.credentials("me", "p@ss/word")?;
    /// assert!(proxy.has_credentials());
    /// assert_eq!(proxy, "http://me:p%40ss%2Fword@proxy.example:3128".parse()?);
    /// # Ok::<(), sansocket::InvalidProxy>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidProxy::Credentials`] for what cannot be sent; [`InvalidProxy::CredentialsTooLong`] and [`InvalidProxy::NoUser`] for a
    /// SOCKS5 proxy.
    pub fn credentials(mut self, user: &str, password: &str) -> Result<Self, InvalidProxy> {
        let credentials = Credentials::new(user, password).ok_or(InvalidProxy::Credentials)?;
        self.kind.check(&credentials)?;
        self.credentials = Some(credentials);
        Ok(self)
    }

    pub(crate) fn known_credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }
}

impl FromStr for Proxy {
    type Err = InvalidProxy;

    /// # Errors
    ///
    /// What is wrong with `text`. The error does not repeat it, as it may hold a password.
    fn from_str(text: &str) -> Result<Self, InvalidProxy> {
        if let Some(at) = text.bytes().position(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control())
        {
            return Err(UrlError::Whitespace { at }.into());
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let is = |name: &str| scheme.eq_ignore_ascii_case(name);
        let kind = match () {
            () if is("http") => ProxyKind::Http,
            () if is("socks5") || is("socks5h") => ProxyKind::Socks5,
            () if is("https") => return Err(InvalidProxy::Https),
            () if is("socks4") || is("socks4a") => return Err(InvalidProxy::Socks4),
            () => return Err(InvalidProxy::Scheme),
        };
        let (authority, resource) = split_authority(rest);
        if !matches!(resource, "" | "/") {
            return Err(InvalidProxy::Resource);
        }
        let before_authority = text.len() - rest.len();
        let (userinfo, authority) = split_userinfo(authority);
        let before_host = before_authority + userinfo.len();
        let credentials = Credentials::parse(userinfo).map_err(|error| error.moved_by(before_authority))?;
        credentials.as_ref().map_or(Ok(()), |credentials| kind.check(credentials))?;
        let at_host = |error: UrlError| error.moved_by(before_host);
        let authority = to_ascii(authority).map_err(at_host)?;
        let Authority { host, port } = Authority::parse(&authority).map_err(at_host)?;
        let (host, ip) = to_host(host).map_err(at_host)?;
        Ok(Self { kind, host, ip, port: port.unwrap_or(kind.default_port()), credentials })
    }
}

impl ProxyKind {
    const fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Socks5 => "socks5",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Socks5 => 1080,
        }
    }

    /// Whether it has place for them.
    fn check(self, credentials: &Credentials) -> Result<(), InvalidProxy> {
        match self {
            Self::Http => Ok(()),
            Self::Socks5 if credentials.user().is_empty() => Err(InvalidProxy::NoUser),
            Self::Socks5
                if credentials.user().len().max(credentials.password().len()) > MAX_SOCKS_CREDENTIAL =>
            {
                Err(InvalidProxy::CredentialsTooLong)
            }
            Self::Socks5 => Ok(()),
        }
    }
}

impl fmt::Display for Proxy {
    /// Scheme, host and port, without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host, port) = (self.kind.scheme(), &self.host, self.port);
        match self.ip {
            Some(IpAddr::V6(_)) => write!(f, "{scheme}://[{host}]:{port}"),
            _ => write!(f, "{scheme}://{host}:{port}"),
        }
    }
}

/// Why a text is not a proxy that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidProxy {
    /// A scheme other than `http`, `socks5` and `socks5h`.
    #[error("a proxy's scheme must be http, socks5 or socks5h")]
    Scheme,
    /// `https`: TLS to the proxy itself.
    #[error(
        "TLS to the proxy itself (https://) is not supported; with http:// a wss connection is encrypted from end to end all the same"
    )]
    Https,
    /// `socks4` or `socks4a`.
    #[error("SOCKS4 is not supported; use socks5:// if the proxy speaks it")]
    Socks4,
    /// Something behind host and port.
    #[error("a proxy has no path, query or fragment")]
    Resource,
    /// SOCKS5 has no place for more than 255 bytes (RFC 1929 section 2).
    #[error("user name and password for a SOCKS5 proxy have at most 255 bytes each (RFC 1929)")]
    CredentialsTooLong,
    /// A control character in user name or password, or a colon in the name (RFC 7617 section 2).
    #[error("a user name or password for a proxy has no control characters, and a user name no colon")]
    Credentials,
    /// SOCKS5 has no empty user names (RFC 1929 section 2).
    #[error("the user name for a SOCKS5 proxy is empty (RFC 1929)")]
    NoUser,
    /// Host, port or credentials are malformed. Offsets count from the start of the text.
    #[error(transparent)]
    Url(#[from] UrlError),
}

/// RFC 1929 section 2: a length in one byte.
const MAX_SOCKS_CREDENTIAL: usize = 255;
