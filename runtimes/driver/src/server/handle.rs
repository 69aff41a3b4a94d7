//! What the application sees of a server that runs.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use sansocket::{AdmissionCounts, DrainReport};

use super::state::State;

/// A server that runs. Clones are of the same server, and to drop them changes nothing.
#[derive(Clone)]
pub struct ServerHandle {
    pub(super) state: Arc<State>,
}

/// What a server does, and has done. What it knows of its clients is in [`AdmissionCounts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ServerCounts {
    /// Clients that are here, that came and that were refused.
    pub clients: AdmissionCounts,
    /// Handlers and hooks that panicked.
    pub panicked: u64,
    /// How often a TCP connection could not be accepted, mostly because there were no file descriptors left.
    pub accept_errors: u64,
    /// Clients that got 503 because [`decide_async`](crate::ServerBuilder::decide_async) took too long.
    pub decided_too_late: u64,
    /// Bytes of [`max_memory`](crate::ServerBuilder::max_memory) that are taken; 0 where it is `None`.
    pub memory: usize,
    /// Connections that were closed with 1013 because [`max_memory`](crate::ServerBuilder::max_memory) left no room for what came to them or had to be sent.
    pub out_of_memory: u64,
}

impl Deref for ServerCounts {
    type Target = AdmissionCounts;

    fn deref(&self) -> &AdmissionCounts {
        &self.clients
    }
}

impl ServerHandle {
    /// The addresses that are listened on, in the order in which they were named. They stay when the server has ended.
    #[must_use]
    pub fn local_addresses(&self) -> &[SocketAddr] {
        &self.state.addresses
    }

    /// What the server does now, and has done so far.
    #[must_use]
    pub fn counts(&self) -> ServerCounts {
        let State { panicked, accept_errors, decided_too_late, budget, .. } = &*self.state;
        ServerCounts {
            clients: self.state.admission().counts(),
            panicked: panicked.load(Ordering::Relaxed),
            accept_errors: accept_errors.load(Ordering::Relaxed),
            decided_too_late: decided_too_late.load(Ordering::Relaxed),
            memory: budget.as_ref().map_or(0, |budget| budget.used()),
            out_of_memory: budget.as_ref().map_or(0, |budget| budget.exceeded()),
        }
    }

    /// Whether the server is ending, or has ended.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.state.admission().is_draining()
    }

    /// Ends the server, in at most `limit`: newcomers get 503 with `Retry-After`, each connection a Close frame with the code 1001.
    ///
    /// It begins with this call, from any task or thread; the future only waits for the end, and can be dropped. It is ready when all connections have ended and their
    /// handlers have returned, or when the time is over; then nothing is listened on any more, and what is left is cut off: its handler is dropped, and TCP closed.
    /// That happens in the tasks of the connections, and so a little later, or when a handler that blocks its thread lets go of it.
    ///
    /// Called again, the end can come sooner, and all calls tell the same.
    pub fn drain(&self, limit: Duration) -> ServerEnd {
        self.state.drain(limit);
        self.finished()
    }

    /// As [`drain`](Self::drain), within [`drain_limit`](crate::ServerBuilder::drain_limit).
    pub fn shutdown(&self) -> ServerEnd {
        self.drain(self.state.drain_limit)
    }

    /// Waits until the server has ended, and does nothing for it.
    pub fn finished(&self) -> ServerEnd {
        ServerEnd { state: Arc::clone(&self.state) }
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle").field("addresses", &self.state.addresses).finish_non_exhaustive()
    }
}

/// The wait for a server's end; dropped, it changes nothing about that.
pub struct ServerEnd {
    state: Arc<State>,
}

impl Future for ServerEnd {
    type Output = DrainReport;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<DrainReport> {
        self.state.waiters.register(cx);
        match self.state.ended() {
            Some(report) => Poll::Ready(report),
            None => Poll::Pending,
        }
    }
}

impl fmt::Debug for ServerEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerEnd").field("report", &self.state.ended()).finish_non_exhaustive()
    }
}
