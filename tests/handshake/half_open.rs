//! What a handshake holds while it is not complete.

use bytes::BytesMut;
use sansocket::{Instant, ServerConfig, ServerHandshake};

use crate::memory;
use crate::support::request_with;

/// What a server's handshake holds on the heap when it got `bytes`, `piece` at a time.
fn held_after(bytes: &[u8], piece: usize) -> usize {
    let config = ServerConfig::default();
    let mut input = BytesMut::with_capacity(bytes.len());
    let (_handshake, held) = memory::held(|| {
        let mut handshake = ServerHandshake::new(&config, Instant::ZERO);
        for piece in bytes.chunks(piece) {
            input.clear();
            input.extend_from_slice(piece);
            let _more = handshake.receive(&mut input, Instant::ZERO).expect("it follows the rules so far");
        }
        handshake
    });
    usize::try_from(held).expect("more is held than before")
}

#[test]
fn a_half_open_handshake_holds_at_most_4_kib() {
    assert!(size_of::<ServerHandshake>() <= 1024, "{} bytes", size_of::<ServerHandshake>());
    assert_eq!(held_after(b"", 1), 0, "nothing is reserved before a byte came");
    let head = request_with(&format!("X: {}\r\n", "y".repeat(1000)));
    let incomplete = &head[..head.len() - 1];
    for piece in [1, 10, incomplete.len()] {
        let held = held_after(incomplete, piece);
        assert!(held >= incomplete.len(), "the bytes themselves are counted");
        assert!(held + size_of::<ServerHandshake>() <= 4096, "{held} bytes on the heap");
    }
}

#[test]
fn what_is_held_is_at_most_twice_what_was_received() {
    let head = request_with(&"X: yyyyyyyyyyyyyyyy\r\n".repeat(90));
    for piece in [1, 3, 100] {
        for len in [10, 100, 500, 1000, head.len() - 1] {
            let held = held_after(&head[..len], piece);
            assert!(held <= 2 * len + 64, "{held} bytes for {len} received, {piece} at a time");
        }
    }
}

#[test]
fn an_oversized_head_makes_the_server_hold_no_more_than_twice_the_limit() {
    let endless = [b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'y'; 1_000_000]].concat();
    let mut input = BytesMut::from(&endless[..]);
    let config = ServerConfig::default();
    let (_error, peak) = memory::peak(|| {
        let mut handshake = ServerHandshake::new(&config, Instant::ZERO);
        handshake.receive(&mut input, Instant::ZERO).expect_err("the head is too large")
    });
    assert!(peak <= 2 * config.limits.head_bytes + 4096, "{peak} bytes");
}
