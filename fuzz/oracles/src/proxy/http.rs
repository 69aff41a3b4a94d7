//! The obvious slow client of an HTTP proxy: CONNECT (RFC 9110 section 9.3.6), with a head by RFC 9112.

use sansocket::{Peer, ProxyFault};

use super::check_undecided;
use super::run::{Ended, Outcome, Setup};
use crate::handshake::grammar::{Fields, Verdict};
use crate::handshake::response;

pub(super) fn check(setup: Setup<'_>, with_credentials: bool, stream: &[u8], end: Ended, outcome: &Outcome) {
    let response = match response::read(setup.limits, stream) {
        Ok(response) => response,
        Err(Verdict::Incomplete) => return check_undecided(outcome, end),
        Err(verdict) => {
            let Outcome::Failed { fault, body, bytes, .. } = outcome else {
                panic!("{verdict:?}: {outcome:?}")
            };
            let is_expected = match fault {
                // Another version of HTTP is that, and malformed to a reader of this one.
                ProxyFault::NotHttp { peer: Peer::HttpServer } => verdict == Verdict::Refused(None),
                ProxyFault::NotHttp { .. } => verdict == Verdict::NotHttp,
                ProxyFault::MalformedHead { .. } => verdict == Verdict::Refused(None),
                ProxyFault::HeadTooLarge { limit } => {
                    let limits = setup.limits;
                    let has_many = stream.iter().filter(|byte| **byte == b'\n').count() > limits.head_fields;
                    let is_long = stream.len() > limits.head_bytes;
                    (*limit == limits.head_bytes && is_long) || (*limit == limits.head_fields && has_many)
                }
                _ => false,
            };
            assert!(
                is_expected && body.is_empty() && *bytes <= stream.len() as u64,
                "{verdict:?}: {outcome:?}"
            );
            return;
        }
    };
    let (status, rest) = (response.status, &stream[response.len..]);
    if let Outcome::Open { sent, left } = outcome {
        assert!((200..300).contains(&status), "status {status}");
        assert_eq!(left, rest, "left: the library's");
        return assert_eq!(sent, &request(setup, with_credentials), "left: the library's");
    }
    let Outcome::Failed { fault, body, bytes, at_end } = outcome else { unreachable!("it is no other") };
    match fault {
        ProxyFault::AuthenticationRequired { status: seen, challenge, sent } => {
            assert!(
                matches!(status, 401 | 407) && *seen == status && *sent == with_credentials,
                "{outcome:?}"
            );
            let named = |name| response.fields.all(name).first().map(|value| value.to_vec());
            let expected = named("proxy-authenticate").or_else(|| named("www-authenticate"));
            assert_eq!(challenge.is_some(), expected.is_some(), "{outcome:?}");
            let is_start =
                challenge.iter().zip(&expected).all(|(seen, value)| value.starts_with(seen.as_bytes()));
            assert!(is_start, "{outcome:?}");
        }
        ProxyFault::Refused { status: seen } => {
            assert!(
                *seen == status && !(200..300).contains(&status) && !matches!(status, 401 | 407),
                "{outcome:?}"
            );
        }
        _ => panic!("status {status}: {outcome:?}"),
    }
    let expected = Body::read(status, &response.fields, rest, setup.limits.error_body);
    if let Some(Body { content, taken }) = expected {
        assert_eq!(
            body.escape_ascii().to_string(),
            content.escape_ascii().to_string(),
            "left: the library's"
        );
        let all = taken.is_none();
        assert_eq!(
            (*at_end, *bytes),
            (all, (response.len + taken.unwrap_or(rest.len())) as u64),
            "{outcome:?}"
        );
    }
}

fn request(setup: Setup<'_>, with_credentials: bool) -> Vec<u8> {
    let (host, port) = (setup.server.host(), setup.server.port());
    let authority = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    // `SECRET:pass@word`.
    let credentials = "Proxy-Authorization: Basic U0VDUkVUOnBhc3NAd29yZA==\r\n";
    let credentials = if with_credentials { credentials } else { "" };
    format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{credentials}\r\n").into()
}

/// The start of a body that is there to be shown.
struct Body {
    content: Vec<u8>,
    /// Bytes of the stream up to where no more is wanted; `None` if more is.
    taken: Option<usize>,
}

impl Body {
    /// RFC 9112 section 6.3, in its order. `None` if it is chunked in a way that takes more than the library's patience.
    fn read(status: u16, fields: &Fields, rest: &[u8], limit: usize) -> Option<Self> {
        let of_length = |length: usize| Self {
            content: rest[..rest.len().min(length)].to_vec(),
            taken: (rest.len() >= length).then_some(length),
        };
        if matches!(status, 204 | 304) {
            return Some(of_length(0));
        }
        match fields.list("transfer-encoding").last() {
            Some(last) if last.eq_ignore_ascii_case(b"chunked") => return Self::chunked(rest, limit),
            Some(_) => return Some(of_length(limit)),
            None => {}
        }
        let number = |digits: &Vec<u8>| {
            let text = String::from_utf8(digits.clone()).ok()?;
            text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse::<usize>().ok())?
        };
        // RFC 9110 section 8.6: more than one is fine if all are the same. Those of the first line count.
        let lengths = fields.all("content-length");
        let first =
            lengths.first().map(|line| line.split(|byte| *byte == b',').map(trimmed).collect::<Vec<_>>());
        let lengths: Vec<_> =
            first.iter().flatten().filter(|length| !length.is_empty()).map(number).collect();
        let length = lengths
            .first()
            .copied()
            .flatten()
            .filter(|first| lengths.iter().all(|other| *other == Some(*first)));
        Some(of_length(length.map_or(limit, |length| length.min(limit))))
    }

    /// Section 7.1, and what breaks it ends it.
    fn chunked(stream: &[u8], limit: usize) -> Option<Self> {
        let (mut content, mut at) = (Vec::new(), 0);
        let over = |content, at| (at < 8 * limit).then_some(Self { content, taken: Some(at) });
        let more = |content| (stream.len() < 8 * limit).then_some(Self { content, taken: None });
        loop {
            let digits = stream[at..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
            let text = String::from_utf8_lossy(&stream[at..at + digits]);
            // The digit that makes it too large, or the byte that is none, settles it.
            if let Some(fine) = (1..=digits).find(|len| usize::from_str_radix(&text[..*len], 16).is_err()) {
                return over(content, at + fine);
            }
            at += digits;
            match stream.get(at) {
                None => return more(content),
                Some(b'\n' | b'\r' | b';' | b' ' | b'\t') if digits > 0 => {}
                Some(_) => return over(content, at + 1),
            }
            let Some(line) = stream[at..].iter().position(|byte| *byte == b'\n') else {
                return more(content);
            };
            at += line + 1;
            let size = usize::from_str_radix(&text, 16).ok()?;
            if size == 0 {
                return over(content, at);
            }
            let wanted = size.min(limit - content.len());
            let data = &stream[at..][..wanted.min(stream.len() - at)];
            content.extend_from_slice(data);
            at += data.len();
            if content.len() == limit {
                return over(content, at);
            }
            if data.len() < wanted {
                return more(content);
            }
            at += stream[at..].iter().take_while(|byte| **byte == b'\r').count();
            match stream.get(at) {
                None => return more(content),
                Some(b'\n') => at += 1,
                Some(_) => return over(content, at + 1),
            }
        }
    }
}

fn trimmed(text: &[u8]) -> Vec<u8> {
    crate::handshake::grammar::trim(text)
}

pub(super) fn from_words(script: &[u8]) -> Vec<u8> {
    script.iter().flat_map(|byte| WORDS[usize::from(*byte) % WORDS.len()].bytes()).collect()
}

const WORDS: [&str; 48] = [
    "HTTP/1.1 ",
    "HTTP/1.0 ",
    "HTTP/2 ",
    "SSH-2.0-",
    "\u{16}\u{3}\u{1}",
    "\r\n",
    "\n",
    "\r",
    " ",
    ":",
    ": ",
    ",",
    "100 ",
    "101 ",
    "103 ",
    "200 ",
    "204 ",
    "299 ",
    "302 ",
    "304 ",
    "401 ",
    "403 ",
    "407 ",
    "502 ",
    "Continue",
    "OK\r\n",
    "No\r\n",
    "Connection established\r\n\r\n",
    "Transfer-Encoding",
    "chunked",
    "gzip",
    "Content-Length",
    "Proxy-Authenticate",
    "WWW-Authenticate",
    "Basic realm=\"a\"",
    "Via: b\r\n",
    "0",
    "1",
    "5",
    "a",
    "+5",
    "18446744073709551616",
    "5\r\nhello\r\n",
    "0\r\n\r\n",
    ";x=y",
    "\0",
    "hello",
    "\u{e9}",
];
