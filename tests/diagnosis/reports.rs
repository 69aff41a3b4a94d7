//! The words: a line for a log, a report for a person, advice that fits.

use bytes::BytesMut;
use sansocket::{ClientConfig, Instant, ServerConfig, ServerHandshake, ServerStep};

use crate::cases::all;
use crate::run::{Outcome, Role, client, refusal, secs, whole};

#[test]
fn every_case_has_one_line_a_report_and_advice_that_is_foreseen() {
    for case in all() {
        let (Outcome::Failed(_), Some(error)) = whole(&case) else { continue };
        let line = error.to_string();
        assert!(line.starts_with("opening handshake failed: "), "{line}");
        let (code, phase) = (error.code(), error.phase());
        let path = error.path().filter(|_| case.role == Role::Client || code == "rejected");
        let path = path.map_or_else(String::new, |path| format!("path {path}, "));
        assert!(line.contains(&format!(" ({code}; {path}{phase}, ")), "{line}");
        assert!(line.is_ascii() && !line.contains(|character: char| character.is_control()), "{line}");
        assert!(line.len() < 600, "{line}");
        // A sentence that nobody has written would be the code.
        assert!(!line.starts_with(&format!("opening handshake failed: {} (", error.code())), "{line}");
        let report = error.report();
        let mut rows = report.lines();
        assert!(
            rows.next().is_some_and(|first| first.starts_with("The opening handshake failed: ")),
            "{report}"
        );
        for label in ["code", "severity", "when", "peer", "expected", "advice"] {
            let row = report.lines().find_map(|row| row.strip_prefix(&format!("  {label:8}  ")));
            assert!(row.is_some_and(|row| !row.is_empty()), "{}: no {label} in {report}", case.name);
        }
        assert_eq!(report.contains("\n  answer "), case.role == Role::Server, "{report}");
        assert_eq!(report.contains("\n  body "), !error.body().is_empty(), "{report}");
        assert!(report.ends_with(".\n") && report.is_ascii(), "{report}");
        assert!(!error.advice().contains("report this"), "{}: {line}", case.name);
    }
}

#[test]
fn a_request_that_a_proxy_has_spoiled_is_explained() {
    let error = refusal(
        b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: close\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
          Sec-WebSocket-Version: 13\r\n\r\n",
    );
    assert_eq!(
        error.report(),
        "The opening handshake failed: the request has no Upgrade field.\n\
         \x20 code      missing-upgrade\n\
         \x20 severity  bad-peer\n\
         \x20 when      reading request, after 122 bytes in 1 read and 0 ms\n\
         \x20 path      \"/chat\"\n\
         \x20 peer      a WebSocket client\n\
         \x20 seen      \"GET /chat HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\nSec-WebSocket-Ke\"\n\
         \x20 expected  Upgrade: websocket\n\
         \x20 answer    426\n\
         \x20 advice    Use a WebSocket client, and let a proxy in between pass Upgrade and Connection on (nginx: \
         proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\").\n",
    );
}

#[test]
fn values_of_the_servers_answer_are_in_the_line() {
    let cases = [
        (
            "HTTP/1.1 302 Found\r\nLocation: wss://other.example/\r\nContent-Length: 0\r\n\r\n",
            "the server answered with 302 and redirects to \"wss://other.example/\"",
        ),
        (
            "HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n",
            "the server answered with 401 and wants credentials: \"Bearer\"",
        ),
        ("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", "a proxy answered with 407 and wants credentials"),
        (
            "HTTP/1.1 426 No\r\nSec-WebSocket-Version: 8, 7\r\nContent-Length: 0\r\n\r\n",
            "the server answered with 426 and does not speak version 13 of the protocol; it offers \"8, 7\"",
        ),
        (
            "HTTP/1.1 503 No\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n",
            "the server answered with 503 and does not want the connection now; retry after 120 s",
        ),
        (
            "HTTP/1.1 503 No\r\nRetry-After: 99999999999999999999\r\nContent-Length: 0\r\n\r\n",
            "the server answered with 503 and does not want the connection now; retry after 18446744073709551615 s",
        ),
        (
            // A sign is no digit.
            "HTTP/1.1 503 No\r\nRetry-After: +5\r\nContent-Length: 0\r\n\r\n",
            "the server answered with 503 and does not want the connection now",
        ),
        (
            "HTTP/1.1 429 No\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n",
            "the server answered with 429 and does not want the connection now",
        ),
    ];
    for (response, expected) in cases {
        let mut handshake = client(&ClientConfig::default());
        let error = handshake.receive(&mut BytesMut::from(response), Instant::ZERO).unwrap_err();
        let line = error.to_string();
        let code = error.code();
        assert!(line.starts_with(&format!("opening handshake failed: {expected} ({code}; ")), "{line}");
    }
}

#[test]
fn advice_depends_on_who_the_peer_is() {
    let advice = |bytes: &[u8]| refusal(bytes).advice();
    let tls = advice(b"\x16\x03\x01\x00\x04\x01\x00\x00\x00");
    assert!(tls.contains("ws"), "{tls}");
    assert_ne!(advice(b"SSH-"), tls);
    let mut handshake = client(&ClientConfig::default());
    let alert = &b"\x15\x03\x01\x00\x02\x02\x46"[..];
    let error = handshake.receive(&mut BytesMut::from(alert), Instant::ZERO).unwrap_err();
    assert_eq!(error.advice(), "The server speaks TLS on this port: use wss.");
    assert_eq!(
        error.to_string(),
        "opening handshake failed: the server does not speak HTTP/1; this looks like TLS, with alert 70 \
         (protocol_version) (not-http; path \"/chat\", reading response, 7 bytes in 1 read, 0 ms, first bytes \
         \"\\x15\\x03\\x01\\x00\\x02\\x02F\")"
    );
}

#[test]
fn the_same_error_says_the_same_later() {
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    let first = handshake.receive(&mut BytesMut::from(&b"\x05\x01\x00"[..]), secs(1)).unwrap_err();
    let later = handshake.eof(secs(9));
    assert_eq!((first.report(), first.peer()), (later.report(), later.peer()));
}

#[test]
fn what_is_shown_of_an_error_has_no_secret() {
    for head in [
        &b"POST /login?token=s3cret HTTP/1.1\r\nCookie: s3cret\r\n\r\n"[..],
        b"GET /login?token=s3cret HTTP/1.1\r\nHost: a\r\nCookie: s3cret\r\n\r\n",
        b"GET /a#b?token=s3cret HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nCookie: s3cret\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nAUTHORIZATION: s3cret\r\n\r\n",
        b"GET http://me:s3cret@a/b HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let error = refusal(head);
        let shown = format!("{error:?}\n{error}\n{}", error.report());
        assert!(!shown.contains("s3cret"), "{shown}");
    }
    for response in [
        "HTTP/1.1 403 No\r\nSet-Cookie: s3cret\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 No\r\nLocation: wss://me:s3cret@other.example/\r\nContent-Length: 0\r\n\r\n",
    ] {
        let error = client(&ClientConfig::default()).receive(&mut BytesMut::from(response), Instant::ZERO);
        let error = error.unwrap_err();
        let shown = format!("{error:?}\n{error}\n{}", error.report());
        assert!(!shown.contains("s3cret"), "{shown}");
        assert_eq!(shown.contains("wss://...@other.example/"), error.code() == "redirected", "{shown}");
    }
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    let part = handshake.receive(&mut BytesMut::from("GET /chat?token=s3cret HT"), Instant::ZERO);
    assert!(matches!(part, Ok(ServerStep::NeedMore)));
    let error = handshake.eof(Instant::ZERO);
    let shown = format!("{error:?}\n{error}\n{}", error.report());
    assert!(shown.contains("GET /chat") && !shown.contains("s3cret"), "{shown}");
}
