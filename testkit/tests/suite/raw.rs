//! What a raw peer promises: its script, step by step.

use sansocket::{Cause, Role, TransportError, Violation};
use sansocket_testkit::{Direction, Ended, Link, Outcome, Script, Seen};

use crate::support::{LAST, NANO, TEXT, calm, cause, frame, ms, secs, server_frames};

#[test]
fn a_raw_client_opens_a_connection_and_speaks_frames() {
    let hello = frame(Role::Client, TEXT, b"hello");
    let mut sim = calm(1).raw_client(Script::new().request().until("\r\n\r\n").send(&hello));
    sim.run();
    assert_eq!(sim.server.events(), ["hello"]);
    assert_eq!(sim.server.request().map(|request| request.target()), Some("/chat"));
    sim.server.send("hello yourself").unwrap();
    sim.run();
    assert_eq!(server_frames(sim.client.received_behind_head()), [(TEXT, b"hello yourself".to_vec())]);
}

#[test]
fn a_raw_server_accepts_and_speaks_frames() {
    let hello = frame(Role::Server, TEXT, b"hello");
    let mut sim = calm(1).raw_server(Script::new().accept().send(&hello));
    sim.run();
    assert!(sim.client.is_open());
    assert_eq!(sim.client.events(), ["hello"]);
}

#[test]
fn a_raw_server_does_not_accept_what_is_no_request() {
    let network = calm(1);
    let server = sansocket_testkit::RawEndpoint::new(Script::new().accept());
    let client = sansocket_testkit::RawEndpoint::new(Script::new().send("GET /\r\n\r\n"));
    let mut sim = network.join(client, server);
    sim.run();
    assert_eq!((sim.client.received(), sim.server.is_done()), (&b""[..], true));
}

#[test]
fn a_script_waits_for_time_and_for_bytes_in_its_order() {
    let client = Script::new().wait(ms(10)).send("ab").wait(ms(10)).send("ab");
    let server = Script::new().until("b").send("1").until("b").wait(ms(5)).send("2").until("b").send("3");
    let ends = [client, server].map(sansocket_testkit::RawEndpoint::new);
    let [client, server] = ends;
    let mut sim = calm(1).join(client, server);
    for (at, expected) in [(ms(10) - NANO, ""), (ms(10), "1"), (ms(25) - NANO, "1"), (ms(25), "12")] {
        sim.run_for(at - sim.elapsed());
        assert_eq!(sim.client.received(), expected.as_bytes(), "{at:?}");
    }
    assert_eq!((sim.run(), sim.server.is_done()), (Outcome::Quiet, false));
}

#[test]
fn an_answer_is_made_of_all_that_came() {
    let script = Script::new().until("!").answer(|received| received.iter().rev().copied().collect());
    let server = sansocket_testkit::RawEndpoint::new(script);
    let client = sansocket_testkit::RawEndpoint::new(Script::new().send("one ").wait(ms(1)).send("two!"));
    let mut sim = calm(1).join(client, server);
    sim.run();
    assert_eq!(sim.client.received(), b"!owt eno");
}

#[test]
fn half_close_close_and_reset_come_behind_the_bytes_and_are_told_apart() {
    let hello = frame(Role::Client, TEXT, b"hello");
    let script = || Script::new().request().send(&hello);
    for (script, expected) in [
        (script().half_close(), Cause::Eof(sansocket::Position::Boundary)),
        (script().close(), Cause::Eof(sansocket::Position::Boundary)),
        (script().reset(), Cause::Transport(TransportError::Reset)),
    ] {
        // A small window: the end must wait for the bytes.
        let mut sim = calm(1).to_server(Link::new().window(9)).raw_client(script);
        assert_eq!(sim.run(), Outcome::Quiet);
        assert_eq!(sim.server.events()[0], "hello");
        assert_eq!(cause(&sim.server), expected);
    }
}

#[test]
fn a_peer_that_stops_reading_fills_the_window() {
    let script = Script::new().request().until("\r\n\r\n").stop_reading().wait(secs(5)).start_reading();
    let mut sim = calm(1).to_client(Link::new().window(1_000)).raw_client(script);
    sim.run_for(ms(1));
    sim.server.send(vec![0; 5_000]).unwrap();
    sim.run_for(secs(1));
    assert_eq!((sim.on_the_way(Direction::ToClient), sim.server.queued()), (1_000, 4_004));
    sim.run();
    assert_eq!((sim.on_the_way(Direction::ToClient), sim.server.queued()), (0, 0));
    assert_eq!(sim.client.received_behind_head().len(), 5_004);
}

#[test]
fn more_can_be_played_later() {
    let mut sim = calm(1).raw_client(Script::new().request());
    sim.run();
    assert!(sim.client.is_done());
    sim.client.play(Script::new().send(frame(Role::Client, LAST, b"")).wait(secs(1)));
    sim.run_for(ms(1));
    assert_eq!(sim.server.events(), [Seen::Failed(Violation::UnexpectedContinuation.into())]);
    assert_eq!(sim.client.ended(), Some(Ended::Eof), "the server has half-closed, and reads on");
    sim.run();
    assert_eq!(cause(&sim.server), Cause::Failed(Violation::UnexpectedContinuation.into()));
}

#[test]
fn a_script_is_a_value() {
    let script = Script::new().request().until("\r\n\r\n").close();
    assert_eq!(format!("{script:?}").matches("send 161 bytes").count(), 1, "{script:?}");
    for _ in 0..2 {
        let mut sim = calm(1).raw_client(script.clone());
        sim.run();
        assert!(sim.server.is_open());
    }
}
