//! Reads a TLS ClientHello (RFC 8446 section 4.1.2) as far as it says whom the client wants: server name and ALPN.
//!
//! Bytes are dropped as they come, but for the two extensions that are of interest; nothing is decrypted or answered. Only the
//! first record is read, which is all of the message but for very large ones.
//!
//! ```text
//! Record(5) ─► Message(4) ─► version, random(34) ─► session(1+n) ─► ciphers(2+n) ─► compression(1+n)
//!   ─► extensions(2) ─► each: type(2), length(2), data
//! ```

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::{fmt, mem};

/// What a TLS client says in the clear about the server that it wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientHello {
    server_name: Option<Box<str>>,
    protocols: Vec<Box<str>>,
}

impl ClientHello {
    /// The host that the client asks for (SNI, RFC 6066 section 3), if that came.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// The protocols that the client speaks inside of TLS (ALPN, RFC 7301), such as `h2` and `http/1.1`: the first eight.
    pub fn protocols(&self) -> impl Iterator<Item = &str> + Clone {
        self.protocols.iter().map(|protocol| &**protocol)
    }

    fn extension(&mut self, extension: Extension, data: &[u8]) {
        match extension {
            Extension::ServerName => {
                // A list with its length, of which the only entry that exists has type 0 and a length of its own.
                let name = data.get(2..).and_then(|list| list.strip_prefix(&[0])).and_then(|entry| {
                    let (&[high, low], rest) = entry.split_first_chunk()?;
                    rest.get(..usize::from(u16::from_be_bytes([high, low])))
                });
                self.server_name = name.and_then(|name| visible(name, MAX_NAME));
            }
            Extension::Protocols => {
                let mut rest = data.get(2..).unwrap_or_default();
                while let Some((&len, after)) = rest.split_first() {
                    let Some((name, after)) = after.split_at_checked(usize::from(len)) else { break };
                    rest = after;
                    self.protocols.extend(visible(name, MAX_PROTOCOL));
                    if self.protocols.len() == MAX_PROTOCOLS {
                        break;
                    }
                }
            }
        }
    }
}

impl fmt::Display for ClientHello {
    /// The rest of a sentence that begins with "a TLS client".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.server_name {
            write!(f, " that asks for {name:?}")?;
        }
        for (at, protocol) in self.protocols.iter().enumerate() {
            write!(f, "{}{protocol}", if at == 0 { " (ALPN " } else { ", " })?;
        }
        if self.protocols.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

/// Reads one ClientHello from pieces of any size.
#[derive(Debug)]
pub(crate) struct HelloReader {
    hello: ClientHello,
    next: Part,
    /// Bytes to drop before `next`.
    skip: usize,
    /// Bytes of `next` that came.
    gathered: Vec<u8>,
    /// Bytes of the record behind its header that have not come.
    left: usize,
}

/// What is read next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Both headers: that of the record and that of the message.
    Headers,
    /// A length, of something that is dropped, and what comes behind that.
    Session,
    Ciphers,
    Compression,
    Extensions,
    ExtensionHeader,
    Data(Extension, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extension {
    ServerName,
    Protocols,
}

impl HelloReader {
    pub(crate) fn new() -> Self {
        Self {
            hello: ClientHello::default(),
            next: Part::Headers,
            skip: 0,
            gathered: Vec::new(),
            left: HEADERS,
        }
    }

    /// Takes from `input` what is still of interest: how many bytes, and whether all has come.
    pub(crate) fn receive(&mut self, input: &[u8]) -> (usize, bool) {
        let mut rest = input;
        loop {
            // A record that ends too early, or two fields that are all there is to know.
            let told = self.hello.server_name.is_some() && !self.hello.protocols.is_empty();
            if self.left == 0 || told {
                return (input.len() - rest.len(), true);
            }
            if rest.is_empty() {
                return (input.len(), false);
            }
            if self.skip > 0 {
                let (dropped, after) = rest.split_at(self.skip.min(self.left).min(rest.len()));
                self.skip -= dropped.len();
                self.left -= dropped.len();
                rest = after;
                continue;
            }
            let missing = self.next.len() - self.gathered.len();
            let (taken, after) = rest.split_at(missing.min(self.left).min(rest.len()));
            self.gathered.extend_from_slice(taken);
            self.left -= taken.len();
            rest = after;
            if taken.len() == missing {
                self.read_part();
            }
        }
    }

    /// What was said so far.
    pub(crate) fn hello(&self) -> &ClientHello {
        &self.hello
    }

    /// Reads the part that has been gathered, and says what follows it.
    fn read_part(&mut self) {
        let part = mem::take(&mut self.gathered);
        let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
        (self.next, self.skip) = match self.next {
            Part::Headers => {
                let record = number(part.get(3..5).unwrap_or_default());
                self.left = record.saturating_sub(MESSAGE_HEADER);
                (Part::Session, 2 /* version */ + 32 /* random */)
            }
            Part::Session => (Part::Ciphers, number(&part)),
            Part::Ciphers => (Part::Compression, number(&part)),
            Part::Compression => (Part::Extensions, number(&part)),
            Part::Extensions => {
                self.left = self.left.min(number(&part));
                (Part::ExtensionHeader, 0)
            }
            Part::ExtensionHeader => {
                let (kind, len) = part.split_at_checked(2).unwrap_or_default();
                match (number(kind), number(len)) {
                    (0, len @ 1..=MAX_DATA) => (Part::Data(Extension::ServerName, len), 0),
                    (16, len @ 1..=MAX_DATA) => (Part::Data(Extension::Protocols, len), 0),
                    (_, len) => (Part::ExtensionHeader, len),
                }
            }
            Part::Data(extension, _) => {
                self.hello.extension(extension, &part);
                (Part::ExtensionHeader, 0)
            }
        };
    }
}

impl Part {
    /// Bytes of the part; never 0.
    fn len(self) -> usize {
        match self {
            Self::Headers => HEADERS,
            Self::Session | Self::Compression => 1,
            Self::Ciphers | Self::Extensions => 2,
            Self::ExtensionHeader => 4,
            Self::Data(_, len) => len,
        }
    }
}

/// `name`, if it is visible ASCII and not longer than `max`.
fn visible(name: &[u8], max: usize) -> Option<Box<str>> {
    let is_name = (1..=max).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic);
    core::str::from_utf8(name).ok().filter(|_| is_name).map(Box::from)
}

/// Bytes of a message's header: type and length.
const MESSAGE_HEADER: usize = 1 + 3;

/// Bytes of the headers of record and message.
const HEADERS: usize = 1 /* type */ + 2 /* version */ + 2 /* length */ + MESSAGE_HEADER;

/// Bytes of an extension that is read: a name of 255 bytes, or a dozen protocols.
const MAX_DATA: usize = 320;

/// Bytes in the longest name of a host (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 255;

/// Bytes in the longest name of a protocol that is kept. Those that are registered have at most 16.
const MAX_PROTOCOL: usize = 32;

/// Protocols that are kept.
const MAX_PROTOCOLS: usize = 8;
