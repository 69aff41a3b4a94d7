//! The connect plan executed, with addresses that do what they like, under virtual time.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use sansocket::{Accept, DialError, Proxy, ServerConfig, ServerHandshake, ServerStep};
use sansocket_driver::{Connector, Error, MaybeTls, WebSocket};

use super::dialer::{Address, open, peer, set, tried};
use super::script::{Peer, Script, Stream, Woken, now, pass, poll_with, run};

type Opened = WebSocket<MaybeTls<Stream, Script>, Script>;
type Connecting = Pin<Box<dyn Future<Output = Result<Opened, Error>>>>;

const FIRST: &str = "[2001:db8::1]:80";
const SECOND: &str = "192.0.2.1:80";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A name with two addresses, which do this.
fn two(first: Address, second: Address) {
    set(
        Some(Ok(vec![address(FIRST), address(SECOND)])),
        &[(address(FIRST), first), (address(SECOND), second)],
    );
}

fn connecting(connector: Connector<Script>) -> Connecting {
    Box::pin(async move { connector.connect("ws://example.com/chat").await })
}

/// What is asked of a peer, answered as a server does.
fn answer(peer: &Peer) {
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), now());
    let mut input = BytesMut::from(&peer.taken()[..]);
    let Ok(ServerStep::Request(pending)) = handshake.receive(&mut input, now()) else {
        panic!("no request in {input:?}")
    };
    let mut connection = pending.accept(Accept::new(), now()).unwrap();
    peer.send(&super::script::output(&mut connection));
}

fn failed(connected: Poll<Result<Opened, Error>>) -> DialError {
    match connected {
        Poll::Ready(Err(Error::Dial(error))) => error,
        Poll::Ready(Err(other)) => panic!("{other}"),
        Poll::Ready(Ok(_)) => panic!("connected"),
        Poll::Pending => panic!("it still waits"),
    }
}

#[test]
fn an_address_that_does_not_answer_is_overtaken_after_the_delay() {
    super::script::reset();
    two(Address::Swallows, Address::Accepts);
    let mut connect = connecting(Connector::default());
    assert!(run(connect.as_mut()).is_pending());
    assert_eq!(tried(), [(address(FIRST), Duration::ZERO)]);
    pass(Duration::from_millis(249));
    assert!(run(connect.as_mut()).is_pending());
    assert_eq!(tried().len(), 1);
    pass(Duration::from_millis(1));
    assert!(run(connect.as_mut()).is_pending());
    assert_eq!(tried()[1..], [(address(SECOND), Duration::from_millis(250))]);
    assert_eq!(open(), 1, "the one that was slower is given up");
    answer(&peer(0));
    let Poll::Ready(Ok(socket)) = run(connect.as_mut()) else { panic!("not open") };
    let dialed = socket.dialed().unwrap();
    assert_eq!(dialed.address, address(SECOND));
    assert_eq!(dialed.elapsed, Duration::from_millis(250));
}

#[test]
fn an_address_that_refuses_is_followed_at_once() {
    super::script::reset();
    two(Address::Refuses, Address::Accepts);
    let mut connect = connecting(Connector::default());
    assert!(run(connect.as_mut()).is_pending());
    assert_eq!(tried().last(), Some(&(address(SECOND), Duration::ZERO)));
    answer(&peer(0));
    let Poll::Ready(Ok(socket)) = run(connect.as_mut()) else { panic!("not open") };
    assert_eq!(socket.dialed().unwrap().failed.len(), 1);
}

#[test]
fn the_first_of_two_that_are_under_way_wins() {
    super::script::reset();
    two(Address::AcceptsAfter(Duration::from_millis(400)), Address::AcceptsAfter(Duration::from_millis(300)));
    let mut connect = connecting(Connector::default());
    assert!(run(connect.as_mut()).is_pending());
    pass(Duration::from_millis(250));
    assert!(run(connect.as_mut()).is_pending());
    assert_eq!((tried().len(), open()), (2, 2));
    pass(Duration::from_millis(150));
    assert!(run(connect.as_mut()).is_pending());
    assert_eq!(open(), 1);
    answer(&peer(0));
    let Poll::Ready(Ok(socket)) = run(connect.as_mut()) else { panic!("not open") };
    assert_eq!(socket.dialed().unwrap().address, address(FIRST));
}

#[test]
fn nothing_stays_open_when_all_fail_or_the_time_is_over() {
    super::script::reset();
    two(Address::Refuses, Address::Refuses);
    let error = failed(run(connecting(Connector::default()).as_mut()));
    assert_eq!((error.code(), error.attempts().len(), open()), ("refused", 2, 0));

    two(Address::Swallows, Address::Swallows);
    let mut connect = connecting(Connector::default());
    for _ in 0..40 {
        assert!(run(connect.as_mut()).is_pending());
        pass(Duration::from_millis(250));
    }
    let mut polled = run(connect.as_mut());
    while polled.is_pending() {
        pass(Duration::from_millis(250));
        polled = run(connect.as_mut());
    }
    let error = failed(polled);
    assert_eq!((error.code(), error.attempts().len(), open()), ("connect-timeout", 2, 0), "{error}");

    set(None, &[]);
    let mut connector = Connector::default();
    connector.client.timeouts.connect = Some(Duration::from_secs(2));
    let mut connect = connecting(connector);
    assert!(run(connect.as_mut()).is_pending());
    assert_eq!(open(), 1, "the search");
    pass(Duration::from_secs(2));
    assert_eq!(failed(run(connect.as_mut())).code(), "overall-timeout");
    assert_eq!(open(), 0);
}

#[test]
fn what_the_resolver_says_is_kept() {
    super::script::reset();
    set(Some(Err(io::Error::other("failed to lookup address information: Name or service not known"))), &[]);
    let error = failed(run(connecting(Connector::default()).as_mut()));
    assert_eq!(error.code(), "dns-not-found", "{error}");
}

/// A connection through a proxy, whose answer and the server's come in pieces of `read_size`, polled at most `polls` times.
fn through_a_proxy(read_size: usize, polls: usize) -> Option<Opened> {
    super::script::reset();
    set(None, &[(address("127.0.0.1:3128"), Address::Accepts)]);
    let mut connector = Connector::default();
    connector.dial.proxy = "http://127.0.0.1:3128".parse::<Proxy>().unwrap().into();
    let mut connect = connecting(connector);
    let woken = Arc::new(Woken::default());
    let mut said = 0;
    for _ in 0..polls {
        if let Poll::Ready(opened) = poll_with(connect.as_mut(), &woken) {
            return Some(opened.unwrap());
        }
        if said == 0 {
            peer(0).wire().read_size = read_size;
            peer(0).wire().stutters = true;
            assert!(peer(0).taken().starts_with(b"CONNECT example.com:80 HTTP/1.1\r\n"));
            peer(0).send(b"HTTP/1.1 200 OK\r\n\r\n");
            said = 1;
        } else if said == 1 && peer(0).wire().outgoing.ends_with(b"\r\n\r\n") {
            answer(&peer(0));
            said = 2;
        }
    }
    None
}

#[test]
fn a_future_that_is_dropped_at_any_poll_leaves_nothing_open() {
    for read_size in [1, usize::MAX] {
        let mut polls = 1;
        let socket = loop {
            match through_a_proxy(read_size, polls) {
                Some(socket) => break socket,
                None => assert_eq!(open(), 0, "dropped after {polls} polls"),
            }
            polls += 1;
        };
        assert!(polls > 2, "{polls}");
        assert_eq!(open(), 1);
        drop(socket);
        assert_eq!(open(), 0);
    }
}

#[test]
fn the_time_for_a_pong_goes_by_the_interval_unless_it_is_set() {
    let secs = |seconds: u64| Some(Duration::from_secs(seconds));
    let limits = |connector: Connector<Script>| {
        (connector.client.timeouts.ping_interval, connector.client.timeouts.pong)
    };
    let new = Connector::<Script>::default;
    assert_eq!(limits(new()), (secs(20), secs(20)));
    for (interval, expected) in [(1, 5), (7, 7), (300, 20)] {
        let (interval, expected) = (secs(interval), secs(expected));
        assert_eq!(limits(new().heartbeat_interval(interval)), (interval, expected));
        let later = new().heartbeat_interval(interval).heartbeat_timeout(secs(3));
        assert_eq!(limits(later), (interval, secs(3)));
        // A clone knows that it was set, to what the interval says by chance.
        let before = new().heartbeat_timeout(secs(20)).clone().heartbeat_interval(interval);
        assert_eq!(limits(before), (interval, secs(20)));
        assert_eq!(limits(new().heartbeat_timeout(None).heartbeat_interval(interval)), (interval, None));
        let mut by_field = new();
        by_field.client.timeouts.pong = secs(3);
        assert_eq!(limits(by_field.heartbeat_interval(interval)), (interval, secs(3)));
    }
    assert_eq!(limits(new().heartbeat_interval(None)), (None, secs(20)));
}
