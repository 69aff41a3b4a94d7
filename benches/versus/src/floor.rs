//! The floor: each work written by hand for exactly this input, with the checks that RFC 6455 asks for, and nothing else - no limits
//! that can be set, no control frames, no errors that say what happened. And below it, what memory and instructions allow.

use std::hint::black_box;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use crate::peers::Handshaking;
use crate::pipe::{Pipe, READ, copy};
use crate::rounds::{Contender, Run};
use crate::work::{Decoding, Encoding, Kind, Role};

/// Receives whole messages, in place where they are in the read block, else in one buffer for all of them.
pub(crate) fn decode(work: &Decoding) -> Run {
    let mut pipe = Pipe::endless(work.wire.clone());
    let mut block = Vec::with_capacity(READ);
    let mut message = Message { bytes: Vec::with_capacity(work.wire.len()), checked: 0 };
    let work = work.clone();
    Box::new(move || {
        let mut seen = 0;
        // Payload bytes of the current frame that are still to come, where the next one belongs in the key, and the key.
        let (mut missing, mut key, mut fin) = (0, [0; 4], true);
        while seen < work.messages {
            if missing > 0 {
                let piece = pipe.next(missing);
                let start = message.bytes.len();
                copy(piece, |piece| message.bytes.extend_from_slice(piece));
                let read = piece.len();
                key = xor(&mut message.bytes[start..], key);
                missing -= read;
                if work.kind.is_text() {
                    message.check(fin && missing == 0);
                }
            } else {
                block.clear();
                copy(pipe.next(READ), |piece| block.extend_from_slice(piece));
                let mut at = 0;
                while at < block.len() {
                    let header = header(&block[at..], work.role);
                    at += header.len;
                    (fin, key) = (header.fin, header.key);
                    let end = block.len().min(at + header.payload);
                    missing = at + header.payload - end;
                    let data = &mut block[at..end];
                    key = xor(data, key);
                    at = end;
                    if fin && missing == 0 && message.bytes.is_empty() {
                        work.expected.see_unvalidated(work.kind, data);
                        seen += 1;
                        continue;
                    }
                    copy(data, |piece| message.bytes.extend_from_slice(piece));
                    if work.kind.is_text() {
                        message.check(fin && missing == 0);
                    }
                    if missing == 0 && fin {
                        work.expected.see(&message.bytes);
                        message.clear();
                        seen += 1;
                    }
                }
                continue;
            }
            if missing == 0 && fin {
                work.expected.see(&message.bytes);
                message.clear();
                seen += 1;
            }
        }
    })
}

/// A message that comes in pieces.
struct Message {
    bytes: Vec<u8>,
    /// Bytes known to be text.
    checked: usize,
}

impl Message {
    /// Checks what is there, up to the last border of characters.
    fn check(&mut self, end: bool) {
        let mut to = self.bytes.len();
        if !end {
            while to > self.checked && self.bytes[to - 1] & 0xC0 == 0x80 {
                to -= 1;
            }
            if to > self.checked && self.bytes[to - 1] >= 0xC0 {
                to -= 1;
            }
        }
        black_box(simdutf8::basic::from_utf8(&self.bytes[self.checked..to]).expect("the text is UTF-8"));
        self.checked = to;
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.checked = 0;
    }
}

struct Header {
    fin: bool,
    key: [u8; 4],
    payload: usize,
    len: usize,
}

/// The header at the start of `bytes`, which hold all of it: these inputs never cut one.
fn header(bytes: &[u8], role: Role) -> Header {
    let [first, second, ..] = *bytes else { panic!("the header is whole") };
    assert!(first & 0x7F <= 2, "a data frame without extension");
    assert_eq!(second & 0x80 != 0, role == Role::Server, "clients mask, servers do not");
    let (payload, mut len) = match second & 0x7F {
        126 => (usize::from(u16::from_be_bytes(bytes[2..4].try_into().expect("two bytes"))), 4),
        127 => (u64::from_be_bytes(bytes[2..10].try_into().expect("eight bytes")) as usize, 10),
        small => (usize::from(small), 2),
    };
    assert!(payload <= 16 * 1024 * 1024, "the limit");
    assert!(len == 2 || payload > if len == 4 { 125 } else { 0xFFFF }, "the shortest form");
    let mut key = [0; 4];
    if role == Role::Server {
        key = bytes[len..len + 4].try_into().expect("four bytes");
        len += 4;
    }
    Header { fin: first & 0x80 != 0, key, payload, len }
}

/// Applies the key; gives the key for the byte behind.
#[inline]
fn xor(data: &mut [u8], key: [u8; 4]) -> [u8; 4] {
    if key == [0; 4] {
        return key;
    }
    let wide = u64::from_ne_bytes([key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]]);
    let mut words = data.chunks_exact_mut(8);
    for word in &mut words {
        let bytes: [u8; 8] = (&*word).try_into().expect("eight bytes");
        word.copy_from_slice(&(u64::from_ne_bytes(bytes) ^ wide).to_ne_bytes());
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
    let turn = data.len() % 4;
    [key[turn], key[(turn + 1) % 4], key[(turn + 2) % 4], key[(turn + 3) % 4]]
}

/// Frames into one buffer; where nothing is masked, payload data from 8 KiB on goes to the transport as it is.
pub(crate) fn encode(work: &Encoding) -> Run {
    let mut pipe = Pipe::sink(work.capture);
    let work = work.clone();
    let mut output: Vec<u8> = Vec::with_capacity(work.messages * (work.payload.len() + 14));
    let first = if work.kind.is_text() { 0x81 } else { 0x82 };
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    Box::new(move || {
        output.clear();
        for _ in 0..work.messages {
            let masked = if work.role == Role::Client { 0x80 } else { 0 };
            match work.payload.len() {
                len @ 0..=125 => output.extend_from_slice(&[first, masked | len as u8]),
                len @ 126..=0xFFFF => {
                    let [high, low] = (len as u16).to_be_bytes();
                    output.extend_from_slice(&[first, masked | 126, high, low]);
                }
                len => {
                    output.extend_from_slice(&[first, masked | 127]);
                    output.extend_from_slice(&(len as u64).to_be_bytes());
                }
            }
            if work.role == Role::Client {
                random = random.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(1);
                let [.., a, b, c, d] = random.to_le_bytes();
                let key = [a, b, c, d];
                output.extend_from_slice(&key);
                let start = output.len();
                // While it is in the first-level cache.
                for piece in work.payload.chunks(4096) {
                    let start = output.len();
                    output.extend_from_slice(piece);
                    xor(&mut output[start..], key);
                }
                black_box(start);
            } else if work.payload.len() < 8 * 1024 {
                output.extend_from_slice(&work.payload);
            } else {
                pipe.accept(&output);
                pipe.accept(&work.payload);
                output.clear();
            }
        }
        pipe.accept(&output);
    })
}

/// Collects the head, searches its end in what is new, parses it once, checks what RFC 6455 section 4.2.1 asks for, and answers.
pub(crate) fn handshake(work: &Handshaking) -> Run {
    let work = work.clone();
    let mut head = Vec::with_capacity(4096);
    Box::new(move || {
        let mut pipe = work.pipe();
        head.clear();
        let end = memchr::memmem::Finder::new(b"\r\n\r\n");
        loop {
            let from = head.len().saturating_sub(3);
            head.extend_from_slice(pipe.next(4096));
            if end.find(&head[from..]).is_some() {
                break;
            }
        }
        let mut fields = [httparse::EMPTY_HEADER; 32];
        let mut request = httparse::Request::new(&mut fields);
        assert!(request.parse(&head).expect("the head is valid").is_complete());
        assert_eq!(request.method, Some("GET"));
        let (mut key, mut found) = (None, 0);
        for field in request.headers.iter() {
            let is = |name: &str| field.name.eq_ignore_ascii_case(name);
            if is("Sec-WebSocket-Key") {
                key = Some(field.value);
            } else if is("Upgrade") {
                found += usize::from(field.value.eq_ignore_ascii_case(b"websocket"));
            } else if is("Connection") {
                found += usize::from(field.value.eq_ignore_ascii_case(b"upgrade"));
            } else if is("Sec-WebSocket-Version") {
                found += usize::from(field.value == b"13");
            } else if is("Host") {
                found += 1;
            }
        }
        assert_eq!(found, 4, "the fields of an opening handshake");
        pipe.accept(&reply(key.expect("there is a key")));
    })
}

/// The reply to a request with this key.
pub(crate) fn reply(key: &[u8]) -> [u8; REPLY.len() + 32] {
    let mut sha1 = Sha1::new();
    sha1.update(key);
    sha1.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let mut reply = [0; REPLY.len() + 32];
    reply[..REPLY.len()].copy_from_slice(REPLY);
    let len = STANDARD.encode_slice(sha1.finalize(), &mut reply[REPLY.len()..]).expect("28 bytes");
    reply[REPLY.len() + len..].copy_from_slice(b"\r\n\r\n");
    reply
}

const REPLY: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ";

/// What the processor and the memory allow, for `size` bytes.
pub(crate) fn physical(size: usize) -> Vec<Contender> {
    let limit =
        |name: &str, set_up: Box<dyn Fn() -> Run>| Contender { name: name.to_owned(), set_up, apart: false };
    let validation = move |kind: Kind| -> Box<dyn Fn() -> Run> {
        Box::new(move || {
            let text = Encoding::new(Role::Server, kind, size, Some(1)).text;
            Box::new(move || {
                black_box(simdutf8::basic::from_utf8(black_box(text.as_bytes())).expect("it is text"));
            })
        })
    };
    let copying = move || -> Run {
        let (source, mut target) = (vec![1_u8; size], Vec::with_capacity(size));
        Box::new(move || {
            target.clear();
            copy(black_box(&source), |piece| target.extend_from_slice(piece));
            black_box(&target);
        })
    };
    let masking = move || -> Run {
        let mut data = vec![1; size];
        Box::new(move || {
            black_box(xor(black_box(&mut data), [1, 2, 3, 4]));
        })
    };
    vec![
        limit("copying", Box::new(copying)),
        limit("XOR in place", Box::new(masking)),
        limit("simdutf8, ASCII", validation(Kind::Ascii)),
        limit("simdutf8, multi-byte", validation(Kind::Multibyte)),
    ]
}
