//! From a request target (RFC 9112 section 3.2) to a resource name (RFC 6455 section 3), and the host beside it.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use core::str;

use crate::handshake::characters::Characters;
use crate::handshake::excerpt::{EXCERPT_LEN, Excerpt};
use crate::handshake::fields::{Head, Span};
use crate::handshake::grammar::BadTarget;
use crate::handshake::kind::HandshakeErrorKind as Kind;
use crate::url::{Authority, UrlError, check_resource, split_authority};

/// A request target that names a resource.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// The authority of an absolute-form, which stands above the `Host` field (RFC 9112 section 3.2.2).
    pub(crate) authority: Option<&'a str>,
    /// Borrowed only from the request target.
    pub(crate) resource_name: Cow<'a, str>,
}

impl<'a> Target<'a> {
    //= https://www.rfc-editor.org/rfc/rfc6455#section-4.2.1
    //# An HTTP/1.1 or higher GET request, including a "Request-URI"
    //# [RFC2616] that should be interpreted as a /resource name/
    //# defined in Section 3 (or an absolute HTTP/HTTPS URI containing
    //# the /resource name/).
    pub(crate) fn parse(target: &'a str) -> Result<Self, BadTarget> {
        if target.starts_with('/') {
            check_resource(target).map_err(fault)?;
            return Ok(Self { authority: None, resource_name: Cow::Borrowed(target) });
        }
        if target == "*" {
            return Err(BadTarget::Asterisk);
        }
        let Some((scheme, rest)) = target.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) else {
            return Err(BadTarget::NotAPath);
        };
        if !SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err(BadTarget::Scheme);
        }
        let (authority, resource) = split_authority(rest);
        Authority::parse(authority).map_err(|_| BadTarget::Authority)?;
        check_resource(resource).map_err(fault)?;
        let resource_name = if resource.starts_with('/') {
            Cow::Borrowed(resource)
        } else {
            Cow::Owned(format!("/{resource}"))
        };
        Ok(Self { authority: Some(authority), resource_name })
    }
}

/// Path and query of a request target.
#[derive(Clone)]
pub(crate) enum ResourceName {
    Sent(Span),
    /// An absolute-form without a path needs a `/` that was not sent.
    Built(Box<str>),
}

impl ResourceName {
    /// The name, in the head that it was found in.
    pub(crate) fn get<'a>(&'a self, head: &'a Head) -> &'a str {
        match self {
            Self::Sent(span) => span.get_str(head.bytes()),
            Self::Built(name) => name,
        }
    }
}

/// What comes before the query of a resource name.
pub(crate) fn path_of(resource_name: &str) -> &str {
    resource_name.split_once('?').map_or(resource_name, |(path, _)| path)
}

/// The authority of the request target, if it is an absolute URI, and the resource name.
pub(crate) fn check_target(head: &Head, target: Span) -> Result<(Option<&str>, ResourceName), Kind> {
    let bytes = target.get(head.bytes());
    if is_usual_target(bytes) {
        return Ok((None, ResourceName::Sent(target)));
    }
    let text = target.get_str(head.bytes());
    let Target { authority, resource_name } = Target::parse(text)
        .map_err(|what| Kind::BadTarget { what, seen: Excerpt::of_resource(EXCERPT_LEN, text.as_bytes()) })?;
    let resource_name = match resource_name {
        Cow::Borrowed(name) => ResourceName::Sent(Span::of(name.as_bytes(), head.bytes())),
        Cow::Owned(name) => ResourceName::Built(name.into()),
    };
    Ok((authority, resource_name))
}

pub(crate) fn check_host(host: &[u8]) -> Result<(), Kind> {
    if is_usual_host(host) {
        return Ok(());
    }
    match str::from_utf8(host).ok().and_then(|host| Authority::parse(host).ok()) {
        Some(_) => Ok(()),
        None => Err(Kind::BadHost { seen: Excerpt::new(host) }),
    }
}

/// Whether it is a path, and perhaps a query, without anything that has to be looked at twice. Most are, and cost little so.
fn is_usual_target(target: &[u8]) -> bool {
    target.starts_with(b"/") && Characters::RESOURCE.contain_all(target)
}

/// Whether it is a name or an IPv4 address, and perhaps a port of up to four digits.
fn is_usual_host(host: &[u8]) -> bool {
    let name = host.iter().position(|&byte| !Characters::NAME.contain(byte)).unwrap_or(host.len());
    match host.split_at(name) {
        ([], _) => false,
        (_, []) => true,
        (_, [b':', b'1'..=b'9', rest @ ..]) => rest.len() < 4 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn fault(error: UrlError) -> BadTarget {
    match error {
        UrlError::Fragment => BadTarget::Fragment,
        UrlError::PercentEscape { .. } => BadTarget::PercentEscape,
        _ => BadTarget::Character,
    }
}

/// `scheme` of RFC 3986 section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// RFC 6455 names the first two; clients behind a proxy were seen to send the others.
const SCHEMES: [&str; 4] = ["http", "https", "ws", "wss"];

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways: what is usual must be right.
    fn is_usual(host: &[u8], target: &[u8]) -> (bool, bool) {
        let (usual_host, usual_target) = (is_usual_host(host), is_usual_target(target));
        let (host, target) = (str::from_utf8(host), str::from_utf8(target));
        assert!(!usual_host || host.is_ok_and(|host| Authority::parse(host).is_ok()), "{host:?}");
        assert!(!usual_target || target.is_ok_and(|target| Target::parse(target).is_ok()), "{target:?}");
        (usual_host, usual_target)
    }

    #[test]
    fn what_is_usual_follows_the_rules() {
        assert_eq!(is_usual(b"server.example-1.com:8080", b"/chat?room=42&to=a.b"), (true, true));
        assert_eq!(is_usual(b"localhost", b"/"), (true, true));
        assert_eq!(is_usual(b":80", b""), (false, false));
        assert_eq!(is_usual(b"", b"chat"), (false, false));
        for byte in 0..=u8::MAX {
            for at in 0..3 {
                let (mut host, mut target) = (*b"a:80", *b"/a?b");
                host[at] = byte;
                target[at] = byte;
                is_usual(&host, &target);
            }
        }
    }
}
