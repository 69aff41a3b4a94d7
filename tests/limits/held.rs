//! Memory: what a peer can make this endpoint hold, measured.

use bytes::{Buf, BytesMut};
use sansocket::{Connection, Event, Message, Role};

use crate::memory::{allocated, held, peak};
use crate::support::drive::{BOTH, Drive, open};
use crate::support::wire::{self, BINARY, BINARY_FIRST, LAST, MIDDLE, PING, TEXT, TEXT_FIRST};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Reads a block without keeping its events, and without allocating for the test itself.
fn read(connection: &mut Connection, block: &mut BytesMut) -> usize {
    let mut events = 0;
    let mut reader = connection.read(block);
    while reader.next().is_some() {
        events += 1;
    }
    events
}

#[test]
fn a_length_that_is_declared_and_not_sent_costs_nothing() {
    for first in [TEXT, BINARY, TEXT_FIRST, BINARY_FIRST] {
        for payload in [0, 1, 100] {
            let mut client = open(Role::Client);
            let mut block = BytesMut::from(&wire::header(first, false, 16 * MIB as u64)[..]);
            block.extend_from_slice(&vec![b'a'; payload]);
            let (events, peak) = peak(|| read(&mut client, &mut block));
            assert_eq!(events, 0);
            assert!(peak <= 5 * KIB, "{peak} bytes held for {payload} that came");
        }
    }
}

#[test]
fn a_payload_buffer_that_is_not_filled_costs_little() {
    let mut client = open(Role::Client);
    let mut block = BytesMut::from(&wire::header(BINARY, false, 16 * MIB as u64)[..]);
    read(&mut client, &mut block);
    let ((), reserved) = peak(|| assert!(client.payload_buffer().is_none()));
    assert_eq!(reserved, 0, "what is declared costs nothing");
    read(&mut client, &mut BytesMut::from(&b"x"[..]));
    let ((), reserved) = peak(|| assert!(client.payload_buffer().is_some()));
    assert!(reserved <= 5 * KIB, "{reserved} bytes reserved");
}

#[test]
fn memory_follows_what_has_arrived() {
    for first in [TEXT, BINARY] {
        let mut client = open(Role::Client);
        let mut block = BytesMut::from(&wire::header(first, false, 16 * MIB as u64)[..]);
        read(&mut client, &mut block);
        let mut arrived = 0;
        let (_, most) = peak(|| {
            while arrived < 2 * MIB {
                let mut block = BytesMut::from(&[b'a'; 4 * KIB][..]);
                read(&mut client, &mut block);
                arrived += 4 * KIB;
            }
        });
        // While the message grows it is held twice for a moment: as it was, and with room for more.
        assert!(most <= 6 * arrived, "{most} bytes for {arrived} that came");
        let (_, most) = peak(|| {
            while arrived < 16 * MIB {
                let mut block = BytesMut::from(&[b'a'; 4 * KIB][..]);
                read(&mut client, &mut block);
                arrived += 4 * KIB;
            }
        });
        // The last move is of 5 MiB, to all that is to come.
        assert!(most <= (16 + 5 + 1) * MIB, "{most} bytes for the rest: nothing beyond what was declared");
    }
}

#[test]
fn two_megabytes_of_tiny_fragments_cost_no_more_than_one_frame_would() {
    for payload in [&b"x"[..], b""] {
        let mut client = open(Role::Client);
        let mut block = BytesMut::from(&wire::encode(BINARY_FIRST, None, payload)[..]);
        read(&mut client, &mut block);
        let frames = wire::encode(MIDDLE, None, payload).repeat(1_000);
        let (_, most) = peak(|| {
            for _ in 0..131 {
                let mut block = BytesMut::from(&frames[..]);
                assert_eq!(read(&mut client, &mut block), 0);
            }
        });
        assert!(most <= 2 * 131_000 * payload.len() + 64 * KIB, "{most} bytes held");
        let mut block = BytesMut::from(&wire::encode(LAST, None, payload)[..]);
        assert_eq!(read(&mut client, &mut block), 1, "and it is a message");
    }
}

#[test]
fn the_work_for_tiny_fragments_is_linear_in_them() {
    let work = |fragments: usize| {
        let mut client = open(Role::Client);
        let first = wire::encode(BINARY_FIRST, None, b"");
        let frames = wire::encode(MIDDLE, None, &[7; 16]).repeat(fragments);
        let mut block = BytesMut::from(&[first, frames].concat()[..]);
        allocated(|| read(&mut client, &mut block)).1
    };
    let (few, many) = (work(4_000), work(64_000));
    assert!(few > 64_000, "{few} bytes were allocated for 64,000 bytes of payload");
    assert!(many <= 24 * few, "sixteen times the fragments, {few} and {many} bytes allocated");
}

#[test]
fn pings_to_a_peer_that_does_not_read_cost_little() {
    for receiver in BOTH {
        let mut end = open(receiver);
        let pings = wire::from(receiver.peer(), PING, &[0; 125]).repeat(100);
        let (_, most) = peak(|| {
            for _ in 0..1_000 {
                let mut block = BytesMut::from(&pings[..]);
                assert_eq!(read(&mut end, &mut block), 100);
            }
        });
        assert!(most <= 64 * KIB, "{most} bytes held for 100,000 Pings");
    }
}

#[test]
fn an_idle_connection_holds_one_kibibyte_fresh_and_after_traffic() {
    let traffic = |end: &mut Connection, role: Role| {
        for size in [10, 1_000, 200_000] {
            for first in [TEXT, BINARY] {
                let frame = wire::from(role.peer(), first, &vec![b'a'; size]);
                assert_eq!(
                    end.receive_bytewise(&frame[..frame.len().min(500)]).len(),
                    usize::from(size == 10)
                );
                end.receive(&frame[frame.len().min(500)..]);
            }
            end.receive_bytewise(&wire::from(role.peer(), PING, &[b'p'; 125]));
            end.send(vec![1; size]).unwrap();
            end.send_binary(&vec![1; size]).unwrap();
            end.ping(&[0; 125]).unwrap();
            end.sent();
        }
    };
    for role in BOTH {
        // What the thread keeps for all of its connections is there after the first.
        traffic(&mut open(role), role);
        let (mut end, fresh) = held(|| Box::new(open(role)));
        assert!(fresh <= KIB as isize, "{fresh} bytes held by a fresh {role}");
        let ((), more) = held(|| traffic(&mut end, role));
        assert!(fresh + more <= KIB as isize, "{more} bytes more held by a {role} after traffic");
    }
}

#[cfg(feature = "std")]
#[test]
fn a_thread_keeps_one_output_buffer_for_all_of_its_connections() {
    let burst = |ends: &mut [Connection]| {
        for end in &mut *ends {
            for _ in 0..60 {
                end.send_binary(&[0; 1_000]).unwrap();
            }
        }
        ends.iter_mut().for_each(|end| drop(end.sent()));
    };
    let mut ends: Vec<Connection> = (0..100).map(|_| open(Role::Server)).collect();
    let ((), kept) = held(|| burst(&mut ends));
    assert!(kept >= 60 * 1_000, "only {kept} bytes are kept");
    assert!(kept <= 128 * KIB as isize, "{kept} bytes are kept");
    // Nor does it become more.
    let ((), more) = held(|| burst(&mut ends));
    assert_eq!(more, 0);
}

#[test]
fn the_end_holds_nothing_but_its_report() {
    for role in BOTH {
        let (mut end, fresh) = held(|| Box::new(open(role)));
        let ((), grown) = held(|| {
            end.receive(&wire::from(role.peer(), BINARY_FIRST, &[1; 100_000]));
            end.receive(&wire::from(role.peer(), BINARY, &[0; 125])[..1]);
            end.send(vec![0; 50_000]).unwrap();
            end.send_fragment(sansocket::MessageKind::Text, b"open", false).unwrap();
            end.eof();
            drop(end.receive(b""));
        });
        assert!(fresh + grown <= KIB as isize, "{grown} bytes more after the end of a {role}");
    }
}

#[test]
fn a_small_message_that_is_held_does_not_keep_a_large_read_block_alive() {
    let mut server = open(Role::Server);
    let frames = wire::from(Role::Client, BINARY, b"small").repeat(1_000);
    let (messages, bytes) = held(|| {
        let mut block = BytesMut::with_capacity(MIB);
        block.extend_from_slice(&frames);
        let mut reader = server.read(&mut block);
        let mut kept: Vec<Message> = Vec::with_capacity(1);
        kept.extend(reader.next().and_then(Event::into_message));
        while reader.next().is_some() {}
        kept
    });
    assert_eq!(messages, [Message::from(&b"small"[..])]);
    assert!(bytes <= 256, "{bytes} bytes kept for a message of 5");
}

#[test]
fn what_was_written_is_given_back() {
    let mut server = open(Role::Server);
    let mut exchange = || {
        server.send(vec![0; 200_000]).unwrap();
        server.transmit().advance(150_000);
        server.send_binary(&[0; 1000]).unwrap();
        let rest = server.transmit().remaining();
        server.transmit().advance(rest);
    };
    // The thread keeps a small buffer from the first time on.
    exchange();
    let ((), still) = held(exchange);
    assert_eq!(still, 0);
}
