//! Masking (RFC 6455 sections 5.1 and 5.3).

use std::collections::BTreeSet;

use bytes::Bytes;
use sansocket::{ClientConfig, Connection, Entropy, Instant, Role, Violation};

use crate::support::drive::{BOTH, Drive, assert_fails, open};
use crate::support::seen::Seen;
use crate::support::wire::{self, BINARY, Frame, PING, TEXT};

//= https://www.rfc-editor.org/rfc/rfc6455#section-5.1
//= type=test
//# The server MUST close the connection upon receiving a frame that is
//# not masked.
#[test]
fn server_rejects_unmasked_frame() {
    for first in [TEXT, BINARY, PING, wire::CLOSE] {
        assert_fails(open(Role::Server), &wire::encode(first, None, b""), Violation::UnmaskedFrame, 1002);
    }
}

//= https://www.rfc-editor.org/rfc/rfc6455#section-5.1
//= type=test
//# A client MUST close a connection if it detects a masked frame.
#[test]
fn client_rejects_masked_frame() {
    for first in [TEXT, BINARY, PING, wire::CLOSE] {
        assert_fails(
            open(Role::Client),
            &wire::encode(first, Some(wire::KEY), b""),
            Violation::MaskedFrame,
            1002,
        );
    }
}

#[test]
fn client_masks_every_frame_and_server_masks_none() {
    for role in BOTH {
        let mut end = open(role);
        end.send_text("copied").unwrap();
        end.send(Bytes::from(vec![1; 100_000])).unwrap();
        end.send_fragment(sansocket::MessageKind::Text, b"a", false).unwrap();
        end.ping(b"ping").unwrap();
        end.pong(b"pong").unwrap();
        end.close(sansocket::CloseCode::NORMAL, "bye").unwrap();
        let frames = end.frames_sent();
        assert_eq!(frames.len(), 6);
        for Frame { first, key, .. } in frames {
            assert_eq!(key.is_some(), role == Role::Client, "{role}, frame {first:#x}");
        }
    }
}

//= https://www.rfc-editor.org/rfc/rfc6455#section-5.3
//= type=test
//# When preparing a masked frame, the client MUST pick a fresh masking
//# key from the set of allowed 32-bit values.
#[test]
fn each_frame_has_a_fresh_masking_key() {
    let mut client = open(Role::Client);
    let mut keys = BTreeSet::new();
    for _ in 0..1000 {
        client.send_text("the same text").unwrap();
        keys.extend(client.frames_sent().into_iter().map(|frame| frame.key));
    }
    assert!(keys.len() > 990, "1000 frames had {} different keys", keys.len());
    let bits = keys.iter().flatten().flatten().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
    assert!((14_000..18_000).contains(&bits), "of 32,000 key bits about half are ones, not {bits}");
}

#[test]
fn masking_keys_follow_the_seed_alone() {
    let first_frame = |seed| {
        let mut client =
            Connection::client(&ClientConfig::default(), Entropy::from_seed(seed), Instant::ZERO);
        client.send_text("text").unwrap();
        client.sent()
    };
    assert_eq!(first_frame([1; 32]), first_frame([1; 32]));
    assert_ne!(first_frame([1; 32]), first_frame([2; 32]));
}

#[test]
fn sending_does_not_change_bytes_that_the_application_still_holds() {
    for len in [10, 8 * 1024, 100_000] {
        let held = Bytes::from(vec![0xAB; len]);
        let mut client = open(Role::Client);
        client.send(held.clone()).unwrap();
        let frames = client.frames_sent();
        assert_eq!(held, vec![0xAB; len], "{len} bytes are as they were");
        assert_eq!(frames[0].payload, held, "{len} bytes arrive");
    }
}

#[test]
fn unmasking_follows_the_key_across_every_split() {
    let payload: Vec<u8> = (0..=255).collect();
    let frame = wire::encode(BINARY, Some([1, 2, 4, 8]), &payload);
    crate::support::drive::assert_sees(|| open(Role::Server), &frame, &[Seen::Binary(payload)]);
}

#[test]
fn what_is_sent_holds_nothing_but_what_was_given() {
    // Nothing of an earlier message or of memory that was never written may be in a later frame.
    let mut server = open(Role::Server);
    for len in [70_000, 3, 0, 9_000, 125, 126, 20_000, 1] {
        server.send_binary(&vec![len as u8; len]).unwrap();
        server.send(vec![!(len as u8); len]).unwrap();
        let payloads: Vec<_> = server.frames_sent().into_iter().map(|frame| frame.payload).collect();
        assert_eq!(payloads, [vec![len as u8; len], vec![!(len as u8); len]]);
    }
}
