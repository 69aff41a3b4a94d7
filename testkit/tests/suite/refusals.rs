//! Replies to handshakes that fail: whole, also while the client is still sending, and never waited for without end.

use std::time::Duration;

use sansocket::{ClientRequest, Phase, Reject};
use sansocket_testkit::{Ended, Link, Network, Outcome, Script, Split};

use crate::support::{calm, code, ms, secs};

/// A head of so many bytes that goes on and on.
fn long_head(len: usize) -> Vec<u8> {
    let mut head = b"GET / HTTP/1.1\r\nHost: example.com\r\nX: ".to_vec();
    head.resize(len, b'x');
    head
}

fn rejecting() -> Network {
    calm(1).decide(|_| {
        let reject = Reject::new(503).field("Retry-After", "7").expect("it is a field");
        Err(reject.body("text/plain", vec![b'.'; 3_000]).expect("it is a type"))
    })
}

/// Whether these bytes are a whole reply with a body of the length that it says.
#[track_caller]
fn assert_whole(reply: &[u8], status: &str) {
    let text = String::from_utf8_lossy(reply);
    let (head, body) = text.split_once("\r\n\r\n").expect("the head is whole");
    assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
    let len = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).expect("it has a length");
    assert_eq!(len.parse(), Ok(body.len()));
}

#[test]
fn a_rejection_is_the_clients_error_however_it_travels() {
    for link in [
        Link::new(),
        Link::new().split(Split::EveryByte),
        Link::new().split(Split::Random).latency(ms(100)).jitter(ms(100)),
        Link::new().window(7).short_writes(3),
        Link::new().bandwidth(1_000).coalesce(ms(30)),
    ] {
        let mut pair = rejecting().both_ways(link.clone()).start();
        assert_eq!(pair.run(), Outcome::Quiet, "{link:?}");
        let error = pair.client.handshake_error().expect("it is rejected");
        assert_eq!((error.code(), error.status()), ("server-busy", Some(503)), "{link:?}");
        let response = error.response().expect("the head is whole");
        assert_eq!(response.field("Retry-After"), Some(&b"7"[..]), "{link:?}");
        let error = pair.server.handshake_error().expect("it rejected");
        assert_eq!((error.code(), error.phase(), error.status()), ("rejected", Phase::Deciding, Some(503)));
    }
}

#[test]
fn a_subprotocol_that_was_not_offered_makes_a_rejection() {
    let network = calm(1).decide(|_| Ok(sansocket::Accept::new().subprotocol("chat")));
    let error = network.open().expect_err("no client would take that");
    assert_eq!(error.server.map(|error| error.status()), Some(Some(500)));
    assert_eq!(error.client.map(|error| error.status()), Some(Some(500)));
    let request = ClientRequest::new("ws://example.com/").unwrap().subprotocol("chat").unwrap();
    assert!(network.request(request).open().is_ok());
}

#[test]
fn a_client_that_is_still_sending_gets_the_whole_reply() {
    // 64 KiB take six seconds; the server has seen enough after a quarter of them.
    for behind in [Script::new(), Script::new().wait(secs(1)).half_close()] {
        let link = Link::new().bandwidth(10_000).latency(ms(50)).split(Split::Every(1_000));
        let mut script = Script::new().send(long_head(64 * 1024));
        script = script.until("\r\n\r\n").until("\n");
        let mut sim = calm(1).both_ways(link).raw_client(script);
        sim.client.play(behind);
        assert_eq!(sim.run(), Outcome::Quiet);
        assert_eq!(code(&sim.server), "head-too-large");
        assert_whole(sim.client.received(), "431 ");
        assert_eq!(sim.client.ended(), Some(Ended::Eof), "and no reset");
    }
}

#[test]
fn a_client_that_never_stops_sending_is_left_in_the_end() {
    let script = Script::new().send(long_head(16_000_000)).wait(secs(100));
    // Quickly: it has sent too much.
    let mut quick = calm(1).to_server(Link::new().split(Split::Every(10_000))).raw_client(script.clone());
    assert!(quick.run_until(|sim| sim.client.ended() == Some(Ended::Reset)));
    assert_eq!(quick.elapsed(), Duration::ZERO);
    assert_whole(quick.client.received(), "431 ");
    // Slowly: the time for closing is over.
    let slow = Link::new().bandwidth(10_000).split(Split::Every(1_000));
    let mut slow = calm(1).to_server(slow).raw_client(script);
    assert!(slow.run_until(|sim| sim.client.ended() == Some(Ended::Reset)));
    assert!(slow.elapsed() >= secs(6) && slow.elapsed() < secs(7), "{:?}", slow.elapsed());
    assert_whole(slow.client.received(), "431 ");
}

#[test]
fn a_client_that_half_closed_behind_its_request_gets_the_whole_reply() {
    for link in [Link::new(), Link::new().window(10), Link::new().short_writes(10)] {
        let script = Script::new().send("GET / HTTP/1.0\r\nHost: example.com\r\n\r\n").half_close();
        let mut sim = calm(1).to_client(link.clone()).raw_client(script);
        assert_eq!(sim.run(), Outcome::Quiet);
        assert_eq!(code(&sim.server), "http-version");
        assert_whole(sim.client.received(), "505 ");
    }
}

#[test]
fn a_reply_that_nobody_takes_is_given_up_and_hides_nothing() {
    let script =
        Script::new().send("POST / HTTP/1.1\r\nHost: example.com\r\n\r\n").stop_reading().wait(secs(100));
    let mut sim = calm(1).to_client(Link::new().window(100)).traced().raw_client(script);
    sim.run();
    assert_eq!(code(&sim.server), "method-not-get");
    let trace = sim.trace().expect("it is traced").to_string();
    assert!(trace.contains("     5.000000000 server closes the connection\n"), "{trace}");
}

#[test]
fn a_client_that_resets_while_it_is_told_changes_nothing() {
    let script = Script::new().send("POST / HTTP/1.1\r\nHost: example.com\r\n\r\n").reset();
    let mut sim = calm(1).both_ways(Link::new().latency(ms(1))).raw_client(script);
    assert_eq!(sim.run(), Outcome::Quiet);
    assert_eq!((code(&sim.server), sim.elapsed() < secs(1)), ("method-not-get", true));
}

#[test]
fn who_does_not_speak_http_gets_no_reply() {
    for bytes in [&b"\x15\x03\x01\x00\x02\x02\x46"[..], b"SSH-2.0-x\r\n", b"\x00", b"\x05\x01\x00"] {
        let mut sim = calm(1).raw_client(Script::new().send(bytes).wait(secs(100)));
        sim.run_for(Duration::ZERO);
        assert_eq!((code(&sim.server), sim.client.received()), ("not-http", &b""[..]), "{bytes:?}");
        assert_eq!(sim.client.ended(), Some(Ended::Eof));
    }
}
