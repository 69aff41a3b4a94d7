//! The inputs: what every library is given, and what must come out.

use std::cell::Cell;
use std::fmt;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;

/// Who the library under test is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Server,
    Client,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::Client => "client",
        })
    }
}

/// What messages are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Text of one byte per character, as most of it is.
    Ascii,
    /// Text with characters of one to four bytes.
    Multibyte,
    /// Bytes of every value.
    Binary,
}

impl Kind {
    pub(crate) fn is_text(self) -> bool {
        self != Self::Binary
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ascii => "ASCII text",
            Self::Multibyte => "multi-byte text",
            Self::Binary => "binary",
        })
    }
}

/// Payload data in bytes, with a name.
pub(crate) const SIZES: [(usize, &str); 8] = [
    (16, "16 B"),
    (125, "125 B"),
    (1024, "1 KiB"),
    (16 * 1024, "16 KiB"),
    (64 * 1024, "64 KiB"),
    (256 * 1024, "256 KiB"),
    (1024 * 1024, "1 MiB"),
    (4 * 1024 * 1024, "4 MiB"),
];

/// Small messages come and go in bursts of about this many bytes, as under load.
pub(crate) const BURST: usize = 64 * 1024;

/// Frames of a fragmented message.
pub(crate) const FRAGMENTS: usize = 4;

/// What to decode: whole messages, again and again.
#[derive(Clone)]
pub(crate) struct Decoding {
    pub(crate) role: Role,
    pub(crate) kind: Kind,
    pub(crate) wire: Arc<[u8]>,
    /// In the wire.
    pub(crate) messages: usize,
    pub(crate) expected: Rc<Expected>,
    /// Of each message.
    fragments: usize,
}

impl Decoding {
    /// Messages of `size` bytes in so many frames each.
    pub(crate) fn new(role: Role, kind: Kind, size: usize, fragments: usize) -> Self {
        Self::of(role, kind, payload(kind, size), fragments)
    }

    /// The same, but that the last byte of each message cannot be text.
    pub(crate) fn not_text(&self) -> Self {
        let mut payload = self.expected.payload.clone();
        payload.pop();
        payload.push(0xFF);
        Self::of(self.role, self.kind, payload, self.fragments)
    }

    fn of(role: Role, kind: Kind, payload: Vec<u8>, fragments: usize) -> Self {
        let message = message(role, kind, &payload, fragments);
        let messages = (BURST / message.len()).max(1);
        let wire = message.repeat(messages).into();
        Self { role, kind, wire, messages, expected: Rc::new(Expected::new(payload)), fragments }
    }
}

/// What to encode.
#[derive(Clone)]
pub(crate) struct Encoding {
    pub(crate) role: Role,
    pub(crate) kind: Kind,
    /// Of each message.
    pub(crate) payload: Arc<[u8]>,
    /// The same, if it is text.
    pub(crate) text: Arc<str>,
    /// In a burst, which leaves as a whole where the library can do that.
    pub(crate) messages: usize,
    /// Keep what is written, to be looked at.
    pub(crate) capture: bool,
}

impl Encoding {
    /// Bursts of messages of `size` bytes; `None` makes a burst as long as those of [`Decoding`].
    pub(crate) fn new(role: Role, kind: Kind, size: usize, messages: Option<usize>) -> Self {
        let messages = messages.unwrap_or_else(|| (BURST / (size + 14)).max(1));
        let payload = payload(kind, size);
        let text = if kind.is_text() { str::from_utf8(&payload).expect("it is text") } else { "" };
        Self { role, kind, text: text.into(), payload: payload.as_slice().into(), messages, capture: false }
    }
}

/// The payload data that must come out.
pub(crate) struct Expected {
    payload: Vec<u8>,
    compare: Cell<bool>,
}

impl Expected {
    fn new(payload: Vec<u8>) -> Self {
        Self { payload, compare: Cell::new(false) }
    }

    /// Look at every byte while `work` is done, not only at the length.
    pub(crate) fn comparing(&self, work: impl FnOnce()) {
        self.compare.set(true);
        work();
        self.compare.set(false);
    }

    /// A message came out.
    #[inline]
    pub(crate) fn see(&self, bytes: &[u8]) {
        assert_eq!(black_box(bytes).len(), self.payload.len());
        if self.compare.get() {
            assert!(bytes == self.payload, "the payload data is not what was sent");
        }
    }

    /// Text came out of a library that leaves it to its user to find out whether it is text.
    #[inline]
    pub(crate) fn see_unvalidated(&self, kind: Kind, bytes: &[u8]) {
        if kind.is_text() {
            black_box(simdutf8::basic::from_utf8(bytes).expect("the text is UTF-8"));
        }
        self.see(bytes);
    }
}

fn payload(kind: Kind, size: usize) -> Vec<u8> {
    match kind {
        Kind::Ascii => (b' '..=b'~').cycle().take(size).collect(),
        Kind::Binary => (0..=u8::MAX).cycle().take(size).collect(),
        Kind::Multibyte => {
            let mut text = String::with_capacity(size);
            for character in "Grüße aus Κόρινθος, 世界から 🦀 ".chars().cycle() {
                if text.len() + character.len_utf8() > size {
                    break;
                }
                text.push(character);
            }
            let missing = size - text.len();
            text.extend(std::iter::repeat_n('.', missing));
            text.into_bytes()
        }
    }
}

/// A message as the peer of `role` sends it.
fn message(role: Role, kind: Kind, payload: &[u8], fragments: usize) -> Vec<u8> {
    let mut wire = Vec::new();
    for index in 0..fragments {
        // Borders fall inside characters, as they may.
        let part = &payload[payload.len() * index / fragments..payload.len() * (index + 1) / fragments];
        let opcode = match (index, kind.is_text()) {
            (0, true) => 1,
            (0, false) => 2,
            _ => 0,
        };
        let fin = if index + 1 == fragments { 0x80 } else { 0 };
        frame(&mut wire, fin | opcode, part, (role == Role::Server).then_some(KEY));
    }
    wire
}

/// Appends a frame.
pub(crate) fn frame(wire: &mut Vec<u8>, first: u8, payload: &[u8], key: Option<[u8; 4]>) {
    let masked = if key.is_some() { 0x80 } else { 0 };
    wire.push(first);
    match payload.len() {
        len @ 0..=125 => wire.push(masked | len as u8),
        len @ 126..=0xFFFF => {
            wire.push(masked | 126);
            wire.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            wire.push(masked | 127);
            wire.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    match key {
        Some(key) => {
            wire.extend_from_slice(&key);
            wire.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        }
        None => wire.extend_from_slice(payload),
    }
}

/// Takes apart what an endpoint in `role` wrote, and checks it: one frame a message, with the payload data of `work`.
pub(crate) fn check_written(work: &Encoding, mut written: &[u8]) {
    let opcode = if work.kind.is_text() { 0x81 } else { 0x82 };
    let masked = if work.role == Role::Client { 0x80 } else { 0 };
    for _ in 0..work.messages {
        assert_eq!(written[0], opcode, "one frame a message");
        assert_eq!(written[1] & 0x80, masked, "a client masks, a server does not");
        let (len, header) = match written[1] & 0x7F {
            126 => (usize::from(u16::from_be_bytes([written[2], written[3]])), 4),
            127 => (u64::from_be_bytes(written[2..10].try_into().expect("eight bytes")) as usize, 10),
            len => (usize::from(len), 2),
        };
        written = &written[header..];
        let key = if masked > 0 { written[..4].try_into().expect("four bytes") } else { [0; 4] };
        written = &written[usize::from(masked) / 32..];
        let payload: Vec<u8> =
            written[..len].iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        assert!(payload == *work.payload, "the payload data is what was to be sent");
        written = &written[len..];
    }
    assert!(written.is_empty(), "nothing else was written");
}

const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
