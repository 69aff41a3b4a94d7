//! What holds for every time limit: time only moves by `now`, and a deadline in the past fires once.

use core::time::Duration;

use sansocket::{Instant, Role};

use crate::clock::secs;
use crate::support::drive::{BOTH, Drive, ms, open, open_with};

#[test]
fn time_moves_by_timeout_alone() {
    let mut end = open(Role::Server);
    let deadline = end.deadline();
    assert_eq!(deadline, Some(ms(20_000)));
    for _ in 0..100 {
        end.receive(b"");
        end.sent();
        assert_eq!(end.deadline(), deadline);
    }
}

#[test]
fn a_time_before_the_deadline_changes_nothing() {
    let mut end = open(Role::Server);
    for millis in [0, 1, 10_000, 19_999] {
        assert_eq!(end.at(millis), []);
        assert_eq!(end.deadline(), Some(ms(20_000)));
    }
    assert_eq!(end.sent(), b"");
}

#[test]
fn now_may_run_backwards() {
    for role in BOTH {
        let mut end = open(role);
        end.at(20_000);
        assert_eq!(end.frames_sent().len(), 1);
        let deadline = end.deadline();
        for millis in [0, 19_999, 5, 20_000] {
            assert_eq!(end.at(millis), []);
            assert_eq!(end.deadline(), deadline);
        }
        assert_eq!(end.sent(), b"");
    }
}

#[test]
fn a_limit_that_begins_while_now_runs_backwards_is_not_shorter() {
    let mut end = open(Role::Server);
    end.at(10_000);
    end.close(sansocket::CloseCode::NORMAL, "").unwrap();
    end.at(2_000);
    assert_eq!(end.deadline(), Some(ms(15_000)));
}

#[test]
fn a_deadline_in_the_past_fires_once() {
    for (idle, message) in [(None, None), (secs(100), secs(100))] {
        let mut end = open_with(Role::Server, |setup| {
            (setup.timeouts.idle, setup.timeouts.message) = (idle, message);
        });
        let far = ms(90_000);
        end.timeout(far);
        assert!(end.deadline().is_some_and(|deadline| deadline > far), "{:?}", end.deadline());
        assert_eq!(end.frames_sent().len(), 1);
        end.timeout(far);
        assert_eq!(end.sent(), b"");
    }
}

#[test]
fn the_end_of_time_is_no_panic() {
    let never = Some(Duration::MAX);
    for role in BOTH {
        let mut end = open_with(role, |setup| {
            let timeouts = &mut setup.timeouts;
            (timeouts.ping_interval, timeouts.pong, timeouts.idle) = (never, never, never);
            (timeouts.message, timeouts.close) = (never, Duration::MAX);
        });
        end.timeout(Instant::from_nanos(u64::MAX - 1));
        end.receive(&[0xFF]);
        end.timeout(Instant::from_nanos(u64::MAX));
        end.timeout(Instant::ZERO);
    }
}

#[test]
fn instants_saturate() {
    let late = Instant::from_nanos(u64::MAX);
    assert_eq!(late + Duration::from_secs(1), late);
    assert_eq!(Instant::ZERO + Duration::MAX, late);
    assert_eq!(Instant::ZERO.since(late), Duration::ZERO);
    assert_eq!(ms(3).since(ms(1)), Duration::from_millis(2));
    assert_eq!((ms(1) + Duration::from_millis(2)).as_nanos(), 3_000_000);
}
