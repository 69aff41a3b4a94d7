//! The script's way to a server: what the resolver answers, what each address does, and what is open.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::{Future, pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BufMut};
use sansocket::{Addresses, Instant, TcpOptions};
use sansocket_driver::{Dialer, MaybeTls, Transport};

use super::script::{Peer, Script, Stream, now, stream};

/// What an address does when it is connected to.
#[derive(Clone, Copy)]
pub(crate) enum Address {
    Accepts,
    /// After this time.
    AcceptsAfter(Duration),
    Refuses,
    /// Never answers.
    Swallows,
}

#[derive(Default)]
struct World {
    /// `None`: the resolver does not answer.
    names: Option<io::Result<Vec<SocketAddr>>>,
    addresses: HashMap<SocketAddr, Address>,
    /// The peers of all connections that were made, in their order.
    peers: Vec<Peer>,
    /// Addresses that were tried, in their order, and when.
    tried: Vec<(SocketAddr, Instant)>,
    /// Attempts and searches that are under way.
    running: usize,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

fn world<T>(with: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with_borrow_mut(with)
}

/// Begins anew.
pub(crate) fn set(names: Option<io::Result<Vec<SocketAddr>>>, addresses: &[(SocketAddr, Address)]) {
    WORLD.set(World { names, addresses: addresses.iter().copied().collect(), ..World::default() });
}

/// The addresses that were tried, and when.
pub(crate) fn tried() -> Vec<(SocketAddr, Duration)> {
    world(|world| world.tried.iter().map(|(address, at)| (*address, at.since(Instant::ZERO))).collect())
}

/// The peer of the connection that was made as number `at`.
pub(crate) fn peer(at: usize) -> Peer {
    world(|world| world.peers[at].clone())
}

/// What is not closed: connections, attempts, searches.
pub(crate) fn open() -> usize {
    world(|world| world.running + world.peers.iter().filter(|peer| !peer.wire().dropped).count())
}

/// Counts as under way until it is dropped.
struct Running;

impl Running {
    fn new() -> Self {
        world(|world| world.running += 1);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        world(|world| world.running -= 1);
    }
}

impl Dialer for Script {
    type Stream = Stream;

    fn resolve(
        _host: String,
        _port: u16,
        _addresses: Addresses,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static {
        let running = Running::new();
        async move {
            let answer = world(|world| world.names.take());
            let answer = match answer {
                Some(answer) => answer,
                None => pending().await,
            };
            drop(running);
            answer
        }
    }

    fn connect(
        address: SocketAddr,
        _tcp: TcpOptions,
    ) -> impl Future<Output = io::Result<Stream>> + Send + 'static {
        let running = Running::new();
        let began = now();
        let does = world(|world| {
            world.tried.push((address, began));
            world.addresses.get(&address).copied().unwrap_or(Address::Refuses)
        });
        async move {
            match does {
                Address::Accepts => {}
                Address::AcceptsAfter(time) => {
                    poll_fn(|_| if now() >= began + time { Poll::Ready(()) } else { Poll::Pending }).await;
                }
                Address::Refuses => return Err(io::ErrorKind::ConnectionRefused.into()),
                Address::Swallows => pending().await,
            }
            drop(running);
            let (stream, peer) = stream();
            world(|world| world.peers.push(peer));
            Ok(stream)
        }
    }
}

/// The streams of the driver have no traits here, so that they are used as they are.
impl Transport<MaybeTls<Stream, Self>> for Script {
    fn prepare(_stream: &MaybeTls<Stream, Self>) {}

    fn peer(_stream: &MaybeTls<Stream, Self>) -> Option<SocketAddr> {
        None
    }

    fn poll_read(
        stream: &mut MaybeTls<Stream, Self>,
        cx: &mut Context<'_>,
        buffer: &mut impl BufMut,
    ) -> Poll<io::Result<usize>> {
        stream.poll_read(cx, buffer)
    }

    fn poll_write(
        stream: &mut MaybeTls<Stream, Self>,
        cx: &mut Context<'_>,
        data: &mut impl Buf,
    ) -> Poll<io::Result<usize>> {
        stream.poll_write(cx, data)
    }

    fn poll_flush(stream: &mut MaybeTls<Stream, Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        stream.poll_flush(cx)
    }

    fn poll_shutdown(stream: &mut MaybeTls<Stream, Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        stream.poll_shutdown(cx)
    }
}
