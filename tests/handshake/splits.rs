//! Any split of the input gives the same result and leaves the same rest.

use proptest::prelude::*;
use sansocket::{ClientConfig, Limits, ServerConfig};

use crate::support::{Case, connect, requests, responses, serve};

/// `input` cut before the byte of each index.
fn cut<'a>(input: &'a [u8], at: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = at.iter().map(|index| index.index(input.len() + 1)).collect();
    at.sort_unstable();
    let mut pieces = Vec::new();
    let mut start = 0;
    for end in at.into_iter().chain([input.len()]) {
        pieces.push(&input[start..end]);
        start = end;
    }
    pieces
}

#[test]
fn every_case_gives_the_same_in_two_pieces_wherever_it_is_cut() {
    let (server, client) = (ServerConfig::default(), ClientConfig::default());
    for Case { name, head, .. } in requests() {
        let input = [&head[..], b"\x81\x80\r\n\r\n"].concat();
        let whole = serve(&server, &[&input]);
        for at in 0..=input.len() {
            assert_eq!(serve(&server, &[&input[..at], &input[at..]]), whole, "{name}, cut at {at}");
        }
    }
    for Case { name, head, .. } in responses() {
        let input = [&head[..], b"\x81\x00\r\n\r\n"].concat();
        let whole = connect(&client, &[&input]);
        for at in 0..=input.len() {
            assert_eq!(connect(&client, &[&input[..at], &input[at..]]), whole, "{name}, cut at {at}");
        }
    }
}

#[test]
fn one_byte_per_read_gives_the_same_as_one_read() {
    let (server, client) = (ServerConfig::default(), ClientConfig::default());
    for Case { name, head, .. } in requests() {
        let bytes: Vec<&[u8]> = head.chunks(1).collect();
        assert_eq!(serve(&server, &bytes), serve(&server, &[&head]), "{name}");
    }
    for Case { name, head, .. } in responses() {
        let bytes: Vec<&[u8]> = head.chunks(1).collect();
        assert_eq!(connect(&client, &bytes), connect(&client, &[&head]), "{name}");
    }
}

/// Limits that the cases of the tables meet.
fn limits() -> impl Strategy<Value = Limits> {
    (0..400_usize, 0..12_usize, 0..40_usize).prop_map(|(bytes, fields, line)| {
        let mut limits = Limits::default();
        (limits.head_bytes, limits.head_fields, limits.request_line) = (bytes, fields, line);
        limits
    })
}

/// A change to some bytes of a head.
#[derive(Debug, Clone)]
enum Edit {
    Replace(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let byte = || prop_oneof![Just(b'\r'), Just(b'\n'), Just(b' '), Just(b':'), Just(b','), any::<u8>()];
    let index = any::<prop::sample::Index>;
    let edit = prop_oneof![
        (index(), byte()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        (index(), byte()).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        index().prop_map(Edit::Remove),
    ];
    prop::collection::vec(edit, 0..4)
}

fn apply(mut head: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for edit in edits {
        match edit {
            Edit::Replace(at, byte) => {
                let at = at.index(head.len());
                head[at] = *byte;
            }
            Edit::Insert(at, byte) => head.insert(at.index(head.len()), *byte),
            Edit::Remove(at) => {
                head.remove(at.index(head.len()));
            }
        }
    }
    head
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn any_split_of_a_request(
        case in prop::sample::select(requests()),
        edits in edits(),
        limits in prop_oneof![Just(Limits::default()), limits()],
        behind in prop::collection::vec(any::<u8>(), 0..40),
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let input = [apply(case.head, &edits), behind].concat();
        let mut config = ServerConfig::default();
        config.limits = limits;
        prop_assert_eq!(serve(&config, &cut(&input, &at)), serve(&config, &[&input]));
    }

    #[test]
    fn any_split_of_a_response(
        case in prop::sample::select(responses()),
        edits in edits(),
        limits in prop_oneof![Just(Limits::default()), limits()],
        behind in prop::collection::vec(any::<u8>(), 0..40),
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let input = [apply(case.head, &edits), behind].concat();
        let mut config = ClientConfig::default();
        config.limits = limits;
        prop_assert_eq!(connect(&config, &cut(&input, &at)), connect(&config, &[&input]));
    }

    #[test]
    fn any_bytes_at_all(
        input in prop::collection::vec(any::<u8>(), 0..200),
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let pieces = cut(&input, &at);
        let (server, client) = (ServerConfig::default(), ClientConfig::default());
        prop_assert_eq!(serve(&server, &pieces), serve(&server, &[&input]));
        prop_assert_eq!(connect(&client, &pieces), connect(&client, &[&input]));
    }
}
