//! The end of a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sansocket::{Answer, CloseCode};
use sansocket_driver::ServerEnd;

use super::rig::{
    REQUEST, ask, assert_refused, close_code, closing, connect, echo, open, options, text, turns,
};
use crate::script::{client, done, output, pass, waits};

#[test]
fn idle_and_busy_peers_close_cleanly_and_a_stuck_one_is_cut_off() {
    let server = echo(options());
    let (idle, busy, stuck) = (open(1), open(2), open(3));
    let mut sender = client();
    sender.send("before the end").unwrap();
    busy.send(&output(&mut sender));
    drop(server.drain(Duration::from_secs(4)));
    turns();
    for peer in [&idle, &busy, &stuck] {
        let written = peer.taken();
        assert!(written.windows(2).any(|code| code == 1001_u16.to_be_bytes()), "each is told");
    }
    assert_refused(&ask(4, REQUEST), "The server is shutting down. Try again later, or another server.");
    for peer in [&idle, &busy] {
        peer.send(&closing(CloseCode::GOING_AWAY));
    }
    turns();
    assert_eq!((server.counts().closed, server.counts().open), (2, 1));
    assert!(idle.wire().dropped && busy.wire().dropped && !stuck.wire().dropped);
    pass(Duration::from_millis(3999));
    turns();
    assert!(!stuck.wire().dropped);
    pass(Duration::from_millis(1));
    turns();
    assert!(stuck.wire().dropped);
    let report = done(server.finished());
    assert_eq!((report.closed, report.ended, report.cut_off, report.refused), (2, 0, 1, 1));
    assert_eq!(report.elapsed, Duration::from_secs(4));
    assert_eq!((server.counts().cut_off, server.counts().open), (1, 0));
    let late = connect(5);
    assert!(!late.wire().dropped && server.counts().accepted == 4, "nobody listens any more");
}

#[test]
fn a_handler_that_does_not_receive_is_dropped_when_the_time_is_over() {
    struct Alive(Arc<AtomicUsize>);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let alive = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&alive);
    let server = options().on_connection(move |socket, _| {
        count.fetch_add(1, Ordering::SeqCst);
        let alive = Alive(Arc::clone(&count));
        async move {
            std::future::pending::<()>().await;
            drop((socket, alive));
        }
    });
    let server = done(server.start()).unwrap();
    let peer = open(1);
    drop(server.drain(Duration::from_secs(1)));
    turns();
    assert!(!peer.taken().is_empty(), "its peer is told all the same");
    assert_eq!(alive.load(Ordering::SeqCst), 1);
    pass(Duration::from_secs(1));
    turns();
    assert_eq!(alive.load(Ordering::SeqCst), 0);
    assert!(peer.wire().dropped);
    assert_eq!(done(server.finished()).cut_off, 1);
}

#[test]
fn who_is_in_the_middle_of_the_opening_handshake_is_refused_as_newcomers_are() {
    let server = echo(options());
    let (open, asking, silent) = (open(1), connect(2), connect(3));
    asking.send(&REQUEST[..20]);
    turns();
    let end = server.shutdown();
    turns();
    asking.send(&REQUEST[20..]);
    turns();
    assert_refused(&text(&asking), "The server is shutting down. Try again later, or another server.");
    assert_eq!(close_code(&open), 1001);
    open.send(&closing(CloseCode::GOING_AWAY));
    turns();
    let report = done(end);
    assert_eq!((report.closed, report.refused, report.cut_off), (1, 1, 0));
    assert_eq!(report.elapsed, Duration::ZERO, "nobody waits for who has not even asked");
    turns();
    assert!(silent.wire().dropped);
    assert_eq!((server.counts().handshaking, server.counts().unopened), (0, 2));
}

#[test]
fn every_call_tells_the_same_and_the_first_time_limit_can_only_become_shorter() {
    let mut options = options();
    options.drain_limit = Duration::from_secs(3);
    let server = echo(options);
    let stuck = open(1);
    let first = server.shutdown();
    let second = server.drain(Duration::from_secs(60));
    let mut third: Option<ServerEnd> = None;
    for second in 1..=3 {
        turns();
        assert!(!stuck.wire().dropped);
        assert_eq!(server.counts().open, 1);
        if second == 2 {
            third = Some(server.drain(Duration::from_millis(500)));
            pass(Duration::from_millis(500));
            break;
        }
        pass(Duration::from_secs(1));
    }
    turns();
    let reports = [first, second, third.unwrap(), server.finished()].map(done);
    assert_eq!((reports[0].cut_off, reports[0].elapsed), (1, Duration::from_millis(1500)));
    assert!(reports.iter().all(|report| *report == reports[0]));
    assert!(stuck.wire().dropped);
}

#[test]
fn a_server_without_connections_ends_at_once_also_by_a_hook() {
    let server = options().answer_http(|_, server| {
        drop(server.shutdown());
        Answer::new(202)
    });
    let server = server.on_connection(|_, _| async {});
    let mut serving = std::pin::pin!(server.serve());
    waits(serving.as_mut());
    let answer = ask(1, b"POST /shutdown HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    let report = done(serving).unwrap();
    assert_eq!((report.closed, report.cut_off, report.elapsed), (0, 0, Duration::ZERO));
}
