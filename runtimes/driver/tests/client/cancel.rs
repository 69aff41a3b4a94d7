//! Every future dropped at every await: nothing is lost, and nothing happens twice.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use sansocket::{CloseCode, Message, SessionEvent};

use crate::rig::{TestClient, accept, builder, connected, events, names};
use crate::script::{Woken, done, pass, poll_with, run};

/// Polled once and dropped, again and again.
fn next_in_pieces(client: &mut TestClient) -> SessionEvent {
    for _ in 0..10_000 {
        if let Poll::Ready(event) = poll_with(pin!(client.next()), &Arc::new(Woken::default())) {
            return event.expect("it goes on");
        }
    }
    panic!("nothing comes");
}

#[test]
fn a_dial_goes_on_although_each_call_is_dropped() {
    let mut client = builder(1).build().unwrap();
    assert!(poll_with(pin!(client.next()), &Arc::new(Woken::default())).is_pending());
    let mut server = accept();
    assert_eq!(names([&next_in_pieces(&mut client)]), ["connected"]);
    assert_eq!(client.stats().dials, 1);
    done(client.send("hello")).unwrap();
    assert_eq!(server.received(), ["hello"]);
}

#[test]
fn events_and_messages_come_once_and_in_order() {
    let (mut client, mut server) = connected(builder(1));
    {
        let mut wire = server.peer.wire();
        (wire.read_size, wire.write_size, wire.stutters) = (3, 2, true);
    }
    for i in 0..20 {
        server.send(&format!("message {i}"));
        // Half of them are answered while the answer cannot leave at once.
        let _ = poll_with(pin!(client.send(format!("answer {i}"))), &Arc::new(Woken::default()));
    }
    let mut received = Vec::new();
    for _ in 0..20 {
        match next_in_pieces(&mut client) {
            SessionEvent::Message(message) => received.push(message),
            other => panic!("{other:?}"),
        }
    }
    let expected: Vec<_> = (0..20).map(|i| Message::from(format!("message {i}"))).collect();
    assert_eq!(received, expected);
    events(&mut client);
    let expected: Vec<_> = (0..20).map(|i| format!("answer {i}")).collect();
    assert_eq!(server.received(), expected);
}

#[test]
fn recv_skips_events_and_no_message_although_it_is_dropped() {
    let mut client = builder(1).build().unwrap();
    let _ = run(pin!(client.recv()));
    let mut server = accept();
    server.peer.wire().stutters = true;
    server.send("one");
    server.send("two");
    let mut received = Vec::new();
    while received.len() < 2 {
        if let Poll::Ready(message) = poll_with(pin!(client.recv()), &Arc::new(Woken::default())) {
            received.push(message.unwrap().unwrap());
        }
    }
    assert_eq!(received, [Message::from("one"), Message::from("two")]);
}

#[test]
fn a_send_that_is_dropped_while_it_waits_sends_nothing_and_loses_no_event() {
    let mut builder = builder(1);
    builder.session.queue_messages = 1;
    let mut client = builder.build().unwrap();
    let sender = client.sender();
    done(client.send("0")).unwrap();
    assert!(run(pin!(client.send("never"))).is_pending());
    assert!(run(pin!(sender.send("never"))).is_pending());
    let mut server = accept();
    // It takes in that there is a connection now, has its room, and sends.
    assert!(matches!(run(pin!(client.send("1"))), Poll::Ready(Ok(1))));
    assert_eq!(names(&events(&mut client)), ["connected"]);
    assert_eq!(server.received(), ["0", "1"]);
}

#[test]
fn a_close_that_is_dropped_goes_on_with_next() {
    let (mut client, mut server) = connected(builder(1));
    done(client.send("before")).unwrap();
    assert!(poll_with(pin!(client.close(CloseCode::NORMAL, "")), &Arc::new(Woken::default())).is_pending());
    assert_eq!(server.received(), ["before"]);
    server.peer.end(Ok(()));
    let mut heard = vec![next_in_pieces(&mut client)];
    heard.push(next_in_pieces(&mut client));
    assert_eq!(names(&heard), ["disconnected", "closed"]);
    assert!(done(client.close(CloseCode::NORMAL, "")).unwrap().is_some_and(|closed| closed.is_clean()));
}

#[test]
fn a_close_whose_server_is_silent_ends_within_its_limits() {
    let (mut client, _server) = connected(builder(1));
    let mut closing = Box::pin(client.close(CloseCode::NORMAL, ""));
    for _ in 0..20 {
        if let Poll::Ready(closed) = run(closing.as_mut()) {
            assert!(!closed.unwrap().expect("there was a connection").is_clean());
            return;
        }
        pass(Duration::from_secs(1));
    }
    panic!("it does not end");
}
