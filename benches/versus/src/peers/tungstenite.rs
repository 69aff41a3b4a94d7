//! tungstenite, which fills its read buffer with zeros before each read; so it is here with a small and with its default one.

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;
use tungstenite::protocol::{self, WebSocketConfig};
use tungstenite::{HandshakeError, Message, Utf8Bytes, WebSocket};

use super::{Handshaking, Peer};
use crate::echo::{Server, serve};
use crate::pipe::Pipe;
use crate::rounds::Run;
use crate::work::{Decoding, Encoding, Role};

pub(crate) struct Tungstenite {
    pub(crate) read_buffer: usize,
}

impl Peer for Tungstenite {
    fn name(&self) -> &'static str {
        if self.is_small() { "tungstenite, 4 KiB reads" } else { "tungstenite" }
    }

    fn configuration(&self) -> &'static str {
        if self.is_small() {
            "reads of 4 KiB; write and flush at the end of a burst; handshakes without a read buffer"
        } else {
            "default configuration (reads of 128 KiB)"
        }
    }

    fn servers(&self) -> Vec<Server> {
        if self.is_small() {
            vec![Server {
                name: "tokio-tungstenite, batched, 8 KiB buffers",
                run: |listener| serve(listener, batched),
            }]
        } else {
            vec![Server { name: "tokio-tungstenite", run: |listener| serve(listener, echo) }]
        }
    }

    fn decode(&self, work: &Decoding) -> Option<Run> {
        let config = WebSocketConfig::default().read_buffer_size(self.read_buffer);
        let pipe = Pipe::endless(work.wire.clone());
        let mut socket = WebSocket::from_raw_socket(pipe, role(work.role), Some(config));
        let (messages, expected) = (work.messages, work.expected.clone());
        Some(Box::new(move || {
            for _ in 0..messages {
                match socket.read().expect("the frames are valid") {
                    Message::Text(text) => expected.see(text.as_bytes()),
                    Message::Binary(bytes) => expected.see(&bytes),
                    other => panic!("not a message: {other:?}"),
                }
            }
        }))
    }

    fn encode(&self, work: &Encoding) -> Option<Run> {
        if !self.is_small() {
            return None;
        }
        let mut socket = WebSocket::from_raw_socket(Pipe::sink(work.capture), role(work.role), None);
        let message = if work.kind.is_text() {
            Message::Text(Utf8Bytes::from(work.text.to_string()))
        } else {
            Message::Binary(Bytes::copy_from_slice(&work.payload))
        };
        let messages = work.messages;
        Some(Box::new(move || {
            for _ in 0..messages {
                socket.write(message.clone()).expect("the transport takes everything");
            }
            socket.flush().expect("the transport takes everything");
        }))
    }

    fn handshake(&self, work: &Handshaking) -> Option<Run> {
        let read_buffer = if self.is_small() { 0 } else { self.read_buffer };
        let config = WebSocketConfig::default().read_buffer_size(read_buffer);
        // Many small reads are an attack to it.
        match tungstenite::accept_with_config(work.pipe(), Some(config)) {
            Err(HandshakeError::Failure(tungstenite::Error::AttackAttempt)) => return None,
            result => drop(result.expect("the request is valid")),
        }
        crate::pipe::written();
        let work = work.clone();
        Some(Box::new(move || {
            let accepted = tungstenite::accept_with_config(work.pipe(), Some(config));
            drop(accepted.expect("the request is valid"));
        }))
    }
}

impl Tungstenite {
    fn is_small(&self) -> bool {
        self.read_buffer < WebSocketConfig::default().read_buffer_size
    }
}

fn role(role: Role) -> protocol::Role {
    match role {
        Role::Server => protocol::Role::Server,
        Role::Client => protocol::Role::Client,
    }
}

/// tokio-tungstenite as its examples do it.
async fn echo(stream: TcpStream) -> Result<(), tungstenite::Error> {
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    while let Some(message) = socket.next().await.transpose()? {
        if !message.is_text() && !message.is_binary() {
            continue;
        }
        socket.send(message).await?;
    }
    Ok(())
}

/// tokio-tungstenite with small buffers; the answers to messages that are there are fed before one flush.
async fn batched(stream: TcpStream) -> Result<(), tungstenite::Error> {
    let config = WebSocketConfig::default().read_buffer_size(8 * 1024).write_buffer_size(8 * 1024);
    let mut socket = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await?;
    while let Some(first) = socket.next().await.transpose()? {
        let mut message = Some(first);
        while let Some(next) = message {
            if next.is_text() || next.is_binary() {
                socket.feed(next).await?;
            }
            message = socket.next().now_or_never().flatten().transpose()?;
        }
        socket.flush().await?;
    }
    Ok(())
}
