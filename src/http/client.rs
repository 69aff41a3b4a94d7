//! A client's request from the type of the crate http.

use alloc::string::ToString;

use ::http::header::{self, HeaderName, HeaderValue};
use ::http::{Method, Request};
use thiserror::Error;

use crate::handshake::{ClientRequest, Excerpt, InvalidField, InvalidSubprotocol};
use crate::url::UrlError;

/// Takes the URI, `Host`, the subprotocols and all fields that the handshake does not set itself. Those that it does set (`Upgrade`,
/// `Connection`, `Sec-WebSocket-Key`, `Sec-WebSocket-Version`) may be there, and are set anew; what is offered of extensions is for the
/// configuration to say.
///
/// ```
/// use http::Request;
/// use sansocket::ClientRequest;
///
/// let request = Request::get("wss://example.com/chat").header("Authorization", "Bearer 7").body(())?;
/// let request = ClientRequest::try_from(&request)?;
/// assert_eq!(request.url().host(), "example.com");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<B> TryFrom<&Request<B>> for ClientRequest {
    type Error = InvalidRequest;

    fn try_from(request: &Request<B>) -> Result<Self, InvalidRequest> {
        if request.method() != Method::GET {
            let method = Excerpt::new(request.method().as_str().as_bytes());
            return Err(InvalidRequest::Method { method });
        }
        let mut ours = Self::new(&request.uri().to_string())?;
        let headers = request.headers();
        if let Some(host) = headers.get(header::HOST) {
            ours = ours.host(text(&header::HOST, host)?)?;
        }
        for offered in headers.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
            for offered in text(&header::SEC_WEBSOCKET_PROTOCOL, offered)?.split(',') {
                ours = ours.subprotocol(offered.trim())?;
            }
        }
        for (name, value) in headers {
            if !APART.contains(name) {
                ours = ours.field(name.as_str(), value)?;
            }
        }
        Ok(ours)
    }
}

/// Why a request of the crate http is not one for a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidRequest {
    /// Only GET opens a WebSocket.
    #[error("the method is {method} and not GET")]
    Method {
        /// The method.
        method: Excerpt,
    },
    /// The URI is not that of a WebSocket, or `Host` is none.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// A subprotocol cannot be offered.
    #[error(transparent)]
    Subprotocol(#[from] InvalidSubprotocol),
    /// A field cannot be sent.
    #[error(transparent)]
    Field(#[from] InvalidField),
    /// A value that must be text is not visible ASCII.
    #[error("the value of the field {name} is not visible ASCII")]
    NotText {
        /// The name of the field.
        name: Excerpt,
    },
}

fn text<'a>(name: &HeaderName, value: &'a HeaderValue) -> Result<&'a str, InvalidRequest> {
    value.to_str().map_err(|_| InvalidRequest::NotText { name: Excerpt::new(name.as_str().as_bytes()) })
}

/// Fields that are not taken over as they are.
const APART: [HeaderName; 8] = [
    header::HOST,
    header::CONNECTION,
    header::UPGRADE,
    header::SEC_WEBSOCKET_ACCEPT,
    header::SEC_WEBSOCKET_EXTENSIONS,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_PROTOCOL,
    header::SEC_WEBSOCKET_VERSION,
];
