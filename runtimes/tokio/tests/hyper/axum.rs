//! The extractor of axum, in servers of `axum::serve` on loopback.

use std::net::SocketAddr;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Extension, Router};
use hyper::{Method, Request};
use sansocket_tokio::axum::{Refused, WebSocket, WebSocketUpgrade};
use sansocket_tokio::sansocket::{HandshakeError, Origins};
use sansocket_tokio::{
    Accept, ClientConfig, ClientRequest, CloseCode, Error, Message, ServerConfig, client, connect,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::refused::{COUNTED, WRONG, config, decide, parts, raw_server, written};
use crate::{REQUEST, echo_on, exchange, http2};

#[path = "../../examples/axum_chat.rs"]
#[expect(dead_code, reason = "the example's `main`")]
mod axum_chat;

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn echo(socket: WebSocket) {
    // How the connection ends is for the client's side to say.
    let _ = echo_on(socket).await;
}

async fn on_loopback(address: SocketAddr) -> sansocket_tokio::WebSocket<TcpStream> {
    let mut config = ClientConfig::default();
    #[cfg(feature = "deflate")]
    {
        config.deflate = Some(sansocket_tokio::DeflateConfig::default());
    }
    config.limits.message = 1 << 20;
    let request = ClientRequest::new(&format!("ws://{address}/chat")).unwrap();
    let request = request.subprotocol("v1").unwrap().subprotocol("v2").unwrap();
    client(TcpStream::connect(address).await.unwrap(), &request, &config).await.unwrap()
}

#[tokio::test]
async fn a_web_socket_in_a_route() {
    let app = Router::new().route(
        "/chat",
        any(async |upgrade: WebSocketUpgrade| {
            assert_eq!(upgrade.request().target(), "/chat");
            let upgrade = upgrade.protocols(["v3", "v2", "v1"]);
            assert_eq!(upgrade.selected_protocol(), Some("v2"), "the server's order decides");
            upgrade.on_upgrade(async |socket: WebSocket| {
                assert_eq!(socket.subprotocol(), Some("v2"));
                echo(socket).await;
            })
        }),
    );
    let mut socket = on_loopback(serve(app).await).await;
    assert_eq!(socket.subprotocol(), Some("v2"));
    assert!(socket.deflate().is_none(), "compression is off unless the configuration has it on");
    for message in [Message::from("hello"), Message::from(vec![7; 100_000])] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.recv().await.unwrap(), Some(message));
    }
    assert!(socket.close(CloseCode::NORMAL, "").await.unwrap().is_clean());
}

#[tokio::test]
async fn none_of_the_servers_subprotocols_is_offered() {
    let app =
        Router::new().fallback(async |upgrade: WebSocketUpgrade| upgrade.protocols(["v3"]).on_upgrade(echo));
    assert_eq!(on_loopback(serve(app).await).await.subprotocol(), None);
}

#[tokio::test]
async fn bytes_in_one_piece_with_the_request_arrive() {
    let app = Router::new().fallback(async |upgrade: WebSocketUpgrade| upgrade.on_upgrade(echo));
    let bytes = [REQUEST.as_bytes(), b"\x81\x85\0\0\0\0hello"].concat();
    let answer = exchange(serve(app).await, &bytes, |answer| answer.ends_with(b"\x81\x05hello")).await;
    assert!(
        answer.starts_with(b"HTTP/1.1 101 ") && answer.ends_with(b"\x81\x05hello"),
        "{}",
        answer.escape_ascii()
    );
}

#[tokio::test]
async fn limits_of_the_extractor_and_of_the_extension() {
    let handler = async |upgrade: WebSocketUpgrade| {
        let upgrade = match upgrade.request().target() {
            "/10" => upgrade.max_message_size(10),
            "/frame" => upgrade.max_frame_size(10),
            _ => upgrade,
        };
        upgrade.on_upgrade(echo)
    };
    let mut config = ServerConfig::default();
    config.limits.message = 100;
    let address = serve(Router::new().fallback(handler).layer(Extension(config))).await;
    for (path, limit) in [("10", 10), ("frame", 10), ("", 100)] {
        let mut socket = connect(&format!("ws://{address}/{path}")).await.unwrap();
        socket.send(vec![1; limit]).await.unwrap();
        assert_eq!(socket.recv().await.unwrap().map(|message| message.as_bytes().len()), Some(limit));
        socket.send(vec![1; limit + 1]).await.unwrap();
        while let Ok(Some(_)) = socket.recv().await {}
        let closed = socket.closed().unwrap();
        assert_eq!(
            closed.received.as_ref().map(|frame| frame.code()),
            Some(CloseCode::TOO_BIG),
            "{path}: {closed}"
        );
    }
}

#[cfg(feature = "deflate")]
#[tokio::test]
async fn compression_is_agreed_on() {
    let app = Router::new().fallback(async |upgrade: WebSocketUpgrade| {
        let mut config = ServerConfig::default();
        config.deflate = Some(sansocket_tokio::DeflateConfig::default());
        upgrade.config(config).on_upgrade(echo)
    });
    let mut socket = on_loopback(serve(app).await).await;
    assert!(socket.deflate().is_some());
    let text = "all work and no play ".repeat(1000);
    socket.send(text.clone()).await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some(Message::from(text)));
}

#[tokio::test]
async fn every_refusal_is_that_of_a_raw_socket() {
    let handler = async |upgrade: WebSocketUpgrade| match decide(upgrade.request()) {
        Ok(accept) => upgrade.accept(accept).on_upgrade(echo),
        Err(reject) => upgrade.reject(&reject).into_response().map(axum::body::Body::new),
    };
    let address = serve(Router::new().fallback(handler).layer(Extension(config()))).await;
    let raw = raw_server().await;
    for (_, pattern) in WRONG.into_iter().filter(|(code, _)| *code != COUNTED) {
        let request = written(pattern);
        let expected = exchange(raw, request.as_bytes(), |_| false).await;
        let answer = exchange(address, request.as_bytes(), |_| false).await;
        assert_eq!(parts(&answer), parts(&expected), "{request}");
    }
}

/// A route that is a page too, for those who ask for one.
async fn page_or_socket(upgrade: Option<WebSocketUpgrade>) -> Response {
    match upgrade {
        Some(upgrade) => upgrade.on_upgrade(echo),
        None => "a page".into_response(),
    }
}

#[tokio::test]
async fn an_optional_web_socket() {
    let address = serve(Router::new().fallback(page_or_socket)).await;
    for version in ["1.0", "1.1"] {
        let request = format!("GET / HTTP/{version}\r\nHost: h\r\nConnection: close\r\n\r\n");
        let answer = exchange(address, request.as_bytes(), |_| false).await;
        assert!(answer.ends_with(b"\r\n\r\na page"), "{}", answer.escape_ascii());
    }
    let wrong = REQUEST.replace("Version: 13", "Version: 8");
    let answer = exchange(address, wrong.as_bytes(), |_| false).await;
    assert!(answer.starts_with(b"HTTP/1.1 426 "), "a WebSocket that is asked for wrongly is no page");
    let mut socket = on_loopback(address).await;
    socket.send("hello").await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some("hello".into()));
}

/// axum's feature `http2` has its server say that it knows RFC 8441, which is not for this library to deny.
#[tokio::test]
async fn requests_of_http_2() {
    let app = Router::new()
        .route("/chat", any(async |upgrade: WebSocketUpgrade| upgrade.on_upgrade(echo)))
        .route("/page", any(page_or_socket));
    let address = serve(app).await;
    let mut client = http2::client(TcpStream::connect(address).await.unwrap()).await;
    for method in [Method::GET, Method::CONNECT] {
        http2::refused(&mut client, http2::request(method)).await;
    }
    let page = |method| {
        let mut request = http2::request(method);
        *request.uri_mut() = "http://h.example/page".parse().unwrap();
        request
    };
    assert_eq!(client.send_request(page(Method::GET)).await.unwrap().status(), StatusCode::OK);
    http2::refused(&mut client, page(Method::CONNECT)).await;
}

#[tokio::test]
async fn an_answer_of_the_applications_own() {
    let app = Router::new().fallback(async |upgrade: Result<WebSocketUpgrade, Refused>| match upgrade {
        Ok(upgrade) => upgrade.on_upgrade(echo),
        Err(refused) => {
            let code = refused.error().handshake().map_or("?", HandshakeError::code);
            (StatusCode::IM_A_TEAPOT, code).into_response()
        }
    });
    let wrong = REQUEST.replace("Sec-WebSocket-Key", "X-Key").replace("keep-alive", "close");
    let answer = exchange(serve(app).await, wrong.as_bytes(), |_| false).await;
    assert!(
        answer.starts_with(b"HTTP/1.1 418 ") && answer.ends_with(b"missing-key"),
        "{}",
        answer.escape_ascii()
    );
}

#[tokio::test]
async fn pages_of_other_origins_are_kept_out() {
    async fn chat(State(origins): State<Origins>, upgrade: WebSocketUpgrade) -> Result<Response, Refused> {
        Ok(upgrade.origins(&origins)?.on_upgrade(echo))
    }
    let origins = Origins::new().allow("https://example.com").unwrap();
    let address = serve(Router::new().fallback(chat).with_state(origins)).await;
    for (origin, status) in [("https://example.com", "101"), ("https://evil.example", "403")] {
        let request =
            REQUEST.replace("Upgrade: websocket\r\n", &format!("Upgrade: websocket\r\nOrigin: {origin}\r\n"));
        let answer = exchange(address, request.as_bytes(), |answer| answer.ends_with(b"\r\n\r\n")).await;
        assert!(answer.starts_with(format!("HTTP/1.1 {status} ").as_bytes()), "{}", answer.escape_ascii());
    }
}

#[tokio::test]
async fn a_failed_upgrade_is_told() {
    async fn chat(State(tell): State<UnboundedSender<Error>>, upgrade: WebSocketUpgrade) -> Response {
        let upgrade = upgrade.accept(Accept::new().subprotocol("v9"));
        upgrade.on_failed_upgrade(move |error| tell.send(error).unwrap()).on_upgrade(echo)
    }
    let (tell, mut told) = unbounded_channel();
    let address = serve(Router::new().fallback(chat).with_state(tell)).await;
    let answer = exchange(address, REQUEST.as_bytes(), |_| false).await;
    assert!(answer.starts_with(b"HTTP/1.1 500 "), "{}", answer.escape_ascii());
    assert!(matches!(told.recv().await.unwrap(), Error::Accept(_)));
}

/// A handler by itself, as a unit test calls it, has no connection that could become a WebSocket.
#[tokio::test]
async fn a_request_without_a_connection() {
    use axum::extract::FromRequestParts;

    let mut request = Request::get("/").header("Host", "h");
    for (name, value) in
        [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")]
    {
        request = request.header(name, value);
    }
    let request = request.header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==").body(()).unwrap();
    let (mut parts, ()) = request.into_parts();
    let refused =
        <WebSocketUpgrade as FromRequestParts<()>>::from_request_parts(&mut parts, &()).await.unwrap_err();
    assert_eq!(refused.into_response().status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn the_example_is_a_chat() {
    let address = serve(axum_chat::app()).await;
    let page = exchange(address, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", |_| false).await;
    assert!(String::from_utf8_lossy(&page).contains("new WebSocket("));

    let url = format!("ws://{address}/chat");
    let (mut alice, mut bob) = (connect(&url).await.unwrap(), connect(&url).await.unwrap());
    // What one hears of oneself shows that one is in the room.
    alice.send("alice is here").await.unwrap();
    assert_eq!(alice.recv().await.unwrap(), Some("alice is here".into()));
    bob.send("hello").await.unwrap();
    assert_eq!(alice.recv().await.unwrap(), Some("hello".into()));
    alice.send(vec![0]).await.unwrap();
    while let Ok(Some(_)) = alice.recv().await {}
    let closed = alice.closed().unwrap();
    assert_eq!(
        closed.received.as_ref().map(|frame| frame.code()),
        Some(CloseCode::UNSUPPORTED_DATA),
        "{closed}"
    );
}
