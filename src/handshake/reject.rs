//! How an application rejects a request: an HTTP reply of its own, or a ready-made one.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use core::{fmt, str};

use bytes::Bytes;

use crate::handshake::fields::{ExtraFields, InvalidField, check_value, starts_with_ignore_case};
use crate::handshake::reply::{FinalReply, TEXT};

/// How to reject a request: the HTTP reply.
///
/// ```
/// use core::time::Duration;
/// use sansocket::{Accept, InvalidField, Reject, Request};
///
/// fn decide(request: &Request, full: bool) -> Result<Accept, Reject> {
///     match request.path() {
///         _ if full => Err(Reject::too_busy(Duration::from_secs(30))),
///         "/chat" if request.field("Authorization").is_none() => {
///             Err(Reject::unauthorized("Basic realm=\"chat\"").expect("a challenge without control characters"))
///         }
///         "/chat" | "/news" => Ok(Accept::new()),
///         _ => Err(Reject::not_found()),
///     }
/// }
///
/// let teapot = Reject::new(418).field("X-Kind", "pot")?.body("text/plain; charset=utf-8", "short and stout\n")?;
/// assert_eq!(teapot.status(), 418);
/// # Ok::<(), InvalidField>(())
/// ```
#[derive(Clone)]
pub struct Reject {
    status: u16,
    fields: ExtraFields,
    content_type: String,
    body: Bytes,
    because: Option<Box<str>>,
}

impl Reject {
    /// A reply with this status and no body. 200 to 599 is sent as it is; anything else cannot end a handshake, and 500
    /// is sent in its place.
    #[must_use]
    pub fn new(status: u16) -> Self {
        let status = if matches!(status, 200..=599) { status } else { 500 };
        Self {
            status,
            fields: ExtraFields::default(),
            content_type: String::new(),
            body: Bytes::new(),
            because: None,
        }
    }

    /// 404: nothing is served at this path.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(404).text("There is no WebSocket at this path.\n")
    }

    /// 401: the client must say who it is. `challenge` says how, and is the value of `WWW-Authenticate`, which such a reply
    /// must have ([RFC 9110 section 15.5.2]), for example `Bearer` or `Basic realm="chat"`.
    ///
    /// Browsers send an `Authorization` field with a WebSocket only for the `Basic` scheme, if at all.
    ///
    /// # Errors
    ///
    /// A `challenge` with control characters.
    ///
    /// [RFC 9110 section 15.5.2]: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2
    pub fn unauthorized(challenge: &str) -> Result<Self, InvalidField> {
        let reject = Self::new(401).field("WWW-Authenticate", challenge)?;
        Ok(reject.text("Credentials are required.\n"))
    }

    /// 403: whoever the client is, it may not. `reason` is a sentence for people, and becomes the body.
    #[must_use]
    pub fn forbidden(reason: &str) -> Self {
        let mut body = String::from(reason);
        body.push('\n');
        Self::new(403).text(body)
    }

    /// 503: not now, but after `retry_after`, which is rounded up to seconds (`Retry-After`,
    /// [RFC 9110 section 10.2.3]).
    ///
    /// [RFC 9110 section 10.2.3]: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
    #[must_use]
    pub fn too_busy(retry_after: Duration) -> Self {
        Self::unavailable("The server is too busy. Try again later.\n", retry_after)
    }

    /// As [`too_busy`](Self::too_busy), with another sentence.
    pub(crate) fn unavailable(why: &'static str, retry_after: Duration) -> Self {
        let seconds = retry_after.as_secs().saturating_add(u64::from(retry_after.subsec_nanos() > 0));
        let mut reject = Self::new(503).text(why);
        reject.fields.push_number("Retry-After", seconds);
        reject
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
    /// As [`Accept::field`](crate::Accept::field); `Content-Type` is refused as well, as [`body`](Self::body) sets it.
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
        check_value("Content-Type", content_type.as_bytes())?;
        self.content_type = content_type.into();
        self.body = body.into();
        Ok(self)
    }

    /// Says why, for this server's own log, where it is found in the line and as the field `reason`. The client is not told. No
    /// secrets, such as the token that was not accepted.
    ///
    /// ```
    /// use sansocket::Reject;
    ///
    /// let reject = Reject::forbidden("This room is closed.").because("room 7 was archived");
    /// assert_eq!(reject.reason(), Some("room 7 was archived"));
    /// assert_eq!(Reject::forbidden("This room is closed.").reason(), Some("This room is closed."));
    /// ```
    #[must_use]
    pub fn because(mut self, reason: impl Into<Box<str>>) -> Self {
        self.because = Some(reason.into());
        self
    }

    /// Why, as the log says it: what [`because`](Self::because) was given or else, if the body is plain text, its first line.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        let of_body = || {
            let is_text = starts_with_ignore_case(&self.content_type, "text/plain");
            let body = str::from_utf8(&self.body).ok().filter(|_| is_text)?;
            body.lines().map(str::trim).find(|line| !line.is_empty())
        };
        self.because.as_deref().or_else(of_body)
    }

    /// The start of the [`reason`](Self::reason): enough for a sentence or two.
    pub(crate) fn kept_reason(&self) -> Option<Box<str>> {
        let reason = self.reason()?;
        let end = reason.char_indices().nth(MAX_REASON).map_or(reason.len(), |(at, _)| at);
        Some(reason.get(..end).unwrap_or(reason).into())
    }

    fn text(mut self, body: impl Into<Bytes>) -> Self {
        self.content_type = TEXT.into();
        self.body = body.into();
        self
    }

    /// The reply, without its body if it answers HEAD.
    pub(crate) fn encode(&self, to_head: bool) -> Bytes {
        FinalReply {
            status: self.status,
            extra: self.fields.lines(),
            content_type: &self.content_type,
            body: &self.body,
            to_head,
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

/// Characters that are kept of why the application rejected a request.
const MAX_REASON: usize = 200;
