//! What the driver needs of async-std.

use std::any::Any;
use std::future::Future;
use std::io;
use std::net::Shutdown;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time;

use ::futures_io::{AsyncRead, AsyncWrite};
use async_std::net::TcpStream;
use async_std::task;
use bytes::{Buf, BufMut};
use sansocket::Instant;
use sansocket_driver::{Runtime, Timer, Transport, clock, futures_io};

/// The async-std runtime, as the driver sees it.
#[derive(Debug)]
#[non_exhaustive]
pub struct AsyncStd;

impl Runtime for AsyncStd {
    type Timer = Alarm;

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        drop(task::spawn(task));
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + 'static> Transport<S> for AsyncStd {
    fn prepare(stream: &S) -> Option<SocketAddr> {
        let tcp = (stream as &dyn Any).downcast_ref::<TcpStream>()?;
        // Fails only on a stream that is closed already, which the first read reports better.
        let _ = tcp.set_nodelay(true);
        tcp.peer_addr().ok()
    }

    fn poll_read(stream: &mut S, cx: &mut Context<'_>, buffer: &mut impl BufMut) -> Poll<io::Result<usize>> {
        futures_io::poll_read(stream, cx, buffer)
    }

    fn poll_write(stream: &mut S, cx: &mut Context<'_>, data: &mut impl Buf) -> Poll<io::Result<usize>> {
        futures_io::poll_write(stream, cx, data)
    }

    fn poll_flush(stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(stream).poll_flush(cx)
    }

    fn poll_shutdown(stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut *stream).poll_close(cx))?;
        // For async-std's own TCP stream that was a flush and nothing more.
        Poll::Ready(match (stream as &dyn Any).downcast_ref::<TcpStream>() {
            Some(tcp) => tcp.shutdown(Shutdown::Write),
            None => Ok(()),
        })
    }
}

/// An alarm of async-std's timer, made when it is first needed.
#[derive(Default)]
pub struct Alarm {
    sleep: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    deadline: Instant,
}

impl Timer for Alarm {
    fn now(&self) -> Instant {
        clock::to_core(time::Instant::now())
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if self.deadline != deadline {
            self.sleep = None;
            self.deadline = deadline;
        }
        let now = self.now();
        self.sleep.get_or_insert_with(|| Box::pin(task::sleep(deadline.since(now)))).as_mut().poll(cx)
    }
}
