//! Frames as bytes, written from RFC 6455 section 5.2 alone: the tests must not judge the library by its own code.

use sansocket::Role;

pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8A;
/// The first fragment of a text message, of a binary message, one in the middle, and the last.
pub(crate) const TEXT_FIRST: u8 = 0x01;
pub(crate) const BINARY_FIRST: u8 = 0x02;
pub(crate) const MIDDLE: u8 = 0x00;
pub(crate) const LAST: u8 = 0x80;

/// The masking-key of the examples in section 5.7.
pub(crate) const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// A frame: its parts as they were on the wire, the payload data unmasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// FIN, RSV1 to RSV3 and opcode.
    pub(crate) first: u8,
    pub(crate) key: Option<[u8; 4]>,
    pub(crate) payload: Vec<u8>,
}

/// A valid frame as an endpoint of `role` sends it.
pub(crate) fn from(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    encode(first, (role == Role::Client).then_some(KEY), payload)
}

/// A frame with the shortest encoding of its payload length.
pub(crate) fn encode(first: u8, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, key.is_some(), payload.len() as u64);
    frame.extend(key.into_iter().flatten());
    frame.extend(payload.iter().enumerate().map(|(i, byte)| byte ^ key.map_or(0, |key| key[i % 4])));
    frame
}

/// The header up to the masking-key, which is not part of it here.
pub(crate) fn header(first: u8, masked: bool, len: u64) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    match len {
        0..=125 => vec![first, mask | len as u8],
        126..=0xFFFF => [&[first, mask | 126][..], &(len as u16).to_be_bytes()].concat(),
        _ => [&[first, mask | 127][..], &len.to_be_bytes()].concat(),
    }
}

/// The payload data of a Close frame.
pub(crate) fn close(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes()[..], reason.as_bytes()].concat()
}

/// Takes bytes apart that are whole frames, byte by byte as the RFC says it.
pub(crate) fn decode(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (first, second) = (bytes[0], bytes[1]);
        bytes = &bytes[2..];
        let extended = match second & 0x7F {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let len = match extended {
            0 => usize::from(second & 0x7F),
            n => bytes[..n].iter().fold(0, |len, byte| len << 8 | usize::from(*byte)),
        };
        bytes = &bytes[extended..];
        let key = (second & 0x80 != 0).then(|| [bytes[0], bytes[1], bytes[2], bytes[3]]);
        bytes = &bytes[if key.is_some() { 4 } else { 0 }..];
        let unmasked =
            bytes[..len].iter().enumerate().map(|(i, byte)| byte ^ key.map_or(0, |key| key[i % 4]));
        frames.push(Frame { first, key, payload: unmasked.collect() });
        bytes = &bytes[len..];
    }
    frames
}

/// Cuts `bytes` into pieces of these lengths, in turn.
pub(crate) fn pieces<'a>(bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = bytes;
    let mut pieces = Vec::new();
    for len in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at(rest.len().min(*len));
        pieces.push(piece);
        rest = after;
    }
    pieces
}
