//! What a handshake holds while it is followed, whatever comes.

use bytes::BytesMut;
use proptest::prelude::*;
use sansocket::{Instant, ServerConfig, ServerHandshake};

use crate::cases::all;
use crate::memory;
use crate::run::Role;

#[test]
fn a_half_open_handshake_of_any_case_holds_at_most_4_kib() {
    let config = ServerConfig::default();
    let own = size_of::<ServerHandshake>();
    let mut most = 0;
    for case in all().into_iter().filter(|case| case.role == Role::Server && case.bytes.len() <= 1800) {
        let mut input = BytesMut::with_capacity(case.bytes.len());
        let (_handshake, held) = memory::held(|| {
            let mut handshake = ServerHandshake::new(&config, Instant::ZERO);
            // Up to the byte that settles it.
            for byte in &case.bytes {
                input.extend_from_slice(&[*byte]);
                if handshake.receive(&mut input, Instant::ZERO).is_err() {
                    break;
                }
                input.clear();
            }
            handshake
        });
        let held = own + usize::try_from(held).expect("nothing is freed");
        assert!(held <= 4096, "{}: {held} bytes", case.name);
        most = most.max(held);
    }
    assert!(most > own, "something is held, and counted");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Also where random bytes say that much is to come.
    #[test]
    fn what_is_not_http_is_not_held(
        start in prop::sample::select(vec![
            &b"\x16\x03\x01\xff\xff\x01\xff\xff\xff\x03\x03"[..], b"\r\n\r\n\0\r\nQUIT\n", b"PROXY TCP4 ", b"\0\0", b"\x16\x03\x03\x40\x00\x01",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..3000),
    ) {
        let config = ServerConfig::default();
        let mut input = BytesMut::from(&[start, &rest].concat()[..]);
        let (handshake, held) = memory::held(|| {
            let mut handshake = ServerHandshake::new(&config, Instant::ZERO);
            let _ = handshake.receive(&mut input, Instant::ZERO);
            handshake
        });
        prop_assert!(held <= 1536, "{held} bytes by {handshake:?}");
    }
}
