//! The decision about each client, and the end of the server.

use alloc::collections::BTreeMap;
use core::net::IpAddr;
use core::time::Duration;

use super::group::AddressGroup;
use super::limits::AdmissionLimits;
use super::report::{AdmissionCounts, DrainReport, Refusal};
use crate::time::Instant;

/// Who may connect to a server, as a state machine without IO.
///
/// **Each TCP connection that arrives gets a [`Ticket`] or is closed; each ticket is handed back once, with [`leave`](Self::leave).**
///
/// 1. TCP was accepted: [`arrive`](Self::arrive). On a refusal close it at once.
/// 2. The client's request came: [`open`](Self::open), before anything is decided about it. On a refusal answer with 503
///    ([`Refusal::reject`]).
/// 3. The application refused it all the same: [`reject`](Self::reject), or [`refuse`](Self::refuse) where there is a [`Refusal`] for the
///    reason, and then tell the client. To be told may take time, and the place is free for others.
/// 4. It is over, however far it came: [`leave`](Self::leave).
///
/// The end: [`drain`](Self::drain) refuses who comes from now on. Close what is open, call [`timeout`](Self::timeout) at
/// [`deadline`](Self::deadline), which changes with every other call, until there is a [`report`](Self::report); then give up what is left.
///
/// ```
/// use sansocket::{Admission, AdmissionLimits, Departure, Refusal};
///
/// let mut limits = AdmissionLimits::default();
/// limits.connections_per_address = 1;
/// let mut admission = Admission::new(limits);
/// let address = "192.0.2.1".parse()?;
///
/// let mut first = admission.arrive(address)?;
/// admission.open(&mut first)?;
/// let mut second = admission.arrive(address)?;
/// assert_eq!(admission.open(&mut second), Err(Refusal::ConnectionsOfAddress { limit: 1 }));
/// admission.leave(second, Departure::Otherwise);
/// admission.leave(first, Departure::Clean);
/// assert_eq!(admission.counts().closed, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Admission {
    limits: AdmissionLimits,
    /// INVARIANT: only groups that have a ticket.
    groups: BTreeMap<AddressGroup, Places>,
    counts: AdmissionCounts,
    end: Option<End>,
}

/// How many places a group has taken.
#[derive(Debug, Default)]
struct Places {
    handshaking: usize,
    open: usize,
}

/// The end of the server, once it has begun.
#[derive(Debug)]
struct End {
    since: Instant,
    until: Instant,
    /// What was counted when it began.
    before: AdmissionCounts,
    report: Option<DrainReport>,
}

/// The place of one TCP connection. Hand it back to the [`Admission`] that gave it.
#[derive(Debug)]
#[must_use = "a ticket that is not handed back takes a place for ever"]
pub struct Ticket {
    group: AddressGroup,
    is_open: bool,
}

impl Ticket {
    /// What counts as its address.
    #[must_use]
    pub fn group(&self) -> AddressGroup {
        self.group
    }
}

/// How an open connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// By a closing handshake.
    Clean,
    /// Otherwise. Also for who was never open.
    Otherwise,
    /// It was given up because the time for the server's end was over.
    CutOff,
}

impl Admission {
    /// Nobody is here.
    #[must_use]
    pub fn new(limits: AdmissionLimits) -> Self {
        Self { limits, groups: BTreeMap::new(), counts: AdmissionCounts::default(), end: None }
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &AdmissionLimits {
        &self.limits
    }

    /// A TCP connection arrived.
    ///
    /// # Errors
    ///
    /// Too many opening handshakes are under way, in all or from its address. While the server drains it still gets a ticket, so that
    /// it can be told.
    pub fn arrive(&mut self, address: IpAddr) -> Result<Ticket, Refusal> {
        self.counts.accepted += 1;
        let group = AddressGroup::new(address, &self.limits);
        let AdmissionLimits { handshakes, handshakes_per_address, .. } = self.limits;
        if self.counts.handshaking >= handshakes {
            return Err(self.count(Refusal::Handshakes { limit: handshakes }));
        }
        if self.places(group).handshaking >= handshakes_per_address {
            return Err(self.count(Refusal::HandshakesOfAddress { limit: handshakes_per_address }));
        }
        let ticket = Ticket { group, is_open: false };
        self.put_in(&ticket);
        Ok(ticket)
    }

    /// The client's request came: gives it the place of an open connection, which it keeps until [`leave`](Self::leave) or
    /// [`reject`](Self::reject) or [`refuse`](Self::refuse).
    ///
    /// # Errors
    ///
    /// The server drains, or a limit on connections is reached. The ticket stays as it was.
    pub fn open(&mut self, ticket: &mut Ticket) -> Result<(), Refusal> {
        let AdmissionLimits { connections, connections_per_address, .. } = self.limits;
        let refusal = if ticket.is_open {
            return Ok(());
        } else if self.end.is_some() {
            Refusal::Draining
        } else if self.counts.open >= connections {
            Refusal::Connections { limit: connections }
        } else if self.places(ticket.group).open >= connections_per_address {
            Refusal::ConnectionsOfAddress { limit: connections_per_address }
        } else {
            self.take_out(ticket);
            ticket.is_open = true;
            self.put_in(ticket);
            return Ok(());
        };
        Err(self.count(refusal))
    }

    /// The caller has a reason of its own to refuse the client, as [`Refusal::Memory`], who is now to be told: counts it, and gives the place of
    /// an open connection back.
    pub fn refuse(&mut self, ticket: &mut Ticket, refusal: Refusal) {
        self.count(refusal);
        self.reject(ticket);
    }

    /// The application refused the client, who is now to be told: gives the place of an open connection back.
    pub fn reject(&mut self, ticket: &mut Ticket) {
        if ticket.is_open {
            self.take_out(ticket);
            ticket.is_open = false;
            self.put_in(ticket);
        }
    }

    /// A connection is over.
    pub fn leave(&mut self, ticket: Ticket, departure: Departure) {
        self.take_out(&ticket);
        let counts = &mut self.counts;
        *match departure {
            _ if !ticket.is_open => &mut counts.unopened,
            Departure::Clean => &mut counts.closed,
            Departure::Otherwise => &mut counts.ended,
            Departure::CutOff => &mut counts.cut_off,
        } += 1;
    }

    /// Begins the end, for which there is this much time. Who asks from now on is refused. If it has begun, it can become shorter and not longer.
    pub fn drain(&mut self, now: Instant, limit: Duration) {
        let until = now + limit;
        match &mut self.end {
            Some(end) => end.until = end.until.min(until),
            None => self.end = Some(End { since: now, until, before: self.counts, report: None }),
        }
    }

    /// Whether the end has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.end.is_some()
    }

    /// When to call [`timeout`](Self::timeout). It may lie in the past: then at once.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let end = self.end.as_ref().filter(|end| end.report.is_none())?;
        Some(if self.counts.open == 0 { end.since } else { end.until })
    }

    /// The time is `now`. If no connection is open any more, or the time is over, the server has ended.
    pub fn timeout(&mut self, now: Instant) {
        let counts = self.counts;
        let Some(end) = self.end.as_mut().filter(|end| end.report.is_none()) else { return };
        if counts.open == 0 || now >= end.until {
            end.report = Some(DrainReport {
                closed: counts.closed - end.before.closed,
                ended: counts.ended - end.before.ended,
                cut_off: counts.open as u64,
                refused: counts.refused.total() - end.before.refused.total(),
                elapsed: now.since(end.since),
            });
        }
    }

    /// What came of the end, once it has come. It does not change any more.
    #[must_use]
    pub fn report(&self) -> Option<DrainReport> {
        self.end.as_ref()?.report
    }

    /// What there is to do, and what was done.
    #[must_use]
    pub fn counts(&self) -> AdmissionCounts {
        self.counts
    }

    fn count(&mut self, refusal: Refusal) -> Refusal {
        self.counts.refused.count(&refusal);
        refusal
    }

    fn places(&self, group: AddressGroup) -> &Places {
        self.groups.get(&group).unwrap_or(&Places { handshaking: 0, open: 0 })
    }

    fn put_in(&mut self, ticket: &Ticket) {
        let places = self.groups.entry(ticket.group).or_default();
        if ticket.is_open {
            self.counts.open += 1;
            places.open += 1;
        } else {
            self.counts.handshaking += 1;
            places.handshaking += 1;
        }
    }

    /// A ticket of another `Admission` takes nothing out that is not there.
    fn take_out(&mut self, ticket: &Ticket) {
        let Some(places) = self.groups.get_mut(&ticket.group) else { return };
        let (of_group, of_all) = match ticket.is_open {
            true => (&mut places.open, &mut self.counts.open),
            false => (&mut places.handshaking, &mut self.counts.handshaking),
        };
        *of_group = of_group.saturating_sub(1);
        *of_all = of_all.saturating_sub(1);
        if places.open == 0 && places.handshaking == 0 {
            self.groups.remove(&ticket.group);
        }
    }
}
