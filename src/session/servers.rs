//! Which server is next: failover in the order of preference, without those that said never, or not yet.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::handshake::ClientRequest;
use crate::session::attempt::Setback;
use crate::session::gave_up::ServerSetback;
use crate::time::Instant;

/// What is known of each server.
#[derive(Debug)]
pub(super) struct Servers {
    servers: Vec<Server>,
}

#[derive(Debug)]
struct Server {
    /// Its URL, for people.
    url: Arc<str>,
    /// Will not take this client as it is.
    refuses: bool,
    /// Does not want to be asked before.
    held_until: Instant,
    /// It has named that time itself, and was not asked since.
    awaited: bool,
    /// What came of it, since the last stable connection.
    attempts: u64,
    setback: Option<Setback>,
}

impl Servers {
    pub(super) fn new(requests: &[ClientRequest]) -> Self {
        let servers = requests.iter().map(|request| Server {
            url: for_people(request),
            refuses: false,
            held_until: Instant::ZERO,
            awaited: false,
            attempts: 0,
            setback: None,
        });
        Self { servers: servers.collect() }
    }

    /// Its URL, for people.
    pub(super) fn url(&self, server: usize) -> Arc<str> {
        self.servers.get(server).map_or_else(|| "".into(), |server| Arc::clone(&server.url))
    }

    /// Notes what came of an attempt.
    pub(super) fn failed(&mut self, server: usize, setback: Setback) {
        if let Some(server) = self.servers.get_mut(server) {
            server.attempts += 1;
            server.setback = Some(setback);
        }
    }

    /// What came of each, of those that were tried.
    pub(super) fn setbacks(&self) -> Vec<ServerSetback> {
        let servers = self.servers.iter().enumerate().filter_map(|(at, server)| {
            let Server { url, refuses, attempts, setback, .. } = server;
            let (url, setback) = (Arc::clone(url), setback.clone()?);
            Some(ServerSetback { server: at, url, attempts: *attempts, left_out: *refuses, setback })
        });
        servers.collect()
    }

    /// How many may be tried, now or later.
    pub(super) fn available(&self) -> usize {
        self.servers.iter().filter(|server| !server.refuses).count()
    }

    /// Does not try this one any more.
    pub(super) fn refuse(&mut self, server: usize) {
        if let Some(server) = self.servers.get_mut(server) {
            (server.refuses, server.awaited) = (true, false);
        }
    }

    /// It is asked for something else from now on, and may take this client after all.
    pub(super) fn accept(&mut self, server: usize, request: &ClientRequest) {
        if let Some(server) = self.servers.get_mut(server) {
            server.refuses = false;
            server.url = for_people(request);
        }
    }

    /// Leaves this one alone until then.
    pub(super) fn hold(&mut self, server: usize, until: Instant) {
        if let Some(server) = self.servers.get_mut(server) {
            server.held_until = until;
        }
    }

    /// Is to be asked when its time has come, whatever becomes of the others: it has named that time itself.
    pub(super) fn await_it(&mut self, server: usize) {
        if let Some(server) = self.servers.get_mut(server) {
            server.awaited = true;
        }
    }

    /// Notes that this one is asked now. Says whether that is an attempt that counts: not while the time that another one has named
    /// is still to come, and this one has named none.
    pub(super) fn ask(&mut self, server: usize) -> bool {
        let own = self.servers.get_mut(server).is_some_and(|server| core::mem::take(&mut server.awaited));
        own || !self.awaits()
    }

    /// Whether asking this one next would count: see [`ask`](Self::ask).
    pub(super) fn counts(&self, server: usize) -> bool {
        !self.awaits() || self.servers.get(server).is_some_and(|server| server.awaited)
    }

    /// Whether the time of any is still to come that has named one.
    fn awaits(&self) -> bool {
        self.servers.iter().any(|server| server.awaited)
    }

    /// Forgets who refused, and all else that came of them: there is something new, so they may answer something else.
    pub(super) fn forgive(&mut self) {
        for server in &mut self.servers {
            server.refuses = false;
            (server.attempts, server.setback) = (0, None);
        }
    }

    /// The next one to try, counted from `from` on, and when: at `ready`, but not before it may be; one that has named a time, then. The earliest comes
    /// first. `None` if all refuse; of `only_awaited`, if none has named a time and was not asked since.
    pub(super) fn choose(
        &self,
        from: usize,
        (now, ready): (Instant, Instant),
        only_awaited: bool,
    ) -> Option<(usize, Instant)> {
        let count = self.servers.len();
        let in_turn = (0..count).map(|step| (from % count + step) % count);
        let candidates = in_turn.filter_map(|at| {
            let server = self.servers.get(at).filter(|server| !server.refuses)?;
            // What one has named is spread already.
            let earliest = if server.awaited { now } else { ready };
            let wanted = server.awaited || !only_awaited;
            wanted.then(|| (at, server.held_until.max(earliest)))
        });
        // Of several with the same time, the first.
        candidates.min_by_key(|(_, when)| *when)
    }

    /// When this one may be tried at the earliest.
    pub(super) fn held_until(&self, server: usize) -> Instant {
        self.servers.get(server).map_or(Instant::ZERO, |server| server.held_until)
    }
}

fn for_people(request: &ClientRequest) -> Arc<str> {
    request.url().for_people().into()
}
