//! The memory that all connections may hold together.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sansocket::{CloseCode, Event, Failure};

use super::rig::{REQUEST, ask, assert_refused, close_code, closing, echo, open, options, turns};
use crate::script::{client, done, messages, output, pass};

/// A message of `len` bytes.
fn message(len: usize) -> Vec<u8> {
    let mut sender = client();
    sender.send(vec![1; len]).unwrap();
    output(&mut sender)
}

/// The first bytes of a message of `len` bytes, of which `come` come.
fn part(len: usize, come: usize) -> Vec<u8> {
    let frame = message(len);
    frame[..frame.len() - len + come].to_vec()
}

#[test]
fn clients_beyond_the_memory_are_refused() {
    let server = echo(options().max_memory(2 * 8192 + 8191));
    let first = open(1);
    let _second = open(2);
    assert_eq!(server.counts().memory, 2 * 8192);
    let why = "The server has no memory left for another connection. Try again later.";
    assert_refused(&ask(3, REQUEST), why);
    assert_eq!(server.counts().refused.memory, 1);
    first.end(Ok(()));
    turns();
    assert_eq!(server.counts().memory, 8192);
    let _third = open(3);
}

#[test]
fn a_message_that_grows_beyond_the_memory_is_answered_with_1013_and_the_others_go_on() {
    let server = echo(options().max_memory(2 * 8192 + 10_000));
    let (first, second) = (open(1), open(2));
    first.send(&part(100_000, 6_000));
    second.send(&part(100_000, 4_000));
    turns();
    assert_eq!(server.counts().memory, 2 * 8192 + 10_000, "at the limit");
    assert!(first.taken().is_empty() && second.taken().is_empty());
    second.send(&[0]);
    turns();
    assert_eq!(close_code(&second), 1013);
    assert_eq!(server.counts().out_of_memory, 1);
    assert!(
        server.counts().memory < 2 * 8192 + 6_000 + 200,
        "what it held is free: {}",
        server.counts().memory
    );
    first.send(&[0; 4_000]);
    turns();
    assert!(first.taken().is_empty(), "there is room for the other one now");
    second.end(Ok(()));
    first.end(Ok(()));
    turns();
    assert_eq!((server.counts().memory, server.counts().ended), (0, 2));
}

#[test]
fn output_that_does_not_leave_counts_and_closes_when_there_is_no_memory() {
    let server = echo(options().max_memory(8192 + 10_000));
    let peer = open(1);
    peer.wire().window = 0;
    peer.send(&message(9_000));
    turns();
    let memory = server.counts().memory;
    assert!((8192 + 9_000..8192 + 9_100).contains(&memory), "{memory}");
    peer.open_window(usize::MAX);
    turns();
    assert_eq!(server.counts().memory, 8192);
    assert_eq!(messages(&mut client(), &peer.taken()).len(), 1);
    peer.wire().window = 0;
    peer.send(&message(12_000));
    turns();
    peer.open_window(usize::MAX);
    turns();
    let written = peer.taken();
    assert_eq!(messages(&mut client(), &written), [vec![1; 12_000]], "it was taken, so it is sent");
    assert!(written.windows(2).any(|code| code == 1013_u16.to_be_bytes()));
    peer.send(&closing(CloseCode::TRY_AGAIN_LATER));
    turns();
    let counts = server.counts();
    assert_eq!((counts.memory, counts.open, counts.closed, counts.out_of_memory), (0, 0, 1, 1));
}

/// The second message is taken in while the answer to the first waits for the peer to read.
#[test]
fn a_message_that_was_received_ahead_counts_as_long_as_it_waits() {
    let server = echo(options().max_memory(8192 + 50_000));
    let peer = open(1);
    peer.wire().window = 0;
    peer.send(&message(9_000));
    peer.send(&message(30_000));
    turns();
    let memory = server.counts().memory;
    assert!((8192 + 39_000..8192 + 39_100).contains(&memory), "{memory}");
    peer.open_window(usize::MAX);
    turns();
    assert_eq!(server.counts().memory, 8192);
    assert_eq!(messages(&mut client(), &peer.taken()).len(), 2);

    peer.wire().window = 0;
    peer.send(&message(9_000));
    turns();
    peer.send(&message(42_000));
    turns();
    assert_eq!(server.counts().out_of_memory, 1);
    let memory = server.counts().memory;
    assert!(memory < 8192 + 9_000 + 300, "what was received ahead is free: {memory}");
    peer.open_window(usize::MAX);
    turns();
    assert!(peer.taken().windows(2).any(|code| code == 1013_u16.to_be_bytes()));
}

#[test]
fn a_peer_that_never_reads_is_left_when_it_has_no_memory() {
    let server = echo(options().max_memory(8192 + 10_000));
    let peer = open(1);
    peer.wire().window = 0;
    let mut sender = client();
    sender.send(vec![1; 12_000]).unwrap();
    peer.send(&output(&mut sender));
    turns();
    assert_eq!(server.counts().out_of_memory, 1);
    pass(Duration::from_secs(5));
    turns();
    assert!(peer.wire().dropped);
    assert_eq!((server.counts().memory, server.counts().open, server.counts().ended), (0, 0, 1));
}

#[test]
fn without_a_budget_only_the_limits_of_each_connection_hold() {
    assert_eq!(options().max_memory, Some(1024 * 1024 * 1024));
    let server = echo(options().max_memory(None));
    let peer = open(1);
    peer.send(&part(10_000_000, 9_000_000));
    turns();
    assert!(peer.taken().is_empty());
    assert_eq!((server.counts().memory, server.counts().out_of_memory), (0, 0));
}

#[test]
fn a_connection_that_is_cut_off_gives_its_memory_back() {
    let server = options().max_memory(1_000_000).on_connection(|mut socket, _| async move {
        let _ = socket.recv().await;
    });
    let server = done(server.start()).unwrap();
    let peer = open(1);
    peer.send(&part(100_000, 50_000));
    turns();
    assert_eq!(server.counts().memory, 8192 + 50_000);
    drop(server.drain(Duration::from_secs(1)));
    turns();
    pass(Duration::from_secs(1));
    turns();
    assert!(peer.wire().dropped);
    assert_eq!((server.counts().memory, server.counts().cut_off), (0, 1));
}

#[test]
fn input_that_waits_for_a_slow_application_counts() {
    let server = options().max_memory(1_000_000).on_connection(|mut socket, _| async move {
        let first = socket.recv().await;
        std::future::pending::<()>().await;
        drop((socket, first));
    });
    let server = done(server.start()).unwrap();
    let peer = open(1);
    let mut sender = client();
    (0..10).for_each(|_| sender.send(vec![1; 1000]).unwrap());
    peer.send(&output(&mut sender));
    turns();
    assert_eq!(server.counts().memory, 8192 + 9 * 1008, "nine messages were read and not taken");
}

#[test]
fn what_comes_after_the_handler_has_returned_counts_as_well() {
    let server = options().max_memory(8192 + 10_000).on_connection(|mut socket, _| async move {
        let _ = socket.recv().await;
    });
    let server = done(server.start()).unwrap();
    let peer = open(1);
    let mut sender = client();
    sender.send("go").unwrap();
    peer.send(&output(&mut sender));
    turns();
    assert_eq!(close_code(&peer), 1000);
    peer.send(&part(100_000, 10_000));
    turns();
    assert_eq!((server.counts().memory, server.counts().open), (8192 + 10_000, 1));
    peer.send(&[0]);
    turns();
    assert!(peer.taken().is_empty(), "it was told already that the connection closes");
    assert_eq!((server.counts().memory, server.counts().out_of_memory), (8192, 0));
    peer.end(Ok(()));
    turns();
    assert_eq!((server.counts().memory, server.counts().open), (0, 0));
}

#[test]
fn who_looks_at_events_sees_that_there_was_no_memory() {
    let seen = Arc::new(Mutex::new(None));
    let see = Arc::clone(&seen);
    let server = options().max_memory(8192 + 1000).on_connection(move |mut socket, _| {
        let see = Arc::clone(&see);
        async move {
            let failure = socket.next_event(|event| match event {
                Event::Failed(failure) => Some(failure),
                _ => None,
            });
            *see.lock().unwrap() = failure.await.unwrap().flatten();
        }
    });
    let _server = done(server.start()).unwrap();
    let peer = open(1);
    peer.send(&part(5000, 1001));
    turns();
    assert_eq!(*seen.lock().unwrap(), Some(Failure::OutOfMemory { held: 1001, limit: 9192 }));
}
