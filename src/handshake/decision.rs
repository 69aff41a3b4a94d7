//! What an application answers to a request: accept it or reject it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use thiserror::Error;

use crate::handshake::fields::{ExtraFields, InvalidField, check_value};
use crate::handshake::reply::FinalReply;
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
        f.debug_struct("Accept").field("subprotocol", &self.subprotocol).field("fields", &names).finish()
    }
}

/// How to reject a request: the HTTP reply.
///
/// ```
/// use sansocket::Reject;
///
/// let reject = Reject::new(401)
///     .field("WWW-Authenticate", "Basic realm=\"chat\"")?
///     .body("text/plain; charset=utf-8", "Who are you?\n")?;
/// assert_eq!(reject.status(), 401);
/// # Ok::<(), sansocket::InvalidField>(())
/// ```
#[derive(Clone)]
pub struct Reject {
    status: u16,
    fields: ExtraFields,
    content_type: String,
    body: Bytes,
}

impl Reject {
    /// A reply with this status and no body. 200 to 599 is sent as it is; anything else cannot end a handshake, and 500
    /// is sent in its place.
    #[must_use]
    pub fn new(status: u16) -> Self {
        let status = if matches!(status, 200..=599) { status } else { 500 };
        Self { status, fields: ExtraFields::default(), content_type: String::new(), body: Bytes::new() }
    }

    /// The status that is sent.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Adds a field to the reply. `value` may have bytes over 0x7F.
    ///
    /// # Errors
    ///
    /// As [`Accept::field`]; `Content-Type` is refused as well, as [`body`](Self::body) sets it.
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, InvalidField> {
        self.fields.push(name, value.as_ref(), &["content-type"])?;
        Ok(self)
    }

    /// Sets the content. 204 and 304 have none, and leave it out.
    ///
    /// # Errors
    ///
    /// A `content_type` with control characters.
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Result<Self, InvalidField> {
        check_value(content_type.as_bytes())?;
        self.content_type = content_type.into();
        self.body = body.into();
        Ok(self)
    }

    pub(crate) fn encode(&self) -> Bytes {
        FinalReply {
            status: self.status,
            extra: self.fields.lines(),
            content_type: &self.content_type,
            body: &self.body,
            to_head: false,
        }
        .encode()
    }
}

impl fmt::Debug for Reject {
    /// Shows the names of the fields and not their values, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields.names().collect();
        f.debug_struct("Reject").field("status", &self.status).field("fields", &names).finish_non_exhaustive()
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
