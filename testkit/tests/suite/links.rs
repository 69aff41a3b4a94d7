//! What a link promises: when bytes arrive, in which pieces, and how a stream ends. Shown with raw peers at both ends.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use sansocket::{Instant, TransportError};
use sansocket_testkit::{
    Clock, Context, Cut, Direction, Drive, Ended, Link, Network, Outcome, RawEndpoint, Script, Sim, Split,
};

use crate::sink::play;
use crate::support::{NANO, ms, secs};

/// The lengths of the reads.
fn lens(reads: &[(Duration, Vec<u8>)]) -> Vec<usize> {
    reads.iter().map(|(_, bytes)| bytes.len()).collect()
}

fn hundred() -> Script {
    Script::new().send([7; 100])
}

#[test]
fn a_perfect_link_gives_each_write_at_once_and_as_it_was() {
    let script = Script::new().send("one").wait(ms(5)).send("two").half_close();
    let (reads, ended) = play(Link::new(), script);
    assert_eq!(reads, [(ms(0), b"one".to_vec()), (ms(5), b"two".to_vec())]);
    assert_eq!(ended, [(ms(5), Ended::Eof)]);
}

#[test]
fn latency_delays_bytes_and_the_end_alike() {
    let (reads, ended) = play(Link::new().latency(ms(30)), hundred().wait(ms(1)).half_close());
    assert_eq!((reads[0].0, ended), (ms(30), vec![(ms(31), Ended::Eof)]));
}

#[test]
fn jitter_delays_within_its_limit_and_keeps_the_order() {
    let link = Link::new().latency(ms(10)).jitter(ms(20)).split(Split::EveryByte);
    let bytes: Vec<u8> = (0..=255).collect();
    let (reads, _) = play(link, Script::new().send(&bytes));
    assert_eq!(reads.iter().flat_map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>(), bytes);
    assert!(reads.iter().all(|(at, _)| (ms(10)..=ms(30)).contains(at)));
    assert!(reads.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    assert!(reads[0].0 < reads[255].0, "the delays differ");
}

#[test]
fn bandwidth_spaces_bytes_exactly() {
    // Three bytes a second: a third of a second cannot be told in nanoseconds, and must not add up to an error.
    let (reads, _) = play(Link::new().bandwidth(3).split(Split::EveryByte), hundred());
    assert_eq!(reads[2].0, secs(1));
    assert_eq!(reads[98].0, secs(33));
    assert_eq!(reads[99].0, secs(33) + Duration::from_nanos(333_333_334));
}

#[test]
fn bandwidth_is_shared_by_what_waits_and_free_after_a_pause() {
    let script = hundred().send([0; 50]).wait(secs(20)).send([0; 10]).half_close();
    let (reads, ended) = play(Link::new().bandwidth(10), script);
    // The first two were written at once.
    let times: Vec<_> = reads.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [secs(15), secs(21)]);
    assert_eq!(ended, [(secs(21), Ended::Eof)], "the end is behind the bytes");
}

#[test]
fn splits_cut_where_they_say() {
    for (split, expected) in [
        (Split::Whole, vec![100]),
        (Split::EveryByte, vec![1; 100]),
        (Split::Every(30), vec![30, 30, 30, 10]),
        (Split::Every(0), vec![1; 100]),
        (Split::Every(1000), vec![100]),
        (Split::At(0), vec![100]),
        (Split::At(1), vec![1, 99]),
        (Split::At(99), vec![99, 1]),
        (Split::At(100), vec![100]),
    ] {
        assert_eq!(lens(&play(Link::new().split(split), hundred()).0), expected, "{split:?}");
    }
}

#[test]
fn random_splits_are_of_all_sizes_and_lose_nothing() {
    let bytes: Vec<u8> = (0..100_000_u32).map(|i| i as u8).collect();
    let (reads, _) = play(Link::new().split(Split::Random), Script::new().send(&bytes));
    let lens = lens(&reads);
    assert_eq!(reads.into_iter().flat_map(|(_, bytes)| bytes).collect::<Vec<_>>(), bytes);
    assert!(lens.contains(&1) && lens.iter().any(|len| *len > 1000));
    assert!(lens.iter().all(|len| (1..=2048).contains(len)));
}

#[test]
fn coalescing_gives_what_came_in_a_period_at_its_end() {
    let script = Script::new().send("a").wait(ms(4)).send("b").wait(ms(6)).send("c").wait(ms(1)).send("d");
    let (reads, _) = play(Link::new().coalesce(ms(10)), script);
    assert_eq!(reads, [(ms(0), b"a".to_vec()), (ms(10), b"bc".to_vec()), (ms(20), b"d".to_vec())]);
    let split = Link::new().split(Split::EveryByte).latency(ms(3));
    assert_eq!(lens(&play(split.clone().coalesce(Duration::ZERO), hundred()).0), [100]);
    assert_eq!(lens(&play(split, hundred()).0), [1; 100]);
}

#[test]
fn short_writes_take_so_many_bytes_at_a_time() {
    assert_eq!(lens(&play(Link::new().short_writes(33), hundred()).0), [33, 33, 33, 1]);
}

#[test]
fn a_stall_holds_back_what_would_arrive_in_it() {
    let link = || Link::new().stall(ms(30), ms(5)).stall(ms(10), ms(20));
    for (arrives, read) in [(9, 9), (10, 35), (29, 35), (30, 35), (34, 35), (35, 35), (36, 36)] {
        let script = Script::new().wait(ms(arrives)).send("x");
        assert_eq!(play(link(), script).0, [(ms(read), b"x".to_vec())], "{arrives}");
    }
}

#[test]
fn a_window_stops_the_writer_until_the_reader_reads() {
    let network = Network::new(1).to_server(Link::new().window(64));
    let server = Script::new().stop_reading().wait(secs(1)).start_reading();
    let mut sim = network.join(RawEndpoint::new(hundred()), RawEndpoint::new(server));
    sim.run_for(secs(1) - NANO);
    assert_eq!((sim.on_the_way(Direction::ToServer), sim.client.is_done()), (64, false));
    assert_eq!(sim.server.received(), b"");
    sim.run();
    assert_eq!((sim.on_the_way(Direction::ToServer), sim.client.is_done()), (0, true));
    assert_eq!(sim.server.received(), [7; 100]);
}

#[test]
fn a_cut_after_some_bytes_lets_these_arrive() {
    for len in [0, 1, 50, 99, 100] {
        for (how, expected) in [
            (Cut::Eof, vec![(ms(5), Ended::Eof)]),
            (Cut::Reset, vec![(ms(5), Ended::Reset)]),
            (Cut::Silence, vec![]),
        ] {
            let link = Link::new().latency(ms(5)).cut_after(len, how).split(Split::Every(30));
            let (reads, ended) = play(link, hundred().wait(secs(1)).send("more").half_close());
            assert_eq!(lens(&reads).iter().sum::<usize>() as u64, len, "{how:?}");
            assert_eq!(ended, expected, "{len} {how:?}");
        }
    }
}

#[test]
fn a_silent_link_fills_its_window_and_stops_the_writer() {
    for link in [Link::new().cut_after(10, Cut::Silence), Link::new().cut_at(ms(5), Cut::Silence)] {
        let script = Script::new().send([7; 10]).wait(ms(10)).send([7; 100]);
        let network = Network::new(1).to_server(link.window(64));
        let mut sim = network.join(RawEndpoint::new(script), RawEndpoint::new(Script::new()));
        assert_eq!(sim.run(), Outcome::Quiet);
        assert_eq!((sim.server.received(), sim.client.is_done()), (&[7; 10][..], false));
        assert_eq!(sim.on_the_way(Direction::ToServer), 64);
    }
    // The same where the cut is inside a write.
    let network = Network::new(1).to_server(Link::new().cut_after(30, Cut::Silence).window(64));
    let mut sim = network.join(RawEndpoint::new(hundred()), RawEndpoint::new(Script::new()));
    sim.run();
    assert_eq!((sim.server.received().len(), sim.on_the_way(Direction::ToServer)), (30, 64));
}

#[test]
fn a_cut_to_come_keeps_no_run_going_when_both_ends_have_closed() {
    for (script, ends) in
        [(Script::new().send("bye").close(), secs(0)), (Script::new().send("bye"), secs(60))]
    {
        let link = Link::new().cut_at(secs(60), Cut::Eof);
        let network = Network::new(1).to_client(link);
        let mut sim = network.join(RawEndpoint::new(script), RawEndpoint::new(Script::new()));
        assert_eq!((sim.run(), sim.elapsed()), (Outcome::Quiet, ends));
    }
}

#[test]
fn a_cut_behind_the_last_byte_never_comes() {
    let (reads, ended) = play(Link::new().cut_after(101, Cut::Reset), hundred().half_close());
    assert_eq!((lens(&reads), ended), (vec![100], vec![(ms(0), Ended::Eof)]));
}

#[test]
fn a_cut_at_a_time_loses_what_is_on_the_way_but_for_eof() {
    for (how, len, expected) in [
        (Cut::Eof, 200, vec![(ms(50), Ended::Eof)]),
        (Cut::Reset, 100, vec![(ms(40), Ended::Reset)]),
        (Cut::Silence, 100, vec![]),
    ] {
        let link = Link::new().latency(ms(10)).cut_at(ms(40), how);
        let (reads, ended) = play(link, hundred().wait(ms(35)).send([7; 100]).wait(secs(1)).send("more"));
        assert_eq!((lens(&reads).iter().sum::<usize>(), ended), (len, expected), "{how:?}");
    }
}

#[test]
fn a_reset_takes_the_other_direction_along() {
    let link = Link::new().latency(secs(1));
    let network = Network::new(1).both_ways(link);
    let mut sim = network.join(RawEndpoint::new(hundred()), RawEndpoint::new(hundred()));
    sim.run_for(ms(500));
    sim.cut(Direction::ToClient, Cut::Reset);
    assert_eq!(sim.run(), Outcome::Quiet);
    assert_eq!((sim.client.ended(), sim.server.ended()), (Some(Ended::Reset), Some(Ended::Reset)));
    assert_eq!((sim.client.received().len(), sim.server.received().len()), (0, 0));
}

#[test]
fn the_lost_tail_is_what_was_not_read_when_the_stream_ended() {
    let script = hundred().wait(ms(5)).send([7; 50]).half_close();
    for (lost, left) in [(0, 150), (1, 149), (50, 100), (70, 100), (1000, 100)] {
        // After 5 ms the first hundred have been read.
        let link = Link::new().latency(ms(3)).split(Split::Every(30)).lose_tail(lost, Cut::Reset);
        let (reads, ended) = play(link, script.clone());
        assert_eq!(lens(&reads).iter().sum::<usize>(), left, "{lost}");
        assert_eq!(ended, [(ms(8), Ended::Reset)], "{lost}");
    }
}

#[test]
fn a_reset_by_the_writer_loses_what_has_not_left() {
    let link = Link::new().latency(secs(5)).bandwidth(10).split(Split::Every(10));
    let (reads, ended) = play(link.clone(), hundred().wait(ms(3_500)).reset());
    assert_eq!((lens(&reads), ended), (vec![10; 3], vec![(ms(8_500), Ended::Reset)]));
    let near = link.latency(Duration::ZERO);
    let (reads, ended) = play(near, hundred().wait(ms(3_500)).reset());
    assert_eq!((lens(&reads), ended), (vec![10; 3], vec![(ms(3_500), Ended::Reset)]));
    let (reads, ended) = play(Link::new().latency(secs(5)), hundred().reset());
    assert_eq!((lens(&reads), ended), (vec![100], vec![(secs(5), Ended::Reset)]));
}

#[test]
fn what_comes_to_an_end_that_has_closed_is_answered_with_a_reset() {
    let network = Network::new(1).both_ways(Link::new().latency(ms(10)));
    let client = Script::new().send("first").wait(ms(50)).send("second").wait(secs(1));
    let server = Script::new().until("first").send("bye").close();
    let mut sim = network.join(RawEndpoint::new(client), RawEndpoint::new(server));
    sim.run_for(ms(60));
    assert_eq!((sim.client.received(), sim.client.ended()), (&b"bye"[..], Some(Ended::Eof)));
    sim.run_for(ms(10));
    assert_eq!(sim.client.ended(), Some(Ended::Reset));
}

#[test]
fn a_link_that_is_replaced_counts_from_then_on() {
    let mut sim = both(Script::new().send("1234").wait(secs(1)).send("5678"));
    sim.run_for(ms(500));
    sim.set_link(Direction::ToServer, Link::new().latency(ms(1)).cut_after(3, Cut::Eof));
    assert_eq!(sim.run(), Outcome::Quiet);
    assert_eq!((sim.server.received(), sim.server.ended()), (&b"1234567"[..], Some(Ended::Eof)));
    assert_eq!(sim.elapsed(), ms(1_001));
}

#[test]
fn a_split_at_a_byte_counts_from_the_link_that_has_it() {
    let mut sim = both(Script::new().send("1234").wait(secs(1)).send("5678"));
    sim.run_for(ms(500));
    let stall = Link::new().split(Split::At(3)).bandwidth(1);
    sim.set_link(Direction::ToServer, stall);
    sim.run_for(ms(3_500));
    assert_eq!(sim.server.received(), b"1234567");
}

#[test]
fn a_silent_direction_stays_silent_whatever_replaces_it() {
    let mut sim = both(Script::new().send("1234").wait(secs(1)).send("5678").close());
    sim.run_for(ms(500));
    sim.cut(Direction::ToServer, Cut::Silence);
    sim.set_link(Direction::ToServer, Link::new());
    assert_eq!(sim.run(), Outcome::Quiet);
    assert_eq!((sim.server.received(), sim.server.ended()), (&b"1234"[..], None));
}

#[test]
fn a_run_ends_at_its_limit_or_when_nothing_is_left() {
    let waits = |seconds| both(Script::new().wait(secs(seconds)).send("x"));
    assert_eq!(waits(3_600).run(), Outcome::Quiet);
    let mut sim = waits(3_601);
    assert_eq!((sim.run(), sim.elapsed()), (Outcome::TimeLimit, secs(3_600)));
    assert_eq!((sim.run(), sim.elapsed()), (Outcome::Quiet, secs(3_601)));
    assert!(!sim.step(), "nothing is left");
}

#[test]
fn run_until_stops_at_the_instant_and_gives_up_when_it_cannot_be() {
    let mut sim = both(Script::new().wait(secs(5)).send("x").wait(secs(5)).send("y"));
    assert!(sim.run_until(|sim| !sim.server.received().is_empty()));
    assert_eq!(sim.elapsed(), secs(5));
    assert!(!sim.run_until(|sim| sim.server.received().len() == 3));
    assert_eq!(sim.elapsed(), secs(10));
}

#[test]
fn a_clock_that_jumps_brings_deadlines_forward_or_back() {
    for (clock, at) in [
        (Clock::new(), secs(10)),
        (Clock::new().forward(secs(4), secs(3)), secs(7)),
        (Clock::new().forward(secs(4), secs(300)), secs(4)),
        (Clock::new().backward(secs(4), secs(3)), secs(13)),
        (Clock::new().backward(secs(4), secs(100_000_000)).forward(secs(5), secs(100_000_000)), secs(10)),
        (Clock::new().forward(secs(11), secs(3)), secs(10)),
    ] {
        let script = Script::new().wait(secs(10)).send("x");
        let mut sim = Network::new(1)
            .client_clock(clock.clone())
            .join(RawEndpoint::new(script), RawEndpoint::new(Script::new()));
        assert!(sim.run_until(|sim| !sim.server.received().is_empty()), "{clock:?}");
        assert_eq!(sim.elapsed(), at, "{clock:?}");
    }
}

#[test]
#[should_panic(expected = "a deadline does not move on")]
fn an_end_that_ignores_its_deadline_is_found() {
    struct Stuck;
    impl Drive for Stuck {
        fn receive(&mut self, _bytes: BytesMut, _cx: &mut Context<'_>) {}
        fn eof(&mut self, _cx: &mut Context<'_>) {}
        fn failed(&mut self, _error: TransportError, _cx: &mut Context<'_>) {}
        fn deadline(&self) -> Option<Instant> {
            Some(Instant::ZERO)
        }
        fn timeout(&mut self, _cx: &mut Context<'_>) {}
        fn transmit(&mut self, _room: usize, _cx: &mut Context<'_>) -> Bytes {
            Bytes::new()
        }
        fn is_closed(&self) -> bool {
            false
        }
    }
    Network::new(1).join(Stuck, Stuck).run();
}

/// A script, and a peer that only reads.
fn both(script: Script) -> Sim<RawEndpoint, RawEndpoint> {
    Network::new(1).join(RawEndpoint::new(script), RawEndpoint::new(Script::new()))
}
