//! A stream that ends after any byte of a conversation: the cause says where it ended.

use sansocket::{Cause, Connection, Position, Role};

use crate::support::drive::{BOTH, Drive, open};
use crate::support::seen::Seen;
use crate::support::wire::{self, BINARY, BINARY_FIRST, CLOSE, LAST, MIDDLE, PING, PONG, TEXT, TEXT_FIRST};

/// Frames of every kind and size of header, with the position after each.
fn conversation(sender: Role) -> Vec<(Vec<u8>, Position)> {
    let frame = |first, payload: &[u8], after| (wire::from(sender, first, payload), after);
    vec![
        frame(TEXT, "grüße".as_bytes(), Position::Boundary),
        frame(BINARY, b"", Position::Boundary),
        frame(PING, b"ping", Position::Boundary),
        frame(BINARY, &[1; 200], Position::Boundary),
        frame(TEXT_FIRST, b"fragmented, with \xE2", Position::Message),
        frame(PONG, b"", Position::Message),
        frame(MIDDLE, b"", Position::Message),
        frame(PING, b"inside", Position::Message),
        frame(LAST, b"\x82\xAC", Position::Boundary),
        frame(BINARY_FIRST, &[2; 300], Position::Message),
        frame(LAST, &vec![3; 66_000], Position::Boundary),
    ]
}

/// A way to read.
type Read = fn(&mut Connection, &[u8]) -> Vec<Seen>;

/// Where the long frame has begun.
const LONG_BEGINS: usize = 700;

#[test]
fn truncation_at_every_byte_gives_the_honest_position() {
    for receiver in BOTH {
        let frames = conversation(receiver.peer());
        let bytes: Vec<u8> = frames.iter().flat_map(|(frame, _)| frame.clone()).collect();
        // Where a frame ends, the position after it; everywhere else, inside a frame.
        let mut positions = vec![Position::Frame; bytes.len() + 1];
        positions[0] = Position::Boundary;
        let mut end = 0;
        for (frame, after) in &frames {
            end += frame.len();
            positions[end] = *after;
        }
        for (at, position) in positions.into_iter().enumerate() {
            // The last frame is long; every byte of its payload is like the next.
            if at > LONG_BEGINS && at < bytes.len() - 50 && at % 5_000 != 0 {
                continue;
            }
            let reads: [Read; 2] = [Connection::receive, Connection::receive_bytewise];
            for read in reads.into_iter().take(if at < LONG_BEGINS { 2 } else { 1 }) {
                let mut connection = open(receiver);
                read(&mut connection, &bytes[..at]);
                connection.eof();
                let closed = connection.only_closed();
                assert_eq!(closed.cause, Cause::Eof(position), "{receiver}, cut after {at} bytes");
                assert_eq!(closed.counts.bytes_received, at as u64);
            }
        }
    }
}

#[test]
fn truncation_inside_the_closing_handshake_is_not_clean() {
    for receiver in BOTH {
        let close = wire::from(receiver.peer(), CLOSE, &wire::close(1000, "bye"));
        for at in 1..close.len() {
            let mut connection = open(receiver);
            connection.receive(&close[..at]);
            connection.eof();
            assert_eq!(connection.only_closed().cause, Cause::Eof(Position::Frame), "cut after {at} bytes");
        }
        let mut connection = open(receiver);
        connection.receive(&close);
        connection.eof();
        connection.sent();
        assert_eq!(connection.only_closed().cause, Cause::Clean);
    }
}
