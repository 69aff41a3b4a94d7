//! The opening handshake in the types of the crate http: what it gives and refuses is what it gives and refuses as bytes.

mod client;

use std::str;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version, request};
use sansocket::http::RequestHead;
use sansocket::{
    Accept, HandshakeError, HandshakeErrorKind, Instant, PendingRequest, Reject, ServerConfig,
    ServerHandshake, ServerStep,
};

const NOW: Instant = Instant::ZERO;

/// The request of RFC 6455 section 1.3, without what a browser adds.
fn good() -> request::Builder {
    Request::get("/chat?room=7")
        .header("Host", "server.example.com")
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Version", "13")
}

/// The good request with other values in place of its own; an empty value takes the field away.
fn with(fields: &[(&'static str, &'static str)]) -> Request<()> {
    let mut request = good().body(()).unwrap();
    for (name, value) in fields {
        match value.is_empty() {
            true => drop(request.headers_mut().remove(*name)),
            false => drop(request.headers_mut().insert(*name, HeaderValue::from_static(value))),
        }
    }
    request
}

fn judge<'a>(
    config: &ServerConfig,
    request: impl Into<RequestHead<'a>>,
) -> Result<PendingRequest, HandshakeError> {
    match ServerHandshake::new(config, NOW).receive_http(request, NOW)? {
        ServerStep::Request(pending) => Ok(pending),
        step => panic!("{step:?}"),
    }
}

fn refused<B>(request: &Request<B>) -> HandshakeError {
    judge(&ServerConfig::default(), request).map(|pending| panic!("{pending:?}")).unwrap_err()
}

/// What a client would have sent that asks for the same.
fn as_bytes<B>(request: &Request<B>) -> BytesMut {
    let mut bytes =
        format!("{} {} {:?}\r\n", request.method(), request.uri(), request.version()).into_bytes();
    for (name, value) in request.headers() {
        bytes.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    BytesMut::from(&[&bytes[..], b"\r\n"].concat()[..])
}

/// Takes a reply apart with the means of httparse, which the code under test does not use for it.
fn parsed(reply: &[u8]) -> (u16, HeaderMap, &[u8]) {
    let mut fields = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut fields);
    let len = response.parse(reply).unwrap().unwrap();
    let mut headers = HeaderMap::new();
    for field in response.headers {
        let name = HeaderName::from_bytes(field.name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(field.value).unwrap());
    }
    (response.code.unwrap(), headers, &reply[len..])
}

#[test]
fn a_good_request_opens_a_connection_whose_reply_is_apart() {
    let request = good().header("Sec-WebSocket-Protocol", "v1, v2").header("Cookie", "a=1").body("").unwrap();
    let pending = judge(&ServerConfig::default(), &request).unwrap();
    let seen = pending.request();
    assert_eq!((seen.target(), seen.host()), ("/chat?room=7", "server.example.com"));
    assert_eq!((seen.field("cookie"), seen.subprotocols().count()), (Some(&b"a=1"[..]), 2));

    let accept = Accept::new().subprotocol("v2").field("Set-Cookie", "b=2").unwrap();
    let accept = accept.field("Set-Cookie", b"c=caf\xe9").unwrap();
    let (response, mut connection) = pending.accept_http(accept, NOW).unwrap();
    assert_eq!((response.status(), response.version()), (StatusCode::SWITCHING_PROTOCOLS, Version::HTTP_11));
    let fields: Vec<_> =
        response.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let expected: [(&str, &[u8]); 6] = [
        ("upgrade", b"websocket"),
        ("connection", b"Upgrade"),
        ("sec-websocket-accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("sec-websocket-protocol", b"v2"),
        ("set-cookie", b"b=2"),
        ("set-cookie", b"c=caf\xe9"),
    ];
    assert_eq!(fields, expected);
    assert!(!connection.transmit().has_remaining(), "the reply is the HTTP server's to write");
    connection.send("x").unwrap();
    assert_eq!(connection.transmit().chunk(), b"\x81\x01x");
}

#[test]
fn the_parts_of_a_request_are_enough() {
    let (parts, ()) = good().body(()).unwrap().into_parts();
    assert_eq!(judge(&ServerConfig::default(), &parts).unwrap().request().target(), "/chat?room=7");
}

/// The errors are equal in all: kind, peer, phase, first bytes, counts and reply.
#[test]
fn what_is_refused_is_what_is_refused_as_bytes() {
    let mut post = with(&[]);
    *post.method_mut() = Method::POST;
    let mut old = with(&[]);
    *old.version_mut() = Version::HTTP_10;
    let mut two_hosts = with(&[]);
    two_hosts.headers_mut().append("Host", HeaderValue::from_static("other.example"));
    let table = [
        (400, "missing-host", with(&[("Host", "")])),
        (400, "duplicate-field", two_hosts),
        (426, "missing-upgrade", with(&[("Upgrade", "")])),
        (426, "upgrade-not-websocket", with(&[("Upgrade", "h2c")])),
        (400, "connection-not-upgrade", with(&[("Connection", "keep-alive")])),
        (400, "missing-version", with(&[("Sec-WebSocket-Version", "")])),
        (426, "unsupported-version", with(&[("Sec-WebSocket-Version", "8")])),
        (400, "missing-key", with(&[("Sec-WebSocket-Key", "")])),
        (400, "bad-key", with(&[("Sec-WebSocket-Key", "SGVsbG8=")])),
        (400, "bad-subprotocol", with(&[("Sec-WebSocket-Protocol", "a, b c")])),
        (400, "bad-extension", with(&[("Sec-WebSocket-Extensions", "a; b==")])),
        (413, "has-content", with(&[("Content-Length", "5")])),
        (417, "expectation", with(&[("Expect", "more")])),
        (426, "plain-request", Request::get("/").header("Host", "h").body(()).unwrap()),
        (405, "method-not-get", post),
        (505, "http-version", old),
    ];
    for (status, code, request) in table {
        let error = refused(&request);
        let mut bytes = as_bytes(&request);
        let expected =
            ServerHandshake::new(&ServerConfig::default(), NOW).receive(&mut bytes, NOW).unwrap_err();
        assert_eq!((error.code(), error.to_string()), (code, expected.to_string()));
        assert_eq!(format!("{error:?}"), format!("{expected:?}"), "{code}");
        assert_eq!(
            (error.reply(), error.first_bytes()),
            (expected.reply(), expected.first_bytes()),
            "{code}"
        );
        let response = error.to_http(request.version());
        assert_eq!(response.status(), status, "{code}");
        let (status, headers, body) = parsed(expected.reply().unwrap());
        assert_eq!((response.status().as_u16(), response.headers()), (status, &headers), "{code}");
        assert_eq!(response.body(), body, "{code}");
    }
}

#[test]
fn a_version_that_is_not_spoken_is_answered_with_the_one_that_is() {
    let response = refused(&with(&[("Sec-WebSocket-Version", "8")])).to_http(Version::HTTP_11);
    assert_eq!(response.status(), StatusCode::UPGRADE_REQUIRED);
    assert_eq!(response.headers()["Sec-WebSocket-Version"], "13");
    assert_eq!(response.headers()["Upgrade"], "websocket");
    let text = str::from_utf8(response.body()).unwrap();
    assert!(text.contains("\"8\"") && text.contains("RFC 6455"), "{text}");
}

/// HTTP/2 has no upgrade, and an answer in it has no field that says so.
#[test]
fn requests_of_http_2_are_told_to_use_http_1() {
    for (method, version) in
        [(Method::GET, Version::HTTP_2), (Method::CONNECT, Version::HTTP_2), (Method::GET, Version::HTTP_3)]
    {
        let mut request = Request::get("https://h.example/chat").body(()).unwrap();
        (*request.method_mut(), *request.version_mut()) = (method, version);
        let error = refused(&request);
        assert_eq!(error.code(), "http-version");
        let text = format!("the client speaks \"{version:?}\", and a WebSocket needs HTTP/1.1");
        assert!(error.to_string().contains(&text), "{error}");
        let response = error.to_http(version);
        assert_eq!(response.status(), StatusCode::HTTP_VERSION_NOT_SUPPORTED);
        assert!(!response.headers().contains_key("Connection"), "{response:?}");
        let body = str::from_utf8(response.body()).unwrap();
        assert!(body.contains(&text) && body.contains("Use HTTP/1.1"), "{body}");
        assert_eq!(response.headers()["Content-Length"], body.len().to_string());
    }
}

/// 426 names a protocol to upgrade to, which is about the connection too.
#[test]
fn no_answer_in_http_2_is_about_the_connection() {
    let response = Reject::new(426).to_http(Version::HTTP_2);
    let headers = response.headers();
    assert!(!headers.contains_key("Connection") && !headers.contains_key("Upgrade"), "{headers:?}");
    assert_eq!((headers.len(), &headers["Sec-WebSocket-Version"]), (2, &HeaderValue::from_static("13")));
    assert!(Reject::new(426).to_http(Version::HTTP_11).headers().contains_key("Upgrade"));
}

#[test]
fn limits_are_those_on_bytes() {
    let request = good().header("X", "y").body(()).unwrap();
    let len = as_bytes(&request).len();
    let line = "GET /chat?room=7 HTTP/1.1\r\n".len();
    let limited = |change: &dyn Fn(&mut ServerConfig)| {
        let mut config = ServerConfig::default();
        change(&mut config);
        judge(&config, &request).map(drop).map_err(|error| error.kind().clone())
    };
    assert_eq!(limited(&|config| config.limits.head_bytes = len), Ok(()));
    let limit = len - 1;
    assert_eq!(
        limited(&|config| config.limits.head_bytes = limit),
        Err(HandshakeErrorKind::HeadTooLarge { limit })
    );
    assert_eq!(limited(&|config| config.limits.head_fields = 6), Ok(()));
    assert_eq!(
        limited(&|config| config.limits.head_fields = 5),
        Err(HandshakeErrorKind::TooManyFields { limit: 5 })
    );
    assert_eq!(limited(&|config| config.limits.request_line = line), Ok(()));
    let limit = line - 5;
    assert_eq!(
        limited(&|config| config.limits.request_line = limit),
        Err(HandshakeErrorKind::RequestLineTooLong { limit })
    );
}

/// An HTTP server takes it for a method. On a socket there would be no reply, as the peer would not understand it.
#[test]
fn what_looks_like_another_protocol_has_an_answer_too() {
    let request = Request::builder().method("SSH-2.0-x").uri("/").body(()).unwrap();
    let error = refused(&request);
    assert_eq!((error.code(), error.reply()), ("not-http", None));
    let response = error.to_http(Version::HTTP_11);
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(response.headers()["Connection"], "close");
    assert!(response.body().starts_with(error.to_string().as_bytes()), "{response:?}");
}

#[test]
fn an_application_rejects_as_on_a_socket() {
    let reject = Reject::new(403).field("X-Why", "a").unwrap().body("text/x", "no").unwrap();
    let error = judge(&ServerConfig::default(), &with(&[])).unwrap().reject(reject.clone(), NOW);
    for response in [error.to_http(Version::HTTP_11), reject.to_http(Version::HTTP_11)] {
        let (status, headers, body) = parsed(error.reply().unwrap());
        assert_eq!(
            (response.status().as_u16(), response.headers(), &response.body()[..]),
            (status, &headers, body)
        );
        assert_eq!((status, body, &headers["X-Why"]), (403, &b"no"[..], &HeaderValue::from_static("a")));
    }
}

#[test]
fn plain_requests_are_given_where_they_are_wanted() {
    let mut config = ServerConfig::default();
    config.plain_http = true;
    let request = Request::head("/healthz").header("Host", "h").body(()).unwrap();
    let step = ServerHandshake::new(&config, NOW).receive_http(&request, NOW).unwrap();
    let ServerStep::Http(plain) = step else { panic!("{step:?}") };
    assert_eq!((plain.method(), plain.target()), ("HEAD", "/healthz"));
}

#[test]
fn a_handshake_takes_one_request() {
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), NOW);
    let ServerStep::Request(_) = handshake.receive_http(&with(&[]), NOW).unwrap() else {
        panic!("it is good")
    };
    let error = handshake.receive_http(&with(&[]), NOW).unwrap_err();
    assert_eq!(error.kind(), &HandshakeErrorKind::ClosedBeforeReply);
}

#[test]
fn the_connection_may_have_another_configuration_than_the_request() {
    let mut pending = judge(&ServerConfig::default(), &with(&[])).unwrap();
    let mut config = ServerConfig::default();
    config.limits.message = 1;
    pending.reconfigure(&config);
    let (_, mut connection) = pending.accept_http(Accept::new(), NOW).unwrap();
    let mut input = BytesMut::from(&b"\x81\x82\0\0\0\0ab"[..]);
    while connection.read(&mut input).next().is_some() {}
    let close = connection.transmit();
    assert_eq!((close.chunk()[0], &close.chunk()[2..4]), (0x88, &1009_u16.to_be_bytes()[..]));
}

#[cfg(feature = "deflate")]
#[test]
fn compression_is_agreed_on_by_the_configuration_of_the_connection() {
    let offer = with(&[("Sec-WebSocket-Extensions", "permessage-deflate")]);
    let mut pending = judge(&ServerConfig::default(), &offer).unwrap();
    let mut config = ServerConfig::default();
    config.deflate = Some(sansocket::DeflateConfig::default());
    pending.reconfigure(&config);
    let (response, connection) = pending.accept_http(Accept::new(), NOW).unwrap();
    assert!(connection.deflate().is_some());
    let agreed = response.headers()["Sec-WebSocket-Extensions"].to_str().unwrap();
    assert!(agreed.starts_with("permessage-deflate"), "{agreed}");

    let pending = judge(&config, &offer).unwrap();
    let (response, _) = pending.accept_http(Accept::new().uncompressed(), NOW).unwrap();
    assert!(!response.headers().contains_key("Sec-WebSocket-Extensions"));
}

#[test]
fn a_subprotocol_that_is_not_offered_gives_the_request_back() {
    let pending = judge(&ServerConfig::default(), &with(&[])).unwrap();
    let error = pending.accept_http(Accept::new().subprotocol("v9"), NOW).unwrap_err();
    assert_eq!(error.pending.request().target(), "/chat?room=7");
}

#[test]
fn a_request_as_the_type_of_http() {
    let request = good().header("A", "1").header("B", "x").header("a", "2").body(()).unwrap();
    let pending = judge(&ServerConfig::default(), &request).unwrap();
    let seen = pending.request().to_http().unwrap();
    assert_eq!(
        (seen.method(), seen.uri(), seen.version()),
        (request.method(), request.uri(), request.version())
    );
    assert_eq!(seen.headers(), request.headers());
    assert_eq!(seen.headers().get_all("a").iter().collect::<Vec<_>>(), ["1", "2"]);
}

/// As a service returns them.
#[test]
fn responses_are_ordinary_ones() {
    let response: Response<Bytes> = Reject::not_found().to_http(Version::HTTP_11);
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(response.headers()["Content-Type"], "text/plain; charset=utf-8");
}
