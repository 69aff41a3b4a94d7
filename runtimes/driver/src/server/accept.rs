//! Listening: from a builder's options to tasks that accept, and the one that keeps the time of the end.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Poll, ready};
use std::time::Duration;

use sansocket::Addresses;
use tracing::{debug, info, warn};

use super::backoff::Backoff;
use super::budget::Budget;
use super::builder::{ServerBuilder, Source};
use super::connection::serve;
use super::signal::{Level, Watch};
use super::state::State;
use super::{Handler, Listen, Policy, ServerHandle, SharedPolicy};
use crate::runtime::Timer;
use crate::telemetry::TARGET;

/// Listens on all addresses, and spawns what serves them.
pub(super) async fn start<R: Listen>(
    options: ServerBuilder<R>,
    handler: Handler<R>,
) -> io::Result<ServerHandle> {
    let mut listeners = Vec::new();
    for source in options.sources {
        match source {
            Source::Address(text) => listen::<R>(&text, &mut listeners).await?,
            Source::Listener(listener) => {
                let address = R::local_address(&listener).map_err(|error| {
                    io::Error::new(
                        error.kind(),
                        format!("cannot listen on the listener that was given: {error}"),
                    )
                })?;
                listeners.push((listener, address));
            }
        }
    }
    let ServerBuilder { limits, mut config, drain_limit, max_memory, memory_per_connection, .. } = options;
    config.plain_http |= options.answer_http.is_some();
    let addresses: Vec<SocketAddr> = listeners.iter().map(|(_, address)| *address).collect();
    let budget = max_memory.map(Budget::new);
    let now = || R::Timer::default().now();
    let state = State::new(limits, budget, memory_per_connection, addresses, drain_limit, now);
    let state = Arc::new(state);
    let policy = Arc::new(Policy {
        config,
        #[cfg(feature = "tls")]
        tls: options.tls,
        origins: options.origins,
        subprotocols: options.subprotocols,
        decide: options.decide,
        answer_http: options.answer_http,
        handler,
        runtime: std::marker::PhantomData,
    });
    R::spawn(supervise::<R>(Arc::clone(&state)));
    for (listener, address) in listeners {
        info!(target: TARGET, %address, "listening");
        let listening = Listening { listener: Some(listener), state: Arc::clone(&state) };
        R::spawn(accept(listening, address, Arc::clone(&policy)));
    }
    Ok(ServerHandle { state })
}

/// Listens on all addresses of a name, or on one that is an address already.
async fn listen<R: Listen>(text: &str, listeners: &mut Vec<(R::Listener, SocketAddr)>) -> io::Result<()> {
    let explain =
        |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {text}: {error}"));
    let addresses = match text.parse() {
        Ok(address) => vec![address],
        Err(_) => {
            let split = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
            let (host, port) = split.ok_or_else(|| {
                explain(io::Error::new(io::ErrorKind::InvalidInput, "it is not of the form host:port"))
            })?;
            R::resolve(host.to_owned(), port, Addresses::default()).await.map_err(explain)?
        }
    };
    let before = listeners.len();
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match R::listen(address).await {
            Ok(listener) => {
                let address = R::local_address(&listener).map_err(explain)?;
                listeners.push((listener, address));
            }
            Err(error) => {
                // A name may have an address of a family that this machine has not.
                debug!(target: TARGET, %address, %error, "cannot listen on this address of {text}");
                failed = error;
            }
        }
    }
    if listeners.len() == before { Err(explain(failed)) } else { Ok(()) }
}

/// Accepts until the server has ended.
async fn accept<R: Listen>(mut listening: Listening<R>, local: SocketAddr, policy: SharedPolicy<R>) {
    let state = Arc::clone(&listening.state);
    let Some(listener) = &mut listening.listener else { return };
    let mut watch = Watch::new(&state.signal);
    let mut timer = R::Timer::default();
    let mut backoff = Backoff::default();
    let mut in_a_row = 0;
    loop {
        let accepted = {
            let mut accepting = pin!(R::accept(listener));
            poll_fn(|cx| match watch.level(cx) {
                Level::Stopped => Poll::Ready(None),
                _ => accepting.as_mut().poll(cx).map(Some),
            })
            .await
        };
        let pause = match accepted {
            None => return,
            Some(Ok((stream, peer))) => {
                backoff.succeeded();
                if let Some(place) = state.arrive(peer.ip()) {
                    R::spawn(serve(stream, peer, local, place, Arc::clone(&policy)));
                }
                in_a_row += 1;
                if in_a_row < IN_A_ROW {
                    continue;
                }
                // Whoever floods a listener does not get the thread for himself.
                in_a_row = 0;
                Duration::ZERO
            }
            Some(Err(error)) => {
                let times = state.accept_errors.fetch_add(1, Ordering::Relaxed) + 1;
                let Some(pause) = backoff.failed(&error) else {
                    debug!(target: TARGET, %local, %error, "a connection went away before it was accepted");
                    continue;
                };
                let pause_ms = pause.as_millis() as u64;
                warn!(target: TARGET, %local, %error, times, pause_ms, "cannot accept; trying again after a pause");
                pause
            }
        };
        wait::<R>(&mut timer, &mut watch, pause).await;
    }
}

/// Waits, or until the server has ended; without a pause, until others had their turn.
async fn wait<R: Listen>(timer: &mut R::Timer, watch: &mut Watch<'_>, pause: Duration) {
    let until = timer.now() + pause;
    let mut turns = 0;
    poll_fn(|cx| {
        turns += 1;
        if pause.is_zero() {
            if turns > 1 {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match watch.level(cx) {
            Level::Stopped => Poll::Ready(()),
            _ => timer.poll_until(cx, until),
        }
    })
    .await;
}

/// Keeps the time of the end, and stops everything when it is over.
async fn supervise<R: Listen>(state: Arc<State>) {
    let stops = Stops(state);
    let state = &stops.0;
    let mut timer = R::Timer::default();
    poll_fn(|cx| {
        loop {
            state.waiters.register(cx);
            let mut admission = state.admission();
            admission.timeout(timer.now());
            if admission.report().is_some() {
                return Poll::Ready(());
            }
            let deadline = admission.deadline();
            drop(admission);
            match deadline {
                None => return Poll::Pending,
                Some(deadline) => ready!(timer.poll_until(cx, deadline)),
            }
        }
    })
    .await;
}

/// Stops the server when it is dropped: when its end has come, or the runtime drops the task that waits for it.
struct Stops(Arc<State>);

impl Drop for Stops {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// A listener that is open.
struct Listening<R: Listen> {
    /// `None` only while it is dropped: it is closed before that is told.
    listener: Option<R::Listener>,
    state: Arc<State>,
}

impl<R: Listen> Drop for Listening<R> {
    fn drop(&mut self) {
        self.listener = None;
        self.state.listening.fetch_sub(1, Ordering::SeqCst);
        self.state.waiters.wake_all();
    }
}

/// Connections that are accepted before others get their turn.
const IN_A_ROW: usize = 32;
