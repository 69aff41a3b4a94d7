//! `Timeouts::message`: time from the first to the last byte of a message, kept to within an eighth.

use sansocket::{Cause, Role};

use crate::clock::{Clock, secs};
use crate::support::drive::BOTH;
use crate::support::wire::{self, BINARY, LAST, MIDDLE, PING, TEXT, TEXT_FIRST};

fn limited(role: Role) -> Clock {
    Clock::with(role, |limits| limits.message = secs(8))
}

#[test]
fn a_message_that_trickles_in_is_given_up_between_the_limit_and_nine_eighths_of_it() {
    for role in BOTH {
        for begun in [0, 1, 999, 1_000, 1_001, 5_500] {
            let mut clock = limited(role);
            let frame = wire::from(role.peer(), BINARY, &[0; 120]);
            for (n, byte) in frame.iter().enumerate() {
                clock.receive_at(begun + 100 * n as u64, &[*byte]);
            }
            // 120 bytes take 12 s.
            let (at, code) = clock.close_sent().expect("a Close frame");
            assert!((begun + 8_000..=begun + 9_000).contains(&at), "begun at {begun}, given up at {at}");
            assert_eq!(code, 1008);
            assert_eq!(
                clock.end_of_itself(),
                (at + 5_000, Cause::MessageTimeout),
                "the peer may still be sending"
            );
        }
    }
}

#[test]
fn fragments_and_control_frames_between_them_give_no_time() {
    let mut clock = limited(Role::Server);
    clock.receive_at(0, &wire::from(Role::Client, TEXT_FIRST, b"a"));
    for at in (500..20_000).step_by(500) {
        clock.receive_at(at, &wire::from(Role::Client, MIDDLE, b"b"));
        clock.receive_at(at, &wire::from(Role::Client, PING, b""));
    }
    let given_up = clock.close_sent().map(|(at, _)| at);
    assert!(given_up.is_some_and(|at| (8_000..=9_000).contains(&at)), "{given_up:?}");
    assert_eq!(clock.end_of_itself().1, Cause::MessageTimeout);
}

#[test]
fn a_message_in_time_is_in_time() {
    let mut clock = limited(Role::Server);
    clock.receive_at(0, &wire::from(Role::Client, TEXT_FIRST, b"a"));
    let seen = clock.receive_at(7_999, &wire::from(Role::Client, LAST, b"b"));
    assert_eq!(seen.len(), 1);
    clock.run_until(100_000);
    assert_eq!(clock.ended, None, "and between messages no time runs");
}

#[test]
fn each_message_has_the_whole_time() {
    let mut clock = limited(Role::Server);
    // There is a message open at every look, but never the same for long.
    clock.receive_at(0, &wire::from(Role::Client, TEXT_FIRST, b"a"));
    for at in (700..100_000).step_by(700) {
        let next =
            [wire::from(Role::Client, LAST, b"b"), wire::from(Role::Client, TEXT_FIRST, b"a")].concat();
        assert_eq!(clock.receive_at(at, &next).len(), 1);
    }
    assert_eq!(clock.ended, None);
}

#[test]
fn whole_messages_need_no_time() {
    let mut clock = limited(Role::Server);
    for at in (0..100_000).step_by(100) {
        clock.receive_at(at, &wire::from(Role::Client, TEXT, b"text"));
    }
    assert_eq!(clock.ended, None);
}
