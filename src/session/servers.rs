//! Which server is next: failover in the order of preference, without those that said never, or not yet.

use alloc::vec;
use alloc::vec::Vec;

use crate::time::Instant;

/// What is known of each server.
#[derive(Debug)]
pub(super) struct Servers {
    servers: Vec<Server>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Server {
    /// Will not take this client as it is.
    refuses: bool,
    /// Does not want to be asked before.
    held_until: Instant,
}

impl Servers {
    pub(super) fn new(count: usize) -> Self {
        Self { servers: vec![Server::default(); count] }
    }

    /// How many may be tried, now or later.
    pub(super) fn available(&self) -> usize {
        self.servers.iter().filter(|server| !server.refuses).count()
    }

    /// Does not try this one any more.
    pub(super) fn refuse(&mut self, server: usize) {
        if let Some(server) = self.servers.get_mut(server) {
            server.refuses = true;
        }
    }

    /// It may take this client after all.
    pub(super) fn accept(&mut self, server: usize) {
        if let Some(server) = self.servers.get_mut(server) {
            server.refuses = false;
        }
    }

    /// Leaves this one alone until then.
    pub(super) fn hold(&mut self, server: usize, until: Instant) {
        if let Some(server) = self.servers.get_mut(server) {
            server.held_until = until;
        }
    }

    /// Forgets who refused: there is something new, so they may answer something else.
    pub(super) fn forgive(&mut self) {
        for server in &mut self.servers {
            server.refuses = false;
        }
    }

    /// The next one to try, counted from `from` on, and when at the earliest: one that may be tried now comes before those
    /// that must be waited for. `None` if all refuse.
    pub(super) fn choose(&self, from: usize, now: Instant) -> Option<(usize, Instant)> {
        let count = self.servers.len();
        let in_turn = (0..count).map(|step| (from % count + step) % count);
        let candidates = in_turn.filter_map(|at| {
            let server = self.servers.get(at).filter(|server| !server.refuses)?;
            Some((at, server.held_until.max(now)))
        });
        // Of several with the same time, the first.
        candidates.min_by_key(|(_, when)| *when)
    }

    /// When this one may be tried at the earliest.
    pub(super) fn held_until(&self, server: usize) -> Instant {
        self.servers.get(server).map_or(Instant::ZERO, |server| server.held_until)
    }
}
