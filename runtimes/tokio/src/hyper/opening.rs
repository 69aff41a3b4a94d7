//! The future of a WebSocket that hyper's connection becomes.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use sansocket::{Connection, ServerHandshake, TransportError};
use sansocket_driver::{failed_elsewhere, opened_elsewhere};

use super::{WebSocket, now};
use crate::Error;

/// The future of a WebSocket, which is there when hyper has written the response.
///
/// It belongs to that response. If the service, or a layer around it, returns another one, drop this future: hyper keeps its promise of the
/// stream until the HTTP connection ends, and then keeps it whatever the response was, so that a client that was refused would have
/// its WebSocket after all.
///
/// # Errors
///
/// The error of a request that was refused, at once. [`Error::Handshake`] if hyper did not give its connection away: the client has gone, or the
/// connection is served without upgrades.
///
/// # Cancel safety
///
/// Dropping the future closes the stream, when the response is written.
#[must_use = "a WebSocket is open only while somebody holds it"]
pub struct Opening {
    state: State,
}

enum State {
    Waiting(Box<Waiting>),
    Failed(Box<Error>),
    Done,
}

/// An accepted request, until hyper gives its connection away.
pub(super) struct Waiting {
    pub(super) on_upgrade: OnUpgrade,
    pub(super) connection: Connection,
    pub(super) subprotocol: Option<Box<str>>,
    /// Knows what came, for the case that the connection fails before it is a WebSocket.
    pub(super) handshake: ServerHandshake,
}

impl Opening {
    pub(super) fn waiting(waiting: Waiting) -> Self {
        Self { state: State::Waiting(Box::new(waiting)) }
    }

    pub(super) fn failed(error: Error) -> Self {
        Self { state: State::Failed(Box::new(error)) }
    }
}

impl Future for Opening {
    type Output = Result<WebSocket, Error>;

    /// Pending for ever once it has given its result.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let upgraded = match &mut self.state {
            State::Waiting(waiting) => Some(ready!(Pin::new(&mut waiting.on_upgrade).poll(cx))),
            _ => None,
        };
        match (std::mem::replace(&mut self.state, State::Done), upgraded) {
            (State::Waiting(waiting), Some(Ok(upgraded))) => {
                let Waiting { connection, subprotocol, .. } = *waiting;
                Poll::Ready(Ok(opened_elsewhere(TokioIo::new(upgraded), connection, subprotocol)))
            }
            (State::Waiting(mut waiting), Some(Err(error))) => {
                let io = io::Error::other(error);
                let error = waiting.handshake.failed(TransportError::from(&io), now());
                Poll::Ready(Err(failed_elsewhere(error, Some(io))))
            }
            (State::Failed(error), _) => Poll::Ready(Err(*error)),
            _ => Poll::Pending,
        }
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").finish_non_exhaustive()
    }
}
