//! One end of a conversation, with its side of the transport: first a handshake, then a connection.

use std::io::IoSlice;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use sansocket::{
    ClientHandshake, ClientRequest, ClientStep, Closed, Connection, Entropy, Event, HandshakeError, Instant,
    Role, ServerHandshake, ServerStep, State, TransportError,
};

use super::plan::{Plan, URL};
use super::said::Said;
use crate::support::seen::{Seen, joined};

/// How a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fin {
    Eof,
    Reset,
}

enum Phase {
    Client(Box<ClientHandshake>),
    Server(Box<ServerHandshake>),
    Open(Box<Connection>),
    /// The handshake failed, and this is what is left of the reply.
    Failed(Box<HandshakeError>, Bytes),
}

pub(super) struct End {
    pub(super) role: Role,
    plan: Plan,
    bytewise: bool,
    phase: Phase,
    /// On the way to this end.
    pub(super) wire: BytesMut,
    /// What comes behind that.
    pub(super) fin: Option<Fin>,
    told: bool,
    /// The stream to it had ended when it did.
    pub(super) was_last: bool,
    input: BytesMut,
    /// All that it wrote, and all that it read before its end.
    pub(super) written: Vec<u8>,
    pub(super) read: Vec<u8>,
    pub(super) said: Said,
    events: Vec<Seen>,
    pub(super) subprotocol: Option<String>,
}

impl End {
    pub(super) fn new(role: Role, plan: Plan, bytewise: bool) -> Self {
        let phase = match role {
            Role::Server => Phase::Server(ServerHandshake::new(&plan.server(), Instant::ZERO).into()),
            Role::Client => {
                let mut request = ClientRequest::new(URL).expect("a URL");
                for name in plan.offers() {
                    request = request.subprotocol(name).expect("a token");
                }
                let entropy = Entropy::from_seed([7; 32]);
                Phase::Client(ClientHandshake::new(&request, &plan.client(), entropy, Instant::ZERO).into())
            }
        };
        Self {
            role,
            plan,
            bytewise,
            phase,
            wire: BytesMut::new(),
            fin: None,
            told: false,
            was_last: false,
            input: BytesMut::new(),
            written: Vec::new(),
            read: Vec::new(),
            said: Said::default(),
            events: Vec::new(),
            subprotocol: None,
        }
    }

    pub(super) fn connection(&self) -> Option<&Connection> {
        if let Phase::Open(connection) = &self.phase { Some(connection) } else { None }
    }

    pub(super) fn connection_mut(&mut self) -> Option<&mut Connection> {
        if let Phase::Open(connection) = &mut self.phase { Some(connection) } else { None }
    }

    pub(super) fn failed(&self) -> Option<&'static str> {
        if let Phase::Failed(error, _) = &self.phase { Some(error.code()) } else { None }
    }

    /// The events, messages as they became whole.
    pub(super) fn seen(&self) -> Vec<Seen> {
        joined(&self.events)
    }

    pub(super) fn closed(&self) -> Option<&Closed> {
        if let Some(Seen::Closed(closed)) = self.events.last() { Some(closed) } else { None }
    }

    pub(super) fn state(&self) -> Option<State> {
        self.connection().map(Connection::state)
    }

    /// Whether the connection has ended or the handshake failed.
    pub(super) fn is_over(&self) -> bool {
        self.state() == Some(State::Closed) || self.failed().is_some()
    }

    /// Whether it writes no more.
    pub(super) fn wants_fin(&self) -> bool {
        match &self.phase {
            Phase::Open(connection) => connection.wants_shutdown() || connection.state() == State::Closed,
            Phase::Failed(_, reply) => reply.is_empty(),
            _ => false,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Client(handshake) => handshake.deadline(),
            Phase::Server(handshake) => handshake.deadline(),
            Phase::Open(connection) => connection.deadline(),
            Phase::Failed(..) => None,
        }
    }

    pub(super) fn timeout(&mut self, now: Instant) {
        let failed = match &mut self.phase {
            Phase::Client(handshake) => handshake.timeout(now),
            Phase::Server(handshake) => handshake.timeout(now),
            Phase::Open(connection) => {
                connection.timeout(now);
                Ok(())
            }
            Phase::Failed(..) => Ok(()),
        };
        if let Err(error) = failed {
            self.fail(error);
        }
        self.take_closed();
    }

    /// Takes at most that many bytes that wait to be written, as vectored writes would.
    pub(super) fn write(&mut self, at_most: usize) -> Vec<u8> {
        let bytes = match &mut self.phase {
            Phase::Client(handshake) => take(handshake.transmit(), at_most),
            Phase::Server(_) => Vec::new(),
            Phase::Open(connection) => take(&mut connection.transmit(), at_most),
            Phase::Failed(_, reply) => take(reply, at_most),
        };
        self.written.extend_from_slice(&bytes);
        self.take_closed();
        bytes
    }

    /// Reads at most that many bytes, and then the end, if that comes next; says whether anything happened.
    pub(super) fn read(&mut self, at_most: usize, now: Instant) -> bool {
        let bytes = self.wire.split_to(self.wire.len().min(at_most));
        if self.bytewise {
            // Of much, more at once: that it can be single bytes is for other targets.
            bytes.chunks(1 + bytes.len() / 256).for_each(|piece| self.receive(piece, now));
        } else if !bytes.is_empty() {
            self.receive(&bytes, now);
        }
        let fin = self.fin.filter(|_| self.wire.is_empty() && !self.told);
        if let Some(fin) = fin {
            self.told = true;
            self.end_of_stream(fin, now);
        }
        fin.is_some() || !bytes.is_empty()
    }

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        if self.is_over() {
            return;
        }
        self.read.extend_from_slice(bytes);
        let bytewise = self.bytewise;
        let buffer = self.connection_mut().filter(|_| bytewise).and_then(Connection::payload_buffer);
        match buffer.filter(|buffer| buffer.remaining_mut() >= bytes.len()) {
            Some(mut buffer) => buffer.put_slice(bytes),
            None => self.input.extend_from_slice(bytes),
        }
        let (plan, input) = (self.plan, &mut self.input);
        let opened = match &mut self.phase {
            Phase::Client(handshake) => match handshake.receive(input, now) {
                Ok(ClientStep::NeedMore) => return,
                Ok(ClientStep::Open(connection, response)) => {
                    self.subprotocol = response.subprotocol().map(str::to_owned);
                    assert_eq!(response.field("X-Served-By"), Some(&b"fuzz"[..]));
                    Ok(connection)
                }
                Err(error) => Err(error),
            },
            Phase::Server(handshake) => match handshake.receive(input, now) {
                Ok(ServerStep::NeedMore) => return,
                Ok(ServerStep::Request(pending)) => match plan.decide(&pending) {
                    Ok(accept) => {
                        self.subprotocol = accept.chosen_subprotocol().map(str::to_owned);
                        Ok(pending.accept(accept, now).expect("it was offered"))
                    }
                    Err(reject) => Err(pending.reject(reject, now)),
                },
                Ok(ServerStep::Http(_)) => panic!("plain HTTP was not asked for"),
                Err(error) => Err(error),
            },
            Phase::Open(_) => return self.take_events(),
            Phase::Failed(..) => return,
        };
        match opened {
            Ok(mut connection) => {
                connection.set_delivery(plan.delivery(self.role));
                self.phase = Phase::Open(connection.into());
                self.take_events();
            }
            Err(error) => self.fail(error),
        }
    }

    fn end_of_stream(&mut self, fin: Fin, now: Instant) {
        let failed = match (&mut self.phase, fin) {
            (Phase::Client(handshake), Fin::Eof) => handshake.eof(now),
            (Phase::Server(handshake), Fin::Eof) => handshake.eof(now),
            (Phase::Client(handshake), Fin::Reset) => handshake.failed(TransportError::Reset, now),
            (Phase::Server(handshake), Fin::Reset) => handshake.failed(TransportError::Reset, now),
            (Phase::Open(connection), fin) => {
                match fin {
                    Fin::Eof => connection.eof(),
                    Fin::Reset => connection.transport_failed(TransportError::Reset),
                }
                return self.take_events();
            }
            (Phase::Failed(..), _) => return,
        };
        self.fail(failed);
    }

    fn fail(&mut self, error: HandshakeError) {
        let reply = error.reply().cloned().unwrap_or_default();
        self.phase = Phase::Failed(error.into(), reply);
    }

    fn take_events(&mut self) {
        if let Phase::Open(connection) = &mut self.phase {
            let mut reader = connection.read(&mut self.input);
            while let Some(event) = reader.next() {
                self.was_last |= self.told && matches!(event, Event::Closed(_));
                self.events.push(event.into());
            }
        }
    }

    /// Takes the terminal event, if it is there. Nothing else is looked at: the application may have paused.
    pub(super) fn take_closed(&mut self) {
        if self.state() == Some(State::Closed) {
            self.take_events();
        }
    }

    /// What must hold at any time.
    pub(super) fn check(&mut self) {
        let (limits, largest) = (self.plan.limits(), self.said.largest());
        if let Some(connection) = self.connection_mut() {
            let waiting = connection.transmit().remaining();
            let most = limits.write_hard + largest + largest / 8 + 400 + limits.write_control + 4 * (6 + 125);
            assert!(waiting <= most, "{waiting} bytes wait, and the limits allow {most}");
        }
        let terminal = self.events.iter().position(|event| matches!(event, Seen::Closed(_)));
        assert_eq!(terminal.is_some(), self.state() == Some(State::Closed), "the end is told when it comes");
        assert!(terminal.is_none_or(|at| at + 1 == self.events.len()), "events after the terminal one");
    }
}

/// Takes bytes out of a buffer as vectored writes take them.
fn take(buffer: &mut impl Buf, at_most: usize) -> Vec<u8> {
    let mut taken = Vec::new();
    loop {
        let mut slices = [IoSlice::new(&[]); 4];
        let filled = buffer.chunks_vectored(&mut slices);
        let piece: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.iter().copied()).collect();
        let len = piece.len().min(at_most - taken.len());
        assert_eq!(piece.is_empty(), !buffer.has_remaining(), "bytes remain, so there is a piece to write");
        taken.extend_from_slice(&piece[..len]);
        buffer.advance(len);
        if len == 0 {
            return taken;
        }
    }
}
