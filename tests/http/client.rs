//! A client's request of one in the type of the crate http.

use bytes::{Buf, BytesMut};
use http::header::HeaderValue;
use http::{Request, request};
use sansocket::http::InvalidRequest;
use sansocket::{
    ClientConfig, ClientHandshake, ClientRequest, Entropy, InvalidField, InvalidSubprotocol, ServerConfig,
    ServerHandshake, ServerStep, UrlError,
};

use crate::NOW;

/// The fields that a client sends whose request was made of this one.
fn sent(request: &Request<()>) -> Request<()> {
    let request = ClientRequest::try_from(request).unwrap();
    let mut client =
        ClientHandshake::new(&request, &ClientConfig::default(), Entropy::from_seed([7; 32]), NOW);
    let mut wire = BytesMut::from(client.transmit().chunk());
    let step = ServerHandshake::new(&ServerConfig::default(), NOW).receive(&mut wire, NOW).unwrap();
    let ServerStep::Request(pending) = step else { panic!("{step:?}") };
    pending.request().to_http().unwrap()
}

#[test]
fn a_clients_request_is_made_of_one() {
    let mut request = Request::get("ws://h.example:8080/chat?room=7")
        .header("Host", "other.example")
        .header("Origin", "https://page.example")
        .header("Sec-WebSocket-Protocol", "v1, v2")
        .header("Sec-WebSocket-Protocol", "v3")
        .header("X", HeaderValue::from_bytes(b"caf\xe9").unwrap())
        .body(())
        .unwrap();
    for name in
        ["Sec-WebSocket-Key", "Sec-WebSocket-Version", "Upgrade", "Connection", "Sec-WebSocket-Extensions"]
    {
        request.headers_mut().insert(name, HeaderValue::from_static("theirs"));
    }
    let seen = sent(&request);
    assert_eq!(seen.uri(), "/chat?room=7");
    let headers = seen.headers();
    assert_eq!(
        (&headers["Host"], &headers["Origin"]),
        (&request.headers()["Host"], &request.headers()["Origin"])
    );
    assert_eq!(headers["Sec-WebSocket-Protocol"], "v1, v2, v3");
    assert_eq!(
        (&headers["X"], &headers["Sec-WebSocket-Version"]),
        (&request.headers()["X"], &HeaderValue::from_static("13"))
    );
    assert!(
        !headers.contains_key("Sec-WebSocket-Extensions"),
        "what is offered is for the configuration to say"
    );
    assert_eq!(sent(&Request::get("ws://h.example/").body(()).unwrap()).headers()["Host"], "h.example");
}

#[test]
fn what_is_no_request_for_a_web_socket() {
    let refused =
        |request: request::Builder| ClientRequest::try_from(&request.body(()).unwrap()).unwrap_err();
    let error = refused(Request::post("ws://h/"));
    assert_eq!(error.to_string(), "the method is \"POST\" and not GET");
    let error = refused(Request::get("https://h/"));
    assert!(matches!(error, InvalidRequest::Url(UrlError::Scheme)), "{error:?}");
    assert!(matches!(refused(Request::get("/chat")), InvalidRequest::Url(_)));
    let error = refused(Request::get("ws://h/").header("Host", "a/b"));
    assert!(matches!(error, InvalidRequest::Url(UrlError::HostCharacter { .. })), "{error:?}");
    let error = refused(Request::get("ws://h/").header("Sec-WebSocket-Protocol", "a, a"));
    assert_eq!(error, InvalidRequest::Subprotocol(InvalidSubprotocol::Twice));
    let error = refused(Request::get("ws://h/").header("Content-Length", "0"));
    assert!(matches!(error, InvalidRequest::Field(InvalidField::Reserved { .. })), "{error:?}");
    let error = refused(Request::get("ws://h/").header("Host", HeaderValue::from_bytes(b"\xe9").unwrap()));
    assert_eq!(error.to_string(), "the value of the field \"host\" is not visible ASCII");
}
