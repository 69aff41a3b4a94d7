//! Heartbeat: the round trip, what it confirms, and a server that does not answer.

use bytes::Buf;
use sansocket::{Cause, Disconnected, SessionEvent};

use crate::rig::{Rig, millis, secs};
use crate::support::wire::{self, PING, PONG};

/// Answers the newest Ping that was written.
fn answer(rig: &mut Rig) {
    let mut pings = rig.frames().into_iter().filter(|frame| frame.first == PING);
    let payload = pings.next_back().expect("a Ping was written").payload;
    rig.read(&wire::encode(PONG, None, &payload));
}

#[track_caller]
fn lost(rig: &mut Rig) -> Disconnected {
    rig.cut();
    let lost = rig.events.iter().rev().find_map(|event| match event {
        SessionEvent::Disconnected(lost) => Some(lost.clone()),
        _ => None,
    });
    lost.expect("it was told")
}

#[test]
fn an_answered_ping_tells_the_round_trip() {
    let mut rig = Rig::new(|_| {});
    rig.connect();
    rig.tick(secs(20));
    rig.write_all();
    rig.tick(millis(35));
    answer(&mut rig);
    let SessionEvent::Heartbeat { round_trip, .. } = rig.last() else { panic!("{:?}", rig.events) };
    assert_eq!(*round_trip, millis(35));
    assert_eq!(rig.session.stats().round_trip, Some(millis(35)));
}

#[test]
fn other_pongs_are_no_heartbeat() {
    let mut rig = Rig::new(|_| {});
    rig.connect();
    rig.read(&wire::encode(PONG, None, b"nobody asked"));
    rig.tick(secs(20));
    rig.write_all();
    rig.read(&wire::encode(PONG, None, b"old"));
    answer(&mut rig);
    answer(&mut rig);
    let heartbeats =
        rig.events.iter().filter(|event| matches!(event, SessionEvent::Heartbeat { .. })).count();
    assert_eq!(heartbeats, 1, "the second Pong answers nothing");
}

#[test]
fn a_server_that_does_not_answer_is_replaced() {
    let mut rig = Rig::new(|config| {
        config.heartbeat_interval = Some(secs(3));
        config.heartbeat_timeout = Some(secs(2));
    });
    rig.connect();
    rig.tick(secs(3));
    rig.write_all();
    rig.tick(secs(2));
    rig.write_all();
    assert!(rig.connection.is_none(), "it is lost");
    let causes = rig.events.iter().filter_map(|event| match event {
        SessionEvent::Disconnected(lost) => Some(lost.closed.cause),
        _ => None,
    });
    assert_eq!(causes.collect::<Vec<_>>(), [Cause::PongTimeout]);
    rig.connect();
}

#[test]
fn what_was_written_before_an_answered_ping_has_arrived() {
    let mut rig = Rig::new(|_| {});
    rig.connect();
    for text in ["0", "1"] {
        rig.session.send(text).expect("there is room");
    }
    rig.write_all();
    rig.tick(secs(20));
    rig.session.send("2, behind the Ping").expect("there is room");
    rig.write_all();
    answer(&mut rig);
    rig.session.send("3").expect("there is room");
    rig.write_all();
    let lost = lost(&mut rig).unconfirmed;
    assert_eq!((lost.count, lost.first, lost.last), (2, 2, 3));
}

#[test]
fn a_ping_that_is_not_answered_confirms_nothing() {
    let mut rig = Rig::new(|config| config.heartbeat_timeout = Some(secs(100)));
    rig.connect();
    for round in 0..3 {
        rig.session.send(format!("{round}")).expect("there is room");
        rig.write_all();
        rig.tick(secs(20));
        rig.write_all();
        if round == 0 {
            answer(&mut rig);
        }
    }
    let lost = lost(&mut rig).unconfirmed;
    assert_eq!((lost.count, lost.first, lost.last), (2, 1, 2));
    assert_eq!(rig.session.stats().messages_unconfirmed, 2);
}

#[test]
fn pings_that_nobody_waits_for_confirm_what_they_are_behind() {
    for answers in [true, false] {
        let mut rig = Rig::new(|config| config.heartbeat_timeout = None);
        rig.connect();
        for round in 0..4 {
            rig.session.send(format!("{round}")).expect("there is room");
            rig.write_all();
            rig.tick(secs(20));
            rig.write_all();
        }
        if answers {
            answer(&mut rig);
        }
        let lost = lost(&mut rig).unconfirmed;
        let expected = if answers { (0, 0) } else { (4, 3) };
        assert_eq!((lost.count, lost.last), expected, "answers: {answers}");
    }
}

#[test]
fn what_left_behind_a_ping_that_was_noticed_late_is_not_confirmed() {
    let mut rig = Rig::new(|_| {});
    rig.connect();
    rig.session.send("behind").expect("there is room");
    rig.transfer();
    // The Ping overtakes the message, and the session hears of it when both have left.
    rig.now = rig.now + secs(20);
    let connection = rig.connection.as_mut().expect("there is a connection");
    connection.timeout(rig.now);
    while connection.transmit().has_remaining() {
        let piece = connection.transmit().chunk().to_vec();
        connection.transmit().advance(piece.len());
        rig.written.extend(piece);
    }
    let order: Vec<_> = rig.frames().into_iter().map(|frame| frame.first).collect();
    assert_eq!(order, [PING, wire::TEXT]);
    rig.transfer();
    answer(&mut rig);
    assert!(matches!(rig.last(), SessionEvent::Heartbeat { .. }));
    assert_eq!(lost(&mut rig).unconfirmed.count, 1);
}

#[test]
fn a_message_that_is_half_written_when_the_ping_overtakes_the_next_is_not_confirmed() {
    let mut rig = Rig::new(|_| {});
    rig.connect();
    rig.session.send("x".repeat(100)).expect("there is room");
    rig.session.send("y".repeat(100)).expect("there is room");
    rig.write(150);
    // The Ping goes out at the next border between frames, behind the second message or in the middle of it.
    rig.tick(secs(20));
    rig.write_all();
    answer(&mut rig);
    let lost = lost(&mut rig).unconfirmed;
    assert_eq!((lost.count, lost.first), (1, 1));
}

#[test]
fn an_answer_of_an_earlier_connection_means_nothing() {
    let mut rig = Rig::new(|_| {});
    rig.connect();
    rig.tick(secs(20));
    rig.write_all();
    rig.cut();
    rig.connect();
    rig.session.send("a").expect("there is room");
    rig.write_all();
    // The first Ping of every connection has the same payload data.
    rig.read(&wire::encode(PONG, None, &[0, 0, 0, 1]));
    assert_eq!(lost(&mut rig).unconfirmed.count, 1);
    assert!(!rig.events.iter().any(|event| matches!(event, SessionEvent::Heartbeat { .. })));
}

/// What the latest heartbeat has confirmed: how many, the first and the last.
#[track_caller]
fn confirmed(rig: &Rig) -> (u64, u64, u64) {
    let SessionEvent::Heartbeat { confirmed, .. } = rig.last() else { panic!("{:?}", rig.events) };
    (confirmed.count, confirmed.first, confirmed.last)
}

fn send(rig: &mut Rig, text: &str) {
    rig.session.send(text).expect("there is room");
    rig.write_all();
}

#[test]
fn a_heartbeat_says_which_messages_have_arrived() {
    let mut rig = Rig::new(|_| {});
    rig.connect();
    send(&mut rig, "0");
    send(&mut rig, "1");
    assert_eq!(rig.session.confirmed(), 0);
    rig.tick(secs(20));
    rig.write_all();
    send(&mut rig, "2, behind the Ping");
    assert_eq!(rig.session.confirmed(), 0, "a Ping is no answer");
    answer(&mut rig);
    assert_eq!((confirmed(&rig), rig.session.confirmed()), ((2, 0, 1), 2));
    rig.tick(secs(20));
    rig.write_all();
    answer(&mut rig);
    assert_eq!((confirmed(&rig), rig.session.confirmed()), ((1, 2, 2), 3));
    rig.tick(secs(20));
    rig.write_all();
    answer(&mut rig);
    assert_eq!((confirmed(&rig).0, rig.session.confirmed()), (0, 3), "there was nothing new");
    let stats = rig.session.stats();
    assert_eq!((stats.messages_confirmed, stats.messages_unconfirmed), (3, 0));
}

#[test]
fn what_was_lost_with_a_connection_is_below_the_mark_and_was_told() {
    let mut rig = Rig::new(|_| {});
    rig.connect();
    send(&mut rig, "0, lost");
    assert_eq!(lost(&mut rig).unconfirmed.count, 1);
    rig.connect();
    send(&mut rig, "1");
    assert_eq!(rig.session.confirmed(), 0);
    rig.tick(secs(20));
    rig.write_all();
    answer(&mut rig);
    assert_eq!((confirmed(&rig), rig.session.confirmed()), ((1, 1, 1), 2));
    let stats = rig.session.stats();
    assert_eq!((stats.messages_confirmed, stats.messages_unconfirmed), (1, 1));
}

#[test]
fn the_answer_to_a_close_frame_says_that_everything_has_arrived() {
    let mut rig = Rig::new(|_| {});
    rig.connect();
    send(&mut rig, "0");
    send(&mut rig, "1");
    rig.close();
    rig.server_answers_close(1000);
    let SessionEvent::Disconnected(lost) = &rig.events[rig.events.len() - 2] else {
        panic!("{:?}", rig.events)
    };
    assert_eq!((lost.confirmed.count, lost.confirmed.first, lost.confirmed.last), (2, 0, 1));
    assert_eq!([0, 1, 2].map(|number| lost.confirmed.contains(number)), [true, true, false]);
    assert!(!lost.unconfirmed.contains(0), "there is none, whatever first and last are");
    assert!(lost.unconfirmed.is_empty());
    assert_eq!((rig.session.confirmed(), rig.session.stats().messages_confirmed), (2, 2));
}
