//! The server's opening handshake, done with each library.

use std::io::{self, ErrorKind, Read, Write};

use bytes::{Buf, BytesMut};
use sansocket::{Accept, Instant, ServerConfig, ServerHandshake, ServerStep};
use tungstenite::HandshakeError;
use tungstenite::protocol::WebSocketConfig;

/// A request as browsers send it, about 500 bytes, with `padding` more in fields that no library looks at.
pub(crate) fn head(padding: usize) -> Vec<u8> {
    let mut head = b"GET /chat?room=42 HTTP/1.1\r\n\
        Host: server.example.com\r\n\
        Connection: Upgrade\r\n\
        Pragma: no-cache\r\n\
        Cache-Control: no-cache\r\n\
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n\
        Upgrade: websocket\r\n\
        Origin: https://server.example.com\r\n\
        Sec-WebSocket-Version: 13\r\n\
        Accept-Encoding: gzip, deflate, br, zstd\r\n\
        Accept-Language: en-GB,en;q=0.9\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
        .to_vec();
    let mut left = padding;
    while left > 0 {
        // The last field takes what is left, so that none is too short.
        let len = if left < 2 * PADDING_FIELD { left } else { PADDING_FIELD };
        let value = "0".repeat(len - b"X-Padding: \r\n".len());
        head.extend_from_slice(format!("X-Padding: {value}\r\n").as_bytes());
        left -= len;
    }
    head.extend_from_slice(b"\r\n");
    head
}

const PADDING_FIELD: usize = 50;

/// sansocket, given `read` bytes of the head at a time; `input` is an empty buffer.
pub(crate) fn sansocket(head: &[u8], read: usize, input: &mut BytesMut) {
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    for piece in head.chunks(read) {
        input.extend_from_slice(piece);
        match handshake.receive(input, Instant::ZERO).expect("the request is valid") {
            ServerStep::NeedMore | ServerStep::Http(_) => {}
            ServerStep::Request(pending) => {
                let mut connection = pending.accept(Accept::new(), Instant::ZERO).expect("nothing is agreed");
                let mut reply = connection.transmit();
                check(reply.chunk());
                let len = reply.remaining();
                reply.advance(len);
                return;
            }
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
