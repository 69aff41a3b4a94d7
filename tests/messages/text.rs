//! Text is UTF-8 (RFC 6455 section 8.1): refused at the first byte that cannot be, wherever the borders fall.

use sansocket::{Connection, Delivery, Failure, Role, Violation};

use crate::support::drive::{Drive, assert_fails, open, open_with};
use crate::support::seen::Seen;
use crate::support::wire::{self, LAST, MIDDLE, TEXT, TEXT_FIRST};

/// Bytes that are not UTF-8, the offset of the sequence that is at fault, and how many bytes are enough to know it.
const INVALID: [(&[u8], u64, usize); 14] = [
    (b"\x80", 0, 1),
    (b"\xBF", 0, 1),
    (b"\xC0\x80", 0, 1),
    (b"\xC1\xBF", 0, 1),
    (b"\xE0\x80\x80", 0, 2),
    (b"\xED\xA0\x80", 0, 2),
    (b"\xF0\x80\x80\x80", 0, 2),
    (b"\xF4\x90\x80\x80", 0, 2),
    (b"\xF5\x80\x80\x80", 0, 1),
    (b"\xFF", 0, 1),
    (b"abc\xFE", 3, 4),
    (b"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80edited", 11, 13),
    (b"\xE2\x82x", 0, 3),
    (b"a\xF0\x9F\x98x", 1, 5),
];

#[test]
fn rejects_text_that_is_not_utf8_and_says_where() {
    for (text, at, _) in INVALID {
        let frame = wire::from(Role::Client, TEXT, text);
        assert_fails(open(Role::Server), &frame, Violation::InvalidUtf8 { at }, 1007);
    }
}

#[test]
fn rejects_invalid_utf8_at_the_first_impossible_byte_of_an_unfinished_frame() {
    for (text, at, enough) in INVALID {
        // The frame declares more than ever comes.
        let mut bytes = wire::encode(TEXT, None, &[text, &[b'.'; 100]].concat());
        bytes.truncate(2 + enough);
        let failed = Seen::Failed(Failure::Violation(Violation::InvalidUtf8 { at }));
        let mut client = open(Role::Client);
        assert_eq!(client.receive(&bytes[..bytes.len() - 1]), [], "{text:x?} may still become UTF-8");
        assert_eq!(client.receive(&bytes[bytes.len() - 1..]).first(), Some(&failed), "{text:x?}");
        let mut client = open(Role::Client);
        assert_eq!(client.receive(&bytes).first(), Some(&failed), "{text:x?} in one read");
    }
}

#[test]
fn rejects_invalid_utf8_across_fragments_of_one_byte() {
    for (text, at, enough) in INVALID {
        let mut client = open(Role::Client);
        assert_eq!(client.receive(&wire::encode(TEXT_FIRST, None, b"")), []);
        for byte in &text[..enough - 1] {
            assert_eq!(client.receive(&wire::encode(MIDDLE, None, &[*byte])), [], "{text:x?}");
        }
        let seen = client.receive(&wire::encode(MIDDLE, None, &text[enough - 1..enough]));
        let violation = Violation::InvalidUtf8 { at };
        assert_eq!(seen, [Seen::Failed(Failure::Violation(violation))], "{text:x?}");
    }
}

#[test]
fn rejects_text_that_ends_inside_a_character() {
    let whole = "aé€😀".as_bytes();
    for cut in [2, 4, 5, 7, 8, 9] {
        let at = core::str::from_utf8(&whole[..cut]).unwrap_err().valid_up_to() as u64;
        let alone = wire::encode(TEXT, None, &whole[..cut]);
        assert_fails(open(Role::Client), &alone, Violation::InvalidUtf8 { at }, 1007);
        let fragments =
            [wire::encode(TEXT_FIRST, None, &whole[..cut]), wire::encode(LAST, None, b"")].concat();
        assert_fails(open(Role::Client), &fragments, Violation::InvalidUtf8 { at }, 1007);
    }
}

#[test]
fn accepts_characters_that_fragments_cut_anywhere() {
    let text = "aé€😀\u{10FFFF}\0z";
    for first in 0..=text.len() {
        for second in first..=text.len() {
            let bytes = text.as_bytes();
            let frames = [
                wire::encode(TEXT_FIRST, None, &bytes[..first]),
                wire::encode(wire::PING, None, b""),
                wire::encode(MIDDLE, None, &bytes[first..second]),
                wire::encode(LAST, None, &bytes[second..]),
            ];
            let seen = open(Role::Client).receive(&frames.concat());
            assert_eq!(seen, [Seen::ping(b""), Seen::text(text)], "cut at {first} and {second}");
        }
    }
}

#[test]
fn binary_data_may_be_anything() {
    for (bytes, _, _) in INVALID {
        let frame = wire::from(Role::Client, wire::BINARY, bytes);
        assert_eq!(open(Role::Server).receive(&frame), [Seen::binary(bytes)]);
    }
}

#[test]
fn invalid_text_is_no_message_in_the_counts_however_it_was_split() {
    let frame = wire::from(Role::Client, TEXT, b"abc\xC3");
    let messages = |delivery, read: fn(&mut Connection, &[u8]) -> Vec<Seen>| {
        let mut server = open_with(Role::Server, |setup| setup.delivery = delivery);
        read(&mut server, &frame);
        server.sent();
        server.eof();
        server.only_closed().counts.messages_received
    };
    for delivery in [Delivery::Messages, Delivery::Chunks] {
        assert_eq!(messages(delivery, Connection::receive), 0, "{delivery:?}, whole");
        assert_eq!(messages(delivery, Connection::receive_bytewise), 0, "{delivery:?}, byte by byte");
    }
}
