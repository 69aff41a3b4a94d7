//! How far an endpoint is: its opening handshake, the decision, the open connection, or the end of a handshake that failed.

use bytes::{Buf, Bytes, BytesMut};
use core::time::Duration;

use sansocket::{
    ClientHandshake, ClientStep, Connection, Farewell, HandshakeError, Instant, PendingRequest, Reject,
    Request, Response, ServerHandshake, ServerStep, State, TransportError,
};

use crate::network::Decide;

/// How far an endpoint is.
pub(crate) enum Phase {
    Connecting(ClientHandshake),
    Accepting {
        handshake: ServerHandshake,
        decision: Decision,
    },
    Deciding {
        handshake: ServerHandshake,
        pending: PendingRequest,
        decision: Decision,
        due: Instant,
    },
    Open(Connection),
    Failed {
        error: HandshakeError,
        farewell: Farewell,
    },
    /// While the phase changes.
    Changing,
}

/// What a server's application decides.
pub(crate) struct Decision {
    pub(crate) decide: Decide,
    pub(crate) takes: Duration,
}

/// What came of the bytes that were read.
pub(crate) enum Advanced {
    /// More is needed.
    No,
    Request(Request),
    Open(Option<Response>),
    Failed,
}

impl Phase {
    pub(crate) fn connection(&mut self) -> Option<&mut Connection> {
        match self {
            Self::Open(connection) => Some(connection),
            _ => None,
        }
    }

    /// Goes on with the handshake as far as `input` allows.
    pub(crate) fn advance(&mut self, input: &mut BytesMut, linger: Duration, now: Instant) -> Advanced {
        let (next, advanced) = match std::mem::replace(self, Self::Changing) {
            Self::Connecting(mut handshake) => match handshake.receive(input, now) {
                Ok(ClientStep::NeedMore) => (Self::Connecting(handshake), Advanced::No),
                Ok(ClientStep::Open(connection, response)) => {
                    (Self::Open(connection), Advanced::Open(Some(response)))
                }
                Err(error) => (Self::failed(error, linger, now), Advanced::Failed),
            },
            Self::Accepting { mut handshake, decision } => match handshake.receive(input, now) {
                Ok(ServerStep::NeedMore | ServerStep::Http(_)) => {
                    (Self::Accepting { handshake, decision }, Advanced::No)
                }
                Ok(ServerStep::Request(pending)) => {
                    let request = pending.request().clone();
                    let due = now + decision.takes;
                    (Self::Deciding { handshake, pending, decision, due }, Advanced::Request(request))
                }
                Err(error) => (Self::failed(error, linger, now), Advanced::Failed),
            },
            Self::Deciding { pending, decision, due, .. } if due <= now => {
                match decision.answer(pending, now) {
                    Ok(connection) => (Self::Open(connection), Advanced::Open(None)),
                    Err(error) => (Self::failed(error, linger, now), Advanced::Failed),
                }
            }
            other => (other, Advanced::No),
        };
        *self = next;
        advanced
    }

    /// The peer ended its stream.
    pub(crate) fn eof(&mut self, linger: Duration, now: Instant) {
        let error = match self {
            Self::Connecting(handshake) => handshake.eof(now),
            Self::Accepting { handshake, .. } | Self::Deciding { handshake, .. } => handshake.eof(now),
            Self::Open(connection) => return connection.eof(),
            Self::Failed { farewell, .. } => return farewell.eof(),
            Self::Changing => return,
        };
        *self = Self::failed(error, linger, now);
    }

    /// The transport failed.
    pub(crate) fn transport_failed(&mut self, error: TransportError, linger: Duration, now: Instant) {
        let error = match self {
            Self::Connecting(handshake) => handshake.failed(error, now),
            Self::Accepting { handshake, .. } | Self::Deciding { handshake, .. } => {
                handshake.failed(error, now)
            }
            Self::Open(connection) => return connection.transport_failed(error),
            // What is left of the reply will be written to nowhere.
            Self::Failed { farewell, .. } => return farewell.eof(),
            Self::Changing => return,
        };
        *self = Self::failed(error, linger, now);
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Connecting(handshake) => handshake.deadline(),
            Self::Accepting { handshake, .. } => handshake.deadline(),
            Self::Deciding { due, .. } => Some(*due),
            Self::Open(connection) => connection.deadline(),
            Self::Failed { farewell, .. } => farewell.deadline(),
            Self::Changing => None,
        }
    }

    pub(crate) fn timeout(&mut self, linger: Duration, now: Instant) {
        let result = match self {
            Self::Connecting(handshake) => handshake.timeout(now),
            Self::Accepting { handshake, .. } => handshake.timeout(now),
            Self::Open(connection) => {
                connection.timeout(now);
                Ok(())
            }
            Self::Failed { farewell, .. } => {
                farewell.timeout(now);
                Ok(())
            }
            // The decision is taken where the handshake goes on.
            Self::Deciding { .. } | Self::Changing => Ok(()),
        };
        if let Err(error) = result {
            *self = Self::failed(error, linger, now);
        }
    }

    /// Takes at most `room` bytes to be written.
    pub(crate) fn transmit(&mut self, room: usize) -> Bytes {
        match self {
            Self::Connecting(handshake) => {
                let out = handshake.transmit();
                out.split_to(room.min(out.len()))
            }
            Self::Open(connection) => {
                let mut transmit = connection.transmit();
                let len = transmit.remaining().min(room);
                transmit.copy_to_bytes(len)
            }
            Self::Failed { farewell, .. } => {
                let reply = farewell.transmit();
                reply.split_to(room.min(reply.len()))
            }
            Self::Accepting { .. } | Self::Deciding { .. } | Self::Changing => Bytes::new(),
        }
    }

    pub(crate) fn wants_shutdown(&self) -> bool {
        match self {
            Self::Open(connection) => connection.wants_shutdown(),
            Self::Failed { farewell, .. } => farewell.wants_shutdown(),
            _ => false,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Open(connection) => connection.state() == State::Closed,
            Self::Failed { farewell, .. } => farewell.is_done(),
            _ => false,
        }
    }

    fn failed(error: HandshakeError, linger: Duration, now: Instant) -> Self {
        let farewell = error.farewell(linger, now);
        Self::Failed { error, farewell }
    }
}

impl Decision {
    fn answer(&self, pending: PendingRequest, now: Instant) -> Result<Connection, HandshakeError> {
        match (self.decide)(pending.request()) {
            Ok(accept) => {
                pending.accept(accept, now).map_err(|error| error.pending.reject(Reject::new(500), now))
            }
            Err(reject) => Err(pending.reject(reject, now)),
        }
    }
}
