//! Any split of compressed input gives the same events, whatever is wrong with it.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use sansocket::{Connection, Delivery, Failure, LimitExceeded, Role, Violation};

use crate::bits::Bits;
use crate::support::drive::Drive;
use crate::support::seen::{Seen, joined};
use crate::support::wire::{self, LAST, MIDDLE, PING, pieces};
use crate::with_deflate::{
    ALONE, BINARY, BINARY_FIRST, Compressor, KEPT, RSV1, TEXT, TEXT_FIRST, config, noise, open_with, prose,
};

/// What an endpoint makes of a whole stream: events, the close code that the peer is told, and how it ended.
#[derive(Debug, PartialEq)]
struct Outcome {
    seen: Vec<Seen>,
    code: Option<Vec<u8>>,
    end: String,
}

fn outcome(mut connection: Connection, pieces: &[&[u8]]) -> Outcome {
    let seen: Vec<Seen> = pieces.iter().flat_map(|piece| connection.receive(piece)).collect();
    let close = connection.frames_sent().into_iter().find(|frame| frame.first == wire::CLOSE);
    connection.eof();
    let cause = match connection.only_closed().cause {
        sansocket::Cause::Failed(_) => "failed".to_owned(),
        other => other.to_string(),
    };
    let seen = joined(&seen);
    Outcome { seen, code: close.map(|close| close.payload[..2].to_vec()), end: cause }
}

const LIMIT: usize = 20_000;

fn endpoint(kept: bool, delivery: Delivery) -> Connection {
    open_with(Role::Client, if kept { KEPT } else { ALONE }, &config(|_| {}), |setup| {
        setup.delivery = delivery;
        setup.limits.message = LIMIT;
    })
}

/// A message as the peer sends it.
#[derive(Debug, Clone)]
struct Sent {
    data: Vec<u8>,
    text: bool,
    cuts: Vec<Index>,
    pings: bool,
    compressed: bool,
    spoil: Option<(Index, u8)>,
}

fn sent() -> impl Strategy<Value = Sent> {
    let len = || prop_oneof![4 => 0..400_usize, 2 => 0..20_000_usize, 1 => LIMIT - 5..LIMIT + 5];
    let data = prop_oneof![
        3 => len().prop_map(|len| (prose(len).into_bytes(), true)),
        1 => len().prop_map(|len| (vec![0; len], false)),
        1 => (len(), any::<u64>()).prop_map(|(len, seed)| (noise(len, seed), false)),
        1 => (len(), any::<Index>(), any::<u8>()).prop_map(|(len, at, byte)| {
            let mut data = prose(len + 1).into_bytes();
            let at = at.index(data.len());
            data[at] = byte;
            (data, true)
        }),
    ];
    let spoil = prop_oneof![4 => Just(None), 1 => (any::<Index>(), any::<u8>()).prop_map(Some)];
    (data, vec(any::<Index>(), 0..4), any::<bool>(), prop::bool::weighted(0.8), spoil).prop_map(
        |((data, text), cuts, pings, compressed, spoil)| Sent { data, text, cuts, pings, compressed, spoil },
    )
}

/// The frames of messages from a server.
fn stream(messages: &[Sent], kept: bool) -> Vec<u8> {
    let mut compressor = Compressor::new(6, 15);
    let mut frames = Vec::new();
    for Sent { data, text, cuts, pings, compressed, spoil } in messages {
        let mut payload = data.clone();
        if *compressed {
            if !kept {
                compressor = Compressor::new(6, 15);
            }
            payload = compressor.message(data);
        }
        if let Some((at, with)) = spoil {
            if !payload.is_empty() {
                let at = at.index(payload.len());
                payload[at] = *with;
            }
        }
        let rsv1 = if *compressed { RSV1 } else { 0 };
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(payload.len() + 1)).collect();
        cuts.sort_unstable();
        let (mut start, mut first) = (0, (if *text { TEXT_FIRST } else { BINARY_FIRST }) & !RSV1 | rsv1);
        for cut in cuts {
            frames.extend(wire::encode(first, None, &payload[start..cut]));
            if *pings {
                frames.extend(wire::encode(PING, None, b"between"));
            }
            (start, first) = (cut, MIDDLE);
        }
        let first = if first == MIDDLE { LAST } else { first | 0x80 };
        frames.extend(wire::encode(first, None, &payload[start..]));
    }
    frames
}

fn lengths() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![vec(1..8_usize, 1..4), vec(1..3_000_usize, 1..10), Just(vec![1])]
}

/// Without how many compressed bytes the decompressor had taken in when it reached the limit: it may look ahead if there is more.
fn without_look_ahead(mut outcome: Outcome) -> Outcome {
    if let Some(Seen::Failed(Failure::Limit(LimitExceeded::InflatedMessage { compressed, .. }))) =
        outcome.seen.last_mut()
    {
        *compressed = 0;
    }
    outcome
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_split_of_compressed_messages_gives_the_same(
        messages in vec(sent(), 1..6),
        kept in any::<bool>(),
        lengths in lengths(),
        chunks in any::<bool>(),
    ) {
        let bytes = stream(&messages, kept);
        let delivery = if chunks { Delivery::Chunks } else { Delivery::Messages };
        let whole = outcome(endpoint(kept, delivery), &[&bytes]);
        let split = outcome(endpoint(kept, delivery), &pieces(&bytes, &lengths));
        prop_assert_eq!(without_look_ahead(split), without_look_ahead(whole));
    }

    /// What is given in pieces is what would be given whole, where nothing is wrong with it.
    #[test]
    fn chunks_of_compressed_messages_joined_are_the_messages(
        messages in vec(sent(), 1..6),
        kept in any::<bool>(),
        lengths in lengths(),
    ) {
        let bytes = stream(&messages, kept);
        let messages = outcome(endpoint(kept, Delivery::Messages), &pieces(&bytes, &lengths));
        let chunks = outcome(endpoint(kept, Delivery::Chunks), &pieces(&bytes, &lengths));
        prop_assert_eq!(chunks.end, messages.end);
        let good = |seen: Vec<Seen>| -> Vec<Seen> {
            seen.into_iter().filter(|seen| matches!(seen, Seen::Text(_) | Seen::Binary(_))).collect()
        };
        // Of the faults of one message, one or the other may be found first: text that is given whole is checked as a whole.
        let failed = |seen: &[Seen]| seen.iter().any(|seen| matches!(seen, Seen::Failed(_)));
        prop_assert_eq!(failed(&chunks.seen), failed(&messages.seen));
        prop_assert_eq!(good(chunks.seen), good(messages.seen));
    }
}

/// Both faults are within what is inflated at a time.
fn text_then_fault(text: &[u8]) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.stored(false, text);
    wire::encode(TEXT, None, &[bits.done(), vec![0x06]].concat())
}

#[test]
fn of_two_faults_the_first_counts_however_they_arrive() {
    let bytes = text_then_fault(b"fine so far, \xFF and then not any more");
    let whole = outcome(endpoint(true, Delivery::Chunks), &[&bytes]);
    let bytewise: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(outcome(endpoint(true, Delivery::Chunks), &bytewise), whole);
    let bytes = text_then_fault(b"fine");
    let whole = outcome(endpoint(true, Delivery::Chunks), &[&bytes]);
    assert_eq!(whole.seen, [Seen::Failed(Violation::InvalidDeflate { at: 4 }.into())]);
}

/// A message whose beginning inflates much and whose end does not: what counts is how it stands at points that do not depend on
/// the reads.
#[test]
fn the_ratio_limit_does_not_depend_on_the_pieces() {
    let mut bits = Bits::default();
    // 1 MiB and a few hundred zeros, and then what cannot be compressed.
    let payload = bits.zeros(1017).stored_all(&noise(1 << 20, 1)).message();
    let bytes = wire::encode(BINARY, None, &payload);
    for delivery in [Delivery::Messages, Delivery::Chunks] {
        let results = [1, 7, 1000, 5_000, usize::MAX].map(|len| {
            let mut client =
                open_with(Role::Client, ALONE, &config(|_| {}), |setup| setup.delivery = delivery);
            let seen = joined(&crate::with_deflate::receive_by(&mut client, &bytes, len));
            matches!(seen[..], [Seen::Binary(_)])
        });
        assert!(results.iter().all(|ok| *ok == results[0]), "{delivery:?}: {results:?}");
    }
}
