//! DEFLATE blocks (RFC 1951) that peers send: of every type, in any order, cut, changed, and referring to what is not there.

use sansocket::{CloseCode, Delivery, Role, Violation};

use crate::bits::{Bits, zeros_len};
use crate::naive::Inflater;
use crate::support::drive::{Drive, assert_fails, assert_sees};
use crate::support::seen::{Seen, joined};
use crate::support::wire;
use crate::with_deflate::{
    ALONE, BINARY, Compressor, KEPT, KIB, TEXT, TEXT_FIRST, config, deflated, noise, open, open_chunks,
    open_with, prose, receive_by,
};

#[test]
fn messages_cut_at_every_byte_are_what_the_naive_inflater_makes_of_them() {
    let text = prose(400);
    let mut two_blocks = Compressor::new(6, 15);
    let payloads = [
        deflated(text.as_bytes()),
        Compressor::new(1, 15).message(&noise(100, 1)),
        [two_blocks.flushed(b"one block, "), two_blocks.message(b"and another block")].concat(),
        Bits::default().fixed(true).literal(b'a').literal(0xE9).end().message(),
        Bits::default().fixed(false).literal(b'x').repeat3(1).end().stored(false, b"stored").message(),
        Bits::default().zeros(3).message(),
    ];
    let (mut refused, mut accepted) = (0, 0);
    for payload in payloads {
        for len in 0..=payload.len() {
            let cut = &payload[..len];
            let frame = wire::encode(BINARY, None, cut);
            for delivery in [Delivery::Messages, Delivery::Chunks] {
                let mut end =
                    open_with(Role::Client, ALONE, &config(|_| {}), |setup| setup.delivery = delivery);
                let seen = joined(&end.receive(&frame));
                match Inflater::default().message(cut) {
                    Ok(message) => {
                        assert_eq!(seen, [Seen::Binary(message)], "{len} bytes of {payload:02x?}");
                        accepted += 1;
                    }
                    Err(fault) => {
                        let [Seen::Failed(failure)] = seen[..] else { panic!("{fault:?}, but {seen:?}") };
                        assert_eq!(failure.close_code(), CloseCode::INVALID_DATA);
                        refused += 1;
                    }
                }
            }
        }
    }
    assert!(refused > 500 && accepted > 12, "{refused} refused, {accepted} accepted");
}

/// What is missing is the end of the block alone, which the first byte of the tail would be taken for.
#[test]
fn a_message_cut_right_before_the_end_of_its_block_is_called_cut() {
    let mut bits = Bits::default();
    bits.fixed(false);
    // Three bits and five codes of nine bits: the end would begin with a byte.
    for _ in 0..5 {
        bits.literal(0xE9);
    }
    let frame = wire::encode(BINARY, None, &bits.done());
    for end in [open(Role::Client, ALONE), open_chunks(Role::Client, KEPT)] {
        let mut seen = assert_fails(end, &frame, Violation::TruncatedDeflate, 1007);
        seen.retain(|seen| !matches!(seen, Seen::Chunk { last: false, .. }));
        assert_eq!(seen, []);
    }
}

#[test]
fn changed_bytes_give_what_the_naive_inflater_makes_of_them() {
    let text = prose(150);
    let fixed = Bits::default().fixed(false).literal(b'h').literal(b'i').repeat3(2).end().message();
    let (mut refused, mut accepted) = (0, 0);
    for payload in [deflated(text.as_bytes()), deflated(b"Hello"), fixed] {
        for at in 0..payload.len() {
            for change in [0x01, 0x80, 0xFF, 0x10] {
                let mut payload = payload.clone();
                payload[at] ^= change;
                let mut end = open(Role::Client, ALONE);
                let seen = end.receive(&wire::encode(BINARY, None, &payload));
                match Inflater::default().message(&payload) {
                    Ok(message) => {
                        assert_eq!(seen, [Seen::Binary(message)], "{payload:02x?}");
                        accepted += 1;
                    }
                    Err(fault) => {
                        assert!(
                            matches!(seen[..], [Seen::Failed(_)]),
                            "{fault:?}, but {seen:?}: {payload:02x?}"
                        );
                        refused += 1;
                    }
                }
            }
        }
    }
    assert!(refused > 50 && accepted > 50, "{refused} refused, {accepted} accepted");
}

#[test]
fn blocks_of_every_type_in_one_message() {
    let mut bits = Bits::default();
    bits.stored(false, b"stored, ").fixed(false);
    for byte in b"fixed, " {
        bits.literal(*byte);
    }
    let payload = bits.end().stored(false, b"").stored(false, b"stored, ").zeros(2).message();
    let expected = [b"stored, fixed, stored, ".to_vec(), vec![0; zeros_len(2)]].concat();
    for params in [KEPT, ALONE] {
        let frame = wire::encode(BINARY, None, &payload);
        assert_sees(|| open(Role::Client, params), &frame, &[Seen::binary(&expected)]);
    }
}

#[test]
fn many_final_blocks_in_one_message() {
    let mut bits = Bits::default();
    for i in 0..200_u8 {
        bits.fixed(true).literal(i).end().align();
    }
    let payload = bits.message();
    let expected: Vec<u8> = (0..200).collect();
    let frame = wire::encode(BINARY, None, &payload);
    for delivery in [Delivery::Messages, Delivery::Chunks] {
        let open = || open_with(Role::Client, KEPT, &config(|_| {}), |setup| setup.delivery = delivery);
        assert_eq!(joined(&open().receive(&frame)), [Seen::binary(&expected)]);
        assert_eq!(joined(&open().receive_bytewise(&frame)), [Seen::binary(&expected)]);
    }
}

#[test]
fn many_empty_blocks_are_no_fault() {
    // A row of stored blocks, and of fixed ones, ten bits each, which say nothing.
    for fixed in [false, true] {
        let mut bits = Bits::default();
        for _ in 0..5_000 {
            if fixed {
                bits.fixed(false).end();
            } else {
                bits.stored(false, b"");
            }
        }
        let payload = bits.fixed(false).literal(b'x').end().message();
        let frame = wire::encode(TEXT, None, &payload);
        for len in [frame.len(), 1] {
            for delivery in [Delivery::Messages, Delivery::Chunks] {
                let mut end =
                    open_with(Role::Client, ALONE, &config(|_| {}), |setup| setup.delivery = delivery);
                assert_eq!(joined(&receive_by(&mut end, &frame, len)), [Seen::text("x")], "{fixed}, {len}");
            }
        }
    }
    // And right at the end, where the tail is added.
    for count in 0..40 {
        let mut bits = Bits::default();
        bits.fixed(false).literal(b'x').end();
        for _ in 0..count {
            bits.fixed(false).end();
        }
        let frame = wire::encode(TEXT, None, &bits.message());
        assert_eq!(open(Role::Client, ALONE).receive(&frame), [Seen::text("x")], "{count} empty blocks");
        let mut bits = Bits::default();
        bits.fixed(false).literal(b'x').end();
        for _ in 0..count {
            bits.fixed(false).end();
        }
        let frame = wire::encode(TEXT, None, &bits.fixed(true).end().done());
        assert_eq!(open(Role::Client, ALONE).receive(&frame), [Seen::text("x")], "{count}, with a final one");
    }
}

#[test]
fn a_final_block_that_ends_with_the_buffer() {
    for len in [16 * KIB - 1, 16 * KIB, 16 * KIB + 1, 32 * KIB] {
        let data = noise(len, 8);
        let with_byte = Bits::default().stored(true, &data).message();
        let without = Bits::default().stored(true, &data).done();
        let followed = Bits::default().stored(true, &data).fixed(true).literal(b'.').end().done();
        for (payload, more) in [(with_byte, &b""[..]), (without, b""), (followed, b".")] {
            let frame = wire::encode(BINARY, None, &payload);
            let expected = [&data[..], more].concat();
            for delivery in [Delivery::Messages, Delivery::Chunks] {
                for read in [frame.len(), 4_000] {
                    let mut end =
                        open_with(Role::Client, ALONE, &config(|_| {}), |setup| setup.delivery = delivery);
                    let seen = joined(&receive_by(&mut end, &frame, read));
                    assert!(seen == [Seen::binary(&expected)], "{len}, {delivery:?}, {read}");
                }
            }
        }
    }
}

/// A window that was used for another message, perhaps of another user, is as empty as a new one.
#[test]
fn no_message_can_refer_to_what_another_connection_received() {
    let config = config(|_| {});
    let secret = prose(40_000);
    // Reaches back for what is not there.
    let probe = |distance: u32| {
        let payload = Bits::default().fixed(false).literal(b'x').repeat3(distance).end().message();
        wire::encode(BINARY, None, &payload)
    };
    for params in [ALONE, KEPT] {
        let mut victim = open_with(Role::Client, params, &config, |_| {});
        victim.receive(&wire::encode(TEXT, None, &deflated(secret.as_bytes())));
        // In the middle of a message, the window is given up as well.
        let half = deflated(secret.as_bytes());
        victim.receive(&wire::encode(TEXT_FIRST, None, &half[..half.len() / 2]));
        drop(victim);
        for distance in [2, 3, 100, 16_000, 32_768] {
            let mut attacker = open_with(Role::Client, params, &config, |_| {});
            let seen = attacker.receive(&probe(distance));
            assert!(matches!(seen[..], [Seen::Failed(_)]), "{distance} back: {seen:?}");
        }
    }
    // Nor a message without context takeover to the one before it.
    for distance in [2, 3, 100] {
        let mut end = open_with(Role::Client, ALONE, &config, |_| {});
        end.receive(&wire::encode(TEXT, None, &deflated(secret.as_bytes())));
        assert!(matches!(end.receive(&probe(distance))[..], [Seen::Failed(_)]));
        // With takeover it may.
        let mut end = open_with(Role::Client, KEPT, &config, |_| {});
        end.receive(&wire::encode(TEXT, None, &deflated(secret.as_bytes())));
        assert!(matches!(end.receive(&probe(distance))[..], [Seen::Binary(_)]));
    }
}

#[test]
fn after_a_failure_others_go_on_with_what_it_gave_back() {
    let config = config(|_| {});
    let good = wire::encode(TEXT, None, &deflated(prose(5_000).as_bytes()));
    for bad in [&b"\x06"[..], b"\xF2", b"\xF3\x48", b"\x00\x05\x00"] {
        for (params, delivery) in [(ALONE, Delivery::Messages), (KEPT, Delivery::Chunks)] {
            let mut failing = open_with(Role::Client, params, &config, |setup| setup.delivery = delivery);
            let seen = failing.receive(&wire::encode(BINARY, None, bad));
            assert!(matches!(seen.last(), Some(Seen::Failed(_))), "{seen:?}");
            let mut other = open_with(Role::Client, params, &config, |_| {});
            assert_eq!(other.receive(&good), [Seen::text(&prose(5_000))]);
        }
    }
}

#[test]
fn peers_with_any_window_and_level_are_understood() {
    for bits in 8..=15 {
        for level in [1, 6, 9] {
            // The library below cannot compress with 256 bytes, and this end cannot tell.
            let mut peer = Compressor::new(level, bits.max(9));
            let mut end = open(Role::Client, KEPT);
            for message in [prose(1_000), prose(40_000), prose(300)] {
                let frame = wire::encode(TEXT, None, &peer.message(message.as_bytes()));
                assert!(end.receive(&frame) == [Seen::Text(message)]);
            }
        }
    }
}
