//! Where a head ends, and that this agrees with httparse, which reads it afterwards.

use bytes::BytesMut;
use httparse::Status;
use proptest::prelude::*;
use sansocket::{
    ClientConfig, HandshakeErrorKind, Instant, Malformed, ServerConfig, ServerHandshake, ServerStep,
};

use crate::support::{
    HOST, KEY, Outcome, UPGRADE, VERSION, connect, refusal, request, request_with, response_with, serve,
};

fn bytewise(input: &[u8]) -> Outcome {
    let pieces: Vec<&[u8]> = input.chunks(1).collect();
    serve(&ServerConfig::default(), &pieces)
}

#[test]
fn bare_line_feeds_end_lines_and_the_head() {
    let text = format!("GET /chat HTTP/1.1\n{HOST}{UPGRADE}{KEY}{VERSION}\n").replace("\r\n", "\n");
    let input = [text.as_bytes(), b"frames"].concat();
    for outcome in [serve(&ServerConfig::default(), &[&input]), bytewise(&input)] {
        let Outcome::Accepted(agreed) = outcome else { panic!("{outcome:?}") };
        assert_eq!(agreed.rest, b"frames");
    }
}

#[test]
fn each_mix_of_line_ends_ends_the_head_at_the_same_byte() {
    for ends in [["\r\n", "\n"], ["\n", "\r\n"], ["\n", "\n"], ["\r\n", "\r\n"]] {
        let head = String::from_utf8(request()).unwrap();
        let lines = head.strip_suffix("\r\n\r\n").unwrap().replace("\r\n", ends[0]);
        // Behind the head comes what would end it a second time.
        let input = format!("{lines}{}{}\r\n\r\nrest", ends[0], ends[1]);
        for outcome in [serve(&ServerConfig::default(), &[input.as_bytes()]), bytewise(input.as_bytes())] {
            let Outcome::Accepted(agreed) = outcome else { panic!("{ends:?}: {outcome:?}") };
            assert_eq!(agreed.rest, b"\r\n\r\nrest", "{ends:?}");
        }
    }
}

#[test]
fn empty_lines_before_the_request_line_are_skipped() {
    for before in ["\r\n", "\n", "\r\n\n\r\n", "\n\n\n"] {
        let input = [before.as_bytes(), &request()].concat();
        for outcome in [serve(&ServerConfig::default(), &[&input]), bytewise(&input)] {
            assert_eq!(outcome.summary(), "ok /chat", "{before:?}");
        }
    }
}

#[test]
fn bytes_behind_the_head_stay_for_the_first_frame() {
    let frame = b"\x81\x82\0\0\0\0hi";
    let Outcome::Accepted(agreed) = serve(&ServerConfig::default(), &[&[&request()[..], frame].concat()])
    else {
        panic!("the request follows the rules");
    };
    assert_eq!(agreed.rest, frame);
    let frame = b"\x81\x02hi";
    let Outcome::Accepted(agreed) =
        connect(&ClientConfig::default(), &[&[&response_with("")[..], frame].concat()])
    else {
        panic!("the response follows the rules");
    };
    assert_eq!(agreed.rest, frame);
}

#[test]
fn whoever_keeps_the_request_does_not_keep_the_block_that_it_was_read_into() {
    let mut block = BytesMut::with_capacity(64 * 1024);
    block.extend_from_slice(&request());
    let (start, capacity) = (block.as_ptr(), block.capacity());
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    let Ok(ServerStep::Request(_pending)) = handshake.receive(&mut block, Instant::ZERO) else {
        panic!("the request follows the rules");
    };
    // Nobody else holds a part of it, so all of it can be used again.
    assert!(block.try_reclaim(capacity));
    assert_eq!(block.as_ptr(), start);
}

#[test]
fn other_protocols_are_known_by_the_byte_that_settles_it() {
    let cases: [(&[u8], usize); 12] = [
        (b"\x16\x03\x01\x00\x02\x02\x00\x00", 6),
        (b"\x15\x03\x01\x00\x02\x02\x46", 7),
        (b"\x16\x04", 2),
        (b"\x05\x01\x00", 2),
        (b"\x81\x85\x37\xfa\x21\x3d", 2),
        (b"SSH-2.0-OpenSSH_9.6\r\n", 4),
        (b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16),
        (b"\r\n\r\n\0\r\nQUID\n", 11),
        (b"hello\n", 6),
        (b"\rG", 2),
        (b"{\"json\": 1}", 1),
        (b" GET /", 1),
    ];
    for (bytes, settled) in cases {
        let error = refusal(bytes);
        assert_eq!(error.kind(), &HandshakeErrorKind::NotHttp, "{}", bytes.escape_ascii());
        assert_eq!(error.bytes(), settled as u64, "{}", bytes.escape_ascii());
        assert_eq!(error.reply(), None, "no HTTP to who does not speak it");
        assert_eq!(error.first_bytes(), bytes, "what came with it helps to see what it is");
        let less = serve(&ServerConfig::default(), &[&bytes[..settled - 1]]);
        assert_eq!(less, Outcome::NeedMore, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_malformed_request_line_is_noticed_when_it_ends() {
    let error = refusal(b"GET /a b HTTP/1.1\r\nHost: exa");
    assert_eq!(error.bytes(), 19);
    let HandshakeErrorKind::MalformedHead { what, line, seen } = error.kind() else { panic!("{error}") };
    assert_eq!((*what, *line, seen.as_bytes()), (Malformed::RequestLine, 1, &b"GET /a b HTTP/1.1"[..]));
}

#[test]
fn a_malformed_field_line_is_named() {
    let cases: [(&str, Malformed); 5] = [
        ("no colon", Malformed::FieldName),
        ("Space : x", Malformed::FieldName),
        ("X: a\0b", Malformed::FieldValue),
        ("X: a\rb", Malformed::LineEnd),
        ("\tfolded", Malformed::Folding),
    ];
    for (bad, expected) in cases {
        let head = format!("\r\nGET / HTTP/1.1\r\n{HOST}A: b\r\n{bad}\r\nC d\r\n{UPGRADE}\r\n");
        let error = refusal(head.as_bytes());
        let HandshakeErrorKind::MalformedHead { what, line, seen } = error.kind() else { panic!("{error}") };
        assert_eq!((*what, *line, seen.as_bytes()), (expected, 4, bad.as_bytes()));
    }
}

#[test]
fn values_that_are_not_ascii_pass_through_as_bytes_on_both_sides() {
    let value = b"caf\xC3\xA9 \xFF\x80";
    let line = [b"X-Name: ", &value[..], b"\r\n"].concat();
    let mut head = request();
    head.splice(head.len() - 2..head.len() - 2, line.iter().copied());
    let Outcome::Accepted(agreed) = serve(&ServerConfig::default(), &[&head]) else {
        panic!("it is allowed")
    };
    assert_eq!(agreed.fields.last(), Some(&("X-Name".to_owned(), value.to_vec())));
    let mut head = response_with("");
    head.splice(head.len() - 2..head.len() - 2, line.iter().copied());
    let Outcome::Accepted(agreed) = connect(&ClientConfig::default(), &[&head]) else {
        panic!("it is allowed")
    };
    assert_eq!(agreed.fields.last(), Some(&("X-Name".to_owned(), value.to_vec())));
}

#[test]
fn more_fields_than_the_default_limit_need_only_a_higher_limit() {
    let fields = "X: y\r\n".repeat(500);
    let mut config = ServerConfig::default();
    config.limits.head_fields = 505;
    let head = request_with(&fields);
    let Outcome::Accepted(agreed) = serve(&config, &[&head]) else { panic!("505 fields are allowed") };
    assert_eq!(agreed.fields.len(), 505);
}

/// Text that looks like a head more often than not.
fn head_like() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just("GET / HTTP/1.1"),
        Just("GET / HTTP/1.0"),
        Just("POST http://a/b?c HTTP/1.1"),
        Just("GET"),
        Just(" "),
        Just("HTTP/1.1"),
        Just("HTTP/1.1 101 Switching"),
        Just("HTTP/1.1 200"),
        Just("\r\n"),
        Just("\r\n"),
        Just("\n"),
        Just("\r"),
        Just("\r\n\r\n"),
        Just("Host: a"),
        Just("A:b"),
        Just(":"),
        Just("\t"),
        Just("\0"),
        Just("\u{fc}"),
        Just("x"),
    ];
    prop::collection::vec(part, 0..14).prop_map(|parts| parts.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// Byte by byte, so that the own search for the end is at work, and not httparse's.
    #[test]
    fn the_end_of_a_request_head_is_where_httparse_sees_it(input in head_like()) {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut headers);
        let expected = parsed.parse(&input);
        match (expected, bytewise(&input)) {
            (Ok(Status::Complete(len)), Outcome::Accepted(agreed)) => {
                prop_assert_eq!(input.len() - len, agreed.rest.len());
            }
            (Ok(Status::Complete(len)), Outcome::Failed(failed)) => {
                prop_assert_eq!(failed.bytes, len as u64, "{:?}", failed.kind);
                let syntax = matches!(
                    failed.kind,
                    HandshakeErrorKind::NotHttp | HandshakeErrorKind::MalformedHead { .. }
                );
                prop_assert!(!syntax, "httparse takes what {:?} is said of", failed.kind);
            }
            (Ok(Status::Partial), Outcome::NeedMore) => {}
            // A fault inside a field line is judged when the head is whole.
            (Err(_), Outcome::NeedMore) => {}
            (Err(_), Outcome::Failed(failed)) => {
                let syntax = matches!(
                    failed.kind,
                    HandshakeErrorKind::NotHttp
                        | HandshakeErrorKind::MalformedHead { .. }
                        | HandshakeErrorKind::HttpVersion { .. }
                );
                prop_assert!(syntax, "{:?}", failed.kind);
            }
            (expected, outcome) => prop_assert!(false, "{expected:?} but {outcome:?}"),
        }
    }

    #[test]
    fn the_end_of_a_response_head_is_where_httparse_sees_it(input in head_like()) {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Response::new(&mut headers);
        let expected = parsed.parse(&input);
        let pieces: Vec<&[u8]> = input.chunks(1).collect();
        // No body is awaited, so that the result comes with the end of the head.
        let mut config = ClientConfig::default();
        config.limits.error_body = 0;
        match (expected, connect(&config, &pieces)) {
            (Ok(Status::Complete(len)), Outcome::Failed(failed)) => {
                prop_assert_eq!(failed.bytes, len as u64, "{:?}", failed.kind);
                let syntax = matches!(
                    failed.kind,
                    HandshakeErrorKind::NotHttp | HandshakeErrorKind::MalformedHead { .. }
                );
                prop_assert!(!syntax, "httparse takes what {:?} is said of", failed.kind);
            }
            (Ok(Status::Partial) | Err(_), Outcome::NeedMore) => {}
            (Err(_), Outcome::Failed(failed)) => {
                let syntax = matches!(
                    failed.kind,
                    HandshakeErrorKind::NotHttp
                        | HandshakeErrorKind::MalformedHead { .. }
                        | HandshakeErrorKind::HttpVersion { .. }
                );
                prop_assert!(syntax, "{:?}", failed.kind);
            }
            (expected, outcome) => prop_assert!(false, "{expected:?} but {outcome:?}"),
        }
    }
}
