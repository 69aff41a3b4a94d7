//! What the driver needs of plain threads: sockets that do not block, a timer, and no background.

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::task::{Context, Poll};
use std::time;

use bytes::{Buf, BufMut};
use rustix::event::PollFlags;
use rustix::fd::AsFd;
use rustix::io::ioctl_fionbio;
use rustix::net::{Shutdown, getpeername, shutdown, sockopt::set_tcp_nodelay};
use sansocket::Instant;
#[cfg(feature = "tls")]
use sansocket_driver::TlsStream;
use sansocket_driver::{MaybeTls, Runtime, Timer, Transport, clock, transfer};

use crate::wait;

/// A connected byte stream on a socket: [`TcpStream`], `UnixStream`, and what you implement it for.
///
/// The socket is made non-blocking when a WebSocket is opened on it, so that a time limit can end a wait. That holds for all
/// descriptors of the same socket, [`TcpStream::try_clone`]'s too. Time limits of the stream's own (`set_read_timeout`) have no effect.
///
/// For a stream of your own (a socket of another kind, TLS of another library), `AsFd` (on Windows `AsSocket`) gives the socket below. Reading and
/// writing must return [`WouldBlock`](io::ErrorKind::WouldBlock) when the socket does, and each must wait for its own direction only: do
/// the handshake of TLS before.
///
/// All that takes a stream takes [`MaybeTls`](crate::MaybeTls) and `TlsStream` around such a stream as well: the bound
/// `Blocking: Transport<S>` means both.
///
/// ```
/// use std::io::{self, Read, Write};
/// use std::net::TcpStream;
/// use std::os::fd::{AsFd, BorrowedFd};
///
/// /// Counts what is received.
/// struct Counting {
///     stream: TcpStream,
///     bytes: u64,
/// }
///
/// impl Read for Counting {
///     fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
///         let read = self.stream.read(buffer)?;
///         self.bytes += read as u64;
///         Ok(read)
///     }
/// }
///
/// impl Write for Counting {
///     fn write(&mut self, data: &[u8]) -> io::Result<usize> {
///         self.stream.write(data)
///     }
///
///     fn flush(&mut self) -> io::Result<()> {
///         self.stream.flush()
///     }
/// }
///
/// impl AsFd for Counting {
///     fn as_fd(&self) -> BorrowedFd<'_> {
///         self.stream.as_fd()
///     }
/// }
///
/// impl sansocket_blocking::Stream for Counting {}
///
/// fn serve(stream: TcpStream) -> Result<(), sansocket_blocking::Error> {
///     let mut socket = sansocket_blocking::accept(Counting { stream, bytes: 0 })?;
///     socket.send("counted")
/// }
/// ```
pub trait Stream: Read + Write + AsFd + Send + 'static {
    /// Ends the writing side; called once more if it returns [`WouldBlock`](io::ErrorKind::WouldBlock).
    ///
    /// By default ends that of the socket. TLS says good-bye (`close_notify`) first.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    fn close_write(&mut self) -> io::Result<()> {
        self.flush()?;
        Ok(shutdown(&*self, Shutdown::Write)?)
    }
}

impl Stream for TcpStream {}

#[cfg(unix)]
impl Stream for UnixStream {}

/// Plain threads, as the driver sees them.
#[derive(Debug)]
#[non_exhaustive]
pub struct Blocking;

impl Runtime for Blocking {
    type Timer = Alarm;

    /// Runs `task` as far as it comes at once.
    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        wait::run_once(task);
    }
}

impl<S: Stream> Transport<S> for Blocking {
    fn prepare(stream: &S) {
        // Fails only on a stream that is closed already, which the first read reports better, and on other sockets than TCP's,
        // which have no such delay.
        let _ = set_tcp_nodelay(stream, true);
        make_nonblocking(stream);
    }

    fn peer(stream: &S) -> Option<SocketAddr> {
        getpeername(stream).ok()??.try_into().ok()
    }

    fn poll_read(stream: &mut S, cx: &mut Context<'_>, buffer: &mut impl BufMut) -> Poll<io::Result<usize>> {
        transfer::read(buffer, |scratch| attempt(stream, PollFlags::IN, cx, |stream| stream.read(scratch)))
    }

    fn poll_write(stream: &mut S, cx: &mut Context<'_>, data: &mut impl Buf) -> Poll<io::Result<usize>> {
        transfer::write(data, |slices| {
            attempt(stream, PollFlags::OUT, cx, |stream| match slices {
                [one] => stream.write(one),
                several => stream.write_vectored(several),
            })
        })
    }

    fn poll_flush(stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        attempt(stream, PollFlags::OUT, cx, S::flush)
    }

    fn poll_shutdown(stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        attempt(stream, PollFlags::OUT, cx, S::close_write)
    }
}

fn make_nonblocking(socket: &impl AsFd) {
    // Fails only on a stream that is closed already.
    let _ = ioctl_fionbio(socket, true);
}

/// The streams of the driver around one of ours.
macro_rules! around {
    ($stream:ident, $prepare:expr) => {
        impl<S: Stream> Transport<$stream<S, Self>> for Blocking {
            fn prepare(stream: &$stream<S, Self>) {
                let prepare: fn(&S) = $prepare;
                prepare(stream.get_ref());
            }

            fn peer(stream: &$stream<S, Self>) -> Option<SocketAddr> {
                <Self as Transport<S>>::peer(stream.get_ref())
            }

            fn poll_read(
                stream: &mut $stream<S, Self>,
                cx: &mut Context<'_>,
                buffer: &mut impl BufMut,
            ) -> Poll<io::Result<usize>> {
                stream.poll_read(cx, buffer)
            }

            fn poll_write(
                stream: &mut $stream<S, Self>,
                cx: &mut Context<'_>,
                data: &mut impl Buf,
            ) -> Poll<io::Result<usize>> {
                stream.poll_write(cx, data)
            }

            fn poll_flush(stream: &mut $stream<S, Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                stream.poll_flush(cx)
            }

            fn poll_shutdown(stream: &mut $stream<S, Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                stream.poll_shutdown(cx)
            }
        }
    };
}

// The options of TCP were set when it was made.
around!(MaybeTls, make_nonblocking);
#[cfg(feature = "tls")]
around!(TlsStream, <Blocking as Transport<S>>::prepare);

/// One call of the operating system, or the note that its time has not come.
fn attempt<S: Stream, T>(
    stream: &mut S,
    flags: PollFlags,
    cx: &Context<'_>,
    mut call: impl FnMut(&mut S) -> io::Result<T>,
) -> Poll<io::Result<T>> {
    loop {
        match call(stream) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait::want(&*stream, flags, cx);
                return Poll::Pending;
            }
            done => return Poll::Ready(done),
        }
    }
}

/// An alarm that a waiting thread sets itself.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Alarm;

impl Timer for Alarm {
    fn now(&self) -> Instant {
        clock::to_core(time::Instant::now())
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if self.now() >= deadline {
            return Poll::Ready(());
        }
        wait::want_deadline(clock::from_core(deadline), cx);
        Poll::Pending
    }
}
