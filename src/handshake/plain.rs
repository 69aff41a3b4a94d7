//! Plain HTTP on the port of a WebSocket server: a request that asks for no WebSocket, and its answer.

use alloc::boxed::Box;
use core::fmt;
use core::time::Duration;

use bytes::Bytes;

use crate::handshake::excerpt::Excerpt;
use crate::handshake::farewell::Farewell;
use crate::handshake::fields::{Head, InvalidField, Span, starts_with_ignore_case};
use crate::handshake::head::ParsedHead;
use crate::handshake::kind::HandshakeErrorKind as Kind;
use crate::handshake::parse::StartLine;
use crate::handshake::peer::Peer;
use crate::handshake::refused::Refused;
use crate::handshake::reject::Reject;
use crate::handshake::target::{ResourceName, check_host, check_target, path_of};
use crate::time::Instant;

/// A plain HTTP request that came where handshakes are expected, such as a load balancer's `GET /healthz`. Given only if
/// [`ServerConfig::plain_http`](crate::ServerConfig::plain_http) asks for it.
///
/// Its head follows the rules of HTTP; any method and HTTP/1.0 are allowed. It may have content, which is never read:
/// this is for questions that fit into a path, and no web server.
///
/// ```
/// use core::time::Duration;
/// use bytes::BytesMut;
/// use sansocket::{Answer, Instant, Reject, ServerConfig, ServerHandshake, ServerStep};
///
/// let mut config = ServerConfig::default();
/// config.plain_http = true;
/// let mut handshake = ServerHandshake::new(&config, Instant::ZERO);
/// let mut input = BytesMut::from("GET /healthz HTTP/1.1\r\nHost: example.com\r\n\r\n");
/// let ServerStep::Http(request) = handshake.receive(&mut input, Instant::ZERO)? else { panic!("plain HTTP") };
/// let mut farewell = match (request.method(), request.path()) {
///     ("GET" | "HEAD", "/healthz") => {
///         let answer = Answer::new(200).body("text/plain", "ok\n")?;
///         request.answer(answer, config.timeouts.close, Instant::ZERO)
///     }
///     _ => request.answer(Reject::not_found(), config.timeouts.close, Instant::ZERO),
/// };
/// assert!(farewell.transmit().starts_with(b"HTTP/1.1 200 OK\r\nConnection: close\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PlainRequest {
    // Boxed so that what a read came to fits into registers; see `PendingRequest`.
    inner: Box<Inner>,
}

struct Inner {
    head: Head,
    method: Span,
    resource_name: ResourceName,
}

impl PlainRequest {
    /// The method, such as `GET`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.inner.method.get_str(self.inner.head.bytes())
    }

    /// Path and query as they were sent, beginning with `/`, as [`Request::target`](crate::Request::target).
    #[must_use]
    pub fn target(&self) -> &str {
        self.inner.resource_name.get(&self.inner.head)
    }

    /// The part of [`target`](Self::target) before the query.
    #[must_use]
    pub fn path(&self) -> &str {
        path_of(self.target())
    }

    /// The value of the first field called `name` in upper or lower case, without the whitespace around it. Any bytes
    /// but control characters.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.inner.head.value(name)
    }

    /// All fields in the order in which they were sent, names as they were spelled.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        self.inner.head.fields()
    }

    /// Answers the request. What comes back writes the answer and makes sure that it arrives within `limit`, as after a
    /// refusal; then the stream is to be closed. An answer to HEAD goes without its body.
    #[must_use]
    pub fn answer(self, answer: impl Into<Answer>, limit: Duration, now: Instant) -> Farewell {
        let Answer(reply) = answer.into();
        Farewell::new(Some(reply.encode(self.method() == "HEAD")), limit, now)
    }

    /// What the client appears to be: an HTTP client with this method and target.
    #[must_use]
    pub fn peer(&self) -> Peer {
        Peer::of_request(self.method().as_bytes(), self.target().as_bytes(), &self.inner.head)
    }

    /// Whether nothing in a request asks for a WebSocket.
    pub(crate) fn is_plain(head: &Head) -> bool {
        let mut upgrade = head.elements("Upgrade");
        !upgrade.any(|token| token.eq_ignore_ascii_case(b"websocket"))
            && !head.fields().any(|(name, _)| starts_with_ignore_case(name, "sec-websocket-"))
    }

    pub(crate) fn check(parsed: ParsedHead) -> Result<Self, Box<Refused>> {
        match check(&parsed) {
            Ok((method, resource_name)) => {
                Ok(Self { inner: Box::new(Inner { head: parsed.head, method, resource_name }) })
            }
            Err(kind) => Err(Refused::new(kind, parsed).into()),
        }
    }
}

impl fmt::Debug for PlainRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlainRequest")
            .field("method", &self.method())
            .field("target", &Excerpt::of_resource(usize::MAX, self.target().as_bytes()))
            .finish_non_exhaustive()
    }
}

fn check(parsed: &ParsedHead) -> Result<(Span, ResourceName), Kind> {
    let ParsedHead { head, minor_version, start_line } = parsed;
    let StartLine::Request { method, target } = start_line else { return Err(Kind::NotHttp) };
    let (_, resource_name) = check_target(head, *target)?;
    let mut hosts = head.values("Host");
    match (hosts.next(), hosts.next()) {
        // RFC 9112 section 3.2: HTTP/1.0 had no such field.
        (None, _) if *minor_version == 0 => {}
        (None, _) => return Err(Kind::MissingHost),
        (Some(host), None) => check_host(host)?,
        (Some(_), Some(_)) => return Err(Kind::DuplicateField { name: "Host" }),
    }
    Ok((*method, resource_name))
}

/// The answer to a [`PlainRequest`]. Every [`Reject`] is one too.
#[derive(Debug, Clone)]
pub struct Answer(Reject);

impl Answer {
    /// An answer with this status and no body. 200 to 599 is sent as it is; 500 in place of anything else.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self(Reject::new(status))
    }

    /// Adds a field, such as `Cache-Control`.
    ///
    /// # Errors
    ///
    /// As [`Reject::field`].
    pub fn field(self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, InvalidField> {
        self.0.field(name, value).map(Self)
    }

    /// Sets the content. 204 and 304 have none, and leave it out.
    ///
    /// # Errors
    ///
    /// A `content_type` with control characters.
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Result<Self, InvalidField> {
        self.0.body(content_type, body).map(Self)
    }
}

impl From<Reject> for Answer {
    fn from(reject: Reject) -> Self {
        Self(reject)
    }
}
