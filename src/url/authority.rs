//! Host and port of a URI, and the characters that its parts may have (RFC 3986 sections 3.2 to 3.4).

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::url::error::UrlError;

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

/// The host in lower case and without brackets, and the address if it is one.
pub(crate) fn to_host(host: &str) -> Result<(String, Option<IpAddr>), UrlError> {
    if let Some(at) = host.find('%') {
        return Err(UrlError::HostCharacter { at, character: '%' });
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
    Ok((host.trim_start_matches('[').trim_end_matches(']').to_owned(), ip))
}

/// Splits user information, with its `@`, from the host behind it. An `@` in a password must be percent-encoded; if one is
/// not, it belongs to the user information all the same, and is found there.
pub(crate) fn split_userinfo(authority: &str) -> (&str, &str) {
    authority.split_at(authority.rfind('@').map_or(0, |at| at + 1))
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

/// Resolvers read `127.1` and `0x7f000001` as 127.0.0.1; whoever wrote it may have meant something else. Expects lower case.
fn ends_in_a_number(host: &str) -> bool {
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    match last.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()),
    }
}
