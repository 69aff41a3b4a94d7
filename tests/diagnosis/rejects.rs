//! The ready-made replies, and what RFC 9110 asks of them.

use core::time::Duration;

use bytes::BytesMut;
use sansocket::{HandshakeError, Instant, Reject, ServerConfig, ServerHandshake, ServerStep};

fn rejected(target: &str, reject: Reject) -> HandshakeError {
    let head = format!(
        "GET {target} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    let Ok(ServerStep::Request(pending)) = handshake.receive(&mut BytesMut::from(&*head), Instant::ZERO)
    else {
        panic!("the request follows the rules")
    };
    pending.reject(reject, Instant::ZERO)
}

fn reply(reject: Reject) -> String {
    let error = rejected("/", reject);
    String::from_utf8(error.reply().expect("a reply").to_vec()).unwrap()
}

#[test]
fn they_are_complete() {
    let text = "Connection: close\r\n";
    let kind = "Content-Type: text/plain; charset=utf-8\r\n";
    assert_eq!(
        reply(Reject::not_found()),
        format!(
            "HTTP/1.1 404 Not Found\r\n{text}{kind}Content-Length: 36\r\n\r\nThere is no WebSocket at this path.\n"
        )
    );
    assert_eq!(
        reply(Reject::unauthorized("Basic realm=\"chat\"").unwrap()),
        format!(
            "HTTP/1.1 401 Unauthorized\r\n{text}WWW-Authenticate: Basic realm=\"chat\"\r\n{kind}Content-Length: 26\r\n\r\n\
             Credentials are required.\n"
        )
    );
    assert_eq!(
        reply(Reject::forbidden("No.")),
        format!("HTTP/1.1 403 Forbidden\r\n{text}{kind}Content-Length: 4\r\n\r\nNo.\n")
    );
    assert!(
        reply(Reject::too_busy(Duration::from_secs(30)))
            .starts_with(&format!("HTTP/1.1 503 Service Unavailable\r\n{text}Retry-After: 30\r\n{kind}"))
    );
}

#[test]
fn seconds_are_rounded_up() {
    for (asked, sent) in [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2), (61_500, 62)] {
        let reply = reply(Reject::too_busy(Duration::from_millis(asked)));
        assert!(reply.contains(&format!("\r\nRetry-After: {sent}\r\n")), "{asked} ms: {reply}");
    }
    assert!(reply(Reject::too_busy(Duration::MAX)).contains("\r\nRetry-After: 18446744073709551615\r\n"));
}

#[test]
fn a_challenge_cannot_forge_a_line() {
    let error = Reject::unauthorized("Basic\r\nX: y").unwrap_err();
    assert_eq!(error.name().as_bytes(), b"WWW-Authenticate");
}

#[test]
fn the_log_says_which_request_was_rejected_and_why() {
    let line = |reject| rejected("/room/7?token=s3cret", reject).to_string();
    assert_eq!(
        line(Reject::forbidden("This room is closed.")),
        "opening handshake failed: the application rejected the request with 403: \"This room is closed.\" \
         (rejected; path \"/room/7\", deciding, 159 bytes in 1 read, 0 ms)"
    );
    // What is for the log only is in place of what the client is told, and not told.
    let error = rejected("/", Reject::forbidden("No.").because("room 7 was archived"));
    assert!(error.to_string().contains(" with 403: \"room 7 was archived\" (rejected; "), "{error}");
    assert!(!String::from_utf8_lossy(error.reply().unwrap()).contains("archived"));
    assert!(error.report().contains("403: \"room 7 was archived\".\n"), "{}", error.report());
    assert!(error.report().contains("\n  path      \"/\"\n"), "{}", error.report());
    // Of a body, the first line, and only of plain text.
    let body = |kind: &str| Reject::new(403).body(kind, "\n  No.\nNever.\n").unwrap();
    assert_eq!(body("Text/Plain").reason(), Some("No."));
    assert_eq!((body("text/html").reason(), Reject::new(403).reason()), (None, None));
    assert!(line(Reject::new(403)).contains(" with 403 (rejected; "));
}

#[test]
fn a_reason_cannot_forge_a_line_nor_make_it_long() {
    let error = rejected("/", Reject::new(403).because("no \"room\"\r\n\u{2028}\u{1b}[2J"));
    let line = error.to_string();
    assert!(line.contains(r#" with 403: "no \"room\"\r\n\u{2028}\u{1b}[2J" (rejected; "#), "{line}");
    let error = rejected("/", Reject::new(403).because("\u{fc}".repeat(300)));
    assert_eq!(error.reason().map(str::len), Some(400), "200 characters of two bytes");
}
