//! What a connection holds, and the end for want of memory.

use bytes::{Buf, BytesMut};
use sansocket::{Cause, Connection, Event, Failure, Instant, Role, ServerConfig, State};
#[cfg(feature = "deflate")]
use sansocket::{ClientConfig, DeflateConfig, DeflateParams, Entropy};

use crate::support::wire::{self, BINARY_FIRST, LAST, MIDDLE, TEXT_FIRST};

fn server() -> Connection {
    Connection::server(&ServerConfig::default(), Instant::ZERO)
}

fn read(connection: &mut Connection, bytes: &[u8]) {
    let mut input = BytesMut::from(bytes);
    let (receiver, sender) = connection.halves();
    let mut reader = receiver.read(&mut input);
    while let Some(event) = reader.next() {
        sender.handle(&event);
    }
}

#[test]
fn what_is_held_is_what_has_come_of_a_message() {
    for (first, more) in [(BINARY_FIRST, &[0xFF; 1000][..]), (TEXT_FIRST, &[b'x'; 1000][..])] {
        let mut connection = server();
        assert_eq!(connection.halves().0.held_bytes(), 0);
        read(&mut connection, &wire::from(Role::Client, first, more));
        assert_eq!(connection.halves().0.held_bytes(), 1000);
        let next = wire::from(Role::Client, MIDDLE, more);
        // Of a frame that has not come as a whole, what has come: eight bytes are its header, four of which are the masking-key.
        read(&mut connection, &next[..508]);
        assert_eq!(connection.halves().0.held_bytes(), 1500);
        read(&mut connection, &next[508..]);
        read(&mut connection, &wire::from(Role::Client, LAST, b""));
        assert_eq!(connection.halves().0.held_bytes(), 0, "the message is the application's");
    }
}

#[test]
fn what_waits_to_be_written_is_known() {
    let mut connection = server();
    assert_eq!(connection.halves().1.queued_bytes(), 0);
    connection.send(vec![1; 1000]).unwrap();
    assert_eq!(connection.halves().1.queued_bytes(), 1004);
    connection.transmit().advance(1000);
    assert_eq!(connection.halves().1.queued_bytes(), 4);
}

#[test]
fn a_message_for_which_there_is_no_memory_is_freed_and_answered_with_1013() {
    let mut connection = server();
    read(&mut connection, &wire::from(Role::Client, BINARY_FIRST, &[1; 5000]));
    let close = exceed(&mut connection, 1 << 30);
    assert_eq!(close[2..4], 1013_u16.to_be_bytes());
    assert_eq!(
        String::from_utf8_lossy(&close[4..]),
        "no memory for a message of which 5000 bytes came: all connections together may hold 1073741824 bytes (max_memory)",
        "the whole reason fits into a Close frame"
    );
    // What still comes of it is thrown away.
    read(&mut connection, &wire::from(Role::Client, LAST, &[1; 5000]));
    assert_eq!(connection.halves().0.held_bytes(), 0);
    connection.eof();
    let failure = Failure::OutOfMemory { held: 5000, limit: 1 << 30 };
    assert_eq!(connection.take_closed().unwrap().cause, Cause::Failed(failure));
}

/// Fails a connection for want of memory, and gives the Close frame that it sends.
fn exceed(connection: &mut Connection, limit: usize) -> Vec<u8> {
    let (receiver, sender) = connection.halves();
    let held = receiver.held_bytes();
    let event = receiver.exceed_budget(limit);
    assert_eq!(event, Event::Failed(Failure::OutOfMemory { held, limit }));
    sender.handle(&event);
    assert_eq!(receiver.held_bytes(), 0);
    let mut output = connection.transmit();
    let len = output.remaining();
    output.copy_to_bytes(len).to_vec()
}

/// Two connections, of which the second grows until both hold `total` bytes; whether that was too much for `limit`.
fn grows_to(total: usize, limit: usize) -> bool {
    let mut connections = [server(), server()];
    connections[0].send(vec![1; 296]).unwrap();
    read(&mut connections[0], &wire::from(Role::Client, TEXT_FIRST, &[b'x'; 700]));
    read(&mut connections[1], &wire::from(Role::Client, BINARY_FIRST, &vec![1; total - 1000]));
    let held = |connection: &mut Connection| {
        let (receiver, sender) = connection.halves();
        receiver.held_bytes() + sender.queued_bytes()
    };
    let all: usize = connections.iter_mut().map(held).sum();
    assert_eq!(all, total);
    let [other, grown] = &mut connections;
    if all > limit {
        assert_eq!(exceed(grown, limit)[2..4], 1013_u16.to_be_bytes());
        assert_eq!(held(grown), 0, "all that it held is given back");
    }
    // The other one goes on in each case.
    read(other, &wire::from(Role::Client, LAST, b"!"));
    assert_eq!(other.state(), State::Open);
    grown.state() != State::Open
}

#[test]
fn connections_that_share_a_budget_below_at_and_above_it() {
    for (total, is_too_much) in [(4999, false), (5000, false), (5001, true), (50_000, true)] {
        assert_eq!(grows_to(total, 5000), is_too_much, "{total} of 5000");
    }
}

#[cfg(feature = "deflate")]
#[test]
fn of_a_compressed_message_what_it_becomes_is_held() {
    let (config, agreed) = (DeflateConfig::default(), DeflateParams::default());
    let mut connection = server().with_deflate(&config, agreed);
    let client = Connection::client(&ClientConfig::default(), Entropy::from_seed([1; 32]), Instant::ZERO);
    let mut client = client.with_deflate(&config, agreed);
    client.send(vec![b'x'; 100_000]).unwrap();
    let mut output = client.transmit();
    let len = output.remaining();
    let frame = output.copy_to_bytes(len);
    assert!(frame.len() < 1000);
    read(&mut connection, &frame[..frame.len() - 1]);
    let held = connection.halves().0.held_bytes();
    assert!((50_000..=100_000).contains(&held), "{held}");
    assert_eq!(exceed(&mut connection, 10)[2..4], 1013_u16.to_be_bytes());
}
