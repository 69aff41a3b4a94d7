//! Agreeing on parameters (RFC 7692 sections 5 and 7.1): the tables in `data`, and two ends of this library.

use proptest::prelude::*;
use sansocket::{
    Accept, ClientConfig, Connection, DeflateConfig, DeflateParams, ExtensionFault, HandshakeError,
    HandshakeErrorKind, Role,
};

use crate::support::drive::Drive;
use crate::support::seen::Seen;
use crate::with_deflate::{
    ALONE, KEPT, client_config, config, connect, handshake, pass, prose, serve, server_config,
};

/// A configuration in the words of the tables; none where it says `off`.
fn configured(words: &str) -> Option<DeflateConfig> {
    let words: Vec<&str> = words.split(' ').collect();
    let mut config = match words.contains(&"kept") {
        true => DeflateConfig::with_context_takeover(),
        false => DeflateConfig::default(),
    };
    for word in &words {
        let bits = || word[1..].parse().expect("a number of bits");
        match word.as_bytes() {
            [b's', b'0'..=b'9', ..] => config.server_max_window_bits = bits(),
            [b'c', b'0'..=b'9', ..] => config.client_max_window_bits = bits(),
            b"strict" => config.fallback = false,
            b"kept" | b"alone" | b"off" | b"declines" => {}
            _ => panic!("no configuration is called {word}"),
        }
    }
    (!words.contains(&"off")).then_some(config)
}

/// As the tables write it.
fn agreed(params: Option<DeflateParams>) -> String {
    let Some(params) = params else { return "-".to_owned() };
    let context = |alone| if alone { "alone" } else { "kept" };
    format!(
        "{} {} / {} {}",
        params.server_max_window_bits,
        context(params.server_no_context_takeover),
        params.client_max_window_bits,
        context(params.client_no_context_takeover),
    )
}

/// The code and the fault, as the tables write them.
fn fault(error: &HandshakeError) -> String {
    match error.kind() {
        HandshakeErrorKind::BadExtension { what, .. } => format!("{} {what:?}", error.code()),
        _ => error.code().to_owned(),
    }
}

/// The lines of a table, with their numbers and columns.
fn rows<const COLUMNS: usize>(table: &str) -> Vec<(usize, [&str; COLUMNS])> {
    let lines = table.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let columns = lines.map(|(index, line)| {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        (index + 1, columns.try_into().unwrap_or_else(|_| panic!("line {} of the table", index + 1)))
    });
    columns.collect()
}

fn offers() -> Vec<(usize, [&'static str; 4])> {
    let offers = rows(include_str!("data/offers.txt"));
    assert!(offers.len() > 90, "only {} lines were read", offers.len());
    offers
}

fn answers() -> Vec<(usize, [&'static str; 3])> {
    let answers = rows(include_str!("data/answers.txt"));
    assert!(answers.len() > 55, "only {} lines were read", answers.len());
    answers
}

fn lines(value: &str) -> Vec<&str> {
    if value.is_empty() { Vec::new() } else { value.split("//").map(str::trim).collect() }
}

#[test]
fn every_offer_is_answered_as_the_table_says() {
    for (line, [server, value, expected, expected_params]) in offers() {
        let accept = if server.contains("declines") { Accept::new().uncompressed() } else { Accept::new() };
        let served = serve(&server_config(configured(server)), &lines(value), accept);
        let (answer, params) = match served {
            Ok((connection, answer)) => {
                assert!(answer.len() <= 1, "line {line}: {answer:?}");
                (answer.first().cloned().unwrap_or_else(|| "-".to_owned()), agreed(connection.deflate()))
            }
            Err(error) => {
                let status = error.status().expect("a client is told");
                (format!("fails {status} {}", fault(&error)), "-".to_owned())
            }
        };
        assert_eq!((&answer[..], &params[..]), (expected, expected_params), "line {line}, {value:?}");
    }
}

#[test]
fn every_answer_is_taken_as_the_table_says() {
    for (line, [client, value, expected]) in answers() {
        let (_, connected) = connect(&client_config(configured(client)), &lines(value));
        let told = match connected {
            Ok((connection, params)) => {
                assert_eq!(connection.deflate(), params, "line {line}");
                agreed(params)
            }
            Err(error) => format!("fails {}", fault(&error)),
        };
        assert_eq!(told, expected, "line {line}, {value:?}");
    }
}

#[test]
fn every_fault_is_in_the_tables() {
    use ExtensionFault::{
        Grammar, Missing, NotOffered, Repeated, RepeatedParameter, UnknownParameter, Value,
    };

    let all = [Grammar, Missing, NotOffered, Repeated, RepeatedParameter, UnknownParameter, Value];
    let told: Vec<&str> = answers().into_iter().map(|(_, [.., told])| told).collect();
    for fault in all {
        let told = told.iter().any(|told| told.ends_with(&format!(" {fault:?}")));
        assert!(told, "no line shows {fault:?}");
    }
}

//= https://www.rfc-editor.org/rfc/rfc7692#section-7.1.2.2
//= type=test
//# If a received extension negotiation offer doesn't have the
//# "client_max_window_bits" extension parameter, the corresponding
//# extension negotiation response to the offer MUST NOT include the
//# "client_max_window_bits" extension parameter.
#[test]
fn an_answer_says_nothing_that_no_offer_permits() {
    let mut looked_at = 0;
    for (line, [_, value, answer, _]) in offers() {
        let Some(parameters) = answer.strip_prefix("permessage-deflate") else { continue };
        for parameter in parameters.split("; ").filter(|parameter| !parameter.is_empty()) {
            let name = parameter.split('=').next().unwrap_or_default();
            // Only these two may be said unasked.
            let free = ["server_no_context_takeover", "client_no_context_takeover"].contains(&name);
            assert!(free || value.contains(name), "line {line}: {name}");
        }
        looked_at += 1;
    }
    assert!(looked_at > 40);
}

#[test]
fn what_a_client_offers() {
    for (words, expected) in [
        ("kept", "permessage-deflate; client_max_window_bits"),
        (
            "alone",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits, \
             permessage-deflate; client_no_context_takeover; client_max_window_bits",
        ),
        (
            "strict alone",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits",
        ),
        (
            "kept s10 c9",
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9, \
             permessage-deflate; client_max_window_bits=9",
        ),
        ("strict kept s3 c200", "permessage-deflate; server_max_window_bits=8; client_max_window_bits"),
    ] {
        let (offer, _) = connect(&client_config(configured(words)), &[]);
        assert_eq!(offer, [expected], "{words}");
    }
    let (offer, _) = connect(&ClientConfig::default(), &[]);
    assert!(offer.is_empty(), "by default it offers nothing");
}

#[test]
fn what_is_wrong_with_a_field_is_said_for_a_person() {
    let error = serve(&server_config(None), &["permessage-deflate; a="], Accept::new()).unwrap_err();
    let text = error.to_string();
    for part in
        ["Sec-WebSocket-Extensions", "\"permessage-deflate; a=\"", "no list of extensions", "(bad-extension;"]
    {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    let offered = client_config(configured("strict s10"));
    let tell = |value| connect(&offered, &[value]).1.unwrap_err().to_string();
    let text = tell("permessage-deflate; server_no_context_takeover; server_max_window_bits=12");
    assert!(text.contains("server_max_window_bits=12") && text.contains("beyond what was offered"), "{text}");
    let text = tell("permessage-deflate");
    assert!(text.contains("lacks a parameter that the offer requires"), "{text}");
    let text = tell("x-test");
    assert!(text.contains("\"x-test\"") && text.contains("not offered"), "{text}");
}

#[test]
fn parameters_are_shown_as_a_field_value() {
    assert_eq!(KEPT.to_string(), "permessage-deflate");
    assert_eq!(DeflateParams::default(), KEPT);
    let all = DeflateParams { server_max_window_bits: 8, client_max_window_bits: 14, ..ALONE };
    assert_eq!(
        all.to_string(),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
         server_max_window_bits=8; client_max_window_bits=14"
    );
}

/// Sends a few messages from one end to the other and checks that they arrive; each after the other, for the context.
fn talk(from: &mut Connection, to: &mut Connection) {
    for message in [prose(2_000), prose(300), "x".repeat(5_000), prose(70_000)] {
        from.send_text(&message).unwrap();
        assert_eq!(pass(from, to), [Seen::Text(message)]);
    }
}

#[test]
fn without_the_agreement_of_both_ends_nothing_is_compressed() {
    let deflate = || Some(DeflateConfig::default());
    for (client, server) in [(None, deflate()), (deflate(), None), (None, None)] {
        let [mut client, mut server] = handshake(&client_config(client), &server_config(server));
        assert_eq!((client.deflate(), server.deflate()), (None, None));
        assert!(!client.compression() && !server.compression());
        client.send_text(&prose(10_000)).unwrap();
        assert_eq!(client.frames_sent()[0].first, 0x81);
        talk(&mut client, &mut server);
        talk(&mut server, &mut client);
    }
}

fn any_config() -> impl Strategy<Value = DeflateConfig> {
    let bits = || prop_oneof![3 => 8..=15_u8, 1 => any::<u8>()];
    (any::<[bool; 3]>(), bits(), bits(), 0..=9_u8, 1..=9_u8).prop_map(
        |([server_alone, client_alone, fallback], server_bits, client_bits, level, mem_level)| {
            config(|config| {
                config.server_no_context_takeover = server_alone;
                config.client_no_context_takeover = client_alone;
                config.fallback = fallback;
                config.server_max_window_bits = server_bits;
                config.client_max_window_bits = client_bits;
                (config.level, config.mem_level) = (level, mem_level);
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_two_configurations_agree(client in any_config(), server in any_config()) {
        let bits = |bits: u8| bits.clamp(8, 15);
        let (for_client, for_server) = (client_config(Some(client.clone())), server_config(Some(server.clone())));
        let [mut client_end, mut server_end] = handshake(&for_client, &for_server);
        let (at_client, at_server) = (client_end.deflate().unwrap(), server_end.deflate().unwrap());
        // All that one of them asks for is agreed on.
        prop_assert_eq!(
            at_server,
            DeflateParams {
                server_no_context_takeover: client.server_no_context_takeover || server.server_no_context_takeover,
                client_no_context_takeover: client.client_no_context_takeover || server.client_no_context_takeover,
                server_max_window_bits: bits(client.server_max_window_bits).min(bits(server.server_max_window_bits)),
                client_max_window_bits: bits(client.client_max_window_bits).min(bits(server.client_max_window_bits)),
            }
        );
        // The one thing that a client is not told: that the server keeps to less than was asked.
        let unasked = bits(client.server_max_window_bits) == 15;
        let told = if unasked { 15 } else { at_server.server_max_window_bits };
        prop_assert_eq!(at_client, DeflateParams { server_max_window_bits: told, ..at_server });
        prop_assert!(client_end.compression() && server_end.compression());
        talk(&mut client_end, &mut server_end);
        talk(&mut server_end, &mut client_end);
    }
}

#[test]
fn an_agreement_made_elsewhere_counts_as_well() {
    for (params, role) in [(KEPT, Role::Server), (ALONE, Role::Client)] {
        let mut end = crate::with_deflate::open(role, params);
        assert_eq!(end.deflate(), Some(params));
        end.eof();
        end.only_closed();
        assert_eq!(end.deflate(), Some(params), "also when it has ended");
        assert!(!end.compression());
    }
}
