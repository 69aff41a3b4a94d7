//! Every line of `tests/data/frames.txt`.

use std::collections::BTreeSet;

use crate::support::drive::{Drive, open};
use crate::support::vectors::{self, Row, role, told};
use crate::support::wire;

#[test]
fn every_vector_gives_its_events_and_its_close_code_whole_and_byte_by_byte() {
    for Row { line, receiver, bytes, expected } in rows() {
        let receiver = role(&receiver);
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
        let receiver = role(&receiver);
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
        assert_eq!(open(role(&row.receiver)).receive(before), [], "line {}", row.line);
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
    // Some can only be broken where compression was agreed on.
    let rows = rows().into_iter().chain(vectors::rows(include_str!("../data/deflate.txt")));
    let vectors: String = rows.map(|row| row.expected).collect();
    for name in names {
        let told = [format!("Violation({name})"), format!("Violation({name} {{")];
        assert!(told.iter().any(|told| vectors.contains(told)), "no vector shows {name}");
    }
}

fn rows() -> Vec<Row> {
    vectors::rows(include_str!("../data/frames.txt"))
}
