//! What the driver needs of a runtime: bytes, time, and a place for one small task.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BufMut};
use sansocket::Instant;

/// An async runtime. Implemented once by each adapter, on a type without data.
pub trait Runtime: Sized + Send + Sync + 'static {
    /// The runtime's timer.
    type Timer: Timer;

    /// Runs `task` in the background.
    fn spawn(task: impl Future<Output = ()> + Send + 'static);
}

/// A clock and one alarm.
pub trait Timer: Default + Send + Unpin + 'static {
    /// The time.
    fn now(&self) -> Instant;

    /// Ready when `deadline` has come. Polled with another deadline, the alarm moves.
    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()>;

    /// Whether the alarm is set to `deadline` and has not rung: then it need not be polled again by who has polled it.
    ///
    /// This is asked for each message, so it should take a look and no more. `false` is always right.
    fn is_set(&self, _deadline: Instant) -> bool {
        false
    }
}

/// A runtime that can read and write the byte stream `S`.
///
/// `S` is the caller's own type: a TCP stream, a TLS stream, a pipe in memory.
pub trait Transport<S>: Runtime {
    /// Sets the stream up before the first byte: no delay of small writes, where the stream has such a delay.
    fn prepare(stream: &S);

    /// The peer's address, where the stream knows it. Only asked for if somebody listens to the log.
    fn peer(stream: &S) -> Option<SocketAddr>;

    /// Reads some bytes to the end of `buffer`, at most as many as it has room for; 0 means the end of the stream.
    fn poll_read(stream: &mut S, cx: &mut Context<'_>, buffer: &mut impl BufMut) -> Poll<io::Result<usize>>;

    /// Writes some bytes from the front of `data`, and advances it by as many.
    fn poll_write(stream: &mut S, cx: &mut Context<'_>, data: &mut impl Buf) -> Poll<io::Result<usize>>;

    /// Passes on what the stream itself may hold back.
    fn poll_flush(stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ends the writing side.
    fn poll_shutdown(stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Gives the stream up, with one attempt to end the writing side. A stream for which to drop it says the same needs none.
    fn part(mut stream: S) {
        let _ = Self::poll_shutdown(&mut stream, &mut Context::from_waker(Waker::noop()));
    }
}
