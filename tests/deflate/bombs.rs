//! Memory under attack: a message of about 1 MB that inflates to 1 GiB.

use bytes::BytesMut;
use sansocket::{Connection, Delivery, Event, Failure, LimitExceeded, Limits, Role};

use crate::bits::{Bits, zeros_len};
use crate::memory::{allocated, peak};
use crate::support::wire::{self, LAST, MIDDLE};
use crate::with_deflate::{ALONE, BINARY, BINARY_FIRST, KEPT, KIB, MIB, config, open_with};

/// Compressed bytes that become 1 GiB of zeros.
const BOMB: usize = 1024 * MIB / 1032;

fn bomb() -> Vec<u8> {
    assert!(zeros_len(BOMB) > 1024 * MIB - 2_000);
    let payload = Bits::default().zeros(BOMB).message();
    assert!(payload.len() < MIB);
    payload
}

fn end(delivery: Delivery, change: impl FnOnce(&mut Limits)) -> Connection {
    // With takeover, so that nothing is given back to a pool while it is measured.
    open_with(Role::Client, KEPT, &config(|_| {}), |setup| {
        setup.delivery = delivery;
        change(&mut setup.limits);
    })
}

/// Reads without keeping anything; returns the bytes that were given, and the failure.
fn read(connection: &mut Connection, input: &mut BytesMut, most: usize) -> (usize, Option<Failure>) {
    let mut reader = connection.read(input);
    let mut given = 0;
    while given < most {
        match reader.next() {
            None => break,
            Some(Event::Chunk(chunk)) => given += chunk.data.len(),
            Some(Event::Binary(data)) => given += data.len(),
            Some(Event::Failed(failure)) => return (given, Some(failure)),
            Some(other) => panic!("{other:?}"),
        }
    }
    (given, None)
}

#[test]
fn a_bomb_ends_at_the_ratio_limit_with_little_memory() {
    let frame = wire::encode(BINARY, None, &bomb());
    for delivery in [Delivery::Messages, Delivery::Chunks] {
        for piece in [frame.len(), 16 * KIB, 100] {
            let mut end = end(delivery, |_| {});
            let mut inputs: Vec<BytesMut> = frame.chunks(piece).map(BytesMut::from).collect();
            let (failure, most) = peak(|| {
                inputs.iter_mut().find_map(|input| read(&mut end, input, usize::MAX).1).expect("it fails")
            });
            let Failure::Limit(LimitExceeded::InflateRatio { len, limit: 250, .. }) = failure else {
                panic!("{failure:?}")
            };
            assert!(len <= 2 * MIB as u64, "{len} bytes were inflated");
            let allowed = if delivery == Delivery::Chunks { 128 * KIB } else { 16 * MIB + MIB };
            assert!(most <= allowed, "{delivery:?}, {piece} at a time: {most} bytes held");
        }
    }
}

#[test]
fn without_a_ratio_limit_a_bomb_ends_at_the_message_limit() {
    let frame = wire::encode(BINARY, None, &bomb());
    for delivery in [Delivery::Messages, Delivery::Chunks] {
        let mut end = end(delivery, |limits| limits.inflate_ratio = u32::MAX);
        let mut input = BytesMut::from(&frame[..]);
        let ((given, failure), most) = peak(|| read(&mut end, &mut input, usize::MAX));
        let limit = 16 * MIB;
        let Some(Failure::Limit(LimitExceeded::InflatedMessage { limit: told, compressed })) = failure else {
            panic!("{failure:?}")
        };
        assert_eq!(told, limit);
        assert!(compressed < 17_000, "{compressed} bytes were inflated");
        assert_eq!(given, if delivery == Delivery::Chunks { limit } else { 0 });
        // A buffer that is made longer may be counted twice, as it was and as it is.
        let allowed = if delivery == Delivery::Chunks { 128 * KIB } else { limit + limit / 2 + MIB };
        assert!(most <= allowed, "{delivery:?}: {most} bytes held");
    }
}

#[test]
fn a_bomb_in_fragments_is_the_same_bomb() {
    let payload = bomb();
    let mut frames = wire::encode(BINARY_FIRST, None, b"");
    for piece in payload[..200 * KIB].chunks(10) {
        frames.extend(wire::encode(MIDDLE, None, piece));
    }
    frames.extend(wire::header(LAST, false, 1));
    let mut end = end(Delivery::Messages, |_| {});
    let mut input = BytesMut::from(&frames[..]);
    let ((_, failure), most) = peak(|| read(&mut end, &mut input, usize::MAX));
    assert!(matches!(failure, Some(Failure::Limit(LimitExceeded::InflateRatio { .. }))), "{failure:?}");
    assert!(most <= 16 * MIB + MIB, "{most} bytes held");
}

#[test]
fn a_bomb_under_a_small_limit_costs_little_more_than_the_limit() {
    let frame = wire::encode(BINARY, None, &bomb());
    for piece in [frame.len(), 16 * KIB, 100] {
        let mut end = end(Delivery::Messages, |limits| limits.message = MIB);
        let mut inputs: Vec<BytesMut> = frame.chunks(piece).map(BytesMut::from).collect();
        let (failure, most) = peak(|| {
            inputs.iter_mut().find_map(|input| read(&mut end, input, usize::MAX).1).expect("it fails")
        });
        assert!(
            matches!(failure, Failure::Limit(LimitExceeded::InflatedMessage { limit: MIB, .. })),
            "{failure:?}"
        );
        assert!(most <= MIB + MIB / 2 + 64 * KIB, "{piece} at a time: {most} bytes held");
    }
}

#[test]
fn without_limits_a_bomb_passes_in_chunks_and_costs_no_memory() {
    let frame = wire::encode(BINARY, None, &bomb());
    let mut end = end(Delivery::Chunks, |limits| {
        (limits.message, limits.inflate_ratio) = (usize::MAX, u32::MAX);
    });
    let mut inputs: Vec<BytesMut> = frame.chunks(64 * KIB).map(BytesMut::from).collect();
    let (given, most) =
        peak(|| inputs.iter_mut().map(|input| read(&mut end, input, usize::MAX).0).sum::<usize>());
    assert_eq!(given, zeros_len(BOMB));
    assert!(most <= 128 * KIB, "{most} bytes held");
}

#[test]
fn a_declared_length_costs_nothing_before_anything_of_it_arrives() {
    for params in [ALONE, KEPT] {
        let mut end = open_with(Role::Client, params, &config(|_| {}), |_| {});
        let mut header = BytesMut::from(&wire::header(BINARY, false, 16 * MIB as u64)[..]);
        let (_, most) = peak(|| read(&mut end, &mut header, usize::MAX));
        assert_eq!(most, 0, "bytes held for a header");
        let mut first = BytesMut::from(&[0xF2][..]);
        let (_, most) = peak(|| read(&mut end, &mut first, usize::MAX));
        assert!(most <= 80 * KIB, "{most} bytes held for the window and one buffer");
    }
}

#[test]
fn the_work_is_linear_in_what_is_inflated() {
    let work = |pieces: usize| {
        let mut end = end(Delivery::Messages, |limits| limits.inflate_ratio = u32::MAX);
        let payload = Bits::default().zeros(pieces * 16).message();
        let mut frames = wire::encode(BINARY_FIRST, None, b"");
        for piece in payload.chunks(16) {
            frames.extend(wire::encode(MIDDLE, None, piece));
        }
        let mut input = BytesMut::from(&frames[..]);
        allocated(|| read(&mut end, &mut input, usize::MAX)).1
    };
    let (few, many) = (work(50), work(800));
    assert!(many <= 20 * few, "sixteen times the message, {few} and {many} bytes allocated");
}
