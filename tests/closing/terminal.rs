//! Exactly one terminal event, and nothing after it.

use bytes::{Buf, BytesMut};
use sansocket::{CloseCode, Connection, MessageKind, Role, SendRefused, State, TransportError};

use crate::support::drive::{BOTH, Drive, ms, open};
use crate::support::seen::Seen;
use crate::support::wire::{self, BINARY, CLOSE, LAST, PING, TEXT};

/// Every way to an end, with the connection just before its terminal event is taken.
fn ended(role: Role) -> Vec<Connection> {
    let ends: [fn(&mut Connection, Role); 6] = [
        |end, _| end.eof(),
        |end, _| end.transport_failed(TransportError::Reset),
        |end, role| {
            end.receive(&wire::from(role.peer(), CLOSE, b""));
            end.eof();
        },
        |end, role| {
            // In the middle of a message and of a frame.
            end.receive(&wire::from(role.peer(), wire::BINARY_FIRST, b"a"));
            end.receive(&wire::from(role.peer(), BINARY, b"bcd")[..1]);
            end.eof();
        },
        |end, _| {
            end.receive(&[0xFF]);
            end.sent();
            end.eof();
        },
        |end, _| {
            end.close(CloseCode::NORMAL, "").unwrap();
            end.timeout(ms(0));
            end.timeout(ms(5_000));
        },
    ];
    let finish = ends.into_iter().map(|finish| {
        let mut end = open(role);
        finish(&mut end, role);
        // The third still had an answer to write.
        let mut transmit = end.transmit();
        while transmit.has_remaining() {
            transmit.advance(transmit.chunk().len());
        }
        assert_eq!(end.state(), State::Closed);
        end
    });
    finish.collect()
}

#[test]
fn after_the_terminal_event_every_call_is_a_no_op() {
    for role in BOTH {
        for (case, mut end) in ended(role).into_iter().enumerate() {
            end.only_closed();
            end.eof();
            end.transport_failed(TransportError::Other);
            end.timeout(ms(1_000_000));
            assert_eq!(end.send_text("text"), Err(SendRefused::Closing), "case {case}");
            assert_eq!(end.send_fragment(MessageKind::Binary, b"", false), Err(SendRefused::Closing));
            assert_eq!(end.ping(b""), Err(SendRefused::Closing));
            assert_eq!(end.pong(b""), Err(SendRefused::Closing));
            assert_eq!(end.close(CloseCode::NORMAL, ""), Err(SendRefused::Closing));
            assert_eq!(end.deadline(), None);
            assert_eq!(end.state(), State::Closed);
            assert!(!end.wants_shutdown());
            assert!(end.payload_buffer().is_none());
            assert_eq!(end.take_closed(), None);
            assert_eq!(end.sent(), b"");
        }
    }
}

#[test]
fn input_after_the_terminal_event_gives_no_event() {
    for role in BOTH {
        let late = [(TEXT, &b"late"[..]), (PING, b""), (LAST, b"x"), (CLOSE, b"")];
        let mut bytes = late.map(|(first, payload)| wire::from(role.peer(), first, payload)).to_vec();
        bytes.push(vec![0xFF; 10]);
        for bytes in bytes {
            for (case, mut end) in ended(role).into_iter().enumerate() {
                end.only_closed();
                assert_eq!(end.receive(&bytes), [], "case {case}: {bytes:x?}");
                assert_eq!(end.receive_bytewise(&bytes), [], "case {case}: {bytes:x?}");
                assert_eq!(end.sent(), b"");
            }
        }
    }
}

#[test]
fn input_after_the_terminal_event_was_taken_by_name_gives_no_event() {
    let mut server = open(Role::Server);
    server.eof();
    assert!(server.take_closed().is_some());
    assert_eq!(server.receive(&wire::from(Role::Client, TEXT, b"late")), []);
}

#[test]
fn messages_that_were_read_but_not_taken_come_before_the_terminal_event() {
    let mut server = open(Role::Server);
    let frames = [wire::from(Role::Client, TEXT, b"one"), wire::from(Role::Client, TEXT, b"two")].concat();
    let mut input = BytesMut::from(&frames[..]);
    assert!(server.read(&mut input).next().is_some());
    server.transport_failed(TransportError::Reset);
    let mut seen = Vec::<Seen>::new();
    let mut reader = server.read(&mut input);
    while let Some(event) = reader.next() {
        seen.push(event.into());
    }
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0], Seen::text("two"));
    assert!(matches!(seen[1], Seen::Closed(_)));
}
