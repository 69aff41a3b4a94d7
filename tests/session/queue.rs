//! The queue: what is taken, refused and dropped below, at and above its bounds, with each policy.

use sansocket::{
    DialFailed, MessageNumbers, QueueLimit, QueuePolicy, SessionEvent, SessionRefused, SessionSendError,
};

use crate::rig::{Rig, secs};
use crate::support::wire;

/// A session without a connection, whose queue takes so much.
fn queue(policy: QueuePolicy, messages: usize, bytes: usize) -> Rig {
    Rig::new(|config| {
        config.queue = policy;
        config.queue_messages = messages;
        config.queue_bytes = bytes;
    })
}

/// What is left in the queue: numbers and texts.
fn left(rig: &mut Rig) -> Vec<(u64, String)> {
    rig.session.take_queue().map(|(number, message)| (number, message.into_text().expect("text"))).collect()
}

/// What was dropped, by all events together.
fn dropped(rig: &mut Rig) -> Vec<MessageNumbers> {
    rig.take_events();
    let events = rig.events.drain(..);
    events
        .filter_map(|event| if let SessionEvent::Dropped(dropped) = event { Some(dropped) } else { None })
        .collect()
}

#[test]
fn wait_and_fail_give_back_what_is_over_the_number_of_messages() {
    for policy in [QueuePolicy::Wait, QueuePolicy::Fail] {
        let mut rig = queue(policy, 2, 100);
        for (number, text) in [(0, "a"), (1, "b")] {
            assert!(rig.session.has_room(1), "below");
            assert_eq!(rig.session.send(text), Ok(number));
        }
        assert!(!rig.session.has_room(0), "at");
        let reason =
            SessionRefused::QueueFull { messages: 2, bytes: 2, limit: QueueLimit::Messages { max: 2 } };
        assert_eq!(rig.session.send("c"), Err(SessionSendError { message: "c".into(), reason }));
        assert_eq!(
            reason.to_string(),
            "the queue has no room: queue_messages allows 2 (messages that wait: 2, bytes in them: 2)"
        );
        assert_eq!(dropped(&mut rig), []);
        assert_eq!(rig.session.queued(), 2);
        assert_eq!(left(&mut rig), [(0, "a".into()), (1, "b".into())]);
        assert_eq!(rig.session.send("c"), Ok(2), "what was refused has no number");
    }
}

#[test]
fn wait_and_fail_give_back_what_is_over_the_number_of_bytes() {
    for policy in [QueuePolicy::Wait, QueuePolicy::Fail] {
        let mut rig = queue(policy, 10, 10);
        rig.session.send("1234567").expect("below");
        assert!(rig.session.has_room(3) && !rig.session.has_room(4) && !rig.session.has_room(usize::MAX));
        let error = rig.session.send("1234").expect_err("above");
        assert_eq!(
            error.to_string(),
            "the message was not queued: the queue has no room: queue_bytes allows 10, and this message has 4 \
             (messages that wait: 1, bytes in them: 7)",
        );
        let limit = QueueLimit::Bytes { max: 10, len: 4 };
        assert_eq!(error.reason, SessionRefused::QueueFull { messages: 1, bytes: 7, limit });
        rig.session.send("123").expect("at");
        rig.session.send("").expect("an empty message needs no bytes");
        assert_eq!(rig.session.queued(), 3);
    }
}

#[test]
fn drop_newest_keeps_what_came_first() {
    let mut rig = queue(QueuePolicy::DropNewest, 2, 100);
    for text in ["a", "b", "c", "d"] {
        rig.session.send(text).expect("this policy gives nothing back");
    }
    let [dropped] = dropped(&mut rig)[..] else { panic!("one report for all") };
    assert_eq!((dropped.count, dropped.first, dropped.last), (2, 2, 3));
    assert_eq!(left(&mut rig), [(0, "a".into()), (1, "b".into())]);
    assert_eq!(rig.session.stats().messages_dropped, 2);
}

#[test]
fn drop_oldest_keeps_what_came_last() {
    let mut rig = queue(QueuePolicy::DropOldest, 2, 100);
    for text in ["a", "b", "c", "d"] {
        rig.session.send(text).expect("this policy gives nothing back");
    }
    let [dropped] = dropped(&mut rig)[..] else { panic!("one report for all") };
    assert_eq!((dropped.count, dropped.first, dropped.last), (2, 0, 1));
    assert_eq!(left(&mut rig), [(2, "c".into()), (3, "d".into())]);
}

#[test]
fn drop_oldest_drops_as_many_as_the_bytes_need_and_no_more() {
    let mut rig = queue(QueuePolicy::DropOldest, 10, 10);
    for text in ["111", "222", "333"] {
        rig.session.send(text).expect("there is room");
    }
    rig.session.send("55555").expect("two make room");
    assert_eq!(dropped(&mut rig)[0].count, 2);
    rig.session.send("88").expect("there is room");
    assert_eq!(dropped(&mut rig), []);
    rig.session.send("0123456789A").expect("larger than the whole queue");
    let [dropped] = dropped(&mut rig)[..] else { panic!("the new one alone") };
    assert_eq!((dropped.count, dropped.first), (1, 5));
    let texts: Vec<_> = left(&mut rig).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["333", "55555", "88"]);
}

#[test]
fn a_queue_of_zero_takes_what_a_connection_takes_at_once() {
    for policy in [QueuePolicy::Wait, QueuePolicy::Fail] {
        let mut rig = queue(policy, 0, 0);
        rig.session.send("a").expect_err("there is no connection");
        rig.connect();
        for text in ["b", "c"] {
            assert!(rig.session.has_room(1));
            rig.session.send(text).expect("the connection takes it");
            rig.session.send("x").expect_err("one at a time");
            rig.transfer();
        }
        rig.write_all();
        assert_eq!(rig.texts(), ["b", "c"]);
        rig.cut();
        rig.session.send("d").expect_err("there is no connection any more");
    }
    for policy in [QueuePolicy::DropNewest, QueuePolicy::DropOldest] {
        let mut rig = queue(policy, 0, 0);
        rig.session.send("a").expect("it is dropped");
        rig.connect();
        rig.session.send("b").expect("the connection takes it");
        rig.write_all();
        assert_eq!(rig.texts(), ["b"]);
        assert_eq!(dropped(&mut rig)[0].count, 1);
    }
}

#[test]
fn a_connection_that_has_enough_to_write_takes_no_more_at_once() {
    let mut rig = queue(QueuePolicy::Fail, 0, 0);
    rig.connect();
    let mut accepted = 0;
    while rig.session.has_room(10_000) {
        rig.session.send("x".repeat(10_000)).expect("there is room");
        rig.transfer();
        accepted += 1;
    }
    assert_eq!(accepted, 7, "64 KiB, and the one that goes over it");
    rig.session.send("x").expect_err("the network takes nothing");
    rig.write_all();
    rig.session.send("x").expect("it has taken all");
}

#[test]
fn the_bounds_hold_where_a_connection_refuses_what_it_seemed_to_like() {
    let mut rig = Rig::new(|config| {
        (config.queue_messages, config.queue) = (3, QueuePolicy::Fail);
        // The hard limit is below the soft one.
        config.connection.limits.write_hard = 10;
    });
    rig.connect();
    let mut accepted = 0;
    while accepted < 100 && rig.session.send("0123456789").is_ok() {
        accepted += 1;
        rig.transfer();
    }
    assert_eq!((accepted, rig.session.queued()), (4, 3));
    rig.write_all();
    assert_eq!(rig.texts().len(), 4);
}

#[test]
fn a_connection_that_the_server_closes_takes_nothing_any_more() {
    let mut rig = queue(QueuePolicy::Fail, 0, 0);
    rig.connect();
    assert!(rig.session.has_room(1));
    rig.read(&wire::encode(wire::CLOSE, None, &wire::close(1001, "")));
    rig.transfer();
    assert!(rig.connection.is_some() && !rig.session.has_room(1), "its end is still to come");
    rig.session.send("x").expect_err("it would go nowhere");
}

#[test]
fn a_message_larger_than_the_queue_goes_out_when_a_connection_takes_it_at_once() {
    let mut rig = queue(QueuePolicy::Wait, 10, 10);
    let large = "x".repeat(11);
    rig.session.send(&large[..]).expect_err("it does not fit");
    rig.connect();
    rig.session.send(&large[..]).expect("the connection takes it");
    rig.write_all();
    assert_eq!(rig.texts(), [large]);
}

#[test]
fn a_server_that_reads_slowly_fills_the_queue_and_a_connection_holds_no_more_than_its_limit() {
    let mut rig = queue(QueuePolicy::Fail, 5, 1_000_000);
    rig.connect();
    let mut accepted = 0;
    while rig.session.send("x".repeat(10_000)).is_ok() {
        accepted += 1;
        rig.transfer();
    }
    // 64 KiB of frames and the one that goes over it, and the queue.
    assert_eq!((accepted, rig.session.queued()), (7 + 5, 5));
    assert!(!rig.session.has_room(0));
    // As long as more waits in the connection than it likes, there is no room.
    rig.write(1_000);
    assert!(!rig.session.has_room(0));
    rig.write(10_000);
    assert!(rig.session.has_room(0));
    rig.write_all();
    assert_eq!(rig.session.queued(), 0);
    assert_eq!(rig.texts().len(), 12);
}

#[test]
fn what_comes_back_is_kept_even_above_the_bounds() {
    let mut rig = queue(QueuePolicy::DropOldest, 2, 1_000_000);
    rig.connect();
    for _ in 0..5 {
        rig.session.send("x".repeat(10_000)).expect("the connection takes it");
        rig.transfer();
    }
    rig.session.send("a").expect("there is room");
    rig.cut();
    assert_eq!(rig.session.queued(), 6);
    assert_eq!(dropped(&mut rig), []);
    // With the next one, the bound counts again.
    rig.session.send("b").expect("this policy gives nothing back");
    let [dropped] = dropped(&mut rig)[..] else { panic!("one report") };
    assert_eq!((dropped.count, dropped.first, dropped.last), (5, 0, 4));
    assert_eq!(left(&mut rig), [(5, "a".into()), (6, "b".into())]);
}

#[test]
fn a_queue_of_zero_does_not_drop_what_came_back_for_what_it_has_no_room_for() {
    let mut rig = queue(QueuePolicy::DropOldest, 0, 100);
    rig.connect();
    rig.session.send("accepted").expect("the connection takes it");
    rig.transfer();
    rig.cut();
    rig.session.send("too late").expect("it is dropped");
    assert_eq!(left(&mut rig), [(0, "accepted".into())]);
}

#[test]
fn a_queue_that_was_taken_has_all_of_its_room_again() {
    let mut rig = queue(QueuePolicy::Wait, 10, 10);
    rig.session.send("0123456789").expect("there is room");
    assert!(!rig.session.has_room(1));
    assert_eq!(left(&mut rig).len(), 1);
    assert!(rig.session.has_room(10));
    assert_eq!((rig.session.send("0123456789"), rig.session.queued()), (Ok(1), 1));
}

#[test]
fn drops_are_told_before_the_end() {
    let mut rig = queue(QueuePolicy::DropNewest, 0, 0);
    let (dial, _) = rig.next_dial();
    rig.session.send("a").expect("it is dropped");
    rig.session.dial_failed(dial.number, DialFailed::permanent("404"), rig.now);
    rig.terminal();
    let kinds: Vec<_> = rig.events.iter().map(|event| matches!(event, SessionEvent::Dropped(_))).collect();
    assert_eq!(kinds, [true, false]);
}

#[test]
fn what_is_left_when_the_session_gives_up_can_be_taken() {
    let mut rig = Rig::new(|config| config.max_reconnect_attempts = Some(0));
    rig.session.send("a").expect("there is room");
    rig.connect();
    rig.write_all();
    rig.tick(secs(60));
    rig.session.send("b").expect("there is room");
    rig.session.send("c").expect("there is room");
    rig.cut();
    let SessionEvent::GaveUp(gave_up) = rig.terminal() else { panic!("{:?}", rig.events) };
    assert_eq!(gave_up.queued, 2);
    assert_eq!(left(&mut rig), [(1, "b".into()), (2, "c".into())]);
}
