//! Requests of HTTP/2, inside of which this library opens no WebSocket: they are told so.

use std::convert::Infallible;
use std::str;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::ext::Protocol;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use sansocket_tokio::hyper::upgrade;
use sansocket_tokio::sansocket::HandshakeErrorKind;
use sansocket_tokio::{Accept, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, duplex};
use tokio::sync::mpsc;

/// A client of HTTP/2 on this stream.
pub(crate) async fn client<S>(stream: S) -> SendRequest<Empty<Bytes>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (client, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A GET with the fields of a handshake, as far as HTTP/2 allows them, or the extended CONNECT of RFC 8441.
pub(crate) fn request(method: Method) -> Request<Empty<Bytes>> {
    let request =
        Request::builder().method(&method).uri("http://h.example/chat").header("Sec-WebSocket-Version", "13");
    let mut request = request.body(Empty::new()).unwrap();
    if method == Method::CONNECT {
        request.extensions_mut().insert(Protocol::from_static("websocket"));
    }
    request
}

/// What every such request is answered with: 505, and what to do.
pub(crate) async fn refused(client: &mut SendRequest<Empty<Bytes>>, request: Request<Empty<Bytes>>) {
    let response = client.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::HTTP_VERSION_NOT_SUPPORTED);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let text = str::from_utf8(&body).unwrap();
    let expected =
        "the client speaks \"HTTP/2.0\", and a WebSocket needs HTTP/1.1 (RFC 6455 section 4.2.1).\n";
    assert!(text.contains(expected) && text.contains("Use HTTP/1.1"), "{text}");
}

#[tokio::test]
async fn requests_of_http_2_are_refused() {
    let (server, peer) = duplex(4096);
    let (tell, mut ends) = mpsc::unbounded_channel();
    let service = service_fn(move |mut request: Request<hyper::body::Incoming>| {
        let (response, opening) = upgrade(&mut request, &ServerConfig::default(), |_| Ok(Accept::new()));
        let tell = tell.clone();
        async move {
            tell.send(opening.await.err().unwrap()).unwrap();
            Ok::<_, Infallible>(response)
        }
    });
    // A server that wrongly says that it knows RFC 8441, or the client would not even ask by CONNECT.
    let mut http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    tokio::spawn(http.enable_connect_protocol().serve_connection(TokioIo::new(server), service));
    let mut client = client(peer).await;
    for method in [Method::GET, Method::CONNECT] {
        refused(&mut client, request(method)).await;
        let error = ends.recv().await.unwrap();
        let kind = error.handshake().unwrap().kind();
        assert!(matches!(kind, HandshakeErrorKind::HttpVersion { .. }), "{error}");
    }
}
