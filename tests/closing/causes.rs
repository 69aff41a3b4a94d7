//! Each cause of an end that is no closing handshake, with what the peer is told.

use core::time::Duration;

use sansocket::{
    Cause, CloseCode, Connection, Failure, LimitExceeded, Position, Role, State, TransportError, Violation,
};

use crate::support::drive::{BOTH, Drive, ms, open, open_with};
use crate::support::pair::Pair;
use crate::support::seen::Seen;
use crate::support::wire::{self, BINARY_FIRST, CLOSE, MIDDLE, PING, TEXT};

#[test]
fn the_end_of_the_stream_says_where_it_was() {
    for receiver in BOTH {
        let from = |first, payload: &[u8]| wire::from(receiver.peer(), first, payload);
        let text = from(TEXT, b"text");
        let fragments = [from(BINARY_FIRST, b"a"), from(MIDDLE, b"b")].concat();
        let ping_inside = [&fragments[..], &from(PING, b"")].concat();
        let half_ping_inside = [&fragments[..], &from(PING, b"ping")[..3]].concat();
        let cases: [(&[u8], Position); 8] = [
            (b"", Position::Boundary),
            (&text, Position::Boundary),
            (&text[..1], Position::Frame),
            (&text[..text.len() - 1], Position::Frame),
            (&fragments, Position::Message),
            (&ping_inside, Position::Message),
            (&half_ping_inside, Position::Frame),
            (&fragments[..fragments.len() - 1], Position::Frame),
        ];
        for (bytes, position) in cases {
            for read in [Connection::receive, Connection::receive_bytewise] {
                let mut end = open(receiver);
                read(&mut end, bytes);
                end.eof();
                let closed = end.only_closed();
                assert_eq!(closed.cause, Cause::Eof(position), "{receiver} after {bytes:x?}");
                assert_eq!((closed.sent, closed.received), (None, None));
                assert_eq!(closed.first, receiver.peer());
            }
        }
    }
}

#[test]
fn the_end_of_the_stream_instead_of_a_close_reply_is_not_clean() {
    for role in BOTH {
        let mut end = open(role);
        end.close(CloseCode::NORMAL, "").unwrap();
        end.sent();
        end.eof();
        let closed = end.only_closed();
        assert_eq!(closed.cause, Cause::Eof(Position::Boundary));
        assert_eq!(closed.first, role);
        assert!(closed.sent.is_some() && closed.received.is_none());
    }
}

#[test]
fn the_answer_to_close_is_still_written_after_the_end_of_the_stream() {
    for role in BOTH {
        let mut end = open(role);
        end.receive(&wire::from(role.peer(), CLOSE, b""));
        end.eof();
        assert_eq!(end.state(), State::Closing, "the peer may still be reading");
        assert_eq!(end.frames_sent().len(), 1);
        assert_eq!(end.only_closed().cause, Cause::Clean);
    }
}

#[test]
fn each_failure_of_the_transport_is_the_cause() {
    use TransportError::{BrokenPipe, Other, Reset, TimedOut, TlsTruncated};
    for error in [Reset, BrokenPipe, TimedOut, TlsTruncated, Other] {
        for role in BOTH {
            let mut end = open(role);
            end.send_text("never written").unwrap();
            end.transport_failed(error);
            assert_eq!(end.sent(), b"", "what waited is dropped");
            assert_eq!(end.only_closed().cause, Cause::Transport(error));
        }
    }
}

#[test]
fn a_reset_after_both_close_frames_is_clean() {
    let mut client = open(Role::Client);
    client.receive(&wire::from(Role::Server, CLOSE, b""));
    client.sent();
    client.transport_failed(TransportError::Reset);
    assert_eq!(client.only_closed().cause, Cause::Clean);
}

#[test]
fn a_reset_after_the_own_close_frame_is_a_reset() {
    let mut client = open(Role::Client);
    client.close(CloseCode::NORMAL, "").unwrap();
    client.sent();
    client.transport_failed(TransportError::Reset);
    let closed = client.only_closed();
    assert_eq!(closed.cause, Cause::Transport(TransportError::Reset));
    assert_eq!(closed.first, Role::Client);
}

#[test]
fn what_made_this_end_fail_is_the_cause_whatever_happens_next() {
    let failed = Cause::Failed(Failure::Violation(Violation::ReservedBits { bits: 7 }));
    let ends: [fn(&mut Connection); 4] = [
        Connection::eof,
        |end| end.transport_failed(TransportError::Reset),
        |end| {
            end.sent();
            end.transport_failed(TransportError::BrokenPipe);
        },
        |end| {
            end.timeout(ms(0));
            end.timeout(ms(5_000));
        },
    ];
    for (index, finish) in ends.into_iter().enumerate() {
        let mut end = open(Role::Server);
        end.receive(&[0xFF]);
        finish(&mut end);
        end.sent();
        assert_eq!(end.only_closed().cause, failed, "case {index}");
    }
}

#[test]
fn the_first_failure_is_the_cause() {
    let mut server = open(Role::Server);
    server.at(20_000);
    // Nothing can be written, so the connection does not end with the Pong that did not come.
    server.at(40_000);
    server.receive(&[0xFF]);
    server.eof();
    server.sent();
    assert_eq!(server.only_closed().cause, Cause::PongTimeout);
}

#[test]
fn after_a_failure_the_close_frame_is_written_then_the_stream_is_half_closed_and_drained() {
    let mut server = open(Role::Server);
    server.send_text("before").unwrap();
    server.receive(&[0xFF]);
    assert!(!server.wants_shutdown(), "the Close frame waits");
    let sent: Vec<u8> = server.frames_sent().iter().map(|frame| frame.first).collect();
    assert_eq!(sent, [TEXT, CLOSE]);
    assert!(server.wants_shutdown());
    assert_eq!(server.receive(&wire::from(Role::Client, TEXT, b"x")), [], "what still comes is discarded");
    assert!(server.wants_shutdown());
    server.eof();
    assert!(!server.wants_shutdown());
    server.only_closed();
}

#[test]
fn a_limit_is_a_cause_with_its_code() {
    let mut pair = Pair::with(|setup| setup.limits.message = 100);
    pair.client.connection.send_binary(&[0; 101]).unwrap();
    pair.run();
    let limit = LimitExceeded::Message { len: 101, limit: 100 };
    assert_eq!(pair.server.closed().cause, Cause::Failed(Failure::Limit(limit)));
    // The client did nothing wrong that it knows of: it is told and answers.
    assert_eq!(pair.client.closed().cause, Cause::Clean);
    assert_eq!(pair.client.closed().received.as_ref().map(|frame| frame.code()), Some(CloseCode::TOO_BIG));
    assert_eq!(pair.client.closed().first, Role::Server);
}

#[test]
fn each_time_limit_is_a_cause_with_its_code() {
    let second = Some(Duration::from_secs(1));
    let mut pong = open_with(Role::Server, |setup| {
        (setup.timeouts.ping_interval, setup.timeouts.pong) = (second, second);
    });
    pong.at(1_000);
    pong.sent();
    pong.at(2_000);
    assert_code(&mut pong, Cause::PongTimeout, 1011);

    let mut idle = open_with(Role::Server, |setup| setup.timeouts.idle = second);
    idle.at(1_000);
    assert_code(&mut idle, Cause::IdleTimeout, 1001);

    let mut message = open_with(Role::Server, |setup| setup.timeouts.message = second);
    message.receive(&wire::from(Role::Client, wire::TEXT_FIRST, b"a"));
    message.at(0);
    message.at(1_000);
    assert_code(&mut message, Cause::MessageTimeout, 1008);

    let mut close = open(Role::Server);
    close.close(CloseCode::NORMAL, "").unwrap();
    close.at(0);
    close.timeout(ms(5_000));
    assert_eq!(close.only_closed().cause, Cause::CloseTimeout(Role::Client));
}

/// Asserts that a Close frame with `code` is sent, and that the end has this cause.
#[track_caller]
fn assert_code(end: &mut Connection, cause: Cause, code: u16) {
    let close = end.frames_sent().pop().expect("a Close frame");
    assert_eq!((close.first, &close.payload[..2]), (CLOSE, &code.to_be_bytes()[..]));
    end.eof();
    assert_eq!(end.only_closed().cause, cause);
}

#[test]
fn a_failure_after_the_own_close_frame_sends_no_second_one() {
    let mut client = open(Role::Client);
    client.close(CloseCode::NORMAL, "bye").unwrap();
    let violation = Violation::ReservedBits { bits: 7 };
    assert_eq!(client.receive(&[0xFF]), [Seen::Failed(violation.into())]);
    assert_eq!(client.frames_sent().len(), 1);
    client.eof();
    let closed = client.only_closed();
    assert_eq!(closed.cause, Cause::Failed(violation.into()));
    assert_eq!(closed.sent.map(|frame| frame.code()), Some(CloseCode::NORMAL));
}
