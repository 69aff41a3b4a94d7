//! When there is no other attempt, and what is said about those that were made.

use sansocket::{DialFailed, GaveUpReason, Role, SessionConfig, SessionEvent, Setback};

use crate::rig::{Rig, secs};

/// Fails until the session gives up; says why, and how many dials there were.
fn give_up(rig: &mut Rig) -> (GaveUpReason, u64) {
    for _ in 0..1000 {
        rig.refuse();
        if let SessionEvent::GaveUp(gave_up) = rig.last().clone() {
            rig.terminal();
            return (gave_up.why, rig.session.stats().dials);
        }
    }
    panic!("it has not given up after 1000 dials");
}

#[test]
fn the_first_dial_is_no_reconnect_attempt() {
    for max in [0, 1, 5] {
        let mut rig = Rig::new(|config| config.max_reconnect_attempts = Some(max));
        let expected = (GaveUpReason::TooManyAttempts { max }, 1 + u64::from(max));
        assert_eq!(give_up(&mut rig), expected);
    }
}

#[test]
fn after_a_stable_connection_the_attempts_are_counted_anew() {
    for max in [0, 1, 5] {
        let mut rig = Rig::new(|config| config.max_reconnect_attempts = Some(max));
        rig.connect();
        rig.tick(secs(10));
        rig.cut();
        if max == 0 {
            assert!(matches!(rig.terminal(), SessionEvent::GaveUp(_)));
            continue;
        }
        let expected = (GaveUpReason::TooManyAttempts { max }, 1 + u64::from(max));
        assert_eq!(give_up(&mut rig), expected);
    }
}

#[test]
fn a_server_that_drops_what_it_accepts_does_not_start_the_count_again() {
    let mut rig = Rig::new(|config| config.max_reconnect_attempts = Some(5));
    for _ in 0..6 {
        rig.connect();
        rig.tick(secs(9));
        rig.cut();
    }
    let SessionEvent::GaveUp(gave_up) = rig.terminal() else { panic!("{:?}", rig.events) };
    assert_eq!(gave_up.why, GaveUpReason::TooManyAttempts { max: 5 });
    assert_eq!(gave_up.attempts.count(), 6);
    let all_lost = gave_up.attempts.iter().all(|attempt| matches!(attempt.setback, Setback::Lost(_)));
    assert!(all_lost && gave_up.attempts.iter().all(|attempt| attempt.took == secs(9)));
}

#[test]
fn without_auto_reconnect_the_session_ends_with_its_connection() {
    let mut rig = Rig::new(|config| config.auto_reconnect = false);
    rig.connect();
    rig.tick(secs(100));
    rig.cut();
    let SessionEvent::GaveUp(gave_up) = rig.terminal() else { panic!("{:?}", rig.events) };
    assert_eq!(gave_up.why, GaveUpReason::NoReconnect);
    assert_eq!(gave_up.attempts.count(), 1, "the loss that ended it");
}

#[test]
fn without_auto_reconnect_each_server_is_tried_once() {
    let mut rig = Rig::with(3, 7, |config| config.auto_reconnect = false);
    assert_eq!([0; 3].map(|_| rig.refuse().0), [0, 1, 2]);
    let SessionEvent::GaveUp(gave_up) = rig.terminal() else { panic!("{:?}", rig.events) };
    assert_eq!((gave_up.why, gave_up.attempts.count()), (GaveUpReason::NoReconnect, 3));
}

#[test]
fn without_a_server_there_is_nothing_to_do() {
    let mut rig = Rig::with(0, 7, |_| {});
    assert!(rig.step().is_none());
    let SessionEvent::GaveUp(gave_up) = rig.terminal() else { panic!("{:?}", rig.events) };
    assert_eq!(gave_up.why, GaveUpReason::NoServer);
    assert_eq!(gave_up.to_string(), "gave up: no server is configured; messages left in the queue: 0");
}

#[test]
fn a_server_that_is_done_ends_the_session_without_blame() {
    let mut rig = Rig::new(|_| {});
    rig.connect();
    rig.server_closes(1000);
    let SessionEvent::Closed(closed) = rig.terminal() else { panic!("{:?}", rig.events) };
    assert_eq!(closed.by, Role::Server);
    let before = &rig.events[rig.events.len() - 2];
    assert!(matches!(before, SessionEvent::Disconnected(_)), "{before:?}");
}

#[test]
fn a_close_code_that_is_final_ends_the_session_with_it() {
    let mut rig = Rig::new(|_| {});
    rig.connect();
    rig.tick(secs(100));
    rig.server_closes(1008);
    let SessionEvent::GaveUp(gave_up) = rig.terminal() else { panic!("{:?}", rig.events) };
    assert_eq!(gave_up.why, GaveUpReason::AllRefused);
    let last = gave_up.attempts.last().expect("the loss is among the attempts");
    let Setback::Lost(closed) = &last.setback else { panic!("{last:?}") };
    assert_eq!(closed.received.as_ref().map(|frame| frame.code().0), Some(1008));
}

#[test]
fn what_was_tried_before_the_last_stable_connection_is_no_part_of_it() {
    let mut rig = Rig::new(|config| config.max_reconnect_attempts = Some(2));
    rig.refuse();
    rig.connect();
    rig.tick(secs(10));
    rig.cut();
    rig.refuse();
    rig.refuse();
    let SessionEvent::GaveUp(gave_up) = rig.terminal() else { panic!("{:?}", rig.events) };
    let numbers: Vec<_> = gave_up.attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [2, 3, 4], "the connection that was lost, and the dials after it");
}

#[test]
fn the_first_and_the_last_eight_attempts_are_told_and_how_many_there_were() {
    for (dials, listed, left_out) in
        [(1, 1, 0), (8, 8, 0), (9, 9, 0), (16, 16, 0), (17, 16, 1), (900, 16, 884)]
    {
        let mut rig = Rig::new(|config| config.max_reconnect_attempts = Some(dials - 1));
        for n in 1..=dials {
            rig.fail(DialFailed::transient(format!("failure {n}")));
        }
        let SessionEvent::GaveUp(gave_up) = rig.terminal() else { panic!("{:?}", rig.events) };
        let attempts = &gave_up.attempts;
        assert_eq!((attempts.count(), attempts.left_out()), (u64::from(dials), left_out));
        let numbers: Vec<_> = attempts.iter().map(|attempt| attempt.number).collect();
        assert_eq!(numbers.len(), listed, "of {dials}");
        let first = numbers.iter().copied().take(8);
        assert!(first.eq(1..=u64::from(dials.min(8))), "of {dials}: {numbers:?}");
        assert_eq!(numbers.last().copied(), Some(u64::from(dials)));
        for attempt in attempts.iter() {
            assert_eq!(attempt.setback.to_string(), format!("failure {}", attempt.number));
        }
        let text = gave_up.report();
        assert_eq!(text.contains("more)"), left_out > 0, "{text}");
        // Why, what is left in the queue, and what came of the server.
        assert_eq!(text.lines().count(), 3 + listed + usize::from(left_out > 0), "{text}");
    }
}

#[test]
fn the_text_is_for_who_is_called_at_night() {
    let limit = |config: &mut SessionConfig| config.max_reconnect_attempts = Some(1);
    let mut rig = Rig::with(2, 7, limit);
    rig.refuse();
    rig.next_dial();
    rig.wait(secs(30));
    assert!(matches!(rig.step(), Some(sansocket::SessionStep::Abandon)));
    let SessionEvent::GaveUp(gave_up) = rig.terminal() else { panic!("{:?}", rig.events) };
    assert_eq!(
        gave_up.to_string(),
        "gave up: max_reconnect_attempts is 1, and so many were made; \
         ws://s0.example/ (tried once): connection refused; \
         ws://s1.example/ (tried once): no connection within 30 s, which is connection_timeout; \
         messages left in the queue: 0",
    );
    assert_eq!(
        gave_up.report(),
        "Gave up: max_reconnect_attempts is 1, and so many were made.\n  \
           queued    messages left in the queue: 0\n  \
           server    ws://s0.example/ (tried once): connection refused\n  \
           server    ws://s1.example/ (tried once): no connection within 30 s, which is connection_timeout\n  \
           attempt   dial 1, to ws://s0.example/, 0 ms: connection refused\n  \
           attempt   dial 2, to ws://s1.example/, 30 s: no connection within 30 s, which is connection_timeout\n",
    );
}

#[test]
fn what_came_of_each_server_is_told_once() {
    let mut rig = Rig::with(6, 7, |config| config.max_reconnect_attempts = Some(7));
    rig.fail(DialFailed::permanent("401"));
    for _ in 0..7 {
        rig.refuse();
    }
    let SessionEvent::GaveUp(gave_up) = rig.terminal() else { panic!("{:?}", rig.events) };
    let told: Vec<_> =
        gave_up.servers.iter().map(|server| (server.server, server.attempts, server.left_out)).collect();
    let twice = |server| (server, 2, false);
    let once = |server| (server, 1, false);
    assert_eq!(told, [(0, 1, true), twice(1), twice(2), once(3), once(4), once(5)]);
    let text = gave_up.to_string();
    assert!(text.contains("; ws://s0.example/ (tried once, then left out): 401; "), "{text}");
    assert!(text.contains("; ws://s1.example/ (tried 2 times): connection refused; "), "{text}");
    assert!(text.contains("; and 2 more servers; ") && !text.contains("s4"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(gave_up.report().contains("ws://s5.example/ (tried once)"));
}

#[test]
fn what_came_of_servers_before_a_stable_connection_is_forgotten() {
    let mut rig = Rig::with(2, 7, |config| config.max_reconnect_attempts = Some(0));
    rig.connect();
    rig.tick(secs(10));
    rig.cut();
    let SessionEvent::GaveUp(gave_up) = rig.terminal() else { panic!("{:?}", rig.events) };
    let [lost] = &gave_up.servers[..] else { panic!("{:?}", gave_up.servers) };
    assert_eq!((lost.server, lost.attempts), (0, 1));
    assert!(matches!(lost.setback, Setback::Lost(_)));
}
