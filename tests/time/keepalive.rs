//! Keepalive: `Timeouts::ping_interval` and `Timeouts::pong`.

use core::time::Duration;

use bytes::{Buf, BytesMut};
use sansocket::{Cause, Role, State};

use crate::clock::{Clock, secs};
use crate::support::drive::{BOTH, Drive, ms, open_with};
use crate::support::seen::Seen;
use crate::support::wire::{self, BINARY, BINARY_FIRST, MIDDLE, PING, PONG, TEXT};

/// A Ping after every 20 s, and 10 s for its Pong.
fn keepalive(role: Role) -> Clock {
    Clock::with(role, |limits| (limits.ping_interval, limits.pong) = (secs(20), secs(10)))
}

/// Answers the newest Ping at this time.
fn answer(clock: &mut Clock, role: Role, millis: u64) {
    let ping = clock.written.last().expect("a Ping was sent").1.payload.clone();
    clock.receive_at(millis, &wire::from(role.peer(), PONG, &ping));
}

#[test]
fn a_ping_is_sent_after_each_interval() {
    for role in BOTH {
        let mut clock = keepalive(role);
        clock.run_until(19_999);
        assert_eq!(clock.written, [], "below");
        clock.run_until(20_000);
        assert_eq!(clock.written.len(), 1, "at");
        for n in 2..=5 {
            answer(&mut clock, role, n * 20_000 - 15_000);
            clock.run_until(n * 20_000);
        }
        let sent: Vec<_> = clock.written.iter().map(|(at, frame)| (*at, frame.first)).collect();
        let expected = [20_000, 40_000, 60_000, 80_000, 100_000].map(|at| (at, PING));
        assert_eq!(sent, expected);
    }
}

#[test]
fn each_ping_has_a_payload_of_its_own() {
    let mut clock = keepalive(Role::Server);
    clock.run_until(20_000);
    answer(&mut clock, Role::Server, 20_100);
    clock.run_until(40_000);
    assert_ne!(clock.written[0].1.payload, clock.written[1].1.payload);
}

#[test]
fn a_peer_that_does_not_answer_is_given_up_at_the_limit() {
    for role in BOTH {
        let mut clock = keepalive(role);
        clock.run_until(29_999);
        assert_eq!(clock.ended, None, "below");
        clock.run_until(30_000);
        assert_eq!(clock.ended, Some((30_000, Cause::PongTimeout)), "at");
        assert_eq!(clock.close_sent().map(|(_, code)| code), Some(1011));
    }
}

#[test]
fn a_pong_just_in_time_is_in_time() {
    let mut clock = keepalive(Role::Server);
    clock.run_until(20_000);
    answer(&mut clock, Role::Server, 29_999);
    clock.run_until(49_999);
    assert_eq!(clock.ended, None);
    assert_eq!(clock.end_of_itself(), (50_000, Cause::PongTimeout));
}

#[test]
fn only_the_pong_of_the_newest_ping_is_an_answer() {
    let mut clock = keepalive(Role::Server);
    clock.run_until(20_000);
    let first = clock.written[0].1.payload.clone();
    answer(&mut clock, Role::Server, 21_000);
    clock.run_until(40_000);
    clock.receive_at(41_000, &wire::from(Role::Client, PONG, &first));
    clock.receive_at(42_000, &wire::from(Role::Client, PONG, b""));
    clock.receive_at(43_000, &wire::from(Role::Client, PONG, b"other"));
    assert_eq!(clock.end_of_itself(), (50_000, Cause::PongTimeout));
}

#[test]
fn messages_and_fragments_are_no_answer_to_a_ping() {
    for first in [TEXT, MIDDLE] {
        let mut clock = keepalive(Role::Server);
        clock.receive_at(0, &wire::from(Role::Client, BINARY_FIRST, b""));
        if first == TEXT {
            clock.receive_at(0, &wire::from(Role::Client, wire::LAST, b""));
        }
        for at in (1_000..30_000).step_by(1_000) {
            clock.receive_at(at, &wire::from(Role::Client, first, b"a"));
        }
        assert_eq!(clock.end_of_itself(), (30_000, Cause::PongTimeout), "{first:#x}");
    }
}

#[test]
fn a_long_frame_that_is_arriving_gives_the_peer_the_time_again() {
    let mut clock = keepalive(Role::Server);
    let frame = wire::from(Role::Client, BINARY, &vec![0; 100_000]);
    let (begin, rest) = frame.split_at(1_000);
    clock.receive_at(10_000, begin);
    // The Ping of 20 s cannot be answered inside the frame; bytes come until 45 s, the Pong right after the frame.
    let mut pieces = rest.chunks(10_000);
    for at in (25_000..=45_000).step_by(2_000) {
        clock.receive_at(at, pieces.next().unwrap_or_default());
    }
    answer(&mut clock, Role::Server, 46_000);
    assert_eq!((clock.ended, pieces.next()), (None, None));
}

#[test]
fn a_frame_that_stopped_arriving_gives_no_time() {
    let mut clock = keepalive(Role::Server);
    clock.receive_at(19_000, &wire::from(Role::Client, BINARY, &[0; 1000])[..500]);
    assert_eq!(clock.end_of_itself(), (30_000, Cause::PongTimeout));
}

#[test]
fn a_pong_that_waits_unread_gives_the_peer_the_time_again() {
    let mut clock = keepalive(Role::Server);
    clock.run_until(20_000);
    // Two messages came, then the Pong. The application takes only the first: it is slow, not the peer.
    let ping = clock.written[0].1.payload.clone();
    let text = wire::from(Role::Client, TEXT, b"text");
    let mut input = BytesMut::from(&[&text[..], &text, &wire::from(Role::Client, PONG, &ping)].concat()[..]);
    assert!(clock.end.read(&mut input).next().is_some());
    clock.run_until(35_000);
    assert_eq!(clock.ended, None);
    let mut reader = clock.end.read(&mut input);
    while reader.next().is_some() {}
    drop(reader);
    clock.run_until(49_999);
    assert_eq!(clock.ended, None);
}

#[test]
fn nothing_is_sent_or_ended_where_keepalive_is_off() {
    let mut off = Clock::with(Role::Server, |_| {});
    assert_eq!(off.end.deadline(), None);
    off.run_until(10_000_000);
    assert_eq!((off.written.len(), off.ended), (0, None));
    let mut no_limit = Clock::with(Role::Server, |limits| limits.ping_interval = secs(20));
    no_limit.run_until(100_000);
    assert_eq!((no_limit.written.len(), no_limit.ended), (5, None), "Pings, and nobody waits for Pongs");
}

#[test]
fn no_ping_is_sent_while_one_waits_for_its_pong() {
    let mut clock =
        Clock::with(Role::Server, |limits| (limits.ping_interval, limits.pong) = (secs(1), secs(10)));
    clock.run_until(10_999);
    assert_eq!(clock.written.len(), 1);
}

#[test]
fn a_blocked_writer_does_not_stop_reading_or_the_pong_limit() {
    let mut clock = keepalive(Role::Server);
    clock.stuck = true;
    clock.end.send_binary(&[0; 1_000]).unwrap();
    let seen = clock.receive_at(25_000, &wire::from(Role::Client, TEXT, b"still read"));
    assert_eq!(seen.len(), 1);
    clock.receive_at(26_000, &wire::from(Role::Client, PING, b""));
    // 30 s: the Pong is due. Its Close frame cannot be written either, so 1 s later the time for closing is over.
    assert_eq!(clock.end_of_itself(), (31_000, Cause::PongTimeout));
}

#[test]
fn a_ping_that_waits_behind_a_frame_that_the_peer_is_reading_gives_the_peer_the_time_again() {
    let mut clock = keepalive(Role::Server);
    clock.stuck = true;
    clock.end.send_binary(&[0; 1_000]).unwrap();
    for at in (0..100_000).step_by(5_000) {
        clock.run_until(at);
        // The peer reads, but slowly: the Ping of 20 s has not left yet.
        clock.end.transmit().advance(10);
    }
    assert_eq!(clock.ended, None);
}

#[test]
fn a_late_driver_sends_one_ping_and_not_all_that_were_missed() {
    let mut clock = keepalive(Role::Server);
    clock.end.timeout(ms(1_000_000));
    assert_eq!(clock.end.frames_sent().len(), 1);
    assert_eq!(clock.end.deadline(), Some(ms(1_010_000)));
}

#[test]
fn a_peer_that_reads_what_waits_for_it_is_alive_although_nobody_reads_its_pongs() {
    for role in BOTH {
        let mut end = open_with(role, |setup| {
            (setup.timeouts.ping_interval, setup.timeouts.pong) = (secs(20), secs(10));
        });
        end.send(vec![0; 500_000]).unwrap();
        for tick in 0..20 {
            assert_eq!(end.at(tick * 10_000), [], "at {tick}0 s");
            end.transmit().advance(10_000);
        }
        // It stops reading: no byte is written for the time of a Pong.
        let mut seen = Vec::new();
        for tick in 20..30 {
            seen.extend(end.at(tick * 10_000));
        }
        assert!(
            matches!(&seen[..], [Seen::Closed(closed)] if closed.cause == Cause::PongTimeout),
            "{seen:?}"
        );
    }
}

#[test]
fn the_limit_of_a_pong_is_told_by_the_names_that_the_user_knows() {
    for (role, names) in [
        (Role::Client, "within timeouts.pong (heartbeat_timeout); this end sent"),
        (Role::Server, "within timeouts.pong; this end sent"),
    ] {
        let mut end = open_with(role, |setup| {
            (setup.timeouts.ping_interval, setup.timeouts.pong) = (secs(20), secs(10));
        });
        end.at(20_000);
        end.sent();
        end.at(30_000);
        end.sent();
        let seen = end.at(40_000);
        let [Seen::Closed(closed)] = &seen[..] else { panic!("{seen:?}") };
        assert!(closed.to_string().contains(names), "{closed}");
    }
}

#[test]
fn a_connection_whose_reading_is_paused_does_not_blame_the_peer() {
    for role in BOTH {
        for paused in [true, false] {
            let mut end = open_with(role, |setup| {
                (setup.timeouts.ping_interval, setup.timeouts.pong) = (secs(20), secs(10));
            });
            if paused {
                end.pause();
            }
            for tick in 0..10 {
                end.timeout(ms(tick * 10_000));
                end.sent();
            }
            assert_eq!(end.state() == State::Open, paused);
        }
    }
}

#[test]
fn a_paused_connection_still_finds_a_peer_that_does_not_take_what_is_written() {
    let mut clock = keepalive(Role::Server);
    clock.end.pause();
    clock.stuck = true;
    assert_eq!(clock.end_of_itself(), (31_000, Cause::PongTimeout), "the Pong's 10 s, and 1 s for closing");
}

#[test]
fn a_peer_that_is_gone_while_much_is_written_is_found_by_when_the_last_byte_was_taken() {
    for last in [5_000, 19_000, 20_000, 23_000, 29_000, 45_000] {
        for role in BOTH {
            let mut clock = keepalive(role);
            clock.stuck = true;
            clock.end.send_binary(&[0; 10_000]).unwrap();
            for at in (1_000..=last).step_by(1_000) {
                clock.run_until(at);
                clock.end.transmit().advance(10);
            }
            let (ended, cause) = clock.end_of_itself();
            assert_eq!(cause, Cause::PongTimeout);
            // From the Ping or the last byte on, the Pong's 10 s; an eighth of that until it is seen that nothing is taken any more; 1 s for closing.
            let limit = last.max(20_000) + 10_000 + 1_000;
            assert!((limit..=limit + 1_250).contains(&ended), "{ended} ms, the last byte at {last} ms");
        }
    }
}

#[test]
fn a_shorter_limit_for_closing_holds_after_a_ping_without_an_answer_too() {
    let mut clock = Clock::with(Role::Client, |limits| {
        (limits.ping_interval, limits.pong, limits.close) = (secs(20), secs(10), Duration::from_millis(300));
    });
    clock.stuck = true;
    assert_eq!(clock.end_of_itself(), (30_300, Cause::PongTimeout));
}
