//! The opening handshake over a byte stream, in both roles.
//!
//! The stream is handed over and only comes back as an open WebSocket: a future that is dropped closes it.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use sansocket::{
    Accept, AcceptError, ClientConfig, ClientHandshake, ClientRequest, ClientStep, Connection, Entropy,
    Farewell, HandshakeError, Instant, PendingRequest, Reject, Request, Response, ServerConfig,
    ServerHandshake, ServerStep, TransportError,
};

use crate::error::Error;
use crate::pool;
use crate::runtime::{Timer, Transport};
use crate::websocket::{Agreed, WebSocket};

/// A client's request that waits for an answer. Made by [`receive_request`]; dropped, it closes the stream.
pub struct Incoming<S, R: Transport<S>> {
    opening: Opening<S, R>,
    pending: PendingRequest,
}

/// Reads a client's request from a connected stream, checks it, and leaves the answer to the caller.
///
/// For decisions that take time; [`accept_with`] is shorter where they do not. The handshake's time limit ends with the request.
///
/// # Errors
///
/// [`Error::Handshake`] if no acceptable request came. The client has then been told, if it speaks HTTP.
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn receive_request<S: Send + 'static, R: Transport<S>>(
    stream: S,
    config: &ServerConfig,
) -> Result<Incoming<S, R>, Error> {
    let handshake = async {
        let mut opening = Opening::<S, R>::new(stream, config.timeouts.close);
        let handshake = ServerHandshake::new(config, opening.timer.now());
        let pending = opening.run(handshake, &mut Bytes::new()).await?;
        Ok(Incoming { opening, pending })
    };
    // Two kilobytes that are needed now and not for the life of the task.
    Box::pin(handshake).await
}

impl<S: Send + 'static, R: Transport<S>> Incoming<S, R> {
    /// What the client asks for.
    #[must_use]
    pub fn request(&self) -> &Request {
        self.pending.request()
    }

    /// Accepts the request and sends the answer.
    ///
    /// # Errors
    ///
    /// [`Error::Accept`] if `accept` does not fit the request: a subprotocol that the client did not offer.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the stream.
    pub async fn accept(self, accept: Accept) -> Result<WebSocket<S, R>, Error> {
        let Self { mut opening, pending } = self;
        let subprotocol = accept.chosen_subprotocol().map(Box::from);
        let now = opening.timer.now();
        match pending.accept(accept, now) {
            Ok(connection) => {
                let mut socket = opening.into_websocket(connection, Agreed::Subprotocol(subprotocol));
                socket.flush().await?;
                Ok(socket)
            }
            Err(AcceptError { pending, reason, .. }) => {
                opening.tell(&pending.reject(Reject::new(500), now)).await;
                Err(Error::Accept(reason))
            }
        }
    }

    /// Refuses the request with an HTTP answer, and makes sure that it arrives.
    ///
    /// Returns the refusal as the error that it is for the caller of an accepting function.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the stream; the answer may be lost.
    pub async fn reject(mut self, reject: Reject) -> Error {
        let error = self.pending.reject(reject, self.opening.timer.now());
        self.opening.tell(&error).await;
        Error::Handshake { error, io: None }
    }
}

/// Accepts a client's request on a connected stream; `decide` answers it.
///
/// # Errors
///
/// [`Error::Handshake`] if no acceptable request came or `decide` refused it. The client has then been told, if it speaks HTTP.
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn accept_with<S: Send + 'static, R: Transport<S>>(
    stream: S,
    config: &ServerConfig,
    decide: impl FnOnce(&Request) -> Result<Accept, Reject>,
) -> Result<WebSocket<S, R>, Error> {
    let accepting = async {
        let incoming = receive_request(stream, config).await?;
        match decide(incoming.request()) {
            Ok(accept) => incoming.accept(accept).await,
            Err(reject) => Err(incoming.reject(reject).await),
        }
    };
    Box::pin(accepting).await
}

/// Sends a request on a connected stream, and checks the answer.
///
/// # Errors
///
/// [`Error::Handshake`] if the server did not agree, or did not answer as it must.
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn client<S: Send + 'static, R: Transport<S>>(
    stream: S,
    request: &ClientRequest,
    config: &ClientConfig,
) -> Result<WebSocket<S, R>, Error> {
    let handshake = async {
        let mut opening = Opening::<S, R>::new(stream, config.timeouts.close);
        let mut handshake = ClientHandshake::new(request, config, entropy()?, opening.timer.now());
        let mut head = std::mem::take(handshake.transmit());
        let (connection, response) = opening.run(handshake, &mut head).await?;
        Ok(opening.into_websocket(connection, Agreed::Response(Box::new(response))))
    };
    Box::pin(handshake).await
}

/// Dials the server that `request` names, and opens a WebSocket there.
///
/// # Errors
///
/// [`Error::Connect`] if there is no connection within [`Timeouts::connect`](sansocket::Timeouts::connect);
/// [`Error::TlsUnavailable`] for `wss`; and as [`client`].
///
/// # Cancel safety
///
/// Dropping the future closes the stream.
pub async fn connect<S: Send + 'static, R: Transport<S>, D: Future<Output = io::Result<S>>>(
    request: &ClientRequest,
    config: &ClientConfig,
    dial: impl FnOnce(Box<str>, u16) -> D,
) -> Result<WebSocket<S, R>, Error> {
    let url = request.url();
    let target = || format!("{}:{}", url.host(), url.port()).into();
    if url.is_secure() {
        return Err(Error::TlsUnavailable { target: target() });
    }
    let mut timer = R::Timer::default();
    let deadline = config.timeouts.connect.map(|limit| timer.now() + limit);
    let dialled = within(&mut timer, deadline, dial(url.host().into(), url.port())).await;
    let stream = dialled
        .unwrap_or_else(|| Err(io::Error::new(io::ErrorKind::TimedOut, "timeouts.connect is over")))
        .map_err(|io| Error::Connect { target: target(), io })?;
    // What is left of the time is the handshake's, so that it says itself how far it came.
    let mut config = config.clone();
    let left = deadline.map(|deadline| deadline.since(timer.now()));
    config.timeouts.handshake = [config.timeouts.handshake, left].into_iter().flatten().min();
    client(stream, request, &config).await
}

/// What `future` gives, or `None` if the deadline comes first.
async fn within<T>(
    timer: &mut impl Timer,
    deadline: Option<Instant>,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        let Some(deadline) = deadline else { return Poll::Pending };
        timer.poll_until(cx, deadline).map(|()| None)
    })
    .await
}

/// What went wrong, and what the operating system says to it.
type Failed = (HandshakeError, Option<io::Error>);

/// A stream before it is a WebSocket.
struct Opening<S, R: Transport<S>> {
    stream: S,
    timer: R::Timer,
    /// Bytes that came behind the head.
    input: BytesMut,
    /// How long a refused peer gets to take its answer.
    linger: Duration,
}

impl<S: Send + 'static, R: Transport<S>> Opening<S, R> {
    fn new(stream: S, linger: Duration) -> Self {
        R::prepare(&stream);
        Self { stream, timer: R::Timer::default(), input: BytesMut::new(), linger }
    }

    /// Runs a handshake to its end, writing `output` meanwhile. If it fails, the peer is told.
    async fn run<H: Handshake>(&mut self, mut handshake: H, output: &mut Bytes) -> Result<H::Done, Error> {
        let (error, io) = match poll_fn(|cx| self.poll(cx, &mut handshake, output)).await {
            Ok(done) => return Ok(done),
            Err(failed) => failed,
        };
        self.tell(&error).await;
        Err(Error::Handshake { error, io })
    }

    fn poll<H: Handshake>(
        &mut self,
        cx: &mut Context<'_>,
        handshake: &mut H,
        output: &mut Bytes,
    ) -> Poll<Result<H::Done, Failed>> {
        let Self { stream, timer, input, .. } = self;
        let mut write_failed = None;
        while output.has_remaining() {
            match R::poll_write(stream, cx, output) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0)) => write_failed = Some(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Err(error)) => write_failed = Some(error),
                Poll::Pending => break,
            }
            if write_failed.is_some() {
                // The peer may have answered before it closed: read first.
                output.clear();
            }
        }
        let _ = R::poll_flush(stream, cx);
        loop {
            let mut block = pool::take();
            let read = R::poll_read(stream, cx, &mut block);
            let now = timer.now();
            let failed = match read {
                Poll::Ready(Ok(0)) => match write_failed {
                    Some(error) => Some(error),
                    None => return Poll::Ready(Err((handshake.eof(now), None))),
                },
                Poll::Ready(Ok(_)) => {
                    let step = handshake.receive(&mut block, now);
                    if block.is_empty() {
                        pool::give(block);
                    } else {
                        *input = block;
                    }
                    match step {
                        Ok(None) => continue,
                        Ok(Some(done)) => return Poll::Ready(Ok(done)),
                        Err(error) => return Poll::Ready(Err((error, None))),
                    }
                }
                Poll::Ready(Err(error)) => Some(error),
                Poll::Pending => {
                    pool::give(block);
                    write_failed
                }
            };
            if let Some(error) = failed {
                return Poll::Ready(Err((handshake.failed(TransportError::from(&error), now), Some(error))));
            }
            let Some(deadline) = handshake.deadline() else { return Poll::Pending };
            ready!(timer.poll_until(cx, deadline));
            if let Err(error) = handshake.timeout(timer.now()) {
                return Poll::Ready(Err((error, None)));
            }
            write_failed = None;
        }
    }

    /// Tells the peer why there is no connection, and makes sure that it hears it. Errors change nothing any more.
    async fn tell(&mut self, error: &HandshakeError) {
        let Self { stream, timer, linger, .. } = self;
        let mut farewell = error.farewell(*linger, timer.now());
        poll_fn(|cx| {
            loop {
                let progress = Self::poll_farewell(stream, cx, &mut farewell);
                let Some(deadline) = farewell.deadline() else { return Poll::Ready(()) };
                match progress {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => {
                        ready!(timer.poll_until(cx, deadline));
                        farewell.timeout(timer.now());
                    }
                }
            }
        })
        .await;
    }

    fn poll_farewell(stream: &mut S, cx: &mut Context<'_>, farewell: &mut Farewell) -> Poll<io::Result<()>> {
        while farewell.transmit().has_remaining() {
            if ready!(R::poll_write(stream, cx, farewell.transmit()))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        ready!(R::poll_flush(stream, cx))?;
        if farewell.wants_shutdown() {
            ready!(R::poll_shutdown(stream, cx))?;
            let mut block = pool::take();
            let read = R::poll_read(stream, cx, &mut block);
            pool::give(block);
            match ready!(read)? {
                0 => farewell.eof(),
                len => farewell.discard(len),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn into_websocket(self, connection: Connection, agreed: Agreed) -> WebSocket<S, R> {
        WebSocket::open(self.stream, self.timer, connection, self.input, agreed)
    }
}

/// What the core's two handshakes have in common.
trait Handshake {
    type Done;
    fn receive(&mut self, input: &mut BytesMut, now: Instant) -> Result<Option<Self::Done>, HandshakeError>;
    fn eof(&mut self, now: Instant) -> HandshakeError;
    fn failed(&mut self, error: TransportError, now: Instant) -> HandshakeError;
    fn deadline(&self) -> Option<Instant>;
    fn timeout(&mut self, now: Instant) -> Result<(), HandshakeError>;
}

macro_rules! handshake {
    ($type:ty, $done:ty, $step:pat => $value:expr) => {
        impl Handshake for $type {
            type Done = $done;

            fn receive(
                &mut self,
                input: &mut BytesMut,
                now: Instant,
            ) -> Result<Option<$done>, HandshakeError> {
                match self.receive(input, now)? {
                    $step => Ok(Some($value)),
                    _ => Ok(None),
                }
            }

            fn eof(&mut self, now: Instant) -> HandshakeError {
                self.eof(now)
            }

            fn failed(&mut self, error: TransportError, now: Instant) -> HandshakeError {
                self.failed(error, now)
            }

            fn deadline(&self) -> Option<Instant> {
                self.deadline()
            }

            fn timeout(&mut self, now: Instant) -> Result<(), HandshakeError> {
                self.timeout(now)
            }
        }
    };
}

handshake!(ServerHandshake, PendingRequest, ServerStep::Request(pending) => pending);
handshake!(ClientHandshake, (Connection, Response), ClientStep::Open(connection, response) => (connection, response));

/// A seed from the operating system.
fn entropy() -> Result<Entropy, Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Error::Entropy(io::Error::other(error)))?;
    Ok(Entropy::from_seed(seed))
}
