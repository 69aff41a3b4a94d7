//! Fragmentation, as received (RFC 6455 section 5.4).

use sansocket::{Role, Violation};

use crate::support::drive::{BOTH, Drive, assert_fails, assert_sees, open};
use crate::support::seen::Seen;
use crate::support::wire::{self, BINARY, BINARY_FIRST, LAST, MIDDLE, PING, TEXT, TEXT_FIRST};

#[test]
fn fragments_of_any_number_and_size_make_one_message() {
    for receiver in BOTH {
        let from = |first, payload| wire::from(receiver.peer(), first, payload);
        let bytes =
            [from(BINARY_FIRST, b"one "), from(MIDDLE, b""), from(MIDDLE, b"two "), from(LAST, b"three")];
        assert_sees(|| open(receiver), &bytes.concat(), &[Seen::binary(b"one two three")]);
    }
}

#[test]
fn a_message_of_empty_fragments_is_an_empty_message() {
    for (first, empty) in [(TEXT_FIRST, Seen::text("")), (BINARY_FIRST, Seen::binary(b""))] {
        let from = |first| wire::from(Role::Client, first, b"");
        let bytes = [from(first), from(MIDDLE), from(LAST)].concat();
        assert_sees(|| open(Role::Server), &bytes, &[empty]);
    }
}

//= https://www.rfc-editor.org/rfc/rfc6455#section-5.4
//= type=test
//# Control frames (see Section 5.5) MAY be injected in the middle of
//# a fragmented message.
#[test]
fn control_frames_inside_a_fragmented_message_are_seen_at_once() {
    for receiver in BOTH {
        let from = |first, payload| wire::from(receiver.peer(), first, payload);
        let bytes = [
            from(TEXT_FIRST, b"he"),
            from(PING, b"a"),
            from(MIDDLE, b"ll"),
            from(wire::PONG, b"b"),
            from(LAST, b"o"),
            from(BINARY, b"next"),
        ];
        let expected = [Seen::ping(b"a"), Seen::pong(b"b"), Seen::text("hello"), Seen::binary(b"next")];
        assert_sees(|| open(receiver), &bytes.concat(), &expected);
    }
}

#[test]
fn rejects_continuation_without_a_message() {
    for receiver in BOTH {
        for first in [MIDDLE, LAST] {
            let bytes = wire::from(receiver.peer(), first, b"x");
            assert_fails(open(receiver), &bytes, Violation::UnexpectedContinuation, 1002);
        }
    }
}

#[test]
fn rejects_continuation_after_the_last_fragment() {
    let from = |first, payload| wire::from(Role::Server, first, payload);
    let bytes = [from(TEXT_FIRST, b"a"), from(LAST, b"b"), from(LAST, b"c")].concat();
    let before = assert_fails(open(Role::Client), &bytes, Violation::UnexpectedContinuation, 1002);
    assert_eq!(before, [Seen::text("ab")]);
}

//= https://www.rfc-editor.org/rfc/rfc6455#section-5.4
//= type=test
//# The fragments of one message MUST NOT be interleaved between the
//# fragments of another message unless an extension has been
//# negotiated that can interpret the interleaving.
#[test]
fn rejects_a_new_message_inside_a_fragmented_one() {
    for receiver in BOTH {
        let from = |first, payload| wire::from(receiver.peer(), first, payload);
        for first in [TEXT, BINARY, TEXT_FIRST, BINARY_FIRST] {
            let bytes = [from(BINARY_FIRST, b"a"), from(first, b"b")].concat();
            assert_fails(open(receiver), &bytes, Violation::MessageInsideMessage, 1002);
        }
    }
}

#[test]
fn messages_before_a_fault_in_the_same_read_are_delivered_first() {
    let from = |first, payload| wire::from(Role::Client, first, payload);
    let bytes = [from(TEXT, b"one"), from(PING, b"p"), from(BINARY, b"two"), vec![0xFF]].concat();
    let before = assert_fails(open(Role::Server), &bytes, Violation::ReservedBits { bits: 0b111 }, 1002);
    assert_eq!(before, [Seen::text("one"), Seen::ping(b"p"), Seen::binary(b"two")]);
}

#[test]
fn nothing_after_a_fault_is_looked_at() {
    let from = |first, payload| wire::from(Role::Client, first, payload);
    let bytes = [vec![0xFF], from(TEXT, b"late")].concat();
    assert_fails(open(Role::Server), &bytes, Violation::ReservedBits { bits: 0b111 }, 1002);
    let mut server = open(Role::Server);
    assert_eq!(server.receive_bytewise(&bytes).len(), 1);
    assert_eq!(server.receive(&from(wire::CLOSE, b"")), [], "not even a Close frame");
}
