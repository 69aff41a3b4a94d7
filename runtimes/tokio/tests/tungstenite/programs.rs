//! What programs of tokio-tungstenite do, each with a trace of all that it sees. Compiled twice; nothing here may know on which library.

use futures_util::{SinkExt, StreamExt, future, stream};
use tokio::net::TcpStream;

use super::ws::tungstenite::client::IntoClientRequest;
use super::ws::tungstenite::handshake::client::Response as ClientResponse;
use super::ws::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use super::ws::tungstenite::http::{HeaderValue, StatusCode};
use super::ws::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use super::ws::tungstenite::protocol::frame::{CloseFrame, Frame};
use super::ws::tungstenite::protocol::{Role, WebSocketConfig};
use super::ws::tungstenite::{Error, Message};
use super::ws::{
    WebSocketStream, accept_async, accept_async_with_config, accept_hdr_async, client_async,
    client_async_with_config,
};

pub(crate) type Trace = Vec<String>;
type Socket = WebSocketStream<TcpStream>;

/// What a failed call shows: the variant, and what is in it.
fn shown(error: &Error) -> String {
    match error {
        // The text is the library's own, and so is what is inside.
        Error::Utf8(_) => "Utf8".into(),
        Error::Io(io) => format!("Io {:?}", io.kind()),
        Error::Http(response) => {
            format!(
                "Http {} {:?}",
                response.status(),
                response.body().as_deref().map(String::from_utf8_lossy)
            )
        }
        other => format!("{other:?}"),
    }
}

fn outcome(result: Result<(), Error>) -> String {
    result.map_or_else(|error| shown(&error), |()| "ok".into())
}

/// Receives to the end, and beyond it.
async fn drain(socket: &mut Socket, trace: &mut Trace) {
    loop {
        match socket.next().await {
            Some(Ok(message)) => trace.push(format!("{message:?}")),
            Some(Err(error)) => trace.push(shown(&error)),
            None => break,
        }
    }
    trace.push(format!("end, and then {:?}", socket.next().await.map(|next| next.is_ok())));
}

/// All that can be sent, one after the other, each with what came of it.
async fn try_everything(socket: &mut Socket, trace: &mut Trace) {
    trace.push(format!("send: {}", outcome(socket.send("x".into()).await)));
    trace.push(format!("feed: {}", outcome(socket.feed("x".into()).await)));
    trace.push(format!("ping: {}", outcome(socket.send(Message::Ping("x".into())).await)));
    trace.push(format!("flush: {}", outcome(socket.flush().await)));
    trace.push(format!("close: {}", outcome(socket.close(None).await)));
    trace.push(format!("sink closes: {}", outcome(SinkExt::close(socket).await)));
}

fn frame(code: u16, reason: &'static str) -> Option<CloseFrame> {
    Some(CloseFrame { code: CloseCode::from(code), reason: reason.into() })
}

pub(crate) async fn accept_and_do(script: &'static str, stream: TcpStream) -> Trace {
    act(script, accept_async(stream).await.unwrap()).await
}

pub(crate) async fn connect_and_do(script: &'static str, stream: TcpStream) -> Trace {
    let (socket, _) = client_async("ws://localhost/", stream).await.unwrap();
    act(script, socket).await
}

/// A program with a connection. Each is a list of words, so that both ends together can be read in one place.
async fn act(script: &'static str, mut socket: Socket) -> Trace {
    let mut trace = Trace::new();
    for word in script.split_whitespace() {
        let (verb, rest) = word.split_once(':').unwrap_or((word, ""));
        let number = || rest.parse::<usize>().unwrap();
        let sent = match verb {
            "text" => socket.send(Message::text(rest)).await,
            "binary" => socket.send(Message::binary(vec![7; number()])).await,
            "feed" => socket.feed(Message::text(rest)).await,
            "flush" => socket.flush().await,
            "ping" => socket.send(Message::Ping(rest.into())).await,
            "pong" => socket.send(Message::Pong(rest.into())).await,
            "close" if rest.is_empty() => socket.close(None).await,
            "close" => socket.close(frame(rest.parse().unwrap(), "because")).await,
            "close-message" => socket.send(Message::Close(frame(4001, "sent"))).await,
            "sink-close" => SinkExt::close(&mut socket).await,
            "begin" => socket.send(fragment(Data::Text, rest, false)).await,
            "more" => socket.send(fragment(Data::Continue, rest, false)).await,
            "last" => socket.send(fragment(Data::Continue, rest, true)).await,
            "all" => {
                let mut all = stream::iter((0..number()).map(|i| Ok(Message::text(format!("{i}")))));
                socket.send_all(&mut all).await
            }
            "recv" => {
                match socket.next().await {
                    Some(Ok(message)) if message.len() > 100 => {
                        trace.push(format!("{} bytes, text: {}", message.len(), message.is_text()));
                    }
                    Some(Ok(message)) => trace.push(format!("{message:?}")),
                    Some(Err(error)) => trace.push(shown(&error)),
                    None => trace.push("end".into()),
                }
                continue;
            }
            "drain" => {
                drain(&mut socket, &mut trace).await;
                continue;
            }
            "everything" => {
                try_everything(&mut socket, &mut trace).await;
                continue;
            }
            "echo" => return echo(socket).await,
            "drop" => break,
            other => panic!("{other}"),
        };
        trace.push(format!("{word}: {}", outcome(sent)));
    }
    trace
}

fn fragment(data: Data, text: &'static str, last: bool) -> Message {
    Message::Frame(Frame::message(text, OpCode::Data(data), last))
}

/// An echo server in one line, as many are.
async fn echo(socket: Socket) -> Trace {
    let (write, read) = socket.split();
    let messages = read.filter(|message| {
        future::ready(message.as_ref().is_ok_and(|message| message.is_text() || message.is_binary()))
    });
    vec![format!("echo: {}", outcome(messages.forward(write).await))]
}

pub(crate) async fn accept_with_callback(refuse: bool, stream: TcpStream) -> Trace {
    let mut trace = Trace::new();
    let callback = |request: &Request, mut response: Response| {
        let get = |name| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        trace.push(format!("{} {} {:?}", request.method(), request.uri(), request.version()));
        trace.push(format!("{:?} {:?} {:?}", get("host"), get("x-token"), get("sec-websocket-protocol")));
        trace.push(format!("{} {:?}", response.status(), response.headers().get("upgrade")));
        if refuse {
            let mut refusal = ErrorResponse::new(Some("no entry".into()));
            *refusal.status_mut() = StatusCode::UNAUTHORIZED;
            refusal.headers_mut().insert("x-why", HeaderValue::from_static("because"));
            return Err(refusal);
        }
        response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("two"));
        response.headers_mut().append("x-node", HeaderValue::from_static("7"));
        Ok(response)
    };
    match accept_hdr_async(stream, callback).await {
        Ok(mut socket) => drain(&mut socket, &mut trace).await,
        Err(error) => trace.push(shown(&error)),
    }
    trace
}

pub(crate) async fn connect_with_headers(stream: TcpStream) -> Trace {
    let mut request = "ws://example.com:81/chat?room=1".into_client_request().unwrap();
    request.headers_mut().insert("X-Token", HeaderValue::from_static("secret"));
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("one, two"));
    let mut trace = Trace::new();
    match client_async(request, stream).await {
        Ok((mut socket, response)) => {
            trace.push(answer(&response));
            trace.push(outcome(socket.close(frame(1000, "bye")).await));
            drain(&mut socket, &mut trace).await;
        }
        Err(Error::Http(response)) => trace.push(answer(&response)),
        Err(error) => trace.push(shown(&error)),
    }
    trace
}

fn answer(response: &ClientResponse) -> String {
    let get = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let body = response.body().as_deref().map(String::from_utf8_lossy);
    let (why, node) = (get("x-why"), get("x-node"));
    format!("{} {:?} {why:?} {node:?} {body:?}", response.status(), get("sec-websocket-protocol"))
}

/// A server with small limits, and what it sees of a peer.
pub(crate) async fn accept_strictly(stream: TcpStream) -> Trace {
    let config = WebSocketConfig::default().max_message_size(Some(100)).max_frame_size(Some(50));
    let mut trace = Trace::new();
    match accept_async_with_config(stream, Some(config)).await {
        Ok(mut socket) => {
            assert_eq!(socket.get_config().max_frame_size, Some(50));
            assert!(socket.get_ref().peer_addr().is_ok() && socket.get_mut().set_nodelay(true).is_ok());
            drain(&mut socket, &mut trace).await;
        }
        Err(error) => trace.push(shown(&error)),
    }
    trace
}

/// What a client sees of a server that answers in its own way.
pub(crate) async fn connect_to_anything(stream: TcpStream) -> Trace {
    let config = WebSocketConfig::default().max_message_size(Some(100)).max_frame_size(Some(50));
    let mut trace = Trace::new();
    match client_async_with_config("ws://localhost/", stream, Some(config)).await {
        Ok((mut socket, _)) => drain(&mut socket, &mut trace).await,
        Err(error) => trace.push(shown(&error)),
    }
    trace
}

/// A connection whose handshake was done elsewhere, with input that was read already.
pub(crate) async fn take_over(stream: TcpStream, part: &[u8]) -> Trace {
    let mut trace = Trace::new();
    let role = if part.is_empty() { Role::Client } else { Role::Server };
    let mut socket = match role {
        Role::Client => Socket::from_raw_socket(stream, role, None).await,
        Role::Server => Socket::from_partially_read(stream, part.to_vec(), role, None).await,
    };
    if role == Role::Client {
        trace.push(outcome(socket.close(None).await));
    }
    drain(&mut socket, &mut trace).await;
    trace
}

/// What comes of sending without end to a peer that does not read.
pub(crate) async fn fill(stream: TcpStream) -> Trace {
    let config = WebSocketConfig::default().write_buffer_size(10_000).max_write_buffer_size(50_000);
    let mut socket = Socket::from_raw_socket(stream, Role::Server, Some(config)).await;
    let message = Message::binary(vec![0; 20_000]);
    for _ in 0..10_000 {
        match future::poll_fn(|cx| std::task::Poll::Ready(socket.poll_ready_unpin(cx))).await {
            std::task::Poll::Ready(ready) => ready.unwrap(),
            std::task::Poll::Pending => return vec!["no room".into(), full(socket, message)],
        }
        socket.start_send_unpin(message.clone()).unwrap();
    }
    vec!["room without end".into()]
}

/// Who does not heed that there is no room gets messages back.
fn full(mut socket: Socket, message: Message) -> String {
    for _ in 0..5 {
        match socket.start_send_unpin(message.clone()) {
            Ok(()) => {}
            Err(Error::WriteBufferFull(back)) => {
                return format!("full, and it is back: {}", back.len() >= message.len());
            }
            Err(error) => return shown(&error),
        }
    }
    "never full".into()
}
