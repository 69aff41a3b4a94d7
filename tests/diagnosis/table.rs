//! The tables in `data`: each case as a whole, byte by byte and in random pieces, and that nothing is left out.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sansocket::{HandshakeErrorKind, Peer, Role, Severity};

use crate::cases::{Case, End, all};
use crate::run::{Outcome, run, whole};

#[test]
fn every_case_is_told_as_the_table_says() {
    let cases = all();
    assert_eq!(cases.len(), 234, "the files were read");
    let wrong: Vec<String> = cases
        .iter()
        .map(|case| (case, whole(case).0.summary()))
        .filter(|(case, summary)| case.expected != *summary)
        .map(|(case, summary)| {
            format!("{:?}, {}\n   is {summary}\n  not {}", case.role, case.name, case.expected)
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn byte_by_byte_it_is_the_same() {
    for case in all() {
        let bytes: Vec<&[u8]> = case.bytes.chunks(1).collect();
        assert_eq!(run(&case, &bytes).0, whole(&case).0, "{}", case.name);
    }
}

#[test]
fn in_two_pieces_it_is_the_same_wherever_it_is_cut() {
    for case in all() {
        let expected = whole(&case).0;
        // Long cases are long because of one field.
        for at in (0..case.bytes.len()).take(400) {
            let (first, second) = case.bytes.split_at(at);
            assert_eq!(run(&case, &[first, second]).0, expected, "{}, cut at {at}", case.name);
        }
    }
}

#[test]
fn the_bytes_that_are_counted_are_those_that_were_taken() {
    for case in all() {
        let (outcome, error) = whole(&case);
        let Outcome::Failed(failed) = outcome else { continue };
        let error = error.expect("it failed");
        let after_success = matches!(failed.kind, HandshakeErrorKind::Finished);
        let taken = case.bytes.len() - failed.rest.len();
        assert!(after_success || failed.bytes == taken as u64, "{}: {} of {taken}", case.name, failed.bytes);
        assert_eq!(error.reads(), u32::from(!case.bytes.is_empty()), "{}", case.name);
        // What settles it is the last byte that was taken: without it nothing is settled.
        if case.end == End::Nothing && taken > 0 {
            let shorter = Case { bytes: case.bytes[..taken - 1].to_vec(), ..case.clone() };
            assert_eq!(whole(&shorter).0, Outcome::NeedMore, "{}", case.name);
        }
    }
}

#[test]
fn every_code_peer_and_severity_is_in_the_table() {
    let failed: Vec<_> = all()
        .iter()
        .filter_map(|case| match whole(case).0 {
            Outcome::Failed(failed) => Some((case.role, failed)),
            _ => None,
        })
        .collect();
    let codes: BTreeSet<_> = failed.iter().map(|(_, failed)| failed.kind.code()).collect();
    assert_eq!(codes, HandshakeErrorKind::CODES.iter().copied().collect());
    let peers: BTreeSet<_> = failed.iter().map(|(_, failed)| failed.peer.code()).collect();
    assert_eq!(peers, Peer::CODES.iter().copied().collect());
    for role in [Role::Server, Role::Client] {
        let severities: BTreeSet<_> =
            failed.iter().filter(|(of, _)| *of == role).map(|(_, failed)| failed.severity).collect();
        // Nobody probes a client.
        let expected =
            Severity::ALL.into_iter().filter(|severity| role == Role::Server || *severity != Severity::Probe);
        assert_eq!(severities, expected.collect(), "{role}");
    }
}

#[test]
fn codes_are_unique_and_in_one_style() {
    let severities = Severity::ALL.map(Severity::code);
    for codes in [HandshakeErrorKind::CODES, Peer::CODES, &severities] {
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
        for code in codes {
            let kebab = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            assert!(
                code.bytes().all(kebab) && code.starts_with(|first: char| first.is_ascii_lowercase()),
                "{code}"
            );
        }
    }
    assert!(severities.is_sorted_by_key(|code| severities.iter().position(|other| other == code)));
    assert!(Severity::ALL.is_sorted());
}

#[test]
fn no_http_is_said_to_who_does_not_speak_it_but_for_tls_and_to_all_others_it_is() {
    for case in all().into_iter().filter(|case| case.role == Role::Server) {
        let Outcome::Failed(failed) = whole(&case).0 else { continue };
        let speaks = matches!(
            failed.peer,
            Peer::HttpClient { .. } | Peer::WebSocketClient | Peer::OldWebSocketClient { .. } | Peer::Http09
        );
        // The start of a method is no other protocol yet.
        let may_speak = failed.peer == Peer::Unclear && b"GET".starts_with(&case.bytes);
        // Answered in plain text, which tells its TLS library that this is none.
        let speaks_tls = matches!(failed.peer, Peer::TlsClient(_)) && case.end != End::Eof;
        let expected = (speaks || may_speak) && failed.kind.reply_status().is_some() || speaks_tls;
        assert_eq!(failed.reply.is_some(), expected, "{}", case.name);
        assert_eq!(failed.reply.is_some(), failed.status.is_some(), "{}", case.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn in_any_pieces_it_is_the_same(
        case in prop::sample::select(all()),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(case.bytes.len() + 1)).collect();
        cuts.extend([0, case.bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &case.bytes[cut[0]..cut[1]]).collect();
        prop_assert_eq!(run(&case, &pieces).0, whole(&case).0, "{}", case.name);
    }
}
