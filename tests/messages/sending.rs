//! Sending messages and fragments (RFC 6455 sections 5.4 and 6.1), and every reason to refuse.

use bytes::Bytes;
use sansocket::{CloseCode, Message, MessageKind, Role, SendError, SendRefused};

use crate::support::drive::{BOTH, Drive, open, open_with};
use crate::support::pair::Pair;
use crate::support::seen::Seen;
use crate::support::wire::{self, Frame, LAST, MIDDLE, TEXT, TEXT_FIRST};

#[test]
fn messages_arrive_in_the_order_in_which_they_were_sent() {
    let mut pair = Pair::new();
    let large = Bytes::from(vec![7; 100_000]);
    pair.client.connection.send("text").unwrap();
    pair.client.connection.send(large.clone()).unwrap();
    pair.client.connection.send_text("borrowed").unwrap();
    pair.client.connection.send_binary(b"").unwrap();
    pair.client.connection.send("é".repeat(50_000)).unwrap();
    pair.run();
    let expected = [
        Seen::text("text"),
        Seen::binary(&large),
        Seen::text("borrowed"),
        Seen::binary(b""),
        Seen::Text("é".repeat(50_000)),
    ];
    assert_eq!(pair.server.seen, expected);
}

#[test]
fn fragments_are_sent_as_they_are_given() {
    for role in BOTH {
        let mut end = open(role);
        end.send_fragment(MessageKind::Text, b"a", false).unwrap();
        end.send_fragment(MessageKind::Text, b"", false).unwrap();
        end.send_fragment(MessageKind::Text, b"b", true).unwrap();
        end.send_fragment(MessageKind::Binary, b"alone", true).unwrap();
        let frames = end.frames_sent();
        let parts: Vec<_> =
            frames.iter().map(|Frame { first, payload, .. }| (*first, &payload[..])).collect();
        let expected: [(u8, &[u8]); 4] =
            [(TEXT_FIRST, b"a"), (MIDDLE, b""), (LAST, b"b"), (wire::BINARY, b"alone")];
        assert_eq!(parts, expected);
    }
}

#[test]
fn a_character_may_be_cut_by_fragments_that_are_sent() {
    let mut pair = Pair::new();
    for (byte, last) in [(0xE2, false), (0x82, false), (0xAC, true)] {
        pair.server.connection.send_fragment(MessageKind::Text, &[byte], last).unwrap();
    }
    pair.run();
    assert_eq!(pair.client.seen, [Seen::text("€")]);
}

#[test]
fn a_message_is_refused_and_given_back_inside_a_fragmented_one() {
    let mut end = open(Role::Server);
    end.send_fragment(MessageKind::Binary, b"a", false).unwrap();
    let message = Message::from("whole");
    let refused = SendError { message: message.clone(), reason: SendRefused::InsideMessage };
    assert_eq!(end.send(message), Err(refused));
    assert_eq!(end.send_text("whole"), Err(SendRefused::InsideMessage));
    assert_eq!(end.send_binary(b"whole"), Err(SendRefused::InsideMessage));
    let other_kind = end.send_fragment(MessageKind::Text, b"b", true);
    assert_eq!(other_kind, Err(SendRefused::InsideMessage));
    // Nothing of this has changed the message that is open.
    end.send_fragment(MessageKind::Binary, b"b", true).unwrap();
    end.send_text("whole").unwrap();
    let sent = [
        wire::encode(wire::BINARY_FIRST, None, b"a"),
        wire::encode(LAST, None, b"b"),
        wire::encode(TEXT, None, b"whole"),
    ];
    assert_eq!(end.sent(), sent.concat());
}

#[test]
fn text_that_is_not_utf8_is_refused_and_nothing_of_it_is_sent() {
    let mut end = open(Role::Server);
    let refused = |at| Err(SendRefused::InvalidUtf8 { at });
    assert_eq!(end.send_fragment(MessageKind::Text, b"ab\xFF", true), refused(2));
    assert_eq!(end.send_fragment(MessageKind::Text, b"ab\xC3", true), refused(2));
    end.send_fragment(MessageKind::Text, b"ab\xC3", false).unwrap();
    assert_eq!(end.send_fragment(MessageKind::Text, b"x", false), refused(2));
    assert_eq!(end.send_fragment(MessageKind::Text, b"", true), refused(2));
    end.send_fragment(MessageKind::Text, b"\xA9", true).unwrap();
    let sent = [wire::encode(TEXT_FIRST, None, b"ab\xC3"), wire::encode(LAST, None, b"\xA9")];
    assert_eq!(end.sent(), sent.concat());
}

#[test]
fn nothing_is_sent_after_close() {
    let mut end = open(Role::Server);
    end.close(CloseCode::NORMAL, "").unwrap();
    let message = Message::from(vec![1, 2, 3]);
    let refused = SendError { message: message.clone(), reason: SendRefused::Closing };
    assert_eq!(end.send(message), Err(refused));
    assert_eq!(end.send_text("text"), Err(SendRefused::Closing));
    assert_eq!(end.send_binary(b"bytes"), Err(SendRefused::Closing));
    assert_eq!(end.send_fragment(MessageKind::Text, b"text", true), Err(SendRefused::Closing));
    assert_eq!(end.ping(b""), Err(SendRefused::Closing));
    assert_eq!(end.pong(b""), Err(SendRefused::Closing));
    assert_eq!(end.close(CloseCode::NORMAL, ""), Err(SendRefused::Closing));
    assert_eq!(end.frames_sent().len(), 1);
}

#[test]
fn after_close_inside_a_fragmented_message_the_reason_is_the_close() {
    let mut end = open(Role::Server);
    end.send_fragment(MessageKind::Text, b"begun", false).unwrap();
    end.close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(end.send_text("whole"), Err(SendRefused::Closing));
    assert_eq!(end.send_fragment(MessageKind::Binary, b"other", true), Err(SendRefused::Closing));
}

#[test]
fn a_full_queue_refuses_a_message_and_gives_it_back() {
    let mut end = open_with(Role::Server, |setup| {
        setup.limits.write_soft = 10;
        setup.limits.write_hard = 100;
    });
    end.send_binary(&[0; 8]).unwrap(); // 10 bytes with the header
    assert!(!end.may_send());
    end.send_binary(&[0; 88]).unwrap(); // 100 bytes
    let reason = SendRefused::QueueFull { queued: 100, limit: 100 };
    let message = Message::from("kept");
    assert_eq!(end.send(message.clone()), Err(SendError { message, reason }));
    assert_eq!(end.send_fragment(MessageKind::Binary, b"", true), Err(reason));
    let frames = end.frames_sent();
    assert_eq!(frames.len(), 2);
    assert!(end.may_send());
    end.send_text("kept").unwrap();
}

#[test]
fn a_sender_waits_for_room_but_not_to_be_told_no() {
    let (_, mut sender) = open_with(Role::Server, |setup| setup.limits.write_soft = 10).split();
    assert!(sender.may_send());
    sender.send_binary(&[0; 8]).unwrap();
    assert!(!sender.may_send());
    sender.close(CloseCode::NORMAL, "").unwrap();
    assert!(sender.may_send());
}

#[test]
fn a_refusal_says_what_to_do_in_one_line() {
    let reason = SendRefused::QueueFull { queued: 100, limit: 64 };
    let error = SendError { message: Message::from("m"), reason };
    let text = error.to_string();
    assert!(text.contains("100") && text.contains("64") && text.contains("write_hard"), "{text}");
    assert!(!text.contains('\n') && !text.ends_with('.'), "{text}");
}
