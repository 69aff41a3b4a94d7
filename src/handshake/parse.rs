//! From the bytes of a head to its parts, with httparse; and what exactly is wrong where that fails. Most heads never come here: see
//! `usual`.

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use httparse::{Error, Header, Status};

use crate::handshake::excerpt::Excerpt;
use crate::handshake::fields::{FieldLine, Span};
use crate::handshake::grammar::Malformed;
use crate::handshake::kind::HandshakeErrorKind;
use crate::handshake::recognize;
use crate::handshake::status::is_known_method;

/// Which start line a head has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeadKind {
    Request,
    Response,
}

/// The parts of a head; all offsets count from the first byte that was parsed.
pub(crate) struct Parsed {
    /// Bytes of the head.
    pub(crate) len: usize,
    pub(crate) minor_version: u8,
    pub(crate) start_line: StartLine,
    pub(crate) lines: Vec<FieldLine>,
}

#[derive(Clone, Copy)]
pub(crate) enum StartLine {
    Request { method: Span, target: Span },
    Status { code: u16 },
}

/// Parses a head with at most `max_fields` field lines from the start of `bytes`.
pub(crate) fn parse(kind: HeadKind, bytes: &[u8], max_fields: usize) -> httparse::Result<Parsed> {
    let mut stack = [const { MaybeUninit::uninit() }; STACK_FIELDS];
    let mut heap = Vec::new();
    let headers = match stack.get_mut(..max_fields) {
        Some(headers) => headers,
        None => {
            heap.resize_with(max_fields, MaybeUninit::uninit);
            heap.as_mut_slice()
        }
    };
    match kind {
        HeadKind::Request => parse_request(bytes, headers),
        HeadKind::Response => parse_response(bytes, headers),
    }
}

fn parse_request<'b>(bytes: &'b [u8], headers: &mut [MaybeUninit<Header<'b>>]) -> httparse::Result<Parsed> {
    let mut request = httparse::Request::new(&mut []);
    let Status::Complete(len) = request.parse_with_uninit_headers(bytes, headers)? else {
        return Ok(Status::Partial);
    };
    let method = Span::of(request.method.unwrap_or_default().as_bytes(), bytes);
    let target = Span::of(request.path.unwrap_or_default().as_bytes(), bytes);
    Ok(Status::Complete(Parsed {
        len,
        minor_version: request.version.unwrap_or_default(),
        start_line: StartLine::Request { method, target },
        lines: spans(request.headers, bytes),
    }))
}

fn parse_response<'b>(bytes: &'b [u8], headers: &mut [MaybeUninit<Header<'b>>]) -> httparse::Result<Parsed> {
    let mut response = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    let Status::Complete(len) = config.parse_response_with_uninit_headers(&mut response, bytes, headers)?
    else {
        return Ok(Status::Partial);
    };
    Ok(Status::Complete(Parsed {
        len,
        minor_version: response.version.unwrap_or_default(),
        start_line: StartLine::Status { code: response.code.unwrap_or_default() },
        lines: spans(response.headers, bytes),
    }))
}

fn spans(headers: &[Header<'_>], bytes: &[u8]) -> Vec<FieldLine> {
    headers
        .iter()
        .map(|header| {
            let name = Span::of(header.name.as_bytes(), bytes);
            FieldLine::new(name.start(), name.end(), Span::of(header.value, bytes).end())
        })
        .collect()
}

/// What [`check_start_line`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartLineCheck {
    Fine,
    /// HTTP/1.2 or later. The digit of the minor version is at `at`; the rest is not yet checked.
    LaterMinor {
        at: usize,
        minor: u8,
    },
}

/// Checks a whole start line, with its line end.
pub(crate) fn check_start_line(kind: HeadKind, line: &[u8]) -> Result<StartLineCheck, HandshakeErrorKind> {
    let (error, version, what) = match kind {
        HeadKind::Request => {
            let mut request = httparse::Request::new(&mut []);
            let Err(error) = request.parse(line) else { return Ok(StartLineCheck::Fine) };
            if request.method.is_none() || !speaks_http(line) {
                return Err(HandshakeErrorKind::NotHttp);
            }
            let target = Span::of(request.path.unwrap_or_default().as_bytes(), line);
            (error, target.end() + 1, Malformed::RequestLine)
        }
        HeadKind::Response => {
            let mut response = httparse::Response::new(&mut []);
            let Err(error) = response.parse(line) else { return Ok(StartLineCheck::Fine) };
            if !line.starts_with(HTTP) {
                return Err(HandshakeErrorKind::NotHttp);
            }
            (error, 0, Malformed::StatusLine)
        }
    };
    let malformed =
        HandshakeErrorKind::MalformedHead { what, line: 1, seen: Excerpt::new(trim_line_end(line)) };
    if error != Error::Version {
        return Err(malformed);
    }
    let rest = trim_line_end(line.get(version..).unwrap_or_default());
    let text = match kind {
        HeadKind::Request => rest,
        HeadKind::Response => rest.split(|&byte| byte == b' ').next().unwrap_or_default(),
    };
    match text.strip_prefix(HTTP) {
        Some([b'1', b'.', minor @ b'2'..=b'9']) => {
            Ok(StartLineCheck::LaterMinor { at: version + HTTP.len() + 2 /* 1. */, minor: minor - b'0' })
        }
        Some([b'1', b'.', b'0' | b'1']) => Err(malformed),
        Some([b'0'..=b'9', more @ ..]) if more.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.')) => {
            Err(HandshakeErrorKind::HttpVersion { seen: Excerpt::new(text) })
        }
        _ => Err(malformed),
    }
}

/// Whether a line that is no request line was meant as one. Where it was not, HTTP is no answer to it.
fn speaks_http(line: &[u8]) -> bool {
    if line == recognize::PREFACE_LINE {
        return false;
    }
    let mut words = trim_line_end(line).split(|&byte| byte == b' ');
    if words.clone().any(|word| word.starts_with(HTTP)) {
        return true;
    }
    let method = words.next().unwrap_or_default();
    // The version of another protocol with the same grammar, as in `OPTIONS sip:a SIP/2.0`.
    let version = words.nth(1).unwrap_or_default();
    let other = version.iter().position(|&byte| byte == b'/').and_then(|slash| version.get(slash + 1));
    is_known_method(method) && !other.is_some_and(u8::is_ascii_digit)
}

/// Finds the first field line of a whole head that httparse refused.
pub(crate) fn find_malformed(head: &[u8]) -> HandshakeErrorKind {
    let start = head.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or_default();
    let lines = head.get(start..).unwrap_or_default().split_inclusive(|&byte| byte == b'\n');
    let mut seen = (1, Malformed::LineEnd, head);
    for (number, line) in (1..).zip(lines).skip(1) {
        if let Err(error) = httparse::parse_headers(line, &mut [httparse::EMPTY_HEADER]) {
            let content = trim_line_end(line);
            let what = match error {
                _ if content.starts_with(b" ") || content.starts_with(b"\t") => Malformed::Folding,
                _ if content.contains(&b'\r') => Malformed::LineEnd,
                Error::HeaderName => Malformed::FieldName,
                _ => Malformed::FieldValue,
            };
            seen = (number, what, content);
            break;
        }
    }
    let (line, what, content) = seen;
    HandshakeErrorKind::MalformedHead { what, line, seen: Excerpt::new(content) }
}

fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// How every status line begins, and every version in a request line.
pub(crate) const HTTP: &[u8] = b"HTTP/";

/// Field lines for which no memory is reserved while parsing: the default limit.
pub(crate) const STACK_FIELDS: usize = 100;
