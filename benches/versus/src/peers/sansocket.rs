//! sansocket's core, driven as its documentation says and its driver does it.

use bytes::{BufMut, Bytes, BytesMut};
use sansocket::{
    Accept, ClientConfig, Connection, DeflateConfig, DeflateParams, Entropy, Event, Instant, Message,
    Prepared, ServerConfig, ServerHandshake, ServerStep,
};
use tokio::net::TcpStream;

use super::{Handshaking, Peer};
use crate::deflate::Deflating;
use crate::echo::{Server, serve_prepared};
use crate::pipe::{Pipe, READ, copy, read_at_most, read_into, write_out};
use crate::rounds::Run;
use crate::work::{Decoding, Encoding, Role};

pub(crate) struct Sansocket;

/// As the others are: none of them asks whether a client is still there.
const NO_KEEPALIVE: &str = "(sansocket, without keepalive)";

/// It sets `TCP_NODELAY` itself.
const AS_IT_IS: fn(&TcpStream) = |_| ();

impl Peer for Sansocket {
    fn name(&self) -> &'static str {
        "sansocket"
    }

    fn configuration(&self) -> &'static str {
        "the core, default configuration; reads into one block of 64 KiB, or straight into a large message, as much at a time as the core asks for; sends small messages borrowed, large binary ones shared, large text as `Prepared`"
    }

    fn inflate(&self, work: &Deflating) -> Option<Run> {
        let mut connection = compressing(work);
        let mut input = BytesMut::with_capacity(READ);
        let mut pipe = Pipe::endless(work.wire.clone());
        let work = work.clone();
        Some(Box::new(move || {
            let mut seen = 0;
            while seen < work.messages.len() {
                assert!(input.try_reclaim(READ));
                read_into(&mut pipe, &mut input);
                let mut reader = connection.read(&mut input);
                while let Some(event) = reader.next() {
                    let Event::Text(text) = event else { panic!("not text: {event:?}") };
                    work.see(seen, text.as_bytes());
                    seen += 1;
                }
            }
        }))
    }

    fn deflate(&self, work: &Deflating) -> Option<Run> {
        let mut connection = compressing(work);
        let mut pipe = Pipe::sink(work.capture);
        let work = work.clone();
        Some(Box::new(move || {
            for message in &*work.messages {
                connection.send_text(message).expect("the queue has room");
            }
            write_out(&mut pipe, &mut connection.transmit());
        }))
    }

    fn servers(&self) -> Vec<Server> {
        vec![
            Server { name: "sansocket", run: |listener| serve_prepared(listener, AS_IT_IS, echo) },
            Server {
                name: NO_KEEPALIVE,
                run: |listener| serve_prepared(listener, AS_IT_IS, echo_without_keepalive),
            },
        ]
    }

    fn decode(&self, work: &Decoding) -> Option<Run> {
        let mut connection = connection(work.role);
        let mut input = BytesMut::with_capacity(READ);
        let mut pipe = Pipe::endless(work.wire.clone());
        let (messages, expected) = (work.messages, work.expected.clone());
        Some(Box::new(move || {
            let mut seen = 0;
            while seen < messages {
                match connection.payload_buffer() {
                    Some(buffer) => {
                        let room = buffer.remaining_mut();
                        let message = buffer.into_inner();
                        copy(pipe.next(room), |piece| message.extend_from_slice(piece));
                    }
                    None => {
                        assert!(input.try_reclaim(READ));
                        read_at_most(&mut pipe, &mut input, connection.read_at_most());
                    }
                }
                let mut reader = connection.read(&mut input);
                while let Some(event) = reader.next() {
                    match event {
                        Event::Text(text) => expected.see(text.as_bytes()),
                        Event::Binary(bytes) => expected.see(&bytes),
                        other => panic!("not a message: {other:?}"),
                    }
                    seen += 1;
                }
            }
            assert_eq!(seen, messages);
        }))
    }

    fn encode(&self, work: &Encoding) -> Option<Run> {
        let mut connection = connection(work.role);
        let mut pipe = Pipe::sink(work.capture);
        let work = work.clone();
        let shared = Bytes::copy_from_slice(&work.payload);
        let prepared = Prepared::new(&*work.text);
        Some(Box::new(move || {
            for _ in 0..work.messages {
                if work.kind.is_text() && shared.len() <= 1024 {
                    connection.send_text(&work.text).expect("the queue has room");
                } else if work.kind.is_text() {
                    connection.send_prepared(&prepared).expect("the queue has room");
                } else if shared.len() <= 1024 {
                    connection.send_binary(&shared).expect("the queue has room");
                } else {
                    connection.send(Message::Binary(shared.clone())).expect("the queue has room");
                }
            }
            write_out(&mut pipe, &mut connection.transmit());
        }))
    }

    fn handshake(&self, work: &Handshaking) -> Option<Run> {
        let work = work.clone();
        let mut input = BytesMut::with_capacity(READ);
        Some(Box::new(move || {
            let mut pipe = work.pipe();
            let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
            loop {
                assert!(input.try_reclaim(READ));
                read_into(&mut pipe, &mut input);
                match handshake.receive(&mut input, Instant::ZERO).expect("the request is valid") {
                    ServerStep::NeedMore | ServerStep::Http(_) => {}
                    ServerStep::Request(pending) => {
                        let mut connection =
                            pending.accept(Accept::new(), Instant::ZERO).expect("nothing is agreed");
                        write_out(&mut pipe, &mut connection.transmit());
                        return;
                    }
                }
            }
        }))
    }
}

fn compressing(work: &Deflating) -> Connection {
    let mut config = DeflateConfig::default();
    // As much memory as everybody takes; its own default is less.
    (config.level, config.mem_level) = (work.level, 8);
    let mut params = DeflateParams::default();
    (params.server_no_context_takeover, params.client_no_context_takeover) = (!work.takeover, !work.takeover);
    connection(Role::Server).with_deflate(&config, params)
}

fn connection(role: Role) -> Connection {
    match role {
        Role::Server => Connection::server(&ServerConfig::default(), Instant::ZERO),
        Role::Client => {
            Connection::client(&ClientConfig::default(), Entropy::from_seed([7; 32]), Instant::ZERO)
        }
    }
}

/// As the documentation of sansocket-tokio does it; nothing is tuned.
async fn echo(stream: TcpStream) -> Result<(), sansocket_tokio::Error> {
    let mut socket = sansocket_tokio::accept(stream).await?;
    talk(&mut socket).await
}

async fn echo_without_keepalive(stream: TcpStream) -> Result<(), sansocket_tokio::Error> {
    let mut config = ServerConfig::default();
    config.timeouts.ping_interval = None;
    let mut socket = sansocket_tokio::accept_with(stream, &config, |_| Ok(Accept::new())).await?;
    // It would be part of the task for all of its life.
    drop(config);
    talk(&mut socket).await
}

async fn talk(socket: &mut sansocket_tokio::WebSocket<TcpStream>) -> Result<(), sansocket_tokio::Error> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}
