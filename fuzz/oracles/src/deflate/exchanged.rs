//! Two ends that behave, with any configuration.

use std::collections::BTreeMap;

use bytes::{Buf, BytesMut};
use sansocket::{ClientConfig, Connection, Delivery, Entropy, Instant, Message, Prepared, ServerConfig};

use super::agreement;
use super::inflater::{Inflater, NarrowInflater};
use crate::script::Script;
use crate::support::seen::{Seen, joined};
use crate::support::wire;

/// The script: an agreement; level, memory level and minimum length; a byte of flags, of which bit 0 chooses chunks; then operations,
/// each a letter and its operands. What is sent is binary if n is odd.
///
/// | letter | operation |
/// |---|---|
/// | `b` n, bytes | sends n bytes |
/// | `n` n | sends 100 n bytes without a pattern |
/// | `t` n | sends text of 200 n bytes that repeats itself, and what was sent before |
/// | `f` n | the same in n fragments |
/// | `p` n | the same, prepared for many: it is what was prepared for that n before |
/// | `o` | compresses from now on, or no longer |
/// | `s` | from now on, the other end sends |
/// | `w` n | moves bytes in pieces of n |
pub(super) fn run(mut script: Script<'_>) {
    let (mut config, params) = agreement(&mut script);
    config.level = script.number() as u8 % 12;
    config.mem_level = script.number() as u8 % 12;
    config.min_len = script.number();
    let delivery = if script.number() & 1 != 0 { Delivery::Chunks } else { Delivery::Messages };
    let client = Connection::client(&ClientConfig::default(), Entropy::from_seed([7; 32]), Instant::ZERO);
    let server = Connection::server(&ServerConfig::default(), Instant::ZERO);
    let (client_bits, server_bits) = (params.client_max_window_bits, params.server_max_window_bits);
    let mut exchange = Exchange {
        sender: End::new(
            client.with_deflate(&config, params),
            !params.client_no_context_takeover,
            client_bits,
        ),
        receiver: End::new(
            server.with_deflate(&config, params),
            !params.server_no_context_takeover,
            server_bits,
        ),
        prepared: BTreeMap::new(),
    };
    exchange.sender.connection.set_delivery(delivery);
    exchange.receiver.connection.set_delivery(delivery);
    while let Some(operation) = script.next() {
        exchange.perform(operation, &mut script);
    }
    exchange.deliver(usize::MAX);
}

struct Exchange {
    sender: End,
    receiver: End,
    prepared: BTreeMap<usize, Prepared>,
}

/// One end, and what judges its output.
struct End {
    connection: Connection,
    keeps_window: bool,
    inflater: Inflater,
    narrow: NarrowInflater,
    bits: u8,
    /// What it sent and did not arrive yet.
    sent: Vec<Seen>,
}

impl End {
    fn new(connection: Connection, keeps_window: bool, bits: u8) -> Self {
        let (inflater, narrow) = (Inflater::new(keeps_window), NarrowInflater::new(bits));
        Self { connection, keeps_window, inflater, narrow, bits, sent: Vec::new() }
    }

    fn send(&mut self, message: Message) {
        self.sent.push(seen(&message));
        self.connection.send(message).expect("the queue is empty");
    }
}

impl Exchange {
    fn perform(&mut self, operation: u8, script: &mut Script<'_>) {
        let sender = &mut self.sender;
        match operation {
            b'b' => {
                let len = script.number();
                sender.send(script.take(len).into());
            }
            b'n' => sender.send(noise(100 * script.number()).into()),
            b't' => sender.send(repetitive(script.number())),
            b'f' => {
                let number = script.number();
                let message = repetitive(number);
                let mut pieces = message.as_bytes().chunks(message.len() / number.max(1) + 1).peekable();
                while let Some(piece) = pieces.next() {
                    let last = pieces.peek().is_none();
                    sender.connection.send_fragment(message.kind(), piece, last).expect("the queue is empty");
                }
                if !message.is_empty() {
                    sender.sent.push(seen(&message));
                }
            }
            b'p' => {
                let number = script.number();
                let message = repetitive(number);
                sender.sent.push(seen(&message));
                let prepared = self.prepared.entry(number).or_insert_with(|| Prepared::new(message));
                sender.connection.send_prepared(prepared).expect("the queue is empty");
            }
            b'o' => {
                let enabled = sender.connection.compression();
                sender.connection.set_compression(!enabled);
            }
            b's' => core::mem::swap(&mut self.sender, &mut self.receiver),
            b'w' => self.deliver(1 + script.number()),
            _ => {}
        }
        if self.sender.connection.transmit().remaining() > 50_000 {
            self.deliver(16_384);
        }
    }

    /// Moves all that was sent, in pieces of that many bytes, and judges it.
    fn deliver(&mut self, piece: usize) {
        for _ in 0..2 {
            let Self { sender, receiver, .. } = self;
            let mut stream = Vec::new();
            let mut transmit = sender.connection.transmit();
            while transmit.has_remaining() {
                let len = transmit.chunk().len();
                stream.extend_from_slice(transmit.chunk());
                transmit.advance(len);
            }
            let mut events = Vec::new();
            for bytes in stream.chunks(piece) {
                let mut input = BytesMut::from(bytes);
                let mut reader = receiver.connection.read(&mut input);
                while let Some(event) = reader.next() {
                    events.push(event.into());
                }
            }
            assert_eq!(joined(&events), sender.sent, "left: received, right: sent");
            sender.judge(&stream);
            sender.sent.clear();
            core::mem::swap(&mut self.sender, &mut self.receiver);
        }
    }
}

impl End {
    /// What went out, as another inflater reads it: with the largest window, and with the one that was agreed on.
    fn judge(&mut self, stream: &[u8]) {
        let (mut data, mut compressed) = (Vec::new(), false);
        let mut sent = self.sent.iter();
        for frame in wire::decode(stream) {
            if frame.first & 0x0F != 0 {
                compressed = frame.first & 0x40 != 0;
            }
            data.extend(frame.payload);
            if frame.first & 0x80 == 0 {
                continue;
            }
            let data = core::mem::take(&mut data);
            let message = sent.next().map(bytes_of).unwrap_or_default();
            if !compressed {
                assert_eq!(data, message, "left: on the wire, right: sent");
                continue;
            }
            let (wide, fault) = self.inflater.message(&data, message.len());
            assert_eq!((&wide[..], fault), (message, Ok(())), "left: on the wire, right: sent");
            if !self.keeps_window {
                self.narrow = NarrowInflater::new(self.bits);
            }
            assert_eq!(self.narrow.message(&data), message, "left: with {} window bits", self.bits);
        }
    }
}

/// Text that resembles all other such text.
fn repetitive(number: usize) -> Message {
    let mut text: String =
        (0..number * 8).map(|i| format!("{{\"id\":{},\"name\":\"Grüße\"}},", i / 3)).collect();
    let end = (0..=number * 200).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    text.truncate(end);
    if number % 2 == 0 { text.into() } else { text.into_bytes().into() }
}

/// Bytes without a pattern, and the same in every run.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    core::iter::repeat_with(next).take(len).collect()
}

fn seen(message: &Message) -> Seen {
    match message {
        Message::Text(text) => Seen::Text(text.clone()),
        Message::Binary(bytes) => Seen::Binary(bytes.to_vec()),
    }
}

fn bytes_of(seen: &Seen) -> &[u8] {
    match seen {
        Seen::Text(text) => text.as_bytes(),
        Seen::Binary(bytes) => bytes,
        other => panic!("sent was {other:?}"),
    }
}
