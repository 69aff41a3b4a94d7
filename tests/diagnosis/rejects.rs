//! The ready-made replies, and what RFC 9110 asks of them.

use core::time::Duration;

use bytes::BytesMut;
use sansocket::{Instant, Reject, ServerConfig, ServerHandshake, ServerStep};

fn reply(reject: Reject) -> String {
    let head = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    let Ok(ServerStep::Request(pending)) = handshake.receive(&mut BytesMut::from(head), Instant::ZERO) else {
        panic!("the request follows the rules")
    };
    let error = pending.reject(reject, Instant::ZERO);
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
