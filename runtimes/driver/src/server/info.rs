//! What a handler gets besides its connection, and what it gives back.

use std::any::Any;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use sansocket::Request;

/// Whom a connection is with, and what for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// The client's address; behind a proxy, the proxy's.
    pub peer_address: SocketAddr,
    /// The address of the server that the listener has.
    pub local_address: SocketAddr,
    /// Whether the connection is inside of TLS.
    pub is_secure: bool,
    /// The client's request. Its memory is the handler's: drop what is not needed.
    pub request: Request,
    pub(super) attached: Option<Arc<dyn Any + Send + Sync>>,
}

impl ConnectionInfo {
    /// What [`decide`](crate::ServerBuilder::decide) or [`decide_async`](crate::ServerBuilder::decide_async) attached when it accepted this client
    /// ([`Accept::attach`](sansocket::Accept::attach)), if that was a `T`.
    #[must_use]
    pub fn attached<T: Any>(&self) -> Option<&T> {
        self.attached.as_deref()?.downcast_ref()
    }
}

/// What a handler may return: nothing, or a result whose error is logged (at level `debug`, as most are the end of a connection, which has
/// its own line).
pub trait HandlerOutput {
    /// What went wrong.
    fn error(self) -> Option<String>;
}

impl HandlerOutput for () {
    fn error(self) -> Option<String> {
        None
    }
}

impl<E: fmt::Display> HandlerOutput for Result<(), E> {
    fn error(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}
