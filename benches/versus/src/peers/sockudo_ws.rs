//! sockudo-ws: the protocol that its streams are made of, driven as they do it.

use ::sockudo_ws::deflate::DeflateConfig;
use ::sockudo_ws::handshake::server_handshake;
use ::sockudo_ws::protocol::{CompressedProtocol, Protocol, Role as TheirRole};
use ::sockudo_ws::{Config, Error, Message, WebSocketStream};
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;

use super::{Handshaking, Peer};
use crate::deflate::Deflating;
use crate::echo::{Server, serve};
use crate::pipe::{Pipe, READ, now, read_into, write_out};
use crate::rounds::Run;
use crate::work::{Decoding, Encoding, Role};

pub(crate) struct SockudoWs;

impl Peer for SockudoWs {
    fn name(&self) -> &'static str {
        "sockudo-ws"
    }

    fn configuration(&self) -> &'static str {
        "Protocol::process_into and encode_message on buffers of 64 KiB, which the caller reads and writes"
    }

    fn inflate(&self, work: &Deflating) -> Option<Run> {
        let mut protocol = compressing(work);
        let mut pipe = Pipe::endless(work.wire.clone());
        let mut input = BytesMut::with_capacity(READ);
        let mut received = Vec::new();
        let work = work.clone();
        Some(Box::new(move || {
            let mut seen = 0;
            while seen < work.messages.len() {
                input.reserve(READ);
                read_into(&mut pipe, &mut input);
                protocol.process_into(&mut input, &mut received).expect("the frames are valid");
                for message in received.drain(..) {
                    work.see(seen, message.as_bytes());
                    seen += 1;
                }
            }
        }))
    }

    fn deflate(&self, work: &Deflating) -> Option<Run> {
        let mut protocol = compressing(work);
        let mut pipe = Pipe::sink(work.capture);
        let messages: Vec<Message> =
            work.messages.iter().map(|text| Message::Text(Bytes::copy_from_slice(text.as_bytes()))).collect();
        let mut output = BytesMut::with_capacity(READ);
        Some(Box::new(move || {
            for message in &messages {
                protocol.encode_message(message, &mut output).expect("the message is valid");
            }
            write_out(&mut pipe, &mut &output[..]);
            output.clear();
        }))
    }

    fn servers(&self) -> Vec<Server> {
        vec![
            Server { name: "sockudo-ws", run: |listener| serve(listener, echo) },
            Server { name: "sockudo-ws, batched", run: |listener| serve(listener, batched) },
        ]
    }

    fn decode(&self, work: &Decoding) -> Option<Run> {
        let mut protocol = protocol(work.role);
        let mut pipe = Pipe::endless(work.wire.clone());
        let mut input = BytesMut::with_capacity(READ);
        let mut received = Vec::new();
        let (messages, expected) = (work.messages, work.expected.clone());
        Some(Box::new(move || {
            let mut seen = 0;
            while seen < messages {
                input.reserve(READ);
                read_into(&mut pipe, &mut input);
                protocol.process_into(&mut input, &mut received).expect("the frames are valid");
                for message in received.drain(..) {
                    expected.see(message.as_bytes());
                    seen += 1;
                }
            }
            assert_eq!(seen, messages);
        }))
    }

    fn encode(&self, work: &Encoding) -> Option<Run> {
        let mut protocol = protocol(work.role);
        let mut pipe = Pipe::sink(work.capture);
        let payload = Bytes::copy_from_slice(&work.payload);
        let message = if work.kind.is_text() { Message::Text(payload) } else { Message::Binary(payload) };
        let mut output = BytesMut::with_capacity(READ);
        let messages = work.messages;
        Some(Box::new(move || {
            for _ in 0..messages {
                protocol.encode_message(&message, &mut output).expect("the message is valid");
            }
            write_out(&mut pipe, &mut &output[..]);
            output.clear();
        }))
    }

    fn handshake(&self, work: &Handshaking) -> Option<Run> {
        let work = work.clone();
        Some(Box::new(move || {
            let mut pipe = work.pipe();
            drop(now(server_handshake(&mut pipe)).expect("the request is valid"));
        }))
    }
}

fn protocol(role: Role) -> Protocol {
    let role = match role {
        Role::Server => TheirRole::Server,
        Role::Client => TheirRole::Client,
    };
    const LIMIT: usize = 16 * 1024 * 1024;
    Protocol::new(role, LIMIT, LIMIT)
}

/// As its README does it.
async fn echo(mut stream: TcpStream) -> Result<(), Error> {
    server_handshake(&mut stream).await?;
    let mut socket = WebSocketStream::server(stream, Config::default());
    while let Some(message) = socket.next().await.transpose()? {
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

/// The answers to messages that are there are fed before one flush, as its documentation advises.
async fn batched(mut stream: TcpStream) -> Result<(), Error> {
    server_handshake(&mut stream).await?;
    let mut socket = WebSocketStream::server(stream, Config::default());
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

fn compressing(work: &Deflating) -> CompressedProtocol {
    const LIMIT: usize = 16 * 1024 * 1024;
    let config = DeflateConfig {
        server_no_context_takeover: !work.takeover,
        client_no_context_takeover: !work.takeover,
        compression_level: work.level.into(),
        ..DeflateConfig::default()
    };
    CompressedProtocol::server(LIMIT, LIMIT, config)
}
