//! Handshakes that succeed, and what becomes of their connections.

use std::pin::pin;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use sansocket_tokio::hyper::{receive_request, upgrade};
use sansocket_tokio::sansocket::{HandshakeErrorKind, Role};
use sansocket_tokio::{
    Accept, ClientConfig, ClientRequest, CloseCode, Closed, Error, Message, ServerConfig, client, connect,
    handshakes,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite;

use crate::{REQUEST, echo, exchange, server};

#[tokio::test]
async fn a_client_of_this_library() {
    let before = handshakes(Role::Server).opened;
    let (address, mut ends) = server(ServerConfig::default(), |_| Ok(Accept::new()), echo).await;
    let mut socket = connect(&format!("ws://{address}/chat")).await.unwrap();
    for message in [Message::from("hello"), Message::from(vec![7; 100_000])] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.recv().await.unwrap(), Some(message));
    }
    let closed = socket.close(CloseCode::NORMAL, "").await.unwrap();
    assert!(closed.is_clean(), "{closed}");
    ends.recv().await.unwrap().unwrap();
    assert!(handshakes(Role::Server).opened > before);
}

#[tokio::test]
async fn a_client_of_tungstenite() {
    let (address, mut ends) = server(ServerConfig::default(), |_| Ok(Accept::new()), echo).await;
    let (mut socket, response) = tokio_tungstenite::connect_async(format!("ws://{address}/")).await.unwrap();
    assert_eq!(response.status(), 101);
    socket.send(tungstenite::Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), tungstenite::Message::text("hello"));
    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
    ends.recv().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_subprotocol_and_fields_of_the_applications_own() {
    let (address, mut ends) = server(
        ServerConfig::default(),
        |request| {
            assert_eq!((request.target(), request.field("cookie")), ("/chat?room=7", Some(&b"a=1"[..])));
            assert!(request.subprotocols().eq(["v1", "v2"]));
            Ok(Accept::new().subprotocol("v2").field("Set-Cookie", "b=2").unwrap())
        },
        |opening| async {
            let socket = opening.await?;
            assert_eq!(socket.subprotocol(), Some("v2"));
            Ok(())
        },
    )
    .await;
    let request = ClientRequest::new(&format!("ws://{address}/chat?room=7")).unwrap();
    let request =
        request.subprotocol("v1").unwrap().subprotocol("v2").unwrap().field("Cookie", "a=1").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let mut socket = client(stream, &request, &ClientConfig::default()).await.unwrap();
    let response = socket.response().unwrap();
    assert_eq!((response.subprotocol(), response.field("set-cookie")), (Some("v2"), Some(&b"b=2"[..])));
    ends.recv().await.unwrap().unwrap();
    // Dropped by the server's application.
    assert_eq!(socket.recv().await.unwrap(), None);
    assert_eq!(received(&socket.closed().unwrap()), Some(CloseCode::GOING_AWAY));
}

fn received(closed: &Closed) -> Option<CloseCode> {
    closed.received.as_ref().map(|frame| frame.code())
}

#[cfg(feature = "deflate")]
#[tokio::test]
async fn compression() {
    use sansocket_tokio::DeflateConfig;

    let mut config = ServerConfig::default();
    config.deflate = Some(DeflateConfig::default());
    let (address, _ends) = server(config, |_| Ok(Accept::new()), echo).await;
    let mut config = ClientConfig::default();
    config.deflate = Some(DeflateConfig::default());
    let request = ClientRequest::new(&format!("ws://{address}/")).unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let mut socket = client(stream, &request, &config).await.unwrap();
    assert!(socket.deflate().is_some());
    let text = "all work and no play ".repeat(1000);
    socket.send(text.clone()).await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some(Message::from(text)));
}

/// hyper reads it with the request, and gives it along.
#[tokio::test]
async fn a_frame_in_one_piece_with_the_request() {
    let (address, _ends) = server(ServerConfig::default(), |_| Ok(Accept::new()), echo).await;
    // A Text frame with the masking-key 0.
    let bytes = [REQUEST.as_bytes(), b"\x81\x85\0\0\0\0hello"].concat();
    let answer = exchange(address, &bytes, |answer| answer.ends_with(b"\x81\x05hello")).await;
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{text}");
    assert!(text.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{text}");
    assert!(answer.ends_with(b"\x81\x05hello"), "{text}");
}

#[tokio::test]
async fn limits_are_those_of_the_configuration() {
    let mut config = ServerConfig::default();
    config.limits.message = 10;
    let (address, mut ends) = server(config, |_| Ok(Accept::new()), echo).await;
    let mut socket = connect(&format!("ws://{address}/")).await.unwrap();
    socket.send("longer than that").await.unwrap();
    while let Ok(Some(_)) = socket.recv().await {}
    assert_eq!(received(&socket.closed().unwrap()), Some(CloseCode::TOO_BIG));
    assert!(matches!(ends.recv().await.unwrap(), Err(Error::Closed { .. })));
}

/// Under virtual time, over a pipe in memory.
#[tokio::test(start_paused = true)]
async fn keepalive_finds_a_client_that_has_gone() {
    let (server, mut peer) = duplex(4096);
    let (tell, end) = tokio::sync::oneshot::channel();
    let tell = std::sync::Mutex::new(Some(tell));
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (response, opening) = upgrade(&mut request, &ServerConfig::default(), |_| Ok(Accept::new()));
        let tell = tell.lock().unwrap().take().unwrap();
        tokio::spawn(async move { tell.send(echo(opening).await) });
        async move { Ok::<_, std::convert::Infallible>(response) }
    });
    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(server), service).with_upgrades());
    let begin = tokio::time::Instant::now();
    peer.write_all(REQUEST.as_bytes()).await.unwrap();
    let Err(error) = end.await.unwrap() else { panic!("nobody answers") };
    let elapsed = begin.elapsed();
    assert!(error.to_string().contains("Pong"), "{error}");
    assert!((Duration::from_secs(40)..Duration::from_secs(50)).contains(&elapsed), "{elapsed:?}");
    let mut all = Vec::new();
    peer.read_to_end(&mut all).await.unwrap();
    assert!(all.starts_with(b"HTTP/1.1 101 "));
}

/// The decision waits, hyper's server is told to end meanwhile, and then the WebSocket is opened all the same and goes on.
#[tokio::test]
async fn a_graceful_shutdown_leaves_web_sockets_alone() {
    let (server, peer) = duplex(4096);
    let (asked, was_asked) = tokio::sync::oneshot::channel();
    let (decide, decision) = tokio::sync::oneshot::channel::<()>();
    let once = std::sync::Mutex::new(Some((asked, decision)));
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (asked, decision) = once.lock().unwrap().take().unwrap();
        async move {
            let handshake = receive_request(&mut request, &ServerConfig::default()).unwrap();
            asked.send(()).unwrap();
            decision.await.unwrap();
            let (response, opening) = handshake.accept(Accept::new());
            tokio::spawn(echo(opening));
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(server), service).with_upgrades();
    let http = tokio::spawn(async move {
        let mut connection = pin!(connection);
        tokio::select! {
            result = &mut connection => panic!("{result:?}"),
            _ = was_asked => connection.as_mut().graceful_shutdown(),
        }
        decide.send(()).unwrap();
        connection.await
    });
    let request = ClientRequest::new("ws://h.example/").unwrap();
    let mut socket = client(peer, &request, &ClientConfig::default()).await.unwrap();
    http.await.unwrap().unwrap();
    socket.send("still here").await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some("still here".into()));
}

#[tokio::test]
async fn a_future_that_is_dropped_closes_the_stream() {
    let (address, mut ends) = server(
        ServerConfig::default(),
        |_| Ok(Accept::new()),
        |opening| async {
            drop(opening);
            Ok(())
        },
    )
    .await;
    let answer = exchange(address, REQUEST.as_bytes(), |_| false).await;
    assert!(answer.starts_with(b"HTTP/1.1 101 ") && answer.ends_with(b"\r\n\r\n"));
    ends.recv().await.unwrap().unwrap();
}

/// Who drops the handshake may answer as to any other request, and the connection goes on to the next one.
#[tokio::test]
async fn another_response_than_that_of_the_handshake() {
    let (server, mut peer) = duplex(4096);
    let service = service_fn(|mut request: Request<Incoming>| {
        drop(receive_request(&mut request, &ServerConfig::default()).unwrap());
        async { Ok::<_, std::convert::Infallible>(Response::new(String::from("no"))) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(server), service).with_upgrades();
    let connection = tokio::spawn(connection);
    for _ in 0..2 {
        peer.write_all(REQUEST.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\nno") {
            assert_ne!(peer.read_buf(&mut answer).await.unwrap(), 0);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", answer.escape_ascii());
    }
    drop(peer);
    connection.await.unwrap().unwrap();
}

/// Served without `with_upgrades`.
#[tokio::test]
async fn a_connection_that_is_served_without_upgrades() {
    let (server, mut peer) = duplex(4096);
    let (tell, mut end) = tokio::sync::mpsc::unbounded_channel();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (response, opening) = upgrade(&mut request, &ServerConfig::default(), |_| Ok(Accept::new()));
        let tell = tell.clone();
        tokio::spawn(async move { tell.send(opening.await.map(drop)) });
        async { Ok::<_, std::convert::Infallible>(response) }
    });
    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(server), service));
    peer.write_all(REQUEST.as_bytes()).await.unwrap();
    let Err(error) = end.recv().await.unwrap() else { panic!("nobody gives the stream away") };
    let failed = error.handshake().unwrap();
    assert!(matches!(failed.kind(), HandshakeErrorKind::TransportFailed(_)), "{error}");
    assert!(error.to_string().contains("upgrade"), "{error}");
}

/// A subprotocol that the client does not offer is a fault of the server's.
#[tokio::test]
async fn an_answer_that_does_not_fit_the_request() {
    let (address, mut ends) =
        server(ServerConfig::default(), |_| Ok(Accept::new().subprotocol("v9")), echo).await;
    let answer = exchange(address, REQUEST.as_bytes(), |_| false).await;
    assert!(answer.starts_with(b"HTTP/1.1 500 "), "{}", answer.escape_ascii());
    assert!(matches!(ends.recv().await.unwrap(), Err(Error::Accept(_))));
}
