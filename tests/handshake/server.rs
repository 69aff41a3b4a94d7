//! The server's side: the request as the application sees it, and its decision.

use bytes::{Buf, BytesMut};
use sansocket::{
    Accept, AcceptRefused, Connection, HandshakeErrorKind, Instant, PendingRequest, Phase, Reject, Request,
    ServerConfig, ServerHandshake, ServerStep,
};

use crate::support::{
    HOST, KEY, UPGRADE, VERSION, field, millis, pending, refusal, request, request_with, split_head,
};

fn output(connection: &mut Connection) -> Vec<u8> {
    let mut output = connection.transmit();
    output.copy_to_bytes(output.remaining()).to_vec()
}

fn accept(pending: PendingRequest, accept: Accept) -> String {
    let mut connection = pending.accept(accept, Instant::ZERO).unwrap();
    String::from_utf8(output(&mut connection)).unwrap()
}

#[test]
fn a_request_can_wait_in_another_task() {
    fn is_send<T: Send + 'static>() {}
    is_send::<ServerHandshake>();
    is_send::<PendingRequest>();
    is_send::<Request>();
}

#[test]
fn the_request_as_the_application_sees_it() {
    let pending =
        pending(&request_with("cookie: a=b\r\nCookie: c=d\r\nX-Empty:\r\nOrigin: http://example.com\r\n"));
    let request = pending.request();
    assert_eq!((request.method(), request.target(), request.host()), ("GET", "/chat", "example.com"));
    assert_eq!((request.path(), request.query()), ("/chat", None));
    assert_eq!(request.key(), "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(request.field("COOKIE"), Some(&b"a=b"[..]), "the first of several");
    assert_eq!(request.field("X-Empty"), Some(&b""[..]));
    assert_eq!(request.field("X-Other"), None);
    assert_eq!(request.subprotocols().count(), 0);
    let names: Vec<&str> = request.fields().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "Host",
            "Upgrade",
            "Connection",
            "Sec-WebSocket-Key",
            "Sec-WebSocket-Version",
            "cookie",
            "Cookie",
            "X-Empty",
            "Origin"
        ]
    );
}

#[test]
fn the_host_of_an_absolute_target_stands_above_the_host_field() {
    let head = format!("GET http://other.example:81 HTTP/1.1\r\n{HOST}{UPGRADE}{KEY}{VERSION}\r\n");
    let pending = pending(head.as_bytes());
    assert_eq!((pending.request().target(), pending.request().host()), ("/", "other.example:81"));
    assert_eq!(pending.request().field("Host"), Some(&b"example.com"[..]));
}

#[test]
fn several_lines_of_subprotocols_are_one_list() {
    let pending =
        pending(&request_with("Sec-WebSocket-Protocol: a,b\r\nX: y\r\nsec-websocket-protocol:\tc ,, d\r\n"));
    assert_eq!(pending.request().subprotocols().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    let choose = |spoken: &[&'static str]| pending.request().choose(spoken);
    assert_eq!((choose(&["x", "d", "b"]), choose(&["B"]), choose(&[])), (Some("b"), None, None));
}

#[test]
fn the_reply_of_section_1_3() {
    let request = request_with("Sec-WebSocket-Protocol: chat, superchat\r\n");
    let reply = accept(pending(&request), Accept::new().subprotocol("chat"));
    assert_eq!(
        reply,
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         Sec-WebSocket-Protocol: chat\r\n\r\n"
    );
    let reply = accept(pending(&request), Accept::new());
    assert_eq!(field(reply.as_bytes(), "Sec-WebSocket-Protocol"), None, "none is chosen");
}

#[test]
fn fields_of_the_application_are_in_the_reply() {
    let chosen = Accept::new().field("Set-Cookie", "a=b").unwrap().field("X-Name", b"caf\xC3\xA9").unwrap();
    let reply = accept(pending(&request()), chosen);
    assert!(reply.ends_with("\r\nSet-Cookie: a=b\r\nX-Name: caf\u{e9}\r\n\r\n"), "{reply}");
}

#[test]
fn an_offer_is_not_an_agreement_on_an_extension() {
    let reply =
        accept(pending(&request_with("Sec-WebSocket-Extensions: permessage-deflate\r\n")), Accept::new());
    assert_eq!(field(reply.as_bytes(), "Sec-WebSocket-Extensions"), None);
}

#[test]
fn a_subprotocol_that_was_not_offered_gives_the_request_back() {
    for chosen in ["other", "Chat", "", "chat, superchat", "chat\r\nX: y"] {
        let pending = pending(&request_with("Sec-WebSocket-Protocol: chat, superchat\r\n"));
        let error = pending.accept(Accept::new().subprotocol(chosen), Instant::ZERO).unwrap_err();
        assert_eq!(error.reason, AcceptRefused::SubprotocolNotOffered, "{chosen:?}");
        assert!(accept(*error.pending, Accept::new().subprotocol("superchat")).contains("\r\n\r\n"));
    }
}

#[test]
fn a_rejection_is_an_error_with_the_reply() {
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    let Ok(ServerStep::Request(pending)) = handshake.receive(&mut BytesMut::from(&request()[..]), millis(1))
    else {
        panic!("the request follows the rules");
    };
    let reject = Reject::new(403)
        .field("X-Reason", "banned")
        .and_then(|reject| reject.body("text/html; charset=utf-8", "<p>No.</p>"))
        .unwrap();
    let error = pending.reject(reject, millis(30));
    assert_eq!(error.kind(), &HandshakeErrorKind::Rejected { status: 403 });
    assert_eq!((error.phase(), error.status()), (Phase::Deciding, Some(403)));
    assert_eq!((error.bytes(), error.reads()), (request().len() as u64, 1));
    assert_eq!(error.elapsed().as_millis(), 30);
    assert_eq!(
        String::from_utf8_lossy(error.reply().unwrap()),
        "HTTP/1.1 403 Forbidden\r\n\
         Connection: close\r\n\
         X-Reason: banned\r\n\
         Content-Type: text/html; charset=utf-8\r\n\
         Content-Length: 10\r\n\r\n\
         <p>No.</p>"
    );
}

#[test]
fn a_rejection_has_a_final_status_and_a_body_only_where_one_may_be() {
    let reply = |reject: Reject| pending(&request()).reject(reject, Instant::ZERO).reply().unwrap().to_vec();
    for (asked, sent) in
        [(0, 500), (100, 500), (101, 500), (199, 500), (200, 200), (599, 599), (600, 500), (u16::MAX, 500)]
    {
        assert_eq!(Reject::new(asked).status(), sent);
        let (head, body) = split_head(&reply(Reject::new(asked)));
        assert!(head.starts_with(&format!("HTTP/1.1 {sent} ")), "{head}");
        assert!(head.ends_with("\r\nContent-Length: 0"), "{head}");
        assert!(body.is_empty());
    }
    for status in [204, 304] {
        let (head, body) = split_head(&reply(Reject::new(status).body("text/plain", "x").unwrap()));
        assert!(!head.contains("Content-"), "{head}");
        assert!(body.is_empty());
    }
    let (head, _) = split_head(&reply(Reject::new(426)));
    assert!(head.contains("\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n"), "{head}");
}

#[test]
fn the_connection_of_an_accepted_request_is_a_servers() {
    let mut connection = pending(&request()).accept(Accept::new(), Instant::ZERO).unwrap();
    assert!(output(&mut connection).ends_with(b"\r\n\r\n"));
    connection.send("hi").unwrap();
    assert_eq!(output(&mut connection), b"\x81\x02hi", "a server does not mask");
}

#[test]
fn a_malformed_key_is_answered_if_the_configuration_says_so() {
    let mut config = ServerConfig::default();
    config.accept_malformed_key = true;
    let head =
        |key: &str| format!("GET / HTTP/1.1\r\n{HOST}{UPGRADE}{VERSION}Sec-WebSocket-Key: {key}\r\n\r\n");
    for key in ["SGVsbG8sIHdvcmxkIQ==", "not base64!", "", "dGhlIHNhbXBsZSBub25jZQ"] {
        let mut handshake = ServerHandshake::new(&config, Instant::ZERO);
        let step = handshake.receive(&mut BytesMut::from(head(key).as_bytes()), Instant::ZERO);
        let Ok(ServerStep::Request(pending)) = step else { panic!("{key:?}: {step:?}") };
        assert_eq!(pending.request().key(), key);
        let reply = accept(pending, Accept::new());
        let expected = crate::support::accept_value(key);
        assert_eq!(field(reply.as_bytes(), "Sec-WebSocket-Accept"), Some(expected), "{key:?}");
    }
    // Without a key there is nothing to answer.
    let mut handshake = ServerHandshake::new(&config, Instant::ZERO);
    let head = format!("GET / HTTP/1.1\r\n{HOST}{UPGRADE}{VERSION}\r\n");
    let error = handshake.receive(&mut BytesMut::from(head.as_bytes()), Instant::ZERO).unwrap_err();
    assert_eq!(error.kind(), &HandshakeErrorKind::MissingKey);
}

#[test]
fn what_a_debugger_shows_has_no_secret() {
    let with_secret = request_with("Cookie: session=s3cret\r\n");
    let pending = pending(&with_secret);
    assert!(format!("{pending:?}").contains("Cookie"));
    assert!(!format!("{pending:?}").contains("s3cret"));
    let error = pending.reject(Reject::new(401), Instant::ZERO);
    assert!(!format!("{error:?} {error}").contains("s3cret"));
    let accept = Accept::new().field("Set-Cookie", "s3cret").unwrap();
    assert!(!format!("{accept:?}").contains("s3cret"));
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    let _more =
        handshake.receive(&mut BytesMut::from(&with_secret[..with_secret.len() - 1]), Instant::ZERO).unwrap();
    assert!(!format!("{handshake:?}").contains("s3cret"));
    assert!(!format!("{:?}", refusal(b"GET / HTTP/1.1\r\nCookie: s3cret\r\n\r\n")).contains("s3cret"));
}
