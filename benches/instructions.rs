//! The hot paths of the core, one case per run, for counting instructions: `.ci/instructions` runs each under valgrind and compares
//! the counts with `benches/instructions.txt`. Unlike time, they are the same on a busy machine.
//!
//! `CASE TIMES` runs one case so often; without arguments each runs once, to show that it works.

#[path = "support/frames.rs"]
#[expect(dead_code, reason = "shared with the benches that take time")]
mod frames;

use std::hint::black_box;

use bytes::{Buf, BytesMut};
use sansocket::{
    Accept, ClientConfig, ClientHandshake, ClientRequest, ClientStep, Connection, Entropy, Event, Instant,
    MessageKind, ServerConfig, ServerHandshake, ServerStep,
};

use frames::{masked_frame, payload};

/// Does it so many times.
type Case = fn(usize);

const CASES: [(&str, Case); 15] = [
    ("decode-16-binary", |times| decode(MessageKind::Binary, 16, times)),
    ("decode-125-text", |times| decode(MessageKind::Text, 125, times)),
    ("decode-1024-text", |times| decode(MessageKind::Text, 1024, times)),
    ("decode-65536-binary", |times| decode(MessageKind::Binary, 65536, times)),
    ("decode-1024-byte-by-byte", decode_byte_by_byte),
    ("encode-16-server", |times| encode(server(), 16, times)),
    ("encode-1024-server", |times| encode(server(), 1024, times)),
    ("encode-16-client", |times| encode(client(), 16, times)),
    ("encode-125-client", |times| encode(client(), 125, times)),
    ("encode-1024-client", |times| encode(client(), 1024, times)),
    ("encode-16-server-burst", |times| encode_burst(server(), 16, times)),
    ("encode-16-client-burst", |times| encode_burst(client(), 16, times)),
    ("accept", |times| accept(usize::MAX, times)),
    ("accept-byte-by-byte", |times| accept(1, times)),
    ("connect", connect),
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next(), arguments.next().and_then(|times| times.parse().ok())) {
        (Some(name), Some(times)) => {
            let (_, case) = CASES.iter().find(|(case, _)| *case == name).expect("the name of a case");
            case(times);
        }
        (Some(list), None) if list == "list" => CASES.iter().for_each(|(name, _)| println!("{name}")),
        _ => CASES.iter().for_each(|(_, case)| case(1)),
    }
}

/// What is counted is what this calls, and nothing before or after it.
#[inline(never)]
fn counted(work: impl FnOnce()) {
    work();
}

fn server() -> Connection {
    Connection::server(&ServerConfig::default(), Instant::ZERO)
}

fn client() -> Connection {
    Connection::client(&ClientConfig::default(), Entropy::from_seed([7; 32]), Instant::ZERO)
}

fn decode(kind: MessageKind, size: usize, times: usize) {
    let frame = masked_frame(kind, &payload(kind, size));
    let mut connection = server();
    let mut input = BytesMut::from(&frame.repeat(times)[..]);
    counted(|| {
        let mut reader = connection.read(&mut input);
        let mut messages = 0;
        while let Some(event) = reader.next() {
            messages += usize::from(matches!(black_box(event), Event::Text(_) | Event::Binary(_)));
        }
        assert_eq!(messages, times);
    });
}

fn decode_byte_by_byte(times: usize) {
    let frame = masked_frame(MessageKind::Text, &payload(MessageKind::Text, 1024));
    let mut connection = server();
    let mut input = BytesMut::with_capacity(64);
    counted(|| {
        let mut messages = 0;
        for _ in 0..times {
            for &byte in &frame {
                input.extend_from_slice(&[byte]);
                messages += usize::from(connection.read(&mut input).next().is_some());
            }
        }
        assert_eq!(messages, times);
    });
}

/// One message per write, as when each is an answer that is waited for.
fn encode(mut connection: Connection, size: usize, times: usize) {
    let message = payload(MessageKind::Binary, size);
    counted(|| {
        for _ in 0..times {
            connection.send_binary(black_box(&message)).expect("the queue is empty");
            let mut transmit = connection.transmit();
            let written = black_box(transmit.chunk()).len();
            transmit.advance(written);
        }
    });
}

/// All messages in one write, from a buffer that has the room.
fn encode_burst(mut connection: Connection, size: usize, times: usize) {
    let message = payload(MessageKind::Binary, size);
    connection.send_binary(&vec![0; times * (14 + size)]).expect("the queue is empty");
    let waiting = connection.transmit().remaining();
    connection.transmit().advance(waiting);
    counted(|| {
        for _ in 0..times {
            connection.send_binary(black_box(&message)).expect("the queue has room");
        }
        let mut transmit = connection.transmit();
        let written = black_box(transmit.chunk()).len();
        transmit.advance(written);
    });
}

const REQUEST: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept-Language: en\r\n\
    Cookie: session=0123456789abcdef\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// The request in reads of `size` bytes, and the reply.
fn accept(size: usize, times: usize) {
    let config = ServerConfig::default();
    let mut input = BytesMut::with_capacity(1024);
    counted(|| {
        for _ in 0..times {
            let mut handshake = ServerHandshake::new(&config, Instant::ZERO);
            for piece in REQUEST.chunks(size) {
                input.extend_from_slice(piece);
                match handshake.receive(&mut input, Instant::ZERO).expect("the request is valid") {
                    ServerStep::Request(pending) => {
                        let accepted = pending.accept(Accept::new(), Instant::ZERO);
                        black_box(accepted.expect("no subprotocol is chosen"));
                    }
                    ServerStep::NeedMore => {}
                    ServerStep::Http(_) => unreachable!("it is a WebSocket request"),
                }
            }
        }
    });
}

/// The request, and the reply to it.
fn connect(times: usize) {
    let request = ClientRequest::new("ws://server.example.com/chat").expect("a valid URL");
    let config = ClientConfig::default();
    let handshake = || ClientHandshake::new(&request, &config, Entropy::from_seed([7; 32]), Instant::ZERO);
    let mut reply = BytesMut::from(&handshake().transmit()[..]);
    let mut server = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    let Ok(ServerStep::Request(pending)) = server.receive(&mut reply, Instant::ZERO) else {
        panic!("the request is valid")
    };
    let mut server = pending.accept(Accept::new(), Instant::ZERO).expect("no subprotocol is chosen");
    let reply = server.transmit().chunk().to_vec();
    let mut input = BytesMut::with_capacity(1024);
    counted(|| {
        for _ in 0..times {
            let mut handshake = handshake();
            let written = black_box(handshake.transmit()).len();
            handshake.transmit().advance(written);
            input.extend_from_slice(&reply);
            let opened = handshake.receive(&mut input, Instant::ZERO).expect("the reply is valid");
            assert!(matches!(black_box(opened), ClientStep::Open(..)));
        }
    });
}
