//! How a client got to its server.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;

use crate::dial::error::DialAttempt;
use crate::url::Url;

/// How a client got to its server: which address, by which proxy, after how long.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Dialed {
    /// The URL of the connection: the last one, if there were redirects.
    pub url: Url,
    /// The address that TCP is connected to: the server's, or the proxy's if there is one.
    pub address: SocketAddr,
    /// The proxy, as `scheme://host:port`.
    pub proxy: Option<Box<str>>,
    /// What carries the WebSocket.
    pub protocol: Protocol,
    /// What was agreed on about TLS; `None` for `ws`.
    pub tls: Option<TlsParams>,
    /// The URLs that redirected, in their order.
    pub redirects: Vec<Url>,
    /// How long the steps took.
    pub timings: Timings,
    /// How long all of it took.
    pub elapsed: Duration,
    /// What failed on the way, such as addresses that refused. Empty in the usual case.
    pub failed: Vec<DialAttempt>,
}

/// What both ends agreed on about TLS, in the words of the TLS library.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TlsParams {
    /// The version, such as `TLS 1.3`.
    pub version: Box<str>,
    /// The cipher suite by its registered name, such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher_suite: Box<str>,
    /// The protocol inside of it ([RFC 7301]), such as `http/1.1`; empty if none was agreed on.
    ///
    /// [RFC 7301]: https://www.rfc-editor.org/rfc/rfc7301
    pub alpn: Box<[u8]>,
}

impl TlsParams {
    /// The protocol inside of it as text, such as `http/1.1`. `None` if none was agreed on; all that are registered are text.
    #[must_use]
    pub fn protocol(&self) -> Option<&str> {
        core::str::from_utf8(&self.alpn).ok().filter(|protocol| !protocol.is_empty())
    }
}

impl fmt::Display for TlsParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.version, self.cipher_suite)?;
        if !self.alpn.is_empty() {
            write!(f, ", {}", self.alpn.escape_ascii())?;
        }
        Ok(())
    }
}

/// What carries a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// HTTP/1.1, which is left by the upgrade ([RFC 6455]).
    ///
    /// [RFC 6455]: https://www.rfc-editor.org/rfc/rfc6455
    Http1,
}

/// How long each step took; after redirects, those to the last URL. `None` if there was no such step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Timings {
    /// From the question to the first answer that was of use.
    pub resolve: Option<Duration>,
    /// The race of the addresses, from the first attempt to the first that was connected.
    pub connect: Option<Duration>,
    /// What was said to the proxy.
    pub proxy: Option<Duration>,
    /// TLS.
    pub tls: Option<Duration>,
    /// The opening handshake.
    pub handshake: Option<Duration>,
}
