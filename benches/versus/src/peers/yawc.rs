//! yawc. Its opening handshake is hyper's.

use std::cell::RefCell;
use std::convert::Infallible;

use ::yawc::frame::{Frame, OpCode};
use ::yawc::{CompressionLevel, Options, Role as TheirRole, UpgradeFut, WebSocket, WebSocketError};
use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Handshaking, Peer};
use crate::deflate::Deflating;
use crate::echo::{Server, serve};
use crate::pipe::{Pipe, now};
use crate::rounds::Run;
use crate::work::{Decoding, Encoding, Role};

pub(crate) struct Yawc;

impl Peer for Yawc {
    fn name(&self) -> &'static str {
        "yawc"
    }

    fn configuration(&self) -> &'static str {
        "feature simd; UTF-8 validation on, payload limits of 16 MiB; feed and one flush at the end of a burst; handshakes by hyper"
    }

    fn inflate(&self, work: &Deflating) -> Option<Run> {
        let mut socket = compressing(work, Pipe::endless(work.wire.clone()));
        let work = work.clone();
        Some(Box::new(move || {
            now(async {
                for index in 0..work.messages.len() {
                    let frame = socket.next_frame().await.expect("the frames are valid");
                    work.see(index, frame.payload());
                }
            });
        }))
    }

    fn deflate(&self, work: &Deflating) -> Option<Run> {
        let mut socket = compressing(work, Pipe::sink(work.capture));
        let messages: Vec<Bytes> =
            work.messages.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect();
        Some(Box::new(move || {
            now(async {
                for message in &messages {
                    socket.feed(Frame::text(message.clone())).await.expect("the transport takes everything");
                }
                socket.flush().await.expect("the transport takes everything");
            });
        }))
    }

    fn servers(&self) -> Vec<Server> {
        vec![
            Server { name: "yawc", run: |listener| serve(listener, |stream| accept(stream, false)) },
            Server { name: "yawc, batched", run: |listener| serve(listener, |stream| accept(stream, true)) },
        ]
    }

    fn decode(&self, work: &Decoding) -> Option<Run> {
        let mut socket = socket(work.role, Pipe::endless(work.wire.clone()));
        let (messages, expected) = (work.messages, work.expected.clone());
        Some(Box::new(move || {
            now(async {
                for _ in 0..messages {
                    let frame = socket.next_frame().await.expect("the frames are valid");
                    expected.see(frame.payload());
                }
            });
        }))
    }

    fn encode(&self, work: &Encoding) -> Option<Run> {
        let mut socket = socket(work.role, Pipe::sink(work.capture));
        let payload = Bytes::copy_from_slice(&work.payload);
        let (messages, is_text) = (work.messages, work.kind.is_text());
        Some(Box::new(move || {
            now(async {
                for _ in 0..messages {
                    let payload = payload.clone();
                    let frame = if is_text { Frame::text(payload) } else { Frame::binary(payload) };
                    socket.feed(frame).await.expect("the transport takes everything");
                }
                socket.flush().await.expect("the transport takes everything");
            });
        }))
    }

    fn handshake(&self, work: &Handshaking) -> Option<Run> {
        let work = work.clone();
        Some(Box::new(move || {
            now(async {
                let upgraded = RefCell::new(None);
                let service = service_fn(|mut request| {
                    let (response, future) = WebSocket::upgrade(&mut request).expect("the request is valid");
                    *upgraded.borrow_mut() = Some(future);
                    async move { Ok::<_, Infallible>(response) }
                });
                let connection = http1::Builder::new().serve_connection(TokioIo::new(work.pipe()), service);
                connection.with_upgrades().await.expect("the request is valid");
                let upgraded = upgraded.take().expect("the service was called");
                drop(upgraded.await.expect("the request is valid"));
            });
        }))
    }
}

fn socket(role: Role, pipe: Pipe) -> WebSocket<Pipe> {
    let role = match role {
        Role::Server => TheirRole::Server,
        Role::Client => TheirRole::Client,
    };
    let options = Options::default().with_limits(LIMIT, 2 * LIMIT).with_utf8();
    WebSocket::from_stream(pipe, role, options).expect("nothing is to be agreed")
}

/// As its example echo_server.rs does it.
async fn accept(stream: TcpStream, batched: bool) -> Result<(), hyper::Error> {
    let service = service_fn(move |mut request| async move {
        let options = Options::default().with_limits(LIMIT, 2 * LIMIT).with_utf8();
        let (response, future) = WebSocket::upgrade_with_options(&mut request, options)?;
        tokio::spawn(echo(future, batched));
        Ok::<_, WebSocketError>(response)
    });
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await
}

async fn echo(upgraded: UpgradeFut, batched: bool) -> Result<(), WebSocketError> {
    let mut socket = upgraded.await?;
    while let Some(first) = socket.next().await {
        let mut frame = Some(first);
        while let Some(next) = frame.take() {
            if !matches!(next.opcode(), OpCode::Text | OpCode::Binary) {
                continue;
            }
            if batched {
                socket.feed(next).await?;
                frame = socket.next().now_or_never().flatten();
            } else {
                socket.send(next).await?;
            }
        }
        if batched {
            socket.flush().await?;
        }
    }
    Ok(())
}

const LIMIT: usize = 16 * 1024 * 1024;

fn compressing(work: &Deflating, pipe: Pipe) -> WebSocket<Pipe> {
    let agreed = if work.takeover {
        "permessage-deflate"
    } else {
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    };
    let options = Options::default()
        .with_limits(LIMIT, 2 * LIMIT)
        .with_utf8()
        .with_compression_level(CompressionLevel::new(work.level.into()));
    WebSocket::from_stream_with_extensions(pipe, TheirRole::Server, Some(agreed), options)
        .expect("it can do that")
}
