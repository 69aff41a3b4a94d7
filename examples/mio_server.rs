//! An echo server in a bare loop of `mio`, without an adapter; `docs/integrating.md` goes through it step by step.
//!
//! Here are the loop, which knows sockets, readiness and time, and the application; in `peer.rs` is what moves bytes, in `protocol.rs`
//! what drives the core.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, ErrorKind};
use std::mem::take;
use std::time::Duration;

use bytes::BytesMut;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use sansocket::{Connection, Event, Instant};

use crate::peer::Peer;

#[path = "mio_server/peer.rs"]
mod peer;
#[path = "mio_server/protocol.rs"]
mod protocol;

const LISTENER: Token = Token(0);

struct Server {
    poll: Poll,
    listener: TcpListener,
    peers: HashMap<Token, Peer>,
    /// The deadline of each peer that has one; ordered, so that the next is found among thousands.
    timers: BTreeSet<(Instant, Token)>,
    newest: Token,
    buffer: BytesMut,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4000".to_owned());
    let mut listener = TcpListener::bind(address.parse()?)?;
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let (peers, timers) = (HashMap::new(), BTreeSet::new());
    Server { poll, listener, peers, timers, newest: LISTENER, buffer: BytesMut::new() }.run()?;
    Ok(())
}

impl Server {
    fn run(&mut self) -> io::Result<()> {
        let start = std::time::Instant::now();
        let clock = || Instant::ZERO + start.elapsed();
        let mut events = Events::with_capacity(1024);
        let mut ready = Vec::new();
        loop {
            let next = self.timers.first().map(|(deadline, _)| deadline.since(clock()));
            let wait = if ready.is_empty() { next } else { Some(Duration::ZERO) };
            match self.poll.poll(&mut events, wait) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            let now = clock();
            ready.extend(events.iter().map(|event| event.token()));
            while self.timers.first().is_some_and(|(at, _)| *at <= now) {
                ready.extend(self.timers.pop_first().map(|(_, token)| token));
            }
            for token in take(&mut ready) {
                if token == LISTENER {
                    self.accept(now, &mut ready);
                } else if self.turn(token, now) {
                    ready.push(token);
                }
            }
        }
    }

    /// Takes all who wait, as readiness is told only once.
    fn accept(&mut self, now: Instant, ready: &mut Vec<Token>) {
        loop {
            match self.accept_one(now) {
                Ok(token) => ready.push(token),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // Out of descriptors, perhaps: nobody else will say when to try again.
                Err(error) => {
                    println!("accept: {error}");
                    self.timers.insert((now + Duration::from_millis(100), LISTENER));
                    return;
                }
            }
        }
    }

    fn accept_one(&mut self, now: Instant) -> io::Result<Token> {
        let (mut stream, address) = self.listener.accept()?;
        // Else small messages wait for acknowledgements.
        stream.set_nodelay(true)?;
        // A number is never used again, so a timer or an event that comes late meets no stranger.
        self.newest.0 += 1;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, self.newest, interest)?;
        self.peers.insert(self.newest, Peer::new(stream, address, now));
        // It may have sent its request already, and it has a deadline.
        Ok(self.newest)
    }

    fn turn(&mut self, token: Token, now: Instant) -> bool {
        let Some(peer) = self.peers.get_mut(&token) else { return false };
        let more = peer.turn(&mut self.buffer, now);
        let deadline = peer.protocol.deadline();
        if peer.timer != deadline {
            peer.timer.map(|at| self.timers.remove(&(at, token)));
            deadline.map(|at| self.timers.insert((at, token)));
            peer.timer = deadline;
        }
        if peer.protocol.is_over() {
            self.peers.remove(&token);
        }
        more
    }
}

/// The application. It answers as long as the peer takes the answers; what it leaves in `input` comes again. If nothing can be written
/// any more, only how the connection ends is of interest.
fn echo(connection: &mut Connection, input: &mut BytesMut, broken: bool) {
    let (receiver, sender) = connection.halves();
    let mut reader = receiver.read(input);
    while sender.may_send() || broken {
        let _refused_when_closing = match reader.next() {
            None => return,
            Some(Event::Text(text)) => sender.send_text(&text),
            Some(Event::Binary(bytes)) => sender.send_binary(&bytes),
            Some(other) => {
                sender.handle(&other);
                Ok(())
            }
        };
    }
}
