//! Replies of the handshake for an HTTP server to write.

use alloc::format;

use ::http::header::{self, HeaderName, HeaderValue};
use ::http::{Response, StatusCode, Version};
use bytes::Bytes;

use crate::connection::Connection;
use crate::handshake::{Accept, AcceptError, FinalReply, HandshakeError, PendingRequest, Reject, TEXT};
use crate::time::Instant;

impl PendingRequest {
    /// Opens the connection, as [`accept`](Self::accept) does, with the reply for an HTTP server to write. What the connection writes
    /// comes behind it.
    ///
    /// # Errors
    ///
    /// A subprotocol that the client does not offer; the request comes back in the error.
    pub fn accept_http(
        self,
        accept: Accept,
        now: Instant,
    ) -> Result<(Response<()>, Connection), AcceptError> {
        let (reply, connection) = self.accept_apart(accept, now)?;
        Ok((response(&reply, Version::HTTP_11).map(drop), connection))
    }
}

impl HandshakeError {
    /// A server: the reply, for an HTTP server to write. The same as [`reply`](Self::reply), and 400 where that has none because the
    /// bytes looked like another protocol: here it is known that the client speaks HTTP.
    ///
    /// `version` is that of the request. From HTTP/2 on the fields are left out that are about a connection of HTTP/1, which that must
    /// not have ([RFC 9113 section 8.2.2]).
    ///
    /// As on a socket, the reply says that TCP is to be closed. To keep a connection that serves other requests as well, remove
    /// `Connection`.
    ///
    /// [RFC 9113 section 8.2.2]: https://www.rfc-editor.org/rfc/rfc9113#section-8.2.2
    #[must_use]
    pub fn to_http(&self, version: Version) -> Response<Bytes> {
        match self.reply() {
            Some(reply) => response(reply, version),
            None => {
                let body = format!("{self}.\n{}\n", self.advice());
                let (status, body) = (400, body.as_bytes());
                let reply = FinalReply { status, extra: b"", content_type: TEXT, body, to_head: false };
                response(&reply.encode(), version)
            }
        }
    }
}

impl Reject {
    /// The reply, for an HTTP server to write; see [`HandshakeError::to_http`].
    #[must_use]
    pub fn to_http(&self, version: Version) -> Response<Bytes> {
        response(&self.encode(false), version)
    }
}

/// Takes a reply apart that was written here.
fn response(reply: &Bytes, version: Version) -> Response<Bytes> {
    let end = memchr::memmem::find(reply, b"\r\n\r\n").unwrap_or(reply.len());
    let mut response = Response::new(reply.slice((end + b"\r\n\r\n".len()).min(reply.len())..));
    let mut lines = reply.get(..end).unwrap_or_default().split(|&byte| byte == b'\n');
    let status = lines.next().and_then(|line| line.get(b"HTTP/1.1 ".len()..)?.get(..3));
    if let Some(status) = status.and_then(|status| StatusCode::from_bytes(status).ok()) {
        *response.status_mut() = status;
    }
    for line in lines {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = line.split_at(colon);
        let value = HeaderValue::from_bytes(value.get(b": ".len()..).unwrap_or_default());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), value) {
            // Full at 32,768 fields, which are of the application's own.
            let _ = response.headers_mut().try_append(name, value);
        }
    }
    if version >= Version::HTTP_2 {
        for name in [header::CONNECTION, header::UPGRADE] {
            response.headers_mut().remove(name);
        }
    }
    response
}
