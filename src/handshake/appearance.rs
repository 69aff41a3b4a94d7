//! What a peer appears to be by the HTTP that it speaks: by a part of a head, by a whole request, by a response.

use core::str;

use crate::handshake::excerpt::{EXCERPT_LEN, Excerpt};
use crate::handshake::fields::{Head, starts_with_ignore_case, trim};
use crate::handshake::parse::{HTTP, HeadKind};
use crate::handshake::peer::Peer;
use crate::handshake::response::Response;
use crate::handshake::status::{begins_known_method, is_known_method};

impl Peer {
    /// By what came of a head that did not become whole or could not be read.
    pub(crate) fn of_part(kind: HeadKind, part: &[u8]) -> Self {
        // The empty lines before a start line say nothing, not even that a line is whole.
        let begin = part.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
        let Some(begun) = begin.and_then(|begin| part.get(begin..)) else {
            return if part.is_empty() { Self::Silent } else { Self::Unclear };
        };
        let mut lines =
            begun.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let start_line = lines.next().unwrap_or_default();
        if kind == HeadKind::Response {
            return if start_line.starts_with(HTTP) { Self::HttpServer } else { Self::Unclear };
        }
        let whole = begun.contains(&b'\n');
        let mut words = start_line.split(|&byte| byte == b' ');
        let method = words.next().unwrap_or_default();
        let target = words.next();
        // A method alone is just a word, as long as its line goes on.
        let Some(target) = target.filter(|_| whole || is_known_method(method)) else { return Self::Unclear };
        let fields = lines.filter_map(|line| {
            let mut parts = line.splitn(2, |&byte| byte == b':');
            Some((str::from_utf8(parts.next()?).ok()?, trim(parts.next()?)))
        });
        if whole && method == b"GET" && !start_line.windows(HTTP.len()).any(|part| part == HTTP) {
            return Self::Http09;
        }
        by_fields(fields).unwrap_or_else(|| http_client(method, target))
    }

    /// By a whole request.
    pub(crate) fn of_request(method: &[u8], target: &[u8], head: &Head) -> Self {
        by_fields(head.fields()).unwrap_or_else(|| http_client(method, target))
    }

    /// By the head of a response.
    pub(crate) fn of_response(response: &Response) -> Self {
        let agrees = response.status() == 101
            && response.head().elements("Upgrade").any(|token| token.eq_ignore_ascii_case(b"websocket"));
        let is_proxys = matches!(response.status(), 407 | 502 | 504)
            || ["Proxy-Status", "Via"].iter().any(|name| response.field(name).is_some());
        match (agrees, is_proxys) {
            (true, _) => Self::WebSocketServer,
            (false, true) => Self::Proxy,
            (false, false) => Self::HttpServer,
        }
    }
}

/// Whether what came of a request may well be the start of a method, so that HTTP is no wrong answer.
pub(crate) fn begins_http(part: &[u8]) -> bool {
    let start = part.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(part.len());
    part.get(start..).is_some_and(|word| !word.is_empty() && begins_known_method(word))
}

fn http_client(method: &[u8], target: &[u8]) -> Peer {
    Peer::HttpClient { method: Excerpt::new(method), target: Excerpt::of_resource(EXCERPT_LEN, target) }
}

/// A client that asks for a WebSocket, by the fields of its request.
fn by_fields<'a>(fields: impl Iterator<Item = (&'a str, &'a [u8])>) -> Option<Peer> {
    let mut peer = None;
    for (name, value) in fields {
        if name.eq_ignore_ascii_case("Sec-WebSocket-Key1") {
            // Hixie-76 has two keys and no version.
            return Some(Peer::OldWebSocketClient { version: None });
        }
        if name.eq_ignore_ascii_case("Sec-WebSocket-Version") {
            let version = str::from_utf8(value).ok().and_then(|version| version.parse().ok());
            if let version @ Some(..13) = version {
                return Some(Peer::OldWebSocketClient { version });
            }
        }
        let upgrades = name.eq_ignore_ascii_case("Upgrade")
            && value.split(|&byte| byte == b',').any(|token| trim(token).eq_ignore_ascii_case(b"websocket"));
        if upgrades || starts_with_ignore_case(name, "sec-websocket-") {
            peer = Some(Peer::WebSocketClient);
        }
    }
    peer
}
