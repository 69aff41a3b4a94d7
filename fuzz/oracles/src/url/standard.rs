//! The same texts to the URL Standard, as the crate `url` implements it.

use std::net::IpAddr;

use sansocket::{Url, UrlError};
use url::{Host, Url as Standard};

use super::differences;

/// Compares what a text is taken for.
pub(super) fn compare(text: &str, ours: &Result<Url, UrlError>) {
    let theirs = Standard::parse(text);
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            if !differences::is_read_otherwise(text) {
                assert_eq!(Some(bare(theirs.clone())), again(ours), "left: the standard's, of {text:?}");
                assert!(has_same_host(ours, &theirs), "{ours} and {theirs}");
            }
            assert_eq!(ours.has_credentials(), has_credentials(text), "{text:?}");
        }
        (Ok(ours), Err(error)) => {
            assert!(differences::is_refused(ours.host()), "{text:?} is none to the standard: {error}");
        }
        (Err(error), theirs) => {
            check_offset(text, *error);
            let accepted = theirs.is_ok_and(|theirs| matches!(theirs.scheme(), "ws" | "wss"));
            assert!(!accepted || differences::is_accepted(text, *error), "{text:?}: {error}");
        }
    }
}

/// Compares where a reference leads to.
pub(super) fn compare_reference(base: &Url, reference: &str) {
    let Some(standard) = again(base) else { return };
    let (ours, theirs) = (base.join(reference), standard.join(&as_web_socket(reference)));
    let path = reference.split(['?', '#']).next().unwrap_or_default();
    if let Some(ours) = ours
        .as_ref()
        .ok()
        .filter(|_| !path.is_empty() && !path.contains([':', '\\']) && !path.starts_with("//"))
    {
        let path = ours.resource_name().split('?').next().unwrap_or_default();
        assert!(
            !path.split('/').any(|segment| matches!(segment, "." | "..")),
            "{reference:?} leads to {ours}"
        );
    }
    match (&ours, theirs) {
        (Ok(ours), Ok(theirs)) if !differences::is_joined_otherwise(base.resource_name(), reference) => {
            assert_eq!(
                Some(bare(theirs.clone())),
                again(ours),
                "left: the standard's, of {reference:?} at {base}"
            );
            assert!(has_same_host(ours, &theirs), "{ours} and {theirs}");
        }
        (Ok(ours), _) => {
            let is_known = differences::is_refused(ours.host())
                || differences::is_joined_otherwise(base.resource_name(), reference);
            assert!(is_known, "{reference:?} at {base} is none to the standard");
        }
        (Err(error), theirs) => {
            let accepted = theirs.is_ok_and(|theirs| matches!(theirs.scheme(), "ws" | "wss"));
            // A fragment is dropped before anything is looked at.
            let reference = reference.split('#').next().unwrap_or_default();
            assert!(
                !accepted || differences::is_accepted(reference, *error),
                "{reference:?} at {base}: {error}"
            );
        }
    }
}

/// Servers that know nothing of WebSocket write `http`.
fn as_web_socket(reference: &str) -> String {
    for (http, ws) in [("http:", "ws:"), ("https:", "wss:")] {
        if reference.get(..http.len()).is_some_and(|start| start.eq_ignore_ascii_case(http)) {
            return [ws, &reference[http.len()..]].concat();
        }
    }
    reference.to_owned()
}

/// Without what the library does not keep: credentials, a fragment, the mark of an empty query.
fn bare(mut url: Standard) -> Standard {
    url.set_fragment(None);
    if url.query() == Some("") {
        url.set_query(None);
    }
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// What is displayed, as the standard reads it: with its percent-encoding, and without dot segments. `None` if it is none to the
/// standard, where that is known.
fn again(url: &Url) -> Option<Standard> {
    let read = Standard::parse(&url.to_string());
    assert!(read.is_ok() || differences::is_refused(url.host()), "{url} is none to the standard");
    read.ok()
}

fn has_same_host(ours: &Url, theirs: &Standard) -> bool {
    let host = match theirs.host() {
        Some(Host::Domain(name)) => ours.ip().is_none() && ours.host() == name,
        Some(Host::Ipv4(address)) => ours.ip() == Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => ours.ip() == Some(IpAddr::V6(address)),
        None => false,
    };
    host && theirs.port_or_known_default() == Some(ours.port()) && theirs.scheme() == ours.scheme()
}

/// Something stands before the last `@` of the authority.
fn has_credentials(text: &str) -> bool {
    let authority =
        text.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or(""));
    authority.rfind('@').is_some_and(|at| at > 0)
}

/// `text[at..]` begins with what is wrong.
fn check_offset(text: &str, error: UrlError) {
    let begins = |at: usize, is_wrong: &dyn Fn(char) -> bool| {
        let first = text.get(at..).and_then(|rest| rest.chars().next());
        assert!(first.is_some_and(is_wrong), "{text:?} at {at}: {error}");
    };
    match error {
        UrlError::Whitespace { at } => {
            begins(at, &|first| first.is_ascii_whitespace() || first.is_ascii_control())
        }
        UrlError::HostCharacter { at, character } => {
            begins(at, &|first| first == character && !first.is_ascii_alphanumeric());
        }
        UrlError::PercentEscape { at } => {
            begins(at, &|first| first == '%');
            let digits = text.as_bytes().get(at + 1..at + 3);
            assert!(
                !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
                "{text:?} at {at}"
            );
        }
        UrlError::UserinfoCharacter { at } => begins(at, &|first| !first.is_ascii_alphanumeric()),
        UrlError::Character { at } => begins(at, &|first| !first.is_ascii()),
        _ => {}
    }
    let shown = error.to_string();
    assert!(
        !shown.contains("://") || matches!(error, UrlError::NoScheme),
        "an error does not repeat the address"
    );
}
