//! The end of a server.

use std::time::Duration;

use sansocket::{Departure, Instant, Refusal};

use super::{address, open, with};

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

#[test]
fn it_is_over_at_once_where_nothing_is_open() {
    let mut admission = with(|_| ());
    assert_eq!((admission.deadline(), admission.is_draining()), (None, false));
    admission.timeout(at(1));
    assert_eq!(admission.report(), None, "nobody asked for it");
    // Who has said nothing yet is not waited for.
    let _silent = admission.arrive(address(1)).unwrap();
    admission.drain(at(1), 10 * SECOND);
    assert!(admission.deadline().unwrap() <= at(1));
    admission.timeout(at(1));
    let report = admission.report().unwrap();
    assert_eq!((report.closed, report.cut_off, report.elapsed), (0, 0, Duration::ZERO));
    assert_eq!(admission.deadline(), None);
}

#[test]
fn newcomers_are_refused_and_get_a_ticket_to_be_told_by() {
    let mut admission = with(|_| ());
    let before = open(&mut admission, address(1)).unwrap();
    let mut under_way = admission.arrive(address(2)).unwrap();
    admission.drain(at(1), 10 * SECOND);
    assert_eq!(admission.open(&mut under_way), Err(Refusal::Draining));
    assert_eq!(open(&mut admission, address(3)).unwrap_err(), Refusal::Draining);
    admission.leave(before, Departure::Clean);
    admission.timeout(at(2));
    let report = admission.report().unwrap();
    assert_eq!((report.closed, report.refused, report.elapsed), (1, 2, SECOND));
    assert_eq!(open(&mut admission, address(3)).unwrap_err(), Refusal::Draining, "also afterwards");
    assert_eq!(admission.report(), Some(report));
}

#[test]
fn it_tells_who_closed_who_ended_otherwise_and_who_was_cut_off() {
    let mut admission = with(|_| ());
    let long_ago = open(&mut admission, address(1)).unwrap();
    admission.leave(long_ago, Departure::Clean);
    let mut tickets: Vec<_> = (0..5).map(|i| open(&mut admission, address(i)).unwrap()).collect();
    admission.drain(at(0), 10 * SECOND);
    assert_eq!(admission.deadline(), Some(at(10)));
    admission.leave(tickets.remove(0), Departure::Clean);
    admission.leave(tickets.remove(0), Departure::Otherwise);
    admission.timeout(Instant::from_nanos(at(10).as_nanos() - 1));
    assert_eq!(admission.report(), None, "a moment before");
    admission.timeout(at(10));
    let report = admission.report().unwrap();
    assert_eq!((report.closed, report.ended, report.cut_off, report.elapsed), (1, 1, 3, 10 * SECOND));
    for ticket in tickets {
        admission.leave(ticket, Departure::CutOff);
    }
    admission.timeout(at(20));
    assert_eq!(admission.report(), Some(report), "what was told does not change");
    assert_eq!((admission.counts().cut_off, admission.counts().closed), (3, 2));
}

#[test]
fn it_can_become_shorter_and_not_longer() {
    let mut admission = with(|_| ());
    let _stuck = open(&mut admission, address(1)).unwrap();
    admission.drain(at(0), 10 * SECOND);
    admission.drain(at(1), 20 * SECOND);
    assert_eq!(admission.deadline(), Some(at(10)));
    admission.drain(at(2), SECOND);
    assert_eq!(admission.deadline(), Some(at(3)));
    admission.timeout(at(3));
    let report = admission.report().unwrap();
    assert_eq!((report.cut_off, report.elapsed), (1, 3 * SECOND));
    admission.drain(at(4), SECOND);
    assert_eq!(admission.report(), Some(report));
}

#[test]
fn without_time_everybody_is_cut_off() {
    let mut admission = with(|_| ());
    let _open = open(&mut admission, address(1)).unwrap();
    admission.drain(at(5), Duration::ZERO);
    admission.timeout(at(5));
    assert_eq!(admission.report().map(|report| report.cut_off), Some(1));
}
