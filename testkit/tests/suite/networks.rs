//! What a network and its endpoints promise to the test that uses them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use sansocket::{Accept, ClientRequest, Delivery, MessageKind, Reject, State};
use sansocket_testkit::{Cut, Endpoint, Link, Network, Script, Seen};

use crate::support::{calm, ms, secs};

#[test]
fn the_request_and_the_answer_are_the_tests_to_choose() {
    let request = ClientRequest::new("ws://chat.example/room?id=7").unwrap();
    let network = calm(1)
        .request(request.subprotocol("v2").unwrap().field("Origin", "https://example.com").unwrap())
        .decide(|request| {
            assert_eq!(request.field("origin"), Some(&b"https://example.com"[..]));
            Ok(Accept::new().subprotocol("v2"))
        });
    let pair = network.open().unwrap();
    let request = pair.server.request().expect("the server has it");
    assert_eq!((request.target(), request.host()), ("/room?id=7", "chat.example"));
    assert_eq!(pair.client.response().and_then(|response| response.subprotocol()), Some("v2"));
}

#[test]
fn a_decision_takes_its_time() {
    let pair = calm(1).decision_time(secs(7)).open().unwrap();
    assert_eq!(pair.elapsed(), secs(7));
}

#[test]
fn a_handshake_that_fails_is_told_from_both_ends() {
    let not_open = calm(1).decide(|_| Err(Reject::new(403))).open().expect_err("it is rejected");
    let text = not_open.to_string();
    assert!(text.contains("client: opening handshake failed: the server answered with 403"), "{text}");
    assert!(text.contains("server: opening handshake failed: the application rejected"), "{text}");
    let silent = calm(1).to_client(Link::new().cut_after(0, Cut::Silence));
    let not_open = silent.open().expect_err("no reply comes");
    assert_eq!((not_open.elapsed, not_open.server.is_none()), (secs(10), true));
    assert_eq!(not_open.client.map(|error| error.code()), Some("timed-out"));
}

#[test]
#[should_panic(expected = "there is no connection: the opening handshake is not done")]
fn a_command_before_the_handshake_is_a_fault_of_the_test() {
    let _ = calm(1).start().client.send("too early");
}

#[test]
#[should_panic(expected = "there is no connection: opening handshake failed: the server answered with 403")]
fn a_command_after_a_failed_handshake_is_a_fault_of_the_test() {
    let mut pair = calm(1).decide(|_| Err(Reject::new(403))).start();
    pair.run();
    let _ = pair.client.send("too late");
}

#[test]
fn nothing_moves_before_time_may_pass() {
    let mut pair = calm(1).open().unwrap();
    pair.client.send("wait").unwrap();
    assert!(pair.server.events().is_empty() && pair.client.queued() > 0);
    pair.run_for(Duration::ZERO);
    assert_eq!((pair.server.events().len(), pair.client.queued()), (1, 0));
}

#[test]
fn without_a_handshake_the_first_byte_is_that_of_a_frame() {
    let mut pair = calm(1).to_client(Link::new().cut_after(2, Cut::Silence)).without_handshake();
    pair.server.send("").unwrap();
    pair.server.send("lost").unwrap();
    pair.run_for(secs(1));
    assert_eq!(pair.client.events(), [""]);
}

#[test]
fn an_application_is_given_events_while_time_passes() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let mut pair = calm(1).both_ways(Link::new().latency(ms(10))).open().unwrap();
    let log = seen.clone();
    pair.client.on_event(move |connection, event| {
        log.borrow_mut().push((connection.state(), event));
    });
    pair.server.send("one").unwrap();
    pair.server.close(sansocket::CloseCode::NORMAL, "").unwrap();
    pair.run();
    let seen = seen.take();
    assert_eq!(seen[0], (State::Open, Seen::Text("one".into())));
    assert!(matches!(seen[1], (State::Closing, Seen::Close(_))));
    assert!(matches!(seen[2], (State::Closed, Seen::Closed(_))));
    assert_eq!((seen.len(), pair.client.events()), (3, &[][..]), "and keeps none of them");
    assert!(pair.client.closed().is_some_and(|closed| closed.is_clean()));
}

#[test]
fn chunks_can_be_asked_for() {
    let mut pair = calm(1).open().unwrap();
    pair.server.connection().set_delivery(Delivery::Chunks);
    pair.client.connection().send_fragment(MessageKind::Binary, b"12", false).unwrap();
    pair.client.connection().send_fragment(MessageKind::Binary, b"3", true).unwrap();
    pair.run_for(Duration::ZERO);
    let chunk = |data: &'static str, first, last| Seen::Chunk {
        kind: MessageKind::Binary,
        data: data.into(),
        first,
        frame_end: true,
        last,
    };
    assert_eq!(pair.server.take_events(), [chunk("12", true, false), chunk("3", false, true)]);
}

#[test]
fn a_network_can_be_used_again_and_again() {
    let network = calm(1).both_ways(Link::new().latency(ms(5)));
    for seed in 0..3 {
        let pair = network.clone().seed(seed).open().unwrap();
        assert_eq!(pair.elapsed(), ms(10));
    }
    let mut sim = network.join(Endpoint::client(&network), Endpoint::server(&network));
    assert!(sim.run_until(|sim| sim.client.is_open()));
    let mut sim = network.raw_client(Script::new().request());
    assert!(sim.run_until(|sim| sim.server.is_open()));
}

#[test]
fn an_hour_of_keepalive_is_a_moment() {
    let mut pair = Network::new(1).both_ways(Link::new().latency(ms(100))).open().unwrap();
    assert_eq!(pair.run(), sansocket_testkit::Outcome::TimeLimit);
    let pings =
        |end: &mut Endpoint| end.take_events().iter().filter(|seen| matches!(seen, Seen::Ping(_))).count();
    assert_eq!((pings(&mut pair.client), pings(&mut pair.server)), (180, 179));
}
