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
use async_std::net::{TcpListener, TcpStream, ToSocketAddrs as _};
use async_std::task;
use bytes::{Buf, BufMut};
use sansocket::{Addresses, Instant, TcpOptions};
use sansocket_driver::{
    Dialer, Listen, MaybeTls, Runtime, Timer, Transport, clock, futures_io, set_tcp_options,
};

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
    fn prepare(stream: &S) {
        // A stream that was dialed has its options already.
        if let Some(tcp) = tcp(stream) {
            // Fails only on a stream that is closed already, which the first read reports better.
            let _ = tcp.set_nodelay(true);
        }
    }

    fn peer(stream: &S) -> Option<SocketAddr> {
        let any: &dyn Any = stream;
        let dialed = any.downcast_ref::<MaybeTls<TcpStream, AsyncStd>>().map(MaybeTls::get_ref);
        dialed.or_else(|| tcp(stream))?.peer_addr().ok()
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

/// TCP, in itself or below TLS.
fn tcp(stream: &dyn Any) -> Option<&TcpStream> {
    #[cfg(feature = "tls")]
    if let Some(stream) = stream.downcast_ref::<sansocket_driver::TlsStream<TcpStream, AsyncStd>>() {
        return Some(stream.get_ref());
    }
    stream.downcast_ref()
}

impl Dialer for AsyncStd {
    type Stream = TcpStream;

    async fn resolve(host: String, port: u16, _addresses: Addresses) -> io::Result<Vec<SocketAddr>> {
        Ok((&*host, port).to_socket_addrs().await?.collect())
    }

    async fn connect(address: SocketAddr, tcp: TcpOptions) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        set_tcp_options(&stream, tcp)?;
        Ok(stream)
    }
}

impl Listen for AsyncStd {
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
        // The time is asked for when the alarm is set, and not each time that it is looked at.
        let rest = || deadline.since(clock::to_core(time::Instant::now()));
        self.sleep.get_or_insert_with(|| Box::pin(task::sleep(rest()))).as_mut().poll(cx)
    }
}
