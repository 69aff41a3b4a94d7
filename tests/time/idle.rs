//! `Timeouts::idle`: time without a byte from the peer, kept to within an eighth.

use bytes::BytesMut;
use sansocket::{Cause, Role};

use crate::clock::{Clock, secs};
use crate::support::drive::BOTH;
use crate::support::wire::{self, BINARY, MIDDLE, PING, PONG, TEXT, TEXT_FIRST};

fn idle(role: Role) -> Clock {
    Clock::with(role, |limits| limits.idle = secs(8))
}

#[test]
fn a_peer_that_never_sends_a_byte_is_given_up_at_the_limit() {
    for role in BOTH {
        let mut clock = idle(role);
        clock.run_until(7_999);
        assert_eq!(clock.ended, None, "below");
        clock.run_until(8_000);
        assert_eq!(clock.ended, Some((8_000, Cause::IdleTimeout)), "at");
        assert_eq!(clock.close_sent().map(|(_, code)| code), Some(1001));
    }
}

#[test]
fn the_end_comes_at_least_the_limit_and_at_most_nine_eighths_after_the_last_byte() {
    for last in [1, 500, 999, 1_000, 1_001, 7_000, 7_999] {
        let mut clock = idle(Role::Server);
        clock.receive_at(last, &wire::from(Role::Client, TEXT, b"a"));
        let (at, cause) = clock.end_of_itself();
        assert_eq!(cause, Cause::IdleTimeout);
        assert!((last + 8_000..=last + 9_000).contains(&at), "last byte at {last}, ended at {at}");
    }
}

#[test]
fn every_byte_counts_as_activity() {
    let text_first = wire::from(Role::Client, TEXT_FIRST, b"");
    let long_frame = wire::from(Role::Client, BINARY, &[0; 100]);
    let kinds: [(&str, &[u8], Vec<u8>); 4] = [
        ("Pings", b"", wire::from(Role::Client, PING, b"")),
        ("Pongs", b"", wire::from(Role::Client, PONG, b"")),
        ("fragments", &text_first, wire::from(Role::Client, MIDDLE, b"")),
        ("bytes of one frame", &long_frame[..10], vec![0]),
    ];
    for (name, before, again) in kinds {
        let mut clock = idle(Role::Server);
        clock.receive_at(0, before);
        for at in (5_000..100_000).step_by(5_000) {
            clock.receive_at(at, &again);
        }
        assert_eq!(clock.ended, None, "{name}");
    }
}

#[test]
fn what_this_end_sends_is_no_activity_of_the_peer() {
    let mut clock = idle(Role::Server);
    for at in (0..8_000).step_by(500) {
        clock.run_until(at);
        clock.end.send_text("hello?").unwrap();
    }
    assert_eq!(clock.end_of_itself(), (8_000, Cause::IdleTimeout));
}

#[test]
fn input_that_the_application_has_not_taken_is_no_fault_of_the_peer() {
    let mut clock = idle(Role::Server);
    let text = wire::from(Role::Client, TEXT, b"text");
    let mut input = BytesMut::from(&[&text[..], &text].concat()[..]);
    assert!(clock.end.read(&mut input).next().is_some());
    clock.run_until(100_000);
    assert_eq!(clock.ended, None);
    assert!(clock.end.read(&mut input).next().is_some());
    let (at, cause) = clock.end_of_itself();
    assert_eq!(cause, Cause::IdleTimeout);
    assert!((107_000..=109_000).contains(&at), "{at}");
}
