//! What counts as one address.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::limits::AdmissionLimits;

/// The addresses that share the limits per address: a network, as one customer has it.
///
/// ```
/// use sansocket::{AddressGroup, AdmissionLimits};
///
/// let limits = AdmissionLimits::default();
/// let group = AddressGroup::new("2001:db8:0:1::7".parse()?, &limits);
/// assert_eq!(group, AddressGroup::new("2001:db8:0:1:ffff::8".parse()?, &limits));
/// assert_eq!(group.to_string(), "2001:db8:0:1::/64");
/// # Ok::<(), core::net::AddrParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressGroup {
    network: IpAddr,
    prefix: u8,
}

impl AddressGroup {
    /// The group of an address. An IPv4 address that comes mapped into IPv6 (`::ffff:192.0.2.1`), as on a listener for both, counts as IPv4.
    #[must_use]
    pub fn new(address: IpAddr, limits: &AdmissionLimits) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let prefix = limits.ipv4_prefix.min(32);
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                Self { network: Ipv4Addr::from_bits(address.to_bits() & mask).into(), prefix }
            }
            IpAddr::V6(address) => {
                let prefix = limits.ipv6_prefix.min(128);
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                Self { network: Ipv6Addr::from_bits(address.to_bits() & mask).into(), prefix }
            }
        }
    }
}

impl fmt::Display for AddressGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}
