//! The HTTP reply to each failure: complete, and of use to whoever reads it.

use sansocket::HandshakeErrorKind;

use crate::support::{HOST, KEY, Outcome, UPGRADE, VERSION, field, refusal, requests, serve, split_head};

fn reply(head: &str) -> Vec<u8> {
    refusal(head.as_bytes()).reply().expect("HTTP makes sense").to_vec()
}

#[test]
fn every_reply_of_the_table_is_complete() {
    for case in requests() {
        let Outcome::Failed(failed) = serve(&sansocket::ServerConfig::default(), &[&case.head]) else {
            continue;
        };
        let Some(reply) = failed.reply else { continue };
        let (head, body) = split_head(&reply);
        let mut lines = head.split("\r\n");
        let status_line = lines.next().unwrap();
        let reason = status_line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(4..));
        assert!(reason.is_some_and(|reason| !reason.is_empty()), "{}: {status_line}", case.name);
        for line in lines {
            assert!(
                line.split_once(": ").is_some_and(|(_, value)| !value.is_empty()),
                "{}: {line:?}",
                case.name
            );
        }
        let close = field(&reply, "Connection").unwrap();
        assert!(close.split(", ").any(|option| option == "close"), "{}", case.name);
        assert_eq!(field(&reply, "Content-Type").as_deref(), Some("text/plain; charset=utf-8"));
        assert_eq!(field(&reply, "Content-Length"), Some(body.len().to_string()), "{}", case.name);
        assert!(body.starts_with(b"The WebSocket opening handshake failed: "), "{}", case.name);
        assert!(body.ends_with(b"\n"), "{}", case.name);
    }
}

#[test]
fn a_key_of_13_bytes_is_explained_and_corrected() {
    let head = format!(
        "GET /chat HTTP/1.1\r\nHost: example.com:8080\r\n{UPGRADE}{VERSION}Sec-WebSocket-Key: SGVsbG8sIHdvcmxkIQ==\r\n\r\n"
    );
    let error = refusal(head.as_bytes());
    assert!(matches!(error.kind(), HandshakeErrorKind::BadKey { decoded: Some(13), .. }));
    let (head, body) = split_head(error.reply().unwrap());
    assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"));
    let body = String::from_utf8(body).unwrap();
    assert!(
        body.contains(
            "Sec-WebSocket-Key \"SGVsbG8sIHdvcmxkIQ==\" decodes to 13 bytes where 16 are required (RFC 6455 section 4.2.1)"
        ),
        "{body}"
    );
    assert_eq!(
        body.lines().last().unwrap(),
        "curl -i -N -H \"Connection: Upgrade\" -H \"Upgrade: websocket\" -H \"Sec-WebSocket-Version: 13\" \
         -H \"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\" http://example.com:8080/chat"
    );
}

#[test]
fn a_target_that_a_shell_would_read_is_quoted_in_the_command() {
    let command = |target: &str| {
        let (_, body) = split_head(&reply(&format!("GET {target} HTTP/1.1\r\n{HOST}\r\n")));
        String::from_utf8(body).unwrap().lines().last().unwrap().to_owned()
    };
    assert!(command("/a?b=c&d").ends_with(" 'http://example.com/a?b=c&d'"));
    assert!(command("/$(reboot)`id`;'\"\\").ends_with(" 'http://example.com/$(reboot)`id`;%27\"\\'"));
    assert!(command("http://[::1]:81/").ends_with(" 'http://[::1]:81/'"));
}

#[test]
fn there_is_no_command_where_host_or_target_are_no_use() {
    for head in [
        "GET * HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(),
    ] {
        assert!(!String::from_utf8_lossy(&reply(&head)).contains("curl"), "{head}");
    }
}

#[test]
fn a_reply_to_head_has_the_length_and_not_the_body() {
    let head = |method: &str| format!("{method} / HTTP/1.1\r\n{HOST}\r\n");
    let (_, post_body) = split_head(&reply(&head("POST")));
    let (fields, body) = split_head(&reply(&head("HEAD")));
    assert!(fields.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
    assert!(body.is_empty());
    // The method has the same length in both, and so has the sentence about it.
    assert!(fields.contains(&format!("\r\nContent-Length: {}", post_body.len())), "{fields}");
    // Also where the head never became whole.
    let endless = format!("\r\nHEAD / HTTP/1.1\r\nX: {}", "y".repeat(20_000));
    let (fields, body) = split_head(&reply(&endless));
    assert!(fields.starts_with("HTTP/1.1 431 "), "{fields}");
    assert!(body.is_empty());
}

#[test]
fn replies_carry_the_fields_that_their_status_asks_for() {
    let not_allowed = reply(&format!("DELETE / HTTP/1.1\r\n{HOST}\r\n"));
    assert_eq!(field(&not_allowed, "Allow").as_deref(), Some("GET"));
    let plain = reply(&format!("GET / HTTP/1.1\r\n{HOST}\r\n"));
    let old = reply(&format!("GET / HTTP/1.1\r\n{HOST}{UPGRADE}{KEY}Sec-WebSocket-Version: 8\r\n\r\n"));
    for reply in [plain, old] {
        assert!(reply.starts_with(b"HTTP/1.1 426 Upgrade Required\r\n"));
        assert_eq!(field(&reply, "Upgrade").as_deref(), Some("websocket"));
        assert_eq!(field(&reply, "Connection").as_deref(), Some("Upgrade, close"));
        assert_eq!(field(&reply, "Sec-WebSocket-Version").as_deref(), Some("13"));
    }
    let none = reply(&format!("GET / HTTP/1.1\r\n{HOST}{UPGRADE}{KEY}\r\n"));
    assert!(none.starts_with(b"HTTP/1.1 400 "));
    assert_eq!(field(&none, "Sec-WebSocket-Version").as_deref(), Some("13"));
}

#[test]
fn bytes_behind_a_refused_request_are_left_for_who_drains_them() {
    let input = format!("POST / HTTP/1.1\r\n{HOST}Content-Length: 5\r\n\r\nhello");
    let Outcome::Failed(failed) = serve(&sansocket::ServerConfig::default(), &[input.as_bytes()]) else {
        panic!("POST is refused");
    };
    assert_eq!(failed.rest, b"hello");
    assert!(failed.reply.is_some());
}
