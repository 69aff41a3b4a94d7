//! Plain HTTP on the same port: when it is given to the application, and how its answer is written.

use core::time::Duration;

use bytes::BytesMut;
use sansocket::{Answer, Farewell, Instant, PlainRequest, Reject, ServerConfig, ServerHandshake, ServerStep};

use crate::run::secs;

const LIMIT: Duration = Duration::from_secs(5);

fn receive(plain_http: bool, bytes: &str) -> Result<ServerStep, &'static str> {
    let mut config = ServerConfig::default();
    config.plain_http = plain_http;
    let mut handshake = ServerHandshake::new(&config, Instant::ZERO);
    handshake.receive(&mut BytesMut::from(bytes), Instant::ZERO).map_err(|error| error.code())
}

fn plain(bytes: &str) -> PlainRequest {
    match receive(true, bytes) {
        Ok(ServerStep::Http(request)) => request,
        other => panic!("{bytes:?}: {other:?}"),
    }
}

fn written(mut farewell: Farewell) -> String {
    String::from_utf8(farewell.transmit().to_vec()).unwrap()
}

#[test]
fn it_is_off_unless_asked_for() {
    let head = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(receive(false, head).unwrap_err(), "plain-request");
    let request = plain(head);
    assert_eq!((request.method(), request.target()), ("GET", "/healthz"));
    assert_eq!(request.field("HOST"), Some(&b"a"[..]));
    assert_eq!(request.fields().count(), 1);
}

#[test]
fn methods_versions_and_forms() {
    let cases = [
        ("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD", "/a"),
        ("POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "POST", "/a?b"),
        ("GET / HTTP/1.0\r\n\r\n", "GET", "/"),
        ("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS", "/"),
        ("BREW /pot HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n", "BREW", "/pot"),
    ];
    for (head, method, target) in cases {
        let request = plain(head);
        assert_eq!((request.method(), request.target()), (method, target));
    }
}

#[test]
fn what_asks_for_a_websocket_is_none() {
    let tail = "Host: a\r\n\r\n";
    for field in
        ["Upgrade: WebSocket", "Upgrade: h2c, websocket", "sec-websocket-key: x", "Sec-WebSocket-Key1: x"]
    {
        let code = receive(true, &format!("GET / HTTP/1.1\r\n{field}\r\n{tail}")).unwrap_err();
        assert!(code.starts_with("missing-"), "{field}: {code}");
    }
    let whole = "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nHost: a\r\n\r\n";
    assert!(matches!(receive(true, whole), Ok(ServerStep::Request(_))));
}

#[test]
fn an_answer_is_written_as_a_refusal_is() {
    let answer = || {
        let answer = Answer::new(200).field("Cache-Control", "no-store").unwrap();
        answer.body("text/plain; charset=utf-8", "ok\n").unwrap()
    };
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: no-store\r\n\
                Content-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\r\n";
    let get = plain("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(written(get.answer(answer(), LIMIT, Instant::ZERO)), format!("{head}ok\n"));
    let head_request = plain("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(written(head_request.answer(answer(), LIMIT, Instant::ZERO)), head);

    let lost =
        plain("GET /lost HTTP/1.1\r\nHost: a\r\n\r\n").answer(Reject::not_found(), LIMIT, Instant::ZERO);
    assert_eq!(lost.deadline(), Some(secs(5)));
    assert!(written(lost).starts_with("HTTP/1.1 404 Not Found\r\n"));
    let odd = plain("GET / HTTP/1.1\r\nHost: a\r\n\r\n").answer(Answer::new(101), LIMIT, Instant::ZERO);
    assert!(written(odd).starts_with("HTTP/1.1 500 "), "101 would be no answer");
}

#[test]
fn once_given_the_handshake_is_over() {
    let mut config = ServerConfig::default();
    config.plain_http = true;
    let mut handshake = ServerHandshake::new(&config, Instant::ZERO);
    let mut input = BytesMut::from("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    assert!(matches!(handshake.receive(&mut input, Instant::ZERO), Ok(ServerStep::Http(_))));
    assert_eq!(&input[..], b"body", "the content is not read");
    assert_eq!(handshake.deadline(), None);
    let error = handshake.eof(secs(1));
    assert_eq!((error.code(), error.peer().code()), ("closed-before-reply", "http-client"));
}
