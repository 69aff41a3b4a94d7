//! `Limits::write_soft`, `Limits::write_hard` and `Limits::write_control`: what may wait to be written.

use bytes::Buf;
use sansocket::{CloseCode, Connection, Limits, Message, MessageKind, Role, SendRefused};

use crate::support::drive::{BOTH, Drive, open_with};
use crate::support::wire;

fn limited(role: Role, limits: impl Fn(&mut Limits)) -> Connection {
    open_with(role, |setup| limits(&mut setup.limits))
}

#[test]
fn a_sender_should_wait_from_the_soft_limit_on() {
    // A frame of the server with n bytes of payload data takes n + 2.
    for (waiting, writable) in [(99, true), (100, false), (101, false)] {
        let mut server = limited(Role::Server, |limits| limits.write_soft = 100);
        assert!(server.may_send());
        server.send_binary(&vec![0; waiting - 2]).unwrap();
        assert_eq!(server.may_send(), writable, "{waiting} bytes wait");
        server.transmit().advance(waiting);
        assert!(server.may_send());
    }
}

#[test]
fn a_message_is_refused_from_the_hard_limit_on_and_given_back() {
    for (waiting, accepted) in [(99, true), (100, false), (101, false)] {
        let mut server = limited(Role::Server, |limits| limits.write_hard = 100);
        server.send_binary(&vec![0; waiting - 2]).unwrap();
        let refused = SendRefused::QueueFull { queued: waiting, limit: 100 };
        match server.send(Message::from("mine")) {
            Ok(()) => assert!(accepted, "{waiting} bytes wait"),
            Err(error) => {
                assert!(!accepted, "{waiting} bytes wait");
                assert_eq!((error.message, error.reason), (Message::from("mine"), refused));
                assert_eq!(server.send_text("mine"), Err(refused));
                assert_eq!(server.send_fragment(MessageKind::Text, b"mine", true), Err(refused));
            }
        }
    }
}

#[test]
fn the_queue_holds_at_most_the_hard_limit_and_one_message() {
    for role in BOTH {
        let mut end = limited(role, |limits| limits.write_hard = 10_000);
        let mut sent = 0;
        while end.send(vec![0; 3_000]).is_ok() {
            sent += 1;
        }
        assert!(end.transmit().remaining() <= 10_000 + 3_000 + 14);
        assert_eq!(end.frames_sent().len(), sent, "all that was accepted leaves");
        end.send(vec![0; 3_000]).unwrap();
    }
}

#[test]
fn a_refused_fragment_can_be_sent_again_later() {
    let mut server = limited(Role::Server, |limits| limits.write_hard = 10);
    server.send_fragment(MessageKind::Text, b"12345678\xC3", false).unwrap();
    assert!(server.send_fragment(MessageKind::Text, b"\xA9", true).is_err());
    let first = server.sent();
    server.send_fragment(MessageKind::Text, b"\xA9", true).unwrap();
    let all = [first, server.sent()].concat();
    let payload: Vec<u8> = wire::decode(&all).into_iter().flat_map(|frame| frame.payload).collect();
    assert_eq!(payload, "12345678é".as_bytes());
}

#[test]
fn close_and_answers_find_room_in_a_full_queue() {
    let mut server = limited(Role::Server, |limits| limits.write_hard = 10);
    server.send_binary(&[0; 100]).unwrap();
    server.receive(&wire::from(Role::Client, wire::PING, b"p"));
    server.ping(b"q").unwrap();
    server.close(CloseCode::NORMAL, "").unwrap();
    let firsts: Vec<u8> = server.frames_sent().iter().map(|frame| frame.first).collect();
    assert_eq!(firsts, [wire::PONG, wire::PING, wire::BINARY, wire::CLOSE]);
}

#[test]
fn pings_are_answered_one_by_one_below_the_control_limit_and_only_the_newest_from_it_on() {
    // A Pong of the server with one byte takes 3.
    for (limit, answers) in [(1, 1), (3, 1), (4, 2), (6, 2), (7, 3), (1000, 10)] {
        let mut server = limited(Role::Server, |limits| limits.write_control = limit);
        for n in 0..10 {
            server.receive(&wire::from(Role::Client, wire::PING, &[n]));
        }
        let waiting = server.transmit().remaining();
        assert_eq!(waiting, answers * 3, "with a limit of {limit}");
        let pongs: Vec<u8> = server.frames_sent().iter().map(|frame| frame.payload[0]).collect();
        let mut expected: Vec<u8> = (0..answers as u8).collect();
        if answers < 10 {
            expected.push(9);
        }
        assert_eq!(pongs, expected, "with a limit of {limit}");
    }
}
