//! What was sent is what arrives: contents, sizes, parameters, splits, both roles; judged by an inflater of our own as well.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use sansocket::{Connection, DeflateConfig, DeflateParams, Delivery, MessageKind, Prepared, Role};

use crate::naive::Inflater;
use crate::support::drive::Drive;
use crate::support::seen::{Seen, joined};
use crate::support::wire::{self, Frame};
use crate::with_deflate::{KEPT, KIB, RSV1, config, noise, open_with, pass, prose, receive_by};

/// One end and the other, with the same parameters.
fn ends(sender: Role, params: DeflateParams, config: &DeflateConfig) -> (Connection, Connection) {
    (open_with(sender, params, config, |_| {}), open_with(sender.peer(), params, config, |_| {}))
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Client), Just(Role::Server)]
}

fn params() -> impl Strategy<Value = DeflateParams> {
    (any::<[bool; 2]>(), 8..=15_u8, 8..=15_u8).prop_map(|([server, client], server_bits, client_bits)| {
        DeflateParams {
            server_no_context_takeover: server,
            client_no_context_takeover: client,
            server_max_window_bits: server_bits,
            client_max_window_bits: client_bits,
        }
    })
}

/// Data of every kind that compresses well, badly or not at all.
fn content(most: usize) -> impl Strategy<Value = (MessageKind, Vec<u8>)> {
    let len = prop_oneof![4 => 0..600_usize, 2 => 0..20 * KIB, 1 => 0..most];
    (len, 0..5_u8, any::<u64>()).prop_map(|(len, content, seed)| match content {
        0 => (MessageKind::Text, prose(len).into_bytes()),
        1 => (MessageKind::Text, "ü€😀".repeat(len / 9).into_bytes()),
        2 => (MessageKind::Binary, noise(len, seed)),
        3 => (MessageKind::Binary, vec![0; len]),
        // The same words in another order: matches at every distance.
        _ => {
            let words: Vec<Vec<u8>> = (0..50).map(|word| noise(20, word)).collect();
            let order = noise(len / 20, seed);
            let data = order.iter().flat_map(|word| &words[usize::from(word % 50)]);
            (MessageKind::Binary, data.copied().collect())
        }
    })
}

/// A way to send a message.
#[derive(Debug, Clone)]
enum Way {
    Whole,
    Owned,
    Uncompressed,
    Prepared,
    /// Cut there, with a Ping after each fragment.
    Fragments(Vec<Index>),
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![
        3 => Just(Way::Whole),
        2 => Just(Way::Owned),
        1 => Just(Way::Uncompressed),
        2 => Just(Way::Prepared),
        3 => vec(any::<Index>(), 0..5).prop_map(Way::Fragments),
    ]
}

fn as_seen((kind, data): &(MessageKind, Vec<u8>)) -> Seen {
    match kind {
        MessageKind::Text => Seen::Text(String::from_utf8(data.clone()).expect("it was text")),
        MessageKind::Binary => Seen::Binary(data.clone()),
    }
}

fn send(end: &mut Connection, message: &(MessageKind, Vec<u8>), way: &Way) {
    let (kind, data) = message;
    let owned = || match as_seen(message) {
        Seen::Text(text) => sansocket::Message::from(text),
        _ => sansocket::Message::from(data.clone()),
    };
    match way {
        Way::Whole => match as_seen(message) {
            Seen::Text(text) => end.send_text(&text).unwrap(),
            _ => end.send_binary(data).unwrap(),
        },
        Way::Owned => end.send(owned()).unwrap(),
        Way::Uncompressed => {
            end.set_compression(false);
            end.send(owned()).unwrap();
            end.set_compression(true);
        }
        Way::Prepared => end.send_prepared(&Prepared::new(owned())).unwrap(),
        Way::Fragments(cuts) => {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(data.len() + 1)).collect();
            cuts.sort_unstable();
            let mut start = 0;
            for cut in cuts {
                end.send_fragment(*kind, &data[start..cut], false).unwrap();
                end.ping(b"between").unwrap();
                start = cut;
            }
            end.send_fragment(*kind, &data[start..], true).unwrap();
        }
    }
}

/// What a frame is to the inflater of the tests: the same checks as RFC 7692 asks of a receiver.
struct Judge {
    inflater: Inflater,
    alone: bool,
    open: Option<(bool, Vec<u8>)>,
}

impl Judge {
    fn new(alone: bool) -> Self {
        Self { inflater: Inflater::default(), alone, open: None }
    }

    /// The message that `frame` ends, if it does.
    fn message(&mut self, frame: Frame) -> Option<Vec<u8>> {
        if frame.first & 0x08 != 0 {
            assert_eq!(frame.first & 0x70, 0, "control frames have no RSV1");
            return None;
        }
        let compressed = frame.first & RSV1 != 0;
        let is_first = frame.first & 0x0F != 0;
        assert!(is_first || !compressed, "RSV1 is on the first frame alone");
        let (compressed, mut payload) = if is_first { (compressed, Vec::new()) } else { self.open.take()? };
        payload.extend(frame.payload);
        if frame.first & 0x80 == 0 {
            self.open = Some((compressed, payload));
            return None;
        }
        if !compressed {
            return Some(payload);
        }
        if self.alone {
            self.inflater.forget();
        }
        Some(self.inflater.message(&payload).expect("a compressed message"))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn delivered_equals_sent(
        sender in role(),
        params in params(),
        (level, mem_level, min_len) in (0..=9_u8, 1..=9_u8, prop_oneof![Just(0), Just(256)]),
        messages in vec((content(300 * KIB), way()), 1..5),
        read in prop_oneof![1..50_usize, 1..20_000_usize, Just(usize::MAX)],
        chunks in any::<bool>(),
    ) {
        let config = config(|config| {
            (config.level, config.mem_level, config.min_len) = (level, mem_level, min_len);
        });
        let (mut from, mut to) = ends(sender, params, &config);
        if chunks {
            to.set_delivery(Delivery::Chunks);
        }
        let (alone, bits) = match sender {
            Role::Client => (params.client_no_context_takeover, params.client_max_window_bits),
            Role::Server => (params.server_no_context_takeover, params.server_max_window_bits),
        };
        let mut judge = Judge::new(alone);
        let mut expected = Vec::new();
        let mut seen = Vec::new();
        for (message, way) in &messages {
            send(&mut from, message, way);
            let sent = from.sent();
            let mut judged: Vec<Vec<u8>> =
                wire::decode(&sent).into_iter().filter_map(|frame| judge.message(frame)).collect();
            prop_assert_eq!(judged.len(), 1);
            prop_assert!(judged.pop().as_ref() == Some(&message.1), "the naive inflater reads something else");
            prop_assert!(
                judge.inflater.farthest <= 1 << bits,
                "a match reaches {} bytes back, the window has {bits} bits", judge.inflater.farthest
            );
            let few = if sent.len() > 30_000 { read.max(500) } else { read };
            seen.extend(receive_by(&mut to, &sent, few));
            expected.push(as_seen(message));
        }
        let got: Vec<Seen> =
            joined(&seen).into_iter().filter(|seen| !matches!(seen, Seen::Ping(_))).collect();
        prop_assert!(got == expected, "{} events, {} expected", got.len(), expected.len());
    }
}

#[test]
fn the_window_is_used_and_no_match_reaches_beyond_it() {
    for bits in 8..=15 {
        let window: usize = 1 << bits;
        // A repetition that the window just holds, one that it does not hold, and all of it again in the next message. The
        // library keeps 262 bytes clear of the end; for 256 bytes, its window of 512 stands in.
        let within = if bits == 8 { 250 } else { window - 262 };
        for (distance, reached) in [(within, true), (within + 1, false), (window + 1, false)] {
            for level in 0..=9 {
                for mem_level in [1, 9] {
                    let config = config(|config| {
                        (config.level, config.mem_level, config.min_len) = (level, mem_level, 0);
                    });
                    let params = DeflateParams { server_max_window_bits: bits, ..KEPT };
                    let (mut server, mut client) = ends(Role::Server, params, &config);
                    let mut judge = Judge::new(false);
                    let mut data = noise(distance, distance as u64);
                    data.extend_from_within(..100);
                    let (first, second) = data.split_at(distance.min(1_000));
                    for part in [first, second] {
                        server.send_binary(part).unwrap();
                        let sent = server.sent();
                        let judged = wire::decode(&sent).into_iter().find_map(|frame| judge.message(frame));
                        assert!(judged.as_deref() == Some(part));
                        assert!(client.receive(&sent) == [Seen::binary(part)]);
                    }
                    let at =
                        format!("level {level}, mem_level {mem_level}, {bits} bits, {distance} bytes back");
                    let expected = if level > 0 && reached { distance } else { 0 };
                    assert_eq!(judge.inflater.farthest, expected, "{at}");
                }
            }
        }
    }
}

#[test]
fn context_takeover_makes_later_messages_smaller_and_its_absence_makes_them_alike() {
    for sender in [Role::Client, Role::Server] {
        for alone in [false, true] {
            let params = DeflateParams {
                server_no_context_takeover: alone,
                client_no_context_takeover: alone,
                ..KEPT
            };
            let (mut from, mut to) = ends(sender, params, &config(|_| {}));
            let message =
                String::from_utf8(noise(600, 1).iter().map(|byte| b'a' + byte % 26).collect()).unwrap();
            let lens: Vec<usize> = (0..3)
                .map(|_| {
                    from.send_text(&message).unwrap();
                    let sent = from.sent();
                    assert_eq!(to.receive(&sent), [Seen::text(&message)]);
                    wire::decode(&sent)[0].payload.len()
                })
                .collect();
            if alone {
                assert_eq!(lens, [lens[0]; 3]);
            } else {
                assert!(lens[1] < 30 && lens[2] < 30, "{lens:?}");
            }
        }
    }
}

#[test]
fn one_direction_may_keep_its_context_and_the_other_not() {
    let params = DeflateParams { server_no_context_takeover: true, ..KEPT };
    let (mut client, mut server) = ends(Role::Client, params, &config(|_| {}));
    let message = prose(2_000);
    let mut lens = Vec::new();
    for _ in 0..2 {
        client.send_text(&message).unwrap();
        server.send_text(&message).unwrap();
        let (by_client, by_server) = (client.sent(), server.sent());
        lens.push((by_client.len(), by_server.len()));
        assert_eq!(server.receive(&by_client), [Seen::text(&message)]);
        assert_eq!(client.receive(&by_server), [Seen::text(&message)]);
    }
    assert!(lens[1].0 < lens[0].0 / 2, "the client keeps its context: {lens:?}");
    assert_eq!(lens[1].1, lens[0].1, "the server does not");
}

/// A buffer that is filled exactly, by what goes in and by what comes out (the library's own have 16 KiB, and twice that, ...).
#[test]
fn sizes_at_the_borders_of_buffers() {
    let (mut server, mut client) = ends(Role::Server, KEPT, &config(|_| {}));
    for border in [16 * KIB, 32 * KIB, 48 * KIB, 64 * KIB, 128 * KIB] {
        for len in border - 1..=border + 1 {
            // Zeros fill the buffer of the receiver, noise that of the sender.
            for data in [vec![0; len], noise(len, len as u64)] {
                for delivery in [Delivery::Messages, Delivery::Chunks] {
                    client.set_delivery(delivery);
                    server.send_binary(&data).unwrap();
                    let seen = joined(&pass(&mut server, &mut client));
                    assert!(seen == [Seen::binary(&data)], "{len} bytes, {delivery:?}");
                }
            }
        }
    }
}

#[test]
fn compressed_sizes_at_the_borders_of_buffers() {
    // Noise goes in stored blocks, so that each byte more is a byte more of output: every end of a buffer is met.
    for (context, border) in [(KEPT, 16 * KIB), (crate::with_deflate::ALONE, 16 * KIB), (KEPT, 32 * KIB)] {
        let config = config(|config| config.level = 1);
        let (mut server, mut client) = ends(Role::Server, context, &config);
        for len in border - 90..border + 10 {
            let data = noise(len, len as u64);
            // In fragments, the sender's form does not depend on whether it became smaller.
            server.send_fragment(MessageKind::Binary, &data, false).unwrap();
            server.send_fragment(MessageKind::Binary, b"", true).unwrap();
            assert!(pass(&mut server, &mut client) == [Seen::binary(&data)], "{len} bytes");
            server.send_binary(&data).unwrap();
            assert!(pass(&mut server, &mut client) == [Seen::binary(&data)], "{len} bytes");
        }
    }
}

#[test]
fn large_messages_that_cannot_be_compressed_keep_the_contexts_in_step() {
    let (mut client, mut server) = ends(Role::Client, KEPT, &config(|_| {}));
    for seed in 0..3 {
        let data = noise(300 * KIB, seed);
        client.send_binary(&data).unwrap();
        assert!(pass(&mut client, &mut server) == [Seen::binary(&data)]);
        // What follows refers to what came before.
        client.send_binary(&data[290 * KIB..]).unwrap();
        let sent = client.sent();
        assert!(sent.len() < 1_000, "{} bytes", sent.len());
        assert!(server.receive(&sent) == [Seen::binary(&data[290 * KIB..])]);
    }
}
