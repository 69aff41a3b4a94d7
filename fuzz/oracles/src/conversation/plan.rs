//! How both ends of a conversation are configured.

use core::time::Duration;

use sansocket::{
    Accept, ClientConfig, DeflateConfig, Delivery, Limits, PendingRequest, Reject, Role, ServerConfig,
    Timeouts,
};

use crate::script::Script;

/// Four bytes of the script. Of the first, from bit 0 on: the client offers compression, the server agrees to it; the client keeps
/// its window, the server its own; the client offers subprotocols, and the server chooses one; the server refuses the request;
/// messages are small. Of the second: the client delivers chunks, the server does; no end sends keepalive Pings; the rest is the
/// level of compression. The third and the fourth are the window bits, less 8, that client and server want: the client's lower, the
/// server's above.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    flags: usize,
    more: usize,
    bits: [u8; 2],
}

impl Plan {
    pub(super) fn choose(script: &mut Script<'_>) -> Self {
        let (flags, more) = (script.number(), script.number());
        Self { flags, more, bits: [script.number() as u8, script.number() as u8] }
    }

    fn has(self, bit: u32) -> bool {
        self.flags >> bit & 1 != 0
    }

    pub(super) fn refuses(self) -> bool {
        self.has(6)
    }

    pub(super) fn compresses(self) -> bool {
        self.has(0) && self.has(1)
    }

    /// Bytes that compression may hold: two compressors and two decompressors, each with a window and tables.
    pub(super) fn windows(self) -> usize {
        if self.compresses() { 2 * (320 + 64) * 1024 } else { 0 }
    }

    pub(super) fn keeps_alive(self) -> bool {
        self.more & 4 == 0
    }

    /// Payload bytes that a message may have.
    pub(super) fn largest(self) -> usize {
        if self.has(7) { 2_000 } else { 100_000 }
    }

    pub(super) fn delivery(self, role: Role) -> Delivery {
        let bit = match role {
            Role::Client => 1,
            Role::Server => 2,
        };
        if self.more & bit != 0 { Delivery::Chunks } else { Delivery::Messages }
    }

    pub(super) fn offers(self) -> &'static [&'static str] {
        if self.has(4) { &["chat.v2", "chat.v1"] } else { &[] }
    }

    /// The subprotocol that both ends shall have.
    pub(super) fn subprotocol(self) -> Option<&'static str> {
        (self.has(4) && self.has(5)).then_some("chat.v1")
    }

    pub(super) fn client(self) -> ClientConfig {
        let mut config = ClientConfig::default();
        (config.limits, config.timeouts) = (self.limits(), self.timeouts());
        config.deflate = self.has(0).then(|| self.deflate(self.bits[0]));
        config
    }

    pub(super) fn server(self) -> ServerConfig {
        let mut config = ServerConfig::default();
        (config.limits, config.timeouts) = (self.limits(), self.timeouts());
        config.deflate = self.has(1).then(|| self.deflate(self.bits[1]));
        config
    }

    /// What the server's application says to a request.
    pub(super) fn decide(self, pending: &PendingRequest) -> Result<Accept, Reject> {
        let request = pending.request();
        assert_eq!((request.target(), request.host()), (RESOURCE, "example.com:8080"));
        assert!(request.subprotocols().eq(self.offers().iter().copied()));
        if self.refuses() {
            return Err(Reject::forbidden("not today"));
        }
        let accept = Accept::new().field("X-Served-By", "fuzz").expect("a field");
        Ok(match self.subprotocol() {
            Some(chosen) => accept.subprotocol(chosen),
            None => accept,
        })
    }

    fn deflate(self, bits: u8) -> DeflateConfig {
        let mut config = DeflateConfig::default();
        config.min_len = 0;
        config.level = (self.more >> 3) as u8 % 10;
        (config.client_no_context_takeover, config.server_no_context_takeover) = (!self.has(2), !self.has(3));
        (config.client_max_window_bits, config.server_max_window_bits) = (8 + bits % 8, 8 + bits / 8 % 8);
        config
    }

    /// Some small enough to be met.
    pub(super) fn limits(self) -> Limits {
        let mut limits = Limits::default();
        (limits.message, limits.frame) = (self.largest(), self.largest());
        (limits.write_soft, limits.write_hard, limits.write_control) = (1_000, 10_000, 300);
        limits
    }

    fn timeouts(self) -> Timeouts {
        let mut timeouts = Timeouts::default();
        timeouts.ping_interval = self.keeps_alive().then_some(Duration::from_secs(5));
        timeouts.pong = Some(Duration::from_secs(3));
        timeouts.idle = Some(Duration::from_secs(16));
        timeouts.message = Some(Duration::from_secs(8));
        timeouts.close = Duration::from_secs(2);
        timeouts
    }
}

pub(super) const URL: &str = "ws://example.com:8080/chat?room=7";
const RESOURCE: &str = "/chat?room=7";
