//! The order of the steps, and the end.

use proptest::prelude::*;
use sansocket::{
    ClientConfig, ConnectFault, DialConfig, Instant, Proxy, StepError, TlsFault, TlsParams, TransportError,
};

use crate::support::{Plan, V4, addresses, millis, refusal};

fn with_proxy() -> DialConfig {
    let mut config = DialConfig::default();
    config.proxy = "socks5://proxy.example".parse::<Proxy>().unwrap().into();
    config
}

#[test]
fn every_step_comes_in_its_turn() {
    for (config, url, expected) in [
        (DialConfig::default(), "ws://example.com/x", vec!["resolve example.com:80"]),
        (
            DialConfig::default(),
            "wss://example.com/x",
            vec!["resolve example.com:443", "tls 192.0.2.1:80 example.com"],
        ),
        (with_proxy(), "ws://example.com/x", vec!["resolve proxy.example:1080", "proxy 192.0.2.1:80"]),
        (
            with_proxy(),
            "wss://example.com/x",
            vec!["resolve proxy.example:1080", "proxy 192.0.2.1:80", "tls 192.0.2.1:80 example.com"],
        ),
    ] {
        let mut plan = Plan::new(url, &config);
        let mut seen = plan.steps();
        plan.dial.resolved(Ok(addresses(&V4[..1])), millis(1));
        assert_eq!(plan.steps(), ["connect 192.0.2.1:80"]);
        plan.tell(0, Ok(()), millis(2));
        loop {
            let [step] = &plan.steps()[..] else { panic!("one step at a time") };
            seen.push(step.clone());
            match step.split(' ').next().unwrap() {
                "proxy" => plan.dial.proxied(Ok(()), millis(3)),
                "tls" => plan.dial.secured(Ok(TlsParams::default()), millis(4)),
                _ => break,
            }
        }
        let last = seen.pop().unwrap();
        assert_eq!(last, format!("handshake 192.0.2.1:80 {url}"));
        assert_eq!(seen, expected, "{url}");
        plan.dial.opened(millis(5));
        assert_eq!(plan.steps(), [format!("opened 192.0.2.1:80 {url}")]);
        let dialed = plan.opened.unwrap();
        assert_eq!(dialed.proxy.is_some(), !config.proxy.eq(&DialConfig::default().proxy));
        assert_eq!(
            (dialed.timings.proxy.is_some(), dialed.timings.tls.is_some()),
            (dialed.proxy.is_some(), url.starts_with("wss"),)
        );
    }
}

#[test]
fn wss_never_goes_out_in_plain_text() {
    // Whatever else is told, the handshake comes after TLS only.
    for config in [DialConfig::default(), with_proxy()] {
        let mut plan = Plan::connected("wss://example.com/", &ClientConfig::default(), &config, millis(1));
        plan.dial.opened(millis(1));
        plan.dial.proxied(Ok(()), millis(1));
        plan.dial.opened(millis(1));
        let steps = plan.steps();
        assert!(steps.last().unwrap().starts_with("tls"), "{steps:?}");
        plan.dial.secured(Err(StepError::new(TlsFault::Unavailable, "")), millis(1));
        assert_eq!(plan.steps(), ["abandon 192.0.2.1:80", "failed tls-unavailable"]);
        plan.dial.secured(Ok(TlsParams::default()), millis(2));
        assert_eq!(plan.steps(), [""; 0]);
    }
}

#[test]
fn the_name_for_tls_has_no_brackets_and_no_last_dot() {
    for (url, name) in [
        ("wss://Example.COM./", "example.com"),
        ("wss://[2001:DB8::1]/", "2001:db8::1"),
        ("wss://192.0.2.1:8443/", "192.0.2.1"),
    ] {
        let mut plan = Plan::connected(url, &ClientConfig::default(), &DialConfig::default(), millis(1));
        assert!(plan.steps()[0].ends_with(&format!(" {name}")), "{url}");
    }
}

#[test]
fn a_failed_step_ends_it_and_abandons_the_connection() {
    let client = ClientConfig::default();
    let mut plan = Plan::connected("ws://example.com/", &client, &with_proxy(), millis(1));
    plan.steps();
    let error = plan.proxy.take().unwrap().failed(TransportError::Reset, millis(2));
    plan.dial.proxied(Err(error), millis(2));
    assert_eq!(plan.steps(), ["abandon 192.0.2.1:80", "failed proxy-transport-failed"]);

    let mut plan = Plan::connected("wss://example.com/", &client, &DialConfig::default(), millis(1));
    plan.steps();
    plan.dial.secured(Err(StepError::new(TlsFault::Expired, "certificate expired")), millis(2));
    assert_eq!(plan.steps(), ["abandon 192.0.2.1:80", "failed tls-expired"]);

    let mut plan = Plan::connected("ws://example.com/", &client, &DialConfig::default(), millis(1));
    plan.steps();
    plan.answer(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", millis(2));
    assert_eq!(plan.steps(), ["abandon 192.0.2.1:80", "failed server-busy"]);
    assert_eq!(plan.failed.unwrap().handshake().map(|error| error.code()), Some("server-busy"));
}

#[test]
fn tls_may_fail_as_late_as_in_the_handshake() {
    // In TLS 1.3 a server judges the client's certificate when the client is done already.
    let client = ClientConfig::default();
    let mut plan = Plan::connected("wss://example.com/", &client, &DialConfig::default(), millis(1));
    plan.steps();
    plan.dial.secured(Ok(TlsParams::default()), millis(2));
    plan.steps();
    plan.dial.secured(Ok(TlsParams::default()), millis(2));
    assert_eq!(plan.steps(), [""; 0], "established twice");
    plan.dial.secured(Err(StepError::new(TlsFault::ClientCertificate, "")), millis(3));
    assert_eq!(plan.steps(), ["abandon 192.0.2.1:80", "failed tls-client-certificate"]);
}

/// What an adapter may tell, whether it makes sense or not.
#[derive(Debug, Clone)]
enum Told {
    Resolved(usize),
    Unresolved,
    Connected(usize, bool),
    Proxied,
    Secured(bool),
    Opened,
    Refused(bool),
    Time(u64),
}

fn told() -> impl Strategy<Value = Told> {
    prop_oneof![
        (0..4_usize).prop_map(Told::Resolved),
        Just(Told::Unresolved),
        (0..6_usize, any::<bool>()).prop_map(|(at, ok)| Told::Connected(at, ok)),
        Just(Told::Proxied),
        any::<bool>().prop_map(Told::Secured),
        Just(Told::Opened),
        any::<bool>().prop_map(Told::Refused),
        (0..4_000_u64).prop_map(Told::Time),
    ]
}

proptest! {
    #[test]
    fn whatever_is_told_every_attempt_is_used_or_abandoned_and_there_is_one_end(
        inputs in prop::collection::vec(told(), 0..60),
        secure in any::<bool>(),
        proxy in any::<bool>(),
    ) {
        let mut config = if proxy { with_proxy() } else { DialConfig::default() };
        config.redirects = 2;
        let url = if secure { "wss://example.com/" } else { "ws://example.com/" };
        let mut plan = Plan::new(url, &config);
        let mut now = Instant::ZERO;
        let mut seen = plan.steps();
        let (mut redirects, mut refused) = (0, Vec::new());
        let tell = |plan: &mut Plan, told: Told, now: &mut Instant, redirects: &mut u32, refused: &mut Vec<_>| match told {
            Told::Resolved(count) => plan.dial.resolved(Ok(addresses(&V4[..count.min(3)])), *now),
            Told::Unresolved => plan.dial.resolved(
                Err(crate::support::resolve_error(sansocket::ResolveFault::Other)), *now),
            Told::Connected(at, ok) if at < plan.connects.len() => {
                if !ok {
                    refused.push(plan.connects[at].0);
                }
                plan.tell(at, if ok { Ok(()) } else { Err(ConnectFault::Refused) }, *now);
            }
            Told::Connected(..) => {}
            Told::Proxied => plan.dial.proxied(Ok(()), *now),
            Told::Secured(true) => plan.dial.secured(Ok(TlsParams::default()), *now),
            Told::Secured(false) => plan.dial.secured(Err(StepError::new(TlsFault::Other, "")), *now),
            Told::Opened => plan.dial.opened(*now),
            Told::Refused(redirect) => {
                if let Some((request, config)) = &plan.handshake {
                    *redirects += 1;
                    let location = if redirect { format!("Location: /{redirects}\r\n") } else { String::new() };
                    let bytes = format!("HTTP/1.1 302 Found\r\n{location}Content-Length: 0\r\n\r\n");
                    let error = refusal(request, config, bytes.as_bytes());
                    plan.dial.refused(error, *now);
                }
            }
            Told::Time(by) => {
                *now = *now + core::time::Duration::from_millis(by);
                plan.dial.timeout(*now);
            }
        };
        for told in inputs {
            tell(&mut plan, told, &mut now, &mut redirects, &mut refused);
            seen.extend(plan.steps());
        }
        // Time alone ends it, unless a handshake is under way, which has its own deadline.
        while let Some(at) = plan.dial.deadline() {
            now = now.max(at);
            plan.dial.timeout(now);
            seen.extend(plan.steps());
        }
        let is_end = |step: &String| step.starts_with("opened") || step.starts_with("failed");
        let ends = seen.iter().filter(|step| is_end(step)).count();
        let is_waiting = !is_end(seen.last().unwrap());
        prop_assert_eq!(ends, usize::from(!is_waiting), "{:?}", seen);
        let count = |word: &str| seen.iter().filter(|step| step.starts_with(word)).count();
        // What is neither abandoned nor was refused is in use.
        let in_use = plan.connects.iter().filter(|(attempt, _)| {
            !plan.abandoned.contains(attempt) && !refused.contains(attempt)
        });
        prop_assert!(in_use.count() <= usize::from(is_waiting || count("opened") == 1), "{:?}", seen);
        if secure {
            prop_assert!(count("handshake") <= count("tls"));
        }
        if !is_waiting {
            for told in [Told::Resolved(1), Told::Connected(0, true), Told::Proxied, Told::Secured(true), Told::Opened, Told::Refused(true), Told::Time(100_000)] {
                tell(&mut plan, told, &mut now, &mut redirects, &mut refused);
                prop_assert_eq!(plan.steps(), [""; 0]);
                prop_assert_eq!(plan.dial.deadline(), None);
            }
        }
    }
}
