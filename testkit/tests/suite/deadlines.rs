//! Every time limit, just below, at and just above, with real bytes on the way.
//!
//! Bytes that arrive in the instant of a deadline come before it, as with a driver that reads before it looks at the clock.

use std::time::Duration;

use sansocket::{Cause, CloseCode, Phase, Role, Timeouts};
use sansocket_testkit::{Endpoint, Link, Network, Outcome, RawEndpoint, Script, Sim};

use crate::support::{CLOSE, FIRST, LAST, NANO, PING, TEXT, calm, cause, close_payload, code};
use crate::support::{frame, ms, reply_of, request_of, secs};

/// A point of time just below a limit, at it, and just above it; and whether it is in time.
fn around(limit: Duration) -> [(Duration, bool); 3] {
    [(limit - NANO, true), (limit, true), (limit + NANO, false)]
}

/// A network with these time limits for the server, and none but those for closing and the handshake for the client.
fn server_with(change: impl Fn(&mut Timeouts)) -> Network {
    let network = calm(1);
    let mut config = sansocket::ServerConfig::default();
    config.timeouts.ping_interval = None;
    change(&mut config.timeouts);
    network.server_config(config)
}

#[test]
fn a_request_is_complete_in_time_or_answered_with_408() {
    let request = request_of(&calm(1));
    for limit in [ms(1), secs(10)] {
        let network = server_with(|timeouts| timeouts.handshake = Some(limit));
        for border in [1, 16, request.len() - 1] {
            for (at, in_time) in around(limit) {
                let (begin, rest) = request.split_at(border);
                let script = Script::new().send(begin).wait(at).send(rest);
                let mut sim = network.raw_client(script);
                sim.run_for(at);
                assert_eq!(sim.server.is_open(), in_time, "{at:?}, split at {border}");
                if !in_time {
                    let error = sim.server.handshake_error().expect("it failed");
                    assert_eq!((error.code(), error.phase()), ("timed-out", Phase::ReadingRequest));
                    assert_eq!((error.bytes(), error.elapsed()), (border as u64, limit));
                    assert!(sim.client.received().starts_with(b"HTTP/1.1 408 Request Timeout\r\n"));
                }
            }
        }
    }
}

#[test]
fn a_client_that_stays_silent_is_left_without_a_word() {
    let mut sim = calm(1).raw_client(Script::new());
    assert_eq!(sim.run(), Outcome::Quiet);
    assert_eq!((code(&sim.server), sim.elapsed()), ("timed-out", secs(10)));
    assert_eq!(sim.client.received(), b"");
}

#[test]
fn a_client_that_does_not_take_its_408_is_left_after_the_time_for_closing() {
    // It never ends its own stream.
    let script = Script::new().send("GET").wait(secs(100));
    let mut sim = calm(1).raw_client(script);
    assert_eq!(sim.run(), Outcome::Quiet);
    assert!(sim.client.received().starts_with(b"HTTP/1.1 408 "));
    let trace = calm(1).traced();
    let mut sim = trace.raw_client(Script::new().send("GET").wait(secs(100)));
    sim.run();
    let trace = sim.trace().expect("it is traced").to_string();
    assert!(trace.contains("    15.000000000 server closes the connection\n"), "{trace}");
}

#[test]
fn a_reply_is_complete_in_time_or_the_client_gives_up() {
    let reply = reply_of(&calm(1));
    for limit in [ms(1), secs(10)] {
        let network = calm(1).both_configs(|_, timeouts| timeouts.handshake = Some(limit));
        for border in [0, 1, reply.len() - 1] {
            for (at, in_time) in around(limit) {
                let (begin, rest) = reply.split_at(border);
                let mut sim = network.raw_server(Script::new().send(begin).wait(at).send(rest));
                sim.run_for(at);
                assert_eq!(sim.client.is_open(), in_time, "{at:?}, split at {border}");
                if !in_time {
                    let error = sim.client.handshake_error().expect("it failed");
                    assert_eq!((error.code(), error.bytes()), ("timed-out", border as u64));
                    assert_eq!(error.elapsed(), limit);
                }
            }
        }
    }
}

#[test]
fn the_time_for_the_handshake_ends_with_the_request() {
    let network = calm(1).both_configs(|_, timeouts| timeouts.handshake = Some(secs(1)));
    let mut sim = network.decision_time(secs(3)).raw_client(Script::new().request());
    sim.run_for(secs(3) - NANO);
    assert_eq!((sim.server.is_open(), code(&sim.server)), (false, ""));
    sim.run_for(NANO);
    assert!(sim.server.is_open(), "the application takes its own time");
}

#[test]
fn no_limit_for_the_handshake_waits_for_ever() {
    let network = calm(1).both_configs(|_, timeouts| timeouts.handshake = None);
    let mut sim = network.raw_client(Script::new().send("GET"));
    sim.run_for(secs(1_000_000));
    assert_eq!(code(&sim.server), "");
    let mut sim = network.raw_server(Script::new());
    sim.run_for(secs(1_000_000));
    assert_eq!(code(&sim.client), "");
}

#[test]
fn a_pong_in_time_keeps_the_connection_and_a_late_one_does_not() {
    let network = server_with(|timeouts| {
        (timeouts.ping_interval, timeouts.pong) = (Some(secs(20)), Some(secs(10)));
    });
    for (round_trip, in_time) in around(secs(10)) {
        let there = round_trip / 3;
        let network = network
            .clone()
            .to_client(Link::new().latency(there))
            .to_server(Link::new().latency(round_trip - there));
        let mut pair = network.without_handshake();
        pair.run_for(secs(100));
        match in_time {
            true => assert_eq!(pair.server.closed(), None, "{round_trip:?}"),
            false => assert_eq!(cause(&pair.server), Cause::PongTimeout, "{round_trip:?}"),
        }
        if !in_time {
            assert!(!pair.run_until(|_| false));
            let received = pair.client.closed().and_then(|closed| closed.received.as_ref());
            let code = received.map(|frame| frame.code());
            assert_eq!(code, Some(CloseCode::INTERNAL_ERROR), "the client is told why");
        }
    }
}

#[test]
fn a_peer_that_is_gone_is_found_at_the_same_time_whoever_sent_last() {
    for role in [Role::Client, Role::Server] {
        let mut pair = Network::new(1).both_ways(Link::new().latency(ms(50))).open().unwrap();
        let opened = pair.elapsed();
        pair.run_for(secs(3));
        pair.cut(sansocket_testkit::Direction::ToServer, sansocket_testkit::Cut::Silence);
        pair.cut(sansocket_testkit::Direction::ToClient, sansocket_testkit::Cut::Silence);
        if role == Role::Client {
            pair.client.send("anybody there?").unwrap();
        } else {
            pair.server.send("anybody there?").unwrap();
        }
        assert_eq!(pair.run(), Outcome::Quiet);
        assert_eq!((cause(&pair.client), cause(&pair.server)), (Cause::PongTimeout, Cause::PongTimeout));
        assert!(pair.elapsed() <= opened + secs(40) && pair.elapsed() >= secs(40), "{:?}", pair.elapsed());
    }
}

#[test]
fn a_byte_in_time_keeps_a_connection_from_being_idle() {
    let network = server_with(|timeouts| timeouts.idle = Some(secs(8)));
    for (gap, in_time) in around(secs(8)) {
        // The first comes at an eighth of the limit, when the server looks.
        let text = frame(Role::Client, TEXT, b"");
        let script = Script::new().request().wait(secs(1)).send(&text).wait(gap).send(&text);
        let mut sim = network.raw_client(script);
        sim.run_for(secs(1) + gap);
        assert_eq!(sim.server.closed().is_none(), in_time, "{gap:?}");
        if !in_time {
            assert_eq!((cause(&sim.server), sim.server.events().len()), (Cause::IdleTimeout, 2));
        }
    }
}

#[test]
fn an_idle_connection_ends_within_an_eighth_of_the_limit() {
    for limit in [ms(8), secs(30), secs(333)] {
        let network = server_with(|timeouts| timeouts.idle = Some(limit));
        for part in 0..40 {
            let last = limit * part / 16;
            let script = (0..=part).fold(Script::new().request(), |script, _| {
                script.send(frame(Role::Client, PING, b"")).wait(limit / 16)
            });
            let end = ended_at(&mut network.raw_client(script));
            assert!(
                end >= last + limit && end <= last + limit * 9 / 8 + NANO,
                "{last:?}: {end:?} of {limit:?}"
            );
        }
    }
}

#[test]
fn a_message_is_complete_in_time_or_ends_the_connection() {
    let network = server_with(|timeouts| timeouts.message = Some(secs(8)));
    let rest = frame(Role::Client, LAST, b"");
    let whole = frame(Role::Client, TEXT, b"in one frame");
    for (begin, rest) in [(&frame(Role::Client, FIRST, b"part")[..], &rest[..]), whole.split_at(7)] {
        for (at, in_time) in around(secs(8)) {
            let script = Script::new().request().wait(secs(1)).send(begin).wait(at).send(rest);
            let mut sim = network.raw_client(script);
            sim.run_for(secs(1) + at);
            assert_eq!(sim.server.closed().is_none() && sim.server.events().len() == 1, in_time, "{at:?}");
            if !in_time {
                sim.run();
                assert_eq!(cause(&sim.server), Cause::MessageTimeout);
            }
        }
    }
}

#[test]
fn an_unfinished_message_ends_the_connection_within_an_eighth_of_the_limit() {
    let limit = secs(16);
    let network = server_with(|timeouts| timeouts.message = Some(limit));
    for part in 0..40 {
        let begins = limit * part / 40;
        let script = Script::new().request().wait(begins).send(frame(Role::Client, FIRST, b"part"));
        let end = ended_at(&mut network.raw_client(script));
        assert!(end >= begins + limit && end <= begins + limit * 9 / 8, "{begins:?}: {end:?} of {limit:?}");
    }
}

#[test]
fn a_close_frame_in_time_makes_a_clean_end() {
    for limit in [ms(1), secs(5)] {
        let network = calm(1).both_configs(|_, timeouts| timeouts.close = limit);
        for (at, in_time) in around(limit) {
            let answer = frame(Role::Server, CLOSE, &close_payload(1000));
            let mut sim =
                network.raw_server(Script::new().accept().until([CLOSE]).wait(at).send(answer).close());
            sim.run_for(Duration::ZERO);
            sim.client.close(CloseCode::NORMAL, "").unwrap();
            sim.run_for(at);
            let expected = if in_time { Cause::Clean } else { Cause::CloseTimeout(Role::Server) };
            assert_eq!(cause(&sim.client), expected, "{at:?} of {limit:?}");
        }
    }
}

#[test]
fn a_server_that_does_not_end_tcp_is_left_at_the_limit_of_the_close_frame() {
    let answer = frame(Role::Server, CLOSE, &close_payload(1000));
    let script = Script::new().accept().until([CLOSE]).wait(secs(2)).send(answer).wait(secs(100));
    let mut sim = calm(1).raw_server(script);
    sim.run_for(secs(1));
    sim.client.close(CloseCode::NORMAL, "").unwrap();
    sim.run_for(secs(5) - NANO);
    assert_eq!(sim.client.closed(), None);
    sim.run_for(NANO);
    assert_eq!(cause(&sim.client), Cause::Clean);
}

#[test]
fn limits_of_next_to_nothing_keep_nobody_busy() {
    for limit in [Duration::ZERO, NANO, ms(1) - NANO, ms(1)] {
        for change in [
            (|timeouts, limit| timeouts.handshake = Some(limit)) as fn(&mut Timeouts, Duration),
            |timeouts, limit| timeouts.close = limit,
            |timeouts, limit| timeouts.idle = Some(limit),
            |timeouts, limit| timeouts.message = Some(limit),
            |timeouts, limit| timeouts.ping_interval = Some(limit),
            |timeouts, limit| (timeouts.ping_interval, timeouts.pong) = (Some(ms(1)), Some(limit)),
        ] {
            // A deadline that does not move on is a panic of the simulation.
            let network = calm(1).both_configs(|_, timeouts| change(timeouts, limit));
            for mut pair in [network.start(), network.without_handshake()] {
                pair.run_for(ms(100));
            }
        }
    }
}

#[test]
fn a_message_limit_of_zero_ends_no_connection_that_has_no_message() {
    let mut pair = server_with(|timeouts| timeouts.message = Some(Duration::ZERO)).open().unwrap();
    pair.client.send("whole").unwrap();
    pair.run_for(secs(1));
    assert_eq!((pair.server.take_messages(), pair.server.closed()), (vec!["whole".into()], None));
}

/// When the server's connection ended.
#[track_caller]
fn ended_at(sim: &mut Sim<RawEndpoint, Endpoint>) -> Duration {
    assert!(sim.run_until(|sim| sim.server.closed().is_some()), "it ends of itself");
    sim.elapsed()
}
