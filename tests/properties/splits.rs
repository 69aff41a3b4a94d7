//! Any split of the input gives the same events and the same output.

use bytes::{Buf, BufMut, BytesMut};
use proptest::prelude::*;
use sansocket::{Connection, Delivery, Role};

use crate::generate::{lengths, role, stream};
use crate::support::drive::{Drive, open_with};
use crate::support::seen::{Seen, joined};
use crate::support::wire::pieces;

/// What an endpoint says and sends while it is given a whole stream, and how it ends.
#[derive(Debug, PartialEq)]
struct Outcome {
    seen: Vec<Seen>,
    sent: Vec<u8>,
    end: Vec<Seen>,
}

/// Small limits, so that they are met too.
fn endpoint(role: Role, delivery: Delivery) -> Connection {
    open_with(role, |setup| {
        setup.delivery = delivery;
        setup.limits.message = 70_000;
        setup.limits.frame = 66_000;
        setup.limits.fragments = 6;
    })
}

fn outcome(mut connection: Connection, read: impl FnOnce(&mut Connection) -> Vec<Seen>) -> Outcome {
    let seen = joined(&read(&mut connection));
    let sent = connection.sent();
    Outcome { seen, sent, end: connection.end_of_stream() }
}

fn received_as(role: Role) -> impl Strategy<Value = (Role, Vec<u8>)> {
    stream(role.peer()).prop_map(move |bytes| (role, bytes))
}

proptest! {
    #[test]
    fn any_split_gives_the_same(
        (role, bytes) in role().prop_flat_map(received_as),
        lengths in lengths(),
        chunks in any::<bool>(),
    ) {
        let delivery = if chunks { Delivery::Chunks } else { Delivery::Messages };
        let whole = outcome(endpoint(role, delivery), |end| end.receive(&bytes));
        let split = outcome(endpoint(role, delivery), |end| {
            pieces(&bytes, &lengths).into_iter().flat_map(|piece| end.receive(piece)).collect()
        });
        prop_assert_eq!(&split, &whole);
    }

    #[test]
    fn byte_by_byte_gives_the_same(
        (role, bytes) in role().prop_flat_map(received_as),
        chunks in any::<bool>(),
    ) {
        prop_assume!(bytes.len() < 10_000);
        let delivery = if chunks { Delivery::Chunks } else { Delivery::Messages };
        let whole = outcome(endpoint(role, delivery), |end| end.receive(&bytes));
        let split = outcome(endpoint(role, delivery), |end| end.receive_bytewise(&bytes));
        prop_assert_eq!(&split, &whole);
    }

    #[test]
    fn chunks_joined_are_the_messages(
        (role, bytes) in role().prop_flat_map(received_as),
        lengths in lengths(),
    ) {
        let read = |end: &mut Connection| -> Vec<Seen> {
            pieces(&bytes, &lengths).into_iter().flat_map(|piece| end.receive(piece)).collect()
        };
        let messages = outcome(endpoint(role, Delivery::Messages), read);
        let chunks = outcome(endpoint(role, Delivery::Chunks), read);
        prop_assert_eq!(&chunks, &messages);
    }

    /// Input is left in the buffer by readers that are dropped early, and more is appended to it.
    #[test]
    fn readers_dropped_at_any_event_give_the_same(
        (role, bytes) in role().prop_flat_map(received_as),
        lengths in lengths(),
        events in prop::collection::vec(0..4_usize, 1..6),
    ) {
        let whole = outcome(endpoint(role, Delivery::Messages), |end| end.receive(&bytes));
        let dropped = outcome(endpoint(role, Delivery::Messages), |end| {
            let (mut seen, mut input) = (Vec::new(), BytesMut::new());
            for (piece, take) in pieces(&bytes, &lengths).into_iter().zip(events.iter().cycle()) {
                input.extend_from_slice(piece);
                let mut reader = end.read(&mut input);
                for _ in 0..*take {
                    seen.extend(reader.next().map(Seen::from));
                }
            }
            let mut reader = end.read(&mut input);
            while let Some(event) = reader.next() {
                seen.push(event.into());
            }
            seen
        });
        prop_assert_eq!(&dropped, &whole);
    }

    /// `payload_buffer`, used whenever it is offered or only now and then, gives what the plain way gives.
    #[test]
    fn the_payload_buffer_gives_the_same(
        (role, bytes) in role().prop_flat_map(received_as),
        lengths in lengths(),
        uses in prop::collection::vec(any::<bool>(), 1..5),
    ) {
        let whole = outcome(endpoint(role, Delivery::Messages), |end| end.receive(&bytes));
        let direct = outcome(endpoint(role, Delivery::Messages), |end| {
            let (mut seen, mut rest) = (Vec::new(), &bytes[..]);
            for (len, with_buffer) in lengths.iter().cycle().zip(uses.iter().cycle()) {
                if rest.is_empty() {
                    break;
                }
                let mut len = rest.len().min(*len);
                let mut input = BytesMut::new();
                match end.payload_buffer().filter(|_| *with_buffer) {
                    Some(mut buffer) => {
                        len = len.min(buffer.remaining_mut());
                        buffer.put_slice(&rest[..len]);
                    }
                    None => input.put_slice(&rest[..len]),
                }
                rest.advance(len);
                let mut reader = end.read(&mut input);
                while let Some(event) = reader.next() {
                    seen.push(event.into());
                }
            }
            seen
        });
        prop_assert_eq!(&direct, &whole);
    }

    #[test]
    fn the_halves_give_the_same(
        (role, bytes) in role().prop_flat_map(received_as),
        lengths in lengths(),
    ) {
        let whole = outcome(endpoint(role, Delivery::Messages), |end| end.receive(&bytes));
        let (mut receiver, mut sender) = endpoint(role, Delivery::Messages).split();
        let mut seen = Vec::new();
        for piece in pieces(&bytes, &lengths) {
            let mut input = BytesMut::from(piece);
            let mut reader = receiver.read(&mut input);
            while let Some(event) = reader.next() {
                sender.handle(&event);
                seen.push(Seen::from(event));
            }
        }
        sender.observe(receiver.progress());
        let mut transmit = sender.transmit();
        let len = transmit.remaining();
        let sent = transmit.copy_to_bytes(len).to_vec();
        // The server ends with its last byte; the whole connection says so in the next read.
        sender.eof();
        let end = sender.take_closed().map(Seen::Closed).into_iter().collect();
        prop_assert_eq!(&Outcome { seen, sent, end }, &whole);
    }
}
