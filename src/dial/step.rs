//! What an adapter does for a `Dial`, and by which names.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::net::SocketAddr;

use crate::config::ClientConfig;
use crate::dial::candidates::Addresses;
use crate::dial::config::TcpOptions;
use crate::dial::dialed::Dialed;
use crate::dial::error::DialError;
use crate::dial::proxy::ProxyHandshake;
use crate::handshake::ClientRequest;

/// What to do next on the way to a server; [`Dial`](crate::Dial) says what to tell it afterwards.
///
/// `attempt` says with which TCP connection. Only one is in use from [`Proxy`](Self::Proxy) on.
#[derive(Debug)]
#[non_exhaustive]
#[must_use]
pub enum DialStep {
    /// Find the addresses of `host`, and tell [`resolved`](crate::Dial::resolved), or for each family on its own
    /// [`resolved_family`](crate::Dial::resolved_family). Stop an older search if one is under way.
    Resolve {
        /// A name in lower case and ASCII; never an address.
        host: String,
        /// The port that the addresses are to have.
        port: u16,
        /// Which families are wanted: nothing else need be asked for.
        addresses: Addresses,
    },
    /// Connect TCP, while others may be under way, and tell [`connected`](crate::Dial::connected).
    Connect {
        /// The name of this attempt.
        attempt: AttemptId,
        /// Where to.
        address: SocketAddr,
        /// What to set on the socket.
        tcp: TcpOptions,
    },
    /// Drop this attempt, and close its connection if there is one still: it lost the race, took too long, or failed in a
    /// later step.
    Abandon {
        /// The attempt.
        attempt: AttemptId,
    },
    /// Let the proxy connect to the server, which the given handshake does, and tell [`proxied`](crate::Dial::proxied).
    Proxy {
        /// The connection to use.
        attempt: AttemptId,
        /// What is said to the proxy. It has a deadline of its own.
        handshake: Box<ProxyHandshake>,
    },
    /// Establish TLS, and tell [`secured`](crate::Dial::secured).
    Tls {
        /// The connection to use.
        attempt: AttemptId,
        /// The name that the certificate must have, and for SNI; or an address, an IPv6 one without brackets.
        server_name: String,
    },
    /// Do the opening handshake, with a [`ClientHandshake`](crate::ClientHandshake) of exactly these two, and tell
    /// [`opened`](crate::Dial::opened) or [`refused`](crate::Dial::refused).
    Handshake {
        /// The connection to use.
        attempt: AttemptId,
        /// What to ask for: after a redirect, other than in the beginning.
        request: Box<ClientRequest>,
        /// With the time that is left for the handshake.
        config: Box<ClientConfig>,
    },
    /// The end: the WebSocket is open. Nothing follows.
    Opened(Box<Dialed>),
    /// The end: there is no connection. Nothing follows.
    Failed(DialError),
}

/// A TCP connection or the attempt to make one, counted from 0 in each [`Dial`](crate::Dial).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub(crate) u32);

impl AttemptId {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// The steps on the way to a server that can fail, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DialStepKind {
    /// Finding addresses.
    Resolve,
    /// TCP to an address.
    Connect,
    /// What is said to a proxy.
    Proxy,
    /// TLS.
    Tls,
    /// The opening handshake, and where its answer leads to.
    Handshake,
}

impl DialStepKind {
    /// A short name that does not change, for metrics: `resolve`, `connect`, `proxy`, `tls` or `handshake`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Handshake => "handshake",
        }
    }
}

impl fmt::Display for DialStepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
