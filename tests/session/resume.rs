//! The resume hook: what the application sends first on each connection.

use sansocket::{CloseCode, CloseFrame, SessionEvent, SessionRefused, SessionState};

use crate::rig::{Rig, secs};

fn resuming() -> Rig {
    Rig::new(|config| config.resume = true)
}

#[test]
fn the_queue_waits_until_the_application_has_resumed() {
    let mut rig = resuming();
    rig.session.send("queued before").expect("there is room");
    rig.connect();
    assert_eq!(rig.session.state(), SessionState::Resuming);
    rig.session.send("queued after").expect("there is room");
    rig.session.send_first("token").expect("it is the time");
    rig.session.send_first("subscribe").expect("it is the time");
    rig.write_all();
    assert_eq!(rig.texts(), ["token", "subscribe"]);
    rig.session.resumed();
    assert_eq!(rig.session.state(), SessionState::Open);
    rig.write_all();
    assert_eq!(rig.texts(), ["token", "subscribe", "queued before", "queued after"]);
    let refused = rig.session.send_first("late").expect_err("it is over");
    assert_eq!((refused.message, refused.reason), ("late".into(), SessionRefused::NotResuming));
}

#[test]
fn resuming_at_once_keeps_the_order() {
    let mut rig = resuming();
    rig.session.send("queued").expect("there is room");
    rig.connect();
    rig.session.send_first("token").expect("it is the time");
    rig.session.resumed();
    rig.write_all();
    assert_eq!(rig.texts(), ["token", "queued"]);
}

#[test]
fn each_connection_is_resumed_anew_and_nothing_of_it_is_carried_over() {
    let mut rig = resuming();
    rig.connect();
    rig.session.send_first("first token").expect("it is the time");
    rig.transfer();
    rig.session.send_first("not even given").expect("it is the time");
    rig.session.send("queued").expect("there is room");
    rig.cut();
    let lost = rig.events.iter().find_map(|event| match event {
        SessionEvent::Disconnected(lost) => Some(lost.clone()),
        _ => None,
    });
    let lost = lost.expect("it was told");
    assert!(lost.returned.is_empty() && lost.unconfirmed.is_empty(), "{lost:?}");
    assert_eq!(lost.queued, 1);
    rig.session.send_first("too early").expect_err("there is no connection");
    rig.connect();
    rig.session.send_first("second token").expect("it is the time");
    rig.session.resumed();
    rig.write_all();
    assert_eq!(rig.texts(), ["second token", "queued"]);
}

#[test]
fn what_is_sent_first_is_not_counted_among_the_messages() {
    let mut rig = resuming();
    rig.connect();
    rig.session.send_first("token").expect("it is the time");
    rig.session.resumed();
    rig.session.send("message").expect("there is room");
    rig.write_all();
    let stats = rig.session.stats();
    assert_eq!((stats.messages_accepted, stats.messages_written), (1, 1));
    rig.cut();
    assert_eq!(rig.session.stats().messages_unconfirmed, 1);
}

#[test]
fn without_the_hook_messages_flow_at_once() {
    let mut rig = Rig::new(|_| {});
    rig.session.send("a").expect("there is room");
    rig.connect();
    assert_eq!(rig.session.state(), SessionState::Open);
    rig.write_all();
    assert_eq!(rig.texts(), ["a"]);
}

#[test]
fn closing_while_resuming_does_not_send_the_queue() {
    let mut rig = resuming();
    rig.session.send("not before the server is ready").expect("there is room");
    rig.connect();
    rig.session.send_first("token").expect("it is the time");
    rig.session.close(CloseFrame::new(CloseCode::NORMAL, "").expect("it can be sent"), rig.now);
    rig.server_answers_close(1000);
    assert_eq!(rig.texts(), ["token"]);
    let SessionEvent::Closed(closed) = rig.terminal() else { panic!("{:?}", rig.events) };
    assert_eq!(closed.queued, 1);
}

#[test]
fn a_queue_without_room_has_none_while_the_session_resumes() {
    let mut rig = Rig::new(|config| (config.resume, config.queue_messages) = (true, 0));
    rig.connect();
    rig.tick(secs(1));
    assert!(!rig.session.has_room(0));
    rig.session.resumed();
    rig.transfer();
    assert!(rig.session.has_room(0));
}
