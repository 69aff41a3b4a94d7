//! RFC 8305: the order of the addresses, and their race.

use core::time::Duration;

use sansocket::{Addresses, ConnectFault, DialConfig};

use crate::support::{Plan, V4, V6, millis};

/// The order in which addresses are tried that never answer, and when.
fn order(config: &DialConfig, list: &[&str]) -> Vec<(u64, String)> {
    let mut plan = Plan::resolved(config, list);
    let mut seen: Vec<_> = plan.steps().into_iter().map(|step| (0, step)).collect();
    for (at, steps) in plan.wait() {
        seen.extend(steps.into_iter().map(|step| (at, step)));
    }
    seen.retain(|(_, step)| step.starts_with("connect"));
    seen.into_iter().map(|(at, step)| (at, step.replace("connect ", ""))).collect()
}

fn config(addresses: Addresses) -> DialConfig {
    let mut config = DialConfig::default();
    config.addresses = addresses;
    config
}

#[test]
fn families_take_turns_every_250_ms() {
    let list = [V6[0], V6[1], V6[2], V4[0], V4[1]];
    let expected = [(0, V6[0]), (250, V4[0]), (500, V6[1]), (750, V4[1]), (1000, V6[2])];
    let seen = order(&DialConfig::default(), &list);
    assert_eq!(seen, expected.map(|(at, address)| (at, address.to_owned())));
}

#[test]
fn the_preference_decides_which_family_begins_and_whether_the_other_comes() {
    let first_v4 = [V4[0], V4[1], V6[0], V6[1]];
    let cases = [
        (Addresses::Any, vec![V4[0], V6[0], V4[1], V6[1]]),
        (Addresses::PreferIpv4, vec![V4[0], V6[0], V4[1], V6[1]]),
        (Addresses::PreferIpv6, vec![V6[0], V4[0], V6[1], V4[1]]),
        (Addresses::OnlyIpv4, vec![V4[0], V4[1]]),
        (Addresses::OnlyIpv6, vec![V6[0], V6[1]]),
    ];
    for (addresses, expected) in cases {
        let seen: Vec<_> = order(&config(addresses), &first_v4).into_iter().map(|(_, at)| at).collect();
        assert_eq!(seen, expected, "{addresses:?}");
    }
}

#[test]
fn the_delay_has_the_bounds_of_section_8() {
    let cases =
        [(0, 10), (9, 10), (10, 10), (11, 11), (1999, 1999), (2000, 2000), (2001, 2000), (60_000, 2000)];
    for (delay, used) in cases {
        let mut config = DialConfig::default();
        config.attempt_delay = Duration::from_millis(delay);
        let seen = order(&config, &[V6[0], V4[0]]);
        assert_eq!(seen[1].0, used, "{delay} ms");
    }
}

#[test]
fn no_address_is_tried_twice_and_not_more_than_the_limit() {
    let mut config = DialConfig::default();
    assert_eq!(order(&config, &[V4[0], V4[0], V6[0], V4[0]]).len(), 2);
    let many: Vec<String> = (0..100).map(|host| format!("192.0.2.{host}:80")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(order(&config, &many).len(), 16);
    for (max, tried) in [(0, 1), (1, 1), (15, 15), (101, 100)] {
        config.max_addresses = max;
        assert_eq!(order(&config, &many).len(), tried, "{max}");
    }
}

#[test]
fn ipv6_that_hangs_costs_250_ms() {
    let mut plan = Plan::resolved(&DialConfig::default(), &[V6[0], V4[0]]);
    assert_eq!(plan.steps(), [format!("connect {}", V6[0])]);
    assert_eq!(plan.dial.deadline(), Some(millis(250)));
    plan.dial.timeout(millis(249));
    assert_eq!(plan.steps(), [""; 0]);
    plan.dial.timeout(millis(250));
    assert_eq!(plan.steps(), [format!("connect {}", V4[0])]);
    plan.tell(1, Ok(()), millis(260));
    assert_eq!(
        plan.steps(),
        [format!("abandon {}", V6[0]), format!("handshake {} ws://example.com/", V4[0])]
    );
    plan.dial.opened(millis(300));
    plan.steps();
    let dialed = plan.opened.unwrap();
    assert_eq!(dialed.timings.connect, Some(Duration::from_millis(260)), "the whole race");
    assert_eq!(dialed.timings.handshake, Some(Duration::from_millis(40)));
    assert_eq!(dialed.elapsed, Duration::from_millis(300));
    assert!(dialed.failed.is_empty(), "who loses a race has not failed");
}

#[test]
fn ipv6_that_is_refused_costs_nothing() {
    let mut plan = Plan::resolved(&DialConfig::default(), &[V6[0], V4[0], V6[1]]);
    plan.steps();
    plan.tell(0, Err(ConnectFault::Refused), millis(3));
    assert_eq!(plan.steps(), [format!("connect {}", V4[0])]);
    // From there on it is 250 ms again.
    assert_eq!(plan.dial.deadline(), Some(millis(253)));
    plan.tell(1, Ok(()), millis(5));
    assert_eq!(plan.steps(), [format!("handshake {} ws://example.com/", V4[0])]);
    plan.dial.opened(millis(6));
    plan.steps();
    let failed = plan.opened.unwrap().failed;
    assert_eq!((failed.len(), failed[0].cause().code()), (1, "refused"));
}

#[test]
fn whoever_comes_first_wins_and_who_comes_late_changes_nothing() {
    let list = [V6[0], V4[0], V6[1]];
    for winner in 0..3 {
        let mut plan = Plan::resolved(&DialConfig::default(), &list);
        plan.steps();
        plan.dial.timeout(millis(250));
        plan.steps();
        plan.dial.timeout(millis(500));
        plan.steps();
        plan.tell(winner, Ok(()), millis(600));
        let steps = plan.steps();
        let abandoned = steps.iter().filter(|step| step.starts_with("abandon")).count();
        assert_eq!((abandoned, steps.len()), (2, 3), "{steps:?}");
        assert_eq!(steps[2], format!("handshake {} ws://example.com/", list[winner]));
        for late in 0..3 {
            plan.tell(late, Ok(()), millis(601));
            plan.tell(late, Err(ConnectFault::Refused), millis(602));
            assert_eq!(plan.steps(), [""; 0], "{late} comes late");
        }
        plan.dial.opened(millis(700));
        assert_eq!(plan.steps(), [format!("opened {} ws://example.com/", list[winner])]);
    }
}

#[test]
fn all_that_refuse_make_one_error_in_their_order() {
    let mut plan = Plan::resolved(&DialConfig::default(), &[V6[0], V4[0], V4[1]]);
    plan.steps();
    plan.tell(0, Err(ConnectFault::Unreachable), millis(1));
    plan.steps();
    plan.tell(1, Err(ConnectFault::Refused), millis(2));
    plan.steps();
    plan.tell(2, Err(ConnectFault::TimedOut), millis(9));
    assert_eq!(plan.steps(), ["failed refused"], "who refuses says most");
    let error = plan.failed.unwrap();
    let seen: Vec<_> = error.attempts().iter().map(|at| (at.address().unwrap(), at.cause().code())).collect();
    assert_eq!(
        seen,
        [
            (V6[0].parse().unwrap(), "unreachable"),
            (V4[0].parse().unwrap(), "refused"),
            (V4[1].parse().unwrap(), "connect-timeout")
        ]
    );
    let times: Vec<_> = error.attempts().iter().map(|at| (at.began(), at.elapsed())).collect();
    let millis = Duration::from_millis;
    assert_eq!(times, [(millis(0), millis(1)), (millis(1), millis(1)), (millis(2), millis(7))]);
}

#[test]
fn an_address_in_the_url_is_connected_to_whatever_the_preference() {
    for (url, address) in
        [("ws://192.0.2.7/", "192.0.2.7:80"), ("wss://[2001:db8::7]:8443/", "[2001:db8::7]:8443")]
    {
        for addresses in [Addresses::Any, Addresses::OnlyIpv4, Addresses::OnlyIpv6] {
            let mut plan = Plan::new(url, &config(addresses));
            assert_eq!(plan.steps(), [format!("connect {address}")]);
            plan.tell(0, Err(ConnectFault::Refused), millis(1));
            assert_eq!(plan.steps(), ["failed refused"]);
        }
    }
}
