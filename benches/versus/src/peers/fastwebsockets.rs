//! fastwebsockets. Its opening handshake is hyper's.

use std::cell::RefCell;
use std::convert::Infallible;

use ::fastwebsockets::{
    FragmentCollector, Frame, OpCode, Payload, Role as TheirRole, WebSocket, WebSocketError, upgrade,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Handshaking, Peer};
use crate::echo::{Server, serve};
use crate::pipe::{Pipe, now};
use crate::rounds::Run;
use crate::work::{Decoding, Encoding, Role};

pub(crate) struct Fastwebsockets;

impl Peer for Fastwebsockets {
    fn name(&self) -> &'static str {
        "fastwebsockets"
    }

    fn configuration(&self) -> &'static str {
        "FragmentCollector; frames are written one by one; handshakes by hyper"
    }

    fn servers(&self) -> Vec<Server> {
        vec![Server { name: "fastwebsockets", run: |listener| serve(listener, accept) }]
    }

    fn decode(&self, work: &Decoding) -> Option<Run> {
        let socket = WebSocket::after_handshake(Pipe::endless(work.wire.clone()), role(work.role));
        let mut socket = FragmentCollector::new(socket);
        let (messages, expected) = (work.messages, work.expected.clone());
        Some(Box::new(move || {
            now(async {
                for _ in 0..messages {
                    let frame = socket.read_frame().await.expect("the frames are valid");
                    expected.see(&frame.payload);
                }
            });
        }))
    }

    fn encode(&self, work: &Encoding) -> Option<Run> {
        let mut socket = WebSocket::after_handshake(Pipe::sink(work.capture), role(work.role));
        let work = work.clone();
        // Frames borrow their payload for as long as the socket lives.
        let payload: &'static [u8] = Box::leak(work.payload.to_vec().into_boxed_slice());
        Some(Box::new(move || {
            now(async {
                for _ in 0..work.messages {
                    let payload = Payload::Borrowed(payload);
                    let frame =
                        if work.kind.is_text() { Frame::text(payload) } else { Frame::binary(payload) };
                    socket.write_frame(frame).await.expect("the transport takes everything");
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
                    let (response, future) = upgrade::upgrade(&mut request).expect("the request is valid");
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

fn role(role: Role) -> TheirRole {
    match role {
        Role::Server => TheirRole::Server,
        Role::Client => TheirRole::Client,
    }
}

/// As its example echo_server.rs does it.
async fn accept(stream: TcpStream) -> Result<(), hyper::Error> {
    let service = service_fn(|mut request| async move {
        let (response, future) = upgrade::upgrade(&mut request)?;
        tokio::spawn(echo(future));
        Ok::<_, WebSocketError>(response)
    });
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await
}

async fn echo(upgraded: upgrade::UpgradeFut) -> Result<(), WebSocketError> {
    let mut socket = FragmentCollector::new(upgraded.await?);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            _ => {}
        }
    }
}
