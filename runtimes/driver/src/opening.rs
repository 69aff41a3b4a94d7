//! A byte stream on which the opening handshake runs: reads, writes, and says farewell when it fails.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use sansocket::{
    Answer, ClientHandshake, ClientStep, Connection, Farewell, HandshakeError, Instant, PendingRequest,
    PlainRequest, ProxyError, ProxyHandshake, ProxyStep, Response, Role, ServerHandshake, ServerStep,
    TransportError,
};
use tracing::Span;

use crate::error::Error;
use crate::pool;
use crate::runtime::{Timer, Transport};
use crate::telemetry;
use crate::websocket::{Agreed, WebSocket};

/// What went wrong, and what the operating system says to it.
pub(crate) type Failed<E> = (E, Option<io::Error>);

/// A stream before it is a WebSocket.
pub(crate) struct Opening<S, R: Transport<S>> {
    pub(crate) stream: S,
    pub(crate) timer: R::Timer,
    /// Bytes that were read and not used: those that came behind the head, in the end.
    pub(crate) input: BytesMut,
    /// How long a refused peer gets to take its answer.
    linger: Duration,
    pub(crate) role: Role,
    /// For the log.
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) span: Span,
}

impl<S: Send + 'static, R: Transport<S>> Opening<S, R> {
    pub(crate) fn new(stream: S, role: Role, linger: Duration) -> Self {
        Self::resumed(stream, BytesMut::new(), role, linger)
    }

    /// As [`new`](Self::new), on a stream of which `input` was read already.
    pub(crate) fn resumed(stream: S, input: BytesMut, role: Role, linger: Duration) -> Self {
        R::prepare(&stream);
        let peer = telemetry::peer::<S, R>(&stream);
        let span = telemetry::span(role, peer);
        Self { stream, timer: R::Timer::default(), input, linger, role, peer, span }
    }

    /// Runs a handshake to its end. If it fails, that is logged, and the peer is told.
    pub(crate) async fn run<H>(&mut self, handshake: H) -> Result<H::Done, Error>
    where
        H: Handshake<Error = HandshakeError>,
    {
        let (error, io) = match self.run_quietly(handshake).await {
            Ok(done) => return Ok(done),
            Err(failed) => failed,
        };
        Err(self.fail(error, io).await)
    }

    /// Runs a handshake to its end, and nothing more.
    pub(crate) async fn run_quietly<H: Handshake>(
        &mut self,
        mut handshake: H,
    ) -> Result<H::Done, Failed<H::Error>> {
        let Self { stream, timer, input, .. } = self;
        poll_fn(|cx| poll_exchange::<S, R, H>(stream, timer, input, cx, &mut handshake)).await
    }

    /// Reports a handshake that failed, to the log and to the peer.
    pub(crate) async fn fail(&mut self, error: HandshakeError, io: Option<io::Error>) -> Error {
        self.span.in_scope(|| telemetry::failed(&error, io.as_ref(), self.peer));
        self.tell(&error).await;
        Error::Handshake { error, io }
    }

    /// Answers a plain HTTP request. Errors change nothing any more.
    pub(crate) async fn answer(&mut self, request: PlainRequest, answer: impl Into<Answer>) {
        self.span.in_scope(|| telemetry::plain_http(request.method(), request.path()));
        let farewell = request.answer(answer, self.linger, self.timer.now());
        self.say(farewell).await;
    }

    /// Tells the peer why there is no connection. Errors change nothing any more.
    pub(crate) async fn tell(&mut self, error: &HandshakeError) {
        self.say(error.farewell(self.linger, self.timer.now())).await;
    }

    /// Writes the last words, and makes sure that they arrive.
    pub(crate) async fn say(&mut self, mut farewell: Farewell) {
        let Self { stream, timer, .. } = self;
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

    pub(crate) fn into_websocket(self, connection: Connection, agreed: Agreed) -> WebSocket<S, R> {
        let Self { stream, input, role, span, .. } = self;
        span.in_scope(|| telemetry::opened(role));
        WebSocket::open(stream, connection, input, agreed, span)
    }
}

/// Goes on with a handshake: writes what it has to say, and gives it what comes.
pub(crate) fn poll_exchange<S, R: Transport<S>, H: Handshake>(
    stream: &mut S,
    timer: &mut R::Timer,
    input: &mut BytesMut,
    cx: &mut Context<'_>,
    handshake: &mut H,
) -> Poll<Result<H::Done, Failed<H::Error>>> {
    let mut write_failed = None;
    loop {
        while let Some(output) = handshake.output().filter(|output| output.has_remaining()) {
            match R::poll_write(stream, cx, output) {
                Poll::Ready(Ok(1..)) => continue,
                Poll::Ready(Ok(0)) => write_failed = Some(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Err(error)) => write_failed = Some(error),
                Poll::Pending => break,
            }
            // The peer may have answered before it closed: read first.
            output.clear();
        }
        let _ = R::poll_flush(stream, cx);
        let mut block = std::mem::take(input);
        let read = if block.is_empty() {
            block = pool::take();
            R::poll_read(stream, cx, &mut block)
        } else {
            Poll::Ready(Ok(block.len()))
        };
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

/// What the core's handshakes have in common.
pub(crate) trait Handshake {
    type Done;
    type Error;
    /// What is to be written.
    fn output(&mut self) -> Option<&mut Bytes>;
    fn receive(&mut self, input: &mut BytesMut, now: Instant) -> Result<Option<Self::Done>, Self::Error>;
    fn eof(&mut self, now: Instant) -> Self::Error;
    fn failed(&mut self, error: TransportError, now: Instant) -> Self::Error;
    fn deadline(&self) -> Option<Instant>;
    fn timeout(&mut self, now: Instant) -> Result<(), Self::Error>;
}

macro_rules! handshake {
    ($type:ty, $error:ty, $done:ty, $output:expr, $($step:pat => $value:expr),+) => {
        impl Handshake for $type {
            type Done = $done;
            type Error = $error;

            fn output(&mut self) -> Option<&mut Bytes> {
                let output: fn(&mut Self) -> Option<&mut Bytes> = $output;
                output(self)
            }

            fn receive(&mut self, input: &mut BytesMut, now: Instant) -> Result<Option<$done>, $error> {
                match self.receive(input, now)? {
                    $($step => Ok(Some($value)),)+
                    _ => Ok(None),
                }
            }

            fn eof(&mut self, now: Instant) -> $error {
                self.eof(now)
            }

            fn failed(&mut self, error: TransportError, now: Instant) -> $error {
                self.failed(error, now)
            }

            fn deadline(&self) -> Option<Instant> {
                self.deadline()
            }

            fn timeout(&mut self, now: Instant) -> Result<(), $error> {
                self.timeout(now)
            }
        }
    };
}

/// What a client asks for.
pub(crate) enum Asked {
    WebSocket(PendingRequest),
    Http(PlainRequest),
}

handshake!(
    ServerHandshake, HandshakeError, Asked, |_| None,
    ServerStep::Request(pending) => Asked::WebSocket(pending),
    ServerStep::Http(request) => Asked::Http(request)
);
handshake!(
    ClientHandshake, HandshakeError, (Connection, Response), |handshake| Some(handshake.transmit()),
    ClientStep::Open(connection, response) => (connection, response)
);
handshake!(
    ProxyHandshake, ProxyError, (), |handshake| Some(handshake.transmit()),
    ProxyStep::Open => ()
);
