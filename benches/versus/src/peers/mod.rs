//! The libraries, one file each, and what each can be asked to do.

mod fastwebsockets;
mod nexus_web;
#[cfg(feature = "c-zlib")]
mod ratchet;
mod sansocket;
mod sockudo_ws;
mod soketto;
mod tokio_websockets;
mod tungstenite;
mod web_socket;
mod wtx;
mod yawc;

use std::sync::Arc;

use crate::deflate::Deflating;
use crate::echo::Server;
use crate::rounds::Run;
use crate::work::{Decoding, Encoding};

/// A library. `None` where it has no such thing; its file says what it has instead.
pub(crate) trait Peer {
    fn name(&self) -> &'static str;

    /// How it is used, and what is not its default.
    fn configuration(&self) -> &'static str;

    /// A run receives all messages of the wire once more and shows each to [`Expected`](crate::work::Expected).
    fn decode(&self, _: &Decoding) -> Option<Run> {
        None
    }

    /// A run sends all messages of a burst.
    fn encode(&self, _: &Encoding) -> Option<Run> {
        None
    }

    /// A run inflates all messages of the wire once more, as a server.
    fn inflate(&self, _: &Deflating) -> Option<Run> {
        None
    }

    /// A run sends all messages compressed, as a server.
    fn deflate(&self, _: &Deflating) -> Option<Run> {
        None
    }

    /// Echo servers on tokio's current-thread runtime, in the ways that it can be used.
    fn servers(&self) -> Vec<Server> {
        Vec::new()
    }

    /// A run accepts one client: reads the head, at most so many bytes at a time, checks it and writes the reply.
    fn handshake(&self, _: &Handshaking) -> Option<Run> {
        None
    }
}

/// What a server's opening handshake reads.
#[derive(Clone)]
pub(crate) struct Handshaking {
    pub(crate) head: Arc<[u8]>,
    /// Bytes that one read gives at most.
    pub(crate) read: usize,
    /// Keep what is written, to be looked at.
    pub(crate) capture: bool,
}

impl Handshaking {
    pub(crate) fn pipe(&self) -> crate::pipe::Pipe {
        crate::pipe::Pipe::once(self.head.clone(), self.read).capturing(self.capture)
    }
}

/// Everybody; sansocket is the first, against which the others are set.
pub(crate) fn all() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(sansocket::Sansocket),
        Box::new(tungstenite::Tungstenite { read_buffer: 4 * 1024 }),
        Box::new(tungstenite::Tungstenite { read_buffer: 128 * 1024 }),
        Box::new(fastwebsockets::Fastwebsockets),
        Box::new(tokio_websockets::TokioWebsockets),
        Box::new(soketto::Soketto),
        Box::new(yawc::Yawc),
        Box::new(sockudo_ws::SockudoWs),
        Box::new(web_socket::WebSocket),
        Box::new(wtx::Wtx),
        Box::new(nexus_web::NexusWeb),
        #[cfg(feature = "c-zlib")]
        Box::new(ratchet::Ratchet),
    ]
}
