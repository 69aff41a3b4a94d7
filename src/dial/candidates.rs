//! Addresses that are still to be tried, in the order of RFC 8305 section 4: the families take turns.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::SocketAddr;

/// Which addresses of a host are tried, and which first. The families take turns from then on ([RFC 8305 section 4]).
///
/// A URL with an address instead of a name is not subject to it.
///
/// [RFC 8305 section 4]: https://www.rfc-editor.org/rfc/rfc8305#section-4
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Addresses {
    /// As the resolver says: the family of its first address. Resolvers put what this machine has no route to behind the
    /// rest (RFC 6724). Where answers come for each family on its own, IPv6.
    #[default]
    Any,
    /// IPv6 first.
    PreferIpv6,
    /// IPv4 first.
    PreferIpv4,
    /// No IPv4.
    OnlyIpv6,
    /// No IPv6.
    OnlyIpv4,
}

impl Addresses {
    /// Whether addresses of `family` are tried at all; if not, a resolver need not ask for them.
    #[must_use]
    pub const fn wants(self, family: Family) -> bool {
        !matches!((self, family), (Self::OnlyIpv6, Family::Ipv4) | (Self::OnlyIpv4, Family::Ipv6))
    }

    /// The family to begin with.
    pub(crate) const fn first(self) -> Family {
        match self {
            Self::Any | Self::PreferIpv6 | Self::OnlyIpv6 => Family::Ipv6,
            Self::PreferIpv4 | Self::OnlyIpv4 => Family::Ipv4,
        }
    }
}

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4, which DNS has A records for.
    Ipv4,
    /// IPv6, which DNS has AAAA records for.
    Ipv6,
}

impl Family {
    /// The family of `address`.
    #[must_use]
    pub const fn of(address: &SocketAddr) -> Self {
        match address {
            SocketAddr::V4(_) => Self::Ipv4,
            SocketAddr::V6(_) => Self::Ipv6,
        }
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Ipv4 => Self::Ipv6,
            Self::Ipv6 => Self::Ipv4,
        }
    }
}

/// Addresses that are still to be tried.
#[derive(Debug)]
pub(crate) struct Candidates {
    ipv4: VecDeque<SocketAddr>,
    ipv6: VecDeque<SocketAddr>,
    /// Whose turn it is.
    turn: Family,
    /// All that were ever added: each is tried once.
    known: Vec<SocketAddr>,
    max: usize,
}

impl Candidates {
    pub(crate) fn new(first: Family, max: usize) -> Self {
        Self { ipv4: VecDeque::new(), ipv6: VecDeque::new(), turn: first, known: Vec::new(), max }
    }

    /// Lets `family` be the next to be tried.
    pub(crate) fn begin_with(&mut self, family: Family) {
        self.turn = family;
    }

    pub(crate) fn add(&mut self, address: SocketAddr) {
        if self.known.len() < self.max && !self.known.contains(&address) {
            self.known.push(address);
            self.of(Family::of(&address)).push_back(address);
        }
    }

    pub(crate) fn take(&mut self) -> Option<SocketAddr> {
        let turn = self.turn;
        let address = self.of(turn).pop_front().or_else(|| self.of(turn.other()).pop_front())?;
        self.turn = Family::of(&address).other();
        Some(address)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ipv4.is_empty() && self.ipv6.is_empty()
    }

    /// Whether there has never been any.
    pub(crate) fn are_unknown(&self) -> bool {
        self.known.is_empty()
    }

    fn of(&mut self, family: Family) -> &mut VecDeque<SocketAddr> {
        match family {
            Family::Ipv4 => &mut self.ipv4,
            Family::Ipv6 => &mut self.ipv6,
        }
    }
}
