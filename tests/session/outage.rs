//! An outage of a day, in milliseconds.

use sansocket::{Instant, QueuePolicy, SessionEvent};

use crate::memory;
use crate::rig::{Rig, secs};

const DAY: u64 = 24 * 60 * 60;

#[test]
fn a_day_without_a_server_costs_little_and_ends_with_the_first_answer() {
    let mut rig = Rig::with(2, 7, |config| {
        config.queue = QueuePolicy::DropOldest;
        config.queue_messages = 100;
    });
    rig.connect();
    rig.tick(secs(60));
    rig.cut();
    let lost_at = rig.now;
    let fail_until = |rig: &mut Rig, end: u64| {
        while rig.now.since(lost_at) < secs(end) {
            rig.refuse();
            rig.session.send("state of now").expect("this policy gives nothing back");
            // The application of this test forgets what it has heard.
            rig.take_events();
            rig.events.clear();
        }
    };
    // The lists of attempts and the queue are full after the first hours.
    fail_until(&mut rig, 2 * 60 * 60);
    let ((), peak) = memory::peak(|| fail_until(&mut rig, DAY));
    assert!(peak < 4096, "{peak} bytes more at the end of the day");
    let dials = rig.session.stats().dials;
    // At a ceiling of 30 s, a delay is 15 s on average: 5,760 in a day.
    assert!((5_400..=6_200).contains(&dials), "{dials} dials");
    assert_eq!(rig.session.queued(), 100);

    rig.connect();
    let SessionEvent::Reconnected(again) = rig.last().clone() else { panic!("{:?}", rig.events) };
    assert!(again.outage >= secs(DAY) && again.outage < secs(DAY + 60), "{:?}", again.outage);
    assert_eq!(again.attempts, dials);
    rig.write_all();
    assert_eq!(rig.texts().len(), 100);
    let stats = rig.session.stats();
    assert_eq!((stats.outages, stats.connected), (again.outage, secs(60)));
    assert_eq!(stats.messages_accepted, stats.messages_written + stats.messages_dropped);
    assert_eq!(stats.connections, 2);
}

#[test]
fn whoever_stops_listening_stops_the_attempts() {
    let mut rig = Rig::new(|_| {});
    rig.refuse();
    let ((), peak) = memory::peak(|| {
        for _ in 0..10_000 {
            rig.wait(secs(60));
            let _ = rig.session.next_step();
        }
    });
    assert!(peak < 4096, "{peak} bytes");
    assert_eq!(rig.session.stats().dials, 2);
    assert!(rig.now.since(Instant::ZERO) > secs(6 * DAY));
}

#[test]
fn the_numbers_have_the_outage_that_is_not_over_and_the_connection_that_is_open() {
    let mut rig = Rig::new(|config| config.max_reconnect_attempts = Some(1));
    rig.wait(secs(3));
    assert_eq!(rig.session.stats().outages, secs(0), "there was no connection yet");
    rig.connect();
    rig.tick(secs(60));
    assert_eq!((rig.session.stats().connected, rig.session.stats().outages), (secs(60), secs(0)));
    rig.cut();
    let lost_at = rig.now;
    rig.next_dial();
    rig.wait(secs(9));
    assert_eq!(rig.session.stats().outages, rig.now.since(lost_at));
    rig.wait(secs(21));
    rig.terminal();
    let end = rig.now;
    rig.wait(secs(100));
    assert_eq!(rig.session.stats().outages, end.since(lost_at), "nobody tries any more");
    assert_eq!(rig.session.stats().connected, secs(60));
}
