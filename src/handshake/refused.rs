//! A request that breaks a rule: who sent it, and what could have been sent instead.

use alloc::string::String;
use core::str;

use crate::handshake::excerpt::Excerpt;
use crate::handshake::fields::Head;
use crate::handshake::head::ParsedHead;
use crate::handshake::kind::HandshakeErrorKind as Kind;
use crate::handshake::parse::StartLine;
use crate::handshake::peer::Peer;
use crate::handshake::target::Target;
use crate::url::Authority;

/// A request that breaks a rule.
pub(crate) struct Refused {
    pub(crate) kind: Kind,
    pub(crate) peer: Peer,
    pub(crate) head: Head,
    pub(crate) is_head_method: bool,
    /// The path of the request, if its target has one.
    pub(crate) path: Option<Excerpt>,
    /// What the client could have done instead.
    pub(crate) command: Option<String>,
}

impl Refused {
    pub(crate) fn new(kind: Kind, parsed: ParsedHead) -> Self {
        let command = curl_command(&parsed);
        let bytes = parsed.head.bytes();
        let (method, target) = match parsed.start_line {
            StartLine::Request { method, target } => (method.get(bytes), target.get(bytes)),
            StartLine::Status { .. } => Default::default(),
        };
        let peer = Peer::of_request(method, target, &parsed.head);
        let is_head_method = method == b"HEAD";
        // Of an absolute URI, the path alone: what is before it may have credentials.
        let resource = str::from_utf8(target).ok().and_then(|target| Target::parse(target).ok());
        let path = match &resource {
            Some(resource) => Some(Excerpt::of_path(resource.resource_name.as_bytes())),
            None => target.starts_with(b"/").then(|| Excerpt::of_path(target)),
        };
        Self { kind, peer, head: parsed.head, is_head_method, path, command }
    }
}

/// A command that opens a WebSocket to this server by hand, if the client's target and host are well formed.
///
/// Nothing that the client sent can break out of it: both have no space, quote or control character that is not
/// escaped here.
fn curl_command(parsed: &ParsedHead) -> Option<String> {
    let ParsedHead { head, start_line, .. } = parsed;
    let StartLine::Request { target, .. } = start_line else { return None };
    let Target { authority, resource_name } = Target::parse(target.get_str(head.bytes())).ok()?;
    let host = match authority {
        Some(authority) => authority,
        None => str::from_utf8(head.value("Host")?).ok()?,
    };
    Authority::parse(host).ok()?;
    let mut url = alloc::format!("http://{host}{resource_name}");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:%=,+@".contains(&byte);
    if !url.bytes().all(is_plain) {
        url = alloc::format!("'{}'", url.replace('\'', "%27"));
    }
    Some(alloc::format!(
        "curl -i -N -H \"Connection: Upgrade\" -H \"Upgrade: websocket\" -H \"Sec-WebSocket-Version: 13\" \
         -H \"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\" {url}"
    ))
}
