//! The simulation: two ends, two wires, and the virtual time.

use core::fmt;
use core::time::Duration;

use sansocket::{Instant, Role};

use crate::clock::{Clock, RunningClock};
use crate::drive::Drive;
use crate::endpoint::Endpoint;
use crate::half::{Half, MAX_AT_ONCE, Side};
use crate::link::{Cut, Link};
use crate::network::Network;
use crate::random::{Random, Stream};
use crate::trace::Trace;
use crate::wire::Wire;

/// Two endpoints with the core at both ends.
pub type Pair = Sim<Endpoint, Endpoint>;

/// Two ends, a wire between them, and a virtual time that passes when it is told to.
///
/// Made by the methods of [`Network`]. Commands go to [`client`](Self::client) and [`server`](Self::server) directly;
/// nothing moves before one of the `run` methods is called. Nothing here sleeps or reads a clock, and the same calls with the same seed do the
/// same.
///
/// In one instant things happen in this order: links are cut and clocks jump, then the ends write and read until there is
/// nothing to write or read, the client first; then come deadlines.
#[derive(Debug)]
pub struct Sim<C, S> {
    /// The end that opens the connection.
    pub client: C,
    /// The end that accepts it.
    pub server: S,
    now: Instant,
    time_limit: Duration,
    client_side: Side,
    server_side: Side,
    to_server: Wire,
    to_client: Wire,
    trace: Option<Trace>,
}

/// One of the two directions of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// How a [run](Sim::run) ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is on the way, and no end waits for a point of time: nothing would ever happen again.
    Quiet,
    /// There was still something to come; see [`Network::time_limit`]. For instance, keepalive never ends.
    TimeLimit,
}

impl<C: Drive, S: Drive> Sim<C, S> {
    pub(crate) fn new(network: &Network, client: C, server: S) -> Self {
        let now = START;
        let side = |role, clock| Side::new(role, RunningClock::new(clock, now));
        let wire = |link: &Link, stream| Wire::new(link.clone(), Random::new(network.seed, stream), now);
        let mut sim = Self {
            client,
            server,
            now,
            time_limit: network.time_limit,
            client_side: side(Role::Client, &network.client_clock),
            server_side: side(Role::Server, &network.server_clock),
            to_server: wire(&network.to_server, Stream::ToServer),
            to_client: wire(&network.to_client, Stream::ToClient),
            trace: network.traced.then(Trace::default),
        };
        sim.join_resets();
        sim
    }

    /// The virtual time. It begins at [`START`].
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The virtual time that has passed.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now.since(START)
    }

    /// Lets so much time pass, with all that happens on the way, its last instant included. With [`Duration::ZERO`] it does
    /// what can be done now.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        self.settle();
        while self.next_event().is_some_and(|next| next <= end) {
            self.step();
        }
        self.now = end;
        self.settle();
    }

    /// Lets time pass until nothing is left to happen, or for at most [`Network::time_limit`].
    pub fn run(&mut self) -> Outcome {
        self.run_until(|_| false);
        if self.next_event().is_none() { Outcome::Quiet } else { Outcome::TimeLimit }
    }

    /// Lets time pass until `done` holds, which is looked at after each instant in which something happens. Returns whether it
    /// does; it gives up when [`run`](Self::run) would end.
    pub fn run_until(&mut self, mut done: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + self.time_limit;
        self.settle();
        loop {
            if done(self) {
                return true;
            }
            match self.next_event() {
                Some(next) if next <= end => self.step(),
                Some(_) => {
                    self.now = end;
                    return false;
                }
                None => return false,
            };
        }
    }

    /// Goes on to the next instant in which something happens. Returns `false`, and does nothing, if there is none.
    pub fn step(&mut self) -> bool {
        self.settle();
        let Some(next) = self.next_event() else { return false };
        self.now = self.now.max(next);
        self.settle();
        true
    }

    /// Replaces the link of one direction. Its times and byte counts begin now. What is on the way goes on under the new
    /// link, and a direction that has ended stays so.
    pub fn set_link(&mut self, direction: Direction, link: Link) {
        let now = self.now;
        self.wire(direction).set_link(link, now);
        self.join_resets();
    }

    /// Cuts one direction now, as [`Link::cut_at`] does.
    pub fn cut(&mut self, direction: Direction, how: Cut) {
        let now = self.now;
        self.wire(direction).cut(how, now);
        self.join_resets();
    }

    /// Replaces the clock of one end, which goes on from what it shows. The times of `clock` count from now.
    pub fn set_clock(&mut self, role: Role, clock: &Clock) {
        let side = match role {
            Role::Client => &mut self.client_side,
            Role::Server => &mut self.server_side,
        };
        side.clock.set(clock, self.now);
    }

    /// Bytes of one direction that were written and not read yet; including those that [`Cut::Silence`] has swallowed.
    #[must_use]
    pub fn on_the_way(&self, direction: Direction) -> usize {
        match direction {
            Direction::ToServer => self.to_server.on_the_way(),
            Direction::ToClient => self.to_client.on_the_way(),
        }
    }

    /// What happened so far, if the network is [traced](Network::traced).
    #[must_use]
    pub fn trace(&self) -> Option<&Trace> {
        self.trace.as_ref()
    }

    /// Does all that can be done in this instant.
    fn settle(&mut self) {
        self.client_side.clock.advance(self.now);
        self.server_side.clock.advance(self.now);
        self.to_server.cut_if_due(self.now);
        self.to_client.cut_if_due(self.now);
        self.join_resets();
        let mut writes = 0;
        let mut timeouts_in_a_row = 0;
        loop {
            let done = [self.client_half().io(), self.server_half().io()];
            writes += done[0].writes + done[1].writes;
            assert!(
                writes < MAX_AT_ONCE,
                "{MAX_AT_ONCE} writes at {:?}, and no time passes: two ends that answer each other's answers need a \
                 link with a latency",
                self.elapsed(),
            );
            if done.iter().any(|done| done.writes + done.reads > 0) {
                timeouts_in_a_row = 0;
                continue;
            }
            if !(self.client_half().timeout() | self.server_half().timeout()) {
                return;
            }
            timeouts_in_a_row += 1;
            assert!(
                timeouts_in_a_row < MAX_TIMEOUTS,
                "at {:?} a deadline does not move on: timeout() was called {MAX_TIMEOUTS} times, and nothing came of it",
                self.elapsed(),
            );
        }
    }

    fn next_event(&mut self) -> Option<Instant> {
        let is_over = self.client_side.closed && self.server_side.closed;
        let cuts = [self.to_server.next_cut(), self.to_client.next_cut()].map(|cut| cut.filter(|_| !is_over));
        let ends = [self.client_half().next_event(), self.server_half().next_event()];
        ends.into_iter().chain(cuts).flatten().min()
    }

    /// A direction that was reset takes the other one along.
    fn join_resets(&mut self) {
        if self.to_server.takes_other_along() {
            self.to_client.reset_at_once(self.now);
        }
        if self.to_client.takes_other_along() {
            self.to_server.reset_at_once(self.now);
        }
    }

    fn wire(&mut self, direction: Direction) -> &mut Wire {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    fn client_half(&mut self) -> Half<'_, C> {
        Half {
            elapsed: self.elapsed(),
            end: &mut self.client,
            side: &mut self.client_side,
            out: &mut self.to_server,
            incoming: &mut self.to_client,
            now: self.now,
            trace: self.trace.as_mut(),
        }
    }

    fn server_half(&mut self) -> Half<'_, S> {
        Half {
            elapsed: self.elapsed(),
            end: &mut self.server,
            side: &mut self.server_side,
            out: &mut self.to_client,
            incoming: &mut self.to_server,
            now: self.now,
            trace: self.trace.as_mut(),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ToServer => "to the server",
            Self::ToClient => "to the client",
        })
    }
}

/// When every simulation begins: one day after [`Instant::ZERO`], so that clocks have room to jump backwards.
pub const START: Instant = Instant::from_nanos(24 * 3600 * 1_000_000_000);

/// Calls of `timeout` in one instant, with nothing read or written in between. The core needs two: one to learn that closing began, and one
/// for a limit of zero.
const MAX_TIMEOUTS: u32 = 8;
