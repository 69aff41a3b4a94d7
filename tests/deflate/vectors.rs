//! Every line of `tests/data/deflate.txt`.

use sansocket::{Connection, Delivery, Failure, Role, Violation};

use crate::support::drive::Drive;
use crate::support::seen::{Seen, joined};
use crate::support::vectors::{Row, role, rows, told};
use crate::support::wire;
use crate::with_deflate::{ALONE, KEPT, config, open_with};

fn all() -> Vec<Row> {
    let all = rows(include_str!("../data/deflate.txt"));
    assert!(all.len() > 60, "only {} lines were read", all.len());
    all
}

/// An endpoint as the first column says.
fn endpoint(column: &str, delivery: Delivery) -> Connection {
    let (receiver, context) = column.split_once(' ').expect("two words");
    let params = match context {
        "kept" => KEPT,
        "alone" => ALONE,
        other => panic!("no context is called {other}"),
    };
    open_with(role(receiver), params, &config(|_| {}), |setup| setup.delivery = delivery)
}

/// As the file writes it.
fn summary(connection: &mut Connection, seen: &[Seen]) -> String {
    told(&joined(seen), &wire::decode(&connection.sent()))
}

#[test]
fn every_vector_gives_its_events_and_its_close_code_whole_byte_by_byte_and_split_in_two() {
    for delivery in [Delivery::Messages, Delivery::Chunks] {
        for Row { line, receiver, bytes, expected } in all() {
            let mut whole = endpoint(&receiver, delivery);
            let seen = whole.receive(&bytes);
            assert_eq!(summary(&mut whole, &seen), expected, "line {line}, {delivery:?}");
            let mut bytewise = endpoint(&receiver, delivery);
            let seen = bytewise.receive_bytewise(&bytes);
            assert_eq!(summary(&mut bytewise, &seen), expected, "line {line}, {delivery:?}, byte by byte");
            for at in 0..=bytes.len() {
                let mut split = endpoint(&receiver, delivery);
                let mut seen = split.receive(&bytes[..at]);
                seen.extend(split.receive(&bytes[at..]));
                assert_eq!(summary(&mut split, &seen), expected, "line {line}, {delivery:?}, split at {at}");
            }
        }
    }
}

#[test]
fn a_compressed_frame_without_the_agreement_breaks_the_rules() {
    // Of the lines with messages only the first frames tell: without an agreement none of them has a meaning.
    let mut looked_at = 0;
    for Row { line, receiver, bytes, .. } in all() {
        if bytes.first().is_some_and(|first| first & 0x40 == 0) {
            continue;
        }
        let (receiver, _) = receiver.split_once(' ').expect("two words");
        let mut connection = crate::support::drive::open(role(receiver));
        let bits = bytes[0] >> 4 & 7;
        let failure = Failure::from(Violation::ReservedBits { bits });
        assert_eq!(connection.receive(&bytes), [Seen::Failed(failure)], "line {line}");
        looked_at += 1;
    }
    assert!(looked_at > 50);
}

//= https://www.rfc-editor.org/rfc/rfc7692#section-7.2.1
//= type=test
//# 3.  Remove 4 octets (that are 0x00 0x00 0xff 0xff) from the tail end.
#[test]
fn what_this_end_sends_is_what_the_examples_show() {
    let config = config(|config| config.min_len = 0);
    let mut server = open_with(Role::Server, KEPT, &config, |_| {});
    for payload in [&b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..], b"\xf2\x00\x11\x00\x00"] {
        server.send_text("Hello").unwrap();
        let expected = wire::encode(wire::TEXT | 0x40, None, payload);
        assert_eq!(server.sent(), expected);
    }
    let mut server = open_with(Role::Server, ALONE, &config, |_| {});
    server.send_text("Hello").unwrap();
    let expected = wire::encode(wire::TEXT, None, b"Hello");
    assert_eq!(server.sent(), expected, "by itself it becomes longer, so it goes as it is");
}
