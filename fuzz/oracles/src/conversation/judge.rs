//! What must hold of a conversation.

use sansocket::{Cause, Connection, Failure, Role, State};

use super::Conversation;
use super::end::{End, Fin};
use crate::sent;
use crate::support::seen::Seen;

impl Conversation {
    /// Nothing is on the way any more, and no end has anything to write.
    pub(super) fn check_quiet(&self) {
        let [client, server] = &self.ends;
        self.check_agreed();
        let quiet = |end: &End| end.state() == Some(State::Open) && end.fin.is_none();
        if !quiet(client) || !quiet(server) {
            return;
        }
        for (from, to) in [(client, server), (server, client)] {
            assert_eq!(messages(&to.seen()), from.said.messages, "left: received, right: sent");
            let (pings, pongs) = (pings(&to.seen()), pongs(&from.seen()));
            // Keepalive Pings are among them, and the last may stand for others.
            assert_eq!(
                pongs.last(),
                pings.last(),
                "left: the last Pong, right: the last Ping of the {}",
                from.role
            );
            assert!(from.said.ping.iter().all(|ping| pings.contains(ping)), "a Ping has not arrived");
        }
    }

    /// What the handshake came to.
    fn check_agreed(&self) {
        let [client, server] = &self.ends;
        let (Some(at_client), Some(at_server)) = (client.connection(), server.connection()) else { return };
        for end in &self.ends {
            assert_eq!(end.subprotocol.as_deref(), self.plan.subprotocol());
        }
        let (at_client, at_server) = match (at_client.deflate(), at_server.deflate()) {
            (Some(at_client), Some(at_server)) => (at_client, at_server),
            (at_client, at_server) => return assert_eq!((at_client, at_server), (None, None)),
        };
        assert!(self.plan.compresses());
        // Who sends may do with less than who receives expects, and never with more.
        assert!(at_server.server_max_window_bits <= at_client.server_max_window_bits);
        assert!(at_client.client_max_window_bits <= at_server.client_max_window_bits);
        assert!(at_server.server_no_context_takeover || !at_client.server_no_context_takeover);
        assert!(at_client.client_no_context_takeover || !at_server.client_no_context_takeover);
    }

    /// Both ends have said all, and no time has passed.
    pub(super) fn check_over(&self) {
        if !self.disturbed {
            for end in &self.ends {
                assert!(end.is_over(), "nothing was wrong, and the {} waits for its time limit", end.role);
            }
            // RFC 6455 section 7.1.1: the server is the first to close TCP.
            let [client, _] = &self.ends;
            assert!(client.was_last || client.failed().is_some(), "the client did not wait for the server");
        }
    }

    /// Both ends have ended.
    pub(super) fn judge(&self) {
        let [client, server] = &self.ends;
        self.check_agreed();
        self.check_end(client, server);
        self.check_end(server, client);
        if self.disturbed || self.plan.refuses() {
            return;
        }
        let over = self.ends.iter().any(|end| end.said.largest() > self.plan.largest());
        let clean = self.ends.iter().all(|end| end.closed().is_some_and(|closed| closed.is_clean()));
        assert!(
            clean || over,
            "nothing was wrong, and it did not end clean: {:?}, {:?}",
            client.closed(),
            server.closed()
        );
        if let (&[role], Some(client), Some(server), true) =
            (&self.closers[..], client.closed(), server.closed(), clean)
        {
            assert_eq!((client.first, server.first), (role, role), "who was the first to close");
        }
    }

    /// What must hold of one end.
    fn check_end(&self, end: &End, other: &End) {
        let seen = end.seen();
        let given = messages(&seen);
        assert!(
            other.said.messages.starts_with(&given),
            "received {given:?}, sent {:?}",
            other.said.messages
        );
        if let Some(code) = end.failed() {
            assert!(EXPECTED.contains(&code), "the {}'s handshake failed: {code}", end.role);
            assert_eq!(seen, []);
            return;
        }
        let closed = end.closed().expect("it has ended");
        let mut failed = false;
        for event in &seen {
            if let Seen::Failed(failure) = event {
                let over = other.said.largest() > self.plan.largest();
                assert!(matches!(failure, Failure::Limit(_)) && over, "the {} reports: {failure}", end.role);
                failed = true;
            }
        }
        let (read, written) = (Frames::of(end.role.peer(), &end.read), Frames::of(end.role, &end.written));
        let counts = closed.counts;
        if !failed {
            assert_eq!(
                given.len(),
                read.messages,
                "left: messages given, right: messages that were read whole"
            );
        }
        assert_eq!(counts.messages_received as usize, given.len());
        assert_eq!(counts.messages_sent as usize, end.said.messages.len());
        assert_eq!(counts.bytes_sent as usize, written.bytes);
        assert_eq!(counts.bytes_received as usize, read.bytes);
        assert!(end.said.messages.len() >= written.messages);
        assert_eq!(counts.unsent > 0, written.data_frames < end.said.frames, "{closed}");
        assert_eq!(closed.sent.is_some(), written.closes > 0, "{closed}");
        if let Some(received) = &closed.received {
            let sent = other.closed().and_then(|closed| closed.sent.as_ref());
            assert_eq!(Some(received), sent, "left: received by the {}, right: sent", end.role);
            assert_eq!(given, other.said.messages, "a Close frame comes behind all messages");
            let codes = closed.sent.as_ref().map(|sent| (sent.code(), received.code()));
            let answers = !failed && closed.first != end.role;
            assert!(!answers || codes.is_none_or(|(sent, received)| sent == received), "{closed}");
        }
        if closed.cause == Cause::Clean {
            assert!(closed.received.is_some(), "{closed}");
            // The other was a moment ahead, or its stream was cut.
            assert!(closed.sent.is_some() || end.fin.is_some(), "{closed}");
            assert!(
                end.role == Role::Client || closed.sent.is_some() || end.fin == Some(Fin::Reset),
                "{closed}"
            );
        }
        assert_eq!(end.connection().and_then(Connection::deadline), None);
    }
}

fn messages(seen: &[Seen]) -> Vec<Seen> {
    seen.iter().filter(|event| matches!(event, Seen::Text(_) | Seen::Binary(_))).cloned().collect()
}

fn pings(seen: &[Seen]) -> Vec<Vec<u8>> {
    seen.iter()
        .filter_map(|event| if let Seen::Ping(payload) = event { Some(payload.clone()) } else { None })
        .collect()
}

fn pongs(seen: &[Seen]) -> Vec<Vec<u8>> {
    seen.iter()
        .filter_map(|event| if let Seen::Pong(payload) = event { Some(payload.clone()) } else { None })
        .collect()
}

/// What is in a stream behind its head.
#[derive(Debug, Default)]
struct Frames {
    /// Bytes of frames, whole or not.
    bytes: usize,
    /// Data frames that are whole, and messages that end in one.
    data_frames: usize,
    messages: usize,
    closes: usize,
}

impl Frames {
    fn of(from: Role, stream: &[u8]) -> Self {
        let mut frames = Self::default();
        let Some(head) = stream.windows(4).position(|part| part == b"\r\n\r\n") else { return frames };
        let stream = &stream[head + 4..];
        frames.bytes = stream.len();
        for frame in sent::frames(stream).iter().filter(|frame| frame.whole) {
            assert_eq!(frame.masked, from == Role::Client, "a client masks, and nobody else");
            match frame.first & 0x0F {
                0..=2 => {
                    assert_eq!(frames.closes, 0, "data behind a Close frame");
                    frames.data_frames += 1;
                    frames.messages += usize::from(frame.first & 0x80 != 0);
                }
                8 => frames.closes += 1,
                _ => {}
            }
        }
        assert!(frames.closes <= 1, "two Close frames");
        frames
    }
}

/// What a handshake may fail with where both ends are ours.
const EXPECTED: [&str; 6] = [
    "closed-before-first-byte",
    "closed-inside-head",
    "transport-failed",
    "timed-out",
    "rejected",
    "unexpected-status",
];
