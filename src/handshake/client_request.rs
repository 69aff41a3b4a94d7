//! The request that a client sends (RFC 6455 section 4.1).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use crate::extension::DeflateConfig;
use crate::handshake::extensions::EXTENSIONS;
use crate::handshake::fields::{
    ExtraFields, InvalidField, InvalidSubprotocol, elements, is_token, push_line,
};
use crate::url::{Url, UrlError};

/// What a client asks for: where, with which subprotocols, and with which fields of its own.
///
/// It can be used for any number of attempts; each has a key of its own.
///
/// ```
/// use sansocket::ClientRequest;
///
/// let request = ClientRequest::new("wss://example.com/chat")?
///     .subprotocol("chat.v2")?
///     .subprotocol("chat.v1")?
///     .field("Authorization", "Bearer 7")?;
/// assert!(request.url().is_secure());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ClientRequest {
    url: Url,
    /// The value of `Host`, where it is not that of the URL.
    host: Option<Box<str>>,
    /// As a field value: `a, b`.
    subprotocols: String,
    fields: ExtraFields,
}

impl ClientRequest {
    /// A request for the resource at `url`, such as `ws://host:port/path?query`.
    ///
    /// # Errors
    ///
    /// `url` is not a WebSocket URI.
    pub fn new(url: &str) -> Result<Self, UrlError> {
        Ok(Self::to(url.parse()?))
    }

    /// A request for the resource at `url`.
    #[must_use]
    pub fn to(url: Url) -> Self {
        Self { url, host: None, subprotocols: String::new(), fields: ExtraFields::default() }
    }

    /// The URL that was given. If it [is secure](Url::is_secure), the handshake must go through TLS.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Names another host in the field `Host` than the URL does, with a port unless it is the scheme's: to ask one certain server of many
    /// that serve the name, whose address is in the URL then. TLS goes by the URL all the same.
    ///
    /// A redirect to another origin takes this along as little as a secret.
    ///
    /// ```
    /// use sansocket::ClientRequest;
    ///
    /// let request = ClientRequest::new("ws://127.0.0.1:8080/chat")?.host("chat.example")?;
    /// assert_eq!(request.url().host(), "127.0.0.1");
    /// # Ok::<(), sansocket::UrlError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// It is not a host with an optional port. Offsets count from its start.
    pub fn host(mut self, host: &str) -> Result<Self, UrlError> {
        if let Some((at, character)) = host.char_indices().find(|(_, character)| "/?#@".contains(*character))
        {
            return Err(UrlError::HostCharacter { at, character });
        }
        let scheme = self.url.scheme();
        let url = alloc::format!("{scheme}://{host}").parse::<Url>();
        self.host =
            Some(url.map_err(|error| error.moved_back(scheme.len() + "://".len()))?.host_field().into());
        Ok(self)
    }

    /// Offers a subprotocol; the preferred one comes first.
    ///
    /// # Errors
    ///
    /// It is not a token, or was offered before.
    pub fn subprotocol(mut self, subprotocol: &str) -> Result<Self, InvalidSubprotocol> {
        if !is_token(subprotocol.as_bytes()) {
            return Err(InvalidSubprotocol::NotToken);
        }
        if elements(self.subprotocols.as_bytes()).any(|offered| offered == subprotocol.as_bytes()) {
            return Err(InvalidSubprotocol::Twice);
        }
        if !self.subprotocols.is_empty() {
            self.subprotocols.push_str(", ");
        }
        self.subprotocols.push_str(subprotocol);
        Ok(self)
    }

    /// Adds a field, such as `Origin` or `Authorization`. `value` may have bytes over 0x7F.
    ///
    /// # Errors
    ///
    /// A name that is not a token or that the handshake sets itself (`Host`, `Upgrade`, `Connection`, `Content-Length`,
    /// `Transfer-Encoding`, and all that begin with `Sec-WebSocket-`), or a value with control characters.
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, InvalidField> {
        self.fields.push(name, value.as_ref(), &["host"])?;
        Ok(self)
    }

    /// The same request for the URL that a redirect leads to. Credentials are for the origin that they were given for.
    pub(crate) fn redirected_to(&self, mut url: Url) -> Self {
        let mut redirected = self.clone();
        if !url.is_same_origin(&self.url) {
            redirected.fields.remove(&SECRET);
            redirected.host = None;
        } else if !url.has_credentials() {
            url.set_credentials(self.url.credentials().cloned());
        }
        redirected.url = url;
        redirected
    }

    /// The subprotocols as a field value.
    pub(crate) fn offered(&self) -> &str {
        &self.subprotocols
    }

    //= https://www.rfc-editor.org/rfc/rfc6455#section-4.1
    //# The request MUST contain an |Upgrade| header field whose value
    //# MUST include the "websocket" keyword.
    //# The request MUST contain a |Connection| header field whose value
    //# MUST include the "Upgrade" token.
    //# The request MUST include a header field with the name
    //# |Sec-WebSocket-Version|.  The value of this header field MUST be
    //# 13.
    pub(crate) fn encode(&self, key: &[u8], deflate: Option<&DeflateConfig>) -> Bytes {
        let mut out = Vec::with_capacity(REQUEST_CAPACITY + self.fields.lines().len());
        for part in ["GET ", self.url.resource_name(), " HTTP/1.1\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
        match &self.host {
            Some(host) => push_line(&mut out, "Host", host.as_bytes()),
            None => push_line(&mut out, "Host", self.url.host_field().as_bytes()),
        }
        push_line(&mut out, "Upgrade", b"websocket");
        push_line(&mut out, "Connection", b"Upgrade");
        push_line(&mut out, "Sec-WebSocket-Key", key);
        push_line(&mut out, "Sec-WebSocket-Version", b"13");
        if !self.subprotocols.is_empty() {
            push_line(&mut out, "Sec-WebSocket-Protocol", self.subprotocols.as_bytes());
        }
        if let Some(deflate) = deflate {
            push_line(&mut out, EXTENSIONS, deflate.offer().as_bytes());
        }
        if let Some(credentials) = self.url.credentials().filter(|_| !self.fields.has("authorization")) {
            push_line(&mut out, "Authorization", credentials.to_basic().as_bytes());
        }
        out.extend_from_slice(self.fields.lines());
        out.extend_from_slice(b"\r\n");
        out.into()
    }
}

impl fmt::Debug for ClientRequest {
    /// Shows the names of the fields and not their values, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields.names().collect();
        f.debug_struct("ClientRequest")
            .field("url", &self.url)
            .field("host", &self.host)
            .field("subprotocols", &self.subprotocols)
            .field("fields", &names)
            .finish()
    }
}

/// Fields that are for one origin only.
const SECRET: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Room for a request without long names, so that it is built without moving it.
const REQUEST_CAPACITY: usize = 512;
