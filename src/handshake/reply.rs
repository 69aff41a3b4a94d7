//! Writes the server's replies: 101 (RFC 6455 section 4.2.2), and those that end a handshake.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use crate::handshake::advice::advice;
use crate::handshake::fields::{ExtraFields, push_line};
use crate::handshake::key::ACCEPT_LEN;
use crate::handshake::kind::HandshakeErrorKind as Kind;
use crate::handshake::peer::Peer;
use crate::handshake::status::reply_status;
use crate::handshake::text::Sentence;
use crate::role::Role;

/// The reply that opens the connection.
//= https://www.rfc-editor.org/rfc/rfc6455#section-4.2.2
//# 1.  A Status-Line with a 101 response code as per RFC 2616
//# [RFC2616].  Such a response could look like "HTTP/1.1 101
//# Switching Protocols".
//# 2.  An |Upgrade| header field with value "websocket" as per RFC
//# 2616 [RFC2616].
//# 3.  A |Connection| header field with value "Upgrade".
//# 4.  A |Sec-WebSocket-Accept| header field.
pub(crate) fn switching_protocols(
    accept: &[u8; ACCEPT_LEN],
    subprotocol: Option<&str>,
    extensions: Option<&str>,
    extra: &ExtraFields,
) -> BytesMut {
    let parts: [&[u8]; 9] = [
        SWITCHING_PROTOCOLS,
        accept,
        subprotocol.map_or(&b""[..], |_| b"\r\nSec-WebSocket-Protocol: "),
        subprotocol.unwrap_or_default().as_bytes(),
        extensions.map_or(&b""[..], |_| b"\r\nSec-WebSocket-Extensions: "),
        extensions.unwrap_or_default().as_bytes(),
        b"\r\n",
        extra.lines(),
        b"\r\n",
    ];
    let mut out = BytesMut::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// A reply after which the server closes TCP.
pub(crate) struct FinalReply<'a> {
    pub(crate) status: u16,
    /// Field lines, each with its line end.
    pub(crate) extra: &'a [u8],
    pub(crate) content_type: &'a str,
    pub(crate) body: &'a [u8],
    /// Whether it answers HEAD: then it has the fields of an answer to GET, and no body.
    pub(crate) to_head: bool,
}

impl FinalReply<'_> {
    pub(crate) fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(256 + self.extra.len() + self.body.len());
        out.extend_from_slice(format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status)).as_bytes());
        if self.status == 426 {
            // RFC 9110 section 15.5.22 asks for Upgrade, section 7.8 for Connection with it.
            push_line(&mut out, "Connection", b"Upgrade, close");
            push_line(&mut out, "Upgrade", b"websocket");
            push_line(&mut out, "Sec-WebSocket-Version", b"13");
        } else {
            push_line(&mut out, "Connection", b"close");
        }
        out.extend_from_slice(self.extra);
        // RFC 9110 sections 15.3.5 and 15.4.5: these two never have content.
        let has_content = !matches!(self.status, 204 | 304);
        if has_content {
            if !self.body.is_empty() {
                push_line(&mut out, "Content-Type", self.content_type.as_bytes());
            }
            push_line(&mut out, "Content-Length", format!("{}", self.body.len()).as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        if has_content && !self.to_head {
            out.extend_from_slice(self.body);
        }
        out.into()
    }
}

/// The reply to a request with a fault, if there is a sensible one. `command` is what to try instead.
pub(crate) fn fault(kind: &Kind, peer: &Peer, to_head: bool, command: Option<String>) -> Option<Bytes> {
    let status = reply_status(kind, peer)?;
    if matches!(peer, Peer::TlsClient(_)) {
        let reply = FinalReply { status, extra: b"", content_type: TEXT, body: NO_TLS, to_head: false };
        return Some(reply.encode());
    }
    let sentence = Sentence { kind, role: Role::Server, peer, reason: None };
    let advice = advice(kind, peer, Role::Server);
    let mut body = format!("The WebSocket opening handshake failed: {sentence}.\n{advice}\n");
    if let Some(command) = command {
        body.push_str("\nTo open a WebSocket to this server by hand:\n\n");
        body.push_str(&command);
        body.push('\n');
    }
    let extra: &[u8] = match kind {
        Kind::MissingVersion => b"Sec-WebSocket-Version: 13\r\n",
        _ if status == 405 => b"Allow: GET\r\n",
        _ => b"",
    };
    let reply = FinalReply { status, extra, content_type: TEXT, body: body.as_bytes(), to_head };
    Some(reply.encode())
}

/// The reason phrases of RFC 9110 section 15 and RFC 6585; empty for others, as RFC 9112 section 4 allows.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

const SWITCHING_PROTOCOLS: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: ";

/// What a client of TLS is told. It cannot read this, but its TLS library says that this is no TLS, and most show how it begins.
const NO_TLS: &[u8] = b"This port does not speak TLS: use ws:// or http://.\n";

/// The media type of what this library says itself.
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";
