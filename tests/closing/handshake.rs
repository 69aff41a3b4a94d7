//! The closing handshake (RFC 6455 sections 7.1.1 to 7.1.4).

use core::time::Duration;

use bytes::{Buf, BytesMut};
use sansocket::{Cause, CloseCode, CloseFrame, Event, MessageKind, Role, State};

use crate::support::drive::{BOTH, Drive, open};
use crate::support::pair::Pair;
use crate::support::seen::Seen;
use crate::support::wire::{self, CLOSE, LAST, PING, TEXT, TEXT_FIRST};

fn frame(code: u16, reason: &str) -> CloseFrame {
    CloseFrame::new(CloseCode(code), reason).unwrap()
}

//= https://www.rfc-editor.org/rfc/rfc6455#section-5.5.1
//= type=test
//# If an endpoint receives a Close frame and did not previously send a
//# Close frame, the endpoint MUST send a Close frame in response.
#[test]
fn a_close_frame_is_answered_with_the_code_that_it_had() {
    for receiver in BOTH {
        for code in [1000, 1001, 1011, 3000, 4999] {
            let mut end = open(receiver);
            end.receive(&wire::from(receiver.peer(), CLOSE, &wire::close(code, "why")));
            assert_eq!(end.state(), State::Closing);
            let sent = end.frames_sent();
            assert_eq!((sent.len(), sent[0].first), (1, CLOSE));
            assert_eq!(sent[0].payload[..2], code.to_be_bytes());
        }
    }
}

#[test]
fn the_answer_can_be_the_callers() {
    for own_was_first in [false, true] {
        let (mut receiver, mut sender) = open(Role::Server).split();
        if own_was_first {
            sender.close(CloseCode::NORMAL, "own").unwrap();
        }
        let mut input = BytesMut::from(&wire::from(Role::Client, CLOSE, &wire::close(4000, "why"))[..]);
        match receiver.read(&mut input).next() {
            Some(Event::Close(received)) => sender.answer_close(&received, frame(4001, "because")),
            other => panic!("{other:?}"),
        }
        let waiting = sender.transmit().remaining();
        let sent = wire::decode(&sender.transmit().copy_to_bytes(waiting));
        assert_eq!(sent.len(), 1, "one Close frame, and not one for each");
        sender.observe(receiver.progress());
        let closed = sender.take_closed().unwrap();
        let (answer, first) = match own_was_first {
            true => (frame(1000, "own"), Role::Server),
            false => (frame(4001, "because"), Role::Client),
        };
        assert_eq!((closed.sent, closed.first), (Some(answer), first));
        assert_eq!(closed.received, Some(frame(4000, "why")));
        assert!(closed.cause == Cause::Clean);
    }
}

#[test]
fn either_end_can_close() {
    for first in BOTH {
        let mut pair = Pair::new();
        let end = if first == Role::Client { &mut pair.client } else { &mut pair.server };
        end.connection.close(CloseCode::GOING_AWAY, "later").unwrap();
        pair.run();
        let (closer, other) = match first {
            Role::Client => (&pair.client, &pair.server),
            Role::Server => (&pair.server, &pair.client),
        };
        let (at_closer, at_other) = (closer.closed(), other.closed());
        assert!(at_closer.is_clean() && at_other.is_clean());
        assert_eq!((at_closer.first, at_other.first), (first, first));
        assert_eq!(at_closer.sent, Some(frame(1001, "later")));
        assert_eq!(at_other.received, Some(frame(1001, "later")));
        assert_eq!(at_closer.received, at_other.sent);
        assert_eq!(other.before_closed(), [Seen::Close(frame(1001, "later"))]);
        assert_eq!(closer.before_closed(), [Seen::Close(frame(1001, ""))]);
    }
}

//= https://www.rfc-editor.org/rfc/rfc6455#section-5.5.1
//= type=test
//# If a client and server both send a Close message at the same time,
//# both endpoints will have sent and received a Close message and should
//# consider the WebSocket connection closed and close the underlying TCP
//# connection.
#[test]
fn both_ends_can_close_at_the_same_time() {
    let mut pair = Pair::new();
    pair.client.connection.close(CloseCode(3001), "client").unwrap();
    pair.server.connection.close(CloseCode(3002), "server").unwrap();
    pair.run();
    for (end, role, own, other) in [
        (&pair.client, Role::Client, frame(3001, "client"), frame(3002, "server")),
        (&pair.server, Role::Server, frame(3002, "server"), frame(3001, "client")),
    ] {
        let closed = end.closed();
        assert_eq!(closed.cause, Cause::Clean);
        assert_eq!((&closed.sent, &closed.received), (&Some(own), &Some(other)));
        assert_eq!(closed.first, role, "each was the first in its own time");
    }
}

//= https://www.rfc-editor.org/rfc/rfc6455#section-7.1.1
//= type=test
//# the server MUST close the connection immediately, and the client
//# SHOULD wait for the server to close the connection
#[test]
fn the_server_ends_tcp_and_the_client_waits_for_it() {
    let mut server = open(Role::Server);
    server.receive(&wire::from(Role::Client, CLOSE, b""));
    assert_eq!(server.state(), State::Closing, "the answer is not written yet");
    server.sent();
    assert_eq!(server.state(), State::Closed);
    assert_eq!(server.only_closed().cause, Cause::Clean);

    let mut client = open(Role::Client);
    client.receive(&wire::from(Role::Server, CLOSE, b""));
    client.sent();
    assert_eq!(client.state(), State::Closing, "the server has not closed TCP yet");
    assert!(!client.wants_shutdown());
    client.eof();
    assert_eq!(client.only_closed().cause, Cause::Clean);
}

#[test]
fn a_client_whose_server_never_ends_tcp_ends_it_cleanly_after_a_while() {
    let mut client = open(Role::Client);
    client.receive(&wire::from(Role::Server, CLOSE, b""));
    client.sent();
    assert_eq!(client.at(100), []);
    assert_eq!(client.at(5_099), []);
    client.timeout(crate::support::drive::ms(5_100));
    assert_eq!(client.only_closed().cause, Cause::Clean);
}

#[test]
fn messages_that_wait_leave_before_the_close_frame() {
    let mut pair = Pair::new();
    for n in 0..10 {
        pair.client.connection.send(vec![n; 10_000]).unwrap();
    }
    pair.client.connection.close(CloseCode::NORMAL, "").unwrap();
    pair.run();
    assert_eq!(pair.server.closed().counts.messages_received, 10);
    assert!(pair.server.closed().is_clean());
}

#[test]
fn messages_that_come_after_the_own_close_frame_are_delivered() {
    let mut client = open(Role::Client);
    client.close(CloseCode::NORMAL, "").unwrap();
    client.sent();
    let bytes = [wire::encode(TEXT, None, b"late"), wire::encode(CLOSE, None, b"")].concat();
    assert_eq!(client.receive(&bytes), [Seen::text("late"), Seen::Close(frame(1005, ""))]);
}

//= https://www.rfc-editor.org/rfc/rfc6455#section-5.5.2
//= type=test
//# Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in
//# response, unless it already received a Close frame.
#[test]
fn a_ping_is_answered_after_the_own_close_frame_and_not_after_the_peers() {
    let mut client = open(Role::Client);
    client.close(CloseCode::NORMAL, "").unwrap();
    client.sent();
    client.receive(&wire::encode(PING, None, b"still there?"));
    assert_eq!(client.frames_sent()[0].payload, b"still there?");
    let bytes = [wire::encode(CLOSE, None, b""), wire::encode(PING, None, b"")].concat();
    assert_eq!(client.receive(&bytes), [Seen::Close(frame(1005, ""))]);
    assert_eq!(client.sent(), b"");
}

#[test]
fn data_after_the_peers_close_frame_is_discarded() {
    for receiver in BOTH {
        let from = |first, payload| wire::from(receiver.peer(), first, payload);
        let bytes = [from(CLOSE, b""), from(TEXT, b"late"), vec![0xFF; 100]].concat();
        assert_eq!(open(receiver).receive(&bytes), [Seen::Close(frame(1005, ""))]);
        assert_eq!(open(receiver).receive_bytewise(&bytes), [Seen::Close(frame(1005, ""))]);
    }
}

#[test]
fn a_close_frame_may_come_while_a_fragmented_message_is_open() {
    for receiver in BOTH {
        let from = |first, payload| wire::from(receiver.peer(), first, payload);
        let mut end = open(receiver);
        let bytes = [from(TEXT_FIRST, b"never "), from(CLOSE, b""), from(LAST, b"whole")].concat();
        assert_eq!(end.receive(&bytes), [Seen::Close(frame(1005, ""))]);
        end.sent();
        end.eof();
        let closed = end.only_closed();
        assert_eq!((closed.cause, closed.counts.messages_received), (Cause::Clean, 0));
    }
}

#[test]
fn a_close_frame_may_be_sent_while_a_fragmented_message_is_open() {
    let mut pair = Pair::new();
    pair.server.connection.send_fragment(MessageKind::Text, b"never ", false).unwrap();
    pair.server.connection.close(CloseCode::NORMAL, "").unwrap();
    assert!(pair.server.connection.send_fragment(MessageKind::Text, b"whole", true).is_err());
    pair.run();
    assert!(pair.client.closed().is_clean() && pair.server.closed().is_clean());
}

#[test]
fn the_time_limit_of_closing_forces_the_end_when_the_peer_says_nothing() {
    for role in BOTH {
        let mut end = open(role);
        end.close(CloseCode::NORMAL, "").unwrap();
        end.sent();
        let learned = end.deadline().expect("the core has to learn the time");
        end.timeout(learned);
        assert_eq!(end.deadline(), Some(learned + Duration::from_secs(5)));
        end.timeout(learned + Duration::from_secs(5));
        let closed = end.only_closed();
        assert_eq!(closed.cause, Cause::CloseTimeout(role.peer()));
        assert_eq!((closed.sent, closed.received), (Some(frame(1000, "")), None));
    }
}
