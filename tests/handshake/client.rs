//! The client's side: what it sends, and how it agrees.

use bytes::{Buf, BytesMut};
use sansocket::{
    Accept, ClientConfig, ClientHandshake, ClientRequest, ClientStep, Entropy, Instant, InvalidSubprotocol,
    Message, ServerConfig, ServerHandshake, ServerStep, UrlError,
};

use crate::support::{accept_value, client_request, entropy, field, new_client, response_with};

fn sent(url: &str) -> String {
    let request = ClientRequest::new(url).unwrap();
    let mut handshake = ClientHandshake::new(&request, &ClientConfig::default(), entropy(), Instant::ZERO);
    String::from_utf8(handshake.transmit().to_vec()).unwrap()
}

#[test]
fn the_request_has_every_field_of_section_4_1_once() {
    let request = ClientRequest::new("ws://example.com:8080/chat?room=7")
        .unwrap()
        .subprotocol("chat")
        .unwrap()
        .subprotocol("superchat")
        .unwrap()
        .field("Origin", "http://example.com")
        .unwrap();
    let mut handshake = ClientHandshake::new(&request, &ClientConfig::default(), entropy(), Instant::ZERO);
    let text = String::from_utf8(handshake.transmit().to_vec()).unwrap();
    let key = field(text.as_bytes(), "Sec-WebSocket-Key").unwrap();
    assert_eq!(
        text,
        format!(
            "GET /chat?room=7 HTTP/1.1\r\n\
             Host: example.com:8080\r\n\
             Upgrade: websocket\r\n\
             Connection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\n\
             Sec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Protocol: chat, superchat\r\n\
             Origin: http://example.com\r\n\r\n"
        )
    );
}

#[test]
fn host_has_the_port_only_if_it_is_not_the_default_and_brackets_around_ipv6() {
    let cases = [
        ("ws://example.com/", "example.com"),
        ("ws://example.com:80/", "example.com"),
        ("ws://example.com:443/", "example.com:443"),
        ("wss://example.com:443/", "example.com"),
        ("wss://example.com:80/", "example.com:80"),
        ("ws://[::1]:80/", "[::1]"),
        ("ws://[::1]:9001/", "[::1]:9001"),
    ];
    for (url, host) in cases {
        assert_eq!(field(sent(url).as_bytes(), "Host").as_deref(), Some(host), "{url}");
    }
}

#[test]
fn another_host_can_be_named_than_that_of_the_url() {
    let cases = [
        ("chat.example", "chat.example"),
        ("chat.example:80", "chat.example"),
        ("chat.example:81", "chat.example:81"),
        ("[::1]:81", "[::1]:81"),
    ];
    for (host, value) in cases {
        let request = ClientRequest::new("ws://127.0.0.1:8080/chat").unwrap().host(host).unwrap();
        let mut handshake =
            ClientHandshake::new(&request, &ClientConfig::default(), entropy(), Instant::ZERO);
        let text = String::from_utf8(handshake.transmit().to_vec()).unwrap();
        assert!(text.starts_with("GET /chat HTTP/1.1\r\n"), "{text}");
        assert_eq!(field(text.as_bytes(), "Host").as_deref(), Some(value));
    }
    let bad = [
        ("", UrlError::EmptyHost),
        ("a/b", UrlError::HostCharacter { at: 1, character: '/' }),
        ("user@a", UrlError::HostCharacter { at: 4, character: '@' }),
        ("a b", UrlError::Whitespace { at: 1 }),
        ("a\r\nX: y", UrlError::Whitespace { at: 1 }),
        ("a:70000", UrlError::Port),
    ];
    for (host, error) in bad {
        let refused = ClientRequest::new("wss://127.0.0.1/").unwrap().host(host);
        assert_eq!(refused.err(), Some(error), "{host:?}");
    }
}

#[test]
fn the_key_is_16_random_bytes_and_new_for_each_connection() {
    let key = |seed: u8| {
        let (request, config) = (client_request(), ClientConfig::default());
        let mut handshake =
            ClientHandshake::new(&request, &config, Entropy::from_seed([seed; 32]), Instant::ZERO);
        field(handshake.transmit(), "Sec-WebSocket-Key").unwrap()
    };
    assert_ne!(key(1), key(2));
    for seed in 0..50 {
        let key = key(seed);
        assert_eq!((key.len(), key.ends_with("==")), (24, true), "{key}");
    }
}

#[test]
fn a_request_can_be_written_in_any_pieces() {
    let (mut whole, _) = new_client();
    let whole = whole.transmit().to_vec();
    for size in [1, 2, 7, 100, 1000] {
        let (mut handshake, _) = new_client();
        let mut written = Vec::new();
        while !handshake.transmit().is_empty() {
            let out = handshake.transmit();
            let part = out.len().min(size);
            written.extend_from_slice(&out[..part]);
            out.advance(part);
        }
        assert_eq!(written, whole, "{size} bytes at a time");
    }
}

#[test]
fn subprotocols_are_tokens_and_offered_once() {
    let request = ClientRequest::new("ws://example.com/").unwrap();
    for bad in ["", "a b", "a,b", "a\r\nX: y", "caf\u{e9}", "a/b", "\"a\""] {
        let error = request.clone().subprotocol(bad).unwrap_err();
        assert_eq!(error, InvalidSubprotocol::NotToken, "{bad:?}");
    }
    let request = request.subprotocol("chat").unwrap();
    assert_eq!(request.clone().subprotocol("chat").unwrap_err(), InvalidSubprotocol::Twice);
    assert!(request.clone().subprotocol("Chat").is_ok(), "subprotocols are compared exactly");
    assert!(request.subprotocol("cha").is_ok());
}

#[test]
fn the_response_says_what_was_agreed() {
    let (mut handshake, key) = new_client();
    let head = response_with("Sec-WebSocket-Protocol: superchat\r\nset-cookie: a=b\r\nSet-Cookie: c=d\r\n");
    let step = handshake.receive(&mut BytesMut::from(&head[..]), Instant::ZERO).unwrap();
    let ClientStep::Open(_connection, response) = step else { panic!("the response is whole") };
    assert_eq!(response.status(), 101);
    assert_eq!(response.subprotocol(), Some("superchat"));
    assert_eq!(response.field("SEC-WEBSOCKET-ACCEPT"), Some(accept_value(&key).as_bytes()));
    assert_eq!(response.field("Set-Cookie"), Some(&b"a=b"[..]), "the first of several");
    assert_eq!(response.field("Cookie"), None);
    let cookies: Vec<&[u8]> = response
        .fields()
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .map(|(_, value)| value)
        .collect();
    assert_eq!(cookies, [b"a=b", b"c=d"]);
}

#[test]
fn another_status_comes_with_its_head_and_its_body() {
    let (mut handshake, _) = new_client();
    let mut input = BytesMut::from(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: wss://example.com/new\r\nContent-Length: 4\r\n\r\nbodyrest",
    );
    let error = handshake.receive(&mut input, Instant::ZERO).unwrap_err();
    assert_eq!((error.code(), error.status()), ("redirected", Some(307)));
    let response = error.response().expect("the head was whole");
    assert_eq!((response.status(), response.field("location")), (307, Some(&b"wss://example.com/new"[..])));
    assert_eq!((error.body(), &input[..]), (&b"body"[..], &b"rest"[..]));
    assert_eq!(error.reply(), None);
    assert!(error.first_bytes().starts_with(b"HTTP/1.1 307 "));
}

#[test]
fn an_error_can_come_before_the_request_is_written() {
    let (mut handshake, _) = new_client();
    handshake.transmit().advance(10);
    let mut input =
        BytesMut::from("HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\n\r\n");
    let error = handshake.receive(&mut input, Instant::ZERO).unwrap_err();
    assert_eq!(error.status(), Some(431));
    assert!(handshake.transmit().is_empty());
}

#[test]
fn both_ends_of_this_library_agree() {
    let mut client = {
        let request = client_request().field("X-Name", b"caf\xC3\xA9 \xFF").unwrap();
        ClientHandshake::new(&request, &ClientConfig::default(), entropy(), Instant::ZERO)
    };
    let mut server = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    let mut input = BytesMut::from(&client.transmit()[..]);
    let Ok(ServerStep::Request(pending)) = server.receive(&mut input, Instant::ZERO) else {
        panic!("a request")
    };
    assert_eq!(pending.request().subprotocols().collect::<Vec<_>>(), ["chat", "superchat"]);
    assert_eq!(pending.request().field("x-name"), Some(&b"caf\xC3\xA9 \xFF"[..]));
    let accept = Accept::new().subprotocol("superchat").field("X-Name", b"\xFC").unwrap();
    let mut server = pending.accept(accept, Instant::ZERO).unwrap();

    // The first message comes with the reply, in one read.
    server.send("hello").unwrap();
    let mut output = server.transmit();
    let mut input = BytesMut::new();
    while output.has_remaining() {
        let len = output.chunk().len();
        input.extend_from_slice(output.chunk());
        output.advance(len);
    }
    let Ok(ClientStep::Open(mut client, response)) = client.receive(&mut input, Instant::ZERO) else {
        panic!("a response")
    };
    assert_eq!(response.subprotocol(), Some("superchat"));
    assert_eq!(response.field("X-Name"), Some(&b"\xFC"[..]));
    let message = client.read(&mut input).next().and_then(sansocket::Event::into_message);
    assert_eq!(message, Some(Message::from("hello")));
}
