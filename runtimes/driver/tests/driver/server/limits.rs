//! Who is admitted, and what the others are told.

use std::io;
use std::time::Duration;

use sansocket::{Answer, CloseCode};
#[cfg(feature = "tls")]
use sansocket_driver::TlsAcceptor;

use super::rig::{
    REQUEST, ask, asked, assert_refused, closing, connect, echo, next_accept, open, options, turns,
};
use crate::script::{Peer, now, pass, run_spawned, stream};

#[test]
fn failing_accepts_are_tried_again_after_pauses_and_not_in_a_loop() {
    let server = echo(options());
    turns();
    // EMFILE, five times.
    for _ in 0..5 {
        next_accept(Err(io::Error::from_raw_os_error(24)));
    }
    let before = asked();
    let began = now();
    turns();
    assert_eq!(asked() - before, 1, "it waits before it tries again");
    let (arriving, peer) = stream();
    next_accept(Ok((arriving, ([192, 0, 2, 1], 5000).into())));
    while server.counts().accepted == 0 {
        pass(Duration::from_millis(1));
        run_spawned();
        assert!(now().since(began) < Duration::from_secs(1), "it does not listen any more");
    }
    let waited = now().since(began).as_millis();
    assert!((310..320).contains(&waited), "10 + 20 + 40 + 80 + 160, and not {waited} ms");
    assert_eq!((server.counts().accept_errors, server.counts().handshaking), (5, 1));
    // A connection that was reset before it was accepted holds nobody up.
    for _ in 0..3 {
        next_accept(Err(io::ErrorKind::ConnectionAborted.into()));
    }
    let _second = connect(2);
    assert_eq!((server.counts().accept_errors, server.counts().accepted), (8, 2));
    drop(peer);
}

#[test]
fn connections_below_at_and_above_the_limit() {
    let server = echo(options().max_connections(3));
    let mut peers: Vec<Peer> = (1..=3).map(open).collect();
    let why = "The server has as many connections as it may have. Try again later.";
    assert_refused(&ask(4, REQUEST), why);
    assert_eq!(server.counts().refused.connections, 1);
    peers.remove(0).end(Ok(()));
    turns();
    assert_eq!((server.counts().open, server.counts().ended), (2, 1));
    peers.push(open(4));
    assert_refused(&ask(5, REQUEST), why);
    assert_eq!((server.counts().open, server.counts().handshaking), (3, 0));
    assert!(peers.iter().all(|peer| !peer.wire().dropped));
}

#[test]
fn connections_of_one_address_below_at_and_above_the_limit() {
    let server = echo(options().max_connections_per_address(2));
    let (first, _second) = (open(1), open(1));
    let why =
        "Your address has as many connections to this server as it may have. Close one, or try again later.";
    assert_refused(&ask(1, REQUEST), why);
    let _other = open(2);
    first.send(&closing(CloseCode::NORMAL));
    turns();
    assert_eq!((server.counts().open, server.counts().closed), (2, 1));
    let _third = open(1);
    assert_refused(&ask(1, REQUEST), why);
    assert_eq!(server.counts().refused.connections_of_address, 2);
}

#[test]
fn seconds_of_retry_after_are_rounded_up() {
    let mut options = options().max_connections(0);
    options.limits.retry_after = Duration::from_millis(6001);
    let _server = echo(options);
    assert!(ask(1, REQUEST).contains("\r\nRetry-After: 7\r\n"));
}

#[test]
fn silent_clients_use_up_handshakes_and_no_connections_and_are_given_up() {
    let mut options = options();
    (options.limits.handshakes, options.limits.handshakes_per_address) = (5, 3);
    let server = echo(options);
    let silent: Vec<Peer> = (0..4).map(|_| connect(1)).collect();
    assert!(
        silent[3].wire().dropped && !silent[2].wire().dropped,
        "the fourth of one address is closed at once"
    );
    assert!(silent[3].taken().is_empty());
    let served = open(2);
    let more: Vec<Peer> = (3..6).map(connect).collect();
    assert!(more[2].wire().dropped, "all places of handshakes are taken");
    let refused = server.counts().refused;
    assert_eq!((refused.handshakes, refused.handshakes_of_address), (1, 1));
    pass(Duration::from_secs(10));
    turns();
    assert_eq!((server.counts().handshaking, server.counts().open), (0, 1));
    assert!(silent.iter().chain(&more).all(|peer| peer.wire().dropped));
    assert!(!served.wire().dropped);
}

#[test]
fn a_health_check_is_answered_while_the_server_is_full_and_while_it_drains() {
    let options = options().max_connections(1).answer_http(|request, server| match request.target() {
        "/healthz" if server.is_draining() => Answer::new(503),
        "/healthz" => Answer::new(200).body("text/plain", server.counts().open.to_string()).unwrap(),
        "/panic" => panic!("a hook that panics"),
        _ => Answer::new(404),
    });
    let server = echo(options);
    let _first = open(1);
    let check = |target: &str| ask(9, format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
    assert!(check("/healthz").starts_with("HTTP/1.1 200 ") && check("/healthz").ends_with("\r\n\r\n1"));
    assert!(check("/").starts_with("HTTP/1.1 404 "));
    assert!(check("/panic").starts_with("HTTP/1.1 500 "));
    assert_eq!(server.counts().panicked, 1);
    drop(server.drain(Duration::from_secs(10)));
    assert!(check("/healthz").starts_with("HTTP/1.1 503 "));
}

#[cfg(feature = "tls")]
#[test]
fn a_client_that_says_nothing_inside_of_tls_is_given_up() {
    let (chain, key) = crate::tls::identity();
    let acceptor = TlsAcceptor::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
    let server = echo(options().tls(acceptor));
    let silent = connect(1);
    pass(Duration::from_millis(9_999));
    turns();
    assert!(!silent.wire().dropped);
    pass(Duration::from_millis(1));
    turns();
    assert!(silent.wire().dropped);
    assert_eq!((server.counts().handshaking, server.counts().unopened), (0, 1));
}
