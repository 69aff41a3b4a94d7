//! What was sent is what arrives, however the transport cuts it up.

use bytes::Buf;
use proptest::prelude::*;
use sansocket::{Connection, MessageKind, Role};

use crate::generate::{lengths, payload, role, text};
use crate::support::drive::{Drive, open};
use crate::support::pair::Pair;
use crate::support::seen::Seen;
use crate::support::wire;

/// Something that an application sends.
#[derive(Debug, Clone)]
enum Sent {
    Text(String),
    /// Handed over, so that it may be masked in place.
    Owned(Vec<u8>),
    Borrowed(Vec<u8>),
    Fragments(MessageKind, Vec<Vec<u8>>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
}

fn sent() -> impl Strategy<Value = Sent> {
    let text_in_bytes = |text: String| text.into_bytes().chunks(3).map(<[u8]>::to_vec).collect::<Vec<_>>();
    prop_oneof![
        3 => text().prop_map(Sent::Text),
        3 => payload().prop_map(Sent::Owned),
        3 => payload().prop_map(Sent::Borrowed),
        2 => prop::collection::vec(payload(), 1..4).prop_map(|data| Sent::Fragments(MessageKind::Binary, data)),
        2 => text().prop_map(move |text| Sent::Fragments(MessageKind::Text, text_in_bytes(text + "!"))),
        1 => prop::collection::vec(any::<u8>(), 0..=125).prop_map(Sent::Ping),
        1 => prop::collection::vec(any::<u8>(), 0..=125).prop_map(Sent::Pong),
    ]
}

impl Sent {
    fn send(&self, by: &mut Connection) {
        match self {
            Self::Text(text) => by.send(text.clone()).unwrap(),
            Self::Owned(bytes) => by.send(bytes.clone()).unwrap(),
            Self::Borrowed(bytes) => by.send_binary(bytes).unwrap(),
            Self::Fragments(kind, fragments) => {
                for (index, fragment) in fragments.iter().enumerate() {
                    by.send_fragment(*kind, fragment, index + 1 == fragments.len()).unwrap();
                }
            }
            Self::Ping(payload) => by.ping(payload).unwrap(),
            Self::Pong(payload) => by.pong(payload).unwrap(),
        }
    }

    fn as_seen(&self) -> Seen {
        match self.clone() {
            Self::Text(text) => Seen::Text(text),
            Self::Owned(bytes) | Self::Borrowed(bytes) => Seen::Binary(bytes),
            Self::Fragments(MessageKind::Binary, fragments) => Seen::Binary(fragments.concat()),
            Self::Fragments(MessageKind::Text, fragments) => {
                Seen::Text(String::from_utf8(fragments.concat()).expect("it was text"))
            }
            Self::Ping(payload) => Seen::Ping(payload),
            Self::Pong(payload) => Seen::Pong(payload),
        }
    }
}

fn is_control(seen: &Seen) -> bool {
    matches!(seen, Seen::Ping(_) | Seen::Pong(_))
}

proptest! {
    #[test]
    fn delivered_equals_sent(
        by_client in prop::collection::vec(sent(), 0..10),
        by_server in prop::collection::vec(sent(), 0..10),
        writes in lengths(),
        reads in lengths(),
    ) {
        let mut pair = Pair::new();
        let rounds = by_client.len().max(by_server.len());
        let mut lengths = writes.iter().cycle().zip(reads.iter().cycle());
        let mut step = |pair: &mut Pair| lengths.next().is_some_and(|(write, read)| pair.step(*write, *read));
        // Sending and moving bytes in turns, so that frames are queued while others are half written.
        for round in 0..rounds {
            if let Some(sent) = by_client.get(round) {
                sent.send(&mut pair.client.connection);
            }
            if let Some(sent) = by_server.get(round) {
                sent.send(&mut pair.server.connection);
            }
            step(&mut pair);
        }
        while step(&mut pair) {}
        for (sent, back, end) in [(&by_client, &by_server, &pair.server), (&by_server, &by_client, &pair.client)] {
            let seen = |control| end.seen.iter().filter(move |seen| is_control(seen) == control).cloned();
            let messages = sent.iter().map(Sent::as_seen).filter(|seen| !is_control(seen));
            prop_assert_eq!(seen(false).collect::<Vec<_>>(), messages.collect::<Vec<_>>());
            let pings: Vec<_> = sent.iter().map(Sent::as_seen).filter(|seen| matches!(seen, Seen::Ping(_))).collect();
            let got: Vec<_> = seen(true).filter(|seen| matches!(seen, Seen::Ping(_))).collect();
            prop_assert_eq!(got, pings);
            // Each Ping of this end came back, among the Pongs that the other end sent of itself.
            let pongs = seen(true).filter(|seen| matches!(seen, Seen::Pong(_))).count();
            let answered = back.iter().filter(|sent| matches!(sent, Sent::Ping(_))).count();
            let unasked = sent.iter().filter(|sent| matches!(sent, Sent::Pong(_))).count();
            prop_assert_eq!(pongs, answered + unasked);
        }
    }

    /// The tests' own decoder, written from the RFC, reads what the library wrote.
    #[test]
    fn encoded_frames_decode_to_what_was_encoded(role in role(), sent in prop::collection::vec(sent(), 1..10)) {
        let mut end = open(role);
        for sent in &sent {
            sent.send(&mut end);
            let frames = end.frames_sent();
            let payload: Vec<u8> = frames.iter().flat_map(|frame| frame.payload.clone()).collect();
            let expected = match sent.as_seen() {
                Seen::Text(text) => text.into_bytes(),
                Seen::Binary(bytes) | Seen::Ping(bytes) | Seen::Pong(bytes) => bytes,
                other => panic!("not sent: {other:?}"),
            };
            prop_assert_eq!(payload, expected);
            let last = frames.len() - 1;
            for (index, frame) in frames.iter().enumerate() {
                prop_assert_eq!(frame.first & 0x80 != 0, index == last, "FIN is on the last frame alone");
                prop_assert_eq!(frame.key.is_some(), role == Role::Client);
            }
        }
    }

    /// One write of everything, many of anything, and vectored ones are the same bytes.
    #[test]
    fn partial_writes_are_the_same_bytes(
        role in role(),
        sent in prop::collection::vec(sent(), 1..10),
        writes in lengths(),
        receive_after in 0..5_usize,
    ) {
        let fill = |end: &mut Connection| {
            for sent in &sent {
                sent.send(end);
            }
        };
        let (mut whole, mut partial) = (open(role), open(role));
        fill(&mut whole);
        fill(&mut partial);
        let expected = wire::decode(&whole.sent());
        let mut written = Vec::new();
        for (index, len) in writes.iter().cycle().enumerate() {
            if index == receive_after {
                partial.receive(&wire::from(role.peer(), wire::PING, b"in between"));
            }
            let mut transmit = partial.transmit();
            if !transmit.has_remaining() && index > receive_after {
                break;
            }
            let len = transmit.chunk().len().min(*len);
            written.extend_from_slice(&transmit.chunk()[..len]);
            transmit.advance(len);
        }
        let (answers, mut frames): (Vec<_>, Vec<_>) =
            wire::decode(&written).into_iter().partition(|frame| frame.payload == b"in between");
        // The keys are drawn in the order of sending, so the answer shifts none before it.
        let mut expected = expected;
        for frame in frames.iter_mut().chain(&mut expected) {
            frame.key = None;
        }
        prop_assert_eq!(answers.len(), 1);
        prop_assert_eq!(frames, expected);
    }
}

#[test]
fn a_partial_write_of_n_bytes_for_every_n() {
    for role in [Role::Client, Role::Server] {
        let fill = |end: &mut Connection| {
            end.send_text("small").unwrap();
            end.send(vec![7; 9_000]).unwrap();
            end.send_fragment(MessageKind::Binary, b"a", false).unwrap();
            end.ping(b"ping").unwrap();
            end.send_fragment(MessageKind::Binary, b"b", true).unwrap();
        };
        let mut whole = open(role);
        fill(&mut whole);
        let expected = whole.sent();
        for n in (1..200).chain((200..=expected.len()).step_by(97)) {
            let mut end = open(role);
            fill(&mut end);
            let mut written = Vec::new();
            loop {
                // A transport may also take from several pieces at once.
                let mut transmit = end.transmit();
                let len = transmit.remaining().min(n);
                if len == 0 {
                    break;
                }
                written.extend_from_slice(&transmit.copy_to_bytes(len));
            }
            assert!(written == expected, "{role}, {n} bytes at a time");
        }
    }
}
