//! Every line of `tests/data/frames.txt`.

use std::collections::BTreeSet;

use sansocket::Role;

use crate::support::drive::{Drive, open};
use crate::support::seen::Seen;
use crate::support::wire;

/// One line of the file.
struct Row {
    line: usize,
    receiver: Role,
    bytes: Vec<u8>,
    expected: String,
}

#[test]
fn every_vector_gives_its_events_and_its_close_code_whole_and_byte_by_byte() {
    for Row { line, receiver, bytes, expected } in rows() {
        let mut whole = open(receiver);
        let seen = whole.receive(&bytes);
        assert_eq!(told(&seen, &wire::decode(&whole.sent())), expected, "line {line}");
        let mut bytewise = open(receiver);
        let seen = bytewise.receive_bytewise(&bytes);
        assert_eq!(told(&seen, &wire::decode(&bytewise.sent())), expected, "line {line}, byte by byte");
    }
}

#[test]
fn every_split_of_every_frame_at_every_byte_gives_the_same_events() {
    for Row { line, receiver, bytes, expected } in rows().into_iter().filter(|row| row.bytes.len() < 1000) {
        for at in 0..=bytes.len() {
            let mut connection = open(receiver);
            let mut seen = connection.receive(&bytes[..at]);
            seen.extend(connection.receive(&bytes[at..]));
            let told = told(&seen, &wire::decode(&connection.sent()));
            assert_eq!(told, expected, "line {line}, split at byte {at}");
        }
    }
}

#[test]
fn a_fault_is_found_on_the_byte_that_breaks_the_rule() {
    // Each of these rows ends with that byte; without it the endpoint waits for more.
    let header_faults =
        ["ReservedBits", "ReservedOpcode", "FragmentedControl", "UnmaskedFrame", "MaskedFrame"];
    let length_faults = ["ControlFrameTooLong", "LengthOver63Bits"];
    let mut looked_at = 0;
    for row in rows() {
        let sudden = header_faults.iter().chain(&length_faults).any(|name| row.expected.contains(name));
        if !sudden || row.bytes.len() > 3 {
            continue;
        }
        let before = &row.bytes[..row.bytes.len() - 1];
        assert_eq!(open(row.receiver).receive(before), [], "line {}", row.line);
        looked_at += 1;
    }
    assert!(looked_at > 20, "only {looked_at} rows were looked at");
}

#[test]
fn every_violation_has_a_vector() {
    let source = include_str!("../../src/error.rs");
    let (_, body) = source.split_once("pub enum Violation {").expect("the enum is in this file");
    let (body, _) = body.split_once("\n}").expect("the enum ends");
    let names = body.lines().filter_map(|line| line.strip_prefix("    "));
    let names: BTreeSet<&str> = names
        .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
        .map(|line| line.trim_end_matches([' ', '{', ',']))
        .collect();
    assert!(names.contains("UnmaskedFrame") && names.contains("InvalidUtf8"), "{names:?}");
    let vectors: String = rows().into_iter().map(|row| row.expected).collect();
    for name in names {
        let told = [format!("Violation({name})"), format!("Violation({name} {{")];
        assert!(told.iter().any(|told| vectors.contains(told)), "no vector shows {name}");
    }
}

/// Events and, for a failure, the close code that the peer is told, as the file writes them.
fn told(seen: &[Seen], sent: &[wire::Frame]) -> String {
    let told = seen.iter().map(|event| match event {
        Seen::Text(text) => format!("text {text:?}"),
        Seen::Binary(bytes) => format!("binary {}", hex(bytes)).trim_end().to_owned(),
        Seen::Ping(payload) => format!("ping {}", hex(payload)).trim_end().to_owned(),
        Seen::Pong(payload) => format!("pong {}", hex(payload)).trim_end().to_owned(),
        Seen::Close(frame) => format!("close {} {:?}", frame.code().0, frame.reason()),
        Seen::Failed(failure) => {
            let close = sent.iter().find(|frame| frame.first == wire::CLOSE).expect("a Close frame");
            let code = close.payload.first_chunk().map(|code| u16::from_be_bytes(*code));
            format!("fails {} {failure:?}", code.expect("a close code"))
        }
        other => format!("{other:?}"),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// `ab cd`; a byte over 8 times in a row is `ab*n`.
fn hex(bytes: &[u8]) -> String {
    let runs = bytes.chunk_by(|one, next| one == next).flat_map(|run| match run {
        [first, ..] if run.len() > 8 => vec![format!("{first:02x}*{}", run.len())],
        run => run.iter().map(|byte| format!("{byte:02x}")).collect(),
    });
    runs.collect::<Vec<_>>().join(" ")
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |hex: &str| u8::from_str_radix(hex, 16).expect("two hexadecimal digits");
    text.split_whitespace()
        .flat_map(|part| match part.split_once('*') {
            Some((hex, n)) => vec![byte(hex); n.parse().expect("a number")],
            None => vec![byte(part)],
        })
        .collect()
}

fn rows() -> Vec<Row> {
    let lines = include_str!("../data/frames.txt").lines().enumerate();
    let rows = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).map(|(index, line)| {
        let [receiver, bytes, expected] = line.splitn(3, '|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("line {}", index + 1)
        };
        let receiver = match receiver {
            "client" => Role::Client,
            "server" => Role::Server,
            other => panic!("line {}: no role is called {other}", index + 1),
        };
        Row { line: index + 1, receiver, bytes: unhex(bytes), expected: expected.to_owned() }
    });
    rows.collect()
}
