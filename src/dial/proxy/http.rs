//! HTTP CONNECT (RFC 9110 section 9.3.6).

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use crate::config::Limits;
use crate::dial::proxy::error::ProxyFault;
use crate::dial::proxy::handshake::Exchanged;
use crate::handshake::{Body, Collector, Excerpt, HeadKind, Peer, Response, push_line};
use crate::url::{Credentials, Url};

/// What is exchanged with an HTTP proxy.
pub(crate) struct Connect {
    collector: Collector,
    has_credentials: bool,
    error_body: usize,
    /// An answer that refuses, while its body is read.
    refused: Option<(ProxyFault, Body)>,
}

impl Connect {
    pub(crate) fn new(has_credentials: bool, limits: &Limits) -> Self {
        let collector = Collector::new(HeadKind::Response, limits);
        Self { collector, has_credentials, error_body: limits.error_body, refused: None }
    }

    /// The request line has the port also where it is the default, as RFC 9110 section 9.3.6 wants it.
    pub(crate) fn request(target: &Url, credentials: Option<&Credentials>) -> Bytes {
        let authority = target.authority_with_port();
        let mut out = Vec::new();
        for part in ["CONNECT ", &authority, " HTTP/1.1\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
        push_line(&mut out, "Host", authority.as_bytes());
        if let Some(credentials) = credentials {
            push_line(&mut out, "Proxy-Authorization", credentials.to_basic().as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.into()
    }

    pub(crate) fn receive(&mut self, input: &mut BytesMut) -> Result<Exchanged, ProxyFault> {
        loop {
            if let Some((fault, body)) = &mut self.refused {
                body.receive(input);
                return if body.is_complete() { Err(fault.clone()) } else { Ok(Exchanged::Doomed) };
            }
            let parsed = match self.collector.receive(input) {
                Ok(Some(parsed)) => parsed,
                Ok(None) if self.collector.is_foreign() => return Ok(Exchanged::Doomed),
                Ok(None) => return Ok(Exchanged::Part),
                Err(kind) => return Err(ProxyFault::of_head(kind, self.collector.peer())),
            };
            let response = Response::new(parsed);
            let fault = match response.status() {
                100 | 102..=199 => continue,
                //= https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
                //# A client MUST ignore any Content-Length or Transfer-Encoding header
                //# fields received in a successful response to CONNECT.
                200..=299 => return Ok(Exchanged::Whole),
                // 401 is what a server says for itself, and here nobody but the proxy can have said it (tinyproxy does where the
                // credentials are wrong).
                status @ (401 | 407) => ProxyFault::AuthenticationRequired {
                    status,
                    challenge: ["Proxy-Authenticate", "WWW-Authenticate"]
                        .iter()
                        .find_map(|name| response.field(name).map(Excerpt::new)),
                    sent: self.has_credentials,
                },
                status => ProxyFault::Refused { status },
            };
            self.refused = Some((fault, Body::new(&response, self.error_body)));
        }
    }

    /// What is known already when the stream or the time ends.
    pub(crate) fn known(&mut self) -> Option<ProxyFault> {
        match &self.refused {
            Some((fault, _)) => Some(fault.clone()),
            None => self.peer().map(|peer| ProxyFault::NotHttp { peer }),
        }
    }

    /// What came of the body of an answer that refuses.
    pub(crate) fn take_body(&mut self) -> Box<[u8]> {
        self.refused.take().map(|(_, body)| body.into_content().into()).unwrap_or_default()
    }

    fn peer(&self) -> Option<Peer> {
        self.collector.is_foreign().then(|| self.collector.peer())
    }
}
