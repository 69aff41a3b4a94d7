//! `split_binary`: large binary messages that are there as a whole take their part of the input with them.

use bytes::BytesMut;
use sansocket::Delivery;

use crate::support::drive::{BOTH, Drive, open, open_with};
use crate::support::seen::Seen;
use crate::support::wire::{self, BINARY, BINARY_FIRST, LAST, PING, TEXT};

const MIN: usize = 1000;

#[test]
fn a_large_message_shares_the_memory_of_the_input() {
    let payload: Vec<u8> = (0..2 * MIN as u32).map(|i| (i % 253) as u8).collect();
    for receiver in BOTH {
        let from = |first, payload: &[u8]| wire::from(receiver.peer(), first, payload);
        let bytes = [from(TEXT, b"before"), from(BINARY, &payload), from(BINARY, &payload), from(PING, b"p")];
        let bytes = bytes.concat();
        let mut connection = open(receiver);
        let mut input = BytesMut::from(&bytes[..]);
        let memory = input.as_ptr_range();

        let mut reader = connection.read(&mut input);
        assert_eq!(reader.split_binary(MIN), None, "{receiver}: text is not split off");
        assert_eq!(reader.next().map(Seen::from), Some(Seen::Text("before".into())));
        let first = reader.split_binary(MIN).unwrap();
        // One reader or several, as the application likes.
        drop(reader);
        let mut reader = connection.read(&mut input);
        let second = reader.split_binary(payload.len()).unwrap();
        assert_eq!(reader.split_binary(0), None, "{receiver}: a Ping is no message");
        assert_eq!(reader.next().map(Seen::from), Some(Seen::ping(b"p")));
        assert_eq!(reader.split_binary(0), None, "{receiver}: no input is no message");
        assert_eq!(reader.next(), None);
        drop(reader);

        for message in [&first, &second] {
            assert_eq!(message, &payload, "{receiver}");
            assert!(memory.contains(&message.as_ptr()), "{receiver}: it is a copy");
        }
        let progress = connection.halves().0.progress();
        assert_eq!((progress.messages, progress.bytes), (3, bytes.len() as u64), "{receiver}");
        // The block can be used again when they are gone.
        assert!(!input.try_reclaim(bytes.len()));
        drop((first, second));
        assert!(input.try_reclaim(bytes.len()));
    }
}

#[test]
fn what_is_not_split_off_is_left_as_it_was() {
    let payload = [7; MIN];
    for receiver in BOTH {
        let from = |first, payload: &[u8]| wire::from(receiver.peer(), first, payload);
        let whole = from(BINARY, &payload);
        let cases = [
            ("too short", from(BINARY, &payload[1..])),
            ("text", from(TEXT, &payload)),
            ("in fragments", [from(BINARY_FIRST, &payload), from(LAST, &payload)].concat()),
            ("not whole", whole[..whole.len() - 1].to_vec()),
            ("not as its role must mask", wire::from(receiver, BINARY, &payload)),
            ("with a reserved bit", from(BINARY | 0x10, &payload)),
        ];
        for (case, bytes) in cases {
            let mut connection = open(receiver);
            let mut input = BytesMut::from(&bytes[..]);
            let mut reader = connection.read(&mut input);
            assert_eq!(reader.split_binary(MIN), None, "{case}");
            let mut seen = Vec::<Seen>::new();
            while let Some(event) = reader.next() {
                seen.push(event.into());
            }
            drop(reader);
            assert_eq!(seen, open(receiver).receive(&bytes), "{receiver}: {case}");
        }
        let limited = || open_with(receiver, |setup| setup.limits.message = MIN - 1);
        let chunked = || open_with(receiver, |setup| setup.delivery = Delivery::Chunks);
        for (case, mut connection) in [("over the limit", limited()), ("wanted in chunks", chunked())] {
            let mut input = BytesMut::from(&whole[..]);
            assert_eq!(connection.read(&mut input).split_binary(MIN), None, "{receiver}: {case}");
            assert_eq!(input, whole, "{receiver}: {case}");
        }
    }
}
