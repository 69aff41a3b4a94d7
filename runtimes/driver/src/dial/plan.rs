//! The core's connect plan, executed: what it says is done, and what came of it is told.

use std::future::poll_fn;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::task::Poll;

use bytes::BytesMut;
use sansocket::{
    AttemptId, ClientConfig, ClientHandshake, ClientRequest, Connection, Dial, DialStep, Dialed,
    HandshakeError, ProxyError, ProxyHandshake, Response, Role, StepError, TlsFault, TlsParams,
};
use tracing::Span;

use crate::dial::race::{Ended, Race};
use crate::dial::{Connector, Dialer};
use crate::error::Error;
use crate::handshake::entropy;
use crate::maybe_tls::MaybeTls;
use crate::opening::{Opening, poll_exchange};
use crate::runtime::Timer;
use crate::telemetry;
#[cfg(feature = "tls")]
use crate::tls::within;

/// The connection of a client before it is a WebSocket, as far as it came.
enum Link<R: Dialer> {
    None,
    /// TCP, with what was read of it too far.
    Tcp(AttemptId, R::Stream, BytesMut),
    /// Inside of TLS.
    #[cfg(feature = "tls")]
    Secure(AttemptId, MaybeTls<R::Stream, R>),
    /// Open. In a box, as it is much larger than the rest.
    Open(Box<Opened<R>>),
}

/// The connection of a client whose opening handshake is done.
pub(crate) struct Opened<R: Dialer> {
    pub(crate) opening: Opening<MaybeTls<R::Stream, R>, R>,
    pub(crate) connection: Connection,
    pub(crate) response: Response,
}

/// Takes the steps of a plan until it ends.
pub(super) async fn follow<R: Dialer>(
    connector: &Connector<R>,
    request: &ClientRequest,
) -> Result<(Opened<R>, Box<Dialed>), Error> {
    let mut timer = R::Timer::default();
    let mut plan = Dial::new(request, &connector.client, &connector.dial, timer.now());
    let mut race = Race::<R>::new();
    let mut link = Link::None;
    // For the log: what the operating system said to the last handshake, the peer's address, and the span of its connection.
    let mut refused: Option<(Option<io::Error>, Option<SocketAddr>, Span)> = None;
    loop {
        let Some(step) = plan.next_step() else {
            link = go_on(&mut plan, &mut race, &mut timer, link).await;
            continue;
        };
        match step {
            DialStep::Resolve { host, port, addresses } => race.resolve(host, port, addresses),
            DialStep::Connect { attempt, address, tcp } => race.connect(attempt, address, tcp),
            DialStep::Abandon { attempt } => {
                race.abandon(attempt);
                link = link.without(attempt);
            }
            DialStep::Proxy { handshake, .. } => {
                race.stop_search();
                let proxied = link.pass_proxy(*handshake, &mut timer).await;
                plan.proxied(proxied, timer.now());
            }
            DialStep::Tls { server_name, .. } => {
                race.stop_search();
                let secured = secure(connector, &mut link, &server_name, &plan, &mut timer).await;
                let now = timer.now();
                match secured {
                    Some(secured) => plan.secured(secured, now),
                    None => plan.timeout(now),
                }
            }
            DialStep::Handshake { request, config, .. } => {
                race.stop_search();
                match link.open(&request, &config).await? {
                    Ok(opened) => {
                        link = Link::Open(opened);
                        plan.opened(timer.now());
                    }
                    Err(Unopened::Handshake { error, io, peer, span }) => {
                        refused = Some((io, peer, span));
                        plan.refused(error, timer.now());
                    }
                    #[cfg(feature = "tls")]
                    Err(Unopened::Tls(error)) => plan.secured(Err(error), timer.now()),
                }
            }
            DialStep::Opened(dialed) => {
                // INVARIANT: the plan was told of an open connection just before.
                let Link::Open(opened) = link else { unreachable!("opened without a connection") };
                return Ok((*opened, dialed));
            }
            DialStep::Failed(error) => {
                match (error.handshake(), refused) {
                    // Counted and logged as any other handshake.
                    (Some(error), Some((io, peer, span))) => {
                        span.in_scope(|| telemetry::failed(error, io.as_ref(), peer));
                    }
                    _ => telemetry::not_dialed(&error),
                }
                return Err(Error::Dial(error));
            }
            // A step that this driver does not know cannot be taken, and the plan cannot go on without.
            other => unreachable!("the core has a step that the driver lacks: {other:?}"),
        }
    }
}

/// Waits for what ends first, or for the time.
async fn go_on<R: Dialer>(
    plan: &mut Dial,
    race: &mut Race<R>,
    timer: &mut R::Timer,
    link: Link<R>,
) -> Link<R> {
    let ended = poll_fn(|cx| {
        if let Poll::Ready(ended) = race.poll(cx) {
            return Poll::Ready(Some(ended));
        }
        match plan.deadline() {
            Some(deadline) => timer.poll_until(cx, deadline).map(|()| None),
            None => Poll::Pending,
        }
    })
    .await;
    let now = timer.now();
    match ended {
        Some(Ended::Search(found)) => plan.resolved(found.map_err(|error| (&error).into()), now),
        Some(Ended::Attempt(attempt, Ok(stream))) => {
            plan.connected(attempt, Ok(()), now);
            return Link::Tcp(attempt, stream, BytesMut::new());
        }
        Some(Ended::Attempt(attempt, Err(error))) => plan.connected(attempt, Err((&error).into()), now),
        None => plan.timeout(now),
    }
    link
}

/// Puts TLS around TCP. `None` if its time is over.
#[cfg(feature = "tls")]
async fn secure<R: Dialer>(
    connector: &Connector<R>,
    link: &mut Link<R>,
    server_name: &str,
    plan: &Dial,
    timer: &mut R::Timer,
) -> Option<Result<TlsParams, StepError<TlsFault>>> {
    let (attempt, stream, input) = link.take_tcp();
    let handshake = connector.tls.begin::<R::Stream, R>(stream, server_name, input);
    let secured = within(timer, plan.deadline(), handshake).await?;
    Some(secured.map(|stream| {
        let params = stream.params();
        *link = Link::Secure(attempt, stream.into());
        params
    }))
}

/// Without TLS, `wss` goes no further.
#[cfg(not(feature = "tls"))]
#[expect(clippy::unused_async, reason = "its twin has to wait")]
async fn secure<R: Dialer>(
    _connector: &Connector<R>,
    link: &mut Link<R>,
    _server_name: &str,
    _plan: &Dial,
    _timer: &mut R::Timer,
) -> Option<Result<TlsParams, StepError<TlsFault>>> {
    *link = Link::None;
    Some(Err(StepError::new(TlsFault::Unavailable, "")))
}

/// Why the opening handshake did not end in a WebSocket.
enum Unopened {
    Handshake {
        error: HandshakeError,
        io: Option<io::Error>,
        peer: Option<SocketAddr>,
        span: Span,
    },
    /// TLS failed below it.
    #[cfg(feature = "tls")]
    Tls(StepError<TlsFault>),
}

impl<R: Dialer> Link<R> {
    /// Closes the connection if it is that of `attempt`.
    fn without(self, attempt: AttemptId) -> Self {
        match &self {
            Self::Tcp(own, ..) if *own == attempt => Self::None,
            #[cfg(feature = "tls")]
            Self::Secure(own, _) if *own == attempt => Self::None,
            _ => self,
        }
    }

    fn take_tcp(&mut self) -> (AttemptId, R::Stream, BytesMut) {
        match mem::replace(self, Self::None) {
            Self::Tcp(attempt, stream, input) => (attempt, stream, input),
            // INVARIANT: the plan takes this step after a connection was reported, and once.
            _ => unreachable!("a step for TCP without TCP"),
        }
    }

    async fn pass_proxy(
        &mut self,
        mut handshake: ProxyHandshake,
        timer: &mut R::Timer,
    ) -> Result<(), ProxyError> {
        let (attempt, mut stream, mut input) = self.take_tcp();
        let passed = poll_fn(|cx| {
            poll_exchange::<R::Stream, R, _>(&mut stream, timer, &mut input, cx, &mut handshake)
        })
        .await;
        passed.map_err(|(error, _)| error)?;
        *self = Self::Tcp(attempt, stream, input);
        Ok(())
    }

    /// Does the opening handshake. The outer error is one of this end.
    async fn open(
        &mut self,
        request: &ClientRequest,
        config: &ClientConfig,
    ) -> Result<Result<Box<Opened<R>>, Unopened>, Error> {
        let (stream, input) = match mem::replace(self, Self::None) {
            Self::Tcp(_, stream, input) => (MaybeTls::plain(stream), input),
            #[cfg(feature = "tls")]
            Self::Secure(_, stream) => (stream, BytesMut::new()),
            _ => unreachable!("a handshake without a connection"),
        };
        let mut opening =
            Opening::<MaybeTls<R::Stream, R>, R>::resumed(stream, input, Role::Client, config.timeouts.close);
        let handshake = ClientHandshake::new(request, config, entropy()?, opening.timer.now());
        match opening.run_quietly(handshake).await {
            Ok((connection, response)) => Ok(Ok(Box::new(Opened { opening, connection, response }))),
            Err((error, io)) => {
                #[cfg(feature = "tls")]
                if let Some(below) = opening.stream.tls().and_then(|tls| tls.error()) {
                    return Ok(Err(Unopened::Tls(crate::tls::late_fault(below))));
                }
                opening.tell(&error).await;
                Ok(Err(Unopened::Handshake { error, io, peer: opening.peer, span: opening.span }))
            }
        }
    }
}
