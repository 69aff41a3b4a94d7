//! The server's opening handshake, done with each library, and by hand as a floor.

use std::io::{self, ErrorKind, Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, BytesMut};
use sansocket::{Accept, Instant, ServerConfig, ServerHandshake, ServerStep};
use sha1::{Digest, Sha1};
use tungstenite::HandshakeError;
use tungstenite::protocol::WebSocketConfig;

/// A request as browsers send it, of `len` bytes: at least [`SHORTEST`], the rest of them in fields that nobody looks at.
pub(crate) fn head(len: usize) -> Vec<u8> {
    let mut head = USUAL.to_vec();
    let mut left = len.checked_sub(SHORTEST).expect("a length that is long enough");
    while left > 0 {
        // The last field takes what is left, so that none is too short.
        let len = if left < 2 * PADDING_FIELD { left } else { PADDING_FIELD };
        let value = "0".repeat(len - b"X-Padding: \r\n".len());
        head.extend_from_slice(format!("X-Padding: {value}\r\n").as_bytes());
        left -= len;
    }
    head.extend_from_slice(b"\r\n");
    assert_eq!(head.len(), len);
    head
}

/// Bytes of a head without padding.
pub(crate) const SHORTEST: usize = USUAL.len() + 2;

const USUAL: &[u8] = b"GET /chat?room=42 HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Connection: Upgrade\r\n\
    Pragma: no-cache\r\n\
    Cache-Control: no-cache\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Upgrade: websocket\r\n\
    Origin: https://server.example.com\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

/// As long as cookies and tokens are, and few enough for everyone's limit in 16 KiB.
const PADDING_FIELD: usize = 200;

/// sansocket, given `read` bytes of the head at a time; `input` is an empty buffer.
pub(crate) fn sansocket(head: &[u8], read: usize, input: &mut BytesMut) {
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    for piece in head.chunks(read) {
        input.extend_from_slice(piece);
        match handshake.receive(input, Instant::ZERO) {
            Ok(ServerStep::NeedMore) => {}
            Ok(ServerStep::Request(pending)) => {
                let mut connection = pending.accept(Accept::new(), Instant::ZERO).expect("nothing is agreed");
                let mut reply = connection.transmit();
                check(reply.chunk());
                let len = reply.remaining();
                reply.advance(len);
                return;
            }
            other => panic!("the request is valid: {other:?}"),
        }
    }
    panic!("the request is complete");
}

/// tungstenite, given `read` bytes of the head at a time; `reply` is an empty buffer.
pub(crate) fn tungstenite(head: &[u8], read: usize, reply: &mut Vec<u8>) {
    // The smallest read buffer of the connection: its default of 128 KiB would be allocated for every handshake.
    let config = WebSocketConfig::default().read_buffer_size(0);
    let accepted = tungstenite::accept_with_config(Wire { head, read, reply }, Some(config));
    let socket = accepted.expect("the request is valid");
    check(socket.get_ref().reply);
}

/// Whether tungstenite takes a head that comes `read` bytes at a time: many small reads are an attack to it.
pub(crate) fn tungstenite_accepts(head: &[u8], read: usize) -> bool {
    match tungstenite::accept(Wire { head, read, reply: &mut Vec::new() }) {
        Ok(_) => true,
        Err(HandshakeError::Failure(tungstenite::Error::AttackAttempt)) => false,
        Err(error) => panic!("{error}"),
    }
}

/// No library: what has to be done for a request that is fine, and nothing else, written for this purpose. Bytes are
/// appended to a buffer of this connection, the empty line is looked for, the head is parsed once, the required fields are
/// checked and the reply is written.
pub(crate) fn floor(head: &[u8], read: usize) {
    let (mut buffer, mut reply) = (Vec::new(), Vec::with_capacity(256));
    for piece in head.chunks(read) {
        buffer.extend_from_slice(piece);
        // The empty line may have begun in the piece before.
        let new = &buffer[buffer.len().saturating_sub(piece.len() + 3)..];
        let is_whole = match new.len() {
            ..=16 => new.windows(4).any(|bytes| bytes == b"\r\n\r\n"),
            _ => memchr::memmem::find(new, b"\r\n\r\n").is_some(),
        };
        if is_whole {
            break;
        }
    }
    let mut fields = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut fields);
    assert!(request.parse(&buffer).is_ok_and(|status| status.is_complete()));
    assert!(request.method == Some("GET") && request.version == Some(1));
    let value = |name: &str| {
        let mut fields = request.headers.iter();
        fields.find(|field| field.name.eq_ignore_ascii_case(name)).map_or(&[][..], |field| field.value)
    };
    assert!(!value("Host").is_empty());
    assert!(value("Upgrade").eq_ignore_ascii_case(b"websocket"));
    let mut options = value("Connection").split(|byte| *byte == b',');
    assert!(options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade")));
    assert_eq!(value("Sec-WebSocket-Version"), b"13");
    let key = value("Sec-WebSocket-Key");
    assert_eq!(key.len(), 24);
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let mut accept = [0; 28];
    STANDARD.encode_slice(hash.finalize(), &mut accept).expect("20 bytes are 28 characters");
    reply.extend_from_slice(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ",
    );
    reply.extend_from_slice(&accept);
    reply.extend_from_slice(b"\r\n\r\n");
    check(&reply);
}

fn check(reply: &[u8]) {
    assert!(reply.starts_with(b"HTTP/1.1 101 "));
    assert!(reply.windows(28).any(|value| value == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

/// A transport in memory.
struct Wire<'a> {
    head: &'a [u8],
    read: usize,
    reply: &'a mut Vec<u8>,
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.head.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let len = self.read.min(self.head.len()).min(buffer.len());
        buffer[..len].copy_from_slice(&self.head[..len]);
        self.head.advance(len);
        Ok(len)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.reply.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
