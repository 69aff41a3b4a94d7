//! Clocks that jump: limits come early or late, but nothing hangs, spins or ends twice.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use sansocket::{Cause, CloseCode, Instant, Role, TransportError};
use sansocket_testkit::{
    Clock, Context, Cut, Direction, Drive, Endpoint, Link, Network, Outcome, Pair, RawEndpoint, Script, Seen,
};

use crate::support::{calm, cause, code, ms, secs};

const HOUR: Duration = Duration::from_secs(3_600);

fn line() -> Network {
    Network::new(1).both_ways(Link::new().latency(ms(20)))
}

fn pings(endpoint: &mut Endpoint) -> usize {
    endpoint.take_events().iter().filter(|seen| matches!(seen, Seen::Ping(_))).count()
}

#[test]
fn a_clock_that_jumps_over_the_handshakes_limit_ends_the_handshake() {
    for by in [secs(9), secs(10), HOUR] {
        let clock = Clock::new().forward(secs(1), by);
        let mut sim = calm(1).server_clock(clock).raw_client(Script::new().send("GET"));
        sim.run_until(|sim| sim.server.handshake_error().is_some());
        let error = sim.server.handshake_error().expect("it is out of time");
        // It has nothing but its clock to go by.
        assert_eq!((error.code(), error.elapsed()), ("timed-out", secs(1) + by));
        assert_eq!(sim.elapsed(), secs(1));
    }
}

#[test]
fn a_clock_that_jumps_back_gives_the_handshake_more_time_and_no_more() {
    for by in [secs(1), secs(2), secs(20), HOUR] {
        let clock = Clock::new().backward(secs(2), by);
        let mut sim = calm(1).client_clock(clock).raw_server(Script::new());
        assert_eq!(sim.run_until(|sim| sim.client.handshake_error().is_some()), by < HOUR);
        sim.run();
        assert_eq!(code(&sim.client), "timed-out");
        assert_eq!(sim.elapsed(), secs(10) + by);
    }
}

#[test]
fn a_handshake_survives_any_clock_that_leaves_it_its_time() {
    for clock in [
        Clock::new().backward(ms(10), HOUR),
        Clock::new().forward(ms(10), secs(9)),
        Clock::new().forward(ms(10), secs(9)).backward(ms(30), HOUR).forward(ms(31), HOUR),
    ] {
        let network = line().client_clock(clock.clone()).server_clock(clock.clone());
        assert!(network.open().is_ok(), "{clock:?}");
    }
}

#[test]
fn keepalive_after_a_jump_forwards_sends_one_ping_and_not_all_that_were_missed() {
    let mut pair = line().server_clock(Clock::new().forward(secs(5), HOUR)).open().unwrap();
    pair.run_for(secs(6));
    assert_eq!(pings(&mut pair.client), 1);
    pair.run_for(secs(60));
    assert_eq!(pings(&mut pair.client), 3, "and goes on as before");
    assert_eq!((pair.client.closed(), pair.server.closed()), (None, None));
}

#[test]
fn keepalive_after_a_jump_backwards_waits_and_goes_on() {
    let mut pair = line().server_clock(Clock::new().backward(secs(30), HOUR)).open().unwrap();
    pair.run_for(secs(31));
    assert_eq!(pings(&mut pair.client), 1);
    pair.run_for(HOUR - secs(10));
    assert_eq!(pings(&mut pair.client), 0);
    pair.run_for(secs(10 + 60));
    assert_eq!(pings(&mut pair.client), 3);
    assert_eq!((pair.client.closed(), pair.server.closed()), (None, None));
}

#[test]
fn a_jump_while_a_pong_is_on_its_way_ends_the_connection_only_if_its_time_is_over() {
    for (by, survives) in [(secs(19), true), (secs(20), false), (HOUR, false)] {
        // The Ping leaves after 20 s and its Pong is there 40 ms later.
        let clock = Clock::new().forward(secs(20) + ms(10), by);
        let mut pair = line().server_clock(clock).without_handshake();
        pair.run_for(secs(30));
        assert_eq!(pair.server.closed().is_none(), survives, "{by:?}");
        if !survives {
            assert_eq!(cause(&pair.server), Cause::PongTimeout);
        }
    }
}

#[test]
fn a_dead_peer_is_found_though_the_clock_jumps_back() {
    for by in [secs(1), secs(25), HOUR] {
        let clock = Clock::new().backward(secs(25), by);
        let mut pair = line().server_clock(clock).time_limit(2 * HOUR).without_handshake();
        pair.cut(Direction::ToServer, Cut::Silence);
        pair.cut(Direction::ToClient, Cut::Silence);
        assert_eq!(pair.run(), Outcome::Quiet);
        assert_eq!(cause(&pair.server), Cause::PongTimeout);
        assert_eq!(pair.elapsed(), secs(40) + by);
    }
}

#[test]
fn closing_ends_early_or_late_and_once() {
    let silent = || Script::new().accept();
    for (clock, at) in [
        (Clock::new().forward(secs(2), HOUR), secs(2)),
        (Clock::new().forward(secs(2), secs(1)), secs(5)),
        (Clock::new().backward(secs(2), secs(30)), secs(36)),
        // The core last knew the time before the jump, and counts from there.
        (Clock::new().backward(ms(500), secs(30)), secs(35)),
    ] {
        let mut sim = calm(1).client_clock(clock.clone()).raw_server(silent());
        sim.run_for(secs(1));
        sim.client.close(CloseCode::NORMAL, "").unwrap();
        assert!(sim.run_until(|sim| sim.client.closed().is_some()));
        assert_eq!((cause(&sim.client), sim.elapsed()), (Cause::CloseTimeout(Role::Server), at), "{clock:?}");
    }
}

#[test]
fn idle_and_message_limits_do_not_spin_and_do_not_hang() {
    for (clock, expected) in [
        // Both limits are over at once, and the wider one is named.
        (Clock::new().forward(secs(3), HOUR), Cause::IdleTimeout),
        (Clock::new().backward(secs(3), HOUR), Cause::MessageTimeout),
        (Clock::new().backward(secs(3), HOUR).forward(secs(4), HOUR), Cause::MessageTimeout),
    ] {
        let network = calm(1).both_configs(|_, timeouts| {
            (timeouts.idle, timeouts.message) = (Some(secs(8)), Some(secs(6)));
        });
        let fragment = crate::support::frame(Role::Client, crate::support::FIRST, b"never finished");
        let network = network.server_clock(clock.clone()).time_limit(2 * HOUR);
        let mut sim = network.raw_client(Script::new().request().send(fragment).wait(3 * HOUR));
        assert!(sim.run_until(|sim| sim.server.closed().is_some()), "{clock:?}");
        assert_eq!(cause(&sim.server), expected, "{clock:?}");
    }
}

#[test]
fn a_clock_that_is_replaced_goes_on_from_what_it_shows() {
    let mut pair = line().open().unwrap();
    let opened = pair.elapsed();
    pair.set_clock(Role::Server, &Clock::new().forward(secs(5), secs(10)));
    pair.run_for(secs(6));
    // Its jump stays when it is replaced: the Ping is due ten seconds early.
    pair.set_clock(Role::Server, &Clock::new());
    assert!(pair.run_until(|pair| !pair.client.events().is_empty()));
    // The server is open one way earlier than the client, and its Ping takes another.
    assert_eq!(pair.elapsed(), opened + secs(10));
}

#[test]
fn messages_pass_whatever_the_clocks_do() {
    for seed in 0..50_u64 {
        // Two jumps a second, to and fro, of up to twelve seconds.
        let clock = |salt: u64| {
            (0..20).fold(Clock::new(), |clock, n| {
                let by = ms((seed * 7_919 + n * 104_729 + salt) % 12_000);
                let at = ms(500 * n);
                if (seed + n + salt) % 2 == 0 { clock.forward(at, by) } else { clock.backward(at, by) }
            })
        };
        let network = line().seed(seed).client_clock(clock(1)).server_clock(clock(2));
        // The Pong limit is about the clocks; this is about messages.
        let network = network.both_configs(|_, timeouts| timeouts.pong = None);
        let mut pair: Pair = network.without_handshake();
        for n in 0..20 {
            pair.client.send(n.to_string()).unwrap();
            pair.server.send(n.to_string()).unwrap();
            pair.run_for(ms(500));
        }
        pair.run_for(secs(1));
        let expected: Vec<_> = (0..20).map(|n| n.to_string().into()).collect();
        assert_eq!(pair.client.take_messages(), expected, "{seed}");
        assert_eq!(pair.server.take_messages(), expected, "{seed}");
        pair.client.close(CloseCode::NORMAL, "").unwrap();
        assert!(pair.run_until(|pair| pair.client.closed().is_some() && pair.server.closed().is_some()));
        assert_eq!((cause(&pair.client), cause(&pair.server)), (Cause::Clean, Cause::Clean), "{seed}");
    }
}

/// An endpoint whose driver tells the time after every read, which the contract allows.
struct Eager(Endpoint);

impl Drive for Eager {
    fn receive(&mut self, bytes: BytesMut, cx: &mut Context<'_>) {
        self.0.receive(bytes, cx);
        self.0.timeout(cx);
    }

    fn eof(&mut self, cx: &mut Context<'_>) {
        self.0.eof(cx);
    }

    fn failed(&mut self, error: TransportError, cx: &mut Context<'_>) {
        self.0.failed(error, cx);
    }

    fn deadline(&self) -> Option<Instant> {
        self.0.deadline()
    }

    fn timeout(&mut self, cx: &mut Context<'_>) {
        self.0.timeout(cx);
    }

    fn transmit(&mut self, room: usize, cx: &mut Context<'_>) -> Bytes {
        self.0.transmit(room, cx)
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

#[test]
fn a_clock_that_goes_back_and_returns_ends_no_connection_that_receives() {
    let network = calm(1).both_configs(|_, timeouts| timeouts.idle = Some(secs(8)));
    let network = network.server_clock(Clock::new().backward(secs(10), HOUR).forward(ms(11_500), HOUR));
    let ping = crate::support::frame(Role::Client, crate::support::PING, b"");
    // A byte every second: one of them comes while the clock is an hour behind.
    let script = (0..30).fold(Script::new().request(), |script, _| script.wait(secs(1)).send(&ping));
    let mut sim = network.join(RawEndpoint::new(script), Eager(Endpoint::server(&network)));
    sim.run_for(secs(30));
    assert_eq!(sim.server.0.closed(), None);
    sim.run_for(secs(10));
    assert_eq!(cause(&sim.server.0), Cause::IdleTimeout);
}
