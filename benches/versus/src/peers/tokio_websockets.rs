//! tokio-websockets.

use ::tokio_websockets::{ClientBuilder, Config, Error, Message, ServerBuilder, WebSocketStream};
use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;

use super::{Handshaking, Peer};
use crate::echo::{Server, serve};
use crate::pipe::{Pipe, now};
use crate::rounds::Run;
use crate::work::{BURST, Decoding, Encoding, Role};

pub(crate) struct TokioWebsockets;

impl Peer for TokioWebsockets {
    fn name(&self) -> &'static str {
        "tokio-websockets"
    }

    fn configuration(&self) -> &'static str {
        "features fastrand and sha1_smol; feed and one flush at the end of a burst, flush threshold 64 KiB"
    }

    fn servers(&self) -> Vec<Server> {
        vec![
            Server { name: "tokio-websockets", run: |listener| serve(listener, echo) },
            Server { name: "tokio-websockets, batched", run: |listener| serve(listener, batched) },
        ]
    }

    fn decode(&self, work: &Decoding) -> Option<Run> {
        let mut socket = socket(work.role, Pipe::endless(work.wire.clone()));
        let (messages, expected) = (work.messages, work.expected.clone());
        Some(Box::new(move || {
            now(async {
                for _ in 0..messages {
                    let message = socket.next().await.expect("there is more").expect("the frames are valid");
                    expected.see(message.as_payload());
                }
            });
        }))
    }

    fn encode(&self, work: &Encoding) -> Option<Run> {
        let mut socket = socket(work.role, Pipe::sink(work.capture));
        let payload = Bytes::copy_from_slice(&work.payload);
        let message = if work.kind.is_text() { Message::text(payload) } else { Message::binary(payload) };
        let messages = work.messages;
        Some(Box::new(move || {
            now(async {
                for _ in 0..messages {
                    socket.feed(message.clone()).await.expect("the transport takes everything");
                }
                socket.flush().await.expect("the transport takes everything");
            });
        }))
    }

    fn handshake(&self, work: &Handshaking) -> Option<Run> {
        let work = work.clone();
        Some(Box::new(move || {
            drop(now(ServerBuilder::new().accept(work.pipe())).expect("the request is valid"));
        }))
    }
}

fn socket(role: Role, pipe: Pipe) -> WebSocketStream<Pipe> {
    let config = Config::default().flush_threshold(BURST);
    match role {
        Role::Server => ServerBuilder::new().config(config).serve(pipe),
        Role::Client => ClientBuilder::new().config(config).take_over(pipe),
    }
}

/// As its example echo_server.rs does it.
async fn echo(stream: TcpStream) -> Result<(), Error> {
    let (_, mut socket) = ServerBuilder::new().accept(stream).await?;
    while let Some(message) = socket.next().await.transpose()? {
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

/// The answers to messages that are there leave in one flush. Looking for a message flushes too, so they are collected first.
async fn batched(stream: TcpStream) -> Result<(), Error> {
    let config = Config::default().flush_threshold(BURST);
    let (_, mut socket) = ServerBuilder::new().config(config).accept(stream).await?;
    let mut messages = Vec::new();
    while let Some(first) = socket.next().await.transpose()? {
        let mut message = Some(first);
        while let Some(next) = message {
            messages.push(next);
            message = socket.next().now_or_never().flatten().transpose()?;
        }
        for next in messages.drain(..).filter(|next| next.is_text() || next.is_binary()) {
            socket.feed(next).await?;
        }
        socket.flush().await?;
    }
    Ok(())
}
