//! The protocol of one peer, without its stream: a handshake, then a connection, or the last words to a peer that is refused.
//! Each of the three is a state machine, and all take the same: bytes, end-of-file, failure, time.

use std::io;
use std::net::SocketAddr;

use bytes::{Buf, BytesMut};
use sansocket::{
    Accept, Connection, Farewell, HandshakeError, Instant, Reject, ServerConfig, ServerHandshake, ServerStep,
    Timeouts, TransportError,
};

use crate::echo;

pub(crate) struct Protocol {
    address: SocketAddr,
    phase: Phase,
}

enum Phase {
    Handshake(ServerHandshake),
    Open(Connection),
    Farewell(Farewell),
    Over,
}

impl Protocol {
    pub(crate) fn new(address: SocketAddr, now: Instant) -> Self {
        let handshake = ServerHandshake::new(&ServerConfig::default(), now);
        Self { address, phase: Phase::Handshake(handshake) }
    }

    /// Bytes came. What stays in `input` must be given again, perhaps with more behind it.
    pub(crate) fn receive(&mut self, input: &mut BytesMut, broken: bool, now: Instant) {
        match &mut self.phase {
            Phase::Handshake(it) => match it.receive(input, now) {
                Ok(ServerStep::Request(pending)) => match pending.accept(Accept::new(), now) {
                    Ok(connection) => self.phase = Phase::Open(connection),
                    Err(refused) => self.refuse(refused.pending.reject(Reject::new(500), now), now),
                },
                // Plain HTTP requests fail unless they are asked for.
                Ok(ServerStep::NeedMore | ServerStep::Http(_)) => {}
                Err(error) => self.refuse(error, now),
            },
            Phase::Open(it) => echo(it, input, broken),
            Phase::Farewell(it) => {
                it.discard(input.len());
                input.clear();
            }
            Phase::Over => input.clear(),
        }
        self.settle();
    }

    /// The stream ended, or failed.
    pub(crate) fn ended(&mut self, error: Option<TransportError>, now: Instant) {
        match (&mut self.phase, error) {
            (Phase::Handshake(it), error) => {
                let error = if let Some(error) = error { it.failed(error, now) } else { it.eof(now) };
                self.refuse(error, now);
            }
            (Phase::Open(it), error) => {
                // An end counts when all before it was read. It was, but `pause` may have been the last word.
                it.read(&mut BytesMut::new());
                match error {
                    None => it.eof(),
                    Some(error) => it.transport_failed(error),
                }
            }
            (Phase::Farewell(it), None) => it.eof(),
            (Phase::Farewell(_) | Phase::Over, _) => self.phase = Phase::Over,
        }
        self.settle();
    }

    pub(crate) fn timeout(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::Handshake(it) => {
                if let Err(error) = it.timeout(now) {
                    self.refuse(error, now);
                }
            }
            Phase::Open(it) => it.timeout(now),
            Phase::Farewell(it) => it.timeout(now),
            Phase::Over => {}
        }
        self.settle();
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Handshake(it) => it.deadline(),
            Phase::Open(it) => it.deadline(),
            Phase::Farewell(it) => it.deadline(),
            Phase::Over => None,
        }
    }

    /// Has `write` take what there is; returns whether to shut down the writing side.
    pub(crate) fn transmit(
        &mut self,
        write: &mut dyn FnMut(&mut dyn Buf) -> io::Result<()>,
    ) -> io::Result<bool> {
        let shut_down = match &mut self.phase {
            Phase::Open(it) => write(&mut it.transmit()).map(|()| it.wants_shutdown()),
            Phase::Farewell(it) => write(it.transmit()).map(|()| it.wants_shutdown()),
            Phase::Handshake(_) | Phase::Over => Ok(false),
        };
        // The last byte of a Close frame that is written often is the end.
        self.settle();
        shut_down
    }

    /// Whether the peer takes the answers to what it sends; else nothing more of it is read.
    pub(crate) fn wants_read(&self) -> bool {
        !matches!(&self.phase, Phase::Open(it) if !it.may_send())
    }

    /// The stream may hold what is not read yet, such as a Pong.
    pub(crate) fn pause(&mut self) {
        if let Phase::Open(it) = &mut self.phase {
            it.pause();
        }
    }

    /// Whether TCP is to be closed.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    fn refuse(&mut self, error: HandshakeError, now: Instant) {
        println!("{}: {error}", self.address);
        self.phase = Phase::Farewell(error.farewell(Timeouts::default().close, now));
    }

    /// After every input and every write: any of them may have been the last.
    fn settle(&mut self) {
        let over = match &mut self.phase {
            Phase::Open(it) => {
                it.take_closed().map(|closed| println!("{}: {closed}", self.address)).is_some()
            }
            Phase::Farewell(it) => it.is_done(),
            Phase::Handshake(_) | Phase::Over => false,
        };
        if over {
            self.phase = Phase::Over;
        }
    }
}
