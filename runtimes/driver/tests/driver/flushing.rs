//! The task that writes what waits while the application waits for something else.

use std::pin::pin;
use std::sync::Arc;

use sansocket::ServerConfig;

use crate::script::{Woken, client, done, messages, output, poll_with, run_spawned, server, spawned};

/// A peer that does not read and goes on asking must not make work that grows.
#[test]
fn one_task_writes_what_is_stuck_however_often_there_is_more() {
    let (mut socket, peer) = server(&ServerConfig::default());
    peer.wire().window = 0;
    let mut other = client();
    for i in 0..100_u8 {
        other.ping(&[i]).unwrap();
        other.send("and a message").unwrap();
        peer.send(&output(&mut other));
        assert!(done(socket.recv()).unwrap().is_some());
        run_spawned();
        assert_eq!(spawned(), 1, "after {} Pings", i + 1);
    }
    peer.open_window(usize::MAX);
    run_spawned();
    assert_eq!(spawned(), 0);
    assert!(!peer.taken().is_empty(), "the Pongs were written");
    // And the next one has a task again.
    peer.wire().window = 0;
    other.ping(b"again").unwrap();
    other.send("and a message").unwrap();
    peer.send(&output(&mut other));
    assert!(done(socket.recv()).unwrap().is_some());
    assert_eq!(spawned(), 1);
}

/// TLS takes what it cannot write yet.
#[test]
fn what_a_stream_has_taken_and_holds_back_is_flushed_although_nobody_waits() {
    let (socket, peer) = server(&ServerConfig::default());
    peer.wire().holds_back = true;
    let (reading, writing) = socket.split();
    assert!(poll_with(pin!(writing.send("short")), &Arc::new(Woken::default())).is_pending());
    run_spawned();
    assert!(peer.wire().held_back);
    peer.wire().holds_back = false;
    run_spawned();
    assert!(!peer.wire().held_back, "it was flushed");
    assert_eq!(spawned(), 0);
    assert_eq!(messages(&mut client(), &peer.taken()), [b"short"]);
    drop(reading);
}
