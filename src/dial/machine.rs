//! The state machine of one `connect`: from a request to an open WebSocket, by what an adapter tells. Which step follows is in
//! `transitions`.

use alloc::boxed::Box;
use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::fmt;
use core::mem;
use core::net::SocketAddr;

use crate::config::ClientConfig;
use crate::dial::candidates::Family;
use crate::dial::cause::DialCause;
use crate::dial::config::DialConfig;
use crate::dial::dialed::{Dialed, Protocol, Timings, TlsParams};
use crate::dial::fault::{ConnectFault, ResolveFault, StepError, TlsFault};
use crate::dial::journal::{Journal, Route};
use crate::dial::proxy::{Proxy, ProxyError, ProxyHandshake};
use crate::dial::race::{Race, Winner};
use crate::dial::redirect;
use crate::dial::step::{AttemptId, DialStep, DialStepKind};
use crate::handshake::{ClientRequest, HandshakeError};
use crate::time::Instant;
use crate::url::Url;

/// How to get to a server, for an adapter that can resolve, connect, and move bytes: all decisions, and no IO.
///
/// **After every input take the steps until there are none, do what they say, and heed [`deadline`](Self::deadline); the last
/// step is [`DialStep::Opened`] or [`DialStep::Failed`].**
///
/// 1. Take [`next_step`](Self::next_step) until it is `None`. Steps that take time are begun, not waited for: there may be
///    several [`DialStep::Connect`] at a time, and a [`DialStep::Abandon`] for one of them.
/// 2. Wait for whichever of them ends first, or for the [`deadline`](Self::deadline), and tell it: [`resolved`](Self::resolved),
///    [`connected`](Self::connected), [`proxied`](Self::proxied), [`secured`](Self::secured), [`opened`](Self::opened) or
///    [`refused`](Self::refused), or else [`timeout`](Self::timeout).
/// 3. Begin again.
///
/// What comes when nobody waits for it any more changes nothing. To give up, drop everything.
///
/// Here a program plays the adapter, with a server that listens on IPv4 only:
///
/// ```
/// use sansocket::{ClientConfig, ClientRequest, ConnectFault, Dial, DialConfig, DialStep, Instant, StepError, TlsParams};
///
/// let request = ClientRequest::new("wss://example.com/chat")?;
/// let now = Instant::ZERO; // A real adapter reads its clock before each input.
/// let mut dial = Dial::new(&request, &ClientConfig::default(), &DialConfig::default(), now);
/// let mut connections = Vec::new();
/// let dialed = loop {
///     // A real adapter begins what the steps say, and then waits for the first that ends.
///     match dial.next_step().expect("each of these steps ends at once") {
///         DialStep::Resolve { host, port, .. } => {
///             assert_eq!((&*host, port), ("example.com", 443));
///             dial.resolved(Ok(vec!["[2001:db8::1]:443".parse()?, "192.0.2.1:443".parse()?]), now);
///         }
///         DialStep::Connect { attempt, address, .. } if address.is_ipv6() => {
///             dial.connected(attempt, Err(StepError::new(ConnectFault::Unreachable, "no route to host")), now);
///         }
///         DialStep::Connect { attempt, .. } => {
///             connections.push(attempt);
///             dial.connected(attempt, Ok(()), now);
///         }
///         DialStep::Abandon { attempt } => connections.retain(|connection| *connection != attempt),
///         DialStep::Tls { attempt, server_name } => {
///             assert_eq!((attempt, &*server_name), (connections[0], "example.com"));
///             dial.secured(Ok(TlsParams::default()), now);
///         }
///         // Here a `ClientHandshake` is done with this request and this configuration.
///         DialStep::Handshake { .. } => dial.opened(now),
///         DialStep::Opened(dialed) => break dialed,
///         DialStep::Failed(error) => return Err(error.into()),
///         step => unreachable!("there is no proxy: {step:?}"),
///     }
/// };
/// assert_eq!(dialed.address, "192.0.2.1:443".parse()?);
/// assert_eq!(dialed.failed.len(), 1, "IPv6");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Dial {
    pub(super) request: ClientRequest,
    pub(super) client: ClientConfig,
    pub(super) config: DialConfig,
    pub(super) started: Instant,
    /// For the present URL.
    pub(super) proxy: Option<Proxy>,
    pub(super) stage: Stage,
    pub(super) journal: Journal,
    /// The URLs that redirected.
    pub(super) passed: Vec<Url>,
    pub(super) timings: Timings,
    pub(super) tls: Option<TlsParams>,
}

/// ```text
///  Connecting ─► Proxying ─► Securing ─► Opening ─► Over
///      ▲  └─────────┴───────────┘           │
///      └──────────── redirect ──────────────┘         any ─► Over
/// ```
#[derive(Debug)]
pub(super) enum Stage {
    Connecting(Box<Race>),
    Proxying(Link),
    Securing(Link),
    Opening(Link),
    Over,
}

/// The connection in use, and when the step began that it is used for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) attempt: AttemptId,
    pub(super) address: SocketAddr,
    pub(super) since: Instant,
}

impl Dial {
    /// A plan to get to the server of `request`, begun `now`.
    ///
    /// Of `client`, [`Timeouts::connect`](crate::Timeouts::connect) limits all of it; the rest is for the opening handshake and
    /// the connection.
    #[must_use]
    pub fn new(request: &ClientRequest, client: &ClientConfig, config: &DialConfig, now: Instant) -> Self {
        let proxy = config.proxy.for_url(request.url()).cloned();
        let route = Route::new(request.url(), proxy.as_ref(), &client.timeouts);
        let mut dial = Self {
            request: request.clone(),
            client: client.clone(),
            config: config.clone(),
            started: now,
            proxy,
            stage: Stage::Over,
            journal: Journal::new(route, config.tcp, now),
            passed: Vec::new(),
            timings: Timings::default(),
            tls: None,
        };
        dial.begin(now);
        dial
    }

    /// The next thing to do, or `None` until there is another input. Ask again after each input.
    pub fn next_step(&mut self) -> Option<DialStep> {
        self.journal.steps.pop_front()
    }

    /// Input: the resolver's answer, all families together.
    ///
    /// The addresses are in the resolver's order; they may come more than once.
    pub fn resolved(&mut self, answer: Result<Vec<SocketAddr>, StepError<ResolveFault>>, now: Instant) {
        if let Stage::Connecting(race) = &mut self.stage {
            race.resolved(answer, now, &mut self.journal);
            self.advance(now);
        }
    }

    /// Input: the resolver's answer for one family, where each is asked for on its own; once for each family that is wanted.
    ///
    /// The first address may be tried before the other answer is there ([RFC 8305 section 3]).
    ///
    /// [RFC 8305 section 3]: https://www.rfc-editor.org/rfc/rfc8305#section-3
    pub fn resolved_family(
        &mut self,
        family: Family,
        answer: Result<Vec<SocketAddr>, StepError<ResolveFault>>,
        now: Instant,
    ) {
        if let Stage::Connecting(race) = &mut self.stage {
            race.resolved_family(family, answer, now, &mut self.journal);
            self.advance(now);
        }
    }

    /// Input: TCP of this attempt is connected, or could not be.
    pub fn connected(
        &mut self,
        attempt: AttemptId,
        result: Result<(), StepError<ConnectFault>>,
        now: Instant,
    ) {
        let Stage::Connecting(race) = &mut self.stage else { return };
        let Some(winner) = race.connected(attempt, result, now, &mut self.journal) else {
            self.advance(now);
            return;
        };
        let Winner { attempt, address, resolve, connect } = winner;
        self.timings = Timings { resolve, connect: Some(connect), ..Timings::default() };
        let link = Link { attempt, address, since: now };
        let Some(proxy) = &self.proxy else {
            self.secure(link, now);
            return;
        };
        let limit = self.within(self.config.timeouts.proxy, now);
        match ProxyHandshake::new(proxy, self.request.url(), &self.client.limits, limit, now) {
            Ok(handshake) => {
                self.journal.push(DialStep::Proxy { attempt, handshake: Box::new(handshake) });
                self.stage = Stage::Proxying(link);
            }
            Err(error) => self.fail_link(link, DialStepKind::Proxy, DialCause::Proxy(error), now),
        }
    }

    /// Input: the proxy has connected to the server, or has not.
    pub fn proxied(&mut self, result: Result<(), ProxyError>, now: Instant) {
        let Stage::Proxying(link) = self.stage else { return };
        match result {
            Ok(()) => {
                self.timings.proxy = Some(now.since(link.since));
                self.secure(link, now);
            }
            Err(error) => self.fail_link(link, DialStepKind::Proxy, DialCause::Proxy(error), now),
        }
    }

    /// Input: TLS is established, or is not. That it failed may come in place of [`refused`](Self::refused) too: in TLS 1.3
    /// a server judges the client's certificate only after the client is done.
    pub fn secured(&mut self, result: Result<TlsParams, StepError<TlsFault>>, now: Instant) {
        let link = match (&self.stage, &result) {
            (Stage::Securing(link), _) | (Stage::Opening(link), Err(_)) => *link,
            _ => return,
        };
        match result {
            Ok(params) => {
                self.timings.tls = Some(now.since(link.since));
                self.tls = Some(params);
                self.open(link, now);
            }
            Err(error) => self.fail_link(link, DialStepKind::Tls, DialCause::Tls(error), now),
        }
    }

    /// Input: the opening handshake has succeeded.
    pub fn opened(&mut self, now: Instant) {
        let Stage::Opening(link) = self.stage else { return };
        self.timings.handshake = Some(now.since(link.since));
        self.stage = Stage::Over;
        let dialed = Dialed {
            url: self.request.url().clone(),
            address: link.address,
            proxy: self.proxy.as_ref().map(|proxy| proxy.to_string().into()),
            protocol: Protocol::Http1,
            tls: self.tls.take(),
            redirects: mem::take(&mut self.passed),
            timings: self.timings,
            elapsed: now.since(self.started),
            failed: mem::take(&mut self.journal.failed),
        };
        self.journal.push(DialStep::Opened(Box::new(dialed)));
    }

    /// Input: the opening handshake has failed. If it was answered with a redirect that is allowed
    /// ([`DialConfig::redirects`]), the way there begins.
    pub fn refused(&mut self, error: HandshakeError, now: Instant) {
        let Stage::Opening(link) = self.stage else { return };
        let cause = match redirect::follow(&self.request, &error, &self.passed, self.config.redirects) {
            Some(Ok(request)) => {
                self.journal.abandon(link.attempt);
                let from = mem::replace(&mut self.request, request);
                self.passed.push(from.url().clone().without_credentials());
                self.tls = None;
                let url = self.request.url();
                self.proxy = self.config.proxy.for_url(url).cloned();
                self.journal.turn_to(Route::new(url, self.proxy.as_ref(), &self.client.timeouts));
                self.begin(now);
                return;
            }
            Some(Err(redirect)) => DialCause::Redirect(redirect),
            None => DialCause::Handshake(error),
        };
        self.fail_link(link, DialStepKind::Handshake, cause, now);
    }

    /// When to call [`timeout`](Self::timeout).
    ///
    /// `None` if it is over, if there is no limit, and while there is a [`ProxyHandshake`] or a
    /// [`ClientHandshake`](crate::ClientHandshake) to do: their own deadlines heed what is left of the time.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let step = match &self.stage {
            Stage::Connecting(race) => race.deadline(),
            Stage::Securing(link) => self.config.timeouts.tls.map(|limit| link.since + limit),
            Stage::Proxying(_) | Stage::Opening(_) | Stage::Over => return None,
        };
        [step, self.last()].into_iter().flatten().min()
    }

    /// The time is `now`. Before the [`deadline`](Self::deadline) nothing happens.
    pub fn timeout(&mut self, now: Instant) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        let overall = self.client.timeouts.connect.filter(|&limit| now >= self.started + limit);
        match (&mut self.stage, overall) {
            (Stage::Connecting(race), Some(limit)) => {
                race.give_up(limit, now, &mut self.journal);
                self.fail(now);
            }
            (Stage::Connecting(_), None) => self.advance(now),
            (&mut Stage::Securing(link), overall) => {
                let step = DialStepKind::Tls;
                let limit = self.config.timeouts.tls.unwrap_or_default();
                let cause = match overall {
                    Some(limit) => DialCause::OverallTimedOut { step, limit },
                    None => DialCause::TlsTimedOut { limit },
                };
                self.fail_link(link, step, cause, now);
            }
            (Stage::Proxying(_) | Stage::Opening(_) | Stage::Over, _) => {}
        }
    }
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dial")
            .field("route", self.journal.route())
            .field("stage", &self.stage)
            .field("failed", &self.journal.failed.len())
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}
