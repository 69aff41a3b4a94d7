//! What the driver needs of tokio.

use std::any::Any;
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, BufMut};
use sansocket::{Addresses, Instant, TcpOptions};
use sansocket_driver::{Dialer, Listen, MaybeTls, Runtime, Timer, Transport, clock, set_tcp_options};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{self, TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::task;
use tokio::time::{self, Sleep};
use tokio_util::io::poll_read_buf;

/// The tokio runtime, as the driver sees it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Tokio;

impl Runtime for Tokio {
    type Timer = Alarm;

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        // Without a runtime, as in a destructor after its end, nothing can be written any more.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(task);
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + 'static> Transport<S> for Tokio {
    fn prepare(stream: &S) {
        // A stream that was dialed has its options already.
        if let Some(tcp) = tcp(stream) {
            // Fails only on a stream that is closed already, which the first read reports better.
            let _ = tcp.set_nodelay(true);
        }
    }

    fn peer(stream: &S) -> Option<SocketAddr> {
        let any: &dyn Any = stream;
        let dialed = any.downcast_ref::<MaybeTls<TcpStream, Tokio>>().map(MaybeTls::get_ref);
        dialed.or_else(|| tcp(stream))?.peer_addr().ok()
    }

    fn poll_read(stream: &mut S, cx: &mut Context<'_>, buffer: &mut impl BufMut) -> Poll<io::Result<usize>> {
        poll_read_buf(Pin::new(stream), cx, buffer)
    }

    fn poll_write(stream: &mut S, cx: &mut Context<'_>, data: &mut impl Buf) -> Poll<io::Result<usize>> {
        poll_write(stream, cx, data)
    }

    fn poll_flush(stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(stream).poll_flush(cx)
    }

    fn poll_shutdown(stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(stream).poll_shutdown(cx)
    }

    fn part(mut stream: S) {
        // Dropped it is closed, which also ends the writing side.
        let any: &dyn Any = &stream;
        if !any.is::<TcpStream>() {
            let _ = Self::poll_shutdown(&mut stream, &mut Context::from_waker(Waker::noop()));
        }
    }
}

/// Writes some bytes from the front of `data`, and advances it by as many.
#[inline]
pub(crate) fn poll_write<S: AsyncWrite + Unpin>(
    stream: &mut S,
    cx: &mut Context<'_>,
    data: &mut impl Buf,
) -> Poll<io::Result<usize>> {
    let first = data.chunk();
    // A list of one piece costs more than the piece, in the kernel too.
    let written = if first.len() == data.remaining() || !stream.is_write_vectored() {
        ready!(Pin::new(stream).poll_write(cx, first))?
    } else {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let filled = data.chunks_vectored(&mut slices);
        ready!(Pin::new(stream).poll_write_vectored(cx, &slices[..filled]))?
    };
    data.advance(written);
    Poll::Ready(Ok(written))
}

/// TCP, in itself or below TLS.
fn tcp(stream: &dyn Any) -> Option<&TcpStream> {
    #[cfg(feature = "tls")]
    if let Some(stream) = stream.downcast_ref::<sansocket_driver::TlsStream<TcpStream, Tokio>>() {
        return Some(stream.get_ref());
    }
    stream.downcast_ref()
}

impl Dialer for Tokio {
    type Stream = TcpStream;

    async fn resolve(host: String, port: u16, _addresses: Addresses) -> io::Result<Vec<SocketAddr>> {
        Ok(net::lookup_host((host, port)).await?.collect())
    }

    async fn connect(address: SocketAddr, tcp: TcpOptions) -> io::Result<TcpStream> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        set_tcp_options(&socket, tcp)?;
        socket.connect(address).await
    }
}

impl Listen for Tokio {
    type Listener = TcpListener;

    async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(address).await
    }

    fn local_address(listener: &TcpListener) -> io::Result<SocketAddr> {
        listener.local_addr()
    }

    async fn accept(listener: &mut TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
        listener.accept().await
    }
}

/// An alarm of tokio's timer, made when it is first needed.
#[derive(Debug, Default)]
pub struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
    deadline: Instant,
}

impl Timer for Alarm {
    fn now(&self) -> Instant {
        clock::to_core(time::Instant::now().into_std())
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let at = || time::Instant::from_std(clock::from_core(deadline));
        let sleep = self.sleep.get_or_insert_with(|| {
            self.deadline = deadline;
            Box::pin(time::sleep_until(at()))
        });
        if self.deadline != deadline {
            self.deadline = deadline;
            sleep.as_mut().reset(at());
        }
        // Outside of the task's budget: a task that has used it up would leave the alarm unset, and `is_set` could not tell.
        pin!(task::unconstrained(sleep.as_mut())).poll(cx)
    }

    fn is_set(&self, deadline: Instant) -> bool {
        self.deadline == deadline && self.sleep.as_ref().is_some_and(|sleep| !sleep.is_elapsed())
    }
}

/// Pieces per vectored write: a full queue has a header and a payload for each of its large messages.
const MAX_SLICES: usize = 32;

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::task::Poll;
    use std::time::Duration;

    use sansocket_driver::Timer;
    use tokio::task::consume_budget;
    use tokio::time::timeout;

    use super::Alarm;

    /// The driver leaves an alarm alone that says it is set.
    #[tokio::test]
    async fn an_alarm_is_set_even_by_a_task_that_has_used_up_its_budget() {
        let mut alarm = Alarm::default();
        let deadline = alarm.now() + Duration::from_millis(5);
        let mut polled = false;
        let rings = poll_fn(|cx| {
            if !polled {
                while pin!(consume_budget()).poll(cx).is_ready() {}
                polled = true;
                return alarm.poll_until(cx, deadline);
            }
            if alarm.is_set(deadline) { Poll::Pending } else { alarm.poll_until(cx, deadline) }
        });
        timeout(Duration::from_secs(5), rings).await.expect("it rings");
        assert!(!alarm.is_set(deadline));
    }
}
