//! The first bytes of the body of a response that refuses a handshake (RFC 9112 sections 6 and 7), for the error to show.

use alloc::vec::Vec;
use core::str;

use bytes::{Buf, BytesMut};

use crate::handshake::characters::is_number;
use crate::handshake::fields::elements;
use crate::handshake::response::Response;

/// Collects a part of a body.
pub(crate) struct Body {
    /// The first bytes of the content.
    content: Vec<u8>,
    /// Bytes of content that are still wanted, and those that still come if that is known.
    wanted: usize,
    framing: Framing,
    /// Bytes that chunked may still take on the wire: its lines cost more than its content.
    allowance: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// As many bytes as the head says, or up to the end of the stream.
    Plain,
    /// In the line with a chunk's size, of which this much was read.
    Size(Option<usize>),
    /// Behind the digits of that line.
    Extension(usize),
    /// In the data of a chunk, of which this much is left.
    Data(usize),
    /// In the line end behind that.
    DataEnd,
    Over,
}

impl Body {
    /// The body that follows the head of `response`, of which `limit` bytes are wanted.
    pub(crate) fn new(response: &Response, limit: usize) -> Self {
        let mut body = Self {
            content: Vec::new(),
            wanted: limit,
            framing: Framing::Plain,
            allowance: limit.saturating_mul(MAX_OVERHEAD),
        };
        let head = response.head();
        // RFC 9112 section 6.3, in its order.
        if matches!(response.status(), 204 | 304) {
            body.wanted = 0;
        } else if let Some(last) = head.elements("Transfer-Encoding").last() {
            if last.eq_ignore_ascii_case(b"chunked") {
                body.framing = Framing::Size(None);
            }
        } else if let Some(length) = head.value("Content-Length").and_then(content_length) {
            body.wanted = limit.min(length);
        }
        body
    }

    /// Whether nothing more is wanted.
    pub(crate) fn is_complete(&self) -> bool {
        self.wanted == 0 || self.framing == Framing::Over || self.allowance == 0
    }

    /// Takes from `input` what is still wanted, and how much that was.
    pub(crate) fn receive(&mut self, input: &mut BytesMut) -> usize {
        let before = input.len();
        while !self.is_complete() && !input.is_empty() {
            let want = match self.framing {
                Framing::Plain => self.wanted,
                Framing::Data(left) => self.wanted.min(left).min(self.allowance),
                _ => {
                    self.framing_byte(input.get_u8());
                    self.allowance -= 1;
                    continue;
                }
            };
            let taken = input.split_to(want.min(input.len()));
            self.content.extend_from_slice(&taken);
            self.wanted -= taken.len();
            if let Framing::Data(left) = self.framing {
                self.allowance -= taken.len();
                self.framing = match left - taken.len() {
                    0 => Framing::DataEnd,
                    left => Framing::Data(left),
                };
            }
        }
        before - input.len()
    }

    pub(crate) fn into_content(self) -> Vec<u8> {
        self.content
    }

    /// A byte of what chunked adds. What breaks its grammar ends the body: it is only shown.
    fn framing_byte(&mut self, byte: u8) {
        let digit = char::from(byte).to_digit(16);
        self.framing = match (self.framing, byte, digit) {
            (Framing::Size(size), _, Some(digit)) => {
                let size = size
                    .unwrap_or_default()
                    .checked_mul(16)
                    .and_then(|size| size.checked_add(digit as usize));
                size.map_or(Framing::Over, |size| Framing::Size(Some(size)))
            }
            (Framing::Size(Some(0)) | Framing::Extension(0), b'\n', _) => Framing::Over,
            (Framing::Size(Some(size)) | Framing::Extension(size), b'\n', _) => Framing::Data(size),
            (Framing::Size(Some(size)), b'\r' | b';' | b' ' | b'\t', _) | (Framing::Extension(size), ..) => {
                Framing::Extension(size)
            }
            (Framing::DataEnd, b'\r', _) => Framing::DataEnd,
            (Framing::DataEnd, b'\n', _) => Framing::Size(None),
            _ => Framing::Over,
        };
    }
}

/// The length, if `value` is one, also where it is repeated (RFC 9110 section 8.6).
fn content_length(value: &[u8]) -> Option<usize> {
    let mut lengths = elements(value).map(|length| {
        let digits = Some(length).filter(|length| is_number(length));
        str::from_utf8(digits?).ok()?.parse().ok()
    });
    let first = lengths.next()??;
    lengths.all(|length| length == Some(first)).then_some(first)
}

/// What chunked may take on the wire for each byte of content that is wanted: chunks of one byte need six.
const MAX_OVERHEAD: usize = 8;
