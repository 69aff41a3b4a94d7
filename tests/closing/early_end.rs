//! An end that comes before all input is looked at, before all output is written, or because the application wants it.

use bytes::{Buf, BytesMut};
use sansocket::{Cause, CloseCode, Event, Position, Role, State, TransportError};

use crate::support::drive::{BOTH, Drive, open};
use crate::support::seen::Seen;
use crate::support::wire::{self, CLOSE, TEXT};

#[test]
fn an_end_counts_when_the_input_before_it_is_read() {
    for receiver in BOTH {
        for failed in [false, true] {
            let from = |first, payload| wire::from(receiver.peer(), first, payload);
            let mut end = open(receiver);
            let bytes = [from(TEXT, b"one"), from(CLOSE, &wire::close(1000, "bye"))].concat();
            let mut input = BytesMut::from(&bytes[..]);
            // The application takes one message; then the stream ends, and more is still to be read.
            assert_eq!(end.read(&mut input).next(), Some(Event::Text("one".into())));
            if failed {
                end.transport_failed(TransportError::Reset);
            } else {
                end.eof();
            }
            assert_eq!(end.state(), State::Open);
            let mut reader = end.read(&mut input);
            assert!(matches!(reader.next(), Some(Event::Close(frame)) if frame.reason() == "bye"));
            while reader.next().is_some() {}
            drop(reader);
            end.sent();
            let closed = end.take_closed();
            assert_eq!(end.state(), State::Closed);
            if let Some(closed) = closed {
                assert_eq!(closed.cause, Cause::Clean);
            }
        }
    }
}

/// As `Receiver::pause` says: who pauses reads before the end is told, if only the empty input.
#[test]
fn an_end_while_paused_counts_with_the_next_read() {
    for receiver in BOTH {
        for failed in [false, true] {
            let mut end = open(receiver);
            end.pause();
            if failed {
                end.transport_failed(TransportError::Reset);
            } else {
                end.eof();
            }
            assert_eq!(end.state(), State::Open);
            let mut input = BytesMut::new();
            assert!(matches!(end.read(&mut input).next(), Some(Event::Closed(_))));
            assert_eq!(end.state(), State::Closed);

            // The other way round it counts at once.
            let mut end = open(receiver);
            end.pause();
            end.read(&mut input);
            if failed {
                end.transport_failed(TransportError::Reset);
            } else {
                end.eof();
            }
            assert!(end.take_closed().is_some());
        }
    }
}

#[test]
fn an_end_without_a_close_frame_comes_behind_the_messages_before_it() {
    let mut server = open(Role::Server);
    let bytes = [TEXT, TEXT].map(|first| wire::from(Role::Client, first, b"text")).concat();
    let mut input = BytesMut::from(&bytes[..]);
    assert_eq!(server.read(&mut input).next(), Some(Event::Text("text".into())));
    server.eof();
    let mut reader = server.read(&mut input);
    assert_eq!(reader.next(), Some(Event::Text("text".into())));
    let Some(Event::Closed(closed)) = reader.next() else { panic!("no end") };
    assert_eq!(closed.cause, Cause::Eof(Position::Boundary));
    assert_eq!(closed.counts.messages_received, 2);
    assert_eq!(reader.next(), None);
}

#[test]
fn a_close_frame_that_was_not_written_was_not_sent() {
    let mut server = open(Role::Server);
    server.close(CloseCode::NORMAL, "").unwrap();
    server.transmit().advance(1);
    let [Seen::Closed(closed)] = &server.end_of_stream()[..] else { panic!("no end") };
    assert_eq!(closed.sent, None);
    assert_eq!(closed.first, Role::Server);
}

#[test]
fn an_application_that_gives_up_ends_the_connection_at_once() {
    for role in BOTH {
        let mut end = open(role);
        end.send_text("never written").unwrap();
        end.abort();
        let closed = end.only_closed();
        assert_eq!((closed.cause, closed.first), (Cause::Aborted, role));
        assert_eq!(end.sent(), b"");
        end.abort();
        assert_eq!(end.take_closed(), None);
    }
}

#[test]
fn what_is_in_the_payload_buffer_cannot_break_the_connection() {
    let mut server = open(Role::Server);
    let frame = wire::from(Role::Client, 0x82, &[7; 100_000]);
    assert_eq!(server.receive(&frame[..1000]), []);
    let mut buffer = server.payload_buffer().unwrap();
    let room = buffer.limit();
    // More than was asked for: what is too much belongs nowhere.
    buffer.get_mut().extend(vec![0; room + 500_000]);
    let seen = server.receive(b"");
    assert!(
        seen.iter().all(|seen| matches!(seen, Seen::Binary(bytes) if bytes.len() == 100_000)),
        "{seen:?}"
    );
    let mut server = open(Role::Server);
    assert_eq!(server.receive(&frame[..1000]), []);
    server.payload_buffer().unwrap().get_mut().clear();
    server.receive(b"");
    server.receive(&frame[1000..]);
}
