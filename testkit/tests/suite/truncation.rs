//! The opening handshake, cut at every byte of both sides, in every way: a documented error, and never a hang.

use std::time::Duration;

use sansocket::{Cause, Phase, Position, TransportError};
use sansocket_testkit::{Cut, Ended, Link, Network, Outcome, Script, Split};

use crate::support::{calm, cause, code, reply_of, request_of, secs};

const CUTS: [Cut; 3] = [Cut::Eof, Cut::Reset, Cut::Silence];
const SPLITS: [Split; 3] = [Split::Whole, Split::EveryByte, Split::Random];

/// The code of an end whose stream was cut `how` after `bytes` bytes of a head that is longer.
fn expected(how: Cut, bytes: usize) -> &'static str {
    match (how, bytes) {
        (Cut::Eof, 0) => "closed-before-first-byte",
        (Cut::Eof, _) => "closed-inside-head",
        (Cut::Reset, _) => "transport-failed",
        (Cut::Silence, _) => "timed-out",
    }
}

/// How long that takes it.
fn expected_time(how: Cut) -> Duration {
    if how == Cut::Silence { secs(10) } else { Duration::ZERO }
}

#[test]
fn a_request_that_is_cut_at_any_byte_is_named_by_both_ends() {
    let network = calm(1);
    let request = request_of(&network);
    for (len, how, split) in every_cut(request.len()) {
        let link = Link::new().split(split).cut_after(len as u64, how);
        let mut pair = network.clone().to_server(link).start();
        assert_eq!(pair.run(), Outcome::Quiet, "{len} {how:?} {split:?}");
        let error = pair.server.handshake_error().expect("the server's handshake fails");
        let phase = if len == 0 { Phase::AwaitingRequest } else { Phase::ReadingRequest };
        assert_eq!((error.code(), error.phase()), (expected(how, len), phase), "{len} {how:?}");
        assert_eq!((error.bytes(), error.elapsed()), (len as u64, expected_time(how)), "{len} {how:?}");
        let replies = how == Cut::Silence && len > 0;
        assert_eq!(error.status(), replies.then_some(408), "{len} {how:?}");
        // The client finds a server that has gone, or gives up in the same instant as the server.
        let error = pair.client.handshake_error().expect("the client's handshake fails");
        let expected = (expected(how, 0), Phase::AwaitingResponse, 0);
        assert_eq!((error.code(), error.phase(), error.bytes()), expected, "{len} {how:?}");
        // The end of the client's stream is silenced too, and whoever sends a reply waits for it.
        let linger = if replies { secs(5) } else { Duration::ZERO };
        assert_eq!(pair.elapsed(), expected_time(how) + linger, "{len} {how:?} {split:?}");
    }
}

#[test]
fn a_reply_that_is_cut_at_any_byte_is_named_by_both_ends() {
    let network = calm(1);
    let reply = reply_of(&network);
    for (len, how, split) in every_cut(reply.len()) {
        let link = Link::new().split(split).cut_after(len as u64, how);
        let mut pair = network.clone().to_client(link).start();
        assert_eq!(pair.run(), Outcome::Quiet, "{len} {how:?} {split:?}");
        let error = pair.client.handshake_error().expect("the client's handshake fails");
        let phase = if len == 0 { Phase::AwaitingResponse } else { Phase::ReadingResponse };
        assert_eq!((error.code(), error.phase()), (expected(how, len), phase), "{len} {how:?}");
        assert_eq!((error.bytes(), error.elapsed()), (len as u64, expected_time(how)), "{len} {how:?}");
        match (how, len) {
            // The reset came before the request.
            (Cut::Reset, 0) => assert_eq!(code(&pair.server), "transport-failed"),
            // For the server the connection was open, and the client has gone.
            (Cut::Reset, _) => assert_eq!(cause(&pair.server), Cause::Transport(TransportError::Reset)),
            _ => assert_eq!(cause(&pair.server), Cause::Eof(Position::Boundary), "{len} {how:?}"),
        }
        assert_eq!(pair.elapsed(), expected_time(how), "{len} {how:?} {split:?}");
    }
}

#[test]
fn a_request_that_is_cut_behind_its_last_byte_is_answered() {
    let network = Network::new(1);
    let len = request_of(&network).len() as u64;
    for how in CUTS {
        let mut pair = network.clone().to_server(Link::new().cut_after(len, how)).start();
        assert_eq!(pair.run(), Outcome::Quiet);
        assert!(pair.server.is_open(), "{how:?}");
        match how {
            Cut::Eof => assert_eq!(cause(&pair.server), Cause::Eof(Position::Boundary)),
            Cut::Reset => assert_eq!(cause(&pair.server), Cause::Transport(TransportError::Reset)),
            // Keepalive finds it.
            Cut::Silence => {
                assert_eq!((cause(&pair.server), pair.elapsed()), (Cause::PongTimeout, secs(40)));
            }
        }
        // The reset is there before the reply.
        assert_eq!(code(&pair.client), if how == Cut::Reset { "transport-failed" } else { "" });
    }
}

#[test]
fn a_reply_that_is_cut_behind_its_last_byte_opens_the_connection() {
    let network = Network::new(1);
    let len = reply_of(&network).len() as u64;
    for how in CUTS {
        let mut pair = network.clone().to_client(Link::new().cut_after(len, how)).start();
        assert_eq!(pair.run(), Outcome::Quiet);
        assert!(pair.client.is_open() && pair.server.is_open(), "{how:?}");
        let (client, server) = match how {
            Cut::Eof => (Cause::Eof(Position::Boundary), Cause::Eof(Position::Boundary)),
            Cut::Reset => {
                let reset = Cause::Transport(TransportError::Reset);
                (reset, reset)
            }
            // Neither's keepalive gets an answer: the server's Pings are lost, and so are its Pongs.
            Cut::Silence => (Cause::PongTimeout, Cause::PongTimeout),
        };
        assert_eq!((cause(&pair.client), cause(&pair.server)), (client, server), "{how:?}");
    }
}

#[test]
fn a_client_that_half_closes_inside_its_request_is_not_waited_for() {
    let request = request_of(&calm(1));
    for len in 0..request.len() {
        let mut sim = calm(1).raw_client(Script::new().send(&request[..len]).half_close());
        assert_eq!(sim.run(), Outcome::Quiet);
        assert_eq!(code(&sim.server), expected(Cut::Eof, len), "{len}");
        assert_eq!((sim.client.received(), sim.client.ended()), (&b""[..], Some(Ended::Eof)), "{len}");
    }
}

#[test]
fn a_client_that_closes_or_resets_while_the_server_decides_is_told_apart() {
    for (script, code) in [
        (Script::new().request().wait(secs(1)).half_close(), "closed-before-reply"),
        (Script::new().request().wait(secs(1)).close(), "closed-before-reply"),
        (Script::new().request().wait(secs(1)).reset(), "transport-failed"),
    ] {
        let mut sim = calm(1).decision_time(secs(3)).raw_client(script);
        assert_eq!(sim.run(), Outcome::Quiet);
        let error = sim.server.handshake_error().expect("the server's handshake fails");
        assert_eq!((error.code(), error.phase(), error.elapsed()), (code, Phase::Deciding, secs(1)));
        assert_eq!(error.reply(), None);
    }
}

#[test]
fn a_head_that_loses_its_tail_is_a_head_that_was_cut() {
    let request = request_of(&calm(1));
    for how in CUTS {
        for lost in 1..=request.len() {
            let link = Link::new().latency(secs(1)).lose_tail(lost, how);
            let script = Script::new().send(&request).half_close();
            let mut sim = calm(1).to_server(link).raw_client(script);
            assert_eq!(sim.run(), Outcome::Quiet);
            let left = request.len() - lost;
            assert_eq!(code(&sim.server), expected(how, left), "{lost} {how:?}");
            let bytes = sim.server.handshake_error().map(|error| error.bytes());
            assert_eq!(bytes, Some(left as u64), "{lost} {how:?}");
        }
    }
}

/// Every length below `len`, with every way to cut and to split.
fn every_cut(len: usize) -> impl Iterator<Item = (usize, Cut, Split)> {
    (0..len).flat_map(|len| {
        CUTS.into_iter().flat_map(move |how| SPLITS.into_iter().map(move |split| (len, how, split)))
    })
}
