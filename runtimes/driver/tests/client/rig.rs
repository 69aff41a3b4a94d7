//! A network that does what a script says, below the scripted runtime: servers that refuse, hang or take a client.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BufMut, BytesMut};
use sansocket::{
    Accept, Addresses, CloseCode, Connection, Instant, Message, ServerConfig, ServerHandshake, ServerStep,
    SessionEvent, TcpOptions,
};
use sansocket_driver::{Client, ClientBuilder, Dialer, MaybeTls, Transport};

use crate::script::{Peer, Script, Stream, messages, output, pass, run, stream};

pub(crate) type TestClient = Client<Script>;

/// What becomes of TCP to an address.
#[derive(Clone, Copy)]
pub(crate) enum Tcp {
    Accepts,
    Refuses,
    Hangs,
}

thread_local! {
    static NETWORK: RefCell<HashMap<SocketAddr, Tcp>> = RefCell::default();
    /// Connected, and not yet looked at by the test.
    static CONNECTED: RefCell<VecDeque<(SocketAddr, Peer)>> = const { RefCell::new(VecDeque::new()) };
}

/// The address of the server `n`, and its URL.
pub(crate) fn address(n: u8) -> SocketAddr {
    ([192, 0, 2, n], 80).into()
}

pub(crate) fn url(n: u8) -> String {
    format!("ws://192.0.2.{n}/")
}

pub(crate) fn set(n: u8, tcp: Tcp) {
    NETWORK.with_borrow_mut(|network| network.insert(address(n), tcp));
}

impl Dialer for Script {
    type Stream = Stream;

    async fn resolve(_: String, _: u16, _: Addresses) -> io::Result<Vec<SocketAddr>> {
        Err(io::ErrorKind::NotFound.into())
    }

    async fn connect(address: SocketAddr, _: TcpOptions) -> io::Result<Stream> {
        match NETWORK.with_borrow(|network| network.get(&address).copied()).unwrap_or(Tcp::Accepts) {
            Tcp::Accepts => {
                let (stream, peer) = stream();
                CONNECTED.with_borrow_mut(|connected| connected.push_back((address, peer)));
                Ok(stream)
            }
            Tcp::Refuses => Err(io::ErrorKind::ConnectionRefused.into()),
            Tcp::Hangs => pending().await,
        }
    }
}

impl Transport<MaybeTls<Stream, Script>> for Script {
    fn prepare(_stream: &MaybeTls<Stream, Script>) {}

    fn peer(_stream: &MaybeTls<Stream, Script>) -> Option<SocketAddr> {
        None
    }

    fn poll_read(
        stream: &mut MaybeTls<Stream, Script>,
        cx: &mut Context<'_>,
        buffer: &mut impl BufMut,
    ) -> Poll<io::Result<usize>> {
        stream.poll_read(cx, buffer)
    }

    fn poll_write(
        stream: &mut MaybeTls<Stream, Script>,
        cx: &mut Context<'_>,
        data: &mut impl Buf,
    ) -> Poll<io::Result<usize>> {
        stream.poll_write(cx, data)
    }

    fn poll_flush(stream: &mut MaybeTls<Stream, Script>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        stream.poll_flush(cx)
    }

    fn poll_shutdown(stream: &mut MaybeTls<Stream, Script>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        stream.poll_shutdown(cx)
    }
}

/// A builder for so many servers.
pub(crate) fn builder(servers: u8) -> ClientBuilder<Script> {
    (1..=servers).fold(Client::builder(), |builder, n| builder.server(&url(n)).unwrap())
}

/// All events until the client has to wait, or has ended.
pub(crate) fn events(client: &mut TestClient) -> Vec<SessionEvent> {
    let mut events = Vec::new();
    while let Poll::Ready(Some(event)) = run(pin!(client.next())) {
        events.push(event);
    }
    events
}

/// As [`events`], after time has passed.
pub(crate) fn later(client: &mut TestClient, time: Duration) -> Vec<SessionEvent> {
    pass(time);
    events(client)
}

/// Lets pass the time until the next attempt that `events` end with.
pub(crate) fn next_attempt(client: &mut TestClient, events: &[SessionEvent]) -> Vec<SessionEvent> {
    let Some(SessionEvent::Reconnecting(next)) = events.last() else { panic!("{events:?}") };
    later(client, next.delay)
}

/// The names of events, for whole sequences at a glance.
pub(crate) fn names<'a>(events: impl IntoIterator<Item = &'a SessionEvent>) -> Vec<&'static str> {
    let name = |event: &SessionEvent| match event {
        SessionEvent::Connected(_) => "connected",
        SessionEvent::Disconnected(_) => "disconnected",
        SessionEvent::Reconnecting(_) => "reconnecting",
        SessionEvent::Reconnected(_) => "reconnected",
        SessionEvent::Message(_) => "message",
        SessionEvent::Heartbeat { .. } => "heartbeat",
        SessionEvent::Dropped(_) => "dropped",
        SessionEvent::GaveUp(_) => "gave up",
        SessionEvent::Closed(_) => "closed",
        other => panic!("{other:?}"),
    };
    events.into_iter().map(name).collect()
}

/// A server's end of a connection.
pub(crate) struct Server {
    pub(crate) peer: Peer,
    pub(crate) address: SocketAddr,
    connection: Connection,
}

/// The next client that waits on the network, with what it has written.
pub(crate) fn accept_tcp() -> (SocketAddr, Peer) {
    CONNECTED.with_borrow_mut(VecDeque::pop_front).expect("a client has connected")
}

/// Answers the opening handshake of the client that waits.
pub(crate) fn accept() -> Server {
    let (address, peer) = accept_tcp();
    let config = ServerConfig::default();
    let mut handshake = ServerHandshake::new(&config, Instant::ZERO);
    let mut input = BytesMut::from(&peer.taken()[..]);
    let Ok(ServerStep::Request(pending)) = handshake.receive(&mut input, Instant::ZERO) else {
        panic!("no whole request")
    };
    let mut connection = pending.accept(Accept::new(), Instant::ZERO).unwrap();
    peer.send(&output(&mut connection));
    Server { peer, address, connection }
}

/// Refuses the opening handshake of the client that waits.
pub(crate) fn reject(status: u16, field: &str) {
    let (_, peer) = accept_tcp();
    peer.send(format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n{field}\r\n\r\n").as_bytes());
    peer.end(Ok(()));
}

impl Server {
    /// The messages that came since the last call, as text.
    pub(crate) fn received(&mut self) -> Vec<String> {
        let taken = self.peer.taken();
        let received = messages(&mut self.connection, &taken);
        // Answers to Pings and Close frames.
        self.flush();
        received.into_iter().map(|message| String::from_utf8(message).unwrap()).collect()
    }

    pub(crate) fn send(&mut self, message: &str) {
        self.connection.send(Message::from(message)).unwrap();
        self.flush();
    }

    pub(crate) fn close(&mut self, code: CloseCode) {
        self.connection.close(code, "").unwrap();
        self.flush();
    }

    /// The code of the client's Close frame, if it has come.
    pub(crate) fn close_code(&mut self) -> Option<CloseCode> {
        self.connection.eof();
        let mut input = BytesMut::new();
        let mut reader = self.connection.read(&mut input);
        while let Some(event) = reader.next() {
            if let sansocket::Event::Closed(closed) = event {
                return closed.received.map(|frame| frame.code());
            }
        }
        None
    }

    /// The process is gone: TCP ends, without a Close frame.
    pub(crate) fn kill(&self) {
        self.peer.wire().write_error = Some(io::ErrorKind::BrokenPipe);
        self.peer.end(Err(io::ErrorKind::ConnectionReset.into()));
    }

    fn flush(&mut self) {
        let bytes = output(&mut self.connection);
        self.peer.send(&bytes);
    }
}

/// A client that is connected, and the server's end.
pub(crate) fn connected(builder: ClientBuilder<Script>) -> (TestClient, Server) {
    let mut client = builder.build().unwrap();
    assert!(events(&mut client).is_empty());
    let server = accept();
    assert_eq!(names(&events(&mut client)), ["connected"]);
    (client, server)
}
