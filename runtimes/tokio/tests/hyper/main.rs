//! WebSockets inside of servers of hyper and axum: real servers on loopback, with clients of this library, of tokio-tungstenite, and with
//! clients that are bytes.

#[cfg(feature = "axum")]
mod axum;
mod http2;
mod open;
mod refused;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use sansocket_tokio::hyper::{Opening, WebSocket};
use sansocket_tokio::{Accept, Error, Reject, ServerConfig, hyper::upgrade};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What the server's end of each handshake came to.
type Ends = mpsc::UnboundedReceiver<Result<(), Error>>;

/// A server of hyper that serves each connection in this way, and gives the result of each WebSocket.
async fn server<F>(
    config: ServerConfig,
    decide: fn(&sansocket_tokio::Request) -> Result<Accept, Reject>,
    serve: fn(Opening) -> F,
) -> (SocketAddr, Ends)
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, ends) = mpsc::unbounded_channel();
    let config = Arc::new(config);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (tell, config) = (tell.clone(), Arc::clone(&config));
            let service = service_fn(move |mut request: Request<Incoming>| {
                let (response, opening) = upgrade(&mut request, &config, decide);
                let tell = tell.clone();
                tokio::spawn(async move { tell.send(serve(opening).await) });
                async move { Ok::<Response<Full<Bytes>>, Infallible>(response) }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection.with_upgrades());
        }
    });
    (address, ends)
}

async fn echo(opening: Opening) -> Result<(), Error> {
    echo_on(opening.await?).await
}

async fn echo_on(mut socket: WebSocket) -> Result<(), Error> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// Writes `bytes`, and reads until `enough` of the answer is there or the server ends its side.
async fn exchange(address: SocketAddr, bytes: &[u8], enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    while !enough(&answer) && stream.read_buf(&mut answer).await.unwrap() > 0 {}
    answer
}

const REQUEST: &str = "GET /chat?room=7 HTTP/1.1\r\nHost: h.example\r\nConnection: keep-alive, Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
