//! A byte stream on which the opening handshake runs: reads, writes, and says farewell when it fails.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use sansocket::{
    Answer, ClientHandshake, ClientStep, Connection, Farewell, HandshakeError, Instant, PendingRequest,
    PlainRequest, Response, Role, ServerHandshake, ServerStep, TransportError,
};
use tracing::{Span, debug};

use crate::error::Error;
use crate::pool;
use crate::runtime::{Timer, Transport};
use crate::telemetry;
use crate::websocket::{Agreed, WebSocket};

/// What went wrong, and what the operating system says to it.
type Failed = (HandshakeError, Option<io::Error>);

/// A stream before it is a WebSocket.
pub(crate) struct Opening<S, R: Transport<S>> {
    stream: S,
    pub(crate) timer: R::Timer,
    /// Bytes that came behind the head.
    input: BytesMut,
    /// How long a refused peer gets to take its answer.
    linger: Duration,
    role: Role,
    pub(crate) span: Span,
}

impl<S: Send + 'static, R: Transport<S>> Opening<S, R> {
    pub(crate) fn new(stream: S, role: Role, linger: Duration) -> Self {
        let span = telemetry::span(role, R::prepare(&stream));
        Self { stream, timer: R::Timer::default(), input: BytesMut::new(), linger, role, span }
    }

    /// Runs a handshake to its end, writing `output` meanwhile. If it fails, the peer is told.
    pub(crate) async fn run<H: Handshake>(
        &mut self,
        mut handshake: H,
        output: &mut Bytes,
    ) -> Result<H::Done, Error> {
        let (error, io) = match poll_fn(|cx| self.poll(cx, &mut handshake, output)).await {
            Ok(done) => return Ok(done),
            Err(failed) => failed,
        };
        Err(self.fail(error, io).await)
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

    /// Reports a handshake that failed, to the log and to the peer.
    pub(crate) async fn fail(&mut self, error: HandshakeError, io: Option<io::Error>) -> Error {
        self.span.in_scope(|| telemetry::failed(&error, io.as_ref()));
        self.tell(&error).await;
        Error::Handshake { error, io }
    }

    /// Answers a plain HTTP request. Errors change nothing any more.
    pub(crate) async fn answer(&mut self, request: PlainRequest, answer: impl Into<Answer>) {
        self.span.in_scope(|| debug!(target: telemetry::TARGET, method = request.method(), target = request.target(), "plain HTTP"));
        let farewell = request.answer(answer, self.linger, self.timer.now());
        self.say(farewell).await;
    }

    /// Tells the peer why there is no connection. Errors change nothing any more.
    pub(crate) async fn tell(&mut self, error: &HandshakeError) {
        self.say(error.farewell(self.linger, self.timer.now())).await;
    }

    /// Writes the last words, and makes sure that they arrive.
    async fn say(&mut self, mut farewell: Farewell) {
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
        let Self { stream, timer, input, role, span, .. } = self;
        span.in_scope(|| telemetry::opened(role));
        WebSocket::open(stream, timer, connection, input, agreed, span)
    }
}

/// What the core's two handshakes have in common.
pub(crate) trait Handshake {
    type Done;
    fn receive(&mut self, input: &mut BytesMut, now: Instant) -> Result<Option<Self::Done>, HandshakeError>;
    fn eof(&mut self, now: Instant) -> HandshakeError;
    fn failed(&mut self, error: TransportError, now: Instant) -> HandshakeError;
    fn deadline(&self) -> Option<Instant>;
    fn timeout(&mut self, now: Instant) -> Result<(), HandshakeError>;
}

macro_rules! handshake {
    ($type:ty, $done:ty, $($step:pat => $value:expr),+) => {
        impl Handshake for $type {
            type Done = $done;

            fn receive(
                &mut self,
                input: &mut BytesMut,
                now: Instant,
            ) -> Result<Option<$done>, HandshakeError> {
                match self.receive(input, now)? {
                    $($step => Ok(Some($value)),)+
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

/// What a client asks for.
pub(crate) enum Asked {
    WebSocket(PendingRequest),
    Http(PlainRequest),
}

handshake!(
    ServerHandshake,
    Asked,
    ServerStep::Request(pending) => Asked::WebSocket(pending),
    ServerStep::Http(request) => Asked::Http(request)
);
handshake!(ClientHandshake, (Connection, Response), ClientStep::Open(connection, response) => (connection, response));
