//! The same seed gives the same run; another seed gives another; and one direction's faults leave the other as it was.

use std::time::Duration;

use sansocket::CloseCode;
use sansocket_testkit::{Cut, Entry, Link, Network, Pair, Seen, Split};

use crate::support::{ms, secs};

/// A network on which everything is random that can be.
fn network(seed: u64) -> Network {
    let link = Link::new().latency(ms(20)).jitter(ms(30)).bandwidth(100_000).split(Split::Random);
    let slow = link.clone().window(4_000).short_writes(1_000).stall(ms(300), ms(200));
    Network::new(seed).to_server(link).to_client(slow).traced()
}

/// An echo of some messages, and a close in the middle of it.
fn conversation(network: &Network) -> Pair {
    let mut pair = network.open().unwrap();
    pair.server.on_event(|connection, event| {
        if let Some(message) = event.into_message() {
            let _ = connection.send(message);
        }
    });
    for len in [0, 1, 125, 126, 5_000, 70_000] {
        pair.client.send(vec![7; len]).unwrap();
        pair.client.ping(b"still there?").unwrap();
        pair.run_for(ms(100));
    }
    pair.client.close(CloseCode::NORMAL, "done").unwrap();
    pair.run();
    pair
}

fn trace(pair: &Pair) -> &[Entry] {
    pair.trace().expect("it is traced").entries()
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..5 {
        let (mut one, mut other) = (conversation(&network(seed)), conversation(&network(seed)));
        assert!(trace(&one).len() > 100);
        assert_eq!(one.trace(), other.trace());
        assert_eq!(one.client.take_events(), other.client.take_events());
        assert_eq!(one.elapsed(), other.elapsed());
    }
}

#[test]
fn another_seed_gives_another_trace_and_the_same_messages() {
    let (mut one, mut other) = (conversation(&network(1)), conversation(&network(2)));
    assert_ne!(one.trace(), other.trace());
    assert_eq!(one.client.take_messages(), other.client.take_messages());
}

#[test]
fn a_seed_decides_what_is_on_the_wire() {
    let request = |seed| crate::support::request_of(&Network::new(seed));
    assert_eq!(request(1), request(1));
    assert_ne!(request(1), request(2), "each seed has a key of its own");
}

#[test]
fn another_fault_in_one_direction_leaves_the_other_as_it_was() {
    let reads_of_the_server = |to_client: Link| {
        let mut pair = network(3).to_client(to_client).start();
        pair.run_for(ms(200));
        let reads: Vec<Entry> =
            trace(&pair).iter().filter(|entry| entry.to_string().contains("server reads")).cloned().collect();
        assert!(!reads.is_empty());
        reads
    };
    let plain = reads_of_the_server(Link::new());
    assert_eq!(plain, reads_of_the_server(Link::new().split(Split::Random).jitter(secs(1))));
    assert_eq!(plain, reads_of_the_server(Link::new().cut_after(0, Cut::Silence)));
}

#[test]
fn to_run_in_steps_is_to_run_at_once() {
    let play = |step: Option<Duration>| {
        let mut pair = network(4).open().unwrap();
        pair.client.send(vec![1; 30_000]).unwrap();
        match step {
            None => pair.run_for(secs(3)),
            Some(step) => (0..secs(3).as_nanos() / step.as_nanos()).for_each(|_| pair.run_for(step)),
        }
        assert_eq!(pair.server.events(), [Seen::Binary(vec![1; 30_000].into())]);
        pair.trace().cloned()
    };
    assert_eq!(play(None), play(Some(ms(1))));
    assert_eq!(play(None), play(Some(Duration::from_micros(7_500))));
}

#[test]
fn a_trace_can_be_read() {
    let mut pair = Network::new(1).both_ways(Link::new().latency(ms(1_500))).traced().open().unwrap();
    pair.client.send("hello").unwrap();
    pair.run_for(secs(2));
    let trace = pair.trace().unwrap().to_string();
    for line in [
        "     0.000000000 client writes 150 bytes\n",
        "     1.500000000 server has a request for /\n",
        "     3.000000000 client is open\n",
        "     4.500000000 server event: text message, 5 bytes\n",
    ] {
        assert!(trace.contains(line), "{line:?} in\n{trace}");
    }
}
