//! Finding the address that answers first (RFC 8305, "Happy Eyeballs"): from the resolver's answers to one connection.
//!
//! ```text
//!  Resolve ──answer, or the half of it and 50 ms──► first address ──250 ms, or a failure──► next address ──► ...
//!                                                        └─ whichever is connected first wins, the others are abandoned
//! ```

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use crate::dial::candidates::{Addresses, Candidates, Family};
use crate::dial::cause::DialCause;
use crate::dial::config::DialConfig;
use crate::dial::fault::{ConnectFault, ResolveFault, StepError};
use crate::dial::journal::Journal;
use crate::dial::step::{AttemptId, DialStepKind};
use crate::time::Instant;

/// The search for the addresses of one host, and the race of them.
#[derive(Debug)]
pub(crate) struct Race {
    began: Instant,
    addresses: Addresses,
    resolve_limit: Option<Duration>,
    address_limit: Option<Duration>,
    attempt_delay: Duration,
    resolution_delay: Duration,
    /// Families whose addresses the resolver has not told yet.
    awaited: Awaited,
    /// Why one of them has none, in case that the other has none either.
    unresolved: Option<DialCause>,
    candidates: Candidates,
    /// When to begin without the addresses of the preferred family.
    hold: Option<Instant>,
    running: Vec<Running>,
    /// When the next address is tried; `None` before the first.
    next: Option<Instant>,
    /// How long it took until the first address was there.
    resolved: Option<Duration>,
    /// When the first was tried.
    raced: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Awaited {
    ipv4: bool,
    ipv6: bool,
}

/// An attempt under way.
#[derive(Debug, Clone, Copy)]
struct Running {
    attempt: AttemptId,
    address: SocketAddr,
    since: Instant,
}

/// The connection that came first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Winner {
    pub(crate) attempt: AttemptId,
    pub(crate) address: SocketAddr,
    /// How long the resolver took, if there was anything to resolve.
    pub(crate) resolve: Option<Duration>,
    /// How long the race took.
    pub(crate) connect: Duration,
}

impl Race {
    /// A race that waits for the resolver.
    pub(crate) fn new(config: &DialConfig, now: Instant) -> Self {
        let addresses = config.addresses;
        Self {
            began: now,
            addresses,
            resolve_limit: config.timeouts.resolve,
            address_limit: config.timeouts.address,
            attempt_delay: config.bounded_attempt_delay(),
            resolution_delay: config.resolution_delay,
            awaited: Awaited { ipv4: addresses.wants(Family::Ipv4), ipv6: addresses.wants(Family::Ipv6) },
            unresolved: None,
            candidates: Candidates::new(addresses.first(), config.max_addresses.max(1)),
            hold: None,
            running: Vec::new(),
            next: None,
            resolved: None,
            raced: None,
        }
    }

    /// A race of one address, which nobody has to resolve.
    pub(crate) fn of_address(config: &DialConfig, address: SocketAddr, now: Instant) -> Self {
        let mut race = Self::new(config, now);
        race.awaited = Awaited { ipv4: false, ipv6: false };
        race.candidates.add(address);
        race
    }

    /// The resolver's whole answer.
    pub(crate) fn resolved(
        &mut self,
        answer: Result<Vec<SocketAddr>, StepError<ResolveFault>>,
        now: Instant,
        journal: &mut Journal,
    ) {
        if !self.is_resolving() {
            return;
        }
        self.awaited = Awaited { ipv4: false, ipv6: false };
        if let (Addresses::Any, Ok([first, ..])) = (self.addresses, answer.as_deref()) {
            self.candidates.begin_with(Family::of(first));
        }
        self.take(answer, now);
        self.note_unresolved(now, journal);
    }

    /// The resolver's answer for one family.
    pub(crate) fn resolved_family(
        &mut self,
        family: Family,
        answer: Result<Vec<SocketAddr>, StepError<ResolveFault>>,
        now: Instant,
        journal: &mut Journal,
    ) {
        let awaited = self.awaited.of(family);
        if !*awaited {
            return;
        }
        *awaited = false;
        let answer = answer.map(|mut addresses| {
            addresses.retain(|address| Family::of(address) == family);
            addresses
        });
        self.take(answer, now);
        //= https://www.rfc-editor.org/rfc/rfc8305#section-3
        //# If a positive A response is received first due to reordering,
        //# the client SHOULD wait a short time for the AAAA response to
        //# ensure that preference is given to IPv6
        if !self.candidates.is_empty() {
            self.hold = Some(now + self.resolution_delay);
        }
        self.note_unresolved(now, journal);
    }

    /// An attempt was connected, or was not. What is not known here any more lost the race before.
    pub(crate) fn connected(
        &mut self,
        attempt: AttemptId,
        result: Result<(), StepError<ConnectFault>>,
        now: Instant,
        journal: &mut Journal,
    ) -> Option<Winner> {
        let at = self.running.iter().position(|running| running.attempt == attempt)?;
        let Running { address, since, .. } = self.running.swap_remove(at);
        match result {
            Ok(()) => {
                self.abandon(journal);
                let connect = now.since(self.raced.unwrap_or(now));
                Some(Winner { attempt, address, resolve: self.resolved, connect })
            }
            Err(error) => {
                let cause = DialCause::Connect(error);
                journal.fail(DialStepKind::Connect, Some(address), since, now, cause);
                self.next = Some(now);
                None
            }
        }
    }

    /// Does what is due: gives up what took too long, and tries the next address. `false` if there is nothing left to try.
    pub(crate) fn advance(&mut self, now: Instant, journal: &mut Journal) -> bool {
        if let Some(limit) =
            self.resolve_limit.filter(|&limit| self.is_resolving() && now >= self.began + limit)
        {
            self.awaited = Awaited { ipv4: false, ipv6: false };
            self.unresolved.get_or_insert(DialCause::ResolveTimedOut { limit });
            self.note_unresolved(now, journal);
        }
        if let Some(limit) = self.address_limit {
            let (late, running) = self.running.iter().partition(|running| now >= running.since + limit);
            self.running = running;
            let late: Vec<Running> = late;
            for Running { attempt, address, since } in late {
                journal.abandon(attempt);
                let cause = DialCause::ConnectTimedOut { limit };
                journal.fail(DialStepKind::Connect, Some(address), since, now, cause);
                self.next = Some(now);
            }
        }
        let is_due = !self.is_held(now) && self.next.is_none_or(|next| now >= next);
        if let Some(address) = is_due.then(|| self.candidates.take()).flatten() {
            let attempt = journal.connect(address);
            self.running.push(Running { attempt, address, since: now });
            self.raced.get_or_insert(now);
            self.next = Some(now + self.attempt_delay);
        }
        self.is_resolving() || !self.running.is_empty() || !self.candidates.is_empty()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let resolve = self.resolve_limit.filter(|_| self.is_resolving()).map(|limit| self.began + limit);
        let next = match (self.candidates.is_empty(), self.raced) {
            (true, _) => None,
            (false, Some(_)) => self.next,
            (false, None) => self.hold,
        };
        let running = self.running.iter().map(|running| running.since);
        let late = self.address_limit.and_then(|limit| Some(running.min()? + limit));
        [resolve, next, late].into_iter().flatten().min()
    }

    /// Ends all that is under way because `limit`, the time for all of it, is over.
    pub(crate) fn give_up(&mut self, limit: Duration, now: Instant, journal: &mut Journal) {
        for Running { address, since, .. } in &self.running {
            let cause = DialCause::OverallTimedOut { step: DialStepKind::Connect, limit };
            journal.fail(DialStepKind::Connect, Some(*address), *since, now, cause);
        }
        if self.running.is_empty() {
            let cause = DialCause::OverallTimedOut { step: DialStepKind::Resolve, limit };
            journal.fail(DialStepKind::Resolve, None, self.began, now, cause);
        }
        self.abandon(journal);
    }

    fn abandon(&mut self, journal: &mut Journal) {
        for running in self.running.drain(..) {
            journal.abandon(running.attempt);
        }
    }

    fn take(&mut self, answer: Result<Vec<SocketAddr>, StepError<ResolveFault>>, now: Instant) {
        let found = match answer {
            Ok(found) => found,
            Err(error) => {
                self.unresolved.get_or_insert(DialCause::Resolve(error));
                return;
            }
        };
        for address in found {
            if self.addresses.wants(Family::of(&address)) {
                self.candidates.add(address);
                self.resolved.get_or_insert(now.since(self.began));
            }
        }
    }

    /// If there will be no address, says why.
    fn note_unresolved(&mut self, now: Instant, journal: &mut Journal) {
        if !self.is_resolving() && self.candidates.are_unknown() {
            let cause = self.unresolved.take().unwrap_or(DialCause::NoAddress);
            journal.fail(DialStepKind::Resolve, None, self.began, now, cause);
        }
    }

    fn is_resolving(&self) -> bool {
        self.awaited.ipv4 || self.awaited.ipv6
    }

    /// Whether the first address has to wait for those of the preferred family.
    fn is_held(&self, now: Instant) -> bool {
        let mut awaited = self.awaited;
        self.raced.is_none() && *awaited.of(self.addresses.first()) && self.hold.is_none_or(|hold| now < hold)
    }
}

impl Awaited {
    fn of(&mut self, family: Family) -> &mut bool {
        match family {
            Family::Ipv4 => &mut self.ipv4,
            Family::Ipv6 => &mut self.ipv6,
        }
    }
}
