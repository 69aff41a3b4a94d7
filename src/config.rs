//! Every limit and time limit: its unit, its default and the reason for it.
//!
//! All are plain fields, so that a configuration reads as a list of what differs from the default:
//!
//! ```
//! use core::time::Duration;
//! use sansocket::ServerConfig;
//!
//! let mut config = ServerConfig::default();
//! config.limits.message = 64 * 1024;
//! config.timeouts.idle = Some(Duration::from_secs(300));
//! ```

use core::time::Duration;

#[cfg(feature = "deflate")]
use crate::extension::DeflateConfig;
use crate::role::Role;

/// How a server behaves: limits, time limits and what it forgives.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ServerConfig {
    /// What a client may make this endpoint hold or do.
    pub limits: Limits,
    /// How long this endpoint waits, and for what.
    pub timeouts: Timeouts,
    /// Accept a `Sec-WebSocket-Key` that does not decode to 16 bytes. Default `false`.
    ///
    /// [RFC 6455 section 4.2.1] requires 16 bytes, and every browser sends them. Hand-written clients and scripts
    /// that were never checked do not always; this leniency lets them in. The key proves nothing about the client, so
    /// nothing is lost but the early notice of a client that is not one.
    ///
    /// [RFC 6455 section 4.2.1]: https://www.rfc-editor.org/rfc/rfc6455#section-4.2.1
    pub accept_malformed_key: bool,
    /// Give plain HTTP requests to the application ([`ServerStep::Http`](crate::ServerStep::Http)), which then answers a
    /// health check or a browser on the same port. Default `false`: they fail with 426, or 405 if they are no GET.
    ///
    /// Plain is what has neither `Upgrade: websocket` nor a field whose name begins with `Sec-WebSocket-`.
    pub plain_http: bool,
    /// Compression (permessage-deflate). Default `None`: offers of it are declined.
    #[cfg(feature = "deflate")]
    pub deflate: Option<DeflateConfig>,
}

/// How a client behaves: limits, time limits and what it offers.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ClientConfig {
    /// What a server may make this endpoint hold or do.
    pub limits: Limits,
    /// How long this endpoint waits, and for what.
    pub timeouts: Timeouts,
    /// Compression (permessage-deflate). Default `None`: it is not offered.
    #[cfg(feature = "deflate")]
    pub deflate: Option<DeflateConfig>,
}

/// What a peer may make this endpoint hold or do. Each is checked before memory is reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes in the head of the peer's handshake, from the first byte to the empty line. Default 16 KiB, as large as
    /// the head that nginx and Node accept by default. Answer of a server: 431.
    pub head_bytes: usize,
    /// Field lines in that head. Default 100, as Apache accepts. Answer of a server: 431.
    pub head_fields: usize,
    /// Bytes in the request line, without its line end. Default 8 KiB ([RFC 9112 section 3] asks for at least 8,000).
    /// Answer: 414.
    ///
    /// [RFC 9112 section 3]: https://www.rfc-editor.org/rfc/rfc9112#section-3
    pub request_line: usize,
    /// Bytes kept of the body of a response that refuses a client's handshake, for
    /// [`HandshakeError::body`](crate::HandshakeError::body). Default 1 KiB: the sentence with which servers say why, and the
    /// start of a proxy's error page. What is more is not read. The client waits for it up to a second, and never beyond
    /// [`Timeouts::handshake`]; with 0 it does not wait at all.
    pub error_body: usize,
    /// Bytes of payload data in one message; `usize::MAX` for no limit, which makes sense with
    /// [`Delivery::Chunks`] only. Default 16 MiB. Close code when exceeded: 1009, on the frame header
    /// that declares too much.
    ///
    /// Of a compressed message it is the inflated bytes that count, and never more than one beyond the limit is inflated.
    /// Its compressed bytes may be an eighth more, and 64, as data that cannot be compressed becomes longer; and 16 for each
    /// fragment but the first.
    pub message: usize,
    /// Bytes of payload data in one frame. Default 16 MiB. Close code when exceeded: 1009, on the frame header.
    ///
    /// A frame of a compressed message may have an eighth more, and 64.
    pub frame: usize,
    /// Bytes that one compressed byte of a message may become. Default 250: more than any text or image that says
    /// something, and a quarter of what an attack with zeros reaches. It does not apply to the first MiB of a message;
    /// `u32::MAX` is no limit. Close code when exceeded: 1009.
    pub inflate_ratio: u32,
    /// Frames in one message, at least 1. Default 131,072: twice what the most fragmented case of the Autobahn suite sends. The
    /// memory that a fragment costs does not depend on this limit. Close code when exceeded: 1008.
    pub fragments: u32,
    /// Bytes waiting to be written from which on a sender should wait. Default 64 KiB.
    /// See [`Sender::may_send`](crate::Sender::may_send).
    pub write_soft: usize,
    /// Bytes waiting to be written from which on a message is refused and given back. Default 1 MiB; the queue never
    /// holds more than this and one message.
    pub write_hard: usize,
    /// Bytes of control frames waiting to be written, from which on a Ping is no longer answered one by one but only
    /// the newest ([RFC 6455 section 5.5.3] allows it). Default 1 KiB.
    ///
    /// [RFC 6455 section 5.5.3]: https://www.rfc-editor.org/rfc/rfc6455#section-5.5.3
    pub write_control: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 16 * 1024,
            head_fields: 100,
            request_line: 8 * 1024,
            error_body: 1024,
            message: 16 * 1024 * 1024,
            frame: 16 * 1024 * 1024,
            inflate_ratio: 250,
            fragments: 131_072,
            write_soft: 64 * 1024,
            write_hard: 1024 * 1024,
            write_control: 1024,
        }
    }
}

/// How long this endpoint waits, and for what. `None` waits for ever.
///
/// Limits that count from something the peer does (`idle`, `message`) are looked at in steps of an eighth, so that
/// receiving needs no clock: they end a connection after at least the limit and at most nine eighths of it. These two
/// and `ping_interval` count as a millisecond if they are shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// All that an adapter's `connect` does, from finding the address to the end of the opening handshake, redirects
    /// included. Default 30 s: time for one of its steps to go over its own limit and be tried another way. See
    /// [`Dial`](crate::Dial); a handshake on a stream that is connected already does not use it.
    pub connect: Option<Duration>,
    /// The whole opening handshake. Default 10 s: ten round trips of a bad mobile link.
    pub handshake: Option<Duration>,
    /// Time between keepalive Pings. Default 20 s: below the 30 to 60 s after which mobile networks and load balancers
    /// forget a quiet connection.
    pub ping_interval: Option<Duration>,
    /// Time that the peer has to answer a keepalive Ping with its Pong. Default 20 s. While one long frame is
    /// arriving the peer cannot answer, and gets the time again as long as bytes arrive. While much waits to be written, the Ping or its Pong may wait behind it:
    /// then the time counts anew from when the network last took some of it, which is looked at in steps of an eighth.
    pub pong: Option<Duration>,
    /// Time without a byte from the peer. Default `None`: keepalive already finds a dead peer, and a quiet one is
    /// no fault.
    pub idle: Option<Duration>,
    /// Time from the first to the last byte of a message. Default `None`: a slow link is no fault, and memory is
    /// bounded by the message limit.
    pub message: Option<Duration>,
    /// The closing handshake, from the first Close frame to the end of TCP. Default 5 s. After a Ping that was not answered it is no more than
    /// 1 s: a peer that is gone takes no Close frame either.
    pub close: Duration,
    /// These are set by a session's configuration, where `connect` and `pong` have other names. For texts.
    pub(crate) of_session: bool,
}

impl Timeouts {
    /// What the user knows `connect` as. Where it is no session's, adapters have an option of that name, which sets the field.
    pub(crate) fn name_of_connect(&self) -> &'static str {
        if self.of_session { "connection_timeout" } else { "timeouts.connect (connection_timeout)" }
    }

    /// What the user knows `pong` as, by [`of_session`](Self::of_session) and the role; likewise.
    pub(crate) fn name_of_pong(of_session: bool, role: Role) -> &'static str {
        match role {
            Role::Client if of_session => "heartbeat_timeout",
            Role::Client => "timeouts.pong (heartbeat_timeout)",
            Role::Server => "timeouts.pong",
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Some(Duration::from_secs(30)),
            handshake: Some(Duration::from_secs(10)),
            ping_interval: Some(Duration::from_secs(20)),
            pong: Some(Duration::from_secs(20)),
            idle: None,
            message: None,
            close: Duration::from_secs(5),
            of_session: false,
        }
    }
}

/// What the events of a connection carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// [`Event::Text`](crate::Event::Text) and [`Event::Binary`](crate::Event::Binary): each a whole message.
    #[default]
    Messages,
    /// [`Event::Chunk`](crate::Event::Chunk): payload data as it arrives, borrowed and never held. For proxies, and for
    /// messages too large to hold; [`Limits::message`] still applies.
    Chunks,
}
