//! The cases of the data files.

use crate::run::{Role, accept_value};

/// One handshake and what is expected of it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) role: Role,
    pub(crate) name: String,
    /// What stands behind `=>`.
    pub(crate) expected: String,
    pub(crate) plain_http: bool,
    pub(crate) end: End,
    pub(crate) bytes: Vec<u8>,
}

/// What follows the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Nothing,
    Eof,
    Timeout,
    Reset,
    Reject(u16),
}

pub(crate) fn all() -> Vec<Case> {
    let host = "Host: example.com\r\n";
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let version = "Sec-WebSocket-Version: 13\r\n";
    let request = [host, upgrade, key, version].concat();
    let accept = format!("Sec-WebSocket-Accept: {}\r\n", accept_value());
    let response = [upgrade, &accept].concat();
    let wrong = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    let mut cases = parse(
        Role::Server,
        include_str!("data/server.http"),
        &[
            ("{host}", host),
            ("{upgrade}", upgrade),
            ("{key}", key),
            ("{version}", version),
            ("{rest}", &request),
        ],
    );
    cases.extend(parse(
        Role::Client,
        include_str!("data/client.http"),
        &[("{upgrade}", upgrade), ("{accept}", &accept), ("{rest}", &response), ("{wrong}", wrong)],
    ));
    cases
}

fn parse(role: Role, file: &str, names: &[(&str, &str)]) -> Vec<Case> {
    file.split("\n### ").skip(1).map(|case| parse_case(role, case, names)).collect()
}

fn parse_case(role: Role, case: &str, names: &[(&str, &str)]) -> Case {
    let mut lines = case.trim_end_matches('\n').split('\n').peekable();
    let name = lines.next().expect("a case has a name").to_owned();
    let expected =
        lines.next().and_then(|line| line.strip_prefix("=> ")).expect("a case has a result").to_owned();
    let (mut plain_http, mut end, mut raw) = (false, End::Nothing, false);
    while let Some(line) = lines.peek() {
        match *line {
            "config: plain_http" => plain_http = true,
            "end: eof" => end = End::Eof,
            "end: timeout" => end = End::Timeout,
            "end: reset" => end = End::Reset,
            "raw:" => raw = true,
            line => match line.strip_prefix("end: reject ") {
                Some(status) => end = End::Reject(status.parse().expect("a status")),
                None => break,
            },
        }
        lines.next();
    }
    let mut bytes = Vec::new();
    let mut in_head = !raw;
    for line in lines {
        match names.iter().find(|(name, _)| *name == line) {
            Some((_, text)) => bytes.extend_from_slice(text.as_bytes()),
            None => {
                expand(line, &mut bytes);
                if in_head {
                    bytes.extend_from_slice(b"\r\n");
                    in_head = !line.is_empty();
                }
            }
        }
    }
    if in_head {
        bytes.extend_from_slice(b"\r\n");
    }
    Case { role, name, expected, plain_http, end, bytes }
}

/// Appends `line` with its repetitions and escapes.
fn expand(line: &str, out: &mut Vec<u8>) {
    let repeated = [("{x*", "x"), ("{line*", "X: y\r\n"), ("{crlf*", "\r\n")];
    for (opening, text) in repeated {
        if let Some((before, rest)) = line.split_once(opening) {
            let (times, after) = rest.split_once('}').expect("a bracket is closed");
            unescape(before, out);
            out.extend_from_slice(text.repeat(times.parse().expect("a number")).as_bytes());
            // A field line has its own line end.
            if opening == "{line*" {
                out.truncate(out.len() - 2);
            }
            return unescape(after, out);
        }
    }
    unescape(line, out);
}

fn unescape(text: &str, out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        out.extend_from_slice(before.as_bytes());
        let (length, byte) = match escape.as_bytes() {
            [b't', ..] => (1, b'\t'),
            [b'\\', ..] => (1, b'\\'),
            [b'x', ..] => (3, u8::from_str_radix(&escape[1..3], 16).expect("two digits")),
            _ => panic!("no such escape: {text}"),
        };
        out.push(byte);
        rest = &escape[length..];
    }
    out.extend_from_slice(rest.as_bytes());
}
