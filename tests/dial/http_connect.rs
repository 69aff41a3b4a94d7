//! HTTP CONNECT (RFC 9110 section 9.3.6): what is sent to a proxy, and what its answers mean.

use core::time::Duration;

use bytes::BytesMut;
use sansocket::{Instant, Limits, Peer, ProxyError, ProxyFault, ProxyHandshake, ProxyStep, TransportError};

use crate::support::{millis, sent};

fn handshake(proxy: &str, url: &str) -> ProxyHandshake {
    let limit = Some(Duration::from_secs(10));
    ProxyHandshake::new(
        &proxy.parse().unwrap(),
        &url.parse().unwrap(),
        &Limits::default(),
        limit,
        Instant::ZERO,
    )
    .unwrap()
}

/// What comes of an answer, and what is left of it.
fn answered(proxy: &str, bytes: &[u8]) -> (Result<ProxyStep, ProxyError>, Vec<u8>) {
    let mut input = BytesMut::from(bytes);
    let result = handshake(proxy, "ws://example.com/").receive(&mut input, millis(5));
    (result, input.to_vec())
}

#[test]
fn the_request_names_host_and_port() {
    for (url, authority) in [
        ("wss://example.com/chat?x", "example.com:443"),
        ("ws://example.com/", "example.com:80"),
        ("ws://user:pass@example.com:8080/", "example.com:8080"),
        ("wss://[2001:db8::1]/", "[2001:db8::1]:443"),
        ("ws://192.0.2.1/", "192.0.2.1:80"),
    ] {
        let request = sent(&mut handshake("http://proxy.example", url));
        let expected = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
        assert_eq!(String::from_utf8(request).unwrap(), expected);
    }
    let request = sent(&mut handshake("http://me:it%20is@proxy.example", "wss://user:pass@example.com/"));
    assert_eq!(
        String::from_utf8(request).unwrap(),
        "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\nProxy-Authorization: Basic bWU6aXQgaXM=\r\n\r\n"
    );
}

#[test]
fn any_2xx_opens_and_what_follows_is_the_servers() {
    for head in [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 204\r\n\r\n",
        "HTTP/1.1 299 x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\n\r\n",
    ] {
        let bytes = [head.as_bytes(), b"HTTP/1.1 1"].concat();
        let (result, left) = answered("http://p", &bytes);
        assert_eq!(result, Ok(ProxyStep::Open), "{head}");
        assert_eq!(left, b"HTTP/1.1 1");
    }
}

#[test]
fn other_answers_are_errors_that_show_the_body() {
    // 401 is not for proxies, and yet what some say to wrong credentials.
    for (proxy, sent, status, name) in [
        ("http://p", false, 407, "Proxy-Authenticate"),
        ("http://a:b@p", true, 407, "Proxy-Authenticate"),
        ("http://a:b@p", true, 401, "WWW-Authenticate"),
    ] {
        let head = format!(
            "HTTP/1.1 {status} x\r\n{name}: Basic realm=\"office\"\r\nContent-Length: 5\r\n\r\nhellorest"
        );
        let (result, left) = answered(proxy, head.as_bytes());
        let error = result.unwrap_err();
        assert_eq!((error.body(), &left[..]), (&b"hello"[..], &b"rest"[..]));
        assert_eq!(error.fault().code(), "proxy-auth");
        let ProxyFault::AuthenticationRequired { status: said, challenge: Some(challenge), sent: seen } =
            error.fault()
        else {
            panic!("{error}")
        };
        assert_eq!((*said, challenge.as_bytes(), *seen), (status, &b"Basic realm=\"office\""[..], sent));
        assert!(error.to_string().contains("hello"), "{error}");
        assert!(error.to_string().contains(&format!("answered with {status}:")), "{error}");
    }
    for status in [101, 301, 400, 403, 404, 500, 502, 503, 504] {
        let head = format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n");
        let error = answered("http://p", head.as_bytes()).0.unwrap_err();
        assert_eq!(error.fault(), &ProxyFault::Refused { status });
        assert_eq!((error.bytes(), error.elapsed()), (head.len() as u64, Duration::from_millis(5)));
    }
}

#[test]
fn a_body_that_does_not_come_is_waited_for_a_second() {
    let mut handshake = handshake("http://p", "ws://example.com/");
    let mut input = BytesMut::from("HTTP/1.1 502 x\r\nContent-Length: 9\r\n\r\nname");
    assert_eq!(handshake.receive(&mut input, millis(100)), Ok(ProxyStep::NeedMore));
    assert_eq!(handshake.deadline(), Some(millis(1_100)));
    assert!(handshake.timeout(millis(1_099)).is_ok());
    let error = handshake.timeout(millis(1_100)).unwrap_err();
    assert_eq!((error.fault(), error.body()), (&ProxyFault::Refused { status: 502 }, &b"name"[..]));
    assert_eq!(
        handshake.receive(&mut input, millis(1_200)),
        Err(error.clone()),
        "every later call says the same"
    );
    assert_eq!(handshake.timeout(millis(1_200)), Err(error));
}

#[test]
fn the_end_of_the_stream_is_told_apart() {
    let after = |bytes: &[u8]| {
        let mut handshake = handshake("http://p", "ws://example.com/");
        assert_eq!(handshake.receive(&mut BytesMut::from(bytes), millis(1)), Ok(ProxyStep::NeedMore));
        (handshake.eof(millis(2)), {
            let mut other = self::handshake("http://p", "ws://example.com/");
            let _more = other.receive(&mut BytesMut::from(bytes), millis(1));
            other.failed(TransportError::Reset, millis(2))
        })
    };
    for bytes in [&b""[..], b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"] {
        let (eof, reset) = after(bytes);
        assert_eq!((eof.fault(), eof.bytes()), (&ProxyFault::Closed, bytes.len() as u64));
        assert_eq!(reset.fault(), &ProxyFault::TransportFailed(TransportError::Reset));
    }
    let (eof, reset) = after(b"HTTP/1.1 403 x\r\n\r\nnot allo");
    assert_eq!((eof.fault(), eof.body()), (&ProxyFault::Refused { status: 403 }, &b"not allo"[..]));
    assert_eq!(reset.fault(), &ProxyFault::Refused { status: 403 });
}

#[test]
fn what_is_no_http_is_named() {
    let error = answered("http://p", b"SSH-2.0-OpenSSH_9.6\r\n").0.unwrap_err();
    assert_eq!(error.fault(), &ProxyFault::NotHttp { peer: Peer::Ssh });
    assert_eq!(error.fault().code(), "proxy-not-http");
    let error = answered("http://p", b"HTTP/1.1 200 OK\r\nA b\r\n\r\n").0.unwrap_err();
    assert!(matches!(error.fault(), ProxyFault::MalformedHead { line: 2, .. }), "{error}");
}

#[test]
fn the_head_has_the_limits_of_a_servers() {
    let limits = Limits::default();
    for (len, fits) in
        [(limits.head_bytes - 1, true), (limits.head_bytes, true), (limits.head_bytes + 1, false)]
    {
        let (before, after) = ("HTTP/1.1 200 OK\r\nA: ", "\r\n\r\n");
        let head = [before, &"x".repeat(len - before.len() - after.len()), after].concat();
        let result = answered("http://p", head.as_bytes()).0;
        assert_eq!(result.is_ok(), fits, "{len}");
        assert!(result.is_ok_and(|step| step == ProxyStep::Open) == fits);
    }
    for (fields, fits) in [(99, true), (100, true), (101, false)] {
        let head = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(fields));
        let result = answered("http://p", head.as_bytes()).0;
        assert_eq!(result == Ok(ProxyStep::Open), fits, "{fields}");
    }
}
