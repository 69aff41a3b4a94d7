//! The same work, done with tungstenite.

use std::hint::black_box;
use std::io::{self, ErrorKind, Read, Write};

use bytes::{BufMut, Bytes};
use sansocket::{MessageKind, Role};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Message, Utf8Bytes, WebSocket, protocol};

use crate::frames::copy;

/// A server that reads from a transport in memory.
pub(crate) struct Decoder {
    socket: WebSocket<Wire>,
}

impl Decoder {
    /// `read` is the size of its read buffer.
    pub(crate) fn new(wire: Vec<u8>, read: usize) -> Self {
        let config = WebSocketConfig::default().read_buffer_size(read);
        let wire = Wire { bytes: wire, position: 0 };
        Self { socket: WebSocket::from_raw_socket(wire, protocol::Role::Server, Some(config)) }
    }

    /// Reads the wire again from its start; it holds so many messages.
    pub(crate) fn decode(&mut self, messages: usize, mut message: impl FnMut(&[u8])) {
        self.socket.get_mut().position = 0;
        for _ in 0..messages {
            match self.socket.read().expect("the frames are valid") {
                Message::Text(text) => message(text.as_bytes()),
                Message::Binary(bytes) => message(&bytes),
                other => panic!("not a message: {other:?}"),
            }
        }
    }
}

/// An endpoint that sends the same message again and again, sharing its payload data.
pub(crate) struct Encoder {
    socket: WebSocket<Sink>,
    message: Message,
}

impl Encoder {
    pub(crate) fn new(role: Role, kind: MessageKind, payload: &[u8]) -> Self {
        let role = match role {
            Role::Server => protocol::Role::Server,
            Role::Client => protocol::Role::Client,
        };
        let message = match kind {
            MessageKind::Text => {
                Message::Text(Utf8Bytes::from(String::from_utf8_lossy(payload).into_owned()))
            }
            MessageKind::Binary => Message::Binary(Bytes::copy_from_slice(payload)),
        };
        Self { socket: WebSocket::from_raw_socket(Sink { written: 0 }, role, None), message }
    }

    /// Sends so many messages, then writes them all; returns the bytes written.
    pub(crate) fn encode(&mut self, messages: usize) -> usize {
        for _ in 0..messages {
            self.socket.write(self.message.clone()).expect("the transport takes everything");
        }
        self.socket.flush().expect("the transport takes everything");
        std::mem::take(&mut self.socket.get_mut().written)
    }
}

/// The size of its read buffer with which it was fastest here: it fills the buffer with zeros before each read.
pub(crate) const READ_BUFFER: usize = 4 * 1024;

/// A transport to read from; at its end it would block.
struct Wire {
    bytes: Vec<u8>,
    position: usize,
}

impl Read for Wire {
    fn read(&mut self, mut buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.bytes[self.position..];
        if rest.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let len = rest.len().min(buffer.len());
        copy(&rest[..len], |piece| buffer.put_slice(piece));
        self.position += len;
        Ok(len)
    }
}

impl Write for Wire {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        panic!("data frames need no answer");
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A transport that takes everything.
struct Sink {
    written: usize,
}

impl Read for Sink {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::WouldBlock.into())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written += black_box(bytes).len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
