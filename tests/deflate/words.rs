//! What is said when a compressed message fails.

use sansocket::{Delivery, Limits};

use crate::limits::limited;
use crate::support::drive::Drive;
use crate::support::seen::Seen;
use crate::support::wire;
use crate::with_deflate::{ALONE, BINARY, MIB, TEXT, deflated};

/// Each failure as the person reads it who is called at night, and as the peer gets it for a close reason.
#[test]
fn the_words_of_every_failure() {
    let fail = |change: fn(&mut Limits), frames: Vec<u8>| {
        let mut end = limited(ALONE, Delivery::Messages, change);
        let seen = end.receive(&frames);
        let Some(Seen::Failed(failure)) = seen.last() else { panic!("{seen:?}") };
        let close = end.frames_sent().pop().expect("the peer is told");
        let code = u16::from_be_bytes([close.payload[0], close.payload[1]]);
        let reason = String::from_utf8(close.payload[2..].to_vec()).expect("a reason is text");
        let text = failure.to_string();
        assert!(
            text.starts_with(reason.trim_end_matches('…').trim_end_matches("...")),
            "{text:?}, {reason:?}"
        );
        (code, text)
    };
    let message = |data: &[u8]| wire::encode(BINARY, None, &deflated(data));
    let (code, text) = fail(|limits| limits.message = 1_000, message(&[0; 1_001]));
    let (words, from) = text.rsplit_once(", from ").expect("it says from how much");
    assert_eq!(
        (code, words),
        (
            1009,
            "the peer went over a limit: a message inflates to more than 1000 bytes, which is limits.message"
        )
    );
    assert!(from.strip_suffix(" bytes").is_some_and(|from| from.parse::<u32>().is_ok()), "{text}");
    let zeros = vec![0; MIB + 500];
    let (code, text) = fail(|limits| limits.inflate_ratio = 20, message(&zeros));
    let compressed = deflated(&zeros).len();
    let expected = format!(
        "the peer went over a limit: {compressed} compressed bytes inflate to at least 1049076; limits.inflate_ratio \
         allows 20 for one"
    );
    assert_eq!((code, text), (1009, expected));
    let (code, text) = fail(|_| {}, wire::encode(BINARY, None, &[0xF2, 0x48]));
    assert_eq!(
        (code, &text[..]),
        (
            1007,
            "the peer broke the protocol: the compressed data of a message was cut: it ends inside of a block"
        )
    );
    let (code, text) = fail(|_| {}, wire::encode(BINARY, None, &[0x00, 0x05, 0x00, 0x00, 0x00]));
    assert_eq!(
        (code, &text[..]),
        (
            1007,
            "the peer broke the protocol: the compressed data of a message is invalid: 0 bytes came out before the \
             fault"
        )
    );
    let (code, text) = fail(|_| {}, vec![wire::PING | 0x40]);
    assert_eq!(
        (code, &text[..]),
        (
            1002,
            "the peer broke the protocol: RSV1 (compressed) is set in a frame that does not begin a message"
        )
    );
    let (code, text) = fail(|_| {}, wire::encode(TEXT, None, &deflated(b"a\xFF")));
    assert_eq!(
        (code, &text[..]),
        (1007, "the peer broke the protocol: a text message is not UTF-8 from its byte 1 on")
    );
}
