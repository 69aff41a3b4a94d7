//! Who may connect to a server, and how it ends: every limit below, at and above it, without sockets and under virtual time.

mod drain;
mod limits;

use std::net::IpAddr;

use sansocket::{Admission, AdmissionLimits, Departure, Refusal, Ticket};

/// No limit but those that `set` sets.
fn with(set: impl FnOnce(&mut AdmissionLimits)) -> Admission {
    let mut limits = AdmissionLimits::default();
    limits.connections = usize::MAX;
    limits.connections_per_address = usize::MAX;
    limits.handshakes = usize::MAX;
    limits.handshakes_per_address = usize::MAX;
    set(&mut limits);
    Admission::new(limits)
}

/// One of as many addresses as are wanted.
fn address(number: u32) -> IpAddr {
    std::net::Ipv4Addr::from_bits(0xC633_6400 + number).into()
}

/// A client that comes and has its connection.
fn open(admission: &mut Admission, from: IpAddr) -> Result<Ticket, Refusal> {
    let mut ticket = admission.arrive(from)?;
    match admission.open(&mut ticket) {
        Ok(()) => Ok(ticket),
        Err(refusal) => {
            admission.leave(ticket, Departure::Otherwise);
            Err(refusal)
        }
    }
}
