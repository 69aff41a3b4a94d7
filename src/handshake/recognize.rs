//! Knows other protocols by their first bytes, as soon as these settle it.
//!
//! It is asked only when it is certain that the peer does not speak HTTP/1, so that a handshake never pays for it. It looks at
//! a prefix that grows by one byte at a time: whatever the reads were, the answer comes at the same byte.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::str;

use crate::handshake::parse::HeadKind;
use crate::handshake::peer::Peer;
use crate::handshake::tls::ClientHello;

/// What the first bytes of a peer say.
pub(crate) enum Verdict {
    /// More bytes are needed; if none come, it is this.
    Undecided(Peer),
    /// Nothing that follows could change it.
    Settled(Peer),
    /// A TLS ClientHello, which has more to say.
    Hello,
}

/// Judges `bytes`, at least one and at most [`MAX_PREFIX`], which came where a head of this kind was expected.
pub(crate) fn judge(kind: HeadKind, bytes: &[u8]) -> Verdict {
    let known = [tls(bytes), proxy_v1(bytes), proxy_v2(bytes), socks(kind, bytes), ssh(bytes), banner(bytes)];
    let known = known.into_iter().chain([frame(kind, bytes), http2(kind, bytes)]);
    // No two of them are possible at once, but for prefixes of text.
    known.flatten().next().unwrap_or_else(|| Verdict::Settled(other(kind, bytes)))
}

/// No more than these bytes are ever needed: the longest line of the PROXY protocol, version 1.
pub(crate) const MAX_PREFIX: usize = 107;

/// How the first line of the PROXY protocol, version 1, begins. A request whose method is `PROXY` would go on otherwise.
pub(crate) const PROXY_V1: [&[u8]; 3] = [b"PROXY TCP4 ", b"PROXY TCP6 ", b"PROXY UNKNOWN"];

/// Bytes of a request line from which on it is no such line, nor anything else that begins like one.
pub(crate) const LONGEST_START: usize = PROXY_V1[2].len();

/// How SSH begins, and no method does.
pub(crate) const SSH: &[u8] = b"SSH-";

fn undecided(peer: Peer) -> Option<Verdict> {
    Some(Verdict::Undecided(peer))
}

fn settled(peer: Peer) -> Option<Verdict> {
    Some(Verdict::Settled(peer))
}

/// Whether `bytes` and `signature` are equal as far as both go.
fn agree(bytes: &[u8], signature: &[u8]) -> bool {
    bytes.iter().zip(signature).all(|(byte, expected)| byte == expected)
}

/// A record of type alert or handshake, of version 3.x.
fn tls(bytes: &[u8]) -> Option<Verdict> {
    match bytes {
        [0x15 | 0x16] => undecided(Peer::Binary),
        [0x15, 0x03] => undecided(Peer::TlsAlert { description: None }),
        [0x15, 0x03, 0..=4, rest @ ..] if agree(rest, &[0, 2]) => match rest.get(2..).unwrap_or_default() {
            [] | [1 | 2] => undecided(Peer::TlsAlert { description: None }),
            [1 | 2, description, ..] => settled(Peer::TlsAlert { description: Some(*description) }),
            _ => None,
        },
        // Which of the two it is the sixth byte says; until then it is more likely a client's first word.
        [0x16, 0x03] => undecided(Peer::TlsClient(ClientHello::default())),
        [0x16, 0x03, 0..=4, rest @ ..] => match rest.get(2) {
            None => undecided(Peer::TlsClient(ClientHello::default())),
            Some(1) => Some(Verdict::Hello),
            Some(2) => settled(Peer::TlsServer),
            Some(_) => None,
        },
        _ => None,
    }
}

/// `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443`.
fn proxy_v1(bytes: &[u8]) -> Option<Verdict> {
    if !PROXY_V1.iter().any(|start| agree(bytes, start)) {
        return None;
    }
    let peer = |source| Peer::ProxyProtocol { version: 1, source };
    if !PROXY_V1.iter().any(|start| bytes.starts_with(start)) {
        return undecided(if bytes.len() > b"PROXY ".len() { peer(None) } else { Peer::Text });
    }
    let whole = bytes.ends_with(b"\n");
    if !whole && bytes.len() < MAX_PREFIX {
        return undecided(peer(None));
    }
    let line = str::from_utf8(bytes).unwrap_or_default();
    let mut parts = line.trim_end().split(' ').skip(2);
    let (ip, port) = (parts.next().and_then(|ip| ip.parse().ok()), parts.nth(1));
    let port = port.and_then(|port| port.parse().ok());
    settled(peer(ip.zip(port).filter(|_| whole).map(|(ip, port)| SocketAddr::new(ip, port))))
}

/// A signature that no other protocol begins with, a header of four bytes, and the addresses.
fn proxy_v2(bytes: &[u8]) -> Option<Verdict> {
    if !agree(bytes, PROXY_V2) {
        return None;
    }
    let peer = |source| Peer::ProxyProtocol { version: 2, source };
    let Some(rest) = bytes.strip_prefix(PROXY_V2) else { return undecided(Peer::Binary) };
    let Some((&[command, family, high, low], addresses)) = rest.split_first_chunk() else {
        return undecided(peer(None));
    };
    let announced = usize::from(u16::from_be_bytes([high, low]));
    // PROXY (not LOCAL), and TCP over IPv4 or IPv6: source, destination, the port of each.
    let ip_len = match (command, family) {
        (0x21, 0x11) => 4,
        (0x21, 0x21) => 16,
        _ => return settled(peer(None)),
    };
    if announced < 2 * ip_len + 4 {
        return settled(peer(None));
    }
    let Some(port) = addresses.get(2 * ip_len..2 * ip_len + 2) else { return undecided(peer(None)) };
    let ip = match addresses.get(..ip_len).unwrap_or_default() {
        &[a, b, c, d] => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        ip => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(ip).unwrap_or_default())),
    };
    let port = port.iter().fold(0, |port, &byte| port << 8 | u16::from(byte));
    settled(peer(Some(SocketAddr::new(ip, port))))
}

/// SOCKS 4: version and command. SOCKS 5 (RFC 1928): version and the number of methods, or the method that was chosen.
fn socks(kind: HeadKind, bytes: &[u8]) -> Option<Verdict> {
    match (kind, bytes) {
        (HeadKind::Request, [4 | 5]) | (HeadKind::Response, [5]) => undecided(Peer::Binary),
        (HeadKind::Request, [4, 1 | 2, ..]) => settled(Peer::Socks { version: 4 }),
        (HeadKind::Request, [5, 1..=9, ..]) => settled(Peer::Socks { version: 5 }),
        (HeadKind::Response, [5, 0..=2 | 0xFF, ..]) => settled(Peer::Socks { version: 5 }),
        _ => None,
    }
}

/// RFC 4253 section 4.2.
fn ssh(bytes: &[u8]) -> Option<Verdict> {
    if bytes.starts_with(SSH) {
        return settled(Peer::Ssh);
    }
    if agree(bytes, SSH) { undecided(Peer::Text) } else { None }
}

/// `220 mail.example.com ESMTP`, `+OK POP3 ready`, `* OK IMAP4rev1`.
fn banner(bytes: &[u8]) -> Option<Verdict> {
    if let Some(greeting) = [&b"+OK"[..], b"-ERR", b"* OK"].iter().find(|greeting| agree(bytes, greeting)) {
        return if bytes.len() < greeting.len() { undecided(Peer::Text) } else { settled(Peer::Banner) };
    }
    let (code, rest) = bytes.split_at(bytes.len().min(3));
    let is_code =
        code.iter().zip([b'1'..=b'5', b'0'..=b'9', b'0'..=b'9']).all(|(digit, of)| of.contains(digit));
    match rest {
        _ if !is_code => None,
        [] => undecided(Peer::Text),
        [b' ' | b'-', ..] => settled(Peer::Banner),
        _ => None,
    }
}

/// The first two bytes of a frame that may begin a message or stand alone, masked as that end must (RFC 6455 section 5.1).
fn frame(kind: HeadKind, bytes: &[u8]) -> Option<Verdict> {
    let &[first, ref rest @ ..] = bytes else { return None };
    let (fin, opcode) = (first & 0x80 != 0, first & 0x0F);
    let is_control = matches!(opcode, 8..=10);
    if first & 0x70 != 0 || !(matches!(opcode, 1 | 2) || (is_control && fin)) {
        return None;
    }
    let Some(second) = rest.first() else { return undecided(Peer::Binary) };
    let (masked, len) = (second & 0x80 != 0, second & 0x7F);
    if masked != (kind == HeadKind::Request) || (is_control && len > 125) {
        return None;
    }
    settled(Peer::WebSocketFrame { opcode })
}

/// A client's preface, which looks like a request line; a server's first frame, which is SETTINGS, on stream 0, and no ACK
/// (RFC 9113 sections 3.4 and 6.5).
fn http2(kind: HeadKind, bytes: &[u8]) -> Option<Verdict> {
    let is_settings = match (kind, bytes) {
        (HeadKind::Request, _) => return if bytes == PREFACE_LINE { settled(Peer::Http2) } else { None },
        (HeadKind::Response, [0, 0, len, rest @ ..]) => len % 6 == 0 && agree(rest, SETTINGS),
        (HeadKind::Response, _) => agree(bytes, &[0, 0]),
    };
    match is_settings {
        true if bytes.len() < 3 + SETTINGS.len() => undecided(Peer::Binary),
        true => settled(Peer::Http2),
        false => None,
    }
}

fn other(kind: HeadKind, bytes: &[u8]) -> Peer {
    let is_text = |&byte: &u8| !byte.is_ascii_control() || matches!(byte, b'\t' | b'\r' | b'\n');
    match bytes {
        // A document without a status line before it (RFC 1945 section 6).
        [b'<', ..] if kind == HeadKind::Response => Peer::Http09,
        [first, ..] if first.is_ascii() && bytes.iter().all(is_text) => Peer::Text,
        _ => Peer::Binary,
    }
}

/// The first line of HTTP/2's preface (RFC 9113 section 3.4): no request of HTTP/1 has this method.
pub(crate) const PREFACE_LINE: &[u8] = b"PRI * HTTP/2.0\r\n";

const PROXY_V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Type, flags and stream of a SETTINGS frame, which follow its length.
const SETTINGS: &[u8] = &[4, 0, 0, 0, 0, 0];
