//! The tests that every adapter passes, over loopback TCP. Each adapter includes this file beside a module `runtime` that
//! names its own types; raw peers are plain threads.

#[cfg(feature = "tls")]
pub(crate) mod certificates;
#[cfg(feature = "deflate")]
pub(crate) mod compression;
pub(crate) mod connecting;
pub(crate) mod proxy;
#[cfg(feature = "tls")]
pub(crate) mod secure;
#[cfg(feature = "tls")]
mod secure_faults;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream as RawStream};
use std::thread;
use std::time::Duration;

use super::runtime::{self, TcpListener, adapter, run, spawn};
use adapter::{
    Accept, Cause, ClientConfig, ClientRequest, CloseCode, Error, MaybeTls, Message, Reject, ServerConfig,
    WebSocket, accept, accept_with, client, connect, connect_with, receive_request, sansocket,
};

pub(crate) const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A listener on a free port, and its address.
pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// An echo server for as many connections as come.
pub(crate) async fn echo_server() -> String {
    let (listener, address) = listen().await;
    spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            spawn(async move {
                let mut socket = accept(stream).await?;
                while let Some(message) = socket.recv().await? {
                    socket.send(message).await?;
                }
                Ok::<(), Error>(())
            });
        }
    });
    format!("ws://{address}")
}

/// Both ends of a connection.
pub(crate) async fn pair() -> (WebSocket, WebSocket) {
    let (listener, address) = listen().await;
    let server = spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        accept(MaybeTls::plain(stream)).await.unwrap()
    });
    let client = connect(&format!("ws://{address}")).await.unwrap();
    (runtime::join(server).await, client)
}

/// What a server makes of a raw peer that sends `bytes`, and what the peer gets back.
async fn raw_peer(bytes: &'static [u8], config: ServerConfig) -> (Error, Vec<u8>) {
    let (listener, address) = listen().await;
    let peer = thread::spawn(move || {
        let mut stream = RawStream::connect(address).unwrap();
        stream.write_all(bytes).unwrap();
        if bytes.is_empty() {
            stream.shutdown(Shutdown::Both).unwrap();
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    });
    let (stream, _) = listener.accept().await.unwrap();
    let Err(error) = accept_with(stream, &config, |_| Ok(Accept::new())).await else { panic!("accepted") };
    (error, peer.join().unwrap())
}

#[test]
fn echoes_messages_of_every_size() {
    run(async {
        let mut socket = connect(&echo_server().await).await.unwrap();
        for len in [0, 1, 125, 126, 65_535, 65_536, 1_000_000, 16 * 1024 * 1024] {
            let binary = Message::from(vec![b'x'; len]);
            socket.send(binary.clone()).await.unwrap();
            assert_eq!(socket.recv().await.unwrap(), Some(binary), "{len} bytes");
            let text = Message::from("é".repeat(len / 2));
            socket.send(text.clone()).await.unwrap();
            assert_eq!(socket.recv().await.unwrap(), Some(text), "{len} bytes");
        }
        let closed = socket.close(CloseCode::NORMAL, "done").await.unwrap();
        assert!(closed.is_clean(), "{closed}");
        assert_eq!(closed.counts.messages_sent, 16);
        assert_eq!(closed.counts.messages_received, 16);
    });
}

#[test]
fn many_connections_at_once() {
    run(async {
        let url = echo_server().await;
        let mut tasks = Vec::new();
        for i in 0..100 {
            let url = url.clone();
            tasks.push(spawn(async move {
                let mut socket = connect(&url).await.unwrap();
                for j in 0..10 {
                    let message = Message::from(format!("{i} {j}"));
                    socket.send(message.clone()).await.unwrap();
                    assert_eq!(socket.recv().await.unwrap(), Some(message));
                }
                assert!(socket.close(CloseCode::NORMAL, "").await.unwrap().is_clean());
            }));
        }
        for task in tasks {
            runtime::join(task).await;
        }
    });
}

#[test]
fn the_server_sees_the_request_and_chooses_a_subprotocol() {
    run(async {
        let (listener, address) = listen().await;
        let server = spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let config = ServerConfig::default();
            let socket = accept_with(stream, &config, |request| {
                assert_eq!(request.target(), "/chat?room=1");
                assert_eq!(request.field("X-Token"), Some(&b"secret"[..]));
                let chosen = request.subprotocols().find(|offered| *offered == "v2.chat");
                Ok(Accept::new().subprotocol(chosen.unwrap()).field("X-Node", "7").unwrap())
            });
            socket.await.unwrap().subprotocol().map(str::to_owned)
        });
        let request = ClientRequest::new(&format!("ws://{address}/chat?room=1")).unwrap();
        let request = request.subprotocol("v1.chat").unwrap().subprotocol("v2.chat").unwrap();
        let request = request.field("X-Token", "secret").unwrap();
        let socket = connect_with(&request, &ClientConfig::default()).await.unwrap();
        assert_eq!(socket.subprotocol(), Some("v2.chat"));
        assert_eq!(socket.response().unwrap().field("X-Node"), Some(&b"7"[..]));
        assert_eq!(runtime::join(server).await.as_deref(), Some("v2.chat"));
    });
}

#[test]
fn a_refusal_reaches_the_client() {
    run(async {
        let (listener, address) = listen().await;
        let server = spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            accept_with(stream, &ServerConfig::default(), |_| Err(Reject::new(404))).await.err().unwrap()
        });
        let error = connect(&format!("ws://{address}/nowhere")).await.err().unwrap();
        assert_eq!(error.handshake().unwrap().status(), Some(404), "{error}");
        assert!(error.to_string().contains("404"), "{error}");
        let error = runtime::join(server).await;
        assert!(error.to_string().contains("404"), "{error}");
    });
}

#[test]
fn a_decision_may_take_its_time() {
    run(async {
        let (listener, address) = listen().await;
        let server = spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let incoming = receive_request(stream, &ServerConfig::default()).await.unwrap();
            assert_eq!(incoming.request().target(), "/slow");
            runtime::sleep(Duration::from_millis(50)).await;
            incoming.accept(Accept::new()).await.unwrap().recv().await.unwrap()
        });
        let mut socket = connect(&format!("ws://{address}/slow")).await.unwrap();
        socket.send("thanks").await.unwrap();
        assert_eq!(runtime::join(server).await, Some(Message::from("thanks")));
    });
}

#[test]
fn a_refused_peer_gets_the_whole_answer_although_its_input_is_unread() {
    // The head lacks a key, and far more than one read follows it.
    static REQUEST: [u8; 400_000] = {
        let head = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n";
        let mut request = [b'x'; 400_000];
        let mut i = 0;
        while i < head.len() {
            request[i] = head[i];
            i += 1;
        }
        request
    };
    run(async {
        let (error, answer) = raw_peer(&REQUEST, ServerConfig::default()).await;
        assert!(error.to_string().contains("Sec-WebSocket-Key"), "{error}");
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("Sec-WebSocket-Key"), "{answer}");
    });
}

#[test]
fn hanging_up_without_a_byte_and_inside_the_head_are_told_apart() {
    run(async {
        let (nothing, answer) = raw_peer(b"", ServerConfig::default()).await;
        assert!(answer.is_empty());
        let (listener, address) = listen().await;
        let peer = thread::spawn(move || {
            let mut stream = RawStream::connect(address).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap();
        });
        let (stream, _) = listener.accept().await.unwrap();
        let half = accept(stream).await.err().unwrap();
        peer.join().unwrap();
        let codes = [nothing, half].map(|error| match error {
            Error::Handshake { error, .. } => error.code(),
            other => panic!("{other}"),
        });
        assert_eq!(codes, ["closed-before-first-byte", "closed-inside-head"]);
    });
}

#[test]
fn a_silent_peer_is_given_up_and_a_slow_one_is_told() {
    run(async {
        let mut config = ServerConfig::default();
        config.timeouts.handshake = Some(Duration::from_millis(500));
        let (error, answer) = raw_peer(b"GET / HTTP/1.1\r\n", config).await;
        assert!(matches!(error, Error::Handshake { .. }), "{error}");
        assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    });
}

#[test]
fn connecting_takes_no_longer_than_its_limit() {
    run(async {
        // A listener that nobody accepts from: TCP connects, and then nothing comes.
        let (_listener, address) = listen().await;
        let mut config = ClientConfig::default();
        config.timeouts.connect = Some(Duration::from_millis(500));
        let request = ClientRequest::new(&format!("ws://{address}")).unwrap();
        let error = connect_with(&request, &config).await.err().unwrap();
        // TCP stood, so it is the handshake that says how far it came.
        assert_eq!(error.handshake().unwrap().code(), "timed-out", "{error}");
    });
}

#[test]
fn client_takes_a_connected_stream() {
    run(async {
        let url = echo_server().await;
        let address = url.trim_start_matches("ws://").parse().unwrap();
        let stream = runtime::connect_tcp(address).await.unwrap();
        let request = ClientRequest::new("ws://some.name/").unwrap();
        let mut socket = client(stream, &request, &ClientConfig::default()).await.unwrap();
        socket.send("hello").await.unwrap();
        assert_eq!(socket.recv().await.unwrap(), Some(Message::from("hello")));
    });
}

#[test]
fn halves_in_two_tasks() {
    run(async {
        let (server, client) = pair().await;
        let mut writers = Vec::new();
        let mut readers = Vec::new();
        for socket in [server, client] {
            let (mut reading, writing) = socket.split();
            let other = writing.clone();
            for (name, writing) in [("a", writing), ("b", other)] {
                writers.push(spawn(async move {
                    for i in 0..500 {
                        writing.send(format!("{name} {i} {}", "x".repeat(i * 10))).await.unwrap();
                    }
                    // The last message of each; the connection closes when both sides have all.
                    writing.send(format!("{name} end")).await.unwrap();
                }));
            }
            readers.push(spawn(async move {
                let mut next = [0, 0];
                let mut ended = 0;
                while ended < 2 {
                    let message = reading.recv().await.unwrap().unwrap();
                    let mut words = message.as_text().unwrap().split(' ');
                    let counter = &mut next[usize::from(words.next() == Some("b"))];
                    match words.next().unwrap().parse::<usize>() {
                        Ok(i) => {
                            assert_eq!(i, *counter, "the messages of one writer keep their order");
                            *counter += 1;
                        }
                        Err(_) => ended += 1,
                    }
                }
                assert_eq!(next, [500, 500]);
                // Without its reader a connection ends, and its writers may not be done.
                reading
            }));
        }
        for writer in writers {
            runtime::join(writer).await;
        }
        for reader in readers {
            runtime::join(reader).await;
        }
    });
}

#[test]
fn both_ends_close_at_once() {
    run(async {
        let (mut server, mut client) = pair().await;
        let server = spawn(async move { server.close(CloseCode::GOING_AWAY, "").await.unwrap() });
        let client = client.close(CloseCode::NORMAL, "").await.unwrap();
        let server = runtime::join(server).await;
        assert!(client.is_clean() && server.is_clean(), "{client} / {server}");
    });
}

#[test]
fn a_peer_that_vanishes_is_an_error_and_one_that_closes_or_drops_is_not() {
    run(async {
        let (listener, address) = listen().await;
        let peer = thread::spawn(move || {
            let mut stream = RawStream::connect(address).unwrap();
            stream.write_all(REQUEST).unwrap();
            let _ = stream.read(&mut [0; 1024]);
        });
        let (stream, _) = listener.accept().await.unwrap();
        let error = accept(stream).await.unwrap().recv().await.unwrap_err();
        peer.join().unwrap();
        let Error::Closed { closed, .. } = &error else { panic!("{error}") };
        assert!(matches!(closed.cause, Cause::Eof(_) | Cause::Transport(_)), "{error}");

        let (mut server, client) = pair().await;
        drop(client);
        assert_eq!(server.recv().await.unwrap(), None);
        assert_eq!(server.closed().unwrap().received.unwrap().code(), CloseCode::GOING_AWAY);

        let (mut server, mut client) = pair().await;
        let task = spawn(async move { server.recv().await.unwrap() });
        client.close(CloseCode(4000), "enough").await.unwrap();
        assert_eq!(runtime::join(task).await, None);
    });
}

#[test]
fn keepalive_finds_a_peer_that_has_gone_silent() {
    run(async {
        let (listener, address) = listen().await;
        let server = spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut config = ServerConfig::default();
            config.timeouts.ping_interval = Some(Duration::from_millis(50));
            config.timeouts.pong = Some(Duration::from_millis(50));
            config.timeouts.close = Duration::from_millis(50);
            let mut socket = accept_with(stream, &config, |_| Ok(Accept::new())).await.unwrap();
            socket.recv().await.unwrap_err()
        });
        // A client that opens a connection and is then never polled again.
        let silent = connect(&format!("ws://{address}")).await.unwrap();
        let error = runtime::join(server).await;
        assert!(
            matches!(&error, Error::Closed { closed, .. } if closed.cause == Cause::PongTimeout),
            "{error}"
        );
        drop(silent);
    });
}

#[test]
fn small_writes_are_not_delayed() {
    run(async {
        let (listener, address) = listen().await;
        let stream = runtime::connect_tcp(address).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        for stream in [&stream, &accepted] {
            runtime::prepare(stream);
            assert!(stream.nodelay().unwrap());
        }
        // And what was sent in several steps arrives without waiting for acknowledgements.
        let server = spawn(async move {
            let mut socket = accept(accepted).await.unwrap();
            for i in 0..3 {
                socket.send(format!("{i}")).await.unwrap();
            }
            socket.close(CloseCode::NORMAL, "").await.unwrap();
        });
        let request = ClientRequest::new("ws://h/").unwrap();
        let mut socket = client(stream, &request, &ClientConfig::default()).await.unwrap();
        for i in 0..3 {
            assert_eq!(socket.recv().await.unwrap(), Some(Message::from(format!("{i}"))));
        }
        assert_eq!(socket.recv().await.unwrap(), None);
        runtime::join(server).await;
    });
}

#[test]
fn the_core_is_at_hand() {
    // One line in a manifest is enough: all of the core can be reached through the adapter.
    assert_eq!(sansocket::Role::Client.peer(), sansocket::Role::Server);
}
