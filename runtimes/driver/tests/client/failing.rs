//! Dials that fail: another server, another try, or the end.

use std::io;

use sansocket::{ClientRequest, GaveUpReason, SessionEvent, SessionState, Setback};

use crate::SECOND;
use crate::rig::{
    Tcp, accept, accept_tcp, address, builder, connected, events, later, names, next_attempt, reject, set,
    url,
};
use crate::script::{done, pass, waits};

#[test]
fn another_server_takes_over() {
    set(1, Tcp::Refuses);
    let mut client = builder(2).build().unwrap();
    let failed = events(&mut client);
    let Some(SessionEvent::Reconnecting(next)) = failed.last() else { panic!("{failed:?}") };
    assert_eq!((next.attempt, next.server), (1, 1));
    assert!(next.why.to_string().contains("refused"), "{}", next.why);
    next_attempt(&mut client, &failed);
    assert_eq!(accept().address, address(2));
    assert_eq!(names(&events(&mut client)), ["connected"]);
}

#[test]
fn it_gives_up_with_all_attempts() {
    set(1, Tcp::Refuses);
    set(2, Tcp::Refuses);
    let mut client = builder(2).max_reconnect_attempts(3).build().unwrap();
    for _ in 0..3 {
        waits(client.recv());
        // The longest that a delay is without a word of the server's.
        pass(30 * SECOND);
    }
    let gave_up = done(client.recv()).unwrap_err();
    assert_eq!(gave_up.why, GaveUpReason::TooManyAttempts { max: 3 });
    let servers: Vec<_> = gave_up.attempts.iter().map(|attempt| attempt.server).collect();
    assert_eq!(servers, [0, 1, 0, 1]);
    let listed = gave_up.to_string();
    assert!(listed.contains("192.0.2.1:80") && listed.contains("192.0.2.2:80"), "{listed}");
    assert_eq!(listed.lines().count(), 1, "{listed}");
    let report = gave_up.report();
    assert_eq!(report.matches("\n  attempt   dial ").count(), 4, "{report}");
    assert_eq!(report.matches("\n  advice    Look whether the server runs").count(), 2, "{report}");
    assert_eq!(done(client.recv()).unwrap(), None, "it is said once");
}

#[test]
fn without_servers_it_gives_up_at_once() {
    let mut client = builder(0).build().unwrap();
    assert_eq!(done(client.recv()).unwrap_err().why, GaveUpReason::NoServer);
}

#[test]
fn auto_reconnect_off_ends_with_the_connection() {
    let (mut client, server) = connected(builder(1).auto_reconnect(false));
    server.kill();
    assert_eq!(names(&events(&mut client)), ["disconnected", "gave up"]);
}

#[test]
fn a_dial_that_takes_too_long_says_where() {
    set(1, Tcp::Hangs);
    let mut client = builder(1).connection_timeout(5 * SECOND).build().unwrap();
    assert!(events(&mut client).is_empty());
    assert!(later(&mut client, 4 * SECOND).is_empty());
    let failed = later(&mut client, SECOND);
    let Some(SessionEvent::Reconnecting(next)) = failed.last() else { panic!("{failed:?}") };
    let Setback::Failed(error) = &next.why else { panic!("{}", next.why) };
    let error = error.dial_error().expect("the error of the dial");
    assert_eq!(error.attempts().len(), 1, "{error}");
    let expected = "5 s, which is connection_timeout, were over in the step connect of 192.0.2.1:80";
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn a_server_that_never_answers_the_handshake_is_named_too() {
    let mut client = builder(1).connection_timeout(5 * SECOND).build().unwrap();
    events(&mut client);
    let (_, peer) = accept_tcp();
    let failed = later(&mut client, 5 * SECOND);
    let Some(SessionEvent::Reconnecting(next)) = failed.last() else { panic!("{failed:?}") };
    let Setback::Failed(error) = &next.why else { panic!("{}", next.why) };
    assert_eq!(error.handshake_error().expect("a handshake").code(), "timed-out", "{error}");
    assert!(error.to_string().contains("; that was left of 5 s, which is connection_timeout ("), "{error}");
    assert!(peer.wire().dropped);
}

#[test]
fn retry_after_is_waited_for() {
    let mut client = builder(1).build().unwrap();
    events(&mut client);
    reject(503, "Retry-After: 120\r\n");
    let refused = events(&mut client);
    let Some(SessionEvent::Reconnecting(next)) = refused.last() else { panic!("{refused:?}") };
    assert!(next.delay >= 120 * SECOND, "{:?}", next.delay);
    assert_eq!((next.why.retry_after(), next.why.code()), (Some(120 * SECOND), "server-busy"));
    client.retry_now();
    assert!(events(&mut client).is_empty(), "the server has asked for it");
    assert_eq!(client.state(), SessionState::Waiting);
    next_attempt(&mut client, &refused);
    accept();
}

#[test]
fn a_refusal_for_good_ends_it_unless_there_is_another_request() {
    let mut client = builder(1).build().unwrap();
    events(&mut client);
    reject(401, "");
    let refused = events(&mut client);
    assert_eq!(names(&refused), ["gave up"]);

    let mut client = builder(2).build().unwrap();
    events(&mut client);
    reject(401, "");
    let refused = events(&mut client);
    client.set_request(0, ClientRequest::new(&url(3)).unwrap());
    set(2, Tcp::Refuses);
    let again = next_attempt(&mut client, &refused);
    next_attempt(&mut client, &again);
    assert_eq!(accept().address, address(3));
}

#[test]
fn a_transport_error_inside_of_the_handshake_is_one_setback() {
    let mut client = builder(1).build().unwrap();
    events(&mut client);
    let (_, peer) = accept_tcp();
    peer.end(Err(io::ErrorKind::ConnectionReset.into()));
    assert_eq!(names(&events(&mut client)), ["reconnecting"]);
    assert_eq!(client.stats().dials_failed, 1);
}
