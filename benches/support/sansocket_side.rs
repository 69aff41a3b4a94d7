//! The work, done with sansocket.

use std::hint::black_box;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use sansocket::{
    ClientConfig, Connection, Entropy, Event, Instant, Message, MessageKind, Role, ServerConfig,
};

use crate::frames::copy;

/// A server that is driven as the documentation says: bytes are read into one block, or straight into a large message.
pub(crate) struct Decoder {
    connection: Connection,
    input: BytesMut,
    read: usize,
}

impl Decoder {
    /// At most `read` bytes come at a time.
    pub(crate) fn new(read: usize) -> Self {
        Self { connection: connection(Role::Server), input: BytesMut::with_capacity(read), read }
    }

    /// Reads `wire`, which holds whole messages; returns how many.
    pub(crate) fn decode(&mut self, mut wire: &[u8], mut message: impl FnMut(&[u8])) -> usize {
        let mut messages = 0;
        while !wire.is_empty() {
            let limit = wire.len().min(self.read);
            let read = match self.connection.payload_buffer() {
                Some(mut buffer) => {
                    let read = limit.min(buffer.remaining_mut());
                    copy(&wire[..read], |piece| buffer.put_slice(piece));
                    read
                }
                None => {
                    copy(&wire[..limit], |piece| self.input.extend_from_slice(piece));
                    limit
                }
            };
            wire.advance(read);
            let mut reader = self.connection.read(&mut self.input);
            while let Some(event) = reader.next() {
                match event {
                    Event::Text(text) => message(text.as_bytes()),
                    Event::Binary(bytes) => message(&bytes),
                    other => panic!("not a message: {other:?}"),
                }
                messages += 1;
            }
        }
        messages
    }
}

/// An endpoint that sends the same message again and again: small ones and text borrowed, large binary ones shared.
pub(crate) struct Encoder {
    connection: Connection,
    kind: MessageKind,
    text: String,
    bytes: Bytes,
}

impl Encoder {
    pub(crate) fn new(role: Role, kind: MessageKind, payload: &[u8]) -> Self {
        let text = String::from_utf8_lossy(payload).into_owned();
        Self { connection: connection(role), kind, text, bytes: Bytes::copy_from_slice(payload) }
    }

    /// Sends so many messages, then writes them all; returns the bytes written.
    pub(crate) fn encode(&mut self, messages: usize) -> usize {
        for _ in 0..messages {
            match self.kind {
                MessageKind::Text => self.connection.send_text(&self.text).expect("the queue has room"),
                MessageKind::Binary if self.bytes.len() <= 1024 => {
                    self.connection.send_binary(&self.bytes).expect("the queue has room");
                }
                MessageKind::Binary => {
                    self.connection.send(Message::Binary(self.bytes.clone())).expect("the queue has room");
                }
            }
        }
        let mut written = 0;
        let mut output = self.connection.transmit();
        while output.has_remaining() {
            let len = black_box(output.chunk()).len();
            written += len;
            output.advance(len);
        }
        written
    }
}

/// Bytes of a read block: 64 KiB and room for headers, so that a message of 64 KiB comes as a whole.
pub(crate) const BLOCK: usize = 65 * 1024;

fn connection(role: Role) -> Connection {
    match role {
        Role::Server => Connection::server(&ServerConfig::default(), Instant::ZERO),
        Role::Client => {
            Connection::client(&ClientConfig::default(), Entropy::from_seed([7; 32]), Instant::ZERO)
        }
    }
}
