//! Decisions that take their time: what they wait for, and what ends the wait.

use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use sansocket::{Accept, CloseCode, Origins, Reject};
use sansocket_driver::{ConnectionInfo, ServerBuilder};

use super::rig::{
    REQUEST, ask, assert_refused, close_code, closing, connect, echo, open, options, text, turns,
};
use crate::script::{Peer, Script, client, done, messages, output, pass};

/// A look-up that is answered when the test wants it.
#[derive(Clone, Default)]
struct LookUp {
    answer: Arc<Mutex<Option<&'static str>>>,
    begun: Arc<AtomicUsize>,
    waiting: Arc<AtomicUsize>,
}

struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl LookUp {
    fn answer(&self, answer: &'static str) {
        *self.answer.lock().unwrap() = Some(answer);
        turns();
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    async fn decide(self, info: ConnectionInfo) -> Result<Accept, Reject> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(Arc::clone(&self.waiting));
        let answer = || *self.answer.lock().unwrap();
        match poll_fn(|_| answer().map_or(Poll::Pending, Poll::Ready)).await {
            "yes" => Ok(Accept::new().field("X-Peer", info.peer_address.to_string()).unwrap()),
            "no" => Err(Reject::unauthorized("Bearer").unwrap()),
            other => panic!("a look-up that panics: {other}"),
        }
    }

    fn options(&self) -> ServerBuilder<Script> {
        let this = self.clone();
        options().decide_async(move |info| this.clone().decide(info))
    }
}

/// A client that has asked.
fn asks(address: u8) -> Peer {
    let peer = connect(address);
    peer.send(REQUEST);
    turns();
    peer
}

#[test]
fn an_answer_is_given_when_the_decision_has_come() {
    let look_up = LookUp::default();
    let server = echo(look_up.options().subprotocol("v2"));
    let peer = asks(1);
    assert_eq!((look_up.waiting(), text(&peer)), (1, String::new()));
    let counts = server.counts();
    assert_eq!((counts.open, counts.handshaking), (1, 0), "it has its place meanwhile");
    look_up.answer("yes");
    let answer = text(&peer);
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(answer.contains("\r\nSec-WebSocket-Protocol: v2\r\n"), "{answer}");
    assert!(answer.contains("\r\nX-Peer: 192.0.2.1:5000\r\n"), "{answer}");
    look_up.answer("no");
    let refused = asks(2);
    let answer = text(&refused);
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("\r\nWWW-Authenticate: Bearer\r\n"));
    let counts = server.counts();
    assert_eq!((counts.open, counts.handshaking), (1, 1), "while it is told, its place is free for others");
}

#[test]
fn nothing_is_looked_up_for_who_is_refused_anyway() {
    let look_up = LookUp::default();
    let origins = Origins::new().allow("https://example.com").unwrap();
    let server = echo(look_up.options().origins(origins).max_connections(1));
    let evil = String::from_utf8_lossy(REQUEST).replace("example.com", "evil.test");
    assert!(ask(1, evil.as_bytes()).starts_with("HTTP/1.1 403 "));
    assert_eq!(look_up.begun(), 0);
    let _first = asks(1);
    assert_refused(&ask(2, REQUEST), "The server has as many connections as it may have. Try again later.");
    assert_eq!((look_up.begun(), server.counts().open), (1, 1));
}

#[test]
fn of_two_ways_to_decide_the_one_that_is_set_last_holds() {
    let look_up = LookUp::default();
    let _server = echo(look_up.options().decide(|_, _| Err(Reject::not_found())));
    assert!(ask(1, REQUEST).starts_with("HTTP/1.1 404 "));
    assert_eq!(look_up.begun(), 0);
}

#[test]
fn a_decision_below_and_at_the_time_limit_which_begins_with_the_request() {
    let look_up = LookUp::default();
    let mut options = look_up.options();
    options.config.timeouts.handshake = Some(Duration::from_secs(7));
    let server = echo(options);
    let peer = connect(1);
    pass(Duration::from_secs(6));
    peer.send(REQUEST);
    turns();
    pass(Duration::from_millis(6999));
    turns();
    assert_eq!((look_up.waiting(), text(&peer)), (1, String::new()));
    pass(Duration::from_millis(1));
    turns();
    assert_refused(&text(&peer), "The server is too busy. Try again later.");
    assert_eq!(look_up.waiting(), 0, "it is dropped");
    let counts = server.counts();
    assert_eq!((counts.open, counts.handshaking, counts.decided_too_late), (0, 1, 1));
    assert_eq!(counts.memory, 0);
    // In time, by a millisecond.
    let peer = asks(2);
    pass(Duration::from_millis(6999));
    look_up.answer("yes");
    assert!(text(&peer).starts_with("HTTP/1.1 101 "));
    assert_eq!(server.counts().decided_too_late, 1);
}

#[test]
fn without_a_time_limit_a_decision_takes_as_long_as_it_takes() {
    let look_up = LookUp::default();
    let mut options = look_up.options();
    options.config.timeouts.handshake = None;
    let _server = echo(options);
    let peer = asks(1);
    pass(Duration::from_secs(100_000));
    turns();
    assert_eq!((look_up.waiting(), text(&peer)), (1, String::new()));
    look_up.answer("yes");
    assert!(text(&peer).starts_with("HTTP/1.1 101 "));
}

#[test]
fn a_client_that_goes_away_frees_its_place() {
    let look_up = LookUp::default();
    let server = echo(look_up.options().max_connections(1));
    for (end, gone) in [(Ok(()), 1), (Err(io::ErrorKind::ConnectionReset.into()), 2)] {
        let peer = asks(1);
        assert_eq!((look_up.waiting(), server.counts().open), (1, 1));
        peer.end(end);
        turns();
        assert!(peer.wire().dropped && peer.taken().is_empty());
        assert_eq!(look_up.waiting(), 0, "nobody waits for the answer any more");
        let counts = server.counts();
        assert_eq!((counts.open, counts.unopened, counts.ended, counts.memory), (0, gone, 0, 0));
    }
    look_up.answer("yes");
    open(2);
}

#[test]
fn what_a_client_sends_too_early_is_kept_and_bounded() {
    let look_up = LookUp::default();
    let _server = echo(look_up.options());
    let peer = asks(1);
    let mut sender = client();
    sender.send(vec![b'x'; 20_000]).unwrap();
    peer.send(&output(&mut sender));
    turns();
    assert_eq!(peer.wire().incoming.len(), 20_008 - 4096, "the rest waits in the operating system");
    peer.send(&closing(CloseCode::NORMAL));
    look_up.answer("yes");
    let written = peer.taken();
    let head = written.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    assert!(messages(&mut sender, &written[head..]) == [vec![b'x'; 20_000]]);
    assert!(peer.wire().dropped, "the closing handshake followed");
}

#[test]
fn a_server_that_drains_answers_those_who_wait_for_a_decision() {
    let look_up = LookUp::default();
    let server = echo(look_up.options());
    let peer = asks(1);
    let end = server.shutdown();
    turns();
    assert_refused(&text(&peer), "The server is shutting down. Try again later, or another server.");
    assert_eq!(look_up.waiting(), 0);
    let report = done(end);
    assert_eq!((report.refused, report.closed, report.ended, report.cut_off), (1, 0, 0, 0));
    assert_eq!(report.elapsed, Duration::ZERO, "the decision is not waited for");
    // Who is open closes as ever.
    let look_up = LookUp::default();
    let server = echo(look_up.options());
    let peer = asks(1);
    look_up.answer("yes");
    peer.taken();
    drop(server.shutdown());
    turns();
    assert_eq!(close_code(&peer), 1001);
}

#[test]
fn a_panic_ends_one_handshake_and_nothing_else() {
    let look_up = LookUp::default();
    let other = look_up.clone();
    let server = echo(options().decide_async(move |info| {
        assert!(info.peer_address.ip().to_string() != "192.0.2.9", "a hook that panics before it waits");
        other.clone().decide(info)
    }));
    assert!(ask(9, REQUEST).starts_with("HTTP/1.1 500 "));
    let waits = asks(1);
    look_up.answer("boo");
    assert!(text(&waits).starts_with("HTTP/1.1 500 "));
    assert_eq!((server.counts().panicked, server.counts().open), (2, 0));
    look_up.answer("yes");
    open(2);
}
