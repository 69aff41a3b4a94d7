//! A connection that was split: the receiver's debts are carried to the sender as events.

use bytes::{Buf, BytesMut};
use sansocket::{Cause, Receiver, Role, Sender, State, Violation};

use crate::support::drive::{BOTH, Drive, open};
use crate::support::seen::Seen;
use crate::support::wire::{self, CLOSE, PING, PONG, TEXT};

/// Reads with one half and carries the events to the other.
fn receive(receiver: &mut Receiver, sender: &mut Sender, bytes: &[u8]) -> Vec<Seen> {
    let mut input = BytesMut::from(bytes);
    let mut seen = Vec::new();
    let mut reader = receiver.read(&mut input);
    while let Some(event) = reader.next() {
        sender.handle(&event);
        seen.push(event.into());
    }
    drop(reader);
    sender.observe(receiver.progress());
    seen
}

fn sent(sender: &mut Sender) -> Vec<u8> {
    let mut transmit = sender.transmit();
    let len = transmit.remaining();
    transmit.copy_to_bytes(len).to_vec()
}

#[test]
fn the_halves_do_what_the_whole_does() {
    for role in BOTH {
        let from = |first, payload: &[u8]| wire::from(role.peer(), first, payload);
        let endings =
            [from(CLOSE, &wire::close(3000, "enough")), from(TEXT, b"\xFF"), vec![0xFF], Vec::new()];
        for ending in endings {
            let bytes = [from(PING, b"a"), from(TEXT, b"text"), from(PONG, b"b"), ending].concat();
            let mut whole = open(role);
            let (mut receiver, mut sender) = open(role).split();
            let seen = receive(&mut receiver, &mut sender, &bytes);
            assert_eq!(seen, whole.receive(&bytes));
            assert_eq!(sent(&mut sender), whole.sent());
            assert_eq!(sender.state(), whole.state());
            assert_eq!(sender.wants_shutdown(), whole.wants_shutdown());
            sender.eof();
            whole.eof();
            assert_eq!(*sender.take_closed().expect("the end"), whole.only_closed());
            assert_eq!(sender.take_closed(), None, "there is one terminal event");
        }
    }
}

#[test]
fn the_receiver_alone_answers_nothing_and_ends_nothing() {
    let (mut receiver, mut sender) = open(Role::Server).split();
    let mut input = BytesMut::from(&wire::from(Role::Client, PING, b"p")[..]);
    assert!(receiver.read(&mut input).next().is_some());
    assert_eq!(sent(&mut sender), b"");
    assert_eq!(sender.state(), State::Open);
}

#[test]
fn a_sender_that_was_not_told_of_a_failure_knows_where_the_stream_stands() {
    let (mut receiver, mut sender) = open(Role::Server).split();
    receive(&mut receiver, &mut sender, &wire::from(Role::Client, wire::TEXT_FIRST, b"a"));
    sender.eof();
    let cause = sender.take_closed().map(|closed| closed.cause);
    assert_eq!(cause, Some(Cause::Eof(sansocket::Position::Message)));
}

#[test]
fn an_end_inside_a_read_counts_all_of_that_read() {
    let (mut receiver, mut sender) = open(Role::Server).split();
    sender.close(sansocket::CloseCode::NORMAL, "").unwrap();
    sent(&mut sender);
    let from = |first, payload| wire::from(Role::Client, first, payload);
    let bytes = [from(TEXT, b"one"), from(TEXT, b"two"), from(CLOSE, b"")].concat();
    receive(&mut receiver, &mut sender, &bytes);
    let counts = sender.take_closed().expect("the end").counts;
    assert_eq!((counts.messages_received, counts.bytes_received), (2, bytes.len() as u64));
}

#[test]
fn events_after_the_end_change_nothing() {
    let (mut receiver, mut sender) = open(Role::Server).split();
    sender.eof();
    let seen = receive(&mut receiver, &mut sender, &wire::from(Role::Client, TEXT, b"\xFF"));
    assert_eq!(seen, [Seen::Failed(Violation::InvalidUtf8 { at: 0 }.into())]);
    assert_eq!(sent(&mut sender), b"");
    assert_eq!(sender.take_closed().map(|closed| closed.sent), Some(None));
}
