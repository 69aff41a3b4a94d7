//! Futures that are dropped on the way to a server. Each adapter with futures includes this file beside `mod.rs`.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

#[cfg(feature = "tls")]
use super::list::certificates::Authority;
use super::list::connecting::{address_of, parse};
use super::list::echo_server;
use super::list::proxy::{self, Manner};
#[cfg(feature = "tls")]
use super::list::secure::{LOCAL, acceptor, secure_echo_server, trusting};
use super::runtime::adapter::Connector;
use super::runtime::run;

/// Polls `future` at most `polls` times.
async fn polled<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        let polled = future.as_mut().poll(cx).map(Some);
        if left == 0 && polled.is_pending() { Poll::Ready(None) } else { polled }
    })
    .await
}

/// Connects again and again, each time one poll further, and sees that nothing stays open.
async fn drop_at_every_await(mut connector: Connector, url: &str, server: SocketAddr) {
    // Were everything there at once, there would be nothing to wait for, and nowhere to drop it.
    let proxy = proxy::http(Manner::Slow, server);
    connector.dial.proxy = parse(&format!("http://{}", proxy.address));
    let mut polls = 1;
    let connected = loop {
        if let Some(connected) = polled(polls, connector.connect(url)).await {
            break connected;
        }
        polls += 1;
        assert!(polls < 1000, "it never ends");
    };
    drop(connected.expect("it connects once it is not dropped"));
    assert!(polls > 1, "it was never dropped in between");
    // The proxy notices a client that is gone by the end of its stream.
    let clients = Arc::clone(&proxy.clients);
    thread::spawn(move || await_none(&clients)).join().unwrap();
}

fn await_none(clients: &AtomicUsize) {
    for _ in 0..500 {
        if clients.load(Ordering::SeqCst) == 0 {
            return;
        }
        // Real sockets of another thread: there is no virtual time for them.
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{} connections are still open", clients.load(Ordering::SeqCst));
}

#[test]
fn a_dropped_future_leaves_nothing_open() {
    run(async {
        let server = address_of(&echo_server().await);
        drop_at_every_await(Connector::default(), &format!("ws://{server}/"), server).await;
    });
}

#[cfg(feature = "tls")]
#[test]
fn a_future_dropped_inside_of_tls_leaves_nothing_open() {
    run(async {
        let authority = Authority::new();
        let server = secure_echo_server(acceptor(&authority.issue(LOCAL))).await;
        drop_at_every_await(trusting(&authority), "wss://localhost:4443/", server).await;
    });
}
