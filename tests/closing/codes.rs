//! Close codes and reasons (RFC 6455 sections 5.5.1 and 7.4).

use sansocket::{CloseCode, CloseFrame, InvalidCloseFrame, Role, SendRefused, Violation};

use crate::support::drive::{BOTH, Drive, assert_fails, open};
use crate::support::seen::Seen;
use crate::support::wire::{self, CLOSE};

/// Both sides of every border between codes that may be on the wire and codes that may not.
const CODES: [(u16, bool); 30] = [
    (0, false),
    (1, false),
    (999, false),
    (1000, true),
    (1001, true),
    (1002, true),
    (1003, true),
    (1004, false),
    (1005, false),
    (1006, false),
    (1007, true),
    (1008, true),
    (1009, true),
    (1010, true),
    (1011, true),
    (1012, true),
    (1013, true),
    (1014, true),
    (1015, false),
    (1016, false),
    (1100, false),
    (1999, false),
    (2000, false),
    (2999, false),
    (3000, true),
    (3999, true),
    (4000, true),
    (4999, true),
    (5000, false),
    (65535, false),
];

#[test]
fn close_codes_that_must_not_be_sent_are_not_sent() {
    for (code, allowed) in CODES {
        let code = CloseCode(code);
        assert_eq!(code.is_sendable(), allowed, "{code}");
        let mut end = open(Role::Server);
        let result = end.close(code, "why");
        if allowed {
            assert_eq!(result, Ok(()));
            assert_eq!(end.sent(), wire::encode(CLOSE, None, &wire::close(code.0, "why")));
        } else {
            // 1005 stands for no code, and then it is the reason that has no place.
            let fault = match code {
                CloseCode::NO_STATUS => InvalidCloseFrame::ReasonWithoutCode,
                code => InvalidCloseFrame::Code(code),
            };
            assert_eq!(result, Err(SendRefused::CloseFrame(fault)));
            assert_eq!(end.sent(), b"");
            end.send_text("the connection goes on").unwrap();
        }
    }
}

#[test]
fn close_codes_that_must_not_be_sent_are_not_accepted() {
    for (code, allowed) in CODES {
        for receiver in BOTH {
            let close = wire::from(receiver.peer(), CLOSE, &wire::close(code, ""));
            if allowed {
                let frame = CloseFrame::new(CloseCode(code), "").unwrap();
                assert_eq!(open(receiver).receive(&close), [Seen::Close(frame)]);
            } else {
                let violation = Violation::CloseCode { code: CloseCode(code) };
                assert_fails(open(receiver), &close, violation, 1002);
            }
        }
    }
}

#[test]
fn a_close_frame_without_a_code_is_1005_for_the_application_and_empty_on_the_wire() {
    let bare = CloseFrame::new(CloseCode::NO_STATUS, "").unwrap();
    for receiver in BOTH {
        let mut end = open(receiver);
        let close = wire::from(receiver.peer(), CLOSE, b"");
        assert_eq!(end.receive(&close), [Seen::Close(bare.clone())]);
        assert_eq!(end.frames_sent()[0].payload, b"");
    }
    let mut server = open(Role::Server);
    server.close(CloseCode::NO_STATUS, "").unwrap();
    assert_eq!(server.sent(), wire::encode(CLOSE, None, b""));
    let fault = InvalidCloseFrame::ReasonWithoutCode;
    assert_eq!(CloseFrame::new(CloseCode::NO_STATUS, "a reason needs a code"), Err(fault));
}

#[test]
fn a_close_frame_of_one_byte_is_refused() {
    for receiver in BOTH {
        let close = wire::from(receiver.peer(), CLOSE, &[3]);
        assert_fails(open(receiver), &close, Violation::CloseFrameOfOneByte, 1002);
    }
}

#[test]
fn a_reason_has_at_most_123_bytes() {
    for (reason, len) in [("a".repeat(123), 123), ("é".repeat(61) + "a", 123), (String::new(), 0)] {
        let mut server = open(Role::Server);
        server.close(CloseCode::NORMAL, &reason).unwrap();
        assert_eq!(server.frames_sent()[0].payload.len(), 2 + len);
    }
    for (reason, len) in [("a".repeat(124), 124), ("é".repeat(62), 124), ("a".repeat(1000), 1000)] {
        let mut server = open(Role::Server);
        let refused = Err(SendRefused::CloseFrame(InvalidCloseFrame::Reason { len }));
        assert_eq!(server.close(CloseCode::NORMAL, &reason), refused);
        assert_eq!(server.sent(), b"");
    }
}

#[test]
fn a_reason_that_is_not_utf8_is_refused() {
    for reason in [&b"\xFF"[..], b"ok\xC3", b"\xED\xA0\x80", b"\xE2\x82"] {
        let payload = [&1000_u16.to_be_bytes()[..], reason].concat();
        let close = wire::from(Role::Client, CLOSE, &payload);
        assert_fails(open(Role::Server), &close, Violation::InvalidUtf8InCloseReason, 1007);
    }
}

#[test]
fn the_reason_of_the_peer_is_reported_as_it_was() {
    for reason in ["", "bye", "grüße 😀", &"x".repeat(123)] {
        let close = wire::from(Role::Client, CLOSE, &wire::close(4242, reason));
        let frame = CloseFrame::new(CloseCode(4242), reason).unwrap();
        assert_eq!((frame.code(), frame.reason()), (CloseCode(4242), reason));
        assert_eq!(open(Role::Server).receive_bytewise(&close), [Seen::Close(frame)]);
    }
}
