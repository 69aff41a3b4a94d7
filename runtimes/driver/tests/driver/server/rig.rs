//! A server over a listener that does what a test says, under virtual time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::task::Poll;

use sansocket::CloseCode;
use sansocket_driver::{Error, Listen, Server, ServerBuilder, ServerHandle};

use crate::script::{Peer, Script, Stream, client, done, output, reset, run_spawned, stream};

thread_local! {
    static ARRIVING: RefCell<VecDeque<io::Result<(Stream, SocketAddr)>>> = RefCell::default();
    /// Calls of `accept` that found nothing or an error.
    static ASKED: RefCell<usize> = const { RefCell::new(0) };
}

impl Listen for Script {
    type Listener = SocketAddr;

    async fn listen(address: SocketAddr) -> io::Result<SocketAddr> {
        match address.port() {
            80 => Err(io::ErrorKind::PermissionDenied.into()),
            _ => Ok(address),
        }
    }

    fn local_address(listener: &SocketAddr) -> io::Result<SocketAddr> {
        Ok(*listener)
    }

    fn accept(_: &mut SocketAddr) -> impl Future<Output = io::Result<(Stream, SocketAddr)>> + Send {
        poll_fn(|_| {
            let next = ARRIVING.with_borrow_mut(VecDeque::pop_front);
            if !matches!(next, Some(Ok(_))) {
                ASKED.with_borrow_mut(|asked| *asked += 1);
            }
            next.map_or(Poll::Pending, Poll::Ready)
        })
    }
}

pub(crate) const REQUEST: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Origin: https://example.com\r\nSec-WebSocket-Protocol: v1, v2\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

pub(crate) fn options() -> ServerBuilder<Script> {
    reset();
    ARRIVING.take();
    ASKED.set(0);
    Server::bind("192.0.2.100:4000")
}

/// Starts a server that echoes.
pub(crate) fn echo(options: ServerBuilder<Script>) -> ServerHandle {
    let server = options.on_connection(|mut socket, _| async move {
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        Ok::<(), Error>(())
    });
    done(server.start()).unwrap()
}

/// A client that connects, with an address that ends so.
pub(crate) fn connect(address: u8) -> Peer {
    let (stream, peer) = stream();
    next_accept(Ok((stream, ([192, 0, 2, address], 5000).into())));
    turns();
    peer
}

pub(crate) fn open(address: u8) -> Peer {
    let peer = connect(address);
    peer.send(REQUEST);
    turns();
    let answer = text(&peer);
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    peer
}

/// A client that asks, and what it is answered.
pub(crate) fn ask(address: u8, request: &[u8]) -> String {
    let peer = connect(address);
    peer.send(request);
    turns();
    peer.end(Ok(()));
    turns();
    text(&peer)
}

pub(crate) fn text(peer: &Peer) -> String {
    String::from_utf8_lossy(&peer.taken()).into_owned()
}

/// Checks that an answer is a refusal with this sentence, after which to come again in five seconds.
#[track_caller]
pub(crate) fn assert_refused(answer: &str, why: &str) {
    assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
    assert!(answer.contains("\r\nRetry-After: 5\r\n"), "{answer}");
    assert!(answer.ends_with(&format!("\r\n\r\n{why}\n")), "{answer}");
}

/// The code of the Close frame that a peer got after nothing else.
pub(crate) fn close_code(peer: &Peer) -> u16 {
    let frame = peer.taken();
    assert_eq!(frame[0], 0x88, "a Close frame: {frame:?}");
    u16::from_be_bytes([frame[2], frame[3]])
}

/// The Close frame of a client.
pub(crate) fn closing(code: CloseCode) -> Vec<u8> {
    let mut client = client();
    client.close(code, "").unwrap();
    output(&mut client)
}

/// Puts what `accept` is to say in the queue.
pub(crate) fn next_accept(accepted: io::Result<(Stream, SocketAddr)>) {
    ARRIVING.with_borrow_mut(|all| all.push_back(accepted));
}

/// Lets all tasks go as far as they come.
pub(crate) fn turns() {
    (0..6).for_each(|_| run_spawned());
}

pub(crate) fn asked() -> usize {
    ASKED.with_borrow(|asked| *asked)
}
