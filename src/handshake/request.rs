//! The client's request, as the server sees it: every rule of RFC 6455 section 4.2.1.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::{fmt, str};

use crate::extension::{Element, ExtensionFault};
use crate::handshake::excerpt::{EXCERPT_LEN, Excerpt};
use crate::handshake::extensions::{self, EXTENSIONS};
use crate::handshake::fields::{Head, Span, elements, is_token, starts_with_ignore_case};
use crate::handshake::head::ParsedHead;
use crate::handshake::key::{NONCE_LEN, decoded_len};
use crate::handshake::kind::HandshakeErrorKind as Kind;
use crate::handshake::parse::StartLine;
use crate::handshake::refused::Refused;
use crate::handshake::target::{ResourceName, check_host, check_target, path_of};

/// The request of an opening handshake that follows the rules.
///
/// `Debug` shows the names of the fields and not their values, which may be secret.
#[derive(Clone)]
pub struct Request {
    head: Head,
    resource_name: ResourceName,
    host: Span,
    key: Span,
}

impl Request {
    /// The method: `GET`, as nothing else can open a WebSocket.
    #[must_use]
    pub fn method(&self) -> &'static str {
        "GET"
    }

    /// The resource name ([RFC 6455 section 3]): path and query as they were sent, beginning with `/`. Of an absolute URI
    /// only these parts are left.
    ///
    /// All of it is visible ASCII, and each `%` has its two digits; nothing is decoded.
    ///
    /// [RFC 6455 section 3]: https://www.rfc-editor.org/rfc/rfc6455#section-3
    #[must_use]
    pub fn target(&self) -> &str {
        self.resource_name.get(&self.head)
    }

    /// The part of [`target`](Self::target) before the query. This is what belongs into a log: a query may hold secrets.
    #[must_use]
    pub fn path(&self) -> &str {
        path_of(self.target())
    }

    /// The part of [`target`](Self::target) behind the first `?`, if there is one.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        Some(self.target().split_once('?')?.1)
    }

    /// The host, with its port if one was sent: from the `Host` field or, if the request target is an absolute URI, from
    /// there ([RFC 9112 section 3.2.2]). It is well formed, and not more: the client can send any.
    ///
    /// [RFC 9112 section 3.2.2]: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.get_str(self.head.bytes())
    }

    /// The value of the first field called `name` in upper or lower case, without the whitespace around it. Any bytes
    /// but control characters.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.head.value(name)
    }

    /// All fields in the order in which they were sent, names as they were spelled.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        self.head.fields()
    }

    /// The subprotocols that the client offers, the preferred one first. Each is a token, and none comes twice.
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> + Clone {
        self.head.elements(PROTOCOL).filter_map(|element| str::from_utf8(element).ok())
    }

    /// The subprotocol to speak: of those in `spoken`, the one that the client prefers. `None` if it offers none of them.
    ///
    /// ```
    /// use sansocket::{Accept, Reject, Request};
    ///
    /// fn decide(request: &Request) -> Result<Accept, Reject> {
    ///     match request.choose(&["chat.v2", "chat.v1"]) {
    ///         Some(chosen) => Ok(Accept::new().subprotocol(chosen)),
    ///         None => Err(Reject::new(400).because("no subprotocol in common")),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn choose<'s>(&self, spoken: &[&'s str]) -> Option<&'s str> {
        self.subprotocols().find_map(|offered| spoken.iter().copied().find(|spoken| *spoken == offered))
    }

    /// The value of `Sec-WebSocket-Key`, as it was sent.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.get_str(self.head.bytes())
    }

    pub(crate) fn key_bytes(&self) -> &[u8] {
        self.key.get(self.head.bytes())
    }

    /// The extensions that the client offers, with their parameters.
    pub(crate) fn extensions(&self) -> impl Iterator<Item = Element<'_>> {
        // Checked with the rest of the request, so that nothing is left out here.
        self.head.values(EXTENSIONS).flat_map(extensions::elements).filter_map(Result::ok)
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// Checks the rules in an order in which the first broken one is the most telling: is it HTTP/1.1, is it a request for
    /// this kind of server, and only then its details.
    pub(crate) fn check(parsed: ParsedHead, accept_malformed_key: bool) -> Result<Self, Box<Refused>> {
        match check(&parsed, accept_malformed_key) {
            Ok((resource_name, host, key)) => Ok(Self { head: parsed.head, resource_name, host, key }),
            Err(kind) => Err(Refused::new(kind, parsed).into()),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields().map(|(name, _)| name).collect();
        f.debug_struct("Request")
            .field("target", &Excerpt::of_resource(usize::MAX, self.target().as_bytes()))
            .field("fields", &names)
            .finish_non_exhaustive()
    }
}

/// A field that may be there once.
#[derive(Clone, Copy)]
struct Single<'a> {
    value: Option<&'a [u8]>,
    repeated: bool,
}

impl<'a> Single<'a> {
    const NONE: Self = Self { value: None, repeated: false };

    fn push(&mut self, value: &'a [u8]) {
        self.repeated |= self.value.is_some();
        self.value.get_or_insert(value);
    }

    #[inline]
    fn get(self, name: &'static str, missing: Kind) -> Result<&'a [u8], Kind> {
        match self {
            Self { value: Some(value), repeated: false } => Ok(value),
            Self { repeated: true, .. } => Err(Kind::DuplicateField { name }),
            Self { value: None, .. } => Err(missing),
        }
    }
}

/// A list of tokens, of which one is looked for.
#[derive(Clone, Copy)]
struct Listed<'a> {
    first: Option<&'a [u8]>,
    found: bool,
}

impl<'a> Listed<'a> {
    const NONE: Self = Self { first: None, found: false };

    #[inline]
    fn push(&mut self, value: &'a [u8], token: &[u8]) {
        self.first.get_or_insert(value);
        // Almost always it is alone, and written as in the RFC.
        self.found |= value == token || elements(value).any(|element| element.eq_ignore_ascii_case(token));
    }
}

fn check(parsed: &ParsedHead, accept_malformed_key: bool) -> Result<(ResourceName, Span, Span), Kind> {
    let ParsedHead { head, minor_version, start_line } = parsed;
    let StartLine::Request { method, target } = start_line else { return Err(Kind::NotHttp) };
    let bytes = head.bytes();
    //= https://www.rfc-editor.org/rfc/rfc6455#section-4.1
    //# The method of the request MUST be GET, and the HTTP version MUST
    //# be at least 1.1.
    if *minor_version == 0 {
        return Err(Kind::HttpVersion { seen: Excerpt::new(b"HTTP/1.0") });
    }
    if method.get(bytes) != b"GET" {
        return Err(Kind::MethodNotGet { seen: Excerpt::new(method.get(bytes)) });
    }
    let (authority, resource_name) = check_target(head, *target)?;

    let (mut host, mut key, mut version) = (Single::NONE, Single::NONE, Single::NONE);
    let (mut upgrade, mut connection) = (Listed::NONE, Listed::NONE);
    let (mut offers_subprotocols, mut has_content) = (false, false);
    let mut bad_extensions = None;
    for line in head.lines() {
        let name = line.name(bytes);
        // The length rules out almost every field at once.
        match name.len() {
            4 if is_called(name, b"Host") => host.push(line.value(bytes)),
            7 if is_called(name, b"Upgrade") => upgrade.push(line.value(bytes), b"websocket"),
            10 if is_called(name, b"Connection") => connection.push(line.value(bytes), b"Upgrade"),
            17 if is_called(name, b"Sec-WebSocket-Key") => key.push(line.value(bytes)),
            21 if is_called(name, b"Sec-WebSocket-Version") => version.push(line.value(bytes)),
            22 if is_called(name, PROTOCOL.as_bytes()) => offers_subprotocols = true,
            24 if is_called(name, EXTENSIONS.as_bytes()) => {
                bad_extensions = bad_extensions.or_else(|| find_bad_extensions(line.value(bytes)));
            }
            6 | 14 | 17 => has_content |= CONTENT.iter().any(|other| is_called(name, other.as_bytes())),
            _ => {}
        }
    }
    if has_content {
        check_content(head)?;
    }

    let host = host.get("Host", Kind::MissingHost)?;
    check_host(host)?;
    let host = authority.map_or(host, str::as_bytes);
    match upgrade {
        Listed { first: None, .. } => return Err(without_upgrade(head, target.get(bytes))),
        Listed { first: Some(seen), found: false } => {
            return Err(Kind::UpgradeNotWebSocket { seen: Excerpt::new(seen) });
        }
        _ => {}
    }
    match connection {
        Listed { first: None, .. } => return Err(Kind::MissingConnection),
        Listed { first: Some(seen), found: false } => {
            return Err(Kind::ConnectionNotUpgrade { seen: Excerpt::new(seen) });
        }
        _ => {}
    }
    let version = version.get("Sec-WebSocket-Version", Kind::MissingVersion)?;
    if version != b"13" {
        return Err(Kind::UnsupportedVersion { seen: Excerpt::new(version) });
    }
    if offers_subprotocols {
        check_subprotocols(head)?;
    }
    if let Some(value) = bad_extensions {
        return Err(Kind::BadExtension { what: ExtensionFault::Grammar, seen: Excerpt::new(value) });
    }
    let key = key.get("Sec-WebSocket-Key", Kind::MissingKey)?;
    check_key(key, accept_malformed_key)?;
    Ok((resource_name, Span::of(host, bytes), Span::of(key, bytes)))
}

/// A proxy that does not know WebSocket removes `Upgrade`, which is for one hop, and passes the other fields on.
fn without_upgrade(head: &Head, target: &[u8]) -> Kind {
    if head.fields().any(|(name, _)| starts_with_ignore_case(name, "sec-websocket-")) {
        Kind::MissingUpgrade
    } else {
        Kind::PlainRequest { target: Excerpt::of_resource(EXCERPT_LEN, target) }
    }
}

/// Whether a field is called so, in upper or lower case. Most names are written as in the RFC, and those that are not differ from
/// others of the same length by their first letter.
#[inline]
fn is_called(name: &[u8], expected: &[u8]) -> bool {
    name == expected
        || (name.first().map(u8::to_ascii_lowercase) == expected.first().map(u8::to_ascii_lowercase)
            && name.eq_ignore_ascii_case(expected))
}

/// What follows the head of a handshake is frames. A request with content would let two readers of the same bytes
/// disagree about where they begin.
fn check_content(head: &Head) -> Result<(), Kind> {
    if let Some(seen) = head.values("Transfer-Encoding").last() {
        let last = head.elements("Transfer-Encoding").last();
        let ends_chunked = last.is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"));
        return Err(Kind::TransferCoding { seen: Excerpt::new(seen), ends_chunked });
    }
    let is_zero = |value: &[u8]| !value.is_empty() && value.iter().all(|&digit| digit == b'0');
    if let Some(seen) = head.values("Content-Length").find(|value| !is_zero(value)) {
        return Err(Kind::HasContent { seen: Excerpt::new(seen) });
    }
    match head.values("Expect").find(|value| !value.eq_ignore_ascii_case(b"100-continue")) {
        Some(seen) => Err(Kind::Expectation { seen: Excerpt::new(seen) }),
        None => Ok(()),
    }
}

//= https://www.rfc-editor.org/rfc/rfc6455#section-4.1
//# The elements that comprise this value
//# MUST be non-empty strings with characters in the range U+0021 to
//# U+007E not including separator characters as defined in
//# [RFC2616] and MUST all be unique strings.
fn check_subprotocols(head: &Head) -> Result<(), Kind> {
    if let Some(bad) = head.elements(PROTOCOL).find(|element| !is_token(element)) {
        return Err(Kind::BadSubprotocol { seen: Excerpt::new(bad) });
    }
    // Sorting keeps thousands of short ones cheap, and offsets take half the memory of slices.
    let bytes = head.bytes();
    let mut offered = Vec::with_capacity(head.elements(PROTOCOL).count());
    offered.extend(head.elements(PROTOCOL).map(|element| Span::of(element, bytes)));
    offered.sort_unstable_by_key(|element| element.get(bytes));
    let mut names = offered.iter().map(|element| element.get(bytes));
    let mut last = names.next();
    for name in names {
        if last == Some(name) {
            return Err(Kind::DuplicateSubprotocol { seen: Excerpt::new(name) });
        }
        last = Some(name);
    }
    Ok(())
}

//= https://www.rfc-editor.org/rfc/rfc6455#section-9.1
//# If a value is received by either the
//# client or the server during negotiation that does not conform to the
//# ABNF below, the recipient of such malformed data MUST immediately
//# _Fail the WebSocket Connection_.
fn find_bad_extensions(value: &[u8]) -> Option<&[u8]> {
    // The grammar is half as much work as all other fields together, and nearly all clients send one of two values.
    let is_usual = OFFERS_OF_BROWSERS.contains(&value);
    if is_usual || extensions::elements(value).all(|element| element.is_ok()) { None } else { Some(value) }
}

//= https://www.rfc-editor.org/rfc/rfc6455#section-4.2.1
//# A |Sec-WebSocket-Key| header field with a base64-encoded (see
//# Section 4 of [RFC4648]) value that, when decoded, is 16 bytes in
//# length.
fn check_key(key: &[u8], accept_malformed_key: bool) -> Result<(), Kind> {
    let decoded = decoded_len(key);
    if decoded == Some(NONCE_LEN) || (accept_malformed_key && key.is_ascii()) {
        Ok(())
    } else {
        Err(Kind::BadKey { decoded, seen: Excerpt::new(key) })
    }
}

/// What Chromium sends, and what Firefox and Safari do.
const OFFERS_OF_BROWSERS: [&[u8]; 2] = [b"permessage-deflate; client_max_window_bits", b"permessage-deflate"];

const PROTOCOL: &str = "Sec-WebSocket-Protocol";

/// Fields that announce content.
const CONTENT: [&str; 3] = ["Expect", "Content-Length", "Transfer-Encoding"];
