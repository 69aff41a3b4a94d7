//! The limits of a server on all of its clients together: unit, default and reason of each.

use core::time::Duration;

/// How many clients a server serves at once, in all and from one address. `usize::MAX` is no limit.
///
/// An opening handshake and an open connection are counted apart: a client that connects and says nothing never takes the place of one
/// that is served. At most [`connections`](Self::connections) and [`handshakes`](Self::handshakes) together have a file descriptor.
///
/// **Behind a reverse proxy** all clients have the proxy's address, so that the two limits per address would hold for all
/// together: set them to `usize::MAX`, and have the proxy count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdmissionLimits {
    /// Open connections. Default 10,000: some 80 MiB if they are idle and inside of TLS. When reached: 503 with
    /// [`retry_after`](Self::retry_after).
    pub connections: usize,
    /// Open connections from one address (see [`ipv6_prefix`](Self::ipv6_prefix)). Default 1,000: a tenth of all, and enough for an office
    /// or a mobile network that shares one address. When reached: 503 with [`retry_after`](Self::retry_after).
    pub connections_per_address: usize,
    /// TCP connections that are no open WebSocket: in the handshake of TLS or the opening handshake, with a plain HTTP request, or being told
    /// that they are refused. Default 1,000: a hundred new clients each second even if each takes the ten seconds that it has. When
    /// reached: TCP is closed without a word, as an answer would need what there is none of.
    pub handshakes: usize,
    /// The same, from one address. Default 100: ten slow addresses are needed to use up [`handshakes`](Self::handshakes). When reached: TCP is
    /// closed without a word.
    pub handshakes_per_address: usize,
    /// Leading bits of an IPv6 address that count as one address, at most 128. Default 64: that is what one customer gets at
    /// least, and who has 2⁶⁴ addresses should not have 2⁶⁴ times the limit.
    pub ipv6_prefix: u8,
    /// Leading bits of an IPv4 address that count as one address, at most 32. Default 32.
    pub ipv4_prefix: u8,
    /// What a refused client is told to wait, in `Retry-After`. Default 5 s; whole seconds are sent, rounded up.
    pub retry_after: Duration,
}

impl Default for AdmissionLimits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_address: 1_000,
            handshakes: 1_000,
            handshakes_per_address: 100,
            ipv6_prefix: 64,
            ipv4_prefix: 32,
            retry_after: Duration::from_secs(5),
        }
    }
}
