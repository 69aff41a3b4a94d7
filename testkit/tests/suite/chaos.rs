//! Any faults, any commands, in any order: whatever happens is one of the things that may happen.
//!
//! Each case is a seed. To look at one that fails, add [`Network::traced`](sansocket_testkit::Network::traced) and print the trace.

use std::time::Duration;

use sansocket::{Cause, CloseCode, Message, MessageKind};
use sansocket_testkit::{
    Clock, Cut, Direction, Endpoint, Link, Network, Outcome, Pair, Reading, Seen, Split,
};

use crate::support::{code, ms, secs};

const CASES: u64 = 300;
const WRITE_HARD: usize = 50_000;
const LARGEST: usize = 20_000;

/// Every code that a fault of the network may give a handshake between two ends that keep the rules.
const CODES: [&str; 7] = [
    "",
    "closed-before-first-byte",
    "closed-inside-head",
    "closed-before-reply",
    "transport-failed",
    "timed-out",
    // The server was out of time, and said so.
    "unexpected-status",
];

/// What was sent from one end, as far as it was accepted.
#[derive(Default)]
struct Sent {
    messages: Vec<Message>,
    /// A message that is being sent in fragments.
    begun: Option<Vec<u8>>,
}

#[test]
fn whatever_the_network_does_the_ends_stay_honest() {
    let mut opened = 0;
    let mut clean = 0;
    for seed in 0..CASES {
        let mut dice = Dice(seed);
        let mut pair = network(&mut dice).seed(seed).start();
        let mut sent = [Sent::default(), Sent::default()];
        for _ in 0..dice.below(40) {
            pair.run_for(ms(dice.below(400)));
            command(&mut dice, &mut pair, &mut sent);
        }
        finish(&mut pair);
        assert_eq!(pair.run(), Outcome::Quiet, "seed {seed}");
        check(&mut pair.client, &sent[1], seed);
        check(&mut pair.server, &sent[0], seed);
        opened += u64::from(pair.client.is_open());
        clean += u64::from(pair.client.closed().is_some_and(|closed| closed.is_clean()));
    }
    // Enough happens in these cases for the rest to mean something.
    assert!(opened > CASES / 4 && opened < CASES, "{opened} of {CASES} opened");
    assert!(clean > CASES / 10 && clean < opened, "{clean} of {opened} ended cleanly");
}

fn network(dice: &mut Dice) -> Network {
    let mut network = Network::new(0)
        .to_server(link(dice))
        .to_client(link(dice))
        .decision_time(ms(if dice.one_in(3) { dice.below(3_000) } else { 0 }))
        .both_configs(|limits, _| limits.write_hard = WRITE_HARD);
    if dice.one_in(4) {
        network = network.client_clock(clock(dice));
    }
    if dice.one_in(4) {
        network = network.server_clock(clock(dice));
    }
    if dice.one_in(3) {
        network = network.both_configs(|_, timeouts| {
            (timeouts.idle, timeouts.message) = (Some(secs(15)), Some(secs(4)));
        });
    }
    network
}

fn link(dice: &mut Dice) -> Link {
    let mut link = Link::new().latency(ms(dice.below(200)));
    if dice.one_in(3) {
        link = link.jitter(ms(dice.below(300)));
    }
    if dice.one_in(3) {
        link = link.bandwidth(100 + dice.below(50_000));
    }
    if dice.one_in(3) {
        link = link.window(1 + dice.below(5_000) as usize);
    }
    if dice.one_in(4) {
        link = link.short_writes(1 + dice.below(2_000) as usize);
    }
    if dice.one_in(4) {
        link = link.coalesce(ms(dice.below(100)));
    }
    if dice.one_in(4) {
        link = link.stall(ms(dice.below(5_000)), ms(dice.below(8_000)));
    }
    if dice.one_in(8) {
        link = link.cut_after(dice.below(2_000), cut(dice));
    }
    if dice.one_in(8) {
        link = link.cut_at(ms(dice.below(8_000)), cut(dice));
    }
    if dice.one_in(6) {
        link = link.lose_tail(dice.below(1_000) as usize, cut(dice));
    }
    link.split(match dice.below(5) {
        0 => Split::EveryByte,
        1 => Split::Every(1 + dice.below(100) as usize),
        2 => Split::At(dice.below(1_000)),
        3 => Split::Random,
        _ => Split::Whole,
    })
}

fn cut(dice: &mut Dice) -> Cut {
    [Cut::Eof, Cut::Reset, Cut::Silence][dice.below(3) as usize]
}

fn clock(dice: &mut Dice) -> Clock {
    (0..dice.below(4)).fold(Clock::new(), |clock, _| {
        let (at, by) = (ms(dice.below(10_000)), ms(dice.below(20_000)));
        if dice.one_in(2) { clock.forward(at, by) } else { clock.backward(at, by) }
    })
}

/// Does something at one end, if it is open.
fn command(dice: &mut Dice, pair: &mut Pair, sent: &mut [Sent; 2]) {
    let direction = if dice.one_in(2) { Direction::ToServer } else { Direction::ToClient };
    if dice.one_in(60) {
        return pair.cut(direction, cut(dice));
    }
    let (end, sent) = match direction {
        Direction::ToServer => (&mut pair.client, &mut sent[0]),
        Direction::ToClient => (&mut pair.server, &mut sent[1]),
    };
    if !end.is_open() {
        return;
    }
    let len = dice.len();
    match dice.below(12) {
        0 => end.set_reading(Reading::Never),
        1 => end.set_reading(Reading::WhileMaySend),
        2..=3 => end.set_reading(Reading::Always),
        4 => drop(end.ping(&vec![0; len.min(125)])),
        5 if dice.one_in(3) => drop(end.close(CloseCode(3_000 + dice.below(1_000) as u16), "enough")),
        5..=7 => fragment(dice, end, sent, len),
        _ => {
            let message: Message =
                if dice.one_in(2) { "é".repeat(len / 2).into() } else { vec![len as u8; len].into() };
            if end.send(message.clone()).is_ok() {
                sent.messages.push(message);
            }
        }
    }
}

fn fragment(dice: &mut Dice, end: &mut Endpoint, sent: &mut Sent, len: usize) {
    let (data, last) = (vec![len as u8; len], dice.one_in(3));
    if end.connection().send_fragment(MessageKind::Binary, &data, last).is_ok() {
        let begun = sent.begun.get_or_insert_default();
        begun.extend(data);
        if last {
            sent.messages.extend(sent.begun.take().map(Message::from));
        }
    }
}

/// Closes what is open, and lets it read.
fn finish(pair: &mut Pair) {
    for end in [&mut pair.client, &mut pair.server] {
        end.set_reading(Reading::Always);
        if end.is_open() {
            let _ = end.close(CloseCode::NORMAL, "");
        }
    }
    // Who is still shaking hands may open later: clocks went back by up to a minute.
    pair.run_for(secs(120));
    for end in [&mut pair.client, &mut pair.server] {
        if end.is_open() {
            let _ = end.close(CloseCode::NORMAL, "");
        }
    }
}

#[track_caller]
fn check(end: &mut Endpoint, sent: &Sent, seed: u64) {
    assert!(CODES.contains(&code(end)), "seed {seed}: {:?}", end.handshake_error());
    let most = WRITE_HARD + LARGEST + 14 + 1_024 + 2 * 131;
    assert!(end.most_queued() <= most, "seed {seed}: {} bytes were queued", end.most_queued());
    assert_eq!(end.is_open(), end.closed().is_some(), "seed {seed}: every connection has an end");
    let events = end.take_events();
    let Some(closed) = end.closed() else { return assert!(events.is_empty(), "seed {seed}") };
    let ends = events.iter().filter(|seen| matches!(seen, Seen::Closed(_))).count();
    assert!(matches!(events.last(), Some(Seen::Closed(_))) && ends == 1, "seed {seed}: {events:?}");
    let messages: Vec<_> = events.into_iter().filter_map(Seen::into_message).collect();
    assert!(
        sent.messages.starts_with(&messages),
        "seed {seed}: what arrives is what was sent, from the first on"
    );
    assert_eq!(closed.counts.messages_received, messages.len() as u64, "seed {seed}");
    if closed.is_clean() {
        assert_eq!(messages.len(), sent.messages.len(), "seed {seed}: a clean end has lost nothing");
    }
    // Nobody broke the protocol or went over a limit, so nobody may say so.
    assert!(!matches!(closed.cause, Cause::Failed(_)), "seed {seed}: {closed}");
}

/// Numbers from a seed, for the cases; the simulation has its own.
struct Dice(u64);

impl Dice {
    /// A number below `limit`.
    fn below(&mut self, limit: u64) -> u64 {
        // Knuth's generator; its upper bits are good enough to make cases.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    /// The length of a message: small ones more often, and the borders of the encodings among them.
    fn len(&mut self) -> usize {
        let borders = [0, 1, 125, 126, 127, LARGEST as u64];
        let len = match self.below(4) {
            0 => borders[self.below(borders.len() as u64) as usize],
            1 => self.below(LARGEST as u64),
            _ => self.below(300),
        };
        len as usize
    }
}

#[test]
fn a_case_is_the_same_each_time() {
    let play = |seed| {
        let mut dice = Dice(seed);
        let mut pair = network(&mut dice).seed(seed).traced().start();
        let mut sent = [Sent::default(), Sent::default()];
        for _ in 0..30 {
            pair.run_for(ms(dice.below(400)));
            command(&mut dice, &mut pair, &mut sent);
        }
        finish(&mut pair);
        pair.run_for(Duration::from_secs(600));
        pair.trace().cloned()
    };
    for seed in 0..20 {
        assert_eq!(play(seed), play(seed), "seed {seed}");
    }
}
