//! What all tasks of a server share: who is here, how far its end is, and the memory that is taken.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sansocket::{Admission, AdmissionLimits, Departure, DrainReport, Instant, Refusal, Ticket};
use tracing::{debug, info, warn};

use super::budget::{Budget, Share};
use super::signal::{Level, Signal};
use crate::telemetry::TARGET;
use crate::wake::Waiters;

/// Shared by all tasks of a server, and by its handles.
#[derive(Debug)]
pub(super) struct State {
    admission: Mutex<Admission>,
    pub(super) signal: Signal,
    /// Those who wait for the end: the supervisor and the callers of `drain`.
    pub(super) waiters: Waiters,
    pub(super) budget: Option<Arc<Budget>>,
    pub(super) memory_per_connection: usize,
    pub(super) addresses: Vec<SocketAddr>,
    /// Listeners that are not closed yet.
    pub(super) listening: AtomicUsize,
    pub(super) panicked: AtomicU64,
    pub(super) accept_errors: AtomicU64,
    /// Clients about which the application did not decide in time.
    pub(super) decided_too_late: AtomicU64,
    pub(super) drain_limit: Duration,
    /// The runtime's clock.
    now: fn() -> Instant,
}

impl State {
    pub(super) fn new(
        limits: AdmissionLimits,
        budget: Option<Arc<Budget>>,
        memory_per_connection: usize,
        addresses: Vec<SocketAddr>,
        drain_limit: Duration,
        now: fn() -> Instant,
    ) -> Self {
        Self {
            admission: Mutex::new(Admission::new(limits)),
            signal: Signal::new(),
            waiters: Waiters::default(),
            budget,
            memory_per_connection,
            listening: AtomicUsize::new(addresses.len()),
            addresses,
            panicked: AtomicU64::new(0),
            accept_errors: AtomicU64::new(0),
            decided_too_late: AtomicU64::new(0),
            drain_limit,
            now,
        }
    }

    /// Taken for one call at a time.
    pub(super) fn admission(&self) -> MutexGuard<'_, Admission> {
        self.admission.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up a place, and tells who waits for the last of them.
    fn free(&self, give_up: impl FnOnce(&mut Admission)) {
        let mut admission = self.admission();
        give_up(&mut admission);
        let is_draining = admission.is_draining();
        drop(admission);
        if is_draining {
            self.waiters.wake_all();
        }
    }

    /// Begins the end.
    pub(super) fn drain(&self, limit: Duration) {
        let mut admission = self.admission();
        let begins = !admission.is_draining();
        admission.drain((self.now)(), limit);
        let open = admission.counts().open;
        drop(admission);
        if begins {
            info!(target: TARGET, open, limit_ms = limit.as_millis() as u64, "the server is draining");
        }
        self.signal.raise(Level::Draining);
        self.waiters.wake_all();
    }

    /// What came of the end, once it has come and nobody listens any more.
    pub(super) fn ended(&self) -> Option<DrainReport> {
        let report = self.admission().report()?;
        (self.listening.load(Ordering::SeqCst) == 0).then_some(report)
    }

    /// Stops everything, whatever is open: also where the runtime drops the task that would have ended it.
    pub(super) fn stop(&self) {
        let mut admission = self.admission();
        if admission.report().is_none() {
            let now = (self.now)();
            admission.drain(now, Duration::ZERO);
            admission.timeout(now);
        }
        drop(admission);
        self.signal.raise(Level::Stopped);
        self.waiters.wake_all();
    }

    /// A place for a TCP connection that arrived.
    pub(super) fn arrive(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let arrived = self.admission().arrive(address);
        match arrived {
            Ok(ticket) => {
                Some(Place { state: Arc::clone(self), ticket: Some(ticket), departure: Departure::CutOff })
            }
            Err(refusal) => {
                self.note(refusal, address);
                None
            }
        }
    }

    /// Notes that a client was refused, so that nobody's log is flooded by whoever comes in large numbers.
    fn note(&self, refusal: Refusal, address: IpAddr) {
        let times = self.admission().counts().refused.of(&refusal);
        let code = refusal.code();
        if times.is_power_of_two() && refusal != Refusal::Draining {
            warn!(target: TARGET, code, times, peer = %address, "a client was refused: {refusal} (this is told at the 1st, 2nd, 4th, 8th ... time)");
        } else {
            debug!(target: TARGET, code, times, peer = %address, "a client was refused: {refusal}");
        }
    }
}

/// The place of one TCP connection, given back when it is dropped.
pub(super) struct Place {
    pub(super) state: Arc<State>,
    /// `None` only while it is dropped.
    ticket: Option<Ticket>,
    /// How it ended; unless that is said, its task was dropped.
    pub(super) departure: Departure,
}

impl Place {
    /// The client's request came: the place of an open connection, and its share of the memory if that has a budget.
    pub(super) fn open(&mut self, address: IpAddr) -> Result<Option<Share>, Refusal> {
        let Some(ticket) = &mut self.ticket else { return Err(Refusal::Draining) };
        let mut admission = self.state.admission();
        let opened = admission.open(ticket).and_then(|()| {
            let Some(budget) = &self.state.budget else { return Ok(None) };
            budget.share(self.state.memory_per_connection).map(Some).ok_or_else(|| {
                let refusal = Refusal::Memory { limit: budget.limit() };
                admission.refuse(ticket, refusal);
                refusal
            })
        });
        drop(admission);
        opened.inspect_err(|refusal| self.state.note(*refusal, address))
    }

    /// The application refused it: it is no open connection any more, and who waits for the last of those need not wait until it has been told.
    pub(super) fn reject(&mut self) {
        let Some(ticket) = &mut self.ticket else { return };
        self.state.free(|admission| admission.reject(ticket));
    }

    /// The server refuses it, although it had a place.
    pub(super) fn refuse(&mut self, refusal: Refusal, address: IpAddr) {
        let Some(ticket) = &mut self.ticket else { return };
        self.state.admission().refuse(ticket, refusal);
        self.state.note(refusal, address);
        // An end may wait for nothing but this place.
        self.state.waiters.wake_all();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        self.state.free(|admission| admission.leave(ticket, self.departure));
    }
}
