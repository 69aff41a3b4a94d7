//! What a peer may send: mostly whole conversations, often with something wrong in them, sometimes just bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use sansocket::Role;

use crate::support::wire::{
    self, BINARY, BINARY_FIRST, CLOSE, KEY, LAST, MIDDLE, PING, PONG, TEXT, TEXT_FIRST,
};

pub(crate) fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Client), Just(Role::Server)]
}

/// Lengths of reads or writes, used in turn; each at least one byte.
pub(crate) fn lengths() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        vec(1..8_usize, 1..4),
        vec(1..200_usize, 1..10),
        vec(prop_oneof![1..20_usize, 1..20_000_usize], 1..10),
    ]
}

/// Everything that an endpoint of `sender`'s role may send until the end of its stream, right or wrong.
pub(crate) fn stream(sender: Role) -> impl Strategy<Value = Vec<u8>> {
    let valid = || vec(exchange(sender), 0..8).prop_map(|parts| parts.concat());
    let spoiled = (valid(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut bytes, at, with)| {
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = with;
        }
        bytes
    });
    let frames = vec(any_frame(sender), 0..8).prop_map(|frames| frames.concat());
    prop_oneof![3 => valid(), 3 => spoiled, 2 => frames, 1 => vec(any::<u8>(), 0..200)]
}

/// A whole message, perhaps in fragments with control frames between them, or a control frame.
fn exchange(sender: Role) -> impl Strategy<Value = Vec<u8>> {
    let fragmented = move |first: u8, whole: Vec<u8>, cuts: Vec<prop::sample::Index>, ping: bool| {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.len() + 1)).collect();
        cuts.sort_unstable();
        let (mut frames, mut start, mut opcode) = (Vec::new(), 0, first);
        for cut in cuts {
            frames.extend(wire::from(sender, opcode, &whole[start..cut]));
            if ping {
                frames.extend(wire::from(sender, PING, b"between"));
            }
            (start, opcode) = (cut, MIDDLE);
        }
        let last = if opcode == MIDDLE { LAST } else { opcode | 0x80 };
        frames.extend(wire::from(sender, last, &whole[start..]));
        frames
    };
    let cuts = || vec(any::<prop::sample::Index>(), 0..5);
    prop_oneof![
        3 => (text(), cuts(), any::<bool>())
            .prop_map(move |(text, cuts, ping)| fragmented(TEXT_FIRST, text.into_bytes(), cuts, ping)),
        3 => (payload(), cuts(), any::<bool>())
            .prop_map(move |(bytes, cuts, ping)| fragmented(BINARY_FIRST, bytes, cuts, ping)),
        2 => (prop_oneof![Just(PING), Just(PONG)], vec(any::<u8>(), 0..=125))
            .prop_map(move |(first, payload)| wire::from(sender, first, &payload)),
        1 => (prop_oneof![Just(1000_u16), 990..1020_u16, 2990..3010_u16], "[a-zé€]{0,30}")
            .prop_map(move |(code, reason)| wire::from(sender, CLOSE, &wire::close(code, &reason))),
    ]
}

/// A frame that may be in the wrong place, of the wrong kind, or masked when it must not be.
fn any_frame(sender: Role) -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        12 => prop::sample::select(vec![TEXT, BINARY, TEXT_FIRST, BINARY_FIRST, MIDDLE, LAST, PING, PONG]),
        1 => Just(CLOSE),
        1 => any::<u8>(),
    ];
    let key = (sender == Role::Client).then_some(KEY);
    let other_key = if key.is_some() { None } else { Some(KEY) };
    let key = prop_oneof![30 => Just(key), 1 => Just(other_key)];
    (first, key, payload()).prop_map(|(first, key, payload)| wire::encode(first, key, &payload))
}

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "\\PC{0,40}", 1 => "[aé€😀]{0,4000}"]
}

pub(crate) fn payload() -> impl Strategy<Value = Vec<u8>> {
    let lens = prop::sample::select(vec![0, 1, 124, 125, 126, 127, 1000, 8191, 8192, 20_000, 65_535, 65_536]);
    prop_oneof![
        20 => vec(any::<u8>(), 0..50),
        1 => (lens, any::<u8>()).prop_map(|(len, seed)| (0..len).map(|i| seed.wrapping_add(i as u8)).collect()),
    ]
}
