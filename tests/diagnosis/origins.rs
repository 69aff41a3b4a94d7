//! Which pages may open a WebSocket (RFC 6455 section 10.2).

use bytes::BytesMut;
use sansocket::{Instant, Origins, Reject, ServerConfig, ServerHandshake, ServerStep};

/// What becomes of a request with these field lines.
fn check(origins: &Origins, fields: &str) -> Result<(), Reject> {
    let head = format!(
        "GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{fields}\r\n"
    );
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    match handshake.receive(&mut BytesMut::from(&head[..]), Instant::ZERO) {
        Ok(ServerStep::Request(pending)) => origins.check(pending.request()),
        other => panic!("{other:?}"),
    }
}

fn origins(allowed: &[&str]) -> Origins {
    allowed.iter().fold(Origins::new(), |origins, origin| origins.allow(origin).unwrap())
}

#[test]
fn an_exact_origin_is_scheme_host_and_port() {
    let origins = origins(&["https://example.com", "http://localhost:8080", "app://main"]);
    for allowed in [
        "https://example.com",
        "HTTPS://Example.COM",
        "https://example.com:443",
        "http://localhost:8080",
        "app://main",
    ] {
        assert!(origins.allows(allowed.as_bytes()), "{allowed}");
    }
    let refused: [&[u8]; 17] = [
        b"http://example.com",
        b"https://example.com:8443",
        b"https://example.com.evil.test",
        b"https://evil-example.com",
        b"https://chat.example.com",
        b"https://example.com@evil.test",
        b"https://example.com/",
        b"https://example.com:",
        b"https://example.com, https://evil.test",
        b"http://localhost",
        b"app://other",
        b"example.com",
        b"https://",
        b"null",
        b"",
        b"https://ex\xC3\xA4mple.com",
        b"https://\xFF",
    ];
    for origin in refused {
        assert!(!origins.allows(origin), "{}", origin.escape_ascii());
    }
}

#[test]
fn a_wildcard_stands_for_all_that_is_below_and_not_for_the_host_itself() {
    let origins = origins(&["https://*.example.com"]);
    for allowed in ["https://chat.example.com", "https://a.b.example.com", "https://CHAT.example.com:443"] {
        assert!(origins.allows(allowed.as_bytes()), "{allowed}");
    }
    for refused in [
        "https://example.com",
        "https://.example.com",
        "https://evilexample.com",
        "http://chat.example.com",
        "https://chat.example.com:8443",
        "https://chat.example.com.evil.test",
    ] {
        assert!(!origins.allows(refused.as_bytes()), "{refused}");
    }
}

#[test]
fn only_origins_can_be_allowed() {
    let bad = [
        "",
        "*",
        "null",
        "example.com",
        "https://",
        "https://*",
        "https://*.",
        "https://exa*mple.com",
        "https://a.*.example.com",
        "https://*.*.example.com",
        "https://*.127.0.0.1",
        "https://*.[::1]",
        "https://example.com/",
        "https://example.com/chat",
        "https://example.com:0",
        "https://user@example.com",
        "1s://example.com",
        "https://ex mple.com",
    ];
    for origin in bad {
        let error = Origins::new().allow(origin).map(drop).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{origin:?} is not an origin")), "{error}");
    }
    for good in
        ["http://[::1]:8080", "http://127.0.0.1", "https://*.example.com:8443", "chrome-extension://abc"]
    {
        assert!(Origins::new().allow(good).is_ok(), "{good}");
    }
}

#[test]
fn a_request_is_judged_by_its_only_origin() {
    let origins = origins(&["https://example.com"]);
    assert!(check(&origins, "Origin: https://example.com\r\n").is_ok());
    assert!(check(&origins, "").is_ok(), "not from a page");
    for fields in [
        "Origin: https://evil.test\r\n",
        "Origin: null\r\n",
        "Origin:\r\n",
        "Origin: https://example.com\r\nOrigin: https://example.com\r\n",
        "Origin: https://evil.test\r\nOrigin: https://example.com\r\n",
    ] {
        assert_eq!(check(&origins, fields).unwrap_err().status(), 403, "{fields}");
    }
    assert_eq!(check(&origins.clone().require(), "").unwrap_err().status(), 403);
    assert!(check(&origins.require(), "Origin: https://example.com\r\n").is_ok());
    assert!(
        check(&Origins::new(), "Origin: https://example.com\r\n").is_err(),
        "nothing is allowed by default"
    );
}
