//! `payload_buffer` and `read_at_most`: large payloads are written straight to where the message is put together.

use std::borrow::Cow;
use std::slice;

use bytes::{BufMut, BytesMut};
use sansocket::{Cause, Connection, Delivery, Event, Failure, Position, Role, Violation};

use crate::support::drive::{BOTH, Drive, open, open_with};
use crate::support::seen::Seen;
use crate::support::wire::{self, BINARY, BINARY_FIRST, LAST, PING, TEXT, TEXT_FIRST};

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
                let len = bytes.len().min(piece).min(connection.read_at_most());
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
fn text_read_into_it_makes_the_same_message() {
    let ascii = "abcdefghijklm".repeat(10_000);
    let (late, last) = (format!("{ascii}é{ascii}"), format!("{ascii}é"));
    for receiver in BOTH {
        for text in [&ascii, &late, &last] {
            // Twice, as what comes first changes how the next is read; in two frames, with the border inside a character of one.
            let (first, second) = text.as_bytes().split_at(text.len().min(ascii.len() + 1));
            let frames = [
                wire::from(receiver.peer(), TEXT, text.as_bytes()),
                wire::from(receiver.peer(), TEXT_FIRST, first),
                wire::from(receiver.peer(), PING, b"between"),
                wire::from(receiver.peer(), LAST, second),
            ]
            .concat()
            .repeat(2);
            let message = Seen::Text(text.clone());
            let expected = [message.clone(), Seen::ping(b"between"), message];
            let expected: Vec<Seen> = expected.iter().chain(&expected).cloned().collect();
            for piece in [1_000, 7_777, 65_536, usize::MAX] {
                let (seen, direct) = receive_direct(&mut open(receiver), &frames, piece);
                assert_eq!(seen, expected, "{receiver}, reads of {piece} bytes");
                assert!(piece > 7_777 || direct > 200_000, "only {direct} bytes went the short way");
            }
        }
    }
}

#[test]
fn a_fault_in_text_is_found_where_it_is_whatever_was_read_into_it() {
    let ascii = "a".repeat(100_000);
    for (at, bad) in [(0, &b"\xff"[..]), (50_000, b"\xc3("), (99_000, b"\xf5"), (99_999, b"\xc3")] {
        let mut text = ascii.clone().into_bytes();
        text[at..at + bad.len()].copy_from_slice(bad);
        let frame = wire::from(Role::Client, TEXT, &text);
        let failed = Seen::Failed(Failure::Violation(Violation::InvalidUtf8 { at: at as u64 }));
        for piece in [1_000, 30_000, usize::MAX] {
            let mut server = open(Role::Server);
            let (seen, _) = receive_direct(&mut server, &frame, piece);
            assert_eq!(seen, slice::from_ref(&failed), "byte {at}, reads of {piece} bytes");
            // Nor does it take the rest of the message to fail.
            let until = &frame[..frame.len() - text.len() + at + bad.len()];
            let (seen, _) = receive_direct(&mut open(Role::Server), until, piece);
            assert_eq!(seen, slice::from_ref(&failed), "byte {at}, reads of {piece} bytes, and nothing more");
        }
    }
}

#[test]
fn who_keeps_text_gets_it_owned() {
    let ascii = "a".repeat(100_000);
    for (text, owned) in [(ascii.clone(), true), (format!("é{ascii}"), true), (format!("{ascii}é"), false)]
    {
        let frame = wire::from(Role::Server, TEXT, text.as_bytes());
        let mut client = open(Role::Client);
        let (first, second) = frame.split_at(50_000);
        client.receive(first);
        let mut input = BytesMut::from(second);
        let mut reader = client.read(&mut input).owning();
        match reader.next() {
            Some(Event::Text(found)) => {
                assert_eq!(matches!(found, Cow::Owned(_)), owned);
                assert_eq!(found, text);
            }
            other => panic!("no text: {other:?}"),
        }
    }
}

#[test]
fn after_a_large_frame_the_next_header_is_read_alone() {
    for receiver in BOTH {
        let mut end = open(receiver);
        let receive = |end: &mut Connection, frame: &[u8]| {
            let (first, second) = frame.split_at(frame.len() / 2);
            [end.receive(first), end.receive(second)].concat().len()
        };
        assert_eq!(end.read_at_most(), usize::MAX, "nothing is known yet");
        let large = wire::from(receiver.peer(), BINARY, &[0; 70_000]);
        let header = large.len() - 70_000;
        assert_eq!(receive(&mut end, &large), 1);
        assert_eq!(end.read_at_most(), header + 1_008);
        // Of what is declared then, as much may be reserved as came before.
        assert_eq!(end.receive(&large[..header + 1_008]), []);
        assert_eq!(end.read_at_most(), usize::MAX, "inside of a frame");
        let room = end.payload_buffer().map(|buffer| buffer.remaining_mut());
        assert_eq!(room, Some(70_000 - 1_008));
        assert_eq!(end.receive(&large[header + 1_008..]).len(), 1);
        assert_eq!(end.read_at_most(), header + 1_008);
        assert_eq!(end.receive(&wire::from(receiver.peer(), TEXT, b"small")).len(), 1);
        assert_eq!(end.read_at_most(), usize::MAX, "the last one was small");
        assert_eq!(receive(&mut end, &large), 1);
        assert_eq!(end.receive(&wire::from(receiver.peer(), BINARY_FIRST, b"small")), []);
        assert_eq!(end.read_at_most(), usize::MAX, "fragments count, too");
        assert_eq!(receive(&mut end, &wire::from(receiver.peer(), LAST, &[0; 70_000])), 1);
        assert_eq!(end.read_at_most(), header + 1_008);
        assert_eq!(receive(&mut end, &wire::from(receiver.peer(), TEXT, "é".repeat(70_000).as_bytes())), 1);
        assert_eq!(end.read_at_most(), usize::MAX, "this text has no buffer");
    }
    let mut chunks = open_with(Role::Client, |setup| setup.delivery = Delivery::Chunks);
    let large = wire::encode(BINARY, None, &[0; 70_000]);
    chunks.receive(&large[..50_000]);
    chunks.receive(&large[50_000..]);
    assert_eq!(chunks.read_at_most(), usize::MAX, "chunks are given as they come");
}

#[test]
fn is_offered_only_while_a_large_payload_arrives_that_can_stay_there() {
    let large = vec![b'a'; 100_000];
    let mut client = open(Role::Client);
    assert!(client.payload_buffer().is_none(), "between messages");
    assert_eq!(client.receive(&wire::encode(TEXT, None, &large)[..50]), []);
    assert!(client.payload_buffer().is_some(), "it is ASCII so far");
    assert_eq!(client.receive("é".as_bytes()), []);
    assert!(client.payload_buffer().is_none(), "other text is copied when it is checked");

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
