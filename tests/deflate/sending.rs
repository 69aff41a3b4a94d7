//! What is compressed and what is not.

use sansocket::{DeflateParams, MessageKind, Role, SendRefused};

use crate::support::drive::{BOTH, Drive};
use crate::support::seen::Seen;
use crate::support::wire;
use crate::with_deflate::{
    ALONE, BINARY, KEPT, RSV1, TEXT, TEXT_FIRST, config, noise, open, open_with, pass, prose,
};

#[test]
fn short_messages_are_sent_as_they_are() {
    for params in [KEPT, ALONE] {
        let config = config(|config| config.min_len = 300);
        let mut server = open_with(Role::Server, params, &config, |_| {});
        for (len, first) in [(0, wire::TEXT), (299, wire::TEXT), (300, TEXT), (301, TEXT)] {
            server.send_text(&"a".repeat(len)).unwrap();
            server.send("a".repeat(len)).unwrap();
            let firsts: Vec<u8> = server.frames_sent().iter().map(|frame| frame.first).collect();
            assert_eq!(firsts, [first, first], "{len} bytes");
        }
    }
}

#[test]
fn an_empty_message_is_never_compressed_and_an_empty_fragment_may_be() {
    let config = config(|config| config.min_len = 0);
    for params in [KEPT, ALONE] {
        let mut server = open_with(Role::Server, params, &config, |_| {});
        let mut client = open(Role::Client, params);
        server.send_text("").unwrap();
        assert_eq!(server.sent(), [wire::TEXT, 0]);
        for fragments in [&[""][..], &["", ""], &["", "", "a"], &["a", "", ""], &["a", "", "b", ""]] {
            for (index, fragment) in fragments.iter().enumerate() {
                let last = index + 1 == fragments.len();
                server.send_fragment(MessageKind::Text, fragment.as_bytes(), last).unwrap();
            }
            assert_eq!(pass(&mut server, &mut client), [Seen::text(&fragments.concat())], "{fragments:?}");
        }
    }
}

#[test]
fn what_becomes_longer_by_itself_is_sent_as_it_is_and_with_a_context_it_is_not() {
    let data = noise(5_000, 9);
    for (params, first) in [(ALONE, wire::BINARY), (KEPT, BINARY)] {
        let mut server = open(Role::Server, params);
        server.send_binary(&data).unwrap();
        server.send(data.clone()).unwrap();
        let frames = server.frames_sent();
        assert_eq!([frames[0].first, frames[1].first], [first, first]);
        if first == wire::BINARY {
            assert!(frames.iter().all(|frame| frame.payload == data));
        } else {
            // The second is in the context of the first.
            assert!(frames[1].payload.len() < 200, "{} bytes", frames[1].payload.len());
        }
    }
}

#[test]
fn compression_is_a_choice_for_each_message() {
    for params in [KEPT, ALONE] {
        let mut server = open(Role::Server, params);
        let mut client = open(Role::Client, params);
        assert!(server.compression());
        let message = prose(2_000);
        let mut firsts = Vec::new();
        for enabled in [true, false, true, false, false, true] {
            server.set_compression(enabled);
            assert_eq!(server.compression(), enabled);
            server.send_text(&message).unwrap();
            let sent = server.sent();
            firsts.push(sent[0]);
            assert_eq!(client.receive(&sent), [Seen::text(&message)]);
        }
        assert_eq!(firsts, [TEXT, wire::TEXT, TEXT, wire::TEXT, wire::TEXT, TEXT]);
    }
}

#[test]
fn a_message_in_fragments_goes_on_as_it_began() {
    for (at_first, then) in [(true, false), (false, true)] {
        let mut server = open(Role::Server, KEPT);
        let mut client = open(Role::Client, KEPT);
        server.set_compression(at_first);
        server.send_fragment(MessageKind::Text, b"one ", false).unwrap();
        server.set_compression(then);
        server.send_fragment(MessageKind::Text, b"two ", false).unwrap();
        server.send_fragment(MessageKind::Text, b"three", true).unwrap();
        server.send_text(&prose(500)).unwrap();
        let sent = server.sent();
        let firsts: Vec<u8> = wire::decode(&sent).iter().map(|frame| frame.first).collect();
        let rsv1 = |on| if on { RSV1 } else { 0 };
        let first = wire::TEXT_FIRST | rsv1(at_first);
        assert_eq!(firsts, [first, wire::MIDDLE, wire::LAST, wire::TEXT | rsv1(then)]);
        assert_eq!(client.receive(&sent), [Seen::text("one two three"), Seen::text(&prose(500))]);
    }
}

//= https://www.rfc-editor.org/rfc/rfc7692#section-6.1
//= type=test
//# An endpoint MUST NOT set the "Per-Message Compressed" bit of control
//# frames and non-first fragments of a data message.
#[test]
fn rsv1_is_on_the_first_frame_of_a_compressed_message_alone() {
    for role in BOTH {
        let mut end = open(role, KEPT);
        end.send_fragment(MessageKind::Binary, &prose(1_000).into_bytes(), false).unwrap();
        end.ping(b"ping").unwrap();
        end.pong(b"pong").unwrap();
        end.send_fragment(MessageKind::Binary, &prose(1_000).into_bytes(), false).unwrap();
        end.send_fragment(MessageKind::Binary, b"", true).unwrap();
        end.send_text(&prose(1_000)).unwrap();
        end.close(sansocket::CloseCode::NORMAL, "bye").unwrap();
        let frames = end.frames_sent();
        for frame in &frames {
            let may_have = matches!(frame.first & 0x0F, 0x1 | 0x2);
            assert_eq!(frame.first & 0x70, if may_have { RSV1 } else { 0 }, "{:#04x}", frame.first);
            assert_eq!(frame.key.is_some(), role == Role::Client);
        }
        assert_eq!(frames.len(), 7);
    }
}

#[test]
fn fragments_are_compressed_whatever_their_length_and_each_is_all_that_was_given_so_far() {
    let mut server = open(Role::Server, ALONE);
    let mut client = crate::with_deflate::open_chunks(Role::Client, ALONE);
    let mut text = Vec::new();
    for (index, fragment) in ["a", "bc", "", "é", "def"].iter().enumerate() {
        server.send_fragment(MessageKind::Text, fragment.as_bytes(), index == 4).unwrap();
        let sent = server.sent();
        assert_eq!(sent[0], [TEXT_FIRST, 0, 0, 0, 0x80][index]);
        // The receiver gets each at once, without waiting for the next.
        let given: Vec<u8> = client
            .receive(&sent)
            .into_iter()
            .flat_map(|seen| match seen {
                Seen::Chunk { data, .. } => data,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(given, fragment.as_bytes());
        text.extend(given);
    }
    assert_eq!(text, "abcédef".as_bytes());
}

#[test]
fn a_refused_message_leaves_the_context_as_it_was() {
    for params in [KEPT, ALONE] {
        let mut server =
            open_with(Role::Server, params, &config(|_| {}), |setup| setup.limits.write_hard = 100);
        let mut client = open(Role::Client, params);
        server.send_text(&prose(3_000)).unwrap();
        // Nothing is taken while so much waits, and nothing of it is in the window.
        assert!(matches!(server.send_text(&prose(4_000)), Err(SendRefused::QueueFull { .. })));
        assert!(server.send(prose(4_000)).is_err());
        let refused = server.send_fragment(MessageKind::Text, prose(4_000).as_bytes(), false);
        assert!(matches!(refused, Err(SendRefused::QueueFull { .. })));
        assert_eq!(pass(&mut server, &mut client), [Seen::text(&prose(3_000))]);
        let invalid = server.send_fragment(MessageKind::Text, b"\xFF", false);
        assert!(matches!(invalid, Err(SendRefused::InvalidUtf8 { .. })));
        server.send_text(&prose(5_000)).unwrap();
        assert_eq!(pass(&mut server, &mut client), [Seen::text(&prose(5_000))]);
    }
}

#[test]
fn nothing_of_one_connection_is_in_what_another_sends() {
    // All share the compressors of one configuration.
    let config = config(|_| {});
    let message = prose(3_000);
    let fresh = {
        let mut server = open_with(Role::Server, ALONE, &crate::with_deflate::config(|_| {}), |_| {});
        server.send_text(&message).unwrap();
        server.sent()
    };
    let mut first = open_with(Role::Server, ALONE, &config, |_| {});
    let mut second = open_with(Role::Server, ALONE, &config, |_| {});
    for _ in 0..3 {
        first.send_text(&prose(50_000)).unwrap();
        second.send_text(&message).unwrap();
        assert_eq!(second.sent(), fresh, "as from a compressor that was never used");
        first.sent();
    }
    // Also where the message before was ended by the end of its connection.
    let mut kept = open_with(Role::Server, KEPT, &config, |_| {});
    kept.send_text(&prose(50_000)).unwrap();
    drop(kept);
    let mut third = open_with(Role::Server, ALONE, &config, |_| {});
    third.send_text(&message).unwrap();
    assert_eq!(third.sent(), fresh);
}

#[test]
fn compressors_of_different_windows_are_not_confused() {
    let config = config(|_| {});
    let small = DeflateParams { server_max_window_bits: 9, ..ALONE };
    let once = noise(3_000, 1);
    let twice = once.repeat(2);
    let mut lens = Vec::new();
    for params in [ALONE, small, ALONE, small] {
        let mut server = open_with(Role::Server, params, &config, |_| {});
        server.send_binary(&twice).unwrap();
        lens.push(server.sent().len());
    }
    assert!(lens[0] < 3_200 && lens[1] > 5_900, "only the large window sees the repetition: {lens:?}");
    assert_eq!(lens[..2], lens[2..]);
}
