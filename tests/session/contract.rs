//! The contract between a session and its adapter: steps, results that come late, time, and one end.

use core::time::Duration;

use sansocket::{
    Cause, ClientConfig, CloseCode, CloseFrame, ConnectedInfo, DialFailed, Entropy, Instant, Role, Session,
    SessionEvent, SessionRefused, SessionState, SessionStep, Setback,
};

use crate::rig::{Rig, config, millis, secs};
use crate::support::wire::CLOSE;

#[test]
fn a_session_begins_with_a_dial_to_the_first_server() {
    let mut rig = Rig::with(2, 7, |_| {});
    let Some(SessionStep::Dial(dial)) = rig.step() else { panic!("it begins with a dial") };
    assert_eq!((dial.number, dial.server), (1, 0));
    assert_eq!(dial.request.url().host(), "s0.example");
    assert_eq!(dial.until, Some(Instant::ZERO + secs(30)));
    assert_eq!(dial.protocols, [sansocket::Protocol::Http1]);
    assert!(rig.step().is_none(), "one dial at a time");
    assert_eq!(rig.session.state(), SessionState::Dialling);
}

#[test]
fn a_connection_is_reported_with_all_that_is_known() {
    let mut rig = Rig::new(|_| {});
    let (dial, _) = rig.next_dial();
    rig.wait(millis(30));
    let address = "192.0.2.7:443".parse().expect("an address");
    let info = ConnectedInfo::new(Some(address), Some("chat"));
    assert!(rig.session.connected(dial.number, info.clone(), rig.now));
    rig.take_events();
    let [SessionEvent::Connected(connected)] = &rig.events[..] else { panic!("{:?}", rig.events) };
    assert_eq!((connected.server, &connected.info, connected.elapsed), (0, &info, millis(30)));
    assert_eq!(connected.info.protocol, sansocket::Protocol::Http1);
}

#[test]
fn a_reconnection_tells_the_outage_and_the_attempts() {
    let mut rig = Rig::new(|_| {});
    rig.connect();
    rig.tick(secs(60));
    rig.cut();
    let lost_at = rig.now;
    rig.refuse();
    rig.refuse();
    rig.connect();
    let SessionEvent::Reconnected(again) = rig.last() else { panic!("{:?}", rig.events) };
    assert_eq!((again.attempts, again.outage), (3, rig.now.since(lost_at)));
    assert_eq!(rig.session.stats().outages, again.outage);
    let disconnected = rig.events.iter().find_map(|event| match event {
        SessionEvent::Disconnected(disconnected) => Some(disconnected),
        _ => None,
    });
    let disconnected = disconnected.expect("it was told");
    assert_eq!(disconnected.connected_for, secs(60));
    assert!(matches!(disconnected.closed.cause, Cause::Eof(_)), "{:?}", disconnected.closed);
}

#[test]
fn a_dial_that_takes_too_long_is_abandoned() {
    let mut rig = Rig::new(|config| config.connection_timeout = Some(secs(3)));
    let (dial, _) = rig.next_dial();
    assert_eq!(rig.session.deadline(), Some(Instant::ZERO + secs(3)));
    rig.wait(millis(2_999));
    assert!(rig.step().is_none(), "below");
    rig.wait(millis(1));
    assert!(matches!(rig.step(), Some(SessionStep::Abandon)), "at");
    let SessionEvent::Reconnecting(next) = rig.last() else { panic!("{:?}", rig.events) };
    assert!(matches!(next.why, Setback::TimedOut { limit } if limit == secs(3)));
    // What comes of it all the same comes too late.
    assert!(!rig.session.connected(dial.number, ConnectedInfo::new(None, None), rig.now));
    rig.session.dial_failed(dial.number, DialFailed::permanent("too late"), rig.now);
    let (next, _) = rig.next_dial();
    assert_eq!(next.number, 2);
    assert!(!rig.session.connected(dial.number, ConnectedInfo::new(None, None), rig.now));
    assert!(rig.session.connected(next.number, ConnectedInfo::new(None, None), rig.now));
}

#[test]
fn without_connection_timeout_a_dial_may_take_for_ever() {
    let mut rig = Rig::new(|config| config.connection_timeout = None);
    let (dial, _) = rig.next_dial();
    assert_eq!((dial.until, rig.session.deadline()), (None, None));
    rig.wait(secs(1_000_000));
    assert!(rig.step().is_none());
}

#[test]
fn there_are_no_steps_while_events_wait() {
    let mut rig = Rig::new(|_| {});
    let (dial, _) = rig.next_dial();
    rig.session.dial_failed(dial.number, DialFailed::transient("refused"), rig.now);
    rig.wait(secs(1));
    for _ in 0..3 {
        assert!(rig.session.next_step().is_none(), "the application has not heard that it failed");
        // The time of a dial that was not taken does not run.
        rig.wait(secs(100));
    }
    let Some(SessionStep::Dial(dial)) = rig.step() else { panic!("now it may") };
    assert_eq!((dial.number, rig.session.stats().dials_failed), (2, 1));
    assert_eq!(dial.until, Some(rig.now + secs(30)));
}

#[test]
fn the_connections_time_limits_are_those_of_the_session() {
    let mut config = config(1);
    config.connection_timeout = Some(secs(1));
    config.heartbeat_interval = Some(secs(2));
    config.heartbeat_timeout = None;
    config.connection = ClientConfig::default();
    config.connection.timeouts.close = secs(3);
    config.connection.limits.message = 4;
    let session = Session::new(config, Entropy::from_seed([7; 32]), Instant::ZERO);
    let connection = session.connection_config();
    let timeouts = connection.timeouts;
    assert_eq!(
        (timeouts.connect, timeouts.ping_interval, timeouts.pong),
        (Some(secs(1)), Some(secs(2)), None)
    );
    assert_eq!((timeouts.close, connection.limits.message), (secs(3), 4));
}

#[test]
fn time_that_runs_backwards_is_harmless() {
    let mut rig = Rig::new(|_| {});
    rig.wait(secs(100));
    rig.refuse();
    let due = rig.session.deadline().expect("it waits");
    assert!(due >= rig.now);
    rig.session.timeout(Instant::ZERO);
    rig.session.retry_now(Instant::ZERO);
    let (dial, _) = rig.next_dial();
    rig.session.dial_failed(dial.number, DialFailed::transient("refused"), Instant::ZERO);
    assert!(rig.session.deadline().expect("it waits") >= rig.now);
}

#[test]
fn closing_while_it_waits_ends_it_at_once() {
    let mut rig = Rig::new(|_| {});
    rig.session.send("left").expect("there is room");
    rig.refuse();
    rig.close();
    let SessionEvent::Closed(closed) = rig.terminal() else { panic!("{:?}", rig.events) };
    assert_eq!((closed.by, closed.queued), (Role::Client, 1));
    assert!(rig.step().is_none(), "no dial is under way that could be abandoned");
    assert_eq!(rig.session.take_queue().collect::<Vec<_>>(), [(0, "left".into())]);
}

#[test]
fn closing_during_a_dial_abandons_it() {
    let mut rig = Rig::new(|_| {});
    let (dial, _) = rig.next_dial();
    rig.close();
    assert!(matches!(rig.terminal(), SessionEvent::Closed(_)));
    assert!(matches!(rig.step(), Some(SessionStep::Abandon)));
    assert!(rig.step().is_none());
    assert!(!rig.session.connected(dial.number, ConnectedInfo::new(None, None), rig.now), "too late");
}

#[test]
fn closing_before_the_first_dial_was_taken_leaves_nothing_to_abandon() {
    let mut rig = Rig::new(|_| {});
    rig.close();
    assert!(matches!(rig.terminal(), SessionEvent::Closed(_)));
    assert!(rig.step().is_none());
}

#[test]
fn closing_a_connection_sends_what_is_queued_and_then_a_close_frame() {
    let mut rig = Rig::new(|_| {});
    rig.connect();
    for text in ["one", "two"] {
        rig.session.send(text).expect("there is room");
    }
    rig.close();
    assert_eq!(rig.session.state(), SessionState::Closing);
    assert!(!rig.session.has_room(0));
    let refused = rig.session.send("three").expect_err("it is closing");
    assert_eq!((refused.message, refused.reason), ("three".into(), SessionRefused::Closed));
    rig.server_answers_close(1000);
    let frames = rig.frames();
    assert_eq!(rig.texts(), ["one", "two"]);
    assert_eq!(frames[2].first, CLOSE);
    assert_eq!(frames[2].payload, b"\x03\xE8bye");
    let SessionEvent::Closed(closed) = rig.terminal() else { panic!("{:?}", rig.events) };
    assert_eq!((closed.by, closed.queued), (Role::Client, 0));
    let SessionEvent::Disconnected(last) = &rig.events[rig.events.len() - 2] else { panic!() };
    assert!(last.closed.is_clean() && last.unconfirmed.is_empty(), "its answer says that it has read all");
}

#[test]
fn a_server_that_closes_by_itself_at_the_same_time_has_perhaps_not_read_all() {
    let mut rig = Rig::new(|_| {});
    rig.connect();
    rig.session.send("perhaps").expect("there is room");
    rig.close();
    rig.server_answers_close(1001);
    let SessionEvent::Disconnected(last) = &rig.events[rig.events.len() - 2] else { panic!() };
    assert_eq!(last.unconfirmed.count, 1);
    assert!(matches!(rig.terminal(), SessionEvent::Closed(_)));
}

#[test]
fn a_server_that_does_not_read_does_not_keep_a_session_from_closing() {
    let mut rig = Rig::new(|config| config.heartbeat_interval = None);
    rig.connect();
    // More than the connection takes at once.
    for _ in 0..8 {
        rig.session.send("x".repeat(20_000)).expect("there is room");
    }
    rig.close();
    assert!(rig.session.queued() > 0, "some wait for the connection");
    assert_eq!(rig.session.deadline(), Some(rig.now + secs(5)));
    rig.tick(secs(5));
    assert_eq!(rig.session.deadline(), None);
    let connection = rig.connection.as_ref().expect("it is still there");
    assert_eq!(connection.state(), sansocket::State::Closing, "the Close frame is queued");
    rig.tick(Duration::ZERO);
    rig.tick(secs(5));
    assert!(rig.connection.is_none(), "the time for closing is over as well");
    let SessionEvent::Closed(closed) = rig.terminal() else { panic!("{:?}", rig.events) };
    assert_eq!(closed.queued, 8, "none was written");
    let SessionEvent::Disconnected(last) = &rig.events[rig.events.len() - 2] else { panic!() };
    assert_eq!(last.closed.cause, Cause::CloseTimeout(Role::Server));
}

#[test]
fn a_connection_that_is_lost_while_closing_is_not_replaced() {
    let mut rig = Rig::new(|_| {});
    rig.connect();
    rig.close();
    rig.cut();
    let SessionEvent::Closed(closed) = rig.terminal() else { panic!("{:?}", rig.events) };
    assert_eq!(closed.by, Role::Client);
}

#[test]
fn a_second_close_changes_nothing() {
    let mut rig = Rig::new(|_| {});
    rig.connect();
    rig.close();
    rig.session.close(CloseFrame::new(CloseCode::GOING_AWAY, "again").expect("it can be sent"), rig.now);
    rig.server_answers_close(1000);
    assert_eq!(rig.frames()[0].payload, b"\x03\xE8bye");
    rig.close();
    rig.terminal();
}

#[test]
fn after_the_end_every_call_is_without_effect() {
    let mut rig = Rig::new(|config| config.max_reconnect_attempts = Some(0));
    let (dial, _) = rig.next_dial();
    rig.session.dial_failed(dial.number, DialFailed::transient("refused"), rig.now);
    rig.terminal();
    let events = rig.events.len();
    rig.session.timeout(rig.now + secs(1));
    rig.session.retry_now(rig.now);
    rig.session.resumed();
    rig.session.dial_failed(dial.number, DialFailed::transient("again"), rig.now);
    assert!(!rig.session.connected(dial.number, ConnectedInfo::new(None, None), rig.now));
    assert_eq!(rig.session.send("x").expect_err("it has ended").reason, SessionRefused::Closed);
    assert_eq!(rig.session.send_first("x").expect_err("it has ended").reason, SessionRefused::NotResuming);
    rig.close();
    assert!(rig.step().is_none());
    assert_eq!(rig.events.len(), events);
    assert_eq!(rig.session.state(), SessionState::Ended);
}

#[test]
fn debug_shows_no_message() {
    let mut rig = Rig::new(|_| {});
    rig.session.send("a secret").expect("there is room");
    let shown = format!("{:?}", rig.session);
    assert!(shown.contains("Dialling") && !shown.contains("secret"), "{shown}");
}
