//! One connection, driven by hand.

use bytes::{Buf, BytesMut};
use sansocket::{
    Cause, ClientConfig, CloseCode, Closed, Connection, Delivery, Entropy, Failure, Instant, Limits, Role,
    ServerConfig, Timeouts,
};

use super::seen::Seen;
use super::wire::{self, Frame};

/// What both roles can be configured with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
    pub(crate) delivery: Delivery,
}

/// An open connection with the default configuration.
pub(crate) fn open(role: Role) -> Connection {
    open_with(role, |_| {})
}

/// An open connection whose configuration differs from the default as `change` says.
pub(crate) fn open_with(role: Role, change: impl FnOnce(&mut Setup)) -> Connection {
    let mut setup = Setup::default();
    change(&mut setup);
    let Setup { limits, timeouts, delivery } = setup;
    let mut connection = match role {
        Role::Server => {
            let mut config = ServerConfig::default();
            (config.limits, config.timeouts) = (limits, timeouts);
            Connection::server(&config, Instant::ZERO)
        }
        Role::Client => {
            let mut config = ClientConfig::default();
            (config.limits, config.timeouts) = (limits, timeouts);
            Connection::client(&config, Entropy::from_seed([7; 32]), Instant::ZERO)
        }
    };
    connection.set_delivery(delivery);
    connection
}

pub(crate) const BOTH: [Role; 2] = [Role::Client, Role::Server];

/// The point of time so many milliseconds after the start.
pub(crate) fn ms(millis: u64) -> Instant {
    Instant::from_nanos(millis * 1_000_000)
}

/// What a test does to a connection, one line each.
pub(crate) trait Drive {
    /// Reads `bytes` as one piece, and takes all events.
    fn receive(&mut self, bytes: &[u8]) -> Vec<Seen>;
    /// Reads `bytes` one by one.
    fn receive_bytewise(&mut self, bytes: &[u8]) -> Vec<Seen>;
    /// Writes everything that waits.
    fn sent(&mut self) -> Vec<u8>;
    /// Writes everything that waits; it must be whole frames.
    fn frames_sent(&mut self) -> Vec<Frame>;
    /// Ends the peer's stream.
    fn end_of_stream(&mut self) -> Vec<Seen>;
    /// Tells the time, in milliseconds since the start.
    fn at(&mut self, millis: u64) -> Vec<Seen>;
    /// The terminal event, if it is all that is left to be said.
    fn only_closed(&mut self) -> Closed;
}

impl Drive for Connection {
    fn receive(&mut self, bytes: &[u8]) -> Vec<Seen> {
        let mut input = BytesMut::from(bytes);
        let mut seen = Vec::new();
        let mut reader = self.read(&mut input);
        while let Some(event) = reader.next() {
            seen.push(event.into());
        }
        drop(reader);
        assert!(input.is_empty(), "a reader that is used up has consumed all input");
        seen
    }

    fn receive_bytewise(&mut self, bytes: &[u8]) -> Vec<Seen> {
        bytes.iter().flat_map(|byte| self.receive(&[*byte])).collect()
    }

    fn sent(&mut self) -> Vec<u8> {
        let mut transmit = self.transmit();
        let mut sent = Vec::new();
        while transmit.has_remaining() {
            let piece = transmit.chunk();
            assert!(!piece.is_empty(), "bytes remain, so there is a piece to write");
            sent.extend_from_slice(piece);
            transmit.advance(piece.len());
        }
        sent
    }

    fn frames_sent(&mut self) -> Vec<Frame> {
        wire::decode(&self.sent())
    }

    fn end_of_stream(&mut self) -> Vec<Seen> {
        self.eof();
        self.receive(b"")
    }

    fn at(&mut self, millis: u64) -> Vec<Seen> {
        self.timeout(ms(millis));
        self.receive(b"")
    }

    fn only_closed(&mut self) -> Closed {
        let seen = self.receive(b"");
        let [Seen::Closed(closed)] = &seen[..] else { panic!("not the terminal event alone: {seen:?}") };
        assert_eq!(self.receive(b""), [], "there is one terminal event");
        assert_eq!(self.deadline(), None, "a closed connection waits for nothing");
        (**closed).clone()
    }
}

/// Asserts that `bytes` make the connection fail with `failure`, that the peer is told why by the Close frame that
/// belongs to it, and that this is how the connection ends. Returns the events before the failure.
#[track_caller]
pub(crate) fn assert_fails(
    mut connection: Connection,
    bytes: &[u8],
    failure: impl Into<Failure>,
    code: u16,
) -> Vec<Seen> {
    let failure = failure.into();
    let mut seen = connection.receive(bytes);
    assert_eq!(seen.pop(), Some(Seen::Failed(failure)));
    let sent = connection.frames_sent();
    let close = sent.last().expect("a Close frame is sent");
    assert_eq!(close.first, wire::CLOSE, "{close:?}");
    assert_eq!(close.payload.get(..2), Some(&code.to_be_bytes()[..]), "the Close frame's code");
    assert_eq!(failure.close_code(), CloseCode(code));
    assert!(connection.wants_shutdown(), "the peer must be able to read why before TCP ends");
    connection.eof();
    let closed = connection.only_closed();
    assert_eq!(closed.cause, Cause::Failed(failure));
    assert_eq!(closed.sent.map(|frame| frame.code()), Some(CloseCode(code)));
    seen
}

/// Asserts that `bytes` make the connection say exactly `expected`, however they are split in two.
#[track_caller]
pub(crate) fn assert_sees(make: impl Fn() -> Connection, bytes: &[u8], expected: &[Seen]) {
    for at in 0..=bytes.len() {
        let mut connection = make();
        let mut seen = connection.receive(&bytes[..at]);
        seen.extend(connection.receive(&bytes[at..]));
        assert_eq!(seen, expected, "split at byte {at}");
    }
    assert_eq!(make().receive_bytewise(bytes), expected, "byte by byte");
}
