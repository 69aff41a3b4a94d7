//! The obvious slow server: a request read by RFC 9112 and judged by RFC 6455 section 4.2.1.
//!
//! Where the RFCs leave a choice, it is the library's: the order in which rules are looked at, 426 for what asks for no
//! WebSocket, no HTTP to a peer that does not speak it.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sansocket::{Limits, ServerConfig};
use sha1::{Digest, Sha1};

use super::grammar::{
    self, Fields, Verdict, empty_lines, first_line, is_tchar, is_token, minor_version, without_cr,
};
use super::target::{is_authority, resource_name};

/// A request whose head is whole and follows the grammar.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Vec<u8>,
    pub(crate) target: String,
    pub(crate) minor_version: u8,
    pub(crate) fields: Fields,
    /// Bytes of the head.
    pub(crate) len: usize,
}

/// A request that is to be accepted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) resource_name: String,
    pub(crate) host: String,
    pub(crate) subprotocols: Vec<String>,
    /// The value of `Sec-WebSocket-Accept` in the reply.
    pub(crate) accept: String,
}

/// What a request is accepted as.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Accepted {
    WebSocket(Agreed),
    /// It asks for no WebSocket, and the server is one that answers those too. With the resource name.
    Plain(String),
}

/// Reads the head at the start of `stream`.
pub(crate) fn read(limits: &Limits, stream: &[u8]) -> Result<Request, Verdict> {
    let limit = limits.head_bytes;
    let within = &stream[..stream.len().min(limit)];
    match read_within(limits, within) {
        Err(Verdict::Incomplete) if stream.len() > limit => Err(refused(431, within)),
        result => result,
    }
}

fn read_within(limits: &Limits, bytes: &[u8]) -> Result<Request, Verdict> {
    let start = empty_lines(bytes)?;
    let (line, rest) = first_line(&bytes[start..]);
    let method_len = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    for (at, byte) in line.iter().enumerate() {
        let so_far = &line[..=at];
        let other_protocol =
            [&b"PROXY TCP4 "[..], b"PROXY TCP6 ", b"PROXY UNKNOWN"].contains(&so_far) || (so_far == b"SSH-");
        if method_len == 0 || (at < method_len && !is_tchar(*byte)) || other_protocol {
            return Err(Verdict::NotHttp);
        }
        if without_cr(so_far).len() > limits.request_line {
            return Err(refused(414, &bytes[..start + at + 1]));
        }
    }
    let rest = rest.ok_or(Verdict::Incomplete)?;
    let (method, target, minor_version) = request_line(line)?;
    let malformed = Verdict::Refused(Some(400));
    let too_many = Verdict::Refused(Some(431));
    let (fields, rest) = grammar::fields(rest, limits.head_fields, too_many, malformed)?;
    Ok(Request { method, target, minor_version, fields, len: bytes.len() - rest.len() })
}

/// `method SP request-target SP HTTP-version` (section 3).
fn request_line(line: &[u8]) -> Result<(Vec<u8>, String, u8), Verdict> {
    // HTTP/2's preface, made to look like a request.
    if line == b"PRI * HTTP/2.0\r" {
        return Err(Verdict::NotHttp);
    }
    let words: Vec<&[u8]> = without_cr(line).split(|byte| *byte == b' ').collect();
    if let [method, target, version] = words[..] {
        let is_fine = |character: char| !character.is_ascii_control();
        let target = String::from_utf8(target.to_vec()).ok();
        if let Some(target) = target.filter(|target| !target.is_empty() && target.chars().all(is_fine)) {
            if let Some(minor_version) = minor_version(version) {
                return Ok((method.to_vec(), target, minor_version));
            }
            if is_other_version(version) {
                return Err(Verdict::Refused(Some(505)));
            }
        }
    }
    // Garbage to the server, or another protocol of the same shape, as `OPTIONS sip:a SIP/2.0` is.
    let known = METHODS.iter().any(|method| method.as_bytes() == words[0]);
    let other = words.get(2).and_then(|word| word.splitn(2, |byte| *byte == b'/').nth(1));
    let is_other = other.is_some_and(|version| version.first().is_some_and(u8::is_ascii_digit));
    let speaks_http = words.iter().any(|word| word.starts_with(b"HTTP/")) || (known && !is_other);
    Err(if speaks_http && words.len() > 1 { Verdict::Refused(Some(400)) } else { Verdict::NotHttp })
}

/// A version number of HTTP, of those that are neither 1.x nor 1.0 and 1.1 with something behind.
fn is_other_version(text: &[u8]) -> bool {
    let Some(number) = text.strip_prefix(b"HTTP/") else { return false };
    number.first().is_some_and(u8::is_ascii_digit)
        && number.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
        && !number.starts_with(b"1.0")
        && !number.starts_with(b"1.1")
}

/// A refusal of what came up to here of a head, which is answered if it looks like HTTP.
fn refused(status: u16, seen: &[u8]) -> Verdict {
    Verdict::Refused(may_answer(seen).then_some(status))
}

/// Whether a stream begins as the ClientHello of TLS does, as far as it goes: a record of type 22 and version 3.0 to 3.4, and in it a
/// message of type 1. Two bytes are enough to think so.
pub(crate) fn begins_tls(stream: &[u8]) -> bool {
    match stream {
        [22, 3] => true,
        [22, 3, minor, rest @ ..] => *minor <= 4 && rest.get(2).is_none_or(|kind| *kind == 1),
        _ => false,
    }
}

/// Whether what came of a head is HTTP, or may be the start of it: a request line with a target and a method that is
/// known, or a line that is whole, or else the first letters of a method.
pub(crate) fn may_answer(seen: &[u8]) -> bool {
    let Ok(start) = empty_lines(seen) else { return false };
    let (line, rest) = first_line(&seen[start..]);
    match line.iter().position(|byte| *byte == b' ') {
        Some(space) => rest.is_some() || METHODS.iter().any(|method| method.as_bytes() == &line[..space]),
        None => METHODS.iter().any(|method| method.as_bytes().starts_with(&seen[start..])),
    }
}

/// Judges a request that follows the grammar.
pub(crate) fn judge(config: &ServerConfig, request: &Request) -> Result<Accepted, Verdict> {
    let status = |status| Err(Verdict::Refused(Some(status)));
    let fields = &request.fields;
    let hosts = fields.all("host");
    let host = match hosts[..] {
        [host] => std::str::from_utf8(host).ok().filter(|host| is_authority(host)),
        _ => None,
    };
    let upgrades = fields.list_has("upgrade", "websocket");
    if config.plain_http && !upgrades && !fields.any_name_begins_with("sec-websocket-") {
        // RFC 9112 section 3.2: HTTP/1.0 had no `Host`.
        let needs_no_host = request.minor_version == 0 && hosts.is_empty();
        return match resource_name(&request.target) {
            Some((_, resource_name)) if host.is_some() || needs_no_host => Ok(Accepted::Plain(resource_name)),
            _ => status(400),
        };
    }
    // RFC 6455 section 4.2.1, item 1.
    if request.minor_version == 0 {
        return status(505);
    }
    if request.method != b"GET" {
        let known = METHODS.iter().any(|method| method.as_bytes() == request.method);
        return status(if known { 405 } else { 501 });
    }
    let Some((authority, resource_name)) = resource_name(&request.target) else { return status(400) };
    // What follows the head is frames, and no content.
    if !fields.all("transfer-encoding").is_empty() {
        let last = fields.list("transfer-encoding").pop();
        let is_chunked = last.is_some_and(|last| last.eq_ignore_ascii_case(b"chunked"));
        return status(if is_chunked { 501 } else { 400 });
    }
    let is_number = |value: &[u8]| !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let lengths = fields.all("content-length");
    let is_zero = |length: &[u8]| is_number(length) && length.iter().all(|digit| *digit == b'0');
    if let Some(length) = lengths.iter().find(|length| !is_zero(length)) {
        // No content has a length of over 64 digits.
        return status(if is_number(length) && length.len() <= 64 { 413 } else { 400 });
    }
    if fields.all("expect").iter().any(|expectation| !expectation.eq_ignore_ascii_case(b"100-continue")) {
        return status(417);
    }
    // Items 2, 3, 4, 6.
    let Some(host) = host else { return status(400) };
    if !upgrades {
        return status(426);
    }
    if !fields.list_has("connection", "upgrade") {
        return status(400);
    }
    match fields.all("sec-websocket-version")[..] {
        [b"13"] => {}
        [_] => return status(426),
        _ => return status(400),
    }
    let Some(subprotocols) = subprotocols(fields) else { return status(400) };
    if !has_fine_extensions(fields) {
        return status(400);
    }
    // Item 5.
    match fields.all("sec-websocket-key")[..] {
        [key] if is_key(key) || (config.accept_malformed_key && key.is_ascii()) => {
            Ok(Accepted::WebSocket(Agreed {
                resource_name,
                host: authority.unwrap_or(host).to_owned(),
                subprotocols,
                accept: accept_value(key),
            }))
        }
        _ => status(400),
    }
}

/// Section 4.1, item 10: tokens, all of them unique.
pub(crate) fn subprotocols(fields: &Fields) -> Option<Vec<String>> {
    let names = fields.list("sec-websocket-protocol");
    let unique: BTreeSet<_> = names.iter().collect();
    let all_fine = names.iter().all(|name| is_token(name)) && unique.len() == names.len();
    all_fine.then(|| names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

/// Section 9.1, each line by itself: elements between commas, parts between semicolons, a name first, then parameters.
pub(crate) fn has_fine_extensions(fields: &Fields) -> bool {
    let is_fine = |element: &str| {
        let mut parts = element.split(';').map(|part| part.trim_matches([' ', '\t']));
        let is_name = parts.next().is_some_and(|name| is_token(name.as_bytes()));
        is_name && parts.all(is_parameter)
    };
    // A quoted value is a token, so no separator can hide in one.
    let lines = fields.all("sec-websocket-extensions");
    lines.into_iter().all(|line| {
        let line = String::from_utf8_lossy(line);
        let elements = line.split(',').map(|element| element.trim_matches([' ', '\t']));
        elements.filter(|element| !element.is_empty()).all(is_fine)
    })
}

/// A name, which may have a value: a token, bare or in quotes with any of its characters escaped.
fn is_parameter(part: &str) -> bool {
    let Some((name, value)) = part.split_once('=') else { return is_token(part.as_bytes()) };
    let (name, value) = (name.trim_end_matches([' ', '\t']), value.trim_start_matches([' ', '\t']));
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let unescaped = quoted.map(|mut quoted| {
        let mut text = String::new();
        while let Some(first) = quoted.chars().next() {
            quoted = quoted.strip_prefix('\\').unwrap_or(quoted);
            let character = quoted.chars().next().unwrap_or(first);
            text.push(character);
            quoted = quoted.strip_prefix(character).unwrap_or_default();
        }
        text
    });
    is_token(name.as_bytes()) && is_token(unescaped.as_deref().unwrap_or(value).as_bytes())
}

/// 16 bytes in base64: 22 characters of its alphabet, of which the last has bits that do not count, and padding.
pub(crate) fn is_key(key: &[u8]) -> bool {
    let is_listed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    matches!(key, [data @ .., b'=', b'='] if data.len() == 22 && data.iter().all(is_listed))
}

/// Section 4.2.2, item 5.4.
pub(crate) fn accept_value(key: &[u8]) -> String {
    STANDARD.encode(Sha1::digest([key, b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat()))
}

/// RFC 9110 section 9.3 and RFC 5789.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
