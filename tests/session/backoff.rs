//! How long is waited: full jitter under growing ceilings, and what servers ask for on top of it.

use core::time::Duration;

use sansocket::{DialFailed, Pace, SessionEvent, Setback, Verdict};

use crate::rig::{Rig, millis, secs};

/// The ceilings with the defaults, in milliseconds.
const CEILINGS: [u64; 9] = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];

#[test]
fn delays_are_spread_between_zero_and_their_ceilings() {
    let mut low = [0; CEILINGS.len()];
    let mut high = [0; CEILINGS.len()];
    for seed in 0..=255 {
        let mut rig = Rig::with(1, seed, |_| {});
        assert_eq!(rig.refuse().1, Duration::ZERO, "the first dial of all waits for nothing");
        for (at, ceiling) in CEILINGS.into_iter().enumerate() {
            let (_, waited) = rig.refuse();
            assert!(waited <= millis(ceiling), "{waited:?}, of at most {ceiling} ms");
            low[at] += u32::from(waited < millis(ceiling) / 4);
            high[at] += u32::from(waited > millis(ceiling) / 4 * 3);
        }
    }
    // A quarter of 256 is 64, and its standard deviation is 7.
    for count in low.into_iter().chain(high) {
        assert!((36..=92).contains(&count), "in the lowest quarters {low:?}, in the highest {high:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_delays() {
    let delays = |seed| {
        let mut rig = Rig::with(1, seed, |_| {});
        (0..20).map(|_| rig.refuse().1).collect::<Vec<_>>()
    };
    assert_eq!(delays(1), delays(1));
    assert_ne!(delays(1), delays(2));
}

#[test]
fn the_event_says_when_where_and_why() {
    let mut rig = Rig::new(|config| config.max_reconnect_attempts = Some(3));
    rig.refuse();
    let SessionEvent::Reconnecting(next) = rig.last().clone() else { panic!("{:?}", rig.events) };
    assert_eq!((next.attempt, next.of, next.server), (1, Some(3), 0));
    assert_eq!(rig.session.deadline(), Some(rig.now + next.delay));
    assert!(matches!(next.why, Setback::Failed(_)));
    assert_eq!(next.why.to_string(), "connection refused");
}

#[test]
fn configured_delays_are_kept_at_the_edges_of_what_can_be_configured() {
    for (initial, max, multiplier, round, ceiling) in [
        (secs(0), secs(0), 2, 5, millis(1)),
        (secs(1), secs(9), 3, 0, secs(1)),
        (secs(1), secs(9), 3, 1, secs(3)),
        (secs(1), secs(9), 3, 2, secs(9)),
        (secs(1), secs(9), 3, 3, secs(9)),
        (secs(1), secs(9), 1, 50, secs(1)),
        (secs(1), secs(9), 0, 50, secs(1)),
        (secs(9), secs(1), 2, 0, secs(1)),
        (secs(1), Duration::MAX, u32::MAX, 1, secs(u64::from(u32::MAX))),
    ] {
        let mut longest = Duration::ZERO;
        for seed in 0..64 {
            let mut rig = Rig::with(1, seed, |config| {
                config.reconnect_delay = initial;
                config.max_reconnect_delay = max;
                config.reconnect_multiplier = multiplier;
            });
            for _ in 0..=round {
                rig.refuse();
            }
            let (_, waited) = rig.refuse();
            assert!(waited <= ceiling, "{waited:?} of {ceiling:?}");
            longest = longest.max(waited);
        }
        assert!(longest > ceiling / 2, "{longest:?} of {ceiling:?}: the ceiling is used");
    }
}

#[test]
fn a_stable_connection_lets_delays_begin_anew_and_a_shorter_one_does_not() {
    for (open, stable) in [(millis(9_999), false), (secs(10), true)] {
        let mut longest = Duration::ZERO;
        for seed in 0..64 {
            let mut rig = Rig::with(1, seed, |_| {});
            for _ in 0..8 {
                rig.refuse();
            }
            rig.connect();
            rig.tick(open);
            rig.cut();
            longest = longest.max(rig.refuse().1);
        }
        assert_eq!(longest <= millis(500), stable, "after {open:?}: {longest:?}");
        assert!(longest > millis(400), "{longest:?}");
    }
}

#[test]
fn a_server_that_restarts_is_left_alone_for_a_random_time() {
    let mut rig_delays: Vec<_> = (0..=255)
        .map(|seed| {
            let mut rig = Rig::with(1, seed, |_| {});
            rig.connect();
            rig.tick(secs(15));
            rig.server_closes(1012);
            rig.next_dial().1
        })
        .collect();
    rig_delays.sort();
    let (least, most) = (rig_delays[0], rig_delays[255]);
    assert!(least >= secs(5) && least < secs(6), "{least:?}");
    assert!(most <= secs(30) && most > secs(29), "{most:?}");
    let middle = rig_delays[128];
    assert!((secs(14)..secs(21)).contains(&middle), "{middle:?}");
}

#[test]
fn the_delay_after_a_restart_can_be_configured() {
    for range in [millis(20)..=millis(30), millis(700)..=millis(700), secs(9)..=secs(8)] {
        let least = *range.start();
        let most = least.max(*range.end());
        let mut rig = Rig::new(|config| {
            config.reconnect_delay = millis(1);
            config.restart_delay = range;
        });
        rig.connect();
        rig.tick(secs(15));
        rig.server_closes(1012);
        let (_, waited) = rig.next_dial();
        assert!((least..=most).contains(&waited), "{waited:?}");
    }
}

#[test]
fn an_overloaded_server_is_asked_more_slowly() {
    for (failures, ceiling) in [(0, secs(4)), (1, secs(8)), (2, secs(16)), (3, secs(30)), (9, secs(30))] {
        for seed in 0..32 {
            let mut rig = Rig::with(1, seed, |_| {});
            for _ in 0..failures {
                rig.refuse();
            }
            let slower = DialFailed::judged(Verdict::Retry(Pace::Slower), "too many requests");
            rig.fail(slower);
            let (_, waited) = rig.next_dial();
            assert!((ceiling / 2..=ceiling).contains(&waited), "after {failures}: {waited:?} of {ceiling:?}");
        }
    }
}

#[test]
fn a_server_that_names_a_time_is_not_asked_before_it() {
    for (asked, kept) in [(0, 0), (1, 1), (120, 120), (3600, 3600), (3601, 3600), (u64::MAX, 3600)] {
        let mut latest = Duration::ZERO;
        for seed in 0..32 {
            let mut rig = Rig::with(1, seed, |_| {});
            rig.fail(DialFailed::judged(Verdict::Retry(Pace::After(secs(asked))), "busy"));
            let (_, waited) = rig.next_dial();
            assert!(waited >= secs(kept) && waited <= secs(kept) + millis(500), "{asked}: {waited:?}");
            latest = latest.max(waited - secs(kept));
        }
        assert!(latest > millis(250), "not all come at the same moment: {latest:?}");
    }
}

#[test]
fn retry_now_waits_for_nothing_but_what_the_server_asked_for() {
    let mut rig = Rig::new(|_| {});
    rig.refuse();
    rig.session.retry_now(rig.now);
    assert_eq!(rig.next_dial().1, Duration::ZERO);

    let mut rig = Rig::new(|_| {});
    rig.fail(DialFailed::judged(Verdict::Retry(Pace::After(secs(60))), "busy"));
    rig.wait(secs(20));
    rig.session.retry_now(rig.now);
    let (_, waited) = rig.next_dial();
    assert!(waited >= secs(40) && waited < secs(41), "{waited:?}");
}

#[test]
fn the_page_says_how_long_attempts_take_with_the_defaults() {
    let page = include_str!("../../docs/sessions.md");
    let after = page.split_once("| attempts | dials at the start |").expect("the table").1;
    let rows = after.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut checked = 0;
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, attempts, dials, average, most, _] = cells[..] else { panic!("{row}") };
        let attempts: u32 = attempts.parse().expect("a number");
        let seconds = |cell: &str| cell.strip_suffix(" s").and_then(|number| number.parse::<f64>().ok());
        let (average, most) = (seconds(average).expect(row), seconds(most).expect(row));
        let ceiling = |at: u32| CEILINGS.get(at as usize).copied().unwrap_or(30_000);
        let ceilings: u64 = (0..attempts).map(ceiling).sum();
        assert_eq!((most, average * 2.0), (ceilings as f64 / 1000.0, most), "{row}");
        let mut all = 0.0;
        for seed in 0..=255 {
            let mut rig = Rig::with(1, seed, |config| config.max_reconnect_attempts = Some(attempts));
            while rig.session.state() != sansocket::SessionState::Ended {
                rig.refuse();
            }
            assert_eq!(rig.session.stats().dials.to_string(), dials, "{row}");
            let waited = rig.now.since(sansocket::Instant::ZERO).as_secs_f64();
            assert!(waited <= most, "{row}: {waited}");
            all += waited;
        }
        // The standard deviation of the average of 256 is at most 4 %.
        assert!((all / 256.0 / average - 1.0).abs() < 0.15, "{row}: {}", all / 256.0);
        checked += 1;
    }
    assert_eq!(checked, 6);
}
