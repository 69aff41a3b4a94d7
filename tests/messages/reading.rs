//! The reader: a lending iterator that may be dropped at any moment.

use std::borrow::Cow;

use bytes::BytesMut;
use sansocket::{Connection, Event, Instant, Message, Role, ServerConfig};

use crate::support::drive::{Drive, open};
use crate::support::seen::Seen;
use crate::support::wire::{self, BINARY, PING, TEXT};

#[test]
fn a_reader_dropped_after_any_event_loses_and_repeats_nothing() {
    let from = |first, payload| wire::from(Role::Client, first, payload);
    let bytes = [
        from(TEXT, b"one"),
        from(PING, b"p"),
        from(wire::TEXT_FIRST, b"tw"),
        from(PING, b"q"),
        from(wire::LAST, b"o"),
        from(BINARY, b"three"),
        from(wire::CLOSE, &wire::close(1000, "")),
    ]
    .concat();
    let expected = open(Role::Server).receive(&bytes);
    assert_eq!(expected.len(), 6);

    let mut server = open(Role::Server);
    let mut input = BytesMut::from(&bytes[..]);
    let mut seen = Vec::<Seen>::new();
    while let Some(event) = server.read(&mut input).next() {
        seen.push(event.into());
    }
    assert_eq!(seen, expected);
}

#[test]
fn a_message_that_is_there_as_a_whole_is_borrowed_and_one_in_pieces_is_owned() {
    let frame = wire::from(Role::Client, BINARY, b"data");
    let mut server = open(Role::Server);
    let mut input = BytesMut::from(&frame[..]);
    let mut reader = server.read(&mut input);
    assert!(matches!(reader.next(), Some(Event::Binary(Cow::Borrowed(b"data")))));
    drop(reader);
    assert_eq!(server.receive(&frame[..7]), []);
    let mut input = BytesMut::from(&frame[7..]);
    let mut reader = server.read(&mut input);
    assert!(matches!(reader.next(), Some(Event::Binary(Cow::Owned(data))) if data == b"data"));
}

#[test]
fn an_event_becomes_a_message_or_nothing() {
    assert_eq!(Event::Text("a".into()).into_message(), Some(Message::from("a")));
    assert_eq!(Event::Binary((&[1, 2][..]).into()).into_message(), Some(Message::from(vec![1, 2])));
    assert_eq!(Event::Binary(vec![1, 2].into()).into_message(), Some(Message::from(vec![1, 2])));
    assert_eq!(Event::Ping(b"").into_message(), None);
}

#[test]
fn a_connection_shows_no_message() {
    let mut connection = Connection::server(&ServerConfig::default(), Instant::ZERO);
    connection.send("a secret").unwrap();
    connection.send(vec![b'x'; 100_000]).unwrap();
    // A part of a message, masked with the key 0, and a part of a frame behind it.
    let mut input = BytesMut::from(&b"\x01\x86\0\0\0\0secret\x80\x86\0\0\0\0sec"[..]);
    let mut reader = connection.read(&mut input);
    assert!(reader.next().is_none());
    let mut shown = format!("{reader:?}");
    drop(reader);
    shown += &format!("{connection:?}");
    for secret in ["secret", "120, 120", "115, 101"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("waiting_bytes: 100020"), "{shown}");
}
