//! What the tests of compression share: connections that have agreed on it, handshakes in memory, and compressed payloads
//! that the library did not make.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, BytesMut};
use sansocket::{
    Accept, ClientConfig, ClientHandshake, ClientRequest, ClientStep, Connection, DeflateConfig,
    DeflateParams, Delivery, Entropy, HandshakeError, Instant, Role, ServerConfig, ServerHandshake,
    ServerStep,
};
use sha1::{Digest, Sha1};
use zlib_rs::{Deflate, DeflateFlush};

use crate::support::drive::{self, Drive, Setup};
use crate::support::seen::Seen;
use crate::support::wire;

pub(crate) const KIB: usize = 1024;
pub(crate) const MIB: usize = 1024 * KIB;

/// The first bytes of frames with RSV1.
pub(crate) const TEXT: u8 = wire::TEXT | RSV1;
pub(crate) const BINARY: u8 = wire::BINARY | RSV1;
pub(crate) const TEXT_FIRST: u8 = wire::TEXT_FIRST | RSV1;
pub(crate) const BINARY_FIRST: u8 = wire::BINARY_FIRST | RSV1;
pub(crate) const RSV1: u8 = 0x40;

/// Context takeover in both directions.
pub(crate) const KEPT: DeflateParams = DeflateParams {
    server_no_context_takeover: false,
    client_no_context_takeover: false,
    server_max_window_bits: 15,
    client_max_window_bits: 15,
};

/// Each message by itself, in both directions.
pub(crate) const ALONE: DeflateParams =
    DeflateParams { server_no_context_takeover: true, client_no_context_takeover: true, ..KEPT };

/// A configuration that differs from the default as `change` says.
pub(crate) fn config(change: impl FnOnce(&mut DeflateConfig)) -> DeflateConfig {
    let mut config = DeflateConfig::default();
    change(&mut config);
    config
}

/// An open connection on which `params` were agreed.
pub(crate) fn open(role: Role, params: DeflateParams) -> Connection {
    open_with(role, params, &DeflateConfig::default(), |_| {})
}

pub(crate) fn open_with(
    role: Role,
    params: DeflateParams,
    config: &DeflateConfig,
    change: impl FnOnce(&mut Setup),
) -> Connection {
    drive::open_with(role, change).with_deflate(config, params)
}

/// As [`open`], with pieces of messages as events.
pub(crate) fn open_chunks(role: Role, params: DeflateParams) -> Connection {
    open_with(role, params, &DeflateConfig::default(), |setup| setup.delivery = Delivery::Chunks)
}

/// Reads `bytes` in pieces of `len`.
pub(crate) fn receive_by(connection: &mut Connection, bytes: &[u8], len: usize) -> Vec<Seen> {
    bytes.chunks(len).flat_map(|piece| connection.receive(piece)).collect()
}

/// What an endpoint writes, as the other reads it: both must have agreed on the same.
pub(crate) fn pass(from: &mut Connection, to: &mut Connection) -> Vec<Seen> {
    let bytes = from.sent();
    to.receive(&bytes)
}

/// One message compressed by the library that is below this one, but not by this one: RFC 7692 section 7.2.1.
pub(crate) fn deflated(data: &[u8]) -> Vec<u8> {
    Compressor::new(6, 15).message(data)
}

/// A peer's compressor with context takeover.
pub(crate) struct Compressor(Deflate);

impl Compressor {
    pub(crate) fn new(level: i32, window_bits: u8) -> Self {
        Self(Deflate::new(level, false, window_bits))
    }

    pub(crate) fn message(&mut self, data: &[u8]) -> Vec<u8> {
        let mut flushed = self.flushed(data);
        if flushed.is_empty() {
            // RFC 7692 section 7.2.3.6: nothing has come since the last flush.
            return vec![0x00];
        }
        assert!(flushed.ends_with(&[0x00, 0x00, 0xFF, 0xFF]));
        flushed.truncate(flushed.len() - 4);
        flushed
    }

    /// With the bytes at its end that are left out at the end of a message.
    pub(crate) fn flushed(&mut self, data: &[u8]) -> Vec<u8> {
        // Room for stored blocks and the flush, so that one call does it.
        let mut out = vec![0; data.len() + data.len() / 8 + 100];
        let before = self.0.total_out();
        self.0.compress(data, &mut out, DeflateFlush::SyncFlush).expect("compressing cannot fail");
        out.truncate((self.0.total_out() - before) as usize);
        out
    }
}

/// Bytes that cannot be compressed, the same for the same seed.
pub(crate) fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        // Marsaglia's xorshift with these three shifts has the full period.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        bytes.extend_from_slice(&next());
    }
    bytes.truncate(len);
    bytes
}

/// Text as applications send it: the same words again and again, and not only ASCII.
pub(crate) fn prose(len: usize) -> String {
    let mut text = String::with_capacity(len + 100);
    for number in 0.. {
        if text.len() >= len {
            break;
        }
        text.push_str("{\"id\":");
        text.push_str(&(number * 7919 % 10_007).to_string());
        text.push_str(",\"name\":\"Zoë – größer als 5 €\",\"tags\":[\"a\",\"😀\"]}\n");
    }
    let end = (0..=len).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text.truncate(end);
    text
}

/// What a server answers to a request with these `Sec-WebSocket-Extensions` lines: the values of the lines in its reply.
pub(crate) fn serve(
    config: &ServerConfig,
    lines: &[&str],
    accept: Accept,
) -> Result<(Connection, Vec<String>), HandshakeError> {
    let lines: String = lines.iter().map(|line| format!("Sec-WebSocket-Extensions: {line}\r\n")).collect();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n"
    );
    let mut handshake = ServerHandshake::new(config, Instant::ZERO);
    let step = handshake.receive(&mut BytesMut::from(&request[..]), Instant::ZERO)?;
    let ServerStep::Request(pending) = step else { panic!("the request is whole") };
    let mut connection = pending.accept(accept, Instant::ZERO).expect("no subprotocol is asked for");
    let answer = extensions(&connection.sent());
    Ok((connection, answer))
}

/// A client's connection, and what was agreed on by the response.
pub(crate) type Opened = (Connection, Option<DeflateParams>);

/// What a client makes of a response with these `Sec-WebSocket-Extensions` lines, and the offer that it made.
pub(crate) fn connect(
    config: &ClientConfig,
    lines: &[&str],
) -> (Vec<String>, Result<Opened, HandshakeError>) {
    let mut handshake = client(config);
    let request = handshake.transmit().split_off(0);
    let offer = extensions(&request);
    let text = String::from_utf8(request.to_vec()).expect("a request is ASCII");
    let (_, key) = text.split_once("Sec-WebSocket-Key: ").expect("a request has a key");
    let (key, _) = key.split_once("\r\n").expect("a line has an end");
    let accept = STANDARD.encode(Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
    let lines: String = lines.iter().map(|line| format!("Sec-WebSocket-Extensions: {line}\r\n")).collect();
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{lines}\r\n"
    );
    let opened = match handshake.receive(&mut BytesMut::from(&response[..]), Instant::ZERO) {
        Ok(ClientStep::Open(connection, response)) => Ok((connection, response.deflate())),
        Ok(ClientStep::NeedMore) => panic!("the response is whole"),
        Err(error) => Err(error),
    };
    (offer, opened)
}

/// A handshake between two ends of this library: the client's, and the server's.
pub(crate) fn handshake(client_config: &ClientConfig, server_config: &ServerConfig) -> [Connection; 2] {
    let mut client = client(client_config);
    let mut request = BytesMut::from(&client.transmit().split_off(0)[..]);
    let mut server = ServerHandshake::new(server_config, Instant::ZERO);
    let Ok(ServerStep::Request(pending)) = server.receive(&mut request, Instant::ZERO) else {
        panic!("a request of this library is in order")
    };
    let mut server = pending.accept(Accept::new(), Instant::ZERO).expect("no subprotocol is asked for");
    let mut reply = BytesMut::from(&server.sent()[..]);
    match client.receive(&mut reply, Instant::ZERO) {
        Ok(ClientStep::Open(connection, response)) => {
            assert_eq!(connection.deflate(), response.deflate());
            assert!(!reply.has_remaining());
            [connection, server]
        }
        other => panic!("a reply of this library is in order, but: {other:?}"),
    }
}

pub(crate) fn server_config(deflate: Option<DeflateConfig>) -> ServerConfig {
    let mut config = ServerConfig::default();
    config.deflate = deflate;
    config
}

pub(crate) fn client_config(deflate: Option<DeflateConfig>) -> ClientConfig {
    let mut config = ClientConfig::default();
    config.deflate = deflate;
    config
}

fn client(config: &ClientConfig) -> ClientHandshake {
    let request = ClientRequest::new("ws://h/").expect("a URL");
    ClientHandshake::new(&request, config, Entropy::from_seed([7; 32]), Instant::ZERO)
}

/// The values of all `Sec-WebSocket-Extensions` lines of a head.
fn extensions(head: &[u8]) -> Vec<String> {
    let head = String::from_utf8(head.to_vec()).expect("a head of this library is ASCII");
    let values = head.split("\r\n").filter_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "));
    values.map(str::to_owned).collect()
}
