//! Lists of tokens: `Connection`, `Upgrade` and `Sec-WebSocket-Protocol` (RFC 9110 sections 7.6.1 and 7.8, RFC 6455 section 4).

use std::collections::BTreeSet;

use sansocket::{ClientConfig, HandshakeError, HandshakeErrorKind as Kind, ServerConfig};

use super::{Head, joined, list};
use crate::handshake::grammar::{is_token, trim};
use crate::handshake::run::OFFERED;

pub(super) fn subprotocols_offered(lines: &[&[u8]]) {
    let result = Head::request().with("Sec-WebSocket-Protocol", lines).ask(&mut ServerConfig::default());
    let names = list(&joined(lines));
    let unique: BTreeSet<_> = names.iter().collect();
    match result {
        Ok(pending) => {
            let offered: Vec<Vec<u8>> = pending.request().subprotocols().map(|name| name.into()).collect();
            assert_eq!(offered, names, "left: the library's");
            assert!(names.iter().all(|name| is_token(name)) && unique.len() == names.len());
            let first = offered.first().map(|name| String::from_utf8_lossy(name).into_owned());
            let spoken: Vec<&str> = OFFERED.into_iter().chain(first.as_deref()).collect();
            let chosen = pending.request().choose(&spoken);
            assert_eq!(chosen, first.as_deref(), "the first that is spoken, and the first is");
        }
        Err(error) => match error.kind() {
            Kind::BadSubprotocol { seen } => {
                let first = names.iter().find(|name| !is_token(name));
                assert!(first.is_some_and(|name| name.starts_with(seen.as_bytes())), "{error}");
            }
            Kind::DuplicateSubprotocol { .. } => assert!(unique.len() < names.len(), "{error}"),
            _ => panic!("{error}"),
        },
    }
}

pub(super) fn subprotocol_chosen(lines: &[&[u8]]) {
    let (_, result) =
        Head::response().with("Sec-WebSocket-Protocol", lines).answer(&mut ClientConfig::default());
    let chosen = match lines {
        [line] => OFFERED.into_iter().find(|name| name.as_bytes() == trim(line)),
        _ => None,
    };
    match result {
        Ok((_, response)) => {
            assert_eq!(response.subprotocol().map(Some), Some(chosen), "left: the library's")
        }
        Err(error) => {
            assert_eq!(chosen, None, "{error}");
            let is_list = list(&joined(lines)).len() > 1;
            match error.kind() {
                Kind::DuplicateField { name: "Sec-WebSocket-Protocol" } => {
                    assert!(lines.len() > 1, "{error}")
                }
                Kind::SeveralSubprotocols { .. } => assert!(is_list && lines.len() == 1, "{error}"),
                Kind::UnsolicitedSubprotocol { .. } => assert!(!is_list && lines.len() == 1, "{error}"),
                _ => panic!("{error}"),
            }
        }
    }
}

pub(super) fn connection(lines: &[&[u8]]) {
    let result = Head::request().with("Connection", lines).ask(&mut ServerConfig::default());
    assert_judged(result.err(), has(lines, b"upgrade"), "connection-not-upgrade");
}

pub(super) fn connection_of_response(lines: &[&[u8]]) {
    let (_, result) = Head::response().with("Connection", lines).answer(&mut ClientConfig::default());
    assert_judged(result.err(), has(lines, b"upgrade"), "connection-not-upgrade");
}

pub(super) fn upgrade(lines: &[&[u8]]) {
    let result = Head::request().with("Upgrade", lines).ask(&mut ServerConfig::default());
    assert_judged(result.err(), has(lines, b"websocket"), "upgrade-not-websocket");
}

/// RFC 6455 section 4.1 wants it to be the word, and not only to have it.
pub(super) fn upgrade_of_response(lines: &[&[u8]]) {
    let (_, result) = Head::response().with("Upgrade", lines).answer(&mut ClientConfig::default());
    let is_fine = list(&joined(lines)).len() == 1 && has(lines, b"websocket");
    assert_judged(result.err(), is_fine, "upgrade-not-websocket");
}

fn assert_judged(error: Option<HandshakeError>, is_fine: bool, code_if_not: &str) {
    let expected = (!is_fine).then_some(code_if_not);
    assert_eq!(error.map(|error| error.code()), expected, "left: the library's");
}

/// Whether a token is listed, in upper or lower case.
fn has(lines: &[&[u8]], token: &[u8]) -> bool {
    list(&joined(lines)).iter().any(|element| element.to_ascii_lowercase() == token)
}
