//! The frame header (RFC 6455 section 5.2).

use bytes::Bytes;
use sansocket::{Cause, LimitExceeded, Position, Role};

use crate::support::drive::{BOTH, Drive, assert_fails, open, open_with};
use crate::support::seen::Seen;
use crate::support::wire::{self, BINARY};

/// Both sides of every border between two encodings of the payload length.
const LENGTHS: [usize; 9] = [0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536];

#[test]
fn each_payload_length_is_received() {
    for receiver in BOTH {
        for len in LENGTHS {
            let payload: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let frame = wire::from(receiver.peer(), BINARY, &payload);
            assert_eq!(open(receiver).receive(&frame), [Seen::Binary(payload)], "{len} bytes");
        }
    }
}

#[test]
fn each_payload_length_is_sent_in_the_fewest_bytes() {
    for len in LENGTHS {
        let payload = vec![0x5A; len];
        let mut server = open(Role::Server);
        server.send_binary(&payload).unwrap();
        assert_eq!(server.sent(), wire::from(Role::Server, BINARY, &payload), "{len} bytes, copied");
        server.send(Bytes::from(payload.clone())).unwrap();
        assert_eq!(server.sent(), wire::from(Role::Server, BINARY, &payload), "{len} bytes, handed over");
    }
}

//= https://www.rfc-editor.org/rfc/rfc6455#section-5.2
//= type=test
//# the following 8 bytes interpreted as a 64-bit unsigned integer (the
//# most significant bit MUST be 0) are the payload length.
#[test]
fn lengths_up_to_63_bits_are_understood_and_judged_by_the_limit() {
    for len in [16 * 1024 * 1024 + 1, u64::from(u32::MAX), u64::from(u32::MAX) + 1, (1 << 63) - 1] {
        for receiver in BOTH {
            let masked = receiver == Role::Server;
            let mut header = wire::header(BINARY, masked, len);
            header.extend(masked.then_some(wire::KEY).into_iter().flatten());
            let limit = LimitExceeded::Message { len, limit: 16 * 1024 * 1024 };
            assert_fails(open(receiver), &header, limit, 1009);
        }
    }
}

#[test]
fn a_length_of_63_bits_is_no_fault_where_the_limits_allow_it() {
    let mut client = open_with(Role::Client, |setup| {
        setup.limits.message = usize::MAX;
        setup.limits.frame = usize::MAX;
    });
    assert_eq!(client.receive(&wire::header(BINARY, false, (1 << 63) - 1)), []);
    assert_eq!(client.receive(b"the first bytes of it"), []);
    client.eof();
    assert_eq!(client.only_closed().cause, Cause::Eof(Position::Frame));
}

#[test]
fn lengths_of_fragments_add_up_without_overflow() {
    let mut client = open_with(Role::Client, |setup| {
        setup.limits.message = usize::MAX;
        setup.limits.frame = usize::MAX;
    });
    assert_eq!(client.receive(&wire::encode(wire::BINARY_FIRST, None, &[1; 100])), []);
    assert_eq!(client.receive(&wire::header(wire::MIDDLE, false, (1 << 63) - 1)), []);
    assert_eq!(client.receive(&[2; 100]), []);
}
