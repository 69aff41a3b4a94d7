//! What is said to a proxy before the connection is the server's: one state machine for all kinds of proxies.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::config::Limits;
use crate::dial::proxy::address::{Proxy, ProxyKind};
use crate::dial::proxy::error::{ProxyError, ProxyFault};
use crate::dial::proxy::http::Connect;
use crate::dial::proxy::socks::Socks;
use crate::error::TransportError;
use crate::time::Instant;
use crate::url::Url;

/// A client's exchange with a proxy, at whose end the bytes are the server's.
///
/// **Write what [`transmit`](Self::transmit) gives, also after each [`receive`](Self::receive), and give it what comes: bytes,
/// the end of the stream, trouble, and the time of its deadline. The first result other than [`ProxyStep::NeedMore`] decides.**
///
/// [`Dial`](crate::Dial) makes one where it is needed. Without one:
///
/// ```
/// use bytes::{Buf, BytesMut};
/// use sansocket::{Instant, Limits, Proxy, ProxyHandshake, ProxyStep};
///
/// let proxy: Proxy = "http://proxy.example:3128".parse()?;
/// let (limits, now) = (Limits::default(), Instant::ZERO);
/// let mut handshake = ProxyHandshake::new(&proxy, &"wss://example.com/chat".parse()?, &limits, None, now)?;
/// assert!(handshake.transmit().starts_with(b"CONNECT example.com:443 HTTP/1.1\r\n"));
/// let written = handshake.transmit().len();
/// handshake.transmit().advance(written);
///
/// let mut input = BytesMut::from("HTTP/1.1 200 Connection established\r\n\r\n");
/// assert_eq!(handshake.receive(&mut input, now)?, ProxyStep::Open);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ProxyHandshake {
    kind: ProxyKind,
    out: Bytes,
    exchange: Exchange,
    started: Instant,
    limit: Option<Duration>,
    /// When what is only of use to the explanation is not waited for any longer.
    patience: Option<Instant>,
    bytes: u64,
    // INVARIANT: once set it does not change, so that no later trouble hides the cause.
    over: Option<Result<(), ProxyError>>,
}

enum Exchange {
    Http(Box<Connect>),
    Socks(Socks),
}

/// How far the bytes that came have led.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exchanged {
    Part,
    /// It fails, but what comes next says more about why.
    Doomed,
    Whole,
}

/// What [`ProxyHandshake::receive`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum ProxyStep {
    /// The answer is not complete, and all of the input was taken. There may be more to write. A normal answer.
    NeedMore,
    /// The proxy is connected to the server. What is left in the input is what the server sent, which speaks first neither in
    /// TLS nor in HTTP, but might all the same.
    Open,
}

impl ProxyHandshake {
    /// An exchange that begins `now`, when TCP to the proxy is connected, and may take `limit`. Of `limits`, those for a head
    /// and for [`error_body`](Limits::error_body) count.
    ///
    /// # Errors
    ///
    /// [`ProxyFault::HostTooLong`].
    pub fn new(
        proxy: &Proxy,
        target: &Url,
        limits: &Limits,
        limit: Option<Duration>,
        now: Instant,
    ) -> Result<Self, ProxyError> {
        let credentials = proxy.known_credentials();
        let kind = proxy.kind();
        let (out, exchange) = match kind {
            ProxyKind::Http => {
                let connect = Connect::new(credentials.is_some(), limits);
                (Connect::request(target, credentials), Exchange::Http(Box::new(connect)))
            }
            ProxyKind::Socks5 => {
                let socks = Socks::new(target, credentials)
                    .map_err(|fault| ProxyError::new(kind, fault, 0, Duration::ZERO, Box::default()))?;
                (Bytes::from_static(socks.greeting()), Exchange::Socks(socks))
            }
        };
        Ok(Self { kind, out, exchange, started: now, limit, patience: None, bytes: 0, over: None })
    }

    /// What is to be written, less what was: a [`bytes::Buf`], to be advanced by what was written.
    pub fn transmit(&mut self) -> &mut Bytes {
        &mut self.out
    }

    /// Takes what belongs to the proxy's answers from the front of `input`, and leaves what comes behind them. When it is over,
    /// it takes nothing any more.
    ///
    /// # Errors
    ///
    /// The proxy refuses, or does not speak its protocol. Of an HTTP answer the body is read first, as far as
    /// [`Limits::error_body`] goes and for a second at most.
    pub fn receive(&mut self, input: &mut BytesMut, now: Instant) -> Result<ProxyStep, ProxyError> {
        match &self.over {
            Some(Ok(())) => return Ok(ProxyStep::Open),
            Some(Err(error)) => return Err(error.clone()),
            None => {}
        }
        let before = input.len();
        let mut more = Vec::new();
        let exchanged = match &mut self.exchange {
            Exchange::Http(connect) => connect.receive(input),
            Exchange::Socks(socks) => socks.receive(input, &mut more),
        };
        self.bytes += (before - input.len()) as u64;
        if !more.is_empty() {
            self.out = [&self.out[..], &more].concat().into();
        }
        match exchanged {
            Ok(Exchanged::Part) => Ok(ProxyStep::NeedMore),
            Ok(Exchanged::Doomed) => {
                self.patience.get_or_insert(now + PATIENCE);
                Ok(ProxyStep::NeedMore)
            }
            Ok(Exchanged::Whole) => {
                self.over = Some(Ok(()));
                Ok(ProxyStep::Open)
            }
            Err(fault) => Err(self.fail(fault, now)),
        }
    }

    /// The proxy closed its side of TCP.
    pub fn eof(&mut self, now: Instant) -> ProxyError {
        self.fail_unless_known(ProxyFault::Closed, now)
    }

    /// Reading or writing failed.
    pub fn failed(&mut self, error: TransportError, now: Instant) -> ProxyError {
        self.fail_unless_known(ProxyFault::TransportFailed(error), now)
    }

    /// When to call [`timeout`](Self::timeout). `None` once it is over.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        if self.over.is_some() {
            return None;
        }
        let whole = self.limit.map(|limit| self.started + limit);
        [whole, self.patience].into_iter().flatten().min()
    }

    /// The time is `now`. Before the [`deadline`](Self::deadline) nothing happens.
    ///
    /// # Errors
    ///
    /// The proxy's answer was not complete in time. If it was, and it is only the body that is late, the error is what the
    /// answer says.
    pub fn timeout(&mut self, now: Instant) -> Result<(), ProxyError> {
        if let Some(Err(error)) = &self.over {
            return Err(error.clone());
        }
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Ok(());
        }
        let limit = self.limit.unwrap_or_default();
        Err(self.fail_unless_known(ProxyFault::TimedOut { limit }, now))
    }

    /// Fails with what the proxy has already said, or else with `fault`.
    fn fail_unless_known(&mut self, fault: ProxyFault, now: Instant) -> ProxyError {
        let known = match &mut self.exchange {
            Exchange::Http(connect) => connect.known(),
            Exchange::Socks(_) => None,
        };
        self.fail(known.unwrap_or(fault), now)
    }

    fn fail(&mut self, fault: ProxyFault, now: Instant) -> ProxyError {
        if let Some(Err(error)) = &self.over {
            return error.clone();
        }
        self.out.clear();
        let body = match &mut self.exchange {
            Exchange::Http(connect) => connect.take_body(),
            Exchange::Socks(_) => Box::default(),
        };
        let error = ProxyError::new(self.kind, fault, self.bytes, now.since(self.started), body);
        self.over.get_or_insert(Err(error.clone()));
        error
    }
}

impl fmt::Debug for ProxyHandshake {
    /// Leaves out what is sent, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyHandshake")
            .field("kind", &self.kind)
            .field("unwritten", &self.out.len())
            .field("bytes", &self.bytes)
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}

/// How long the rest of an answer is waited for that is known to refuse.
const PATIENCE: Duration = Duration::from_secs(1);
