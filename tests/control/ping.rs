//! Pings and Pongs.

use bytes::Buf;
use sansocket::{Role, SendRefused};

use crate::support::drive::{BOTH, Drive, open, open_with};
use crate::support::pair::Pair;
use crate::support::seen::Seen;
use crate::support::wire::{self, PING, PONG};

//= https://www.rfc-editor.org/rfc/rfc6455#section-5.5.3
//= type=test
//# A Pong frame sent in response to a Ping frame must have identical
//# "Application data" as found in the message body of the Ping frame
//# being replied to.
#[test]
fn each_ping_is_answered_with_its_own_payload() {
    for receiver in BOTH {
        for len in [0, 1, 4, 124, 125] {
            let mut end = open(receiver);
            let payload: Vec<u8> = (0..len).collect();
            let ping = wire::from(receiver.peer(), PING, &payload);
            assert_eq!(end.receive(&ping), [Seen::ping(&payload)]);
            let pongs = end.frames_sent();
            assert_eq!((pongs.len(), pongs[0].first, &pongs[0].payload), (1, PONG, &payload));
        }
    }
}

#[test]
fn pings_that_come_slowly_are_answered_one_by_one_and_in_order() {
    let mut server = open(Role::Server);
    for payload in [b"1", b"2", b"3"] {
        server.receive(&wire::from(Role::Client, PING, payload));
    }
    let expected = [b"1", b"2", b"3"].map(|payload| wire::encode(PONG, None, payload)).concat();
    assert_eq!(server.sent(), expected);
}

#[test]
fn a_flood_of_pings_is_bounded_and_the_newest_is_answered() {
    for receiver in BOTH {
        let mut end = open_with(receiver, |setup| setup.limits.write_control = 256);
        for n in 0..10_000_u32 {
            end.receive(&wire::from(receiver.peer(), PING, &n.to_be_bytes()));
        }
        assert!(end.transmit().remaining() < 256 + 2 * (6 + 125), "{}", end.transmit().remaining());
        let pongs = end.frames_sent();
        let newest = pongs.last().map(|pong| &pong.payload[..]);
        assert_eq!(newest, Some(&9_999_u32.to_be_bytes()[..]), "written in one go: {} Pongs", pongs.len());
        assert_eq!(end.sent(), b"", "and it is answered once");
    }
}

//= https://www.rfc-editor.org/rfc/rfc6455#section-5.5.3
//= type=test
//# A Pong frame MAY be sent unsolicited.  This serves as a
//# unidirectional heartbeat.  A response to an unsolicited Pong frame is
//# not expected.
#[test]
fn an_unasked_pong_is_seen_and_not_answered() {
    for receiver in BOTH {
        let mut end = open(receiver);
        let pong = wire::from(receiver.peer(), PONG, b"beat");
        assert_eq!(end.receive(&pong), [Seen::pong(b"beat")]);
        assert_eq!(end.sent(), b"");
    }
}

#[test]
fn a_pong_of_the_application_and_an_automatic_one_are_both_sent() {
    let mut server = open(Role::Server);
    server.pong(b"mine").unwrap();
    server.receive(&wire::from(Role::Client, PING, b"theirs"));
    server.pong(b"again").unwrap();
    let expected: [&[u8]; 3] = [b"mine", b"theirs", b"again"];
    assert_eq!(server.sent(), expected.map(|payload| wire::encode(PONG, None, payload)).concat());
}

#[test]
fn a_ping_comes_back_as_a_pong() {
    let mut pair = Pair::new();
    pair.client.connection.ping(b"from the client").unwrap();
    pair.server.connection.ping(b"from the server").unwrap();
    pair.run();
    assert_eq!(pair.client.seen, [Seen::ping(b"from the server"), Seen::pong(b"from the client")]);
    assert_eq!(pair.server.seen, [Seen::ping(b"from the client"), Seen::pong(b"from the server")]);
}

//= https://www.rfc-editor.org/rfc/rfc6455#section-5.5
//= type=test
//# All control frames MUST have a payload length of 125 bytes or less
//# and MUST NOT be fragmented.
#[test]
fn a_control_frame_over_125_bytes_is_refused_and_not_sent() {
    for role in BOTH {
        let mut end = open(role);
        for len in [126, 1000, 70_000] {
            assert_eq!(end.ping(&vec![0; len]), Err(SendRefused::ControlTooLong { len }));
            assert_eq!(end.pong(&vec![0; len]), Err(SendRefused::ControlTooLong { len }));
        }
        assert_eq!(end.sent(), b"");
        end.ping(&[0; 125]).unwrap();
        end.pong(&[0; 125]).unwrap();
        assert_eq!(end.frames_sent().len(), 2);
    }
}

#[test]
fn pings_of_the_application_are_refused_while_too_many_control_frames_wait() {
    let mut server = open_with(Role::Server, |setup| setup.limits.write_control = 20);
    server.ping(&[0; 17]).unwrap(); // 19 bytes wait
    server.ping(&[0; 8]).unwrap(); // 29
    let full = SendRefused::ControlQueueFull { queued: 29, limit: 20 };
    assert_eq!(server.ping(b""), Err(full));
    assert_eq!(server.pong(b""), Err(full));
    assert_eq!(server.frames_sent().len(), 2);
    server.ping(b"").unwrap();
}
