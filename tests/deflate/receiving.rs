//! Compressed messages as they arrive: in pieces, between control frames, with readers that stop, and followed by the end.

use bytes::BytesMut;
use sansocket::{Cause, CloseCode, Connection, Delivery, Event, MessageKind, Position, Role, Violation};

use crate::bits::{Bits, zeros_len};
use crate::support::drive::{BOTH, Drive, assert_fails};
use crate::support::seen::{Seen, joined};
use crate::support::wire::{self, LAST, MIDDLE, PING, PONG};
use crate::with_deflate::{
    ALONE, BINARY, BINARY_FIRST, Compressor, KEPT, KIB, RSV1, TEXT, TEXT_FIRST, config, deflated, open,
    open_chunks, open_with, prose, receive_by,
};

#[test]
fn text_that_is_none_fails_as_soon_as_it_is_there_and_not_when_the_message_ends() {
    for at in [0, 3, 2_000] {
        let mut text = prose(at).into_bytes();
        text.truncate(at);
        text.extend([b'\xFF', b'a', b'b']);
        let first = wire::encode(TEXT_FIRST, None, &Bits::default().stored(false, &text).done());
        let at = at as u64;
        assert_fails(open(Role::Client, ALONE), &first, Violation::InvalidUtf8 { at }, 1007);
    }
    // A character that is begun is not wrong yet.
    let mut end = open(Role::Client, ALONE);
    let (head, tail) = "caf\u{e9}".as_bytes().split_at(4);
    let first = Bits::default().stored(false, head).done();
    let last = Bits::default().stored(false, tail).stored(false, b"").done();
    assert_eq!(end.receive(&wire::encode(TEXT_FIRST, None, &first)), []);
    let last = last.strip_suffix(&[0, 0, 0xFF, 0xFF]).expect("the tail of an empty block");
    assert_eq!(end.receive(&wire::encode(LAST, None, last)), [Seen::text("caf\u{e9}")]);
}

#[test]
fn control_frames_between_compressed_fragments_come_at_once() {
    let text = prose(3_000);
    let payload = deflated(text.as_bytes());
    let mut frames = Vec::new();
    for (index, piece) in payload.chunks(10).enumerate() {
        let first = if index == 0 { TEXT_FIRST } else { MIDDLE };
        frames.extend(wire::encode(first, None, piece));
        frames.extend(wire::encode(if index % 2 == 0 { PING } else { PONG }, None, &[index as u8]));
    }
    frames.extend(wire::encode(LAST, None, b""));
    let controls = payload.chunks(10).enumerate().map(|(index, _)| match index % 2 {
        0 => Seen::ping(&[index as u8]),
        _ => Seen::pong(&[index as u8]),
    });
    let expected: Vec<Seen> = controls.chain([Seen::text(&text)]).collect();
    for params in [KEPT, ALONE] {
        let mut end = open(Role::Client, params);
        assert_eq!(end.receive(&frames), expected);
        assert_eq!(end.frames_sent().len(), expected.len() / 2, "each Ping is answered");
        assert_eq!(open(Role::Client, params).receive_bytewise(&frames), expected);
        assert_eq!(joined(&open_chunks(Role::Client, params).receive_bytewise(&frames)), expected);
    }
}

#[test]
fn rsv1_in_the_wrong_place_fails_inside_a_compressed_message() {
    let payload = deflated(b"Hello, hello, hello");
    let begun = wire::encode(TEXT_FIRST, None, &payload[..4]);
    for first in [MIDDLE | RSV1, LAST | RSV1, PING | RSV1, PONG | RSV1, wire::CLOSE | RSV1] {
        let bytes = [begun.clone(), vec![first]].concat();
        assert_fails(open(Role::Client, ALONE), &bytes, Violation::MisplacedRsv1, 1002);
    }
    for first in [TEXT, BINARY, TEXT_FIRST, wire::TEXT] {
        let bytes = [begun.clone(), wire::encode(first, None, b"x")].concat();
        assert_fails(open(Role::Client, ALONE), &bytes, Violation::MessageInsideMessage, 1002);
    }
    for bits in [0x20, 0x10, 0x30, 0x60, 0x50, 0x70] {
        let bytes = [begun.clone(), vec![MIDDLE | bits]].concat();
        let violation = Violation::ReservedBits { bits: bits >> 4 };
        assert_fails(open(Role::Client, ALONE), &bytes, violation, 1002);
    }
}

#[test]
fn invalid_text_is_found_in_what_was_inflated() {
    for (data, at) in [(&b"\xFF"[..], 0), (b"ab\xC3", 2), (b"ab\xC3(", 2), (b"a\xED\xA0\x80", 1)] {
        let frame = wire::encode(TEXT, None, &deflated(data));
        for params in [KEPT, ALONE] {
            assert_fails(open(Role::Client, params), &frame, Violation::InvalidUtf8 { at }, 1007);
            let end = open_chunks(Role::Client, params);
            let mut seen = assert_fails(end, &frame, Violation::InvalidUtf8 { at }, 1007);
            seen.retain(|seen| !matches!(seen, Seen::Chunk { last: false, .. }));
            assert_eq!(seen, []);
        }
    }
    // Far into a message, behind what is inflated at once.
    let mut data = prose(50_000).into_bytes();
    let at = data.len() as u64;
    data.push(0xFE);
    data.extend(prose(1_000).into_bytes());
    let frame = wire::encode(TEXT, None, &deflated(&data));
    for read in [frame.len(), 100] {
        for delivery in [Delivery::Messages, Delivery::Chunks] {
            let mut end = open_with(Role::Client, ALONE, &config(|_| {}), |setup| setup.delivery = delivery);
            let seen = receive_by(&mut end, &frame, read);
            assert_eq!(seen.last(), Some(&Seen::Failed(Violation::InvalidUtf8 { at }.into())));
        }
    }
}

#[test]
fn characters_may_be_cut_by_fragments_and_by_what_is_inflated_at_a_time() {
    // Three bytes each: every way to cut one falls on a border of 16 KiB.
    for shift in 0..3 {
        let text = "x".repeat(shift) + &"€".repeat(20_000);
        let payload = deflated(text.as_bytes());
        let frame = wire::encode(TEXT, None, &payload);
        for delivery in [Delivery::Messages, Delivery::Chunks] {
            for read in [frame.len(), 1] {
                let mut end =
                    open_with(Role::Client, ALONE, &config(|_| {}), |setup| setup.delivery = delivery);
                assert!(joined(&receive_by(&mut end, &frame, read)) == [Seen::text(&text)]);
            }
        }
    }
}

#[test]
fn chunks_tell_where_messages_and_frames_begin_and_end() {
    let payload = deflated(b"Hello");
    let (first, second) = payload.split_at(3);
    let frames = [wire::encode(TEXT_FIRST, None, first), wire::encode(LAST, None, second)].concat();
    let seen = open_chunks(Role::Client, ALONE).receive(&frames);
    let (mut text, mut marks) = (Vec::new(), Vec::new());
    for seen in seen {
        let Seen::Chunk { kind: MessageKind::Text, data, first, frame_end, last } = seen else {
            panic!("{seen:?}")
        };
        text.extend(data);
        marks.push((first, frame_end, last));
    }
    assert_eq!(text, b"Hello");
    assert_eq!(marks.iter().filter(|(first, ..)| *first).count(), 1);
    assert!(marks[0].0, "the first is the first: {marks:?}");
    let ends: Vec<bool> = marks.iter().filter(|(_, frame_end, _)| *frame_end).map(|mark| mark.2).collect();
    assert_eq!(ends, [false, true], "two frames, of which the second is the last: {marks:?}");
    assert_eq!(marks.last().map(|mark| mark.2), Some(true));
}

#[test]
fn pieces_of_a_message_are_bounded_and_come_as_they_are_inflated() {
    let payload = Bits::default().zeros(2_000).message();
    let mut input = BytesMut::from(&wire::encode(BINARY, None, &payload)[..]);
    let mut end = open_with(Role::Client, ALONE, &config(|_| {}), |setup| {
        (setup.delivery, setup.limits.inflate_ratio) = (Delivery::Chunks, u32::MAX);
    });
    let mut reader = end.read(&mut input);
    let (mut pieces, mut given) = (0, 0);
    while let Some(event) = reader.next() {
        let Event::Chunk(chunk) = event else { panic!("{event:?}") };
        assert!(chunk.data.len() <= 64 * KIB, "{} bytes at once", chunk.data.len());
        pieces += 1;
        given += chunk.data.len();
    }
    assert_eq!(given, zeros_len(2_000));
    assert!(pieces > given / (64 * KIB), "{pieces} pieces");
}

/// Takes at most `most` events with one reader.
fn take(end: &mut Connection, input: &mut BytesMut, most: usize) -> Vec<Seen> {
    let mut reader = end.read(input);
    let mut seen = Vec::new();
    while seen.len() < most {
        match reader.next() {
            Some(event) => seen.push(event.into()),
            None => break,
        }
    }
    seen
}

#[test]
fn a_reader_that_is_dropped_between_pieces_loses_and_repeats_nothing() {
    let text = prose(100 * KIB);
    let frames = [
        wire::encode(TEXT, None, &deflated(text.as_bytes())),
        wire::encode(PING, None, b"p"),
        wire::encode(TEXT, None, &deflated(b"next")),
    ]
    .concat();
    let expected = [Seen::text(&text), Seen::ping(b"p"), Seen::text("next")];
    for params in [ALONE, KEPT] {
        for most in [1, 2, 3] {
            for read in [frames.len(), 1_000] {
                let mut end = open_chunks(Role::Client, params);
                let mut seen = Vec::new();
                let mut input = BytesMut::new();
                for piece in frames.chunks(read) {
                    input.extend_from_slice(piece);
                    loop {
                        let taken = take(&mut end, &mut input, most);
                        if taken.is_empty() {
                            break;
                        }
                        seen.extend(taken);
                    }
                    assert!(input.is_empty(), "all is taken in when there are no more events");
                }
                assert!(joined(&seen) == expected, "{most} at a time");
            }
        }
    }
}

#[test]
fn an_application_that_stops_between_pieces_is_the_slow_one() {
    let frame = wire::encode(BINARY, None, &deflated(prose(200 * KIB).as_bytes()));
    // The whole frame, or what has arrived of it.
    for len in [frame.len(), frame.len() - 100] {
        let mut input = BytesMut::from(&frame[..len]);
        let mut end = open_chunks(Role::Client, ALONE);
        assert_eq!(take(&mut end, &mut input, 1).len(), 1);
        assert!(input.is_empty(), "what is not looked at is held");
        let (receiver, _) = end.halves();
        assert!(receiver.progress().unread);
        while !take(&mut end, &mut input, 1).is_empty() {}
        let (receiver, _) = end.halves();
        assert!(!receiver.progress().unread);
    }
}

#[test]
fn an_end_that_comes_while_pieces_wait_counts_behind_them() {
    let data = prose(100 * KIB).into_bytes();
    for (frame, cause) in [
        (wire::encode(BINARY, None, &deflated(&data)), Cause::Eof(Position::Boundary)),
        (
            [
                wire::encode(BINARY, None, &deflated(&data)),
                wire::encode(wire::CLOSE, None, &wire::close(1000, "")),
            ]
            .concat(),
            Cause::Clean,
        ),
    ] {
        // Wherever the application has stopped.
        for most in 1..12 {
            let mut end = open_chunks(Role::Client, ALONE);
            let mut input = BytesMut::from(&frame[..]);
            let mut seen = take(&mut end, &mut input, most);
            end.eof();
            loop {
                let taken = take(&mut end, &mut input, usize::MAX);
                if taken.is_empty() {
                    break;
                }
                seen.extend(taken);
            }
            if cause == Cause::Clean {
                end.sent();
                seen.extend(take(&mut end, &mut input, usize::MAX));
                let Some(Seen::Close(_)) = seen.get(seen.len() - 2) else {
                    panic!("no Close: {}", seen.len())
                };
            }
            let Some(Seen::Closed(closed)) = seen.pop() else { panic!("no end after {most} events") };
            assert_eq!(closed.cause, cause, "stopped after {most} events");
            assert_eq!(closed.counts.messages_received, 1, "stopped after {most} events");
            assert!(joined(&seen).first() == Some(&Seen::binary(&data)), "stopped after {most} events");
        }
    }
}

#[test]
fn an_end_inside_of_a_compressed_message_says_where() {
    let payload = deflated(prose(1_000).as_bytes());
    let (first, second) = payload.split_at(100);
    let begun = wire::encode(TEXT_FIRST, None, first);
    let last = wire::encode(LAST, None, second);
    for delivery in [Delivery::Messages, Delivery::Chunks] {
        let all = [&begun[..], &last].concat();
        for len in 0..=all.len() {
            let position = match len {
                0 => Position::Boundary,
                len if len == begun.len() => Position::Message,
                len if len == all.len() => Position::Boundary,
                _ => Position::Frame,
            };
            let mut end = open_with(Role::Client, KEPT, &config(|_| {}), |setup| setup.delivery = delivery);
            end.receive(&all[..len]);
            end.eof();
            assert_eq!(end.only_closed().cause, Cause::Eof(position), "{delivery:?}, after {len} bytes");
        }
    }
}

#[test]
fn a_close_between_compressed_fragments_is_answered() {
    for role in BOTH {
        let payload = deflated(b"never finished");
        let begun = wire::from(role.peer(), BINARY_FIRST, &payload[..5]);
        let close = wire::from(role.peer(), wire::CLOSE, &wire::close(1001, "going"));
        let mut end = open(role, KEPT);
        let seen = end.receive(&[begun, close].concat());
        assert!(matches!(&seen[..], [Seen::Close(frame)] if frame.code() == CloseCode(1001)), "{seen:?}");
        assert_eq!(end.frames_sent()[0].payload, wire::close(1001, ""));
        end.eof();
        assert_eq!(end.only_closed().cause, Cause::Clean);
    }
}

#[test]
fn nothing_follows_a_failure() {
    let frame = wire::encode(TEXT, None, &[0x06]);
    let good = wire::encode(TEXT, None, &deflated(b"good"));
    for mut end in [open(Role::Client, KEPT), open_chunks(Role::Client, KEPT)] {
        let seen = joined(&end.receive(&[&good[..], &frame, &good, &good].concat()));
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert_eq!(seen[0], Seen::text("good"));
        assert_eq!(end.receive(&good), []);
    }
}

#[test]
fn delivery_changes_between_compressed_messages_and_not_inside_one() {
    let mut peer = Compressor::new(6, 15);
    let payload = peer.message(prose(2_000).as_bytes());
    let (first, second) = payload.split_at(50);
    let mut end = open(Role::Client, KEPT);
    assert_eq!(end.receive(&wire::encode(TEXT_FIRST, None, first)), []);
    end.set_delivery(Delivery::Chunks);
    assert_eq!(end.receive(&wire::encode(LAST, None, second)), [Seen::text(&prose(2_000))]);
    let payload = peer.message(prose(3_000).as_bytes());
    let (first, second) = payload.split_at(20);
    let mut seen = end.receive(&wire::encode(TEXT_FIRST, None, first));
    end.set_delivery(Delivery::Messages);
    seen.extend(end.receive(&wire::encode(LAST, None, second)));
    assert!(seen.iter().all(|seen| matches!(seen, Seen::Chunk { .. })));
    assert_eq!(joined(&seen), [Seen::text(&prose(3_000))]);
    let payload = peer.message(b"whole again");
    assert_eq!(end.receive(&wire::encode(TEXT, None, &payload)), [Seen::text("whole again")]);
}

#[test]
fn counts_are_those_of_messages_and_of_bytes_on_the_wire() {
    for mut end in [open(Role::Client, KEPT), open_chunks(Role::Client, KEPT)] {
        let frames = [
            wire::encode(TEXT, None, &deflated(prose(20_000).as_bytes())),
            wire::encode(BINARY, None, &[0x00]),
            wire::encode(wire::TEXT, None, b"plain"),
        ]
        .concat();
        end.receive(&frames);
        end.send_text(&prose(9_000)).unwrap();
        let sent = end.sent().len();
        end.eof();
        let counts = end.only_closed().counts;
        assert_eq!((counts.messages_received, counts.bytes_received), (3, frames.len() as u64));
        assert_eq!((counts.messages_sent, counts.bytes_sent), (1, sent as u64));
    }
}
