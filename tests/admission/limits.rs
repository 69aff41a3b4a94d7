//! The limits, in all and per address.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::BytesMut;
use sansocket::{
    AddressGroup, AdmissionLimits, Departure, Instant, Refusal, Reject, ServerConfig, ServerHandshake,
    ServerStep,
};

use super::{address, open, with};

#[test]
fn connections_below_at_and_above_their_limit() {
    let mut admission = with(|limits| limits.connections = 3);
    let mut tickets: Vec<_> = (0..3).map(|i| open(&mut admission, address(i)).unwrap()).collect();
    assert_eq!(admission.counts().open, 3);
    let refusal = Refusal::Connections { limit: 3 };
    assert_eq!(open(&mut admission, address(3)).unwrap_err(), refusal);
    assert_eq!(refusal.to_string(), "as many connections are open as limits.connections allows, which is 3");
    admission.leave(tickets.remove(0), Departure::Clean);
    tickets.push(open(&mut admission, address(3)).unwrap());
    assert_eq!(open(&mut admission, address(4)).unwrap_err(), refusal);
    let counts = admission.counts();
    assert_eq!((counts.accepted, counts.unopened, counts.closed, counts.open), (6, 2, 1, 3));
    assert_eq!((counts.refused.connections, counts.refused.total(), counts.handshaking), (2, 2, 0));
}

#[test]
fn connections_of_an_address_below_at_and_above_their_limit() {
    let mut admission = with(|limits| limits.connections_per_address = 2);
    let first = open(&mut admission, address(1)).unwrap();
    let _second = open(&mut admission, address(1)).unwrap();
    let refusal = Refusal::ConnectionsOfAddress { limit: 2 };
    assert_eq!(open(&mut admission, address(1)).unwrap_err(), refusal);
    let _other = open(&mut admission, address(2)).unwrap();
    admission.leave(first, Departure::Otherwise);
    let _third = open(&mut admission, address(1)).unwrap();
    assert_eq!(open(&mut admission, address(1)).unwrap_err(), refusal);
    assert_eq!(admission.counts().refused.of(&refusal), 2);
    assert_eq!(admission.counts().ended, 1);
}

#[test]
fn handshakes_below_at_and_above_their_limit() {
    let mut admission = with(|limits| limits.handshakes = 2);
    let first = admission.arrive(address(1)).unwrap();
    let mut second = admission.arrive(address(2)).unwrap();
    let refusal = Refusal::Handshakes { limit: 2 };
    assert_eq!(admission.arrive(address(3)).unwrap_err(), refusal);
    // Who is open is no handshake any more.
    admission.open(&mut second).unwrap();
    let third = admission.arrive(address(3)).unwrap();
    assert_eq!(admission.arrive(address(4)).unwrap_err(), refusal);
    admission.leave(first, Departure::Otherwise);
    admission.leave(third, Departure::Otherwise);
    let counts = admission.counts();
    assert_eq!((counts.handshaking, counts.open, counts.unopened), (0, 1, 2));
    assert_eq!((counts.refused.handshakes, counts.accepted), (2, 5));
}

#[test]
fn handshakes_of_an_address_below_at_and_above_their_limit() {
    let mut admission = with(|limits| limits.handshakes_per_address = 1);
    let first = admission.arrive(address(1)).unwrap();
    let refusal = Refusal::HandshakesOfAddress { limit: 1 };
    assert_eq!(admission.arrive(address(1)).unwrap_err(), refusal);
    let _other = admission.arrive(address(2)).unwrap();
    admission.leave(first, Departure::Otherwise);
    let _again = admission.arrive(address(1)).unwrap();
    assert_eq!(admission.counts().refused.handshakes_of_address, 1);
}

#[test]
fn clients_that_say_nothing_take_no_place_of_a_connection() {
    let mut admission = with(|limits| (limits.connections, limits.handshakes) = (1, 50));
    let _silent: Vec<_> = (0..49).map(|i| admission.arrive(address(i)).unwrap()).collect();
    let _open = open(&mut admission, address(100)).unwrap();
    assert_eq!((admission.counts().open, admission.counts().handshaking), (1, 49));
}

#[test]
fn who_is_refused_by_the_application_gives_the_place_back_before_it_is_told() {
    let mut admission = with(|limits| limits.connections = 1);
    let mut refused = open(&mut admission, address(1)).unwrap();
    admission.reject(&mut refused);
    assert_eq!((admission.counts().open, admission.counts().handshaking), (0, 1));
    let _served = open(&mut admission, address(2)).unwrap();
    admission.reject(&mut refused);
    admission.leave(refused, Departure::Otherwise);
    let counts = admission.counts();
    assert_eq!((counts.open, counts.handshaking, counts.unopened, counts.ended), (1, 0, 1, 0));
}

#[test]
fn who_is_refused_for_a_reason_of_the_callers_is_counted_and_gives_the_place_back() {
    let mut admission = with(|limits| limits.connections = 1);
    let mut ticket = open(&mut admission, address(1)).unwrap();
    let refusal = Refusal::Memory { limit: 1000 };
    admission.refuse(&mut ticket, refusal);
    let counts = admission.counts();
    assert_eq!((counts.open, counts.handshaking), (0, 1));
    assert_eq!((counts.refused.memory, counts.refused.of(&refusal), counts.refused.total()), (1, 1, 1));
    assert_eq!(admission.open(&mut ticket), Ok(()), "it may ask again");
    admission.leave(ticket, Departure::Clean);
    assert_eq!(admission.counts().closed, 1);
}

#[test]
fn each_refusal_has_its_own_code_and_text_and_an_answer_without_figures() {
    let refusals = [
        Refusal::Draining,
        Refusal::Handshakes { limit: 4711 },
        Refusal::HandshakesOfAddress { limit: 4711 },
        Refusal::Connections { limit: 4711 },
        Refusal::ConnectionsOfAddress { limit: 4711 },
        Refusal::Memory { limit: 4711 },
    ];
    let answers = refusals.map(|refusal| answer(refusal.reject(Duration::from_millis(1500))));
    for (refusal, answer) in refusals.iter().zip(&answers) {
        assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
        assert!(answer.contains("\r\nRetry-After: 2\r\n"), "whole seconds, rounded up: {answer}");
        assert!(!answer.contains("4711"), "the client need not know: {answer}");
        let text = refusal.to_string();
        assert_eq!(text.contains("4711"), *refusal != Refusal::Draining, "who operates it must: {text}");
    }
    let codes: BTreeSet<&str> = refusals.iter().map(Refusal::code).collect();
    let bodies: BTreeSet<&str> =
        answers.iter().filter_map(|answer| answer.split("\r\n\r\n").nth(1)).collect();
    assert_eq!((codes.len(), bodies.len()), (refusals.len(), refusals.len()));
}

/// What a client gets that is refused so.
fn answer(reject: Reject) -> String {
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    let mut input = BytesMut::from(
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    let Ok(ServerStep::Request(pending)) = handshake.receive(&mut input, Instant::ZERO) else {
        panic!("no request")
    };
    let error = pending.reject(reject, Instant::ZERO);
    String::from_utf8(error.reply().cloned().unwrap_or_default().to_vec()).unwrap()
}

#[test]
fn addresses_of_one_network_count_as_one() {
    let mut limits = AdmissionLimits::default();
    let same = |a: &str, b: &str, limits: &AdmissionLimits| {
        AddressGroup::new(a.parse().unwrap(), limits) == AddressGroup::new(b.parse().unwrap(), limits)
    };
    assert!(same("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", &limits));
    assert!(!same("2001:db8::1", "2001:db8:0:1::1", &limits));
    assert!(same("192.0.2.1", "::ffff:192.0.2.1", &limits), "as a listener for both families has it");
    assert!(!same("::ffff:192.0.2.1", "::ffff:192.0.2.2", &limits), "mapped addresses are not one /64");
    assert!(!same("192.0.2.1", "192.0.2.2", &limits));
    (limits.ipv4_prefix, limits.ipv6_prefix) = (24, 56);
    assert!(same("192.0.2.1", "192.0.2.255", &limits));
    assert!(!same("192.0.2.1", "192.0.3.1", &limits));
    assert!(same("2001:db8:0:1::", "2001:db8:0:ff::", &limits));
    (limits.ipv4_prefix, limits.ipv6_prefix) = (0, 0);
    assert!(same("192.0.2.1", "10.0.0.1", &limits) && same("2001:db8::", "fe80::", &limits));
    assert!(!same("0.0.0.0", "::", &limits), "of different families");
    // More than there are.
    (limits.ipv4_prefix, limits.ipv6_prefix) = (200, 200);
    assert!(!same("192.0.2.1", "192.0.2.0", &limits) && !same("::1:0", "::1:1", &limits));
    let group = AddressGroup::new("192.0.2.1".parse().unwrap(), &limits);
    assert_eq!(group.to_string(), "192.0.2.1/32");
}

/// Whatever happens in whatever order, no limit is exceeded, and nothing is left in the end.
#[test]
fn any_order_of_clients_keeps_the_limits_and_the_counts() {
    let mut random = 1_u64;
    let mut draw = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % below
    };
    let mut admission = with(|limits| {
        (limits.connections, limits.connections_per_address) = (10, 4);
        (limits.handshakes, limits.handshakes_per_address) = (8, 3);
    });
    let mut tickets = Vec::new();
    let mut opened = 0;
    for _ in 0..20_000 {
        match draw(7) {
            0..=2 => {
                tickets.extend(admission.arrive(address(draw(6) as u32)).ok().map(|ticket| (ticket, false)))
            }
            3..=5 if !tickets.is_empty() => {
                let at = draw(tickets.len());
                let (ticket, is_open) = &mut tickets[at];
                if admission.open(ticket).is_ok() && !*is_open {
                    (*is_open, opened) = (true, opened + 1);
                }
            }
            6 if !tickets.is_empty() => {
                let (ticket, _) = tickets.swap_remove(draw(tickets.len()));
                admission.leave(ticket, Departure::Clean);
            }
            _ => {}
        }
        let counts = admission.counts();
        let open = tickets.iter().filter(|(_, is_open)| *is_open).count();
        assert_eq!((counts.open, counts.handshaking), (open, tickets.len() - open));
        assert!(counts.open <= 10 && counts.handshaking <= 8, "{counts:?}");
        for i in 0..6 {
            let group = AddressGroup::new(address(i), admission.limits());
            let of_group = |is_open| {
                tickets.iter().filter(|(ticket, open)| ticket.group() == group && *open == is_open).count()
            };
            assert!(of_group(true) <= 4 && of_group(false) <= 3);
        }
    }
    let refused = admission.counts().refused;
    let reasons = [
        refused.connections,
        refused.connections_of_address,
        refused.handshakes,
        refused.handshakes_of_address,
    ];
    assert!(reasons.iter().all(|times| *times > 50), "each limit was reached: {refused:?}");
    tickets.into_iter().for_each(|(ticket, _)| admission.leave(ticket, Departure::Clean));
    let counts = admission.counts();
    assert_eq!((counts.open, counts.handshaking, counts.closed), (0, 0, opened));
    let at_the_door = refused.handshakes + refused.handshakes_of_address;
    assert_eq!(counts.accepted, at_the_door + counts.closed + counts.unopened);
    assert!(format!("{admission:?}").contains("groups: {}"), "an address that is gone takes no memory");
}
