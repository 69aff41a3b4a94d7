//! Values of fields, each in a handshake that is fine but for it.
//!
//! `lists` is about those that are lists of tokens, `extensions` about compression as it is offered and answered, `retry_after` about
//! the one that sessions heed. Each has an obvious slow reader of its own, written from the RFCs.

mod extensions;
mod lists;
mod retry_after;

use bytes::BytesMut;
use sansocket::{
    ClientConfig, ClientHandshake, ClientRequest, ClientStep, Entropy, HandshakeError, Instant, Limits,
    PendingRequest, Response, ServerConfig, ServerHandshake, ServerStep,
};

use crate::handshake::grammar::is_text;
use crate::handshake::run::{OFFERED, REQUEST_FIELDS, URL, response_fields};
use crate::memory;
use crate::script::Script;

/// The first byte chooses the field and who reads it. In capitals, what follows is not the value itself but bytes that choose words
/// of it. A line end begins another field line.
///
/// | letter | field | in a |
/// |---|---|---|
/// | `e`, `a` | `Sec-WebSocket-Extensions`, after three bytes of configuration | request, response |
/// | `p`, `q` | `Sec-WebSocket-Protocol` | request, response |
/// | `c`, `d` | `Connection` | request, response |
/// | `u`, `v` | `Upgrade` | request, response |
/// | `r`, `s` | `Retry-After`, and on the second line `Date` | response with status 503, 429 |
///
/// - Whether the handshake goes on is what the slow reader says; so are the subprotocols that are offered or chosen.
/// - A broken grammar is told from an answer that was not asked for.
/// - A server agrees to the first offer of compression that is in order, and its reply has nothing that this does not permit.
/// - A client agrees to an answer only if one of its offers permits it.
/// - What was agreed is what the values say, at both ends.
/// - A time to wait is what the digits say, or the difference of two dates, counted day by day.
/// - Memory is bounded by the length of the value.
pub fn fields(input: &[u8]) {
    let mut script = Script(input);
    let letter = script.number() as u8;
    let configuration = [script.number(), script.number(), script.number()];
    let text = if letter.is_ascii_uppercase() { from_words(script.0) } else { script.0.to_vec() };
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    // What is no text breaks the grammar of every field alike; the target `handshake` has that.
    if lines.len() > MOST_LINES || !lines.iter().all(|line| line.iter().all(|byte| is_text(*byte))) {
        return;
    }
    let ((), held) = memory::peak(|| match letter.to_ascii_lowercase() {
        b'e' => extensions::offered(configuration, &lines),
        b'a' => extensions::answered(configuration, &lines),
        b'p' => lists::subprotocols_offered(&lines),
        b'q' => lists::subprotocol_chosen(&lines),
        b'c' => lists::connection(&lines),
        b'd' => lists::connection_of_response(&lines),
        b'u' => lists::upgrade(&lines),
        b'v' => lists::upgrade_of_response(&lines),
        b'r' => retry_after::check(503, &lines),
        b's' => retry_after::check(429, &lines),
        _ => {}
    });
    // The slow readers, which copy whatever they split, are among it.
    assert!(held <= 512 * 1024 + 300 * text.len(), "{held} bytes held for a value of {}", text.len());
}

/// A request or a response, as far as the tests need to change it.
struct Head {
    start: &'static str,
    fields: Vec<(&'static str, Vec<u8>)>,
}

impl Head {
    fn request() -> Self {
        let fields = REQUEST_FIELDS.map(|(name, value)| (name, value.into())).into();
        Self { start: "GET /chat HTTP/1.1", fields }
    }

    fn response() -> Self {
        let fields = response_fields().map(|(name, value)| (name, value.into())).into();
        Self { start: "HTTP/1.1 101 Switching Protocols", fields }
    }

    /// In place of the lines with that name, these.
    fn with(mut self, name: &'static str, lines: &[&[u8]]) -> Self {
        self.fields.retain(|(other, _)| *other != name);
        self.fields.extend(lines.iter().map(|line| (name, line.to_vec())));
        self
    }

    fn bytes(&self) -> BytesMut {
        let mut bytes = BytesMut::from(self.start);
        bytes.extend_from_slice(b"\r\n");
        for (name, value) in &self.fields {
            for part in [name.as_bytes(), b": ", value, b"\r\n"] {
                bytes.extend_from_slice(part);
            }
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    /// What a server makes of it.
    fn ask(&self, config: &mut ServerConfig) -> Result<PendingRequest, HandshakeError> {
        config.limits = limits();
        match ServerHandshake::new(config, Instant::ZERO).receive(&mut self.bytes(), Instant::ZERO)? {
            ServerStep::Request(pending) => Ok(pending),
            other => panic!("the head is whole: {other:?}"),
        }
    }

    /// What a client makes of it, and the request that it has sent.
    fn answer(
        &self,
        config: &mut ClientConfig,
    ) -> (Vec<u8>, Result<(sansocket::Connection, Response), HandshakeError>) {
        config.limits = limits();
        let mut request = ClientRequest::new(URL).expect("a URL");
        for name in OFFERED {
            request = request.subprotocol(name).expect("a token");
        }
        let mut client = ClientHandshake::new(&request, config, Entropy::from_seed([7; 32]), Instant::ZERO);
        let sent = client.transmit().to_vec();
        let result = match client.receive(&mut self.bytes(), Instant::ZERO) {
            Ok(ClientStep::Open(connection, response)) => Ok((connection, response)),
            // The answer says that it has no body, so all of it is there.
            Ok(ClientStep::NeedMore) => panic!("the head is whole"),
            Err(error) => Err(error),
        };
        (sent, result)
    }
}

/// None that a value goes over.
fn limits() -> Limits {
    let mut limits = Limits::default();
    (limits.head_bytes, limits.head_fields) = (16 * 1024 * 1024, MOST_LINES + 10);
    limits
}

/// The value of a field that is on several lines (RFC 9110 section 5.3).
fn joined(lines: &[&[u8]]) -> Vec<u8> {
    lines.join(&b", "[..])
}

/// The elements of a list of tokens: what is between commas, without the whitespace around it, if that leaves anything (RFC 9110
/// section 5.6.1).
fn list(value: &[u8]) -> Vec<Vec<u8>> {
    let mut elements = vec![Vec::new()];
    for byte in value {
        match byte {
            b',' => elements.push(Vec::new()),
            byte => elements.last_mut().expect("never empty").push(*byte),
        }
    }
    elements.retain_mut(|element| {
        while element.first().is_some_and(is_space) {
            element.remove(0);
        }
        while element.last().is_some_and(is_space) {
            element.pop();
        }
        !element.is_empty()
    });
    elements
}

fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn from_words(script: &[u8]) -> Vec<u8> {
    script.iter().flat_map(|byte| WORDS[usize::from(*byte) % WORDS.len()].bytes()).collect()
}

const MOST_LINES: usize = 64;

/// Parts of all these values.
const WORDS: [&str; 64] = [
    ",",
    ", ",
    ";",
    "; ",
    "=",
    "\"",
    "\\",
    " ",
    "\t",
    "\n",
    "permessage-deflate",
    "server_no_context_takeover",
    "client_no_context_takeover",
    "server_max_window_bits",
    "client_max_window_bits",
    "permessage-deflate; ",
    "permessage-bzip2",
    "x-webkit-deflate-frame",
    "Permessage-Deflate",
    "=8",
    "=9",
    "=10",
    "=15",
    "=16",
    "=7",
    "=08",
    "=\"12\"",
    "=\"1\\0\"",
    "=\"\"",
    "=+9",
    "8",
    "15",
    "0",
    "1",
    "chat",
    "superchat",
    "Chat",
    "chat.v2",
    "upgrade",
    "Upgrade",
    "keep-alive",
    "websocket",
    "WebSocket",
    "h2c",
    "websocket/13",
    "close",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Mon, 29 Feb 2016 23:59:60 GMT",
    "Wed, ",
    "31 ",
    "28 ",
    "Dec ",
    "Feb ",
    "2000 ",
    "0000 ",
    "9999 ",
    "00:00:00",
    "23:59:59",
    " GMT",
    "18446744073709551615",
    "18446744073709551616",
    "+",
    "-",
    "\u{e9}",
];
