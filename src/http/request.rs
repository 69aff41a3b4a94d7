//! A request that an HTTP server has read, for the handshake to judge.

use core::fmt::Write;

use ::http::header::{HeaderMap, HeaderName, HeaderValue};
use ::http::{Error, Method, Request, Uri, Version, request};
use bytes::BytesMut;

use crate::handshake::{self, HandshakeError, ServerHandshake, ServerStep};
use crate::time::Instant;

/// The head of a request that an HTTP server has read. Made of a [`Request`] or of its [`Parts`](request::Parts).
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    method: &'a Method,
    uri: &'a Uri,
    version: Version,
    headers: &'a HeaderMap,
}

impl RequestHead<'_> {
    /// The head as HTTP/1 writes it. Of one that is longer than `limit`, enough to be too long.
    fn encode(&self, limit: usize) -> BytesMut {
        let Self { method, uri, version, headers } = self;
        let mut out = BytesMut::with_capacity(USUAL.min(limit));
        // Cannot fail: there is room for all that memory has room for.
        let _ = write!(out, "{method} {uri} {version:?}\r\n");
        for (name, value) in *headers {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                out.extend_from_slice(part);
            }
            if out.len() > limit {
                break;
            }
        }
        out.extend_from_slice(b"\r\n");
        out
    }
}

impl<'a, B> From<&'a Request<B>> for RequestHead<'a> {
    fn from(request: &'a Request<B>) -> Self {
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        Self { method, uri, version: request.version(), headers }
    }
}

impl<'a> From<&'a request::Parts> for RequestHead<'a> {
    fn from(parts: &'a request::Parts) -> Self {
        let request::Parts { method, uri, version, headers, .. } = parts;
        Self { method, uri, version: *version, headers }
    }
}

impl ServerHandshake {
    /// Takes the request from an HTTP server that has read it, in place of [`receive`](Self::receive). It is whole, so this decides:
    /// what comes back is never [`ServerStep::NeedMore`].
    ///
    /// The limits on a head count its bytes as HTTP/1 writes it, with one space in front of each value.
    ///
    /// # Errors
    ///
    /// The request breaks a rule or a limit; [`HandshakeError::to_http`] has the answer to it. A request of HTTP/2 or later breaks the
    /// first rule, that of the version. A second request is the end of the first.
    pub fn receive_http<'a>(
        &mut self,
        request: impl Into<RequestHead<'a>>,
        now: Instant,
    ) -> Result<ServerStep, HandshakeError> {
        let mut head = request.into().encode(self.collector.allowance());
        match self.receive(&mut head, now)? {
            // How another protocol begins, which is all the same a method to an HTTP server.
            ServerStep::NeedMore => Err(self.eof(now)),
            step => Ok(step),
        }
    }
}

impl handshake::Request {
    /// The same request in the type of the crate http: target and fields, GET and HTTP/1.1. Where more than one field has a name, their
    /// order stays.
    ///
    /// # Errors
    ///
    /// That type cannot have what a WebSocket's request may: a target of more than 65,534 bytes, or more than 32,768 fields.
    pub fn to_http(&self) -> Result<Request<()>, Error> {
        let mut request = Request::new(());
        *request.uri_mut() = self.target().parse::<Uri>()?;
        for (name, value) in self.fields() {
            let name = HeaderName::from_bytes(name.as_bytes())?;
            request.headers_mut().try_append(name, HeaderValue::from_bytes(value)?)?;
        }
        Ok(request)
    }
}

/// Room for a usual head, so that it is written without moving it.
const USUAL: usize = 1024;
