//! SOCKS version 5 (RFC 1928) with user name and password (RFC 1929). The proxy resolves the server's name.

use alloc::vec::Vec;
use core::net::IpAddr;

use bytes::{Buf, BytesMut};

use crate::dial::proxy::error::{ProxyFault, SocksReply};
use crate::dial::proxy::handshake::Exchanged;
use crate::url::{Credentials, Url};

/// What is exchanged with a SOCKS5 proxy.
pub(crate) struct Socks {
    /// Sent when the proxy asks for it.
    credentials: Option<Vec<u8>>,
    /// Sent when the proxy lets this client in.
    request: Vec<u8>,
    stage: Stage,
    /// What came of the answer that is awaited: at most 262 bytes.
    held: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Method,
    Authentication,
    Reply,
}

impl Socks {
    pub(crate) fn new(target: &Url, credentials: Option<&Credentials>) -> Result<Self, ProxyFault> {
        let mut request = Vec::from([VERSION, CONNECT, 0 /* reserved */]);
        match target.ip() {
            Some(IpAddr::V4(ip)) => {
                request.push(IPV4);
                request.extend_from_slice(&ip.octets());
            }
            Some(IpAddr::V6(ip)) => {
                request.push(IPV6);
                request.extend_from_slice(&ip.octets());
            }
            None => {
                request.push(NAME);
                let host = target.host().as_bytes();
                push_counted(&mut request, host).ok_or(ProxyFault::HostTooLong { len: host.len() })?;
            }
        }
        request.extend_from_slice(&target.port().to_be_bytes());
        // A proxy was not made with longer ones.
        let credentials = credentials.and_then(|credentials| {
            let mut out = Vec::from([AUTHENTICATION_VERSION]);
            push_counted(&mut out, credentials.user())?;
            push_counted(&mut out, credentials.password())?;
            Some(out)
        });
        Ok(Self { credentials, request, stage: Stage::Method, held: Vec::new() })
    }

    pub(crate) fn greeting(&self) -> &'static [u8] {
        match self.credentials {
            Some(_) => &[VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD],
            None => &[VERSION, 1, NO_AUTHENTICATION],
        }
    }

    /// Takes what belongs to the proxy's answers, and appends what answers those to `out`.
    pub(crate) fn receive(
        &mut self,
        input: &mut BytesMut,
        out: &mut Vec<u8>,
    ) -> Result<Exchanged, ProxyFault> {
        while !input.is_empty() {
            // One byte after the other: each may settle it, and they are few.
            self.held.push(input.get_u8());
            match self.stage {
                Stage::Method => self.method(out)?,
                Stage::Authentication => self.authentication(out)?,
                Stage::Reply if self.reply()? => return Ok(Exchanged::Whole),
                Stage::Reply => {}
            }
        }
        Ok(Exchanged::Part)
    }

    fn method(&mut self, out: &mut Vec<u8>) -> Result<(), ProxyFault> {
        let sent = self.credentials.is_some();
        match self.held[..] {
            [VERSION] => return Ok(()),
            [_, NO_AUTHENTICATION] => {
                out.append(&mut self.request);
                self.stage = Stage::Reply;
            }
            [_, USER_AND_PASSWORD] if sent => {
                out.append(&mut self.credentials.take().unwrap_or_default());
                self.stage = Stage::Authentication;
            }
            [_, NO_METHOD] => return Err(ProxyFault::NoMethod { sent }),
            [_, method] => return Err(ProxyFault::UnofferedMethod { method }),
            _ => return Err(self.not_socks()),
        }
        self.held.clear();
        Ok(())
    }

    fn authentication(&mut self, out: &mut Vec<u8>) -> Result<(), ProxyFault> {
        match self.held[..] {
            // The first byte is a version, with which servers are careless: some say 5.
            [_] => return Ok(()),
            [_, 0] => {}
            //= https://www.rfc-editor.org/rfc/rfc1929#section-2
            //# If the server returns a `failure' (STATUS
            //# value other than X'00') status, it MUST close the connection.
            _ => return Err(ProxyFault::CredentialsRefused),
        }
        out.append(&mut self.request);
        self.stage = Stage::Reply;
        self.held.clear();
        Ok(())
    }

    /// Whether the reply is whole.
    fn reply(&self) -> Result<bool, ProxyFault> {
        let len = match self.held[..] {
            [VERSION] => return Ok(false),
            [_, 0] | [_, _, _] => return Ok(false),
            [_, reply] => return Err(ProxyFault::Reply(SocksReply(reply))),
            [_, _, _, IPV4, ..] => 4,
            [_, _, _, IPV6, ..] => 16,
            [_, _, _, NAME] => return Ok(false),
            [_, _, _, NAME, len, ..] => 1 + usize::from(len),
            [_, _, _, byte, ..] => return Err(ProxyFault::AddressType { byte }),
            _ => return Err(self.not_socks()),
        };
        // The address that the proxy connects from is of no use, but it has to be read.
        Ok(self.held.len() == 4 /* fixed */ + len + 2 /* port */)
    }

    fn not_socks(&self) -> ProxyFault {
        ProxyFault::NotSocks5 { version: self.held.first().copied().unwrap_or_default() }
    }
}

/// Appends `bytes` with their number in one byte before them, or `None` if there are too many.
fn push_counted(out: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    out.push(u8::try_from(bytes.len()).ok()?);
    out.extend_from_slice(bytes);
    Some(())
}

// RFC 1928 sections 3 to 5, RFC 1929 section 2.
const VERSION: u8 = 5;
const CONNECT: u8 = 1;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NO_METHOD: u8 = 0xFF;
const AUTHENTICATION_VERSION: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;
