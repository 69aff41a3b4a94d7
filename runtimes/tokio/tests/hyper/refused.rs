//! Requests that are refused: the answer inside of hyper is the one on a raw socket, but for what hyper writes by itself.

use std::net::SocketAddr;

use hyper::Request;
use hyper::upgrade::OnUpgrade;
use sansocket_tokio::hyper::{receive_request, upgrade};
use sansocket_tokio::sansocket::{HandshakeError, InvalidField, Role};
use sansocket_tokio::{Accept, Error, Reject, ServerConfig, accept_with, handshakes};
use tokio::net::TcpListener;

use crate::{REQUEST, echo, exchange, server};

/// The code whose failures are counted here, so that no other test of this process may cause it.
pub(crate) const COUNTED: &str = "duplicate-subprotocol";

/// Request lines and fields of requests that break a rule, each in front of its code.
pub(crate) const WRONG: [(&str, &str); 36] = [
    ("plain-request", "GET / HTTP/1.1\r\nHost: h\r\n"),
    ("plain-request", "GET /a?b='c' HTTP/1.1\r\nHost: h:8080\r\n"),
    ("plain-request", "GET http://other.example/a HTTP/1.1\r\nHost: h\r\n"),
    ("method-not-get", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n"),
    ("method-not-get", "HEAD / HTTP/1.1\r\nHost: h\r\n"),
    ("method-not-get", "BREW / HTTP/1.1\r\nHost: h\r\n"),
    ("method-not-get", "OPTIONS * HTTP/1.1\r\nHost: h\r\n"),
    ("http-version", "GET / HTTP/1.0\r\nHost: h\r\n"),
    ("http-version", "GET / HTTP/1.0\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"),
    ("bad-target", "GET /%zz HTTP/1.1\r\nHost: h\r\n"),
    ("missing-host", "GET / HTTP/1.1\r\nUpgrade: websocket\r\n"),
    ("bad-host", "GET / HTTP/1.1\r\nHost: a b\r\n"),
    ("duplicate-field", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n"),
    ("missing-upgrade", "GET / HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Version: 13\r\n"),
    ("upgrade-not-websocket", "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"),
    ("missing-connection", "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"),
    ("connection-not-upgrade", "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: close\r\n"),
    ("missing-version", "UPGRADE"),
    (
        "missing-version",
        "UPGRADESec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nSec-WebSocket-Key2: 12998 5 Y3 1\r\n",
    ),
    ("unsupported-version", "UPGRADESec-WebSocket-Version: 8\r\n"),
    ("duplicate-field", "UPGRADESec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\n"),
    ("missing-key", "UPGRADESec-WebSocket-Version: 13\r\n"),
    ("bad-key", "UPGRADESec-WebSocket-Version: 13\r\nSec-WebSocket-Key: SGVsbG8sIHdvcmxkIQ==\r\n"),
    ("bad-key", "UPGRADESec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \r\n"),
    ("has-content", "WHOLEContent-Length: 5\r\n\r\nhello"),
    ("transfer-coding", "WHOLETransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"),
    ("expectation", "WHOLEExpect: the unexpected\r\n"),
    ("bad-subprotocol", "WHOLESec-WebSocket-Protocol: a, b c\r\n"),
    ("duplicate-subprotocol", "WHOLESec-WebSocket-Protocol: a\r\nX: y\r\nSec-WebSocket-Protocol: b, a\r\n"),
    ("bad-extension", "WHOLESec-WebSocket-Extensions: a; b==\r\n"),
    ("head-too-large", "LONG"),
    ("too-many-fields", "MANY"),
    ("request-line-too-long", "LINE"),
    ("rejected", "GET /teapot"),
    ("rejected", "GET /busy"),
    ("rejected", "GET /nothing"),
];

pub(crate) fn written(pattern: &str) -> String {
    let good = |line: &str| REQUEST.replace("GET /chat?room=7 HTTP/1.1", line);
    let upgrade = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
    let head = match pattern {
        "LONG" => format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\nY: y\r\n", "x".repeat(2100)),
        "MANY" => format!("GET / HTTP/1.1\r\nHost: h\r\n{}", "X: x\r\n".repeat(20)),
        "LINE" => format!("GET /{} HTTP/1.1\r\nHost: h\r\n", "x".repeat(1000)),
        path if path.starts_with("GET ") && !path.contains('\r') => return good(&format!("{path} HTTP/1.1")),
        _ => match (pattern.strip_prefix("UPGRADE"), pattern.strip_prefix("WHOLE")) {
            (Some(fields), _) => format!("{upgrade}{fields}"),
            (_, Some(fields)) => {
                let request = good("GET / HTTP/1.1");
                format!("{}{fields}", &request[..request.len() - 2])
            }
            _ => pattern.to_owned(),
        },
    };
    if head.contains("\r\n\r\nhello") { head } else { head + "\r\n" }
}

pub(crate) fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.limits.head_bytes = 2048;
    config.limits.head_fields = 20;
    config.limits.request_line = 1000;
    config
}

pub(crate) fn decide(request: &sansocket_tokio::Request) -> Result<Accept, Reject> {
    let rejected = |reject: Result<Reject, InvalidField>| Err(reject.unwrap());
    match request.target() {
        "/teapot" => rejected(
            Reject::new(418)
                .field("X-Kind", "pot")
                .and_then(|reject| reject.field("X-Kind", b"caf\xC3\xA9"))
                .and_then(|reject| reject.body("text/tea", "short")),
        ),
        "/busy" => Err(Reject::too_busy(std::time::Duration::from_secs(30))),
        "/nothing" => Err(Reject::new(204)),
        _ => Ok(Accept::new()),
    }
}

/// The server on a raw socket.
pub(crate) async fn raw_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move { accept_with(stream, &config(), decide).await.map(drop) });
        }
    });
    address
}

/// Status, fields and body, without what hyper adds or spells in its own way: `Date`, the names in lower case, their order, the HTTP version
/// and the reason phrase.
pub(crate) fn parts(answer: &[u8]) -> (String, Vec<String>, String) {
    let text = String::from_utf8(answer.to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let mut fields: Vec<_> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| format!("{}: {value}", name.to_ascii_lowercase()))
        .filter(|line| !line.starts_with("date: "))
        .collect();
    fields.sort();
    (status, fields, body.to_owned())
}

#[tokio::test]
async fn every_refusal_is_that_of_a_raw_socket() {
    let (address, mut ends) = server(config(), decide, echo).await;
    let raw = raw_server().await;
    let counted = || handshakes(Role::Server).failed.get(COUNTED).copied().unwrap_or_default();
    let before = counted();
    for (code, pattern) in WRONG {
        let request = written(pattern);
        let expected = exchange(raw, request.as_bytes(), |_| false).await;
        let answer = exchange(address, request.as_bytes(), |_| false).await;
        assert_eq!(parts(&answer), parts(&expected), "{request}");
        let Err(error) = ends.recv().await.unwrap() else { panic!("{request}") };
        assert_eq!(error.handshake().map(HandshakeError::code), Some(code), "{request}");
    }
    assert_eq!(counted() - before, 2, "once for each server");
}

#[tokio::test]
async fn the_error_is_in_the_extensions_of_the_response() {
    let mut request = Request::get("/").body(()).unwrap();
    let refused = receive_request(&mut request, &ServerConfig::default()).unwrap_err();
    assert_eq!(refused.error().handshake().unwrap().code(), "missing-host");
    assert!(refused.to_string().contains("(missing-host; reading request, 18 bytes in 1 read"), "{refused}");
    let response = refused.into_response();
    assert_eq!(response.extensions().get::<HandshakeError>().unwrap().code(), "missing-host");
}

/// hyper takes this for a method, and on a raw socket it is the greeting of another protocol.
#[tokio::test]
async fn a_method_that_looks_like_another_protocol_is_answered() {
    let mut request = Request::builder().method("SSH-2.0-x").uri("/").body(()).unwrap();
    let (response, opening) = upgrade(&mut request, &ServerConfig::default(), |_| Ok(Accept::new()));
    assert_eq!(response.status(), 400);
    assert_eq!(opening.await.err().unwrap().handshake().unwrap().code(), "not-http");
}

/// As in a test that calls a service by itself, or behind a layer that makes a request of its own.
#[tokio::test]
async fn a_good_request_without_a_connection() {
    let mut request = Request::get("/").header("Host", "h").header("Connection", "upgrade");
    for (name, value) in [("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")] {
        request = request.header(name, value);
    }
    let mut request = request.header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==").body(()).unwrap();
    assert!(request.extensions().get::<OnUpgrade>().is_none());
    let (response, opening) = upgrade(&mut request, &ServerConfig::default(), |_| Ok(Accept::new()));
    assert_eq!(response.status(), 500);
    assert_eq!(opening.await.err().unwrap().handshake().unwrap().code(), "rejected");
}

#[tokio::test]
async fn plain_http_for_which_this_function_has_no_answer() {
    let mut config = ServerConfig::default();
    config.plain_http = true;
    let (address, mut ends) = server(config, |_| Ok(Accept::new()), echo).await;
    let answer = exchange(address, b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", |_| false).await;
    assert!(answer.starts_with(b"HTTP/1.1 404 "), "{}", answer.escape_ascii());
    assert!(matches!(ends.recv().await.unwrap(), Err(Error::PlainHttp { target }) if &*target == "/healthz"));
}
