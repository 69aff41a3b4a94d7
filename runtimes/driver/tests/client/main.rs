//! The client that connects again, over a scripted network and under virtual time.

mod cancel;
mod failing;
mod rig;
#[path = "../driver/script.rs"]
#[expect(dead_code, reason = "the driver's own tests use all of it")]
mod script;
mod sending;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sansocket::{
    CloseCode, Message, QueuePolicy, Role, SessionConfig, SessionEvent, SessionRefused, SessionState,
};
use sansocket_driver::Error;

use rig::{Tcp, accept, accept_tcp, address, builder, connected, events, later, names, next_attempt, set};
use script::{done, waits};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn messages_go_both_ways_and_close_ends_it() {
    let (mut client, mut server) = connected(builder(1));
    assert_eq!(done(client.send("to the server")), Ok(0));
    assert_eq!(server.received(), ["to the server"]);
    server.send("to the client");
    assert_eq!(done(client.recv()).unwrap(), Some(Message::from("to the client")));

    client.sender().close(CloseCode::NORMAL, "done").unwrap();
    assert!(events(&mut client).is_empty());
    server.received();
    server.peer.end(Ok(()));
    let end = events(&mut client);
    assert_eq!(names(&end), ["disconnected", "closed"]);
    let Some(SessionEvent::Closed(closed)) = end.last() else { panic!("{end:?}") };
    assert_eq!(closed.by, Role::Client);
    assert!(done(client.next()).is_none(), "nothing comes after the end");
    assert_eq!(done(client.recv()).unwrap(), None);
    assert_eq!(done(client.send("late")).unwrap_err().reason, SessionRefused::Closed);
    assert_eq!(client.state(), SessionState::Ended);
}

#[test]
fn connected_says_which_address_and_a_dial_is_begun_only_when_polled() {
    let mut client = builder(1).build().unwrap();
    assert_eq!(client.stats().dials, 0);
    events(&mut client);
    assert_eq!(client.stats().dials, 1);
    let server = accept();
    let opened = events(&mut client);
    let Some(SessionEvent::Connected(connected)) = opened.first() else { panic!("{opened:?}") };
    assert_eq!((connected.server, connected.info.address), (0, Some(address(1))));
    assert_eq!(server.address, address(1));
}

#[test]
fn a_lost_connection_is_made_again_and_the_queue_follows() {
    let (mut client, server) = connected(builder(1));
    server.kill();
    let lost = events(&mut client);
    assert_eq!(names(&lost), ["disconnected", "reconnecting"]);
    let Some(SessionEvent::Disconnected(how)) = lost.first() else { panic!("{lost:?}") };
    assert!(!how.closed.is_clean(), "{}", how.closed);
    for i in 0..3 {
        assert_eq!(done(client.send(format!("{i}"))), Ok(i));
    }
    assert_eq!(client.queued(), 3);
    next_attempt(&mut client, &lost);
    let mut server = accept();
    assert_eq!(names(&events(&mut client)), ["reconnected"]);
    assert!(events(&mut client).is_empty());
    assert_eq!(server.received(), ["0", "1", "2"]);
    assert_eq!(client.stats().messages_written, 3);
}

#[test]
fn what_was_not_written_comes_back_and_what_was_is_counted() {
    let (mut client, mut server) = connected(builder(1));
    done(client.send("arrives")).unwrap();
    assert_eq!(server.received(), ["arrives"]);
    server.peer.wire().window = 0;
    done(client.send("does not leave")).unwrap();
    server.kill();
    server.peer.open_window(0);
    let lost = events(&mut client);
    let Some(SessionEvent::Disconnected(how)) = lost.first() else { panic!("{lost:?}") };
    assert_eq!((how.unconfirmed.count, how.unconfirmed.first), (1, 0));
    assert_eq!((how.returned.count, how.returned.first), (1, 1));
    next_attempt(&mut client, &lost);
    let mut server = accept();
    events(&mut client);
    assert_eq!(server.received(), ["does not leave"]);
}

#[test]
fn first_messages_go_before_the_queue_on_each_connection() {
    let token = Mutex::new(0);
    let greeting = move |_: &sansocket::Connected| {
        let mut token = token.lock().unwrap();
        *token += 1;
        vec![Message::from(format!("token {token}")), Message::from("subscribe")]
    };
    let mut client = builder(1).first_messages(greeting).build().unwrap();
    done(client.send("queued")).unwrap();
    let mut server = accept();
    events(&mut client);
    assert_eq!(server.received(), ["token 1", "subscribe", "queued"]);
    server.kill();
    let lost = events(&mut client);
    done(client.send("queued later")).unwrap();
    next_attempt(&mut client, &lost);
    let mut server = accept();
    events(&mut client);
    assert_eq!(server.received(), ["token 2", "subscribe", "queued later"]);
}

#[test]
fn the_queue_waits_until_the_application_has_resumed() {
    let mut builder = builder(1);
    builder.session.resume = true;
    let mut client = builder.build().unwrap();
    done(client.send("queued")).unwrap();
    let mut server = accept();
    assert_eq!(names(&events(&mut client)), ["connected"]);
    assert_eq!(client.state(), SessionState::Resuming);
    client.send_first("token").unwrap();
    waits(client.next());
    assert_eq!(server.received(), ["token"]);
    server.send("welcome");
    assert_eq!(done(client.recv()).unwrap(), Some(Message::from("welcome")));
    client.resumed();
    waits(client.next());
    assert_eq!(server.received(), ["queued"]);
    assert_eq!(client.send_first("late").unwrap_err().reason, SessionRefused::NotResuming);
}

#[test]
fn the_heartbeat_is_told_and_a_silent_server_is_left() {
    let (mut client, mut server) = connected(builder(1).heartbeat_interval(10 * SECOND));
    assert!(later(&mut client, 10 * SECOND).is_empty());
    server.received();
    assert_eq!(names(&events(&mut client)), ["heartbeat"]);
    // From now on it says nothing.
    let mut heard = Vec::new();
    for _ in 0..60 {
        heard.extend(later(&mut client, SECOND));
    }
    assert_eq!(names(&heard)[..2], ["disconnected", "reconnecting"]);
}

#[test]
fn a_server_that_is_gone_while_messages_wait_is_left_within_a_second_of_the_timeout() {
    let (mut client, server) =
        connected(builder(1).heartbeat_interval(10 * SECOND).heartbeat_timeout(4 * SECOND));
    server.peer.wire().window = 0;
    done(client.send("never leaves")).unwrap();
    for _ in 0..14 {
        assert!(later(&mut client, SECOND).is_empty());
    }
    let lost = later(&mut client, SECOND);
    assert_eq!(names(&lost), ["disconnected", "reconnecting"]);
    let text = lost[0].to_string();
    assert!(text.contains("did not answer a Ping within heartbeat_timeout"), "{text}");
    assert!(text.contains("returned to the queue: 1 message (number 0)"), "{text}");
}

#[test]
fn the_time_for_a_pong_goes_by_the_interval_unless_it_is_set() {
    let secs = |seconds: u64| Some(Duration::from_secs(seconds));
    let timeout =
        |builder: sansocket_driver::ClientBuilder<script::Script>| builder.session.heartbeat_timeout;
    assert_eq!(timeout(builder(1)), secs(20));
    for (interval, expected) in [(1, 5), (5, 5), (7, 7), (20, 20), (300, 20)] {
        assert_eq!(timeout(builder(1).heartbeat_interval(secs(interval))), secs(expected));
        let twice = builder(1).heartbeat_interval(secs(6)).heartbeat_interval(secs(interval));
        assert_eq!(timeout(twice), secs(expected));
        assert_eq!(
            timeout(builder(1).heartbeat_interval(secs(interval)).heartbeat_timeout(secs(3))),
            secs(3)
        );
        assert_eq!(
            timeout(builder(1).heartbeat_timeout(secs(20)).heartbeat_interval(secs(interval))),
            secs(20)
        );
        assert_eq!(timeout(builder(1).heartbeat_timeout(None).heartbeat_interval(secs(interval))), None);
        let mut by_field = builder(1);
        by_field.session.heartbeat_timeout = secs(3);
        assert_eq!(timeout(by_field.heartbeat_interval(secs(interval))), secs(3));
    }
    assert_eq!(timeout(builder(1).heartbeat_interval(None)), secs(20));
}

#[test]
fn a_sender_learns_what_has_arrived() {
    let (mut client, mut server) = connected(builder(1).heartbeat_interval(10 * SECOND));
    let sender = client.sender();
    assert_eq!((done(client.send("0")), done(sender.send("1"))), (Ok(0), Ok(1)));
    assert!(later(&mut client, 10 * SECOND).is_empty());
    assert_eq!((client.confirmed(), sender.confirmed()), (0, 0));
    assert_eq!(server.received(), ["0", "1"]);
    let [SessionEvent::Heartbeat { confirmed, .. }] = &events(&mut client)[..] else {
        panic!("no heartbeat")
    };
    assert_eq!((confirmed.count, confirmed.first, confirmed.last), (2, 0, 1));
    assert_eq!((client.confirmed(), sender.confirmed()), (2, 2));
}

#[test]
fn a_callback_can_send() {
    let mut client = builder(1).build().unwrap();
    let sender = client.sender();
    client.on_event(move |event| {
        if let SessionEvent::Connected(connected) = event {
            sender.try_send(format!("hello, {}", connected.url)).unwrap();
        }
    });
    events(&mut client);
    let mut server = accept();
    assert_eq!(names(&events(&mut client)), ["connected"]);
    assert_eq!(server.received(), ["hello, ws://192.0.2.1/"]);
}

#[test]
fn the_callback_hears_the_same_in_the_same_order() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    let builder = builder(1).on_event(move |event| hears.lock().unwrap().push(event.clone()));
    let mut client = builder.build().unwrap();
    let mut streamed = events(&mut client);
    let mut server = accept();
    server.send("one");
    server.send("two");
    streamed.extend(events(&mut client));
    server.kill();
    streamed.extend(events(&mut client));
    done(client.send("three")).unwrap();
    streamed.extend(next_attempt(&mut client, &streamed));
    let mut server = accept();
    // Heard of while it sends, and given out later.
    done(client.send("four")).unwrap();
    assert_eq!(names(&*heard.lock().unwrap()).last(), Some(&"reconnected"));
    server.close(CloseCode::NORMAL);
    streamed.extend(events(&mut client));
    server.received();
    server.peer.end(Ok(()));
    streamed.extend(events(&mut client));
    let expected = ["connected", "message", "message", "disconnected", "reconnecting", "reconnected"];
    assert_eq!(names(&streamed)[..6], expected);
    assert_eq!(names(&streamed)[6..], ["disconnected", "closed"]);
    assert_eq!(names(&*heard.lock().unwrap()), names(&streamed));
}

#[test]
fn close_tells_how_the_connection_ended_and_what_is_left() {
    let (mut client, mut server) = connected(builder(1));
    let mut closing = Box::pin(client.close(CloseCode::NORMAL, ""));
    assert!(script::run(closing.as_mut()).is_pending());
    server.received();
    server.peer.end(Ok(()));
    let closed = done(closing).unwrap().expect("there was a connection");
    assert!(closed.is_clean(), "{closed}");

    set(1, Tcp::Hangs);
    let mut client = builder(1).build().unwrap();
    done(client.send("never leaves")).unwrap();
    assert_eq!(done(client.close(CloseCode::NORMAL, "")).unwrap(), None);
    assert_eq!(client.take_queue(), [(0, Message::from("never leaves"))]);
    assert!(matches!(done(client.close(CloseCode(1006), "")), Err(Error::Refused(_))));
}

#[test]
fn a_close_gives_up_the_dial() {
    let mut client = builder(1).build().unwrap();
    events(&mut client);
    let (_, peer) = accept_tcp();
    done(client.close(CloseCode::NORMAL, "")).unwrap();
    assert!(peer.wire().dropped);
}

#[test]
fn dropped_it_sends_what_waits_and_goes_away() {
    let (client, mut server) = connected(builder(1));
    let sender = client.sender();
    sender.try_send("last words").unwrap();
    drop(client);
    assert_eq!(server.received(), ["last words"]);
    assert_eq!(server.close_code(), Some(CloseCode::GOING_AWAY));
    assert!(server.peer.wire().dropped);
    assert_eq!(sender.state(), SessionState::Ended);
    assert_eq!(sender.try_send("too late").unwrap_err().reason, SessionRefused::Closed);
}

#[test]
fn policies_drop_or_fail_when_the_queue_is_full() {
    let full = |policy| {
        let mut builder = builder(1).queue(policy);
        builder.session.queue_messages = 2;
        let mut client = builder.build().unwrap();
        let sent: Vec<_> = (0..3).map(|i| done(client.send(format!("{i}"))).is_ok()).collect();
        let dropped = events(&mut client).into_iter().find_map(|event| match event {
            SessionEvent::Dropped(numbers) => Some(numbers.first),
            _ => None,
        });
        (sent, dropped)
    };
    assert_eq!(full(QueuePolicy::Fail), (vec![true, true, false], None));
    assert_eq!(full(QueuePolicy::DropNewest), (vec![true, true, true], Some(2)));
    assert_eq!(full(QueuePolicy::DropOldest), (vec![true, true, true], Some(0)));
}

#[test]
fn the_page_names_the_defaults() {
    let page = include_str!("../../../../docs/sessions.md");
    let SessionConfig {
        connection_timeout,
        auto_reconnect,
        max_reconnect_attempts,
        reconnect_delay,
        max_reconnect_delay,
        reconnect_multiplier,
        stable_after,
        max_retry_after,
        restart_delay,
        heartbeat_interval,
        heartbeat_timeout,
        queue,
        queue_messages,
        queue_bytes,
        resume,
        drain_timeout,
        protocol,
        ..
    } = SessionConfig::default();
    let defaults = [
        ("connection_timeout", format!("{:?}", connection_timeout.unwrap())),
        ("auto_reconnect", format!("{auto_reconnect}")),
        ("max_reconnect_attempts", format!("{max_reconnect_attempts:?}")),
        ("reconnect_delay", format!("{reconnect_delay:?}")),
        ("max_reconnect_delay", format!("{max_reconnect_delay:?}")),
        ("session.reconnect_multiplier", format!("{reconnect_multiplier}")),
        ("session.stable_after", format!("{stable_after:?}")),
        ("session.max_retry_after", format!("{max_retry_after:?}")),
        ("session.restart_delay", format!("{restart_delay:?}")),
        ("heartbeat_interval", format!("{:?}", heartbeat_interval.unwrap())),
        ("heartbeat_timeout", format!("{:?}", heartbeat_timeout.unwrap())),
        ("queue", format!("{queue:?}")),
        ("session.queue_messages", format!("{queue_messages}")),
        ("session.queue_bytes", format!("{queue_bytes}")),
        ("session.resume", format!("{resume}")),
        ("session.drain_timeout", format!("{drain_timeout:?}")),
        ("protocol", format!("`{protocol:?}`")),
    ];
    for (name, default) in defaults {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        assert!(
            row.is_some_and(|row| row.ends_with(&format!("| {default} |"))),
            "{name}: {default}, not {row:?}"
        );
    }
}
