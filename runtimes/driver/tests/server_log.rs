//! What operators see of a server's limits: which one it was and how much it allows, and not one line for each of those who come in large
//! numbers.
//!
//! A binary of its own: what is enabled is remembered for the process, and other tests enable nothing.

#[path = "driver/dialer.rs"]
#[expect(dead_code, reason = "shared with the tests of the driver")]
mod dialer;
mod log;
#[path = "driver/server/rig.rs"]
#[expect(dead_code, reason = "shared with the tests of the driver")]
mod rig;
#[path = "driver/script.rs"]
#[expect(dead_code, reason = "shared with the tests of the driver")]
mod script;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tracing::Level;

use log::{Lines, Log};
use rig::{REQUEST, ask, connect, echo, next_accept, open, options, turns};
use script::{client, done, output, pass};

/// The lines that `happens` leads to, without that of a server that begins to listen: each of this level, and with this text.
#[track_caller]
fn assert_log(happens: impl FnOnce(), level: Level, texts: &[&str]) {
    let lines = Lines::default();
    tracing::subscriber::with_default(Log { lines: Arc::clone(&lines), level: Level::INFO }, happens);
    let mut lines = std::mem::take(&mut *lines.lock().unwrap());
    assert!(lines[0].1.contains("listening address=192.0.2.100:4000"), "{lines:#?}");
    lines.remove(0);
    assert_eq!(lines.len(), texts.len(), "{lines:#?}");
    for ((seen, line), text) in lines.iter().zip(texts) {
        assert!(*seen == level && line.contains(text), "{seen} {line}\n where {text} was expected");
    }
}

#[test]
fn those_who_are_refused_are_told_of_in_ever_larger_steps_with_the_limit() {
    let happens = || {
        let _server = echo(options().max_connections(1));
        let _open = open(1);
        for _ in 0..10 {
            ask(2, REQUEST);
        }
    };
    let text = "as many connections are open as limits.connections allows, which is 1";
    let lines = [1, 2, 4, 8].map(|times| format!("a client was refused: {text} (this is told at the 1st, 2nd, 4th, 8th ... time) code=\"connections\" times={times} peer=192.0.2.2"));
    assert_log(happens, Level::WARN, &lines.each_ref().map(String::as_str));
}

#[test]
fn each_limit_is_named_with_its_value() {
    let happens = || {
        let mut options = options().max_connections_per_address(2).max_memory(4 * 8192 + 1);
        (options.limits.handshakes, options.limits.handshakes_per_address) = (4, 3);
        let _server = echo(options);
        let _open = [open(1), open(1)];
        ask(1, REQUEST);
        let _others = [open(2), open(3)];
        ask(4, REQUEST);
        let _silent: Vec<_> = [1, 1, 1, 1, 2, 3].map(connect).into();
    };
    let texts = [
        "as many connections from the same address are open as limits.connections_per_address allows, which is 2",
        "the open connections leave too little of max_memory, which is 32769 bytes",
        "as many opening handshakes from the same address are under way as limits.handshakes_per_address allows, which is 3",
        "as many opening handshakes are under way as limits.handshakes allows, which is 4",
    ];
    assert_log(happens, Level::WARN, &texts);
}

#[test]
fn a_connection_that_is_closed_for_want_of_memory_is_told_of_with_the_budget() {
    let happens = || {
        let _server = echo(options().max_memory(8192 + 1000));
        let peer = open(1);
        let mut sender = client();
        sender.send(vec![1; 5000]).unwrap();
        peer.send(&output(&mut sender)[..1200]);
        turns();
    };
    let text = "closing with 1013: no memory for a message of which 1192 bytes came: all connections together may hold 9192 bytes (max_memory)";
    assert_log(happens, Level::WARN, &[text]);
}

#[test]
fn accepting_that_fails_is_told_of_with_what_the_system_says() {
    let happens = || {
        let _server = echo(options());
        next_accept(Err(io::Error::from_raw_os_error(24)));
        turns();
    };
    assert_log(happens, Level::WARN, &["cannot accept; trying again after a pause"]);
}

#[test]
fn a_decision_that_takes_too_long_is_told_of_with_the_limit() {
    let happens = || {
        let mut options = options().decide_async(|_| std::future::pending());
        options.config.timeouts.handshake = Some(Duration::from_millis(2500));
        let _server = echo(options);
        for _ in 0..3 {
            let peer = connect(2);
            peer.send(REQUEST);
            turns();
            pass(Duration::from_millis(2500));
            turns();
        }
    };
    let lines = [1, 2].map(|times| format!("a client gets 503: the application's decision (decide_async) took longer than config.timeouts.handshake allows, which is 2.5s (this is told at the 1st, 2nd, 4th, 8th ... time) times={times} peer=192.0.2.2:5000 limit_ms=2500"));
    assert_log(happens, Level::WARN, &lines.each_ref().map(String::as_str));
}

#[test]
fn a_panic_of_a_handler_is_an_error_with_its_text() {
    let happens = || {
        let server = options().on_connection(|_, info| async move {
            assert!(info.is_secure, "a\nhandler that panics");
        });
        done(server.start()).unwrap();
        open(1);
        turns();
    };
    assert_log(happens, Level::ERROR, &[r"the handler panicked: a\nhandler that panics"]);
}

#[test]
fn newcomers_of_a_server_that_ends_are_no_reason_to_be_woken() {
    let happens = || {
        let server = echo(options());
        let _open = open(1);
        drop(server.drain(Duration::from_secs(1)));
        turns();
        (0..5).for_each(|_| drop(ask(2, REQUEST)));
    };
    assert_log(happens, Level::INFO, &["the server is draining open=1 limit_ms=1000"]);
}
