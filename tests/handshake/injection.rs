//! No string of the application, and nothing that the peer sent, can forge a line of a head.

use bytes::Buf;
use proptest::prelude::*;
use sansocket::{Accept, ClientRequest, Instant, InvalidField, Reject};

use crate::support::{client_request, pending, refusal, request, split_head};

/// Tries a field at all three places that take one.
fn field_everywhere(name: &str, value: &[u8]) -> [Result<(), InvalidField>; 3] {
    [
        client_request().field(name, value).map(drop),
        Accept::new().field(name, value).map(drop),
        Reject::new(400).field(name, value).map(drop),
    ]
}

#[test]
fn control_characters_in_values_are_refused() {
    for byte in (0..0x20).chain([0x7F]).filter(|&byte| byte != b'\t') {
        let value = [b"a", &[byte][..], b"b"].concat();
        for refused in field_everywhere("X-Name", &value) {
            let error = refused.unwrap_err();
            assert!(
                matches!(error, InvalidField::Value { at: 1, byte: found, .. } if found == byte),
                "{error}"
            );
            assert_eq!(
                error.to_string(),
                format!(
                    "the value of the field \"X-Name\" has the control character {byte:#04x} at its byte 1"
                )
            );
        }
        if let Ok(content_type) = std::str::from_utf8(&value) {
            let error = Reject::new(400).body(content_type, "").unwrap_err();
            assert!(matches!(error, InvalidField::Value { at: 1, .. }), "{error}");
            assert_eq!(error.name().as_bytes(), b"Content-Type");
        }
    }
    for value in [&b""[..], b"\t", b" a b ", b"caf\xC3\xA9", b"\xFF\x80", b"a: b"] {
        assert_eq!(field_everywhere("X-Name", value), [Ok(()), Ok(()), Ok(())]);
    }
}

#[test]
fn names_that_are_not_tokens_are_refused() {
    for name in ["", " X", "X ", "X:", "X\r\nY", "X\0", "caf\u{e9}", "X Y", "(X)", "X/Y"] {
        for refused in field_everywhere(name, b"a") {
            let error = refused.unwrap_err();
            assert!(matches!(error, InvalidField::Name { .. }), "{name:?}: {error}");
            assert_eq!(error.name().as_bytes(), name.as_bytes());
        }
    }
}

#[test]
fn fields_of_the_handshake_are_refused() {
    let names = [
        "Upgrade",
        "connection",
        "CONTENT-LENGTH",
        "Transfer-Encoding",
        "Sec-WebSocket-Key",
        "sec-websocket-accept",
        "Sec-WebSocket-Version",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Whatever",
    ];
    for name in names {
        for refused in field_everywhere(name, b"a") {
            assert_reserved(refused, name);
        }
    }
    assert_reserved(client_request().field("host", "a").map(drop), "host");
    assert_reserved(Reject::new(400).field("content-type", "a").map(drop), "content-type");
    assert_eq!(field_everywhere("Sec-WebSocke", b"a"), [Ok(()), Ok(()), Ok(())]);
}

fn assert_reserved(refused: Result<(), InvalidField>, name: &str) {
    let error = refused.unwrap_err();
    assert!(matches!(error, InvalidField::Reserved { .. }), "{name}: {error}");
    assert!(error.to_string().contains(&format!("{name:?}")), "{error}");
}

#[test]
fn no_url_reaches_the_request_line_with_a_line_end() {
    for bad in ["ws://a/\r\nX: y", "ws://a/\n", "ws://a\r\n/", "ws://a/ HTTP/1.1", "ws://a/?\0"] {
        assert!(ClientRequest::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn what_the_client_sent_cannot_forge_lines_of_the_reply() {
    // Each has control characters where the reply quotes the value.
    let requests: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\nHost: a\r\nX\x01\x1B[2J: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: \xFF\t\xE2\x80\xA8\r\n\r\n",
        b"GET /a\xC2\x85b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\xC2\x9B\r\n\r\n",
        b"GET /\tb HTTP/1.1\r\nHost: a\r\n\r\n",
    ];
    for bytes in requests {
        let error = refusal(bytes);
        let (_, body) = split_head(error.reply().unwrap());
        let printable = body.iter().all(|&byte| byte == b'\n' || byte.is_ascii_graphic() || byte == b' ');
        assert!(printable, "{}", body.escape_ascii());
        assert!(!error.to_string().contains(|character: char| character.is_control()), "{error}");
    }
}

proptest! {
    #[test]
    fn replies_and_log_lines_are_printable_whatever_comes(
        line in "[ -~\u{80}-\u{ff}\t\0\u{1b}]{0,80}",
        place in 0..4_usize,
    ) {
        let (target, host, upgrade, key) = match place {
            0 => (&line[..], "a", "websocket", "x"),
            1 => ("/", &line[..], "websocket", "x"),
            2 => ("/", "a", &line[..], "x"),
            _ => ("/", "a", "websocket", &line[..]),
        };
        let head = format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: {upgrade}\r\nConnection: upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        );
        let error = refusal(head.as_bytes());
        prop_assert!(!error.to_string().contains(|character: char| character.is_control()));
        let (_, body) = split_head(error.reply().unwrap());
        prop_assert!(body.iter().all(|&byte| byte == b'\n' || byte.is_ascii_graphic() || byte == b' '));
        // The fault, the advice and, behind an empty line each, the command with its introduction.
        let lines = body.iter().filter(|&&byte| byte == b'\n').count();
        prop_assert!(matches!(lines, 2 | 6), "{}", body.escape_ascii());
    }

    #[test]
    fn a_field_that_is_accepted_makes_one_line(name in "\\PC{0,12}", value in prop::collection::vec(any::<u8>(), 0..24)) {
        if let Ok(accept) = Accept::new().field(&name, &value) {
            let mut connection = pending(&request()).accept(accept, Instant::ZERO).unwrap();
            let mut output = connection.transmit();
            let reply = output.copy_to_bytes(output.remaining());
            prop_assert_eq!(reply.iter().filter(|&&byte| byte == b'\n').count(), 6);
            prop_assert_eq!(reply.iter().filter(|&&byte| byte == b'\r').count(), 6);
        }
    }
}
