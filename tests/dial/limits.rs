//! The time of each step and of all together: at the limit, below, above, and without one.

use core::time::Duration;

use sansocket::{
    ClientConfig, ConnectFault, DialCause, DialConfig, DialStepKind, Instant, ProxyFault, TlsParams,
};

use crate::support::{Plan, V4, V6, millis};

/// At `at` the plan fails with `code`, one nanosecond before it does not, and one millisecond later it does too.
#[track_caller]
fn fails_at(make: impl Fn() -> Plan, at: u64, steps: &[&str]) {
    let at = millis(at);
    let mut plan = make();
    plan.steps();
    plan.dial.timeout(Instant::from_nanos(at.as_nanos() - 1));
    assert_eq!(plan.steps(), [""; 0], "below the limit");
    plan.dial.timeout(at);
    assert_eq!(plan.steps(), steps, "at the limit");
    let mut plan = make();
    plan.steps();
    plan.dial.timeout(at + Duration::from_millis(1));
    assert_eq!(plan.steps(), steps, "above the limit");
    assert_eq!(plan.dial.deadline(), None);
}

fn client(overall: Option<u64>) -> ClientConfig {
    let mut client = ClientConfig::default();
    client.timeouts.connect = overall.map(Duration::from_millis);
    client
}

#[test]
fn resolving_has_5_s() {
    fails_at(|| Plan::new("ws://example.com/", &DialConfig::default()), 5_000, &["failed dns-timeout"]);
}

#[test]
fn an_address_has_10_s() {
    let abandoned = format!("abandon {}", V4[0]);
    fails_at(
        || Plan::resolved(&DialConfig::default(), &V4[..1]),
        10_000,
        &[&abandoned, "failed connect-timeout"],
    );
}

#[test]
fn tls_has_10_s() {
    let plan = || Plan::connected("wss://example.com/", &client(None), &DialConfig::default(), millis(500));
    fails_at(plan, 10_500, &["abandon 192.0.2.1:80", "failed tls-timeout"]);
}

#[test]
fn each_address_has_its_own_time_and_makes_room_for_the_next() {
    let mut config = DialConfig::default();
    config.timeouts.address = Some(Duration::from_millis(100));
    let mut plan = Plan::resolved(&config, &[V6[0], V4[0]]);
    plan.steps();
    let steps = |steps: &[String]| steps.to_vec();
    assert_eq!(
        plan.wait(),
        [
            (100, steps(&[format!("abandon {}", V6[0]), format!("connect {}", V4[0])])),
            (200, steps(&[format!("abandon {}", V4[0]), "failed connect-timeout".to_owned()])),
        ]
    );
}

#[test]
fn all_together_have_30_s_in_whatever_step_they_end() {
    let mut config = DialConfig::default();
    config.timeouts.resolve = None;
    config.timeouts.address = None;
    config.timeouts.tls = None;
    let client = ClientConfig::default();
    let plan = || Plan::new("ws://example.com/", &config);
    fails_at(plan, 30_000, &["failed overall-timeout"]);
    let plan = || {
        let mut plan = Plan::resolved(&config, &[V6[0], V4[0]]);
        plan.steps();
        plan.tell(0, Err(ConnectFault::Refused), millis(1));
        plan
    };
    fails_at(plan, 30_000, &[&format!("abandon {}", V4[0]), "failed overall-timeout"]);
    let plan = || Plan::connected("wss://example.com/", &client, &config, millis(29_000));
    fails_at(plan, 30_000, &["abandon 192.0.2.1:80", "failed overall-timeout"]);
}

#[test]
fn the_error_says_which_limit_it_was_and_lists_all_that_was_under_way() {
    let config = DialConfig::default();
    let mut plan =
        Plan::with(&sansocket::ClientRequest::new("ws://example.com/").unwrap(), &client(Some(600)), &config);
    plan.steps();
    plan.dial.resolved(Ok(crate::support::addresses(&[V6[0], V4[0], V6[1]])), Instant::ZERO);
    plan.steps();
    assert_eq!(plan.wait().last().map(|(at, _)| *at), Some(600));
    let error = plan.failed.unwrap();
    assert_eq!(error.attempts().len(), 3);
    for (attempt, began) in error.attempts().iter().zip([0, 250, 500]) {
        assert_eq!(attempt.began(), Duration::from_millis(began));
        let limit = Duration::from_millis(600);
        assert!(
            matches!(attempt.cause(), DialCause::OverallTimedOut { step: DialStepKind::Connect, limit: seen } if *seen == limit)
        );
    }
    assert_eq!(error.elapsed(), Duration::from_millis(600));
    assert!(
        error.to_string().contains("600 ms, which is timeouts.connect (connection_timeout), were over"),
        "{error}"
    );
}

#[test]
fn the_opening_handshake_has_what_is_left() {
    let cases = [
        (Some(30_000), Some(10_000), 5_000, Some(10_000)),
        (Some(30_000), Some(10_000), 25_000, Some(5_000)),
        (Some(30_000), None, 25_000, Some(5_000)),
        (None, Some(10_000), 25_000, Some(10_000)),
        (None, None, 25_000, None),
        (Some(1_000), Some(10_000), 2_000, Some(0)),
    ];
    for (overall, handshake, at, left) in cases {
        let mut client = client(overall);
        client.timeouts.handshake = handshake.map(Duration::from_millis);
        let mut plan = Plan::connected("ws://example.com/", &client, &DialConfig::default(), millis(at));
        plan.steps();
        assert_eq!(plan.dial.deadline(), None, "the handshake has a deadline of its own");
        let (_, config) = plan.handshake.unwrap();
        assert_eq!(
            config.timeouts.handshake,
            left.map(Duration::from_millis),
            "{overall:?} {handshake:?} {at}"
        );
    }
}

#[test]
fn the_proxy_has_10_s_or_what_is_left() {
    for (overall, limit, at, ends) in [
        (None, Some(10_000), 500, Some(10_500)),
        (Some(30_000), Some(10_000), 500, Some(10_500)),
        (Some(2_000), Some(10_000), 500, Some(2_000)),
        (Some(2_000), None, 500, Some(2_000)),
        (None, None, 500, None),
    ] {
        let mut config = DialConfig::default();
        config.proxy = "http://192.0.2.9".parse::<sansocket::Proxy>().unwrap().into();
        config.timeouts.proxy = limit.map(Duration::from_millis);
        let mut plan = Plan::connected("ws://example.com/", &client(overall), &config, millis(at));
        assert_eq!(plan.steps(), ["proxy 192.0.2.9:80"]);
        assert_eq!(plan.dial.deadline(), None, "the proxy's handshake has a deadline of its own");
        let mut handshake = plan.proxy.take().unwrap();
        assert_eq!(handshake.deadline(), ends.map(millis));
        let Some(ends) = ends.map(millis) else { continue };
        assert!(handshake.timeout(Instant::from_nanos(ends.as_nanos() - 1)).is_ok());
        let error = handshake.timeout(ends).unwrap_err();
        assert!(matches!(error.fault(), ProxyFault::TimedOut { .. }), "{error}");
        assert_eq!(handshake.deadline(), None);
        plan.dial.proxied(Err(error), ends);
        assert_eq!(plan.steps(), ["abandon 192.0.2.9:80", "failed proxy-timeout"]);
        let text = plan.failed.unwrap().to_string();
        let of_all =
            text.contains("; that was left of 2 s, which is timeouts.connect (connection_timeout) (");
        assert_eq!(of_all, overall == Some(2_000), "{text}");
        assert_eq!(text.contains("left of"), of_all, "{text}");
    }
}

#[test]
fn without_limits_there_is_no_deadline() {
    let mut config = DialConfig::default();
    config.timeouts.resolve = None;
    config.timeouts.address = None;
    config.timeouts.tls = None;
    let mut plan =
        Plan::with(&sansocket::ClientRequest::new("wss://example.com/").unwrap(), &client(None), &config);
    plan.steps();
    assert_eq!(plan.dial.deadline(), None);
    plan.dial.resolved(Ok(crate::support::addresses(&V4[..1])), Instant::ZERO);
    assert_eq!((plan.steps().len(), plan.dial.deadline()), (1, None));
    plan.tell(0, Ok(()), Instant::from_nanos(u64::MAX));
    assert_eq!((plan.steps().len(), plan.dial.deadline()), (1, None));
    plan.dial.timeout(Instant::from_nanos(u64::MAX));
    assert_eq!(plan.steps(), [""; 0]);
}

#[test]
fn time_that_goes_backwards_is_harmless() {
    let mut plan = Plan::with(
        &sansocket::ClientRequest::new("wss://example.com/").unwrap(),
        &ClientConfig::default(),
        &DialConfig::default(),
    );
    plan.steps();
    plan.dial.resolved(Ok(crate::support::addresses(&V4[..2])), millis(4_000));
    plan.steps();
    plan.tell(0, Err(ConnectFault::Refused), millis(1));
    plan.steps();
    plan.dial.timeout(Instant::ZERO);
    plan.tell(1, Ok(()), Instant::ZERO);
    plan.steps();
    plan.dial.secured(Ok(TlsParams::default()), Instant::ZERO);
    plan.dial.opened(Instant::ZERO);
    assert_eq!(plan.steps().last().map(String::as_str), Some("opened 192.0.2.2:80 wss://example.com/"));
}
