//! How an application accepts a request, and why that can fail.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;

use thiserror::Error;

use crate::handshake::fields::{ExtraFields, InvalidField};
use crate::handshake::server::PendingRequest;

/// How to accept a request: with which subprotocol, and which fields of the application's own.
///
/// ```
/// use sansocket::Accept;
///
/// let accept = Accept::new().subprotocol("chat").field("Set-Cookie", "session=7; Secure")?;
/// # Ok::<(), sansocket::InvalidField>(())
/// ```
#[derive(Clone, Default)]
pub struct Accept {
    pub(crate) subprotocol: Option<Box<str>>,
    pub(crate) fields: ExtraFields,
    pub(crate) uncompressed: bool,
    attached: Option<Arc<dyn Any + Send + Sync>>,
}

impl Accept {
    /// Without a subprotocol, which is what a client that offers none expects.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The subprotocol to speak. It must be one that the client offers
    /// ([`Request::subprotocols`](crate::Request::subprotocols)), or [`PendingRequest::accept`] refuses it.
    #[must_use]
    pub fn subprotocol(mut self, subprotocol: &str) -> Self {
        self.subprotocol = Some(subprotocol.into());
        self
    }

    /// The subprotocol that was chosen.
    #[must_use]
    pub fn chosen_subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Declines the compression of messages that the client offers, if it does.
    #[must_use]
    pub fn uncompressed(mut self) -> Self {
        self.uncompressed = true;
        self
    }

    /// Attaches what was found out about the client, such as who it is, for the code that serves it: a `Server` of the adapters gives it to
    /// its handler. It is not sent. There is one value: another takes its place.
    ///
    /// ```
    /// use sansocket::Accept;
    ///
    /// struct User(u64);
    ///
    /// let mut accept = Accept::new().attach(User(7));
    /// let attached = accept.take_attached().ok_or("nothing is attached")?;
    /// assert!(attached.downcast_ref::<User>().is_some_and(|user| user.0 == 7));
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn attach(mut self, value: impl Any + Send + Sync) -> Self {
        self.attached = Some(Arc::new(value));
        self
    }

    /// Takes what was [attached](Self::attach), before the request is accepted.
    pub fn take_attached(&mut self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.attached.take()
    }

    /// Adds a field to the reply. `value` may have bytes over 0x7F.
    ///
    /// # Errors
    ///
    /// A name that is not a token or that the handshake sets itself (`Upgrade`, `Connection`, `Content-Length`,
    /// `Transfer-Encoding`, and all that begin with `Sec-WebSocket-`), or a value with control characters.
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, InvalidField> {
        self.fields.push(name, value.as_ref(), &[])?;
        Ok(self)
    }
}

impl fmt::Debug for Accept {
    /// Shows the names of the fields and not their values, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields.names().collect();
        f.debug_struct("Accept")
            .field("subprotocol", &self.subprotocol)
            .field("fields", &names)
            .field("uncompressed", &self.uncompressed)
            .field("attached", &self.attached.is_some())
            .finish()
    }
}

/// A request that was not accepted, given back with the reason. Nothing was sent: accept it otherwise, or reject it.
#[derive(Debug, Error)]
#[error("the request was not accepted: {reason}")]
pub struct AcceptError {
    /// The request, as it was before.
    pub pending: Box<PendingRequest>,
    /// Why it was not accepted.
    #[source]
    pub reason: AcceptRefused,
}

/// Why a request was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AcceptRefused {
    /// The client does not offer this subprotocol; every client would fail the connection (RFC 6455 section 4.1).
    #[error("the client does not offer the subprotocol; compare Request::subprotocols")]
    SubprotocolNotOffered,
}
