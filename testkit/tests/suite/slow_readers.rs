//! Peers that read slowly or not at all: what waits is bounded, nothing is lost, and the rest goes on.

use sansocket::{Cause, CloseCode, Limits, SendRefused, ServerConfig};
use sansocket_testkit::{Direction, Endpoint, Link, Network, Outcome, Pair, Reading, Script, Seen, Split};

use crate::support::{calm, cause, ms, secs};

const WINDOW: usize = 64 * 1024;

fn narrow(seed: u64) -> Network {
    calm(seed).both_ways(Link::new().latency(ms(1)).window(WINDOW))
}

/// An application that answers each message before it takes the next.
fn echo(endpoint: &mut Endpoint) {
    endpoint.on_event(|connection, event| {
        if let Some(message) = event.into_message() {
            connection.send(message).expect("it takes no more than it can answer");
        }
    });
    endpoint.set_reading(Reading::WhileMaySend);
}

/// Sends as many of these messages as go. Returns how many.
fn send_all(endpoint: &mut Endpoint, count: usize, len: usize) -> usize {
    (0..count).take_while(|n| endpoint.send(vec![*n as u8; len]).is_ok()).count()
}

#[test]
fn large_echoes_to_a_client_that_does_not_read_wait_in_bounds() {
    let Limits { write_soft, write_hard, .. } = Limits::default();
    for len in [1_000, 70_000, 500_000] {
        let mut pair = narrow(1).open().unwrap();
        echo(&mut pair.server);
        pair.client.set_reading(Reading::Never);
        let mut sent = 0;
        for _ in 0..50 {
            sent += send_all(&mut pair.client, 100, len);
            pair.run_for(ms(100));
            for direction in [Direction::ToServer, Direction::ToClient] {
                assert!(pair.on_the_way(direction) <= WINDOW);
            }
        }
        let frame = len + 14;
        assert!(pair.server.most_queued() <= write_soft + frame, "{}", pair.server.most_queued());
        assert!(pair.client.most_queued() <= write_hard + frame, "{}", pair.client.most_queued());
        // Both ways are full: nothing moves any more.
        assert_eq!(send_all(&mut pair.client, 1, len), 0);
        // The client reads again, and nothing is missing.
        pair.client.set_reading(Reading::Always);
        assert_eq!(pair.run(), Outcome::Quiet);
        assert_eq!(pair.client.take_messages().len(), sent, "{len}");
        assert_eq!((pair.client.queued(), pair.server.queued()), (0, 0));
    }
}

#[test]
fn a_server_that_goes_on_sending_is_refused_at_the_hard_limit() {
    for (write_hard, len) in [(1 << 20, 1_000), (10_000, 1_000), (10_000, 100_000), (0, 10)] {
        let network = narrow(1).both_configs(|limits, _| limits.write_hard = write_hard);
        let mut pair = network.without_handshake();
        pair.client.set_reading(Reading::Never);
        let mut last = None;
        for _ in 0..5_000 {
            last = pair.server.send(vec![0; len]).err().map(|error| (error.message.len(), error.reason));
            pair.run_for(ms(1));
        }
        let most = pair.server.most_queued();
        assert!(most <= write_hard + len + 14, "{most} of {write_hard}");
        match last {
            Some((given_back, SendRefused::QueueFull { queued, limit })) => {
                assert_eq!((given_back, limit), (len, write_hard));
                assert!(queued >= write_hard && queued <= most);
            }
            other => panic!("not refused: {other:?}"),
        }
    }
}

#[test]
fn a_slow_line_is_no_fault_and_ends_no_connection() {
    // Keepalive is on: a Ping waits behind what the line carries, for minutes.
    let line = Link::new().bandwidth(2_000).latency(ms(200)).window(8_000).split(Split::Every(500));
    let mut pair = Network::new(1).both_ways(line).open().unwrap();
    for _ in 0..3 {
        pair.server.send(vec![7; 300_000]).unwrap();
    }
    assert!(pair.run_until(|pair| pair.client.events().iter().filter(|seen| seen.is_message()).count() == 3));
    assert!(pair.elapsed() >= secs(450), "{:?}", pair.elapsed());
    assert_eq!((pair.client.closed(), pair.server.closed()), (None, None));
}

#[test]
fn a_client_that_takes_nothing_and_writes_nothing_is_left_by_keepalive() {
    let network = Network::new(1).to_client(Link::new().window(WINDOW));
    let mut sim =
        network.raw_client(Script::new().request().until("\r\n\r\n").stop_reading().wait(secs(1_000)));
    sim.run_for(ms(1));
    sim.server.send(vec![0; 1_000_000]).unwrap();
    assert!(sim.run_until(|sim| sim.server.closed().is_some()));
    // A Ping after 20 s, no Pong within 20 s, and a Close frame that cannot be written within 1 s.
    assert_eq!((cause(&sim.server), sim.elapsed()), (Cause::PongTimeout, secs(41)));
}

#[test]
fn an_application_that_takes_no_events_for_a_while_is_no_dead_peer() {
    // It is the server's application that is busy, and the Pong waits unseen behind a message.
    let network = calm(1).server_config(ServerConfig::default());
    let mut pair = network.both_ways(Link::new().latency(ms(10))).open().unwrap();
    pair.server.set_reading(Reading::Never);
    pair.client.send("wait for me").unwrap();
    pair.run_for(secs(15 * 60));
    assert_eq!(pair.server.closed(), None);
    pair.server.set_reading(Reading::Always);
    pair.run_for(secs(1));
    assert_eq!(pair.server.take_messages(), ["wait for me".into()]);
    pair.run_for(secs(60));
    assert_eq!((pair.client.closed(), pair.server.closed()), (None, None));
}

#[test]
fn a_writer_that_is_blocked_still_reads_and_closes_in_time() {
    let mut pair = narrow(1).open().unwrap();
    let opened = pair.elapsed();
    pair.client.set_reading(Reading::Never);
    pair.server.send(vec![0; 900_000]).unwrap();
    pair.run_for(secs(1));
    pair.client.send("can you hear me?").unwrap();
    pair.run_for(secs(1));
    assert_eq!(pair.server.take_messages(), ["can you hear me?".into()]);
    pair.server.close(CloseCode::NORMAL, "").unwrap();
    assert!(pair.run_until(|pair| pair.server.closed().is_some()));
    assert_eq!(cause(&pair.server), Cause::CloseTimeout(sansocket::Role::Client));
    assert_eq!(pair.elapsed(), opened + secs(2) + secs(5));
}

#[test]
fn two_ends_that_answer_everything_do_not_grow() {
    // Each message is answered by one of the same size for ever, and one of the lines is slow.
    let fast = Link::new().latency(ms(5)).window(WINDOW);
    let slow = fast.clone().bandwidth(50_000).split(Split::Random);
    let mut pair = calm(1).to_server(fast).to_client(slow).open().unwrap();
    echo(&mut pair.client);
    echo(&mut pair.server);
    for len in [10, 1_000, 20_000] {
        pair.client.send(vec![0; len]).unwrap();
    }
    pair.run_for(secs(120));
    for end in [&pair.client, &pair.server] {
        assert!(end.most_queued() <= 64 * 1024 + 20_014, "{}", end.most_queued());
        assert_eq!(end.closed(), None);
    }
}

#[test]
fn all_messages_arrive_in_order_whatever_the_writes_take() {
    for size in [1, 2, 3, 7, 13, 126, 1_000] {
        let link = Link::new().short_writes(size).window(size * 3).latency(ms(1)).split(Split::Random);
        let mut pair: Pair = calm(size as u64).both_ways(link).without_handshake();
        let lens = [0, 1, 125, 126, 127, 2_000];
        for len in lens {
            pair.client.send(vec![len as u8; len]).unwrap();
            pair.client.ping(&len.to_be_bytes()).unwrap();
            pair.server.send("x".repeat(len)).unwrap();
        }
        assert_eq!(pair.run(), Outcome::Quiet);
        let sent: Vec<Seen> = lens.map(|len| Seen::Binary(vec![len as u8; len].into())).into();
        let (messages, pings): (Vec<_>, Vec<_>) =
            pair.server.take_events().into_iter().partition(Seen::is_message);
        assert_eq!((messages, pings.len()), (sent, lens.len()), "{size}");
        let texts: Vec<_> = pair.client.take_events().into_iter().filter(Seen::is_message).collect();
        assert_eq!(texts, lens.map(|len| Seen::Text("x".repeat(len))), "{size}");
    }
}
