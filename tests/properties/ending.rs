//! Both ends always reach Closed, whatever was done before, and say so once and last.

use core::time::Duration;

use proptest::prelude::*;
use sansocket::{Cause, CloseCode, MessageKind, Role, TransportError};

use crate::generate::role;
use crate::support::pair::{End, Pair};
use crate::support::seen::Seen;

/// Something that an application, a peer or the network does.
#[derive(Debug, Clone)]
enum Act {
    Send(Role, usize),
    Fragment(Role, MessageKind, bool),
    Ping(Role),
    Pong(Role),
    Close(Role, u16),
    /// Bytes that no library of ours would send.
    Garbage(Role, Vec<u8>),
    Move(usize, usize),
    Wait(u64),
    TransportFails(Role),
    GiveUp(Role),
    Pause(Role),
    /// From here on everything that is written vanishes.
    Cut,
}

fn act() -> impl Strategy<Value = Act> {
    let kind = prop_oneof![Just(MessageKind::Text), Just(MessageKind::Binary)];
    let len = prop_oneof![0..200_usize, 0..20_000_usize];
    prop_oneof![
        6 => (role(), len).prop_map(|(role, len)| Act::Send(role, len)),
        4 => (role(), kind, any::<bool>()).prop_map(|(role, kind, last)| Act::Fragment(role, kind, last)),
        3 => role().prop_map(Act::Ping),
        2 => role().prop_map(Act::Pong),
        2 => (role(), 995..1020_u16).prop_map(|(role, code)| Act::Close(role, code)),
        1 => (role(), prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(role, bytes)| Act::Garbage(role, bytes)),
        6 => (1..3_000_usize, 1..3_000_usize).prop_map(|(write, read)| Act::Move(write, read)),
        3 => (1..30_000_u64).prop_map(Act::Wait),
        1 => role().prop_map(Act::TransportFails),
        1 => role().prop_map(Act::GiveUp),
        1 => role().prop_map(Act::Pause),
        1 => Just(Act::Cut),
    ]
}

fn end(pair: &mut Pair, role: Role) -> &mut End {
    match role {
        Role::Client => &mut pair.client,
        Role::Server => &mut pair.server,
    }
}

/// Does it; refusals are fine, panics are not.
fn perform(pair: &mut Pair, act: Act) {
    match act {
        Act::Send(role, len) => drop(end(pair, role).connection.send(vec![0x5A; len])),
        Act::Fragment(role, kind, last) => {
            let _ = end(pair, role).connection.send_fragment(kind, b"fragment", last);
        }
        Act::Ping(role) => drop(end(pair, role).connection.ping(b"ping")),
        Act::Pong(role) => drop(end(pair, role).connection.pong(b"pong")),
        Act::Close(role, code) => drop(end(pair, role).connection.close(CloseCode(code), "reason")),
        Act::Garbage(role, bytes) => end(pair, role).inject(&bytes),
        Act::Move(write, read) => drop(pair.step(write, read)),
        Act::Wait(millis) => pair.advance(Duration::from_millis(millis)),
        Act::TransportFails(role) => end(pair, role).fail(TransportError::Reset),
        Act::GiveUp(role) => end(pair, role).connection.abort(),
        Act::Pause(role) => end(pair, role).connection.pause(),
        Act::Cut => pair.cut = true,
    }
}

/// Both ends compress all that they send, with context takeover, so that what is lost or repeated shows.
#[cfg(feature = "deflate")]
fn compress(pair: &mut Pair) {
    let mut config = sansocket::DeflateConfig::with_context_takeover();
    config.min_len = 0;
    for end in [&mut pair.client, &mut pair.server] {
        let placeholder = crate::support::drive::open(end.connection.role());
        let connection = core::mem::replace(&mut end.connection, placeholder);
        end.connection = connection.with_deflate(&config, sansocket::DeflateParams::default());
    }
}

/// This build cannot.
#[cfg(not(feature = "deflate"))]
fn compress(_: &mut Pair) {}

proptest! {
    #[test]
    fn both_ends_reach_closed(
        acts in prop::collection::vec(act(), 0..40),
        closer in role(),
        cut in any::<bool>(),
        keepalive in any::<bool>(),
        compressed in any::<bool>(),
    ) {
        let mut pair = Pair::with(|setup| {
            setup.timeouts.idle = Some(Duration::from_secs(200));
            setup.timeouts.message = Some(Duration::from_secs(100));
            if !keepalive {
                setup.timeouts.ping_interval = None;
            }
        });
        if compressed {
            compress(&mut pair);
        }
        for act in acts {
            perform(&mut pair, act);
        }
        // Either somebody closes now, or nothing moves any more and the time limits must notice.
        if cut {
            pair.cut = true;
        } else {
            let _ = end(&mut pair, closer).connection.close(CloseCode::NORMAL, "");
        }
        pair.advance_to_the_end();
        for end in [&mut pair.client, &mut pair.server] {
            let before = end.closed().clone();
            if before.cause == Cause::Clean {
                prop_assert!(before.sent.is_some() || before.received.is_some());
                prop_assert!(before.received.is_some(), "clean means that the peer said so");
            }
            // A second later nothing has been added.
            let seen = end.seen.len();
            end.connection.timeout(pair.now + Duration::from_secs(1));
            end.inject(b"\x89\x00\x89\x80\0\0\0\0");
            prop_assert_eq!(end.seen.len(), seen);
            prop_assert!(matches!(end.seen.last(), Some(Seen::Closed(_))));
        }
    }

    /// Without faults of the network or the peers, whoever closes, both ends agree on how it ended.
    #[test]
    fn both_ends_agree_on_a_clean_end(
        acts in prop::collection::vec(act(), 0..40),
        closer in role(),
        compressed in any::<bool>(),
    ) {
        let mut pair = Pair::new();
        if compressed {
            compress(&mut pair);
        }
        for act in acts {
            // A closing handshake may take longer than its limit if nobody moves the bytes meanwhile.
            let fault =
                matches!(act, Act::Garbage(..) | Act::TransportFails(_) | Act::GiveUp(_) | Act::Cut | Act::Wait(_));
            if !fault {
                perform(&mut pair, act);
            }
        }
        let _ = end(&mut pair, closer).connection.close(CloseCode::NORMAL, "");
        pair.advance_to_the_end();
        let (client, server) = (pair.client.closed(), pair.server.closed());
        prop_assert_eq!((client.cause, server.cause), (Cause::Clean, Cause::Clean));
        prop_assert_eq!(&client.sent, &server.received);
        prop_assert_eq!(&client.received, &server.sent);
        prop_assert_eq!(client.counts.messages_received, server.counts.messages_sent);
        prop_assert_eq!(server.counts.messages_received, client.counts.messages_sent);
    }
}
