//! `Limits::message`, `Limits::frame` and `Limits::fragments`: judged on the header.

use sansocket::{Connection, Delivery, LimitExceeded, Limits, Role};

use crate::support::drive::{BOTH, Drive, assert_fails, open_with};
use crate::support::seen::Seen;
use crate::support::wire::{self, BINARY, BINARY_FIRST, LAST, MIDDLE, TEXT};

fn limited(role: Role, limits: impl Fn(&mut Limits)) -> Connection {
    open_with(role, |setup| limits(&mut setup.limits))
}

/// A header with everything but the payload data.
fn header(sender: Role, first: u8, len: u64) -> Vec<u8> {
    let mut header = wire::header(first, sender == Role::Client, len);
    header.extend((sender == Role::Client).then_some(wire::KEY).into_iter().flatten());
    header
}

#[test]
fn a_message_below_or_at_the_limit_is_received_and_one_above_is_refused_on_its_header() {
    for receiver in BOTH {
        for limit in [0_usize, 1, 125, 126, 1000, 65_535, 65_536] {
            let end = || limited(receiver, |limits| limits.message = limit);
            for len in [limit.saturating_sub(1), limit] {
                let frame = wire::from(receiver.peer(), BINARY, &vec![1; len]);
                assert_eq!(end().receive(&frame), [Seen::Binary(vec![1; len])], "{len} of {limit} bytes");
            }
            let len = limit as u64 + 1;
            for first in [TEXT, BINARY, BINARY_FIRST] {
                let above = header(receiver.peer(), first, len);
                assert_fails(end(), &above, LimitExceeded::Message { len, limit }, 1009);
                let whole = wire::from(receiver.peer(), first, &vec![1; limit + 1]);
                assert_fails(end(), &whole, LimitExceeded::Message { len, limit }, 1009);
            }
        }
    }
}

#[test]
fn fragments_add_up_to_the_message_limit() {
    for receiver in BOTH {
        let end = || limited(receiver, |limits| limits.message = 100);
        let from = |first, len: usize| wire::from(receiver.peer(), first, &vec![1; len]);
        let at = [from(BINARY_FIRST, 40), from(MIDDLE, 40), from(MIDDLE, 0), from(LAST, 20)].concat();
        assert_eq!(end().receive(&at), [Seen::Binary(vec![1; 100])]);
        // The limit is of a message, not of all of them.
        assert_eq!(end().receive(&[&at[..], &at].concat()).len(), 2);
        let before = [from(BINARY_FIRST, 40), from(MIDDLE, 40)].concat();
        for last in [header(receiver.peer(), LAST, 21), from(LAST, 21)] {
            let above = [&before[..], &last].concat();
            assert_fails(end(), &above, LimitExceeded::Message { len: 101, limit: 100 }, 1009);
        }
    }
}

#[test]
fn a_frame_below_or_at_its_limit_is_received_and_one_above_is_refused_on_its_header() {
    for receiver in BOTH {
        let end = || limited(receiver, |limits| (limits.message, limits.frame) = (1000, 100));
        let from = |first, len: usize| wire::from(receiver.peer(), first, &vec![1; len]);
        assert_eq!(end().receive(&from(BINARY, 99)).len(), 1);
        assert_eq!(end().receive(&from(BINARY, 100)).len(), 1);
        let fragments = [from(BINARY_FIRST, 100), from(LAST, 100)].concat();
        assert_eq!(end().receive(&fragments), [Seen::Binary(vec![1; 200])]);
        for first in [TEXT, BINARY, BINARY_FIRST] {
            let above = header(receiver.peer(), first, 101);
            assert_fails(end(), &above, LimitExceeded::Frame { len: 101, limit: 100 }, 1009);
        }
        let above = [from(BINARY_FIRST, 100), header(receiver.peer(), LAST, 101)].concat();
        assert_fails(end(), &above, LimitExceeded::Frame { len: 101, limit: 100 }, 1009);
    }
}

#[test]
fn fragments_are_counted_even_when_they_are_empty() {
    for receiver in BOTH {
        for payload in [&b""[..], b"x"] {
            let end = || limited(receiver, |limits| limits.fragments = 5);
            let from = |first| wire::from(receiver.peer(), first, payload);
            for middle in 0..=3 {
                let frames = [from(BINARY_FIRST), from(MIDDLE).repeat(middle), from(LAST)].concat();
                assert_eq!(end().receive(&frames).len(), 1, "{} frames", middle + 2);
            }
            for last in [MIDDLE, LAST] {
                let sixth = header(receiver.peer(), last, 0);
                let frames = [from(BINARY_FIRST), from(MIDDLE).repeat(4), sixth].concat();
                assert_fails(end(), &frames, LimitExceeded::Fragments { limit: 5 }, 1008);
            }
        }
    }
}

#[test]
fn the_count_of_fragments_begins_anew_with_each_message_and_skips_control_frames() {
    let mut server = limited(Role::Server, |limits| limits.fragments = 2);
    let from = |first| wire::from(Role::Client, first, b"");
    let message = [from(BINARY_FIRST), from(wire::PING), from(wire::PONG), from(LAST)].concat();
    assert_eq!(server.receive(&message.repeat(3)).len(), 9);
}

#[test]
fn the_limits_hold_for_chunks_too() {
    let chunks = || {
        open_with(Role::Client, |setup| {
            setup.delivery = Delivery::Chunks;
            setup.limits.message = 100;
            setup.limits.fragments = 3;
        })
    };
    let limit = LimitExceeded::Message { len: 101, limit: 100 };
    assert_fails(chunks(), &header(Role::Server, BINARY, 101), limit, 1009);
    let frames = [wire::encode(BINARY_FIRST, None, b""), wire::encode(MIDDLE, None, b"").repeat(3)].concat();
    assert_fails(chunks(), &frames, LimitExceeded::Fragments { limit: 3 }, 1008);
}

#[test]
fn control_frames_have_no_limit_but_their_own() {
    let mut server = limited(Role::Server, |limits| (limits.message, limits.frame) = (0, 0));
    let ping = wire::from(Role::Client, wire::PING, &[1; 125]);
    assert_eq!(server.receive(&ping), [Seen::ping(&[1; 125])]);
}

#[test]
fn what_the_peer_is_told_names_the_limit() {
    let mut server = limited(Role::Server, |limits| limits.message = 100);
    server.receive(&header(Role::Client, BINARY, 5_000_000_000));
    let close = &server.frames_sent()[0].payload;
    let reason = core::str::from_utf8(&close[2..]).unwrap();
    assert!(reason.contains("5000000000") && reason.contains("100"), "{reason}");
}
