//! `Timeouts::close`: the closing handshake, from the first Close frame to the end of TCP.

use core::time::Duration;

use sansocket::{Cause, CloseCode, Role, Violation};

use crate::clock::Clock;
use crate::support::drive::{BOTH, Drive, ms};
use crate::support::wire::{self, CLOSE, TEXT};

#[test]
fn a_peer_that_does_not_answer_close_is_given_up_at_the_limit() {
    for role in BOTH {
        for limit in [Duration::from_millis(1), Duration::from_secs(5), Duration::from_secs(30)] {
            let mut clock = Clock::with(role, |limits| limits.close = limit);
            clock.run_until(7_000);
            clock.end.close(CloseCode::NORMAL, "").unwrap();
            let end = 7_000 + limit.as_millis() as u64;
            clock.run_until(end - 1);
            assert_eq!(clock.ended, None, "below {limit:?}");
            clock.run_until(end);
            assert_eq!(clock.ended, Some((end, Cause::CloseTimeout(role.peer()))), "at {limit:?}");
        }
    }
}

#[test]
fn no_time_for_closing_is_an_end_at_once() {
    let mut clock = Clock::with(Role::Server, |limits| limits.close = Duration::ZERO);
    clock.end.close(CloseCode::NORMAL, "").unwrap();
    clock.run_until(0);
    assert_eq!(clock.ended, Some((0, Cause::CloseTimeout(Role::Client))));
}

#[test]
fn messages_that_go_on_coming_do_not_stop_it() {
    let mut clock = Clock::with(Role::Server, |_| {});
    clock.end.close(CloseCode::NORMAL, "").unwrap();
    for at in (0..20_000).step_by(100) {
        clock.receive_at(at, &wire::from(Role::Client, TEXT, b"more"));
    }
    assert_eq!(clock.ended, Some((5_000, Cause::CloseTimeout(Role::Client))));
}

#[test]
fn a_blocked_writer_does_not_stop_it() {
    let mut clock = Clock::with(Role::Server, |_| {});
    clock.stuck = true;
    clock.receive_at(1_000, &wire::from(Role::Client, CLOSE, b""));
    // The peer sent its Close frame, but did not read the answer.
    assert_eq!(clock.end_of_itself(), (6_000, Cause::CloseTimeout(Role::Client)));
}

#[test]
fn it_runs_after_a_failure_while_the_peer_goes_on_sending() {
    let mut clock = Clock::with(Role::Server, |_| {});
    clock.receive_at(1_000, &[0xFF]);
    assert!(clock.end.wants_shutdown());
    for at in (1_000..20_000).step_by(100) {
        assert_eq!(clock.receive_at(at, &[0xFF; 1000]), []);
    }
    assert_eq!(clock.ended, Some((6_000, Cause::Failed(Violation::ReservedBits { bits: 7 }.into()))));
}

#[test]
fn it_counts_from_the_first_close_frame() {
    let mut clock = Clock::with(Role::Client, |_| {});
    clock.end.close(CloseCode::NORMAL, "").unwrap();
    clock.run_until(3_000);
    // The server answers, but does not end TCP.
    clock.receive_at(4_000, &wire::encode(CLOSE, None, b""));
    assert_eq!(clock.end_of_itself(), (5_000, Cause::Clean));
}

#[test]
fn no_other_limit_runs_while_closing() {
    let mut clock = Clock::with(Role::Server, |limits| {
        let second = Some(Duration::from_secs(1));
        (limits.ping_interval, limits.pong) = (second, second);
        (limits.idle, limits.message) = (second, second);
    });
    clock.end.close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(clock.end_of_itself(), (5_000, Cause::CloseTimeout(Role::Client)));
    assert_eq!(clock.written.len(), 1, "one Close frame and no Ping");
}

#[test]
fn the_deadline_asks_for_the_time_when_closing_begins_in_a_read() {
    let mut clock = Clock::with(Role::Server, |_| {});
    clock.end.timeout(ms(1_000));
    clock.end.receive(&wire::from(Role::Client, CLOSE, b""));
    assert_eq!(clock.end.deadline(), Some(ms(1_000)), "at once: receiving told no time");
    clock.end.timeout(ms(1_200));
    assert_eq!(clock.end.deadline(), Some(ms(6_200)));
}
