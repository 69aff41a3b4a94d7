//! Which server is next.

use core::time::Duration;

use sansocket::{ClientRequest, DialFailed, GaveUpReason, Pace, SessionEvent, Verdict};

use crate::rig::{Rig, millis, secs};

#[test]
fn servers_are_tried_in_turn_and_then_from_the_first_again() {
    let mut rig = Rig::with(3, 7, |_| {});
    let tried: Vec<_> = (0..7).map(|_| rig.refuse().0).collect();
    assert_eq!(tried, [0, 1, 2, 0, 1, 2, 0]);
}

#[test]
fn the_ceiling_grows_when_all_servers_were_tried() {
    let mut longest = [Duration::ZERO; 9];
    for seed in 0..=255 {
        let mut rig = Rig::with(3, seed, |_| {});
        rig.refuse();
        for longest in &mut longest {
            *longest = (*longest).max(rig.refuse().1);
        }
    }
    for (longest, ceiling) in longest.into_iter().zip([500, 500, 500, 1000, 1000, 1000, 2000, 2000, 2000]) {
        assert!(longest <= millis(ceiling) && longest > millis(ceiling) * 9 / 10, "{longest:?} of {ceiling}");
    }
}

#[test]
fn after_a_stable_connection_the_same_server_comes_first() {
    let mut rig = Rig::with(3, 7, |_| {});
    rig.refuse();
    assert_eq!(rig.connect(), 1);
    rig.tick(secs(10));
    rig.cut();
    assert_eq!(rig.refuse().0, 1);
    assert_eq!(rig.refuse().0, 2);
}

#[test]
fn after_a_connection_that_did_not_last_the_next_server_comes() {
    let mut rig = Rig::with(3, 7, |_| {});
    assert_eq!(rig.connect(), 0);
    rig.tick(secs(9));
    rig.cut();
    assert_eq!(rig.connect(), 1);
}

#[test]
fn a_server_that_refuses_for_good_is_not_asked_again_until_there_was_a_stable_connection() {
    let mut rig = Rig::with(3, 7, |_| {});
    rig.refuse();
    rig.fail(DialFailed::permanent("404"));
    let tried: Vec<_> = (0..4).map(|_| rig.refuse().0).collect();
    assert_eq!(tried, [2, 0, 2, 0]);
    assert_eq!(rig.connect(), 2);
    rig.tick(secs(10));
    rig.cut();
    let tried: Vec<_> = (0..4).map(|_| rig.refuse().0).collect();
    assert_eq!(tried, [2, 0, 1, 2], "what was refused an hour ago may be allowed now");
}

#[test]
fn a_server_that_is_left_out_is_announced_as_such() {
    let mut rig = Rig::with(2, 7, |_| {});
    rig.refuse();
    rig.fail(DialFailed::permanent("403"));
    rig.refuse();
    let told: Vec<_> = rig
        .events
        .iter()
        .map(|event| match event {
            SessionEvent::Reconnecting(next) => (next.failed, next.left_out, next.server),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, [(0, false, 1), (1, true, 0), (0, false, 0)]);
    let texts: Vec<_> = rig.events.iter().map(ToString::to_string).collect();
    let begins = |at: usize, text: &str| assert!(texts[at].starts_with(text), "{}", texts[at]);
    begins(0, "ws://s0.example/: connection refused; next is attempt 1, at ws://s1.example/ in ");
    begins(1, "ws://s1.example/ is left out from now on: 403; next is attempt 2, at ws://s0.example/ in ");
}

#[test]
fn a_connection_that_ends_with_a_final_code_leaves_its_server_out() {
    let mut rig = Rig::with(2, 7, |_| {});
    rig.connect();
    rig.tick(secs(100));
    rig.server_closes(1008);
    let SessionEvent::Reconnecting(next) = rig.last() else { panic!("{:?}", rig.events) };
    assert_eq!((next.failed, next.left_out, next.server), (0, true, 1));
    assert_eq!((next.why.code(), next.why.close_code().map(|code| code.0)), ("closed", Some(1008)));
}

#[test]
fn the_session_gives_up_when_no_server_is_left() {
    let mut rig = Rig::with(2, 7, |_| {});
    rig.fail(DialFailed::permanent("401"));
    rig.refuse();
    rig.fail(DialFailed::permanent("403"));
    let SessionEvent::GaveUp(gave_up) = rig.terminal() else { panic!("{:?}", rig.events) };
    assert_eq!(gave_up.why, GaveUpReason::AllRefused);
    let tried: Vec<_> = gave_up.attempts.iter().map(|attempt| attempt.setback.to_string()).collect();
    assert_eq!(tried, ["401", "connection refused", "403"]);
}

#[test]
fn a_server_that_wants_to_be_left_alone_is_passed_over() {
    let busy = || DialFailed::judged(Verdict::Retry(Pace::After(secs(60))), "busy");
    let mut rig = Rig::with(2, 7, |_| {});
    rig.fail(busy());
    let mut tried = Vec::new();
    while rig.now.since(sansocket::Instant::ZERO) < secs(59) {
        let (server, _) = rig.refuse();
        if rig.now.since(sansocket::Instant::ZERO) < secs(60) {
            tried.push(server);
        }
    }
    assert!(tried.len() > 5 && tried.iter().all(|server| *server == 1), "{tried:?}");
}

#[test]
fn if_all_want_to_be_left_alone_the_first_that_may_be_asked_is() {
    let mut rig = Rig::with(3, 7, |_| {});
    for time in [90, 30, 60] {
        rig.fail(DialFailed::judged(Verdict::Retry(Pace::After(secs(time))), "busy"));
    }
    let (dial, waited) = rig.next_dial();
    assert_eq!(dial.server, 1);
    assert!(waited > secs(28) && waited < secs(31), "{waited:?}");
}

#[test]
fn another_request_is_used_from_the_next_dial_on_and_tried_where_the_old_one_was_refused() {
    let mut rig = Rig::with(2, 7, |_| {});
    rig.fail(DialFailed::permanent("401"));
    let (dial, _) = rig.next_dial();
    let request = ClientRequest::new("ws://s0.example/?token=2").expect("a URL");
    rig.session.set_request(0, request);
    rig.session.set_request(2, ClientRequest::new("ws://nowhere.example/").expect("a URL"));
    rig.session.dial_failed(dial.number, DialFailed::transient("refused"), rig.now);
    let (dial, _) = rig.next_dial();
    assert_eq!((dial.server, dial.request.url().resource_name()), (0, "/?token=2"));
}
