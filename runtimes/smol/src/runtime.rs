//! What the driver needs of smol.

use std::any::Any;
use std::future::Future;
use std::io;
use std::net::{self, Shutdown, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time;

use ::futures_io::{AsyncRead, AsyncWrite};
use bytes::{Buf, BufMut};
use sansocket::{Addresses, Instant, TcpOptions};
use sansocket_driver::{
    Dialer, Listen, MaybeTls, Runtime, Timer, Transport, clock, futures_io, set_tcp_options,
};
use smol::Async;
use smol::net::{TcpListener, TcpStream, resolve};

/// The smol runtime, as the driver sees it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Smol;

impl Runtime for Smol {
    type Timer = Alarm;

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + 'static> Transport<S> for Smol {
    fn prepare(stream: &S) {
        // A stream that was dialed has its options already. Fails only on a stream that is closed, which the first read reports better.
        let _ = match below(stream) {
            Some(Tcp::Smol(tcp)) => tcp.set_nodelay(true),
            Some(Tcp::Async(tcp)) => tcp.get_ref().set_nodelay(true),
            None => Ok(()),
        };
    }

    fn peer(stream: &S) -> Option<SocketAddr> {
        let any: &dyn Any = stream;
        let dialed = any.downcast_ref::<MaybeTls<TcpStream, Smol>>();
        match dialed.map(|stream| Tcp::Smol(stream.get_ref())).or_else(|| below(stream))? {
            Tcp::Smol(tcp) => tcp.peer_addr().ok(),
            Tcp::Async(tcp) => tcp.get_ref().peer_addr().ok(),
        }
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
        // For smol's own streams that was a flush and nothing more.
        Poll::Ready(match tcp(&*stream) {
            Some(Tcp::Smol(tcp)) => tcp.shutdown(Shutdown::Write),
            Some(Tcp::Async(tcp)) => tcp.get_ref().shutdown(Shutdown::Write),
            None => Ok(()),
        })
    }
}

/// The two forms in which smol has a TCP stream.
enum Tcp<'a> {
    Smol(&'a TcpStream),
    Async(&'a Async<net::TcpStream>),
}

fn tcp(stream: &dyn Any) -> Option<Tcp<'_>> {
    let smol = stream.downcast_ref().map(Tcp::Smol);
    smol.or_else(|| stream.downcast_ref().map(Tcp::Async))
}

/// TCP, in itself or below TLS.
fn below(stream: &dyn Any) -> Option<Tcp<'_>> {
    #[cfg(feature = "tls")]
    if let Some(stream) = stream.downcast_ref::<sansocket_driver::TlsStream<TcpStream, Smol>>() {
        return Some(Tcp::Smol(stream.get_ref()));
    }
    #[cfg(feature = "tls")]
    if let Some(stream) = stream.downcast_ref::<sansocket_driver::TlsStream<Async<net::TcpStream>, Smol>>() {
        return Some(Tcp::Async(stream.get_ref()));
    }
    tcp(stream)
}

impl Dialer for Smol {
    type Stream = TcpStream;

    async fn resolve(host: String, port: u16, _addresses: Addresses) -> io::Result<Vec<SocketAddr>> {
        resolve((host, port)).await
    }

    async fn connect(address: SocketAddr, tcp: TcpOptions) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        set_tcp_options(&stream, tcp)?;
        Ok(stream)
    }
}

impl Listen for Smol {
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

/// An alarm of smol's timer.
#[derive(Debug)]
pub struct Alarm {
    timer: smol::Timer,
    /// When it rings, until it has.
    deadline: Option<Instant>,
}

impl Default for Alarm {
    fn default() -> Self {
        Self { timer: smol::Timer::never(), deadline: None }
    }
}

impl Timer for Alarm {
    fn now(&self) -> Instant {
        clock::to_core(time::Instant::now())
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if self.deadline != Some(deadline) {
            self.deadline = Some(deadline);
            self.timer.set_at(clock::from_core(deadline));
        }
        ready!(Pin::new(&mut self.timer).poll(cx));
        // It rings once.
        self.deadline = None;
        Poll::Ready(())
    }
}
