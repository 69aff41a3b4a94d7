//! The body of a response that refuses: how much of it is read, how long it is waited for, and what is shown.

use core::time::Duration;

use bytes::BytesMut;
use sansocket::{ClientConfig, ClientHandshake, ClientStep, HandshakeError, Instant, TransportError};

use crate::memory;
use crate::run::{client, secs};

/// Feeds `response` at once, with this limit on bodies.
fn refused(limit: usize, response: &str) -> (ClientHandshake, BytesMut, Option<HandshakeError>) {
    let mut config = ClientConfig::default();
    config.limits.error_body = limit;
    let mut handshake = client(&config);
    let mut input = BytesMut::from(response);
    let error = match handshake.receive(&mut input, Instant::ZERO) {
        Ok(ClientStep::NeedMore) => None,
        Ok(step) => panic!("{step:?}"),
        Err(error) => Some(error),
    };
    (handshake, input, error)
}

fn waiting(response: &str) -> ClientHandshake {
    let (handshake, _, error) = refused(1024, response);
    assert!(error.is_none(), "the body is not whole");
    handshake
}

#[test]
fn bodies_below_at_and_above_the_limit() {
    for (len, kept) in [(9, 9), (10, 10), (11, 10), (1000, 10)] {
        let response = format!("HTTP/1.1 403 No\r\nContent-Length: {len}\r\n\r\n{}", "x".repeat(len));
        let (_, rest, error) = refused(10, &response);
        let error = error.expect("what is wanted is there");
        assert_eq!((error.body().len(), rest.len()), (kept, len - kept));
        assert_eq!(error.bytes(), (response.len() - rest.len()) as u64);
    }
    // Content that is longer than the limit is not waited for.
    let (_, _, error) = refused(10, "HTTP/1.1 403 No\r\nContent-Length: 1000\r\n\r\n0123456789");
    assert_eq!(error.expect("all of what is kept").body(), b"0123456789");
}

#[test]
fn without_a_limit_above_zero_or_a_body_nothing_is_waited_for() {
    let heads = [
        (0, "HTTP/1.1 403 No\r\n\r\n"),
        (0, "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (1024, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"),
        (1024, "HTTP/1.1 204 No Content\r\n\r\n"),
        (1024, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
    ];
    for (limit, head) in heads {
        let (_, _, error) = refused(limit, head);
        assert_eq!(error.unwrap_or_else(|| panic!("{head}")).body(), b"");
    }
}

#[test]
fn a_body_is_waited_for_a_second_and_never_beyond_the_handshake() {
    let head = "HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nab";
    let mut handshake = waiting(head);
    assert_eq!(handshake.deadline(), Some(secs(1)));
    assert!(handshake.timeout(Instant::from_nanos(999_999_999)).is_ok());
    let error = handshake.timeout(secs(1)).unwrap_err();
    assert_eq!((error.code(), error.status(), error.body()), ("unexpected-status", Some(403), &b"ab"[..]));
    assert_eq!(handshake.deadline(), None);

    // A byte more does not buy more time.
    let mut handshake = waiting(head);
    let step = handshake.receive(&mut BytesMut::from("c"), Instant::from_nanos(900_000_000));
    assert!(matches!(step, Ok(ClientStep::NeedMore)));
    assert_eq!(handshake.deadline(), Some(secs(1)));

    let mut config = ClientConfig::default();
    config.timeouts.handshake = Some(Duration::from_millis(9_500));
    let mut handshake = client(&config);
    let _more = handshake.receive(&mut BytesMut::from(head), secs(9)).unwrap();
    assert_eq!(handshake.deadline(), Some(Instant::from_nanos(9_500_000_000)));
    let error = handshake.timeout(Instant::from_nanos(9_500_000_000)).unwrap_err();
    assert_eq!(error.code(), "unexpected-status", "the head said so before the time was over");

    config.timeouts.handshake = None;
    let mut handshake = client(&config);
    let _more = handshake.receive(&mut BytesMut::from(head), secs(9)).unwrap();
    assert_eq!(handshake.deadline(), Some(secs(10)), "a body is not waited for without end");
}

#[test]
fn whatever_ends_the_body_the_error_is_that_of_the_head() {
    let head = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n\r\nwait";
    let ends: [fn(&mut ClientHandshake) -> HandshakeError; 3] = [
        |handshake| handshake.eof(secs(1)),
        |handshake| handshake.failed(TransportError::Reset, secs(1)),
        |handshake| handshake.timeout(secs(1)).unwrap_err(),
    ];
    for end in ends {
        let mut handshake = waiting(head);
        let error = end(&mut handshake);
        assert_eq!((error.code(), error.body()), ("server-busy", &b"wait"[..]));
        // And it stays.
        assert_eq!(handshake.eof(secs(2)).code(), "server-busy");
        assert_eq!(handshake.receive(&mut BytesMut::from("more"), secs(2)).unwrap_err().body(), b"wait");
    }
}

#[test]
fn chunked_is_taken_off() {
    let response = |body: &str| format!("HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    let cases = [
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("2\r\nhe\r\n3;a=b\r\nllo\r\n000\r\n\r\n", "hello"),
        ("A \r\n0123456789\r\n0;x\r\n", "0123456789"),
        // Bare line feeds, as in a head.
        ("5\nhello\n0\n", "hello"),
        // What breaks the grammar ends it.
        ("2\r\nhe\r\nxyz", "he"),
        ("2\r\nhello", "he"),
        ("FFFFFFFFFFFFFFFFF\r\nx", ""),
        ("\r\n", ""),
    ];
    for (body, expected) in cases {
        let (_, _, error) = refused(1024, &response(body));
        let error = error.unwrap_or_else(|| panic!("{body:?} has an end"));
        assert_eq!(error.body().escape_ascii().to_string(), expected, "{body:?}");
    }
    // Another coding is shown as it comes, up to the end of the stream.
    let mut handshake =
        waiting("HTTP/1.1 404 No\r\nTransfer-Encoding: chunked, gzip\r\nContent-Length: 2\r\n\r\nabc");
    assert_eq!(handshake.eof(secs(1)).body(), b"abc");
}

#[test]
fn chunks_that_are_mostly_overhead_end_too() {
    let endless = format!("HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n1;{}", "x".repeat(100_000));
    let (_, rest, error) = refused(100, &endless);
    assert!(error.is_some_and(|error| error.body().is_empty()));
    assert!(rest.len() > 99_000, "eight times the limit is read");
}

#[test]
fn a_length_that_is_repeated_counts_and_one_that_is_none_does_not() {
    let (_, _, error) = refused(1024, "HTTP/1.1 403 No\r\nContent-Length: 2, 2\r\n\r\nno");
    assert_eq!(error.expect("it is whole").body(), b"no");
    for length in ["2, 3", "-2", "two", "", "99999999999999999999999999"] {
        let mut handshake = waiting(&format!("HTTP/1.1 403 No\r\nContent-Length: {length}\r\n\r\nno"));
        assert_eq!(handshake.eof(secs(1)).body(), b"no", "{length:?}");
    }
}

#[test]
fn the_body_is_in_the_line_for_the_log_in_short_and_in_the_report() {
    let (_, _, error) = refused(
        1024,
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 26\r\n\r\nno TLS here\x1b[2J\r\nuse wss\r\n",
    );
    let error = error.expect("it is whole");
    assert_eq!(
        error.to_string(),
        "opening handshake failed: the server answered with 400, not with 101 (Switching Protocols) \
         (unexpected-status; path \"/chat\", reading response, 74 bytes in 1 read, 0 ms, body \"no TLS here\\x1b[2J\\r\\nuse wss\\r\\n\")"
    );
    let report = error.report();
    assert!(report.contains("\n  body      \"no TLS here\\x1b[2J\"\n            \"use wss\"\n"), "{report}");

    let long = format!("HTTP/1.1 500 Oops\r\nContent-Length: 500\r\n\r\n{}", "y".repeat(500));
    let (_, _, error) = refused(1024, &long);
    let line = error.expect("it is whole").to_string();
    assert!(line.ends_with(&format!("body \"{}\"...)", "y".repeat(120))), "{line}");
}

#[test]
fn a_body_that_is_announced_costs_nothing_before_it_comes() {
    let head = "HTTP/1.1 403 No\r\nContent-Length: 18446744073709551615\r\n\r\n";
    let mut config = ClientConfig::default();
    config.limits.error_body = usize::MAX;
    let mut handshake = client(&config);
    let mut input = BytesMut::from(head);
    let (step, held) = memory::held(|| handshake.receive(&mut input, Instant::ZERO));
    assert!(matches!(step, Ok(ClientStep::NeedMore)));
    assert!(held < 2048, "{held} bytes");
}
