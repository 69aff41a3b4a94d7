//! The list of hosts that are reached without a proxy, as `NO_PROXY` has it.

use core::net::IpAddr;

/// Whether a host is in `list`. `host` is in lower case.
pub(crate) fn matches(list: &str, host: &str, ip: Option<IpAddr>, port: u16) -> bool {
    let entries = list.split(|character: char| character == ',' || character.is_ascii_whitespace());
    entries.filter(|entry| !entry.is_empty()).any(|entry| entry_matches(entry, host, ip, port))
}

fn entry_matches(entry: &str, host: &str, ip: Option<IpAddr>, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    let (name, only_port) = split_port(entry);
    if only_port.is_some_and(|only| only != port) {
        return false;
    }
    match ip {
        Some(ip) => address_matches(name, ip),
        None => name_matches(name, host),
    }
}

/// Splits a port off. An IPv6 address without brackets has none.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((address, behind)) = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, behind.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.split_once(':') {
        // What is no port stays part of the name, which then matches nothing.
        Some((name, port)) => port.parse().map_or((entry, None), |port| (name, Some(port))),
        None => (entry, None),
    }
}

fn name_matches(name: &str, host: &str) -> bool {
    let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
    let name = name.strip_prefix('.').unwrap_or(name);
    let name = name.strip_suffix('.').unwrap_or(name);
    let host = host.strip_suffix('.').unwrap_or(host);
    if name.is_empty() {
        return false;
    }
    let Some(start) = host.len().checked_sub(name.len()) else { return false };
    let tail = host.as_bytes().get(start..).unwrap_or_default();
    let is_whole_label = start == 0 || host.as_bytes().get(start - 1) == Some(&b'.');
    is_whole_label && tail.eq_ignore_ascii_case(name.as_bytes())
}

fn address_matches(entry: &str, ip: IpAddr) -> bool {
    let (network, bits) = match entry.split_once('/') {
        Some((network, bits)) => (network, bits.parse::<u32>().ok()),
        None => (entry, Some(u32::MAX)),
    };
    let (Ok(network), Some(bits)) = (network.parse::<IpAddr>(), bits) else { return false };
    let has_length = entry.contains('/');
    match (network, ip) {
        (IpAddr::V4(network), IpAddr::V4(ip)) if !has_length || bits <= 32 => {
            // A shift by the whole width is none of an integer's operations.
            let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or_default();
            network.to_bits() & mask == ip.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(ip)) if !has_length || bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits.min(128)).unwrap_or_default();
            network.to_bits() & mask == ip.to_bits() & mask
        }
        _ => false,
    }
}
