//! The resolver's answers, together and for each family on its own (RFC 8305 section 3).

use sansocket::{Addresses, ConnectFault, DialConfig, DialStep, Family, Instant, ResolveFault};

use crate::support::{Plan, V4, V6, addresses, millis, resolve_error};

fn plan(preference: Addresses) -> Plan {
    let mut config = DialConfig::default();
    config.addresses = preference;
    let mut plan = Plan::new("ws://example.com/", &config);
    plan.steps();
    plan
}

#[test]
fn addresses_of_the_preferred_family_are_tried_at_once() {
    for (preference, family, first) in [
        (Addresses::Any, Family::Ipv6, V6[0]),
        (Addresses::PreferIpv6, Family::Ipv6, V6[0]),
        (Addresses::PreferIpv4, Family::Ipv4, V4[0]),
    ] {
        let mut plan = plan(preference);
        plan.dial.resolved_family(family, Ok(addresses(&[first])), millis(1));
        assert_eq!(plan.steps(), [format!("connect {first}")]);
    }
}

#[test]
fn addresses_of_the_other_family_wait_50_ms() {
    let mut plan = plan(Addresses::Any);
    plan.dial.resolved_family(Family::Ipv4, Ok(addresses(&[V4[0]])), millis(10));
    assert_eq!((plan.steps(), plan.dial.deadline()), (vec![], Some(millis(60))));
    plan.dial.timeout(millis(59));
    assert_eq!(plan.steps(), [""; 0]);
    plan.dial.timeout(millis(60));
    assert_eq!(plan.steps(), [format!("connect {}", V4[0])]);
    // What comes later is tried when its turn comes: 250 ms after the one before.
    plan.dial.resolved_family(Family::Ipv6, Ok(addresses(&[V6[0]])), millis(100));
    assert_eq!((plan.steps(), plan.dial.deadline()), (vec![], Some(millis(310))));
    plan.dial.timeout(millis(310));
    assert_eq!(plan.steps(), [format!("connect {}", V6[0])]);
}

#[test]
fn the_answer_that_was_waited_for_ends_the_wait() {
    let late_v6 = Ok(addresses(&[V6[0]]));
    for (answer, first) in
        [(late_v6, V6[0]), (Ok(vec![]), V4[0]), (Err(resolve_error(ResolveFault::NotFound)), V4[0])]
    {
        let mut plan = plan(Addresses::Any);
        plan.dial.resolved_family(Family::Ipv4, Ok(addresses(&[V4[0]])), millis(10));
        plan.dial.resolved_family(Family::Ipv6, answer, millis(20));
        assert_eq!(plan.steps(), [format!("connect {first}")]);
    }
}

#[test]
fn a_refused_address_waits_for_what_the_resolver_still_owes() {
    let mut plan = plan(Addresses::Any);
    plan.dial.resolved_family(Family::Ipv6, Ok(addresses(&[V6[0]])), millis(1));
    plan.steps();
    plan.tell(0, Err(ConnectFault::Refused), millis(2));
    assert_eq!((plan.steps(), plan.dial.deadline()), (vec![], Some(millis(5_000))));
    plan.dial.resolved_family(Family::Ipv4, Ok(addresses(&[V4[0]])), millis(400));
    assert_eq!(plan.steps(), [format!("connect {}", V4[0])]);
}

#[test]
fn a_resolver_that_never_ends_does_not_hold_what_it_has_told() {
    let mut plan = plan(Addresses::Any);
    plan.dial.resolved_family(Family::Ipv6, Ok(addresses(&[V6[0]])), millis(1));
    plan.steps();
    plan.tell(0, Err(ConnectFault::Refused), millis(2));
    assert_eq!(plan.wait(), [(5_000, vec!["failed refused".to_owned()])]);
}

#[test]
fn a_family_that_is_not_wanted_is_not_waited_for() {
    let mut plan = plan(Addresses::OnlyIpv4);
    plan.dial.resolved_family(Family::Ipv6, Ok(addresses(&[V6[0]])), millis(1));
    assert_eq!(plan.steps(), [""; 0]);
    plan.dial.resolved_family(Family::Ipv4, Ok(addresses(&[V4[0]])), millis(2));
    assert_eq!(plan.steps(), [format!("connect {}", V4[0])]);
    plan.tell(0, Err(ConnectFault::Refused), millis(3));
    assert_eq!(plan.steps(), ["failed refused"]);
}

#[test]
fn addresses_of_another_family_than_the_answer_is_for_do_not_count() {
    let mut plan = plan(Addresses::Any);
    plan.dial.resolved_family(Family::Ipv6, Ok(addresses(&[V4[0]])), millis(1));
    plan.dial.resolved_family(Family::Ipv4, Ok(vec![]), millis(2));
    assert_eq!(plan.steps(), ["failed dns-no-address"]);
}

#[test]
fn a_name_without_addresses_is_an_error_that_says_why() {
    let not_found = || Err(resolve_error(ResolveFault::NotFound));
    let cases = [
        (Addresses::Any, not_found(), "dns-not-found"),
        (Addresses::Any, Err(resolve_error(ResolveFault::Temporary)), "dns-temporary"),
        (Addresses::Any, Err(resolve_error(ResolveFault::Other)), "dns-failed"),
        (Addresses::Any, Ok(vec![]), "dns-no-address"),
        (Addresses::OnlyIpv6, Ok(addresses(&[V4[0]])), "dns-no-address"),
    ];
    for (preference, answer, code) in cases {
        let mut plan = plan(preference);
        plan.dial.resolved(answer, millis(7));
        assert_eq!(plan.steps(), [format!("failed {code}")]);
        let error = plan.failed.unwrap();
        assert_eq!((error.attempts().len(), error.decisive().address()), (1, None));
        assert!(error.to_string().contains("example.com"), "{error}");
    }
    // Of two answers, the one that says something.
    let mut plan = plan(Addresses::Any);
    plan.dial.resolved_family(Family::Ipv6, Ok(vec![]), millis(1));
    assert_eq!(plan.steps(), [""; 0]);
    plan.dial.resolved_family(Family::Ipv4, not_found(), millis(2));
    assert_eq!(plan.steps(), ["failed dns-not-found"]);
}

#[test]
fn the_step_says_which_families_are_wanted() {
    for preference in [Addresses::Any, Addresses::OnlyIpv4, Addresses::OnlyIpv6, Addresses::PreferIpv4] {
        let mut config = DialConfig::default();
        config.addresses = preference;
        let request = sansocket::ClientRequest::new("ws://example.com/").unwrap();
        let mut dial =
            sansocket::Dial::new(&request, &sansocket::ClientConfig::default(), &config, Instant::ZERO);
        let Some(DialStep::Resolve { addresses, .. }) = dial.next_step() else { panic!("a name") };
        assert_eq!(addresses, preference);
        assert_eq!(addresses.wants(Family::Ipv4), preference != Addresses::OnlyIpv6);
        assert_eq!(addresses.wants(Family::Ipv6), preference != Addresses::OnlyIpv4);
    }
}

#[test]
fn a_second_answer_changes_nothing() {
    let mut plan = Plan::resolved(&DialConfig::default(), &[V4[0]]);
    plan.steps();
    plan.dial.resolved(Ok(addresses(&[V4[1]])), millis(1));
    plan.dial.resolved(Err(resolve_error(ResolveFault::NotFound)), millis(1));
    plan.dial.resolved_family(Family::Ipv6, Ok(addresses(&[V6[0]])), millis(1));
    assert_eq!(plan.steps(), [""; 0]);
    plan.tell(0, Err(ConnectFault::Refused), millis(2));
    assert_eq!(plan.steps(), ["failed refused"]);
}
