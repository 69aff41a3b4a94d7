//! `payload_buffer`: large binary payloads are written straight to where the message is put together.

use bytes::{BufMut, BytesMut};
use sansocket::{Cause, Connection, Delivery, Position, Role};

use crate::support::drive::{BOTH, Drive, open, open_with};
use crate::support::seen::Seen;
use crate::support::wire::{self, BINARY, BINARY_FIRST, LAST, PING, TEXT};

/// Reads as an adapter does: into the payload buffer when there is one, at most `piece` bytes at a time.
fn receive_direct(connection: &mut Connection, mut bytes: &[u8], piece: usize) -> (Vec<Seen>, usize) {
    let (mut seen, mut direct) = (Vec::new(), 0);
    while !bytes.is_empty() {
        let mut input = BytesMut::new();
        let len = match connection.payload_buffer() {
            Some(mut buffer) => {
                let len = bytes.len().min(piece).min(buffer.remaining_mut());
                assert!(len > 0, "a payload buffer has room");
                buffer.put_slice(&bytes[..len]);
                direct += len;
                len
            }
            None => {
                let len = bytes.len().min(piece);
                input.extend_from_slice(&bytes[..len]);
                len
            }
        };
        bytes = &bytes[len..];
        let mut reader = connection.read(&mut input);
        while let Some(event) = reader.next() {
            seen.push(event.into());
        }
    }
    (seen, direct)
}

#[test]
fn bytes_read_into_it_make_the_same_message() {
    let payload: Vec<u8> = (0..100_000_u32).map(|i| (i % 253) as u8).collect();
    for receiver in BOTH {
        let frames = [
            wire::from(receiver.peer(), BINARY, &payload),
            wire::from(receiver.peer(), PING, b"between"),
            wire::from(receiver.peer(), BINARY_FIRST, &payload),
            wire::from(receiver.peer(), LAST, &payload),
        ]
        .concat();
        let two = [&payload[..], &payload].concat();
        let expected = [Seen::Binary(payload.clone()), Seen::ping(b"between"), Seen::Binary(two)];
        for piece in [1_000, 4_096, 7_777, 16_384, usize::MAX] {
            let (seen, direct) = receive_direct(&mut open(receiver), &frames, piece);
            assert_eq!(seen, expected, "{receiver}, reads of {piece} bytes");
            assert!(piece > 16_384 || direct > 150_000, "only {direct} bytes went the short way");
        }
    }
}

#[test]
fn both_ways_can_alternate_within_a_frame() {
    let payload: Vec<u8> = (0..50_000_u32).map(|i| (i % 253) as u8).collect();
    let frame = wire::from(Role::Client, BINARY, &payload);
    let mut server = open(Role::Server);
    let (mut rest, mut direct, mut seen) = (&frame[..], false, Vec::new());
    while !rest.is_empty() {
        let len = rest.len().min(1_001);
        let buffer = if direct { server.payload_buffer() } else { None };
        let len = match buffer {
            Some(mut buffer) => {
                let len = len.min(buffer.remaining_mut());
                buffer.put_slice(&rest[..len]);
                seen.extend(server.receive(b""));
                len
            }
            None => {
                seen.extend(server.receive(&rest[..len]));
                len
            }
        };
        rest = &rest[len..];
        direct = !direct;
    }
    assert_eq!(seen, [Seen::Binary(payload)]);
}

#[test]
fn is_offered_only_while_a_large_binary_payload_arrives() {
    let large = vec![0; 100_000];
    let mut client = open(Role::Client);
    assert!(client.payload_buffer().is_none(), "between messages");
    assert_eq!(client.receive(&wire::encode(TEXT, None, &large)[..50]), []);
    assert!(client.payload_buffer().is_none(), "text is checked as it comes");

    let mut client = open(Role::Client);
    assert_eq!(client.receive(&wire::encode(BINARY, None, &[0; 1000])[..50]), []);
    assert!(client.payload_buffer().is_none(), "a small payload is not worth a read of its own");

    let mut client = open_with(Role::Client, |setup| setup.delivery = Delivery::Chunks);
    assert_eq!(client.receive(&wire::encode(BINARY, None, &large)[..50]).len(), 1);
    assert!(client.payload_buffer().is_none(), "chunks are not put together");

    let mut client = open(Role::Client);
    assert_eq!(client.receive(&wire::encode(BINARY, None, &large)[..50]), []);
    let room = client.payload_buffer().map(|buffer| buffer.remaining_mut());
    assert!(room.is_some_and(|room| room <= large.len() - 40), "not beyond the frame: {room:?}");
}

#[test]
fn bytes_put_into_it_are_counted() {
    let frame = wire::encode(BINARY, None, &vec![0; 100_000]);
    let mut client = open(Role::Client);
    receive_direct(&mut client, &frame[..60_000], 5_000);
    client.eof();
    let closed = client.only_closed();
    assert_eq!(closed.cause, Cause::Eof(Position::Frame));
    assert_eq!(closed.counts.bytes_received, 60_000);
}
