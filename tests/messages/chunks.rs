//! `Delivery::Chunks`: payload data as it arrives.

use sansocket::{Connection, Delivery, Failure, MessageKind, Role, Violation};

use crate::support::drive::{Drive, assert_fails, open, open_with};
use crate::support::seen::{Seen, joined};
use crate::support::wire::{self, BINARY, LAST, MIDDLE, TEXT, TEXT_FIRST};

fn chunks(role: Role) -> Connection {
    open_with(role, |setup| setup.delivery = Delivery::Chunks)
}

fn chunk(kind: MessageKind, data: &[u8], first: bool, frame_end: bool, last: bool) -> Seen {
    Seen::Chunk { kind, data: data.to_vec(), first, frame_end, last }
}

#[test]
fn a_whole_frame_is_one_chunk() {
    let seen = chunks(Role::Server).receive(&wire::from(Role::Client, BINARY, b"data"));
    assert_eq!(seen, [chunk(MessageKind::Binary, b"data", true, true, true)]);
}

#[test]
fn chunks_follow_reads_and_frames() {
    let mut client = chunks(Role::Client);
    let frame = wire::encode(TEXT_FIRST, None, b"abcd");
    let text = MessageKind::Text;
    assert_eq!(client.receive(&frame[..4]), [chunk(text, b"ab", true, false, false)]);
    assert_eq!(client.receive(&frame[4..]), [chunk(text, b"cd", false, true, false)]);
    let rest = [wire::encode(wire::PING, None, b"p"), wire::encode(LAST, None, b"ef")].concat();
    let expected = [Seen::ping(b"p"), chunk(text, b"ef", false, true, true)];
    assert_eq!(client.receive(&rest), expected);
}

#[test]
fn empty_frames_are_chunks_too() {
    let frames = [wire::encode(TEXT_FIRST, None, b""), wire::encode(LAST, None, b"")].concat();
    let text = MessageKind::Text;
    let expected = [chunk(text, b"", true, true, false), chunk(text, b"", false, true, true)];
    assert_eq!(chunks(Role::Client).receive(&frames), expected);
    assert_eq!(chunks(Role::Client).receive_bytewise(&frames), expected);
}

#[test]
fn text_is_checked_on_the_way() {
    let mut client = chunks(Role::Client);
    // The euro sign is cut in two: its bytes are passed on as they come.
    let euro = "€".as_bytes();
    let begun = client.receive(&wire::encode(TEXT_FIRST, None, &euro[..2]));
    assert_eq!(begun, [chunk(MessageKind::Text, &euro[..2], true, true, false)]);
    let violation = Violation::InvalidUtf8 { at: 0 };
    assert_fails(client, &wire::encode(MIDDLE, None, b"x"), violation, 1007);
}

#[test]
fn rejects_text_that_ends_inside_a_character() {
    let frame = wire::encode(TEXT, None, b"a\xC3");
    assert_fails(chunks(Role::Client), &frame, Violation::InvalidUtf8 { at: 1 }, 1007);
}

#[test]
fn a_chunk_holds_no_byte_that_is_at_fault() {
    let frame = wire::encode(TEXT, None, b"ab\xFFcd");
    let mut client = chunks(Role::Client);
    let seen = client.receive_bytewise(&frame);
    let failed = Seen::Failed(Failure::Violation(Violation::InvalidUtf8 { at: 2 }));
    assert_eq!(seen.last(), Some(&failed));
    assert_eq!(seen.len(), 3, "two good bytes and the fault: {seen:?}");
}

#[test]
fn delivery_changes_from_the_next_message_on() {
    let mut client = open(Role::Client);
    assert_eq!(client.receive(&wire::encode(TEXT_FIRST, None, b"a")), []);
    client.set_delivery(Delivery::Chunks);
    assert_eq!(client.receive(&wire::encode(LAST, None, b"b")), [Seen::text("ab")]);
    let next = wire::encode(TEXT_FIRST, None, b"c");
    assert_eq!(client.receive(&next), [chunk(MessageKind::Text, b"c", true, true, false)]);
    client.set_delivery(Delivery::Messages);
    let last = wire::encode(LAST, None, b"d");
    assert_eq!(client.receive(&last), [chunk(MessageKind::Text, b"d", false, true, true)]);
    assert_eq!(client.receive(&wire::encode(TEXT, None, b"e")), [Seen::text("e")]);
}

#[test]
fn chunks_joined_are_the_messages() {
    let frames = [
        wire::encode(TEXT_FIRST, None, b"he"),
        wire::encode(LAST, None, b"llo"),
        wire::encode(BINARY, None, b""),
        wire::encode(TEXT, None, "€".as_bytes()),
    ];
    let seen = chunks(Role::Client).receive_bytewise(&frames.concat());
    assert_eq!(joined(&seen), [Seen::text("hello"), Seen::binary(b""), Seen::text("€")]);
}
