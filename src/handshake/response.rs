//! The server's response, as the client sees it: every rule of RFC 6455 section 4.1 for it.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::extension::{DeflateConfig, DeflateParams, Element, ExtensionFault, WrongAnswer};
use crate::handshake::characters::is_number;
use crate::handshake::excerpt::Excerpt;
use crate::handshake::extensions::{self, EXTENSIONS};
use crate::handshake::fields::{Head, Span, elements, trim};
use crate::handshake::head::ParsedHead;
use crate::handshake::key::ACCEPT_LEN;
use crate::handshake::kind::HandshakeErrorKind as Kind;
use crate::handshake::parse::StartLine;

/// The head of a server's response.
///
/// `Debug` shows the names of the fields and not their values, which may be secret.
#[derive(Clone)]
pub struct Response {
    head: Head,
    status: u16,
    subprotocol: Option<Span>,
    deflate: Option<DeflateParams>,
}

impl Response {
    pub(crate) fn new(parsed: ParsedHead) -> Self {
        let status = match parsed.start_line {
            StartLine::Status { code } => code,
            StartLine::Request { .. } => 0,
        };
        Self { head: parsed.head, status, subprotocol: None, deflate: None }
    }

    /// The status: 101 if the connection is open.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
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

    /// The subprotocol that the server chose from those that were offered.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.map(|span| span.get_str(self.head.bytes()))
    }

    /// What the server agreed to about the compression of messages, if it was offered.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(&self) -> Option<DeflateParams> {
        self.deflate
    }

    pub(crate) fn agreed_deflate(&self) -> Option<DeflateParams> {
        self.deflate
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// What a response with another status than 101 means for the handshake (RFC 9110 section 15, RFC 6455 section 4.4).
    pub(crate) fn refusal(&self) -> Kind {
        let status = self.status;
        let long = |name| self.field(name).map(|value| Excerpt::up_to(LONG, value));
        match status {
            200..=299 => Kind::NotUpgraded { status },
            300..=399 => match self.field("Location").map(|value| Excerpt::of_resource(LONG, value)) {
                Some(location) => Kind::Redirected { status, location },
                None => Kind::UnexpectedStatus { status },
            },
            401 => Kind::AuthenticationRequired { challenge: long("WWW-Authenticate") },
            407 => Kind::ProxyAuthenticationRequired { challenge: long("Proxy-Authenticate") },
            400 | 426 => match self.excerpt("Sec-WebSocket-Version") {
                // Servers name their versions also where something else is wrong.
                Some(_) if self.head.elements("Sec-WebSocket-Version").any(|version| version == b"13") => {
                    Kind::UnexpectedStatus { status }
                }
                None if status == 400 => Kind::UnexpectedStatus { status },
                offered => Kind::VersionRefused { status, offered },
            },
            429 | 503 => {
                // RFC 9110 section 10.2.3: seconds or a date. A date needs a clock.
                Kind::ServerBusy { status, retry_after: self.field("Retry-After").and_then(delay) }
            }
            502 | 504 => Kind::GatewayFailed { status },
            status => Kind::UnexpectedStatus { status },
        }
    }

    fn excerpt(&self, name: &str) -> Option<Excerpt> {
        self.field(name).map(Excerpt::new)
    }

    /// Checks a response with status 101. `offered` lists the subprotocols of the request, and `deflate` is what made the
    /// offer of compression in it.
    pub(crate) fn check(
        &mut self,
        accept: &[u8; ACCEPT_LEN],
        offered: &str,
        deflate: Option<&DeflateConfig>,
    ) -> Result<(), Kind> {
        //= https://www.rfc-editor.org/rfc/rfc6455#section-4.1
        //# If the response lacks an |Upgrade| header field or the |Upgrade|
        //# header field contains a value that is not an ASCII case-
        //# insensitive match for the value "websocket", the client MUST
        //# _Fail the WebSocket Connection_.
        let seen = self.excerpt("Upgrade").ok_or(Kind::MissingUpgrade)?;
        let mut upgrade = self.head.elements("Upgrade");
        let only_websocket = upgrade.next().is_some_and(|token| token.eq_ignore_ascii_case(b"websocket"));
        if !only_websocket || upgrade.next().is_some() {
            return Err(Kind::UpgradeNotWebSocket { seen });
        }
        //= https://www.rfc-editor.org/rfc/rfc6455#section-4.1
        //# If the response lacks a |Connection| header field or the
        //# |Connection| header field doesn't contain a token that is an
        //# ASCII case-insensitive match for the value "Upgrade", the client
        //# MUST _Fail the WebSocket Connection_.
        let seen = self.excerpt("Connection").ok_or(Kind::MissingConnection)?;
        if !self.head.elements("Connection").any(|token| token.eq_ignore_ascii_case(b"upgrade")) {
            return Err(Kind::ConnectionNotUpgrade { seen });
        }
        let value = single(&self.head, "Sec-WebSocket-Accept")?.unwrap_or_default();
        if value.is_empty() {
            return Err(Kind::MissingAccept);
        }
        if value != accept {
            return Err(Kind::AcceptMismatch { expected: Excerpt::new(accept), seen: Excerpt::new(value) });
        }
        self.deflate = check_extensions(&self.head, deflate)?;
        self.subprotocol = check_subprotocol(&self.head, offered)?;
        Ok(())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields().map(|(name, _)| name).collect();
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("fields", &names)
            .finish_non_exhaustive()
    }
}

//= https://www.rfc-editor.org/rfc/rfc6455#section-4.1
//# If the response includes a |Sec-WebSocket-Extensions| header
//# field and this header field indicates the use of an extension
//# that was not present in the client's handshake (the server has
//# indicated an extension not requested by the client), the client
//# MUST _Fail the WebSocket Connection_.
fn check_extensions(head: &Head, deflate: Option<&DeflateConfig>) -> Result<Option<DeflateParams>, Kind> {
    let bad = |what| {
        let seen = head.values(EXTENSIONS).next().unwrap_or_default();
        Kind::BadExtension { what, seen: Excerpt::up_to(LONG, seen) }
    };
    let answer: Result<Vec<Element<'_>>, _> =
        head.values(EXTENSIONS).flat_map(extensions::elements).collect();
    let answer = answer.map_err(|_| bad(ExtensionFault::Grammar))?;
    let wrong = match (deflate, answer.first()) {
        (_, None) => return Ok(None),
        (None, Some(Element::Extension(name))) => WrongAnswer::Unsolicited(name),
        (None, Some(Element::Parameter { .. })) => ExtensionFault::Grammar.into(),
        (Some(deflate), Some(_)) => match deflate.confirm(answer.into_iter()) {
            Ok(params) => return Ok(params),
            Err(wrong) => wrong,
        },
    };
    Err(match wrong {
        WrongAnswer::Unsolicited(name) => Kind::UnsolicitedExtension { seen: Excerpt::new(name.as_bytes()) },
        WrongAnswer::Fault(what) => bad(what),
    })
}

//= https://www.rfc-editor.org/rfc/rfc6455#section-4.1
//# If the response includes a |Sec-WebSocket-Protocol| header field
//# and this header field indicates the use of a subprotocol that was
//# not present in the client's handshake (the server has indicated a
//# subprotocol not requested by the client), the client MUST _Fail
//# the WebSocket Connection_.
fn check_subprotocol(head: &Head, offered: &str) -> Result<Option<Span>, Kind> {
    let Some(value) = single(head, "Sec-WebSocket-Protocol")? else { return Ok(None) };
    let seen = || Excerpt::new(value);
    if elements(value).count() > 1 {
        return Err(Kind::SeveralSubprotocols { seen: seen() });
    }
    // Subprotocols are compared exactly: "Chat" is not "chat". An empty value is none of them either.
    if !elements(offered.as_bytes()).any(|offer| offer == value) {
        return Err(Kind::UnsolicitedSubprotocol { seen: seen() });
    }
    Ok(Some(Span::of(value, head.bytes())))
}

/// A time in whole seconds, as `Retry-After` has it; the longest there is, if they are more than can be counted.
//= https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
//# delay-seconds  = 1*DIGIT
pub(crate) fn delay(value: &[u8]) -> Option<Duration> {
    if !is_number(value) {
        return None;
    }
    let seconds = value
        .iter()
        .fold(0u64, |seconds, digit| seconds.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    Some(Duration::from_secs(seconds))
}

/// The value of a field that may be there once.
fn single<'a>(head: &'a Head, name: &'static str) -> Result<Option<&'a [u8]>, Kind> {
    let mut values = head.values(name);
    let value = values.next();
    if values.next().is_some() { Err(Kind::DuplicateField { name }) } else { Ok(value.map(trim)) }
}

/// Bytes that are kept of a value which is there to be used.
const LONG: usize = 256;
