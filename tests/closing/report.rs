//! What the terminal event says: counts, both Close frames, and a line for the log.

use std::error::Error;

use bytes::{Buf, BytesMut};
use sansocket::{
    Accept, Cause, CloseCode, Closed, Connection, Counts, Instant, Role, ServerConfig, ServerHandshake,
    ServerStep, TransportError,
};

use crate::support::drive::{BOTH, Drive, open};
use crate::support::pair::Pair;
use crate::support::seen::Seen;
use crate::support::wire::{self, CLOSE, LAST, PING, TEXT, TEXT_FIRST};

#[test]
fn counts_are_what_was_exchanged() {
    let mut pair = Pair::new();
    pair.client.connection.send_text("one").unwrap(); // 6 + 3 bytes
    pair.client.connection.send(vec![0; 70_000]).unwrap(); // 14 + 70,000
    pair.server.connection.send_text("three").unwrap(); // 2 + 5
    pair.client.connection.ping(b"").unwrap(); // 6, and a Pong of 2
    pair.run();
    pair.client.connection.close(CloseCode::NORMAL, "").unwrap(); // 8, and an answer of 4
    pair.run();
    let Counts { messages_received, messages_sent, bytes_received, bytes_sent, .. } =
        pair.client.closed().counts;
    assert_eq!((messages_received, messages_sent), (1, 2));
    assert_eq!((bytes_received, bytes_sent), (7 + 2 + 4, 9 + 70_014 + 6 + 8));
    let server = pair.server.closed().counts;
    assert_eq!((server.messages_received, server.messages_sent), (2, 1));
    assert_eq!((server.bytes_received, server.bytes_sent), (bytes_sent, bytes_received));
}

#[test]
fn counts_include_what_came_in_the_same_read_as_the_end() {
    for receiver in BOTH {
        let from = |first, payload| wire::from(receiver.peer(), first, payload);
        let fragments = [from(TEXT_FIRST, b"t"), from(LAST, b"wo")].concat();
        let bytes = [from(TEXT, b"one"), from(PING, b""), fragments, from(CLOSE, b"")].concat();
        for read in [Connection::receive, Connection::receive_bytewise] {
            let mut end = open(receiver);
            // This end closed first and has nothing more to write but a Pong, so the peer's Close frame is the end.
            end.close(CloseCode::NORMAL, "").unwrap();
            end.sent();
            let mut seen = read(&mut end, &bytes);
            end.sent();
            seen.extend(end.end_of_stream());
            let Some(Seen::Closed(closed)) = seen.last() else { panic!("no end: {seen:?}") };
            assert_eq!(closed.counts.messages_received, 2, "{receiver}");
            assert_eq!(closed.counts.bytes_received, bytes.len() as u64, "{receiver}");
        }
    }
}

#[test]
fn bytes_of_messages_that_never_left_are_counted_without_the_close_frame_behind_them() {
    for role in BOTH {
        let header = if role == Role::Client { 6 } else { 2 };
        let frame = header + 10;
        // A Pong is no message, and goes first.
        let pong = header + 4;
        for written in 0..=pong + 2 * frame + header + 2 {
            for close in [false, true] {
                let mut end = open(role);
                end.receive(&wire::from(role.peer(), PING, b"ping"));
                end.send_text("0123456789").unwrap();
                end.send_text("0123456789").unwrap();
                if close {
                    end.close(CloseCode::NORMAL, "").unwrap();
                }
                let mut transmit = end.transmit();
                let len = written.min(transmit.remaining());
                transmit.advance(len);
                end.transport_failed(TransportError::Reset);
                let closed = end.only_closed();
                let unsent = (2 * frame).saturating_sub(written.saturating_sub(pong)) as u64;
                assert_eq!(closed.counts.unsent, unsent, "{role}, {written} written, close: {close}");
                let told = closed.to_string().contains("never written");
                assert_eq!(told, unsent > 0, "{closed}");
            }
        }
    }
}

#[test]
fn the_reply_of_the_opening_handshake_is_no_message_that_never_left() {
    for written in [0, 1, 100] {
        for (text, frame) in [(None, 0), (Some("four"), 2 + 4)] {
            let mut input = BytesMut::from(
                "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            );
            let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
            let step = handshake.receive(&mut input, Instant::ZERO).unwrap();
            let ServerStep::Request(pending) = step else { panic!("the request is whole") };
            let mut server = pending.accept(Accept::new(), Instant::ZERO).unwrap();
            text.into_iter().for_each(|text| server.send_text(text).unwrap());
            server.transmit().advance(written);
            server.abort();
            assert_eq!(server.only_closed().counts.unsent, frame, "{written} written, {text:?} sent");
        }
    }
}

#[test]
fn counts_are_there_when_the_peers_close_frame_is_the_end_at_once() {
    // Without the Ping nothing is left to write, and the server ends inside the read.
    let from = |first, payload| wire::from(Role::Client, first, payload);
    let bytes = [from(TEXT, b"one"), from(TEXT, b"two"), from(CLOSE, b"")].concat();
    // What the peer sends behind it is not received any more, also if it came along.
    for behind in [&[][..], b"more"] {
        for read in [Connection::receive, Connection::receive_bytewise] {
            let mut server = open(Role::Server);
            server.close(CloseCode::NORMAL, "").unwrap();
            server.sent();
            let seen = read(&mut server, &[&bytes, behind].concat());
            let Some(Seen::Closed(closed)) = seen.last() else { panic!("no end: {seen:?}") };
            let Counts { messages_received, bytes_received, .. } = closed.counts;
            assert_eq!((messages_received, bytes_received), (2, bytes.len() as u64));
        }
    }
}

#[test]
fn a_close_frame_counts_as_sent_when_it_was_written_even_if_a_pong_waits_behind_it() {
    let mut client = open(Role::Client);
    client.close(CloseCode::NORMAL, "").unwrap();
    client.sent();
    client.receive(&wire::encode(PING, None, b""));
    client.eof();
    assert_eq!(client.only_closed().sent.map(|frame| frame.code()), Some(CloseCode::NORMAL));
}

/// The line that a log shows.
fn line(closed: &Closed) -> String {
    let line = closed.to_string();
    assert!(!line.contains('\n') && line.len() < 400, "{line}");
    line
}

#[test]
fn the_line_for_the_log_names_the_cause_both_close_frames_and_the_counts() {
    let mut pair = Pair::new();
    pair.client.connection.send_text("hello").unwrap();
    pair.client.connection.close(CloseCode::GOING_AWAY, "update\n").unwrap();
    pair.run();
    let line = line(pair.server.closed());
    for part in [
        "closing handshake completed",
        "client closed first",
        "1001 (going away)",
        "1 message in (",
        "0 messages out (4 bytes)",
    ] {
        assert!(line.contains(part), "{part:?} is not in {line:?}");
    }
    assert!(line.contains(r#""update\n""#), "what the peer wrote is escaped: {line}");
}

#[test]
fn the_line_for_the_log_says_who_is_at_fault() {
    let mut server = open(Role::Server);
    server.receive(&[0x81, 0x00]);
    server.sent();
    server.eof();
    let closed = server.only_closed();
    let line = line(&closed);
    assert!(line.contains("a client must mask its frames"), "{line}");
    assert!(line.contains("this end sent Close 1002"), "{line}");
    assert!(closed.source().is_some_and(|source| source.to_string().contains("the peer broke the protocol")));
}

#[test]
fn an_end_without_close_frames_is_said_plainly() {
    let mut client = open(Role::Client);
    client.transport_failed(TransportError::Reset);
    let closed = client.only_closed();
    assert!(!closed.is_clean());
    assert!(line(&closed).starts_with("the peer reset the connection; "), "{closed}");
    assert_eq!((closed.cause, closed.first), (Cause::Transport(TransportError::Reset), Role::Server));
}
