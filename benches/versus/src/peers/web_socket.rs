//! web-socket, which has no opening handshake, gives fragments one by one, and leaves it to its user to find out whether text is text.

use std::io;

use ::web_socket::{CloseCode, DataType, Event, MessageType, Stream, WebSocket as TheirSocket};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::Peer;
use crate::echo::{Server, serve};
use crate::floor;
use crate::pipe::{Pipe, READ, now};
use crate::rounds::Run;
use crate::work::{Decoding, Encoding, Role};

pub(crate) struct WebSocket;

impl Peer for WebSocket {
    fn name(&self) -> &'static str {
        "web-socket"
    }

    fn configuration(&self) -> &'static str {
        "a BufReader of 64 KiB; the application puts fragments together and validates text with simdutf8"
    }

    fn servers(&self) -> Vec<Server> {
        vec![Server { name: "web-socket", run: |listener| serve(listener, echo) }]
    }

    fn decode(&self, work: &Decoding) -> Option<Run> {
        let reader = BufReader::with_capacity(READ, Pipe::endless(work.wire.clone()));
        let mut socket = match work.role {
            Role::Server => TheirSocket::server(reader),
            Role::Client => TheirSocket::client(reader),
        };
        let mut message = Vec::new();
        let (messages, kind, expected) = (work.messages, work.kind, work.expected.clone());
        Some(Box::new(move || {
            now(async {
                let mut seen = 0;
                while seen < messages {
                    match socket.recv().await.expect("the transport never ends") {
                        Event::Data { ty: DataType::Complete(_), data } => {
                            expected.see_unvalidated(kind, &data);
                            seen += 1;
                        }
                        Event::Data { ty: DataType::Stream(part), data } => {
                            message.extend_from_slice(&data);
                            if matches!(part, Stream::End(_)) {
                                expected.see_unvalidated(kind, &message);
                                message.clear();
                                seen += 1;
                            }
                        }
                        other => panic!("not a message: {other:?}"),
                    }
                }
            });
        }))
    }

    fn encode(&self, work: &Encoding) -> Option<Run> {
        let pipe = Pipe::sink(work.capture);
        let mut socket = match work.role {
            Role::Server => TheirSocket::server(pipe),
            Role::Client => TheirSocket::client(pipe),
        };
        let work = work.clone();
        Some(Box::new(move || {
            now(async {
                for _ in 0..work.messages {
                    let sent = if work.kind.is_text() {
                        socket.send(&*work.text).await
                    } else {
                        socket.send(&*work.payload).await
                    };
                    sent.expect("the transport takes everything");
                }
            });
        }))
    }
}

/// As its documentation does it; the opening handshake is this package's, with no checks but for the key.
async fn echo(stream: TcpStream) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut key = None;
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 2 {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("Sec-WebSocket-Key")
        {
            key = Some(value.trim().to_owned());
        }
        line.clear();
    }
    let key = key.ok_or(io::ErrorKind::InvalidData)?;
    stream.write_all(&floor::reply(key.as_bytes())).await?;
    let mut socket = TheirSocket::server(stream);
    loop {
        match socket.recv().await? {
            Event::Data { ty: DataType::Complete(MessageType::Binary), data } => socket.send(&*data).await?,
            Event::Data { data, .. } => {
                let text = simdutf8::basic::from_utf8(&data).map_err(|_| io::ErrorKind::InvalidData)?;
                socket.send(text).await?;
            }
            Event::Ping(data) => socket.send_pong(data).await?,
            Event::Pong(_) => {}
            Event::Error(_) => return socket.close(CloseCode::ProtocolError).await,
            Event::Close { .. } => return socket.close(()).await,
        }
    }
}
