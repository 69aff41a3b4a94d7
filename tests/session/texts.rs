//! Events in words: one line each, with names that a user of the session knows, and no secrets.

use core::net::SocketAddr;

use sansocket::{
    ClientRequest, ConnectedInfo, DialFailed, MessageNumbers, QueuePolicy, Reconnected, SessionEvent, Setback,
};

use crate::rig::{Rig, millis, secs};
use crate::support::wire::{self, PING, PONG};

/// A session with one server, whose URL has credentials and a query.
fn secretive() -> Rig {
    Rig::new(|config| {
        let url = "wss://user:password@s0.example:8443/feed?token=1";
        config.servers = vec![ClientRequest::new(url).expect("a URL")];
    })
}

const SHOWN: &str = "wss://s0.example:8443/feed?...";

#[test]
fn a_connection_is_told_with_its_url() {
    let mut rig = secretive();
    let (dial, _) = rig.next_dial();
    rig.wait(millis(1_500));
    let address: SocketAddr = ([192, 0, 2, 7], 8443).into();
    assert!(rig.session.connected(dial.number, ConnectedInfo::new(Some(address), Some("chat")), rig.now));
    rig.take_events();
    let SessionEvent::Connected(connected) = rig.last().clone() else { panic!("{:?}", rig.events) };
    assert_eq!(&*connected.url, SHOWN);
    let text = format!("connected to {SHOWN} by 192.0.2.7:8443, subprotocol chat, within 1.5 s");
    assert_eq!(rig.last().to_string(), text);
}

#[test]
fn an_outage_is_told_from_its_beginning_to_its_end() {
    let mut rig = secretive();
    rig.connect();
    rig.session.send("arrives, or not").expect("there is room");
    rig.write_all();
    rig.session.send("half").expect("there is room");
    rig.write(3);
    rig.tick(secs(15));
    rig.cut();
    rig.refuse();
    rig.connect();
    let texts: Vec<_> = rig.events.iter().map(ToString::to_string).collect();
    let [connected, lost, next, after, again] = &texts[..] else { panic!("{texts:#?}") };
    assert_eq!(*connected, format!("connected to {SHOWN}, within 0 ms"));
    let begin = format!(
        "disconnected from {SHOWN} after 15 s: the peer closed TCP without a Close frame, between messages; "
    );
    assert!(lost.starts_with(&begin), "{lost}");
    let end = "; unconfirmed: 1 message (number 0); returned to the queue: 1 message (number 1); messages in the queue: 1";
    assert!(lost.ends_with(end), "{lost}");
    let begin = format!("{SHOWN}: connection lost: the peer closed TCP");
    assert!(
        next.starts_with(&begin) && next.contains(&format!("; next is attempt 1, at {SHOWN} in ")),
        "{next}"
    );
    assert!(
        after.starts_with(&format!("{SHOWN}: connection refused; next is attempt 2, at {SHOWN} in ")),
        "{after}"
    );
    let begin = format!("connected to {SHOWN}, within 0 ms, after an outage of ");
    assert!(again.starts_with(&begin) && again.ends_with(" and 2 attempts"), "{again}");
    let SessionEvent::Reconnected(Reconnected { outage, .. }) = rig.last() else { panic!("{texts:#?}") };
    assert_eq!(rig.session.stats().outages, *outage);
    for text in texts {
        assert!(!text.contains('\n') && !text.contains("password") && !text.contains("token"), "{text}");
    }
    let shown = format!("{:?}", rig.events);
    assert!(!shown.contains("password") && !shown.contains("token"), "{shown}");
}

#[test]
fn a_ping_without_an_answer_is_told_with_the_name_of_the_sessions_option() {
    let mut rig = secretive();
    rig.connect();
    rig.tick(secs(20));
    rig.write_all();
    rig.tick(secs(20));
    rig.write_all();
    let texts: Vec<_> = rig.events.iter().map(ToString::to_string).collect();
    let expected = "the peer did not answer a Ping within heartbeat_timeout";
    assert!(texts[1].contains(expected) && texts[2].contains(expected), "{texts:#?}");
    assert!(texts.iter().all(|text| !text.contains("timeouts.")), "{texts:#?}");
    let SessionEvent::Reconnecting(next) = rig.last() else { panic!("{texts:#?}") };
    assert_eq!(next.why.code(), "pong-timeout");
}

#[test]
fn all_other_events_are_told_in_a_line() {
    let mut rig = Rig::new(|config| (config.queue, config.queue_messages) = (QueuePolicy::DropNewest, 1));
    for _ in 0..4 {
        rig.session.send("x").expect("this policy gives nothing back");
    }
    rig.take_events();
    assert_eq!(rig.last().to_string(), "dropped 3 messages (numbers 1 to 3): the queue is full");
    rig.connect();
    rig.write_all();
    rig.read(&wire::encode(wire::TEXT, None, b"secret"));
    assert_eq!(rig.last().to_string(), "text message of 6 bytes");
    rig.read(&wire::encode(wire::BINARY, None, b"1234"));
    assert_eq!(rig.last().to_string(), "binary message of 4 bytes");
    rig.tick(secs(20));
    rig.write_all();
    rig.tick(millis(35));
    let ping = rig.frames().into_iter().find(|frame| frame.first == PING).expect("a Ping was written");
    rig.read(&wire::encode(PONG, None, &ping.payload));
    assert_eq!(rig.last().to_string(), "heartbeat: round trip 35ms, confirmed 1 message (number 0)");
    rig.close();
    rig.server_answers_close(1000);
    assert_eq!(rig.terminal().to_string(), "closed by this client; messages left in the queue: 0");
    assert_eq!(MessageNumbers::default().to_string(), "no message");
}

#[test]
fn a_setback_has_a_code_and_the_time_that_a_server_has_named() {
    let transient = Setback::Failed(DialFailed::transient("no route"));
    assert_eq!((transient.code(), transient.retry_after(), transient.advice()), ("dial-failed", None, None));
    let late = Setback::TimedOut { limit: secs(5) };
    assert_eq!((late.code(), late.retry_after()), ("connection-timeout", None));
    let busy = Setback::Failed(crate::retry_after::busy(90));
    assert_eq!((busy.code(), busy.retry_after()), ("server-busy", Some(secs(90))));
    assert!(busy.advice().is_some_and(|advice| !advice.is_empty()));
}
