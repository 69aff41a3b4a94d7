//! How a client gets to a server: time limits, options of TCP, proxies, redirects.

use core::time::Duration;

use crate::dial::candidates::Addresses;
use crate::dial::proxy::Proxies;

/// How [`Dial`](crate::Dial) gets to a server.
///
/// Two time limits are not here, because they exist without it too: the limit for everything together is
/// [`Timeouts::connect`](crate::Timeouts::connect), that of the opening handshake
/// [`Timeouts::handshake`](crate::Timeouts::handshake).
///
/// ```
/// use sansocket::{Addresses, DialConfig};
///
/// let mut config = DialConfig::default();
/// config.redirects = 3;
/// config.addresses = Addresses::OnlyIpv4;
/// config.proxy = "socks5://127.0.0.1:1080".parse::<sansocket::Proxy>()?.into();
/// # Ok::<(), sansocket::InvalidProxy>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DialConfig {
    /// How long each step may take.
    pub timeouts: DialTimeouts,
    /// Time after which the next address is tried while the one before has not answered ([RFC 8305 section 5]). Default
    /// 250 ms, as recommended there. Below 10 ms it counts as 10 ms, above 2 s as 2 s (section 8). An address that fails is
    /// followed by the next at once.
    ///
    /// [RFC 8305 section 5]: https://www.rfc-editor.org/rfc/rfc8305#section-5
    pub attempt_delay: Duration,
    /// Time that addresses of one family wait for those of the preferred one, where a resolver answers for each on its own
    /// ([RFC 8305 section 3]). Default 50 ms, as recommended there.
    ///
    /// [RFC 8305 section 3]: https://www.rfc-editor.org/rfc/rfc8305#section-3
    pub resolution_delay: Duration,
    /// Which addresses are tried, and which of them first. Default [`Addresses::Any`].
    pub addresses: Addresses,
    /// Addresses of one host that are tried. Default 16; what a resolver answers beyond that is not looked at.
    pub max_addresses: usize,
    /// What is asked of TCP.
    pub tcp: TcpOptions,
    /// Proxies, and the hosts that are reached without. Default none; what the environment says is not looked at unless it is
    /// asked for ([`Proxies::from_env`]).
    pub proxy: Proxies,
    /// Redirects that are followed. Default 0: a redirect is an error that carries its target.
    ///
    /// No redirect leads from `wss` to `ws`, nor to a URL that has redirected already. To another origin go neither
    /// the URL's credentials nor the fields `Authorization`, `Cookie` and `Proxy-Authorization`; all other fields and the
    /// subprotocols do. Where one of those is a secret, let this be 0 and decide by the error.
    pub redirects: u32,
}

impl Default for DialConfig {
    fn default() -> Self {
        Self {
            timeouts: DialTimeouts::default(),
            attempt_delay: Duration::from_millis(250),
            resolution_delay: Duration::from_millis(50),
            addresses: Addresses::default(),
            max_addresses: 16,
            tcp: TcpOptions::default(),
            proxy: Proxies::default(),
            redirects: 0,
        }
    }
}

impl DialConfig {
    /// [`attempt_delay`](Self::attempt_delay) within its bounds.
    pub(crate) fn bounded_attempt_delay(&self) -> Duration {
        self.attempt_delay.clamp(MIN_ATTEMPT_DELAY, MAX_ATTEMPT_DELAY)
    }
}

/// How long each step of getting to a server may take. `None` is no limit but [`Timeouts::connect`](crate::Timeouts::connect),
/// which holds for all of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DialTimeouts {
    /// Finding the addresses of a host. Default 5 s: as long as a usual resolver waits for its first name server.
    pub resolve: Option<Duration>,
    /// TCP to one address. Default 10 s: time for three repetitions of a lost first packet, after 1, 3 and 7 s.
    pub address: Option<Duration>,
    /// What is said to a proxy, until it has reached the server. Default 10 s.
    pub proxy: Option<Duration>,
    /// The handshake of TLS. Default 10 s.
    pub tls: Option<Duration>,
}

impl Default for DialTimeouts {
    fn default() -> Self {
        Self {
            resolve: Some(Duration::from_secs(5)),
            address: Some(Duration::from_secs(10)),
            proxy: Some(Duration::from_secs(10)),
            tls: Some(Duration::from_secs(10)),
        }
    }
}

/// What an adapter sets on a TCP socket before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TcpOptions {
    /// `TCP_NODELAY`. Default `true`: without it a small message may wait for the acknowledgement of the one before, 40 ms
    /// on many systems.
    pub nodelay: bool,
    /// `SO_KEEPALIVE`. Default `None`: keepalive Pings ([`Timeouts::ping_interval`](crate::Timeouts::ping_interval)) find
    /// out more, and pass proxies.
    pub keepalive: Option<TcpKeepalive>,
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self { nodelay: true, keepalive: None }
    }
}

/// Keepalive of TCP itself (RFC 9293 section 3.8.4). What the operating system cannot set, it has its own value for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpKeepalive {
    /// Time without traffic until the first probe.
    pub idle: Duration,
    /// Time between two probes.
    pub interval: Option<Duration>,
    /// Probes without an answer until the connection is given up.
    pub retries: Option<u32>,
}

/// RFC 8305 section 8: the delay MUST NOT be less.
const MIN_ATTEMPT_DELAY: Duration = Duration::from_millis(10);

/// RFC 8305 section 8: the maximum.
const MAX_ATTEMPT_DELAY: Duration = Duration::from_secs(2);
