//! The way to a server on one thread: the system's search for addresses, and TCP to several of them at once.

use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::task::{Context, Poll};

use rustix::event::PollFlags;
use rustix::io::Errno;
use sansocket::{Addresses, TcpOptions};
use sansocket_driver::{Dialer, set_tcp_options};
use socket2::{Domain, Protocol, Socket, Type};

use crate::runtime::Blocking;
use crate::wait;

impl Dialer for Blocking {
    type Stream = TcpStream;

    /// The system's search, which blocks: it has no other form, and a thread for it is not ours to start.
    async fn resolve(host: String, port: u16, _addresses: Addresses) -> io::Result<Vec<SocketAddr>> {
        Ok((&*host, port).to_socket_addrs()?.collect())
    }

    async fn connect(address: SocketAddr, tcp: TcpOptions) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        set_tcp_options(&socket, tcp)?;
        match socket.connect(&address.into()) {
            Err(error) if goes_on(&error) => poll_fn(|cx| poll_connected(&socket, cx)).await?,
            done => done?,
        }
        Ok(socket.into())
    }
}

/// Whether the system connects behind our back. A signal changes nothing about that.
fn goes_on(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::INPROGRESS | Errno::INTR))
        || (cfg!(windows) && error.kind() == io::ErrorKind::WouldBlock)
}

fn poll_connected(socket: &Socket, cx: &Context<'_>) -> Poll<io::Result<()>> {
    if let Some(error) = socket.take_error()? {
        return Poll::Ready(Err(error));
    }
    match socket.peer_addr() {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => {
            wait::want(socket, PollFlags::OUT, cx);
            Poll::Pending
        }
        connected => Poll::Ready(connected.map(drop)),
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::future::Future as _;
    use std::net::TcpListener;
    use std::pin::pin;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::wait::{Others, block_until};

    /// An address that takes no connection and refuses none: the queue of its listener is full.
    fn silent() -> (Socket, Vec<TcpStream>, SocketAddr) {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&any.into()).unwrap();
        // Linux takes one more than this.
        socket.listen(0).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        (socket, vec![TcpStream::connect(address).unwrap()], address)
    }

    #[test]
    fn one_thread_waits_for_several_addresses_and_a_time() {
        let (_socket, _queue, silent) = silent();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        let mut waiting = pin!(Blocking::connect(silent, TcpOptions::default()));
        let mut other = pin!(Blocking::connect(good, TcpOptions::default()));
        let begun = Instant::now();
        let connected = block_until(
            Others::None,
            Some(begun + Duration::from_secs(10)),
            poll_fn(|cx| {
                assert!(waiting.as_mut().poll(cx).is_pending());
                other.as_mut().poll(cx)
            }),
        );
        assert_eq!(connected.expect("in time").unwrap().peer_addr().unwrap(), good);

        let none = block_until(Others::None, Some(Instant::now() + Duration::from_millis(50)), waiting);
        assert!(none.is_none(), "{none:?}");
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_port_that_refuses_says_so() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let refused = wait::block_on(Others::None, Blocking::connect(address, TcpOptions::default()));
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
