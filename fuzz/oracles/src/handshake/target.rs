//! Request targets and hosts as RFC 3986, RFC 9112 section 3.2 and RFC 6455 section 3 write them.

use std::net::Ipv6Addr;

/// Path and query of a request target that is a resource name, or an absolute URI with one, and the authority of the latter.
///
/// Any visible ASCII is let through in path and query: browsers leave characters unescaped that RFC 3986 does not list.
pub(crate) fn resource_name(target: &str) -> Option<(Option<&str>, String)> {
    let (authority, resource) = if target.starts_with('/') {
        (None, target)
    } else {
        let (scheme, rest) = target.split_once("://")?;
        if !["http", "https", "ws", "wss"].contains(&&*scheme.to_ascii_lowercase()) {
            return None;
        }
        let end = rest.find(|character| "/?#".contains(character)).unwrap_or(rest.len());
        (Some(&rest[..end]), &rest[end..])
    };
    if authority.is_some_and(|authority| !is_authority(authority)) || !is_resource(resource) {
        return None;
    }
    let slash = if resource.starts_with('/') { "" } else { "/" };
    Some((authority, format!("{slash}{resource}")))
}

fn is_resource(text: &str) -> bool {
    text.chars().all(|character| character.is_ascii_graphic() && character != '#') && escapes_are_whole(text)
}

/// Two hexadecimal digits behind every `%`.
fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let mut characters = after.chars();
        characters.next().is_some_and(|digit| digit.is_ascii_hexdigit())
            && characters.next().is_some_and(|digit| digit.is_ascii_hexdigit())
    })
}

/// `uri-host [ ":" port ]` (RFC 9110 section 7.2), the host not empty.
pub(crate) fn is_authority(text: &str) -> bool {
    let (host_is_fine, port) = if let Some(rest) = text.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        (address.parse::<Ipv6Addr>().is_ok(), port)
    } else {
        let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
        (is_reg_name(host), port)
    };
    host_is_fine && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

/// Empty, or a number that TCP has.
fn is_port(text: &str) -> bool {
    let number = text.trim_start_matches('0');
    text.chars().all(|digit| digit.is_ascii_digit())
        && (text.is_empty()
            || (1..=5).contains(&number.len()) && number.parse::<u32>().is_ok_and(|port| port < 65_536))
}

/// unreserved, sub-delims and escapes.
fn is_reg_name(text: &str) -> bool {
    let is_listed =
        |character: char| character.is_ascii_alphanumeric() || "-._~!$&'()*+,;=%".contains(character);
    !text.is_empty() && text.chars().all(is_listed) && escapes_are_whole(text)
}
