//! What the tests share: times, frames by hand, and short questions.

use std::time::Duration;

use sansocket::{Cause, Role};
use sansocket_testkit::{Endpoint, Link, Network, Script};

pub(crate) const TEXT: u8 = 0x81;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8A;
/// The first fragment of a text message, one in the middle, and the last.
pub(crate) const FIRST: u8 = 0x01;
pub(crate) const MIDDLE: u8 = 0x00;
pub(crate) const LAST: u8 = 0x80;

pub(crate) const NANO: Duration = Duration::from_nanos(1);

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A network without keepalive, so that runs become quiet.
pub(crate) fn calm(seed: u64) -> Network {
    Network::new(seed).both_configs(|_, timeouts| timeouts.ping_interval = None)
}

/// A frame as an endpoint of `role` sends it; a client's masking-key is 0, which leaves the payload data as it is.
pub(crate) fn frame(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = if role == Role::Client { 0x80 } else { 0 };
    let mut frame = match payload.len() {
        len @ 0..=125 => vec![first, mask | len as u8],
        len @ 126..=0xFFFF => [&[first, mask | 126][..], &(len as u16).to_be_bytes()].concat(),
        len => [&[first, mask | 127][..], &(len as u64).to_be_bytes()].concat(),
    };
    if role == Role::Client {
        frame.extend([0; 4]);
    }
    frame.extend(payload);
    frame
}

/// The payload data of a Close frame.
pub(crate) fn close_payload(code: u16) -> [u8; 2] {
    code.to_be_bytes()
}

/// The frames of a server in `bytes`, as first byte and payload data.
pub(crate) fn server_frames(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, len, rest @ ..] = bytes {
        let (extended, len) = match len {
            126 => (2, usize::from(u16::from_be_bytes([rest[0], rest[1]]))),
            127 => (8, rest[..8].iter().fold(0, |len, byte| len << 8 | usize::from(*byte))),
            len => (0, usize::from(*len)),
        };
        frames.push((*first, rest[extended..extended + len].to_vec()));
        bytes = &rest[extended + len..];
    }
    frames
}

/// The client's request of a network, as it goes over the wire.
pub(crate) fn request_of(network: &Network) -> Vec<u8> {
    let mut sim = network.clone().both_ways(Link::new()).raw_server(Script::new());
    sim.run_for(Duration::ZERO);
    sim.server.received().to_vec()
}

/// The server's reply to [`request_of`], as it goes over the wire.
pub(crate) fn reply_of(network: &Network) -> Vec<u8> {
    let script = Script::new().send(request_of(network));
    let mut sim = network.clone().both_ways(Link::new()).raw_client(script);
    sim.run_for(Duration::ZERO);
    sim.client.received().to_vec()
}

/// The code of the handshake's failure; empty if it did not fail.
pub(crate) fn code(endpoint: &Endpoint) -> &'static str {
    endpoint.handshake_error().map_or("", |error| error.code())
}

/// Why the connection ended.
#[track_caller]
pub(crate) fn cause(endpoint: &Endpoint) -> Cause {
    endpoint.closed().expect("the connection has ended").cause
}
