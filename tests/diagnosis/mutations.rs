//! Valid heads with some bytes changed: success or a documented failure, never a panic, and the counts are right.

use proptest::prelude::*;
use sansocket::{HandshakeErrorKind, Peer};

use crate::cases::{Case, End, all};
use crate::run::{Outcome, Role, run};

/// A change to some bytes.
#[derive(Debug, Clone)]
enum Edit {
    Replace(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Double(prop::sample::Index, usize),
    Cut(prop::sample::Index),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let byte = || prop_oneof![Just(b'\r'), Just(b'\n'), Just(b' '), Just(b':'), Just(b'\0'), any::<u8>()];
    let index = any::<prop::sample::Index>;
    let edit = prop_oneof![
        4 => (index(), byte()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        2 => (index(), prop::collection::vec(byte(), 1..8)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        2 => (index(), 1..40_usize).prop_map(|(at, len)| Edit::Remove(at, len)),
        1 => (index(), 1..80_usize).prop_map(|(at, len)| Edit::Double(at, len)),
        1 => index().prop_map(Edit::Cut),
    ];
    prop::collection::vec(edit, 1..5)
}

fn apply(bytes: &mut Vec<u8>, edit: &Edit) {
    if bytes.is_empty() {
        return;
    }
    let range = |at: &prop::sample::Index, len: usize, bytes: &[u8]| {
        let at = at.index(bytes.len());
        at..bytes.len().min(at + len)
    };
    match edit {
        Edit::Replace(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        Edit::Insert(at, new) => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, new.iter().copied());
        }
        Edit::Remove(at, len) => {
            bytes.drain(range(at, *len, bytes));
        }
        Edit::Double(at, len) => {
            let part = bytes[range(at, *len, bytes)].to_vec();
            bytes.extend(part);
        }
        Edit::Cut(at) => bytes.truncate(at.index(bytes.len())),
    }
}

/// Cases that are not long for a purpose, and the handshakes that succeed, which are the richest.
fn seeds() -> Vec<Case> {
    let mut cases: Vec<Case> = all().into_iter().filter(|case| case.bytes.len() < 1000).collect();
    let valid: Vec<Case> = cases
        .iter()
        .filter(|case| {
            case.name.starts_with("a whole request") || case.name.starts_with("the connection is used")
        })
        .cloned()
        .collect();
    assert_eq!(valid.len(), 4);
    cases.extend(std::iter::repeat_n(valid, 40).flatten());
    cases.iter_mut().for_each(|case| case.end = End::Eof);
    cases
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8192))]

    #[test]
    fn success_or_a_documented_code(case in prop::sample::select(seeds()), edits in edits(), piece in 1..300_usize) {
        let mut case = case;
        edits.iter().for_each(|edit| apply(&mut case.bytes, edit));
        let pieces: Vec<&[u8]> = case.bytes.chunks(piece).collect();
        let (outcome, error) = run(&case, &pieces);
        prop_assert_eq!(&outcome, &run(&case, &[&case.bytes]).0, "whole");
        if let Some(error) = error {
            prop_assert!(HandshakeErrorKind::CODES.contains(&error.code()));
            prop_assert!(Peer::CODES.contains(&error.peer().code()));
            let Outcome::Failed(failed) = outcome else { panic!("it failed") };
            prop_assert_eq!(failed.bytes as usize, case.bytes.len() - failed.rest.len(), "{}", error);
            prop_assert!(error.reads() as usize <= pieces.len());
            for text in [error.to_string(), error.report().replace('\n', ""), error.peer().to_string()] {
                prop_assert!(text.is_ascii() && !text.contains(|character: char| character.is_control()), "{}", text);
            }
            prop_assert!(error.to_string().len() < 2000, "{}", error);
            prop_assert!(error.report().lines().count() < 600);
            prop_assert!(case.role == Role::Server || error.reply().is_none());
        }
    }
}
