//! Sending: from other tasks, without room, and by an application that asks for nothing.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use sansocket::{CloseCode, Message, SessionRefused, SessionState};

use crate::rig::{Tcp, accept, builder, connected, events, names, next_attempt, set};
use crate::script::{Woken, done, pass, poll_with, run, run_spawned, waits};

#[test]
fn a_sender_wakes_the_client() {
    let (mut client, mut server) = connected(builder(1));
    let sender = client.sender();
    let woken = Arc::new(Woken::default());
    let mut next = Box::pin(client.next());
    assert!(poll_with(next.as_mut(), &woken).is_pending());
    let before = woken.count();
    assert_eq!(done(sender.send("from elsewhere")), Ok(0));
    assert!(woken.count() > before);
    assert!(run(next.as_mut()).is_pending());
    assert_eq!(server.received(), ["from elsewhere"]);
}

#[test]
fn what_does_not_wait_wakes_the_client_too() {
    let (mut client, mut server) = connected(builder(1));
    let sender = client.sender();
    let woken = Arc::new(Woken::default());
    let mut next = Box::pin(client.next());
    assert!(poll_with(next.as_mut(), &woken).is_pending());
    sender.try_send("from elsewhere").unwrap();
    assert_eq!(woken.count(), 1);
    assert!(poll_with(next.as_mut(), &woken).is_pending());
    let before = woken.count();
    sender.close(CloseCode::NORMAL, "").unwrap();
    assert!(woken.count() > before);
    assert!(run(next.as_mut()).is_pending());
    assert_eq!(server.received(), ["from elsewhere"]);
    assert_eq!(server.close_code(), Some(CloseCode::NORMAL));
}

#[test]
fn what_the_stream_does_not_take_at_once_leaves_without_another_call() {
    let (mut client, mut server) = connected(builder(1));
    // The first send after something was received, and one that follows another.
    for message in ["first", "second"] {
        server.peer.wire().window = 3;
        done(client.send(message)).unwrap();
        assert!(server.received().is_empty());
        server.peer.open_window(usize::MAX);
        run_spawned();
        assert_eq!(server.received(), [message]);
    }
}

#[test]
fn senders_without_room_are_woken_when_there_is_some() {
    let mut builder = builder(1);
    builder.session.queue_messages = 1;
    let mut client = builder.build().unwrap();
    let (a, b) = (client.sender(), client.sender());
    done(a.send("0")).unwrap();
    let woken = [Arc::new(Woken::default()), Arc::new(Woken::default())];
    let mut sends = [Box::pin(a.send("1")), Box::pin(b.send("2"))];
    for (send, woken) in sends.iter_mut().zip(&woken) {
        assert!(poll_with(send.as_mut(), woken).is_pending());
    }
    events(&mut client);
    assert_eq!(woken[0].count() + woken[1].count(), 0, "there is no connection yet");
    let mut server = accept();
    events(&mut client);
    assert!(woken.iter().all(|woken| woken.count() == 1));
    let mut sent = Vec::new();
    for send in &mut sends {
        match run(send.as_mut()) {
            Poll::Ready(number) => sent.push(number.unwrap()),
            Poll::Pending => {
                // The first one has taken the room; the connection takes that, and there is room again.
                events(&mut client);
                sent.push(done(send.as_mut()).unwrap());
            }
        }
    }
    assert_eq!(sent, [1, 2]);
    events(&mut client);
    assert_eq!(server.received(), ["0", "1", "2"]);
}

#[test]
fn senders_that_wait_are_told_when_the_client_is_gone() {
    let mut builder = builder(1);
    builder.session.queue_messages = 1;
    let client = builder.build().unwrap();
    let sender = client.sender();
    sender.try_send("0").unwrap();
    let woken = Arc::new(Woken::default());
    let mut send = pin!(sender.send("1"));
    assert!(poll_with(send.as_mut(), &woken).is_pending());
    drop(client);
    assert_eq!(woken.count(), 1);
    let Poll::Ready(Err(refused)) = run(send) else { panic!("it ended") };
    assert_eq!((refused.message, refused.reason), (Message::from("1"), SessionRefused::Closed));
    assert_eq!(sender.take_queue(), [(0, Message::from("0"))]);
}

#[test]
fn a_message_larger_than_the_queue_waits_for_a_connection_and_keeps_nobody_busy() {
    let mut builder = builder(1);
    builder.session.queue_bytes = 10;
    let mut client = builder.build().unwrap();
    let sender = client.sender();
    let large = "x".repeat(100);
    // `waits` would not return if the task woke itself again and again.
    waits(client.send(large.clone()));
    {
        // In one task with the client, as in a `select`.
        let both = std::future::poll_fn({
            let mut send = Box::pin(sender.send(large.clone()));
            let client = &mut client;
            move |cx| {
                assert!(send.as_mut().poll(cx).is_pending());
                client.poll_next(cx)
            }
        });
        waits(both);
    }
    let mut server = accept();
    assert_eq!(names(&events(&mut client)), ["connected"]);
    assert_eq!(done(client.send(large.clone())), Ok(0));
    assert_eq!(server.received(), [large]);
}

#[test]
fn a_send_without_room_connects_and_goes_on() {
    let mut builder = builder(1);
    builder.session.queue_messages = 1;
    let mut client = builder.build().unwrap();
    done(client.send("0")).unwrap();
    let mut send = Box::pin(client.send("1"));
    assert!(run(send.as_mut()).is_pending());
    let mut server = accept();
    assert!(matches!(run(send.as_mut()), Poll::Ready(Ok(1))));
    drop(send);
    assert_eq!(server.received(), ["0", "1"]);
    assert_eq!(names(&events(&mut client)), ["connected"], "nothing is lost of what came meanwhile");
}

#[test]
fn an_application_that_only_sends_is_back_after_an_outage() {
    let (mut client, server) = connected(builder(1));
    server.kill();
    set(1, Tcp::Refuses);
    // A day of it, in which nobody asks for events.
    let mut queued = 0;
    for i in 0..24 * 60 {
        pass(Duration::from_secs(60));
        if i % 120 == 0 {
            done(client.send(format!("{queued}"))).unwrap();
            queued += 1;
        } else {
            let _ = done(client.send(String::new()));
        }
        if client.queued() > 100 {
            let kept: Vec<_> = client.take_queue();
            assert!(kept.len() > 100);
        }
    }
    assert!(client.stats().dials > 1000, "{:?}", client.stats());
    set(1, Tcp::Accepts);
    pass(Duration::from_secs(60));
    done(client.send("after")).unwrap();
    let mut server = accept();
    done(client.send("more")).unwrap();
    done(client.send("and more")).unwrap();
    let received = server.received();
    assert_eq!(received[received.len() - 3..], ["after", "more", "and more"]);
    let waited = events(&mut client);
    assert!(waited.len() <= 64, "{}", waited.len());
    assert_eq!(names(&waited).last(), Some(&"reconnected"), "the newest are kept");
}

#[test]
fn an_application_that_only_sends_takes_in_one_message_and_no_more() {
    let (mut client, mut server) = connected(builder(1));
    server.send("0");
    for i in 0..3 {
        done(client.send(format!("{i}"))).unwrap();
    }
    server.send("1");
    done(client.send("3")).unwrap();
    assert!(!server.peer.wire().incoming.is_empty(), "nobody has asked for the first");
    assert_eq!(server.received(), ["0", "1", "2", "3"]);
    assert_eq!(names(&events(&mut client)), ["message", "message"]);
}

#[test]
fn replies_to_one_read_leave_in_one_write() {
    let (mut client, mut server) = connected(builder(1));
    let before = server.peer.wire().writes.len();
    for i in 0..16 {
        server.send(&format!("{i}"));
    }
    for _ in 0..16 {
        let message = done(client.recv()).unwrap().unwrap();
        done(client.send(message)).unwrap();
    }
    waits(client.recv());
    assert_eq!(server.received().len(), 16);
    assert!(server.peer.wire().writes.len() - before <= 2, "{:?}", server.peer.wire().writes);
}

#[test]
fn gathered_replies_leave_when_the_application_waits_for_something_else() {
    let (mut client, mut server) = connected(builder(1));
    server.send("one");
    server.send("two");
    let message = done(client.recv()).unwrap().unwrap();
    done(client.send(message)).unwrap();
    assert!(server.received().is_empty(), "another message waits, so the reply was gathered");
    run_spawned();
    assert_eq!(server.received(), ["one"]);
}

#[test]
fn a_slow_server_holds_the_senders_back_and_loses_nothing() {
    let mut builder = builder(1);
    builder.session.queue_messages = 4;
    let (mut client, mut server) = connected(builder);
    server.peer.wire().window = 0;
    let payload = "x".repeat(40_000);
    let mut sent = 0;
    while let Poll::Ready(number) = run(pin!(client.send(payload.clone()))) {
        number.unwrap();
        sent += 1;
        assert!(sent < 100, "there is no end to it");
    }
    server.peer.open_window(usize::MAX);
    assert_eq!(done(client.send("last")), Ok(sent));
    events(&mut client);
    assert_eq!(server.received().len() as u64, sent + 1);
    assert_eq!(client.stats().messages_written, sent + 1);
    assert_eq!(client.state(), SessionState::Open);
}

#[test]
fn a_lost_connection_is_noticed_with_a_message_unread() {
    let (mut client, mut server) = connected(builder(1));
    server.send("unread");
    done(client.send("0")).unwrap();
    done(client.send("1")).unwrap();
    server.kill();
    done(client.send("2")).unwrap();
    let heard = events(&mut client);
    assert_eq!(names(&heard)[..2], ["message", "disconnected"]);
    next_attempt(&mut client, &heard);
    let mut server = accept();
    events(&mut client);
    assert_eq!(server.received(), ["2"]);
}
