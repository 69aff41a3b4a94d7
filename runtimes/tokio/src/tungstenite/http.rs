//! Requests and responses between the types of the crate http, which tungstenite's callbacks and clients use, and the core's.

use ::tungstenite::error::{ProtocolError, SubProtocolError, UrlError};
use ::tungstenite::handshake::derive_accept_key;
use ::tungstenite::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ::tungstenite::http::{self, Method, StatusCode, Version};
use sansocket::{Accept, ClientRequest, Reject, Request, Response};

use crate::Error;
use crate::tungstenite::WsError;
use crate::tungstenite::error::{Explained, subprotocol};

pub(super) use ::tungstenite::handshake::client::{Request as ClientHttp, Response as ClientResponse};
pub(super) use ::tungstenite::handshake::server::{
    ErrorResponse, Request as ServerRequest, Response as ServerResponse,
};

/// A client's request, as a callback sees it.
pub(super) fn server_request(request: &Request) -> Result<ServerRequest, WsError> {
    let mut seen = ServerRequest::new(());
    *seen.method_mut() = Method::GET;
    *seen.uri_mut() = request.target().parse()?;
    *seen.version_mut() = Version::HTTP_11;
    *seen.headers_mut() = headers(request.fields())?;
    Ok(seen)
}

/// The answer that a callback may change.
pub(super) fn offered_response(request: &Request) -> Result<ServerResponse, WsError> {
    Ok(ServerResponse::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, derive_accept_key(request.key().as_bytes()))
        .body(())?)
}

/// What a callback returned, for the core.
pub(super) fn accept(response: &ServerResponse) -> Result<Accept, WsError> {
    let mut accept = Accept::new();
    for (name, value) in response.headers() {
        if name == header::SEC_WEBSOCKET_PROTOCOL {
            accept = accept.subprotocol(value.to_str()?);
        } else if !OWN.contains(name) {
            let field = accept.field(name.as_str(), value);
            accept = field.map_err(|_| invalid_header(name))?;
        }
    }
    Ok(accept)
}

/// The refusal of a callback, for the core. A field that a reply cannot have, such as a length of its own, is left out.
pub(super) fn reject(response: &ErrorResponse) -> Reject {
    let mut reject = Reject::new(response.status().as_u16());
    if let Some(body) = response.body() {
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let with_body = reject.clone().body(kind.unwrap_or("text/plain; charset=utf-8"), body.clone());
        reject = with_body.unwrap_or(reject);
    }
    for (name, value) in response.headers() {
        reject = reject.clone().field(name.as_str(), value).unwrap_or(reject);
    }
    reject
}

/// A program's request, for the core. The key is always one of the core's own.
pub(super) fn client_request(request: &ClientHttp) -> Result<ClientRequest, Explained> {
    if request.method() != Method::GET {
        return Err(WsError::Protocol(ProtocolError::WrongHttpMethod).into());
    }
    let uri = request.uri();
    if !matches!(uri.scheme_str(), Some("ws" | "wss")) {
        return Err(WsError::Url(UrlError::UnsupportedUrlScheme).into());
    }
    let mut ours = ClientRequest::new(&uri.to_string()).map_err(Error::Url)?;
    let headers = request.headers();
    if let Some(host) = headers.get(header::HOST) {
        let host = host.to_str().map_err(WsError::from)?;
        ours = ours.host(host).map_err(Error::Url)?;
    }
    for protocols in headers.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
        for protocol in protocols.to_str().map_err(WsError::from)?.split(',') {
            let offered = ours.subprotocol(protocol.trim());
            ours = offered.map_err(|_| subprotocol(SubProtocolError::InvalidSubProtocol))?;
        }
    }
    for (name, value) in headers {
        if !OWN.contains(name) && name != header::HOST && name != header::SEC_WEBSOCKET_PROTOCOL {
            let field = ours.field(spelled(name), value);
            ours = field.map_err(|_| invalid_header(name))?;
        }
    }
    Ok(ours)
}

/// A server's answer.
pub(super) fn client_response(response: &Response, body: Option<Vec<u8>>) -> Result<ClientResponse, WsError> {
    let mut seen = ClientResponse::new(body);
    *seen.status_mut() = StatusCode::from_u16(response.status())?;
    *seen.version_mut() = Version::HTTP_11;
    *seen.headers_mut() = headers(response.fields())?;
    Ok(seen)
}

fn headers<'a>(fields: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<HeaderMap, WsError> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        headers.append(name, HeaderValue::from_bytes(value)?);
    }
    Ok(headers)
}

fn invalid_header(name: &HeaderName) -> WsError {
    WsError::Protocol(ProtocolError::InvalidHeader(Box::new(name.clone())))
}

/// As programs that compare names in upper and lower case expect them; the type has them in lower case only.
fn spelled(name: &HeaderName) -> &str {
    if name == header::ORIGIN { "Origin" } else { name.as_str() }
}

/// Fields of the handshake that the core sets by itself. An extension that a program offers or accepts by hand is left out: nothing here would
/// decode its frames.
const OWN: [HeaderName; 6] = [
    header::CONNECTION,
    header::UPGRADE,
    header::SEC_WEBSOCKET_ACCEPT,
    header::SEC_WEBSOCKET_EXTENSIONS,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
];

/// The refusal that a callback means that changes the status of an answer that it accepts.
#[expect(clippy::result_large_err, reason = "as tungstenite's callbacks have it")]
pub(super) fn not_switching(response: ServerResponse) -> Result<ServerResponse, ErrorResponse> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(response);
    }
    Err(http::Response::map(response, |()| None))
}
