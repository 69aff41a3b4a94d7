//! Limits on compressed messages: each below, at and above. What counts is what a message inflates to.

use sansocket::{
    Connection, DeflateParams, Delivery, Failure, LimitExceeded, Limits, MessageKind, Role, Violation,
};

use crate::bits::{Bits, zeros_len};
use crate::support::drive::{BOTH, Drive, assert_fails};
use crate::support::seen::{Seen, joined};
use crate::support::wire::{self, LAST, MIDDLE};
use crate::with_deflate::{
    ALONE, BINARY, BINARY_FIRST, KEPT, MIB, TEXT, config, deflated, noise, open, open_with, receive_by,
};

pub(crate) fn limited(
    params: DeflateParams,
    delivery: Delivery,
    change: impl FnOnce(&mut Limits),
) -> Connection {
    open_with(Role::Client, params, &config(|_| {}), |setup| {
        setup.delivery = delivery;
        change(&mut setup.limits);
    })
}

const DELIVERIES: [Delivery; 2] = [Delivery::Messages, Delivery::Chunks];

/// The bytes of messages that were given, those that never became whole included.
fn given(seen: &[Seen]) -> usize {
    let len = |seen: &Seen| match seen {
        Seen::Chunk { data, .. } | Seen::Binary(data) => data.len(),
        Seen::Text(text) => text.len(),
        _ => 0,
    };
    seen.iter().map(len).sum()
}

#[test]
fn the_message_limit_counts_inflated_bytes_exactly() {
    // Round numbers of the buffers in which a message is inflated, and others.
    for limit in [0, 1, 100, 16_383, 16_384, 16_385, 32_768, 100_000] {
        for content in [vec![b'a'; limit + 2], noise(limit + 2, 5)] {
            for delivery in DELIVERIES {
                for len in [limit.saturating_sub(1), limit, limit + 1, limit + 2] {
                    let payload = deflated(&content[..len]);
                    if payload.len() > limit + limit / 8 + 64 {
                        continue;
                    }
                    let frame = wire::encode(BINARY, None, &payload);
                    for read in [frame.len(), 1_000, 1] {
                        if read == 1 && frame.len() > 5_000 {
                            continue;
                        }
                        let mut end = limited(KEPT, delivery, |limits| limits.message = limit);
                        let seen = receive_by(&mut end, &frame, read);
                        let at = format!("{len} bytes, limit {limit}, {delivery:?}, {read} bytes at a time");
                        if len <= limit {
                            assert_eq!(joined(&seen), [Seen::binary(&content[..len])], "{at}");
                            continue;
                        }
                        let Some(Seen::Failed(Failure::Limit(LimitExceeded::InflatedMessage {
                            compressed,
                            limit: told,
                        }))) = seen.last()
                        else {
                            panic!("{at}: {:?}", seen.last())
                        };
                        assert_eq!(*told, limit, "{at}");
                        assert!(*compressed <= payload.len() as u64, "{at}: {compressed}");
                        assert!(given(&seen) <= limit, "{at}: {} bytes were given", given(&seen));
                    }
                }
            }
        }
    }
}

#[test]
fn the_message_limit_counts_the_fragments_of_a_message_together() {
    let data = vec![b'x'; 1_001];
    let payload = deflated(&data);
    let (first, second) = payload.split_at(payload.len() / 2);
    let frames = [
        wire::encode(BINARY_FIRST, None, first),
        wire::encode(wire::PING, None, b"p"),
        wire::encode(LAST, None, second),
    ]
    .concat();
    for delivery in DELIVERIES {
        let mut end = limited(ALONE, delivery, |limits| limits.message = 1_001);
        let mut seen = joined(&end.receive(&frames));
        assert_eq!(seen.pop(), Some(Seen::Binary(data.clone())));
        assert_eq!(seen, [Seen::ping(b"p")]);
        let mut end = limited(ALONE, delivery, |limits| limits.message = 1_000);
        let seen = end.receive(&frames);
        let failed = matches!(
            seen.last(),
            Some(Seen::Failed(Failure::Limit(LimitExceeded::InflatedMessage { limit: 1_000, .. })))
        );
        assert!(failed, "{seen:?}");
    }
}

#[test]
fn limits_on_the_wire_leave_an_eighth_and_64_bytes_for_what_cannot_be_compressed() {
    let limit = 8_000;
    let most = limit + limit / 8 + 64;
    let whole = |len: usize| wire::header(BINARY, false, len as u64);
    for delivery in DELIVERIES {
        // At the limit the payload may come; over it, the header fails it.
        let end = || limited(ALONE, delivery, |limits| limits.message = limit);
        assert_eq!(end().receive(&whole(most)), []);
        let failure = LimitExceeded::Message { len: most as u64 + 1, limit };
        assert_fails(end(), &whole(most + 1), failure, 1009);
        let end = || limited(ALONE, delivery, |limits| limits.frame = limit);
        assert_eq!(end().receive(&whole(most)), []);
        let failure = LimitExceeded::Frame { len: most as u64 + 1, limit };
        assert_fails(end(), &whole(most + 1), failure, 1009);
        // The frames of a message together.
        let mut end = limited(ALONE, delivery, |limits| limits.message = limit);
        let first = wire::encode(BINARY_FIRST, None, &[]);
        let data = Bits::default().stored(false, &noise(100, 1)).done();
        let middle = wire::encode(MIDDLE, None, &data);
        assert_eq!(joined(&end.receive(&[first, middle].concat())), []);
        // With 16 bytes for each of the two frames before this one.
        let rest = most + 2 * 16 - data.len();
        let failure = LimitExceeded::Message { len: most as u64 + 2 * 16 + 1, limit };
        assert_fails(end, &wire::header(LAST, false, rest as u64 + 1), failure, 1009);
    }
}

#[test]
fn a_message_of_many_tiny_fragments_that_this_library_sends_is_within_the_limits_of_its_length() {
    for params in [ALONE, KEPT] {
        let config = config(|_| {});
        let mut server = open_with(Role::Server, params, &config, |_| {});
        let mut client = open_with(Role::Client, params, &config, |setup| setup.limits.message = 2_000);
        let message = noise(2_000, 7);
        for byte in &message {
            server.send_fragment(MessageKind::Binary, &[*byte], false).unwrap();
        }
        server.send_fragment(MessageKind::Binary, &[], true).unwrap();
        assert!(client.receive(&server.sent()) == [Seen::Binary(message)], "as what it was sent");
    }
}

#[test]
fn messages_that_are_not_compressed_have_no_margin() {
    for delivery in DELIVERIES {
        let end = || limited(ALONE, delivery, |limits| limits.message = 8_000);
        assert_eq!(end().receive(&wire::header(wire::BINARY, false, 8_000)), []);
        let header = wire::header(wire::BINARY, false, 8_001);
        assert_fails(end(), &header, LimitExceeded::Message { len: 8_001, limit: 8_000 }, 1009);
        let end = || limited(ALONE, delivery, |limits| limits.frame = 8_000);
        let header = wire::header(wire::BINARY, false, 8_001);
        assert_fails(end(), &header, LimitExceeded::Frame { len: 8_001, limit: 8_000 }, 1009);
    }
}

#[test]
fn what_this_end_compresses_passes_the_same_limits_at_the_other() {
    // The worst that compression makes of a message still fits.
    for level in 0..=9 {
        for mem_level in [1, 5, 9] {
            for bits in [8, 15] {
                let config = config(|config| (config.level, config.mem_level) = (level, mem_level));
                let params =
                    DeflateParams { server_max_window_bits: bits, client_max_window_bits: bits, ..KEPT };
                let limit = 40_000;
                let mut server = open_with(Role::Server, params, &config, |_| {});
                let mut client = open_with(Role::Client, params, &config, |setup| {
                    (setup.limits.message, setup.limits.frame) = (limit, limit);
                });
                for seed in 0..3 {
                    let message = noise(limit, seed);
                    server.send_binary(&message).unwrap();
                    let sent = server.sent();
                    let header = wire::decode(&sent);
                    let len = header[0].payload.len();
                    assert!(
                        len <= limit + limit / 8 + 64,
                        "level {level}, mem_level {mem_level}, {bits} bits: {len}"
                    );
                    assert!(client.receive(&sent) == [Seen::Binary(message)]);
                }
            }
        }
    }
}

#[test]
fn fragments_of_compressed_messages_are_counted() {
    let payload = deflated(&[b'x'; 100]);
    let (first, second) = payload.split_at(1);
    let frames = [
        wire::encode(BINARY_FIRST, None, first),
        wire::encode(MIDDLE, None, b""),
        wire::encode(LAST, None, second),
    ]
    .concat();
    let end = |fragments| limited(ALONE, Delivery::Messages, |limits| limits.fragments = fragments);
    assert_eq!(end(3).receive(&frames), [Seen::Binary(vec![b'x'; 100])]);
    assert_fails(end(2), &frames, LimitExceeded::Fragments { limit: 2 }, 1008);
}

/// A message whose inflated bytes are exactly `ratio` times its compressed bytes, and over 1 MiB: noise first, so that the
/// ratio only rises.
fn of_ratio(ratio: usize) -> Vec<u8> {
    for zeros in 3_000..20_000 {
        // The noise goes in one stored block of five bytes and its data; whether there is a fit depends on the rest.
        let rest = Bits::default().stored(false, b"").zeros(zeros).message().len();
        let produced = zeros_len(zeros);
        let Some(surplus) = produced.checked_sub(ratio * rest) else { continue };
        if surplus % (ratio - 1) == 0 && surplus / (ratio - 1) <= 65_535 {
            let stored = noise(surplus / (ratio - 1), 3);
            let payload = Bits::default().stored(false, &stored).zeros(zeros).message();
            assert_eq!(ratio * payload.len(), produced + stored.len());
            assert!(payload.len() * ratio > MIB);
            return payload;
        }
    }
    panic!("no message has exactly this ratio")
}

#[test]
fn the_ratio_limit_below_at_and_above() {
    for ratio in [100, 250, 500, 1_000] {
        let payload = of_ratio(ratio);
        let frame = wire::encode(BINARY, None, &payload);
        for delivery in DELIVERIES {
            for limit in [ratio - 1, ratio, ratio + 1] {
                for read in [usize::MAX, 3_000] {
                    let limit = u32::try_from(limit).unwrap();
                    let mut end = limited(ALONE, delivery, |limits| limits.inflate_ratio = limit);
                    let seen = joined(&receive_by(&mut end, &frame, read));
                    match &seen[..] {
                        [Seen::Binary(data)] => {
                            assert!(limit as usize >= ratio);
                            assert_eq!(data.len(), payload.len() * ratio);
                        }
                        [
                            Seen::Failed(Failure::Limit(LimitExceeded::InflateRatio {
                                len,
                                compressed,
                                limit: told,
                            })),
                        ] => {
                            assert_eq!((limit, limit as usize), (*told, ratio - 1));
                            assert!(*len > compressed * u64::from(limit));
                            assert!(*compressed <= payload.len() as u64);
                        }
                        other => panic!("{} events", other.len()),
                    }
                }
            }
        }
    }
}

#[test]
fn the_ratio_limit_does_not_apply_to_the_first_mebibyte() {
    let zeros = |len: usize| wire::encode(BINARY, None, &deflated(&vec![0; len]));
    for delivery in DELIVERIES {
        let strict = || limited(KEPT, delivery, |limits| limits.inflate_ratio = 1);
        let mut end = strict();
        // For each message of a connection anew.
        for _ in 0..2 {
            assert!(joined(&end.receive(&zeros(MIB))) == [Seen::Binary(vec![0; MIB])]);
        }
        let seen = strict().receive(&zeros(MIB + 1));
        let expected = Failure::from(LimitExceeded::InflateRatio {
            len: MIB as u64 + 1,
            compressed: deflated(&vec![0; MIB + 1]).len() as u64,
            limit: 1,
        });
        assert_eq!(seen.last(), Some(&Seen::Failed(expected)));
    }
    let mut unlimited = limited(ALONE, Delivery::Messages, |limits| limits.inflate_ratio = u32::MAX);
    assert!(unlimited.receive(&zeros(3 * MIB)) == [Seen::Binary(vec![0; 3 * MIB])]);
}

#[test]
fn honest_messages_are_far_below_the_default_ratio() {
    // The most repetitive message that says anything: one line of a log, 4 MiB of it.
    let line = b"2026-01-01T00:00:00Z INFO request served in 3 ms path=/index.html status=200\n";
    let log: Vec<u8> = line.iter().copied().cycle().take(4 * MIB).collect();
    let mut end = open(Role::Client, KEPT);
    assert!(end.receive(&wire::encode(BINARY, None, &deflated(&log))) == [Seen::Binary(log)]);
}

#[test]
fn text_within_a_limit_is_checked_before_the_limit_fails_the_message() {
    let payload = deflated(b"ab\xFFcdefgh");
    let frame = wire::encode(TEXT, None, &payload);
    for read in [usize::MAX, 1] {
        let mut end = limited(ALONE, Delivery::Chunks, |limits| limits.message = 5);
        let failed = Failure::from(Violation::InvalidUtf8 { at: 2 });
        assert_eq!(receive_by(&mut end, &frame, read).last(), Some(&Seen::Failed(failed)));
    }
}

#[test]
fn a_limit_that_is_exceeded_ends_both_directions_properly() {
    for role in BOTH {
        let end = open_with(role, KEPT, &config(|_| {}), |setup| setup.limits.message = 10);
        let frame = wire::from(role.peer(), BINARY, &deflated(&[b'a'; 11]));
        let before = wire::from(role.peer(), TEXT, &deflated(b"before"));
        let mut probe = open_with(role, KEPT, &config(|_| {}), |setup| setup.limits.message = 10);
        let Some(Seen::Failed(failure)) = probe.receive(&frame).pop() else { panic!("over the limit") };
        assert!(matches!(failure, Failure::Limit(LimitExceeded::InflatedMessage { limit: 10, .. })));
        // The message before it is delivered.
        let seen = assert_fails(end, &[before, frame].concat(), failure, 1009);
        assert_eq!(seen, [Seen::text("before")]);
    }
}

#[test]
fn kinds_do_not_matter_to_limits() {
    for kind in [MessageKind::Text, MessageKind::Binary] {
        let first = if kind == MessageKind::Text { TEXT } else { BINARY };
        let frame = wire::encode(first, None, &deflated(&[b'a'; 101]));
        let mut end = limited(ALONE, Delivery::Messages, |limits| limits.message = 100);
        assert!(matches!(
            end.receive(&frame)[..],
            [Seen::Failed(Failure::Limit(LimitExceeded::InflatedMessage { limit: 100, .. }))]
        ));
    }
}
