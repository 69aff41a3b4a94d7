//! wtx. It masks in place, so a client's payload is copied before each message.

use ::wtx::collection::Vector;
use ::wtx::rng::{Xorshift64, simple_seed};
use ::wtx::web_socket::{
    Frame, OpCode, WebSocketAcceptor, WebSocketBuffer, WebSocketOwned, WebSocketPayloadOrigin,
};

use tokio::net::TcpStream;

use super::{Handshaking, Peer};
use crate::echo::{Server, serve};
use crate::pipe::{Pipe, READ, now};
use crate::rounds::Run;
use crate::work::{Decoding, Encoding, Role};

pub(crate) struct Wtx;

impl Peer for Wtx {
    fn name(&self) -> &'static str {
        "wtx"
    }

    fn configuration(&self) -> &'static str {
        "feature optimization; adaptive payload origin, buffers of 64 KiB; frames are written one by one"
    }

    fn servers(&self) -> Vec<Server> {
        vec![Server { name: "wtx", run: |listener| serve(listener, echo) }]
    }

    fn decode(&self, work: &Decoding) -> Option<Run> {
        Some(match work.role {
            Role::Server => decode::<false>(work),
            Role::Client => decode::<true>(work),
        })
    }

    fn encode(&self, work: &Encoding) -> Option<Run> {
        Some(match work.role {
            Role::Server => encode::<false>(work),
            Role::Client => encode::<true>(work),
        })
    }

    fn handshake(&self, work: &Handshaking) -> Option<Run> {
        let accept = |work: &Handshaking| {
            let acceptor = WebSocketAcceptor::default().no_masking(false);
            now(acceptor.accept(work.pipe())).map(drop)
        };
        // A head that comes in more than one read is not parsed from its start.
        accept(work).ok()?;
        crate::pipe::written();
        let work = work.clone();
        Some(Box::new(move || accept(&work).expect("the request is valid")))
    }
}

fn decode<const IS_CLIENT: bool>(work: &Decoding) -> Run {
    let mut socket = socket::<IS_CLIENT>(Pipe::endless(work.wire.clone()));
    let mut buffer = Vector::new();
    let (messages, expected) = (work.messages, work.expected.clone());
    Box::new(move || {
        now(async {
            for _ in 0..messages {
                let frame = socket.read_frame(&mut buffer, WebSocketPayloadOrigin::Adaptive).await;
                expected.see(frame.expect("the frames are valid").payload());
            }
        });
    })
}

fn encode<const IS_CLIENT: bool>(work: &Encoding) -> Run {
    let mut socket = socket::<IS_CLIENT>(Pipe::sink(work.capture));
    let mut payload = work.payload.to_vec();
    let work = work.clone();
    let opcode = if work.kind.is_text() { OpCode::Text } else { OpCode::Binary };
    Box::new(move || {
        now(async {
            for _ in 0..work.messages {
                if IS_CLIENT {
                    payload.copy_from_slice(&work.payload);
                }
                let mut frame = Frame::new_fin(opcode, &mut payload[..]);
                socket.write_frame(&mut frame).await.expect("the transport takes everything");
            }
        });
    })
}

fn socket<const IS_CLIENT: bool>(pipe: Pipe) -> WebSocketOwned<(), Xorshift64, Pipe, IS_CLIENT> {
    let buffer = WebSocketBuffer::with_capacity(READ, READ, READ).expect("there is memory");
    WebSocketOwned::new((), false, Xorshift64::from(simple_seed()), pipe, buffer)
}

/// As its example web-socket-server does it.
async fn echo(stream: TcpStream) -> ::wtx::Result<()> {
    let mut socket = WebSocketAcceptor::default().no_masking(false).accept(stream).await?;
    let mut buffer = Vector::new();
    let (mut common, mut reader, mut writer) = socket.split_mut();
    loop {
        let mut frame = reader.read_frame(&mut buffer, &mut common, WebSocketPayloadOrigin::Adaptive).await?;
        match frame.op_code() {
            OpCode::Binary | OpCode::Text => writer.write_frame(&mut common, &mut frame).await?,
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}
