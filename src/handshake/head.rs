//! Collects a head (RFC 9112 sections 2 to 5) from pieces of any size, in one pass over its bytes.
//!
//! A head that is there as a whole, and is written as usual, is parsed where it lies. Otherwise bytes are moved into a buffer: the start line is
//! judged byte by byte and as a whole when it ends, field lines are counted, and the limits are noticed at the byte that
//! exceeds them; when the empty line is there, all of it is parsed once. No byte is searched twice.
//!
//! ```text
//! Before ──tchar──► Method ──space──► StartLine ──line end──► Fields ──empty line──► parsed
//!   │ empty lines      │                 │                      └ one line at a time
//!   │ are skipped      │                 │
//!   └──────────────────┴─────────────────┴──not HTTP──► Foreign ──known or unknown──► NotHttp
//! ```
//!
//! Both ways agree: the first accepts nothing that the second would not, and what it does not accept the second judges.
//!
//! From the byte at which a peer is known not to speak HTTP/1, its bytes go to `recognize` until it is known what it speaks.

use alloc::vec::Vec;
use core::mem;

use bytes::{Buf, BytesMut};
use httparse::Status;

use crate::config::Limits;
use crate::handshake::fields::{Head, is_tchar};
use crate::handshake::foreign::Foreign;
use crate::handshake::kind::HandshakeErrorKind;
use crate::handshake::parse::{self, HTTP, HeadKind, Parsed, StartLine, StartLineCheck};
use crate::handshake::peer::Peer;
use crate::handshake::recognize;
use crate::handshake::usual;

/// Collects one head after the other.
pub(crate) struct Collector {
    kind: HeadKind,
    /// Bytes that all heads together may still have.
    allowance: usize,
    /// [`Limits::head_bytes`], [`Limits::head_fields`] and [`Limits::request_line`].
    max_bytes: usize,
    max_fields: usize,
    max_request_line: usize,
    stage: Stage,
    /// What was taken of the head so far; of another protocol, the first bytes.
    held: Vec<u8>,
    /// Bytes that the present call of `receive` has taken.
    taken: usize,
    /// There from the byte on that HTTP does not have at its place.
    foreign: Option<Foreign>,
    /// Where in `held` the line begins that is not yet complete.
    line_start: usize,
    /// Field lines in `held`.
    field_lines: usize,
    /// The minor version, where it is one that httparse does not know.
    later_minor: Option<u8>,
    /// Bytes looked at, each as often as it was.
    #[cfg(test)]
    looked_at: usize,
}

/// What the next byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Before,
    /// The method of a request, whose bytes tell HTTP from other protocols.
    Method,
    StartLine,
    Fields,
}

/// A whole head and its start line.
pub(crate) struct ParsedHead {
    pub(crate) head: Head,
    /// Of HTTP/1.
    pub(crate) minor_version: u8,
    pub(crate) start_line: StartLine,
}

impl Collector {
    pub(crate) fn new(kind: HeadKind, limits: &Limits) -> Self {
        Self {
            kind,
            // INVARIANT: offsets into a head fit into `u32`.
            allowance: limits.head_bytes.min(u32::MAX as usize),
            max_bytes: limits.head_bytes,
            max_fields: limits.head_fields,
            max_request_line: limits.request_line,
            stage: Stage::Before,
            held: Vec::new(),
            taken: 0,
            foreign: None,
            line_start: 0,
            field_lines: 0,
            later_minor: None,
            #[cfg(test)]
            looked_at: 0,
        }
    }

    /// Bytes that may still come.
    #[cfg(feature = "http")]
    pub(crate) fn allowance(&self) -> usize {
        self.allowance
    }

    /// What came so far of a head that is not complete or is faulty.
    pub(crate) fn held(&self) -> &[u8] {
        &self.held
    }

    /// Whether what came cannot be HTTP/1.
    pub(crate) fn is_foreign(&self) -> bool {
        self.foreign.is_some()
    }

    /// What the peer appears to be by what came of a head that is not complete or is faulty.
    pub(crate) fn peer(&self) -> Peer {
        match &self.foreign {
            Some(foreign) => foreign.peer(&self.held),
            // An interim response was whole, and nothing followed.
            None if self.held.is_empty() && self.allowance < self.max_bytes.min(u32::MAX as usize) => {
                Peer::HttpServer
            }
            None => Peer::of_part(self.kind, &self.held),
        }
    }

    /// Takes `input` if it is one byte inside of a field line, for which there is room: the short way for peers that send byte
    /// by byte. Otherwise it takes nothing.
    #[inline]
    pub(crate) fn receive_byte(&mut self, input: &mut BytesMut) -> bool {
        match input[..] {
            [byte]
                if byte != b'\n'
                    && self.stage == Stage::Fields
                    && self.allowance > 0
                    && self.held.len() < self.held.capacity() =>
            {
                self.look(1);
                self.held.push(byte);
                self.allowance -= 1;
                input.clear();
                true
            }
            _ => false,
        }
    }

    /// Takes all of `input` if it is a few bytes inside of a line, which settle nothing. Otherwise it takes nothing.
    pub(crate) fn receive_few(&mut self, input: &mut BytesMut) -> bool {
        let len = input.len();
        let inside = self.stage == Stage::Fields || self.is_inside_start_line(len);
        if !inside || len > SHORT.min(self.allowance) {
            return false;
        }
        self.look(len);
        if input.contains(&b'\n') {
            return false;
        }
        self.held.extend_from_slice(input);
        self.allowance -= len;
        input.clear();
        true
    }

    /// Whether `more` bytes of the start line cannot settle anything but by its end: it is known for one, and within its
    /// limit.
    fn is_inside_start_line(&self, more: usize) -> bool {
        let len = self.held.len() - self.line_start;
        self.stage == Stage::StartLine
            && self.foreign.is_none()
            && len >= recognize::LONGEST_START
            && (self.kind == HeadKind::Response || len + more <= self.max_request_line)
    }

    /// Takes from `input` what belongs to the head: all of it if the head is not complete; up to the byte that settles it
    /// if the head is faulty.
    pub(crate) fn receive(&mut self, input: &mut BytesMut) -> Result<Option<ParsedHead>, HandshakeErrorKind> {
        if self.held.is_empty() {
            if let Some(parsed) = self.parse_in_place(input) {
                return Ok(Some(parsed));
            }
        }
        if self.held.capacity() == 0 {
            self.held.reserve(FIRST);
        }
        self.taken = 0;
        let collected = self.collect(input.get(..self.allowance).unwrap_or(input));
        let result = match collected {
            Ok(true) => self.parse_held().map(Some),
            Ok(false) if self.taken < input.len() => {
                // The byte that exceeds the limit; the head had to be complete before it.
                self.taken += 1;
                Err(match self.foreign {
                    Some(_) => HandshakeErrorKind::NotHttp,
                    None => HandshakeErrorKind::HeadTooLarge { limit: self.max_bytes },
                })
            }
            Ok(false) => Ok(None),
            Err(kind) => Err(kind),
        };
        input.advance(self.taken);
        self.allowance = self.allowance.saturating_sub(self.taken);
        result
    }

    /// The usual case: the whole head came with the first read.
    fn parse_in_place(&mut self, input: &mut BytesMut) -> Option<ParsedHead> {
        let within = input.get(..self.allowance).unwrap_or(input);
        self.look(within.len());
        let parsed = usual::parse(self.kind, within, self.max_fields)?;
        if let StartLine::Request { target, .. } = parsed.start_line {
            if target.end() + b" HTTP/1.1".len() > self.max_request_line {
                return None;
            }
        }
        // A copy of a few hundred bytes, not a part of `input`: who keeps the request would keep the whole block that it
        // was read into.
        let bytes = within.get(..parsed.len).unwrap_or_default().to_vec();
        input.advance(bytes.len());
        self.allowance -= bytes.len();
        Some(ParsedHead::new(bytes, parsed))
    }

    /// Moves bytes of `input` into `held` until the head ends (`true`) or `input` does.
    fn collect(&mut self, input: &[u8]) -> Result<bool, HandshakeErrorKind> {
        let mut rest = input;
        while self.stage != Stage::Fields {
            if let Some(foreign) = &mut self.foreign {
                let (taken, known) = foreign.receive(&mut self.held, rest);
                self.taken += taken;
                self.look(taken);
                return if known { Err(HandshakeErrorKind::NotHttp) } else { Ok(false) };
            }
            let Some((&byte, after)) = rest.split_first() else { return Ok(false) };
            rest = after;
            self.held.push(byte);
            self.taken += 1;
            self.look(1);
            match self.start_line_byte(byte) {
                Err(HandshakeErrorKind::NotHttp) => {
                    let (foreign, known) = Foreign::new(self.kind, &self.held);
                    self.foreign = Some(foreign);
                    if known {
                        return Err(HandshakeErrorKind::NotHttp);
                    }
                }
                other => other?,
            }
        }
        self.look(rest.len());
        loop {
            let Some(at) = memchr::memchr(b'\n', rest) else {
                self.hold(rest);
                return Ok(false);
            };
            let (line_end, after) = rest.split_at(at + 1);
            rest = after;
            self.hold(line_end);
            if matches!(self.line(), b"\n" | b"\r\n") {
                return Ok(true);
            }
            self.line_start = self.held.len();
            self.field_lines += 1;
            if self.field_lines > self.max_fields {
                return Err(HandshakeErrorKind::TooManyFields { limit: self.max_fields });
            }
        }
    }

    fn hold(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        self.taken += bytes.len();
    }

    /// Judges `byte`, the newest of the start line or of the empty lines before it.
    fn start_line_byte(&mut self, byte: u8) -> Result<(), HandshakeErrorKind> {
        let line = self.line();
        let len = line.len();
        if self.stage == Stage::Before {
            match line {
                b"\r" => return Ok(()),
                b"\n" | b"\r\n" => {
                    self.line_start = self.held.len();
                    return Ok(());
                }
                [b'\r', ..] => return Err(HandshakeErrorKind::NotHttp),
                _ if self.kind == HeadKind::Request => self.stage = Stage::Method,
                _ => self.stage = Stage::StartLine,
            }
        }
        if byte == b'\n' {
            return self.end_start_line();
        }
        match self.stage {
            Stage::Method if byte == b' ' && len > 1 => self.stage = Stage::StartLine,
            Stage::Method if !is_tchar(byte) => return Err(HandshakeErrorKind::NotHttp),
            Stage::Method if len == recognize::SSH.len() && self.line() == recognize::SSH => {
                return Err(HandshakeErrorKind::NotHttp);
            }
            // Lengths first: this is asked for every byte.
            Stage::StartLine
                if matches!(len, 11 | 13)
                    && self.kind == HeadKind::Request
                    && recognize::PROXY_V1.contains(&self.line()) =>
            {
                return Err(HandshakeErrorKind::NotHttp);
            }
            _ => {}
        }
        match self.kind {
            HeadKind::Response if HTTP.get(len - 1).is_some_and(|&expected| expected != byte) => {
                Err(HandshakeErrorKind::NotHttp)
            }
            // A CR may be half of the line end, which does not count.
            HeadKind::Request if len - usize::from(byte == b'\r') > self.max_request_line => {
                Err(HandshakeErrorKind::RequestLineTooLong { limit: self.max_request_line })
            }
            _ => Ok(()),
        }
    }

    fn end_start_line(&mut self) -> Result<(), HandshakeErrorKind> {
        self.look(self.line().len());
        let mut check = parse::check_start_line(self.kind, self.line())?;
        if let StartLineCheck::LaterMinor { at, minor } = check {
            // A later minor version is compatible (RFC 9110 section 2.5), but httparse knows only 0 and 1.
            if let Some(digit) = self.held.get_mut(self.line_start + at) {
                *digit = b'1';
            }
            self.later_minor = Some(minor);
            check = parse::check_start_line(self.kind, self.line())?;
        }
        debug_assert_eq!(check, StartLineCheck::Fine);
        self.line_start = self.held.len();
        self.stage = Stage::Fields;
        Ok(())
    }

    fn parse_held(&mut self) -> Result<ParsedHead, HandshakeErrorKind> {
        self.look(self.held.len());
        let parsed = match usual::parse(self.kind, &self.held, self.field_lines) {
            Some(parsed) => Ok(Status::Complete(parsed)),
            None => parse::parse(self.kind, &self.held, self.field_lines),
        };
        match parsed {
            Ok(Status::Complete(mut parsed)) => {
                parsed.minor_version = self.later_minor.take().unwrap_or(parsed.minor_version);
                let bytes = mem::take(&mut self.held);
                self.stage = Stage::Before;
                self.line_start = 0;
                self.field_lines = 0;
                Ok(ParsedHead::new(bytes, parsed))
            }
            _ => Err(parse::find_malformed(&self.held)),
        }
    }

    /// Counts bytes that are looked at, so that a test can see that each is so only a few times.
    fn look(&mut self, bytes: usize) {
        #[cfg(test)]
        {
            self.looked_at += bytes;
        }
        #[cfg(not(test))]
        let _ = bytes;
    }

    /// The line that is not yet complete.
    fn line(&self) -> &[u8] {
        self.held.get(self.line_start..).unwrap_or_default()
    }
}

/// Bytes that are reserved for a head that does not come as a whole; from there on it grows by doubling.
const FIRST: usize = 64;

/// Bytes that are looked through one by one sooner than in blocks.
const SHORT: usize = 16;

impl ParsedHead {
    fn new(bytes: Vec<u8>, parsed: Parsed) -> Self {
        Self {
            head: Head::new(bytes, parsed.lines),
            minor_version: parsed.minor_version,
            start_line: parsed.start_line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes are looked at to collect a request whose target and one field have `len` bytes, `piece` at a time.
    fn work(len: usize, piece: usize) -> (usize, usize) {
        let long = "x".repeat(len);
        let head = alloc::format!("GET /{long} HTTP/1.1\r\nA: b\r\nX: {long}\r\nC: d\r\n\r\n");
        let limits = Limits { head_bytes: usize::MAX, request_line: usize::MAX, ..Limits::default() };
        let mut collector = Collector::new(HeadKind::Request, &limits);
        let mut whole = false;
        for piece in head.as_bytes().chunks(piece) {
            whole = matches!(collector.receive(&mut BytesMut::from(piece)), Ok(Some(_)));
        }
        assert!(whole, "the last piece completes it");
        (collector.looked_at, head.len())
    }

    #[test]
    fn work_is_linear_however_the_head_is_split() {
        for len in [10, 100, 1_000, 10_000, 100_000] {
            let (looked_at, bytes) = work(len, usize::MAX);
            assert_eq!(looked_at, bytes, "a whole head is read once");
            for piece in [1, 2, 3, 100, len] {
                let (looked_at, bytes) = work(len, piece);
                // The first piece on the fast way, all once when collected, the start line when it ends, all when parsed.
                assert!(looked_at <= 4 * bytes, "{looked_at} for {bytes} bytes, {piece} at a time");
            }
        }
    }
}
