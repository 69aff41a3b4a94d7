//! Peers that send more than is polite: Pings, fragments, bytes behind a failure. What waits is bounded, and data has its turn.

use sansocket::{Cause, CloseCode, LimitExceeded, Limits, Role, Violation};
use sansocket_testkit::{Ended, Link, Network, Outcome, Reading, Script, Seen, Split};

use crate::support::{
    CLOSE, FIRST, LAST, MIDDLE, PING, PONG, TEXT, calm, cause, close_payload, frame, ms, secs, server_frames,
};

/// The largest Pong.
const PONG_LEN: usize = 2 + 125;

/// This many Pings, numbered.
fn pings(count: u32) -> Vec<u8> {
    (0..count).flat_map(|n| frame(Role::Client, PING, &n.to_be_bytes())).collect()
}

#[test]
fn pings_of_a_client_that_does_not_read_cost_no_more_than_the_limit() {
    let Limits { write_control, .. } = Limits::default();
    for split in [Split::Whole, Split::Every(1_000), Split::Random] {
        // The window is full before the first Pong.
        let script = Script::new()
            .request()
            .until("\r\n\r\n")
            .stop_reading()
            .send(pings(100_000))
            .wait(secs(1))
            .start_reading();
        let network = calm(1).to_server(Link::new().split(split)).to_client(Link::new().window(129));
        let mut sim = network.raw_client(script);
        sim.server.on_event(|_, _| {});
        sim.run_for(ms(500));
        let most = sim.server.most_queued();
        assert!(most <= 129.max(write_control + PONG_LEN), "{most} bytes wait");
        assert_eq!(sim.run(), Outcome::Quiet);
        // Who reads again gets an answer to the newest, which is one to all.
        let frames = server_frames(sim.client.received_behind_head());
        assert!(frames.iter().all(|(first, _)| *first == PONG) && frames.len() < 1_000);
        assert_eq!(frames.last().map(|(_, payload)| &payload[..]), Some(&99_999_u32.to_be_bytes()[..]));
    }
}

#[test]
fn pings_that_are_read_one_by_one_are_answered_one_by_one() {
    let script = Script::new().request().send(pings(10_000));
    let mut sim = calm(1).to_server(Link::new().split(Split::EveryByte)).raw_client(script);
    assert_eq!(sim.run(), Outcome::Quiet);
    let frames = server_frames(sim.client.received_behind_head());
    let payloads: Vec<_> = frames.into_iter().map(|(_, payload)| payload).collect();
    assert_eq!(payloads, (0..10_000_u32).map(|n| n.to_be_bytes().to_vec()).collect::<Vec<_>>());
}

#[test]
fn endless_pings_starve_no_message_and_no_close() {
    // The line back is slow: there is always a Pong waiting.
    let there = Link::new().bandwidth(100_000).split(Split::Every(500));
    let back = Link::new().bandwidth(20_000).window(500);
    let script = Script::new().request().send(pings(200_000));
    let mut sim = calm(1).to_server(there).to_client(back).raw_client(script);
    sim.run_for(secs(1));
    for n in 0..10 {
        sim.server.send(format!("message {n}")).unwrap();
    }
    sim.server.close(CloseCode::NORMAL, "").unwrap();
    sim.run_for(secs(4));
    let frames = server_frames_whole(sim.client.received_behind_head());
    let messages = frames.iter().filter(|(first, _)| *first == TEXT).count();
    let closes = frames.iter().filter(|(first, _)| *first == CLOSE).count();
    assert_eq!((messages, closes), (10, 1));
    assert!(sim.server.closed().is_none(), "the Pings have not stopped");
}

#[test]
fn tiny_fragments_make_one_message_up_to_the_limit() {
    let limit = 1_000;
    let network = calm(1).both_configs(|limits, _| limits.fragments = limit);
    for (count, fits) in [(limit - 1, true), (limit, true), (limit + 1, false)] {
        for payload in [&b"x"[..], b""] {
            let mut bytes = frame(Role::Client, FIRST, payload);
            bytes.extend((0..count - 2).flat_map(|_| frame(Role::Client, MIDDLE, payload)));
            bytes.extend(frame(Role::Client, LAST, payload));
            let link = Link::new().split(Split::Random);
            let script = Script::new().request().send(bytes).until([CLOSE]).half_close();
            let mut sim = network.clone().to_server(link).raw_client(script);
            sim.run_for(secs(1));
            if fits {
                let len = payload.len() * count as usize;
                assert_eq!(sim.server.events(), [Seen::Text("x".repeat(len))], "{count}");
            } else {
                let failure = LimitExceeded::Fragments { limit }.into();
                assert_eq!(sim.server.events()[0], Seen::Failed(failure), "{count}");
                assert_eq!(cause(&sim.server), Cause::Failed(failure));
                let frames = server_frames(sim.client.received_behind_head());
                assert_eq!(frames[0].1[..2], close_payload(1008), "{frames:?}");
            }
        }
    }
}

#[test]
fn the_default_limit_of_fragments_holds_over_a_line() {
    let Limits { fragments, .. } = Limits::default();
    let mut bytes = frame(Role::Client, FIRST, b"x");
    bytes.extend((0..fragments).flat_map(|_| frame(Role::Client, MIDDLE, b"x")));
    let link = Link::new().split(Split::Every(1_000)).bandwidth(10_000_000);
    let mut sim = calm(1).to_server(link).raw_client(Script::new().request().send(bytes));
    assert_eq!(sim.run(), Outcome::Quiet);
    assert_eq!(cause(&sim.server), Cause::Failed(LimitExceeded::Fragments { limit: fragments }.into()));
}

#[test]
fn what_comes_behind_a_failure_is_thrown_away_until_the_time_is_over() {
    let link = Link::new().bandwidth(1_000_000).split(Split::Every(10_000));
    let script = Script::new().request().send(vec![0xFF; 20_000_000]).wait(secs(100));
    let mut sim = calm(1).to_server(link).raw_client(script);
    assert!(sim.run_until(|sim| sim.server.closed().is_some()));
    assert!(sim.elapsed() >= secs(5) && sim.elapsed() < ms(5_100), "{:?}", sim.elapsed());
    assert_eq!(sim.server.events().len(), 2, "the failure and the end");
    assert_eq!(cause(&sim.server), Cause::Failed(Violation::ReservedBits { bits: 7 }.into()));
    sim.run_for(secs(1));
    assert_eq!(sim.client.ended(), Some(Ended::Reset));
}

#[test]
fn a_message_that_is_announced_and_not_sent_costs_nothing() {
    // 16 MiB announced by each of a thousand frames' beginnings, one for each connection.
    let begin = [0x82, 0xFF, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    let mut sim = calm(1).raw_client(Script::new().request().send(begin));
    assert_eq!(sim.run(), Outcome::Quiet);
    assert_eq!((sim.server.closed(), sim.server.events()), (None, &[][..]));
    let too_much = [0x82, 0xFF, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0];
    let script = Script::new().request().send(too_much).until([CLOSE]).half_close();
    let mut sim = calm(1).raw_client(script);
    assert_eq!(sim.run(), Outcome::Quiet);
    let limit = Limits::default().message;
    let failure = LimitExceeded::Message { len: limit as u64 + 1, limit };
    assert_eq!(cause(&sim.server), Cause::Failed(failure.into()), "found on the header");
}

#[test]
fn both_ends_that_ping_each_other_as_fast_as_they_can_go_on() {
    let link = Link::new().latency(ms(1)).window(2_000).split(Split::Random);
    let mut pair = Network::new(1).both_ways(link).open().unwrap();
    for n in 0..500_u32 {
        while pair.client.ping(&n.to_be_bytes()).is_ok() {}
        while pair.server.ping(&n.to_be_bytes()).is_ok() {}
        pair.run_for(ms(1));
    }
    let Limits { write_control, .. } = Limits::default();
    for end in [&mut pair.client, &mut pair.server] {
        assert!(end.most_queued() <= write_control + 2 * (PONG_LEN + 4), "{}", end.most_queued());
        assert_eq!(end.closed(), None);
        end.set_reading(Reading::Always);
        end.send("still here").unwrap();
        end.take_events();
    }
    pair.run_for(secs(1));
    assert_eq!(pair.client.take_messages(), ["still here".into()]);
    assert_eq!(pair.server.take_messages(), ["still here".into()]);
}

/// The frames that have come whole.
fn server_frames_whole(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut end = 0;
    while let [_, len, ..] = &bytes[end..] {
        assert!(*len < 126, "all are short");
        match end + 2 + usize::from(*len) {
            next if next <= bytes.len() => end = next,
            _ => break,
        }
    }
    server_frames(&bytes[..end])
}
