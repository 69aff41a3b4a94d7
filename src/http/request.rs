//! A request that an HTTP server has read, for the handshake to judge.

use core::fmt::Write;

use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ::http::{Error, Method, Request, Uri, Version, request};
use bytes::{BufMut, BytesMut};

use crate::handshake::{self, HandshakeError, ServerHandshake, ServerStep};
use crate::time::Instant;

/// The head of a request that an HTTP server has read. Made of a [`Request`] or of its [`Parts`](request::Parts).
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    method: &'a Method,
    uri: &'a Uri,
    version: Version,
    headers: &'a HeaderMap,
    protocol: Option<&'a str>,
}

impl<'a> RequestHead<'a> {
    /// With the pseudo-header field `:protocol` of an extended CONNECT ([RFC 8441 section 4]), which the types of the crate http do not
    /// have; the extensions of a request of hyper do.
    ///
    /// [RFC 8441 section 4]: https://www.rfc-editor.org/rfc/rfc8441#section-4
    #[must_use]
    pub fn protocol(mut self, protocol: Option<&'a str>) -> Self {
        self.protocol = protocol;
        self
    }

    /// The protocol for which this is an extended CONNECT.
    fn connects_to(&self) -> Option<HeaderValue> {
        let extended = self.method == Method::CONNECT && self.version >= Version::HTTP_2;
        // What is no field value could end the line.
        self.protocol.filter(|_| extended).and_then(|protocol| HeaderValue::from_str(protocol).ok())
    }

    /// The head as HTTP/1 writes it. Of one that is longer than `limit`, enough to be too long.
    fn encode(&self, limit: usize) -> BytesMut {
        let Self { method, uri, version, headers, .. } = self;
        let mut out = BytesMut::with_capacity(USUAL.min(limit));
        let connects_to = self.connects_to();
        match &connects_to {
            Some(protocol) => {
                let target = uri.path_and_query().map_or("/", |target| target.as_str());
                put(&mut out, &[b"GET ", target.as_bytes(), b" HTTP/1.1\r\n"]);
                // RFC 9113 section 8.3.1: what `Host` says does not count beside the authority.
                let host = uri.authority().map(|authority| authority.as_str().as_bytes());
                if let Some(host) = host.or_else(|| headers.get(header::HOST).map(HeaderValue::as_bytes)) {
                    put_line(&mut out, &header::HOST, host);
                }
                put_line(&mut out, &header::UPGRADE, protocol.as_bytes());
                put_line(&mut out, &header::CONNECTION, b"Upgrade");
                put_line(&mut out, &header::SEC_WEBSOCKET_KEY, NO_KEY);
            }
            None => {
                // Cannot fail: there is room for all that memory has room for.
                let _ = write!(out, "{method} {uri} {version:?}\r\n");
            }
        }
        for (name, value) in *headers {
            if connects_to.is_none() || !OF_HTTP1.contains(name) {
                put_line(&mut out, name, value.as_bytes());
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
        Self { method, uri, version: request.version(), headers, protocol: None }
    }
}

impl<'a> From<&'a request::Parts> for RequestHead<'a> {
    fn from(parts: &'a request::Parts) -> Self {
        let request::Parts { method, uri, version, headers, .. } = parts;
        Self { method, uri, version: *version, headers, protocol: None }
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
    /// The request breaks a rule or a limit; [`HandshakeError::to_http`] has the answer to it. A second request is the end of the first.
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
    /// The same request in the type of the crate http: method, target, version and fields. Where more than one field has a name, their
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

fn put_line(out: &mut BytesMut, name: &HeaderName, value: &[u8]) {
    put(out, &[name.as_str().as_bytes(), b": ", value, b"\r\n"]);
}

fn put(out: &mut BytesMut, parts: &[&[u8]]) {
    for part in parts {
        out.put_slice(part);
    }
}

/// A key for requests that need none.
const NO_KEY: &[u8] = b"AAAAAAAAAAAAAAAAAAAAAA==";

/// Fields that an extended CONNECT does not have, or that its pseudo-header fields have in their place.
const OF_HTTP1: [HeaderName; 4] =
    [header::HOST, header::UPGRADE, header::CONNECTION, header::SEC_WEBSOCKET_KEY];

/// Room for a usual head, so that it is written without moving it.
const USUAL: usize = 1024;
