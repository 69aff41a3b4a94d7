//! What becomes of messages under connections that come and go: in order, none lost, none twice, and all that is unknown told.

use proptest::prelude::*;
use sansocket::{MessageNumbers, QueuePolicy, SessionEvent, SessionState};

use crate::rig::{Rig, millis};
use crate::support::wire::{self, BINARY, PING, PONG};

#[derive(Debug, Clone)]
enum Op {
    /// A message with so many bytes behind its number.
    Send(usize),
    /// The network takes so many bytes.
    Write(usize),
    /// Milliseconds pass.
    Time(u64),
    /// The server answers the newest Ping that has reached it.
    Pong,
    /// TCP ends.
    Cut,
    /// The server closes with this code.
    Close(u16),
    /// The next dial leads to a connection, or does not.
    Connect,
    Refuse,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (0..200_usize).prop_map(Op::Send),
        1 => (0..90_000_usize).prop_map(Op::Send),
        6 => (1..300_usize).prop_map(Op::Write),
        2 => (1..200_000_usize).prop_map(Op::Write),
        3 => (0..25_000_u64).prop_map(Op::Time),
        2 => Just(Op::Pong),
        1 => Just(Op::Cut),
        1 => prop_oneof![Just(1001), Just(1012), Just(4000)].prop_map(Op::Close),
        4 => Just(Op::Connect),
        1 => Just(Op::Refuse),
    ]
}

fn policy() -> impl Strategy<Value = QueuePolicy> {
    prop_oneof![
        Just(QueuePolicy::Wait),
        Just(QueuePolicy::Fail),
        Just(QueuePolicy::DropNewest),
        Just(QueuePolicy::DropOldest),
    ]
}

/// What an observer of the wire and of the application knows.
#[derive(Default)]
struct Model {
    /// Numbers of the messages that the session took.
    accepted: u64,
    /// Those that left whole, on all connections.
    delivered: Vec<u64>,
    /// Bytes of the present connection up to the end of the last Ping that was answered.
    confirmed: usize,
}

impl Model {
    fn send(&mut self, rig: &mut Rig, policy: QueuePolicy, len: usize) {
        let mut payload = self.accepted.to_be_bytes().to_vec();
        payload.resize(8 + len, 0);
        let has_room = rig.session.has_room(payload.len());
        match rig.session.send(payload.clone()) {
            Ok(number) => {
                assert_eq!(number, self.accepted);
                self.accepted += 1;
                let drops = matches!(policy, QueuePolicy::DropNewest | QueuePolicy::DropOldest);
                assert!(has_room || drops, "without room, it is given back");
            }
            Err(error) => {
                assert!(!has_room);
                assert_eq!(error.message.as_bytes(), payload, "it comes back as it was");
                assert!(matches!(policy, QueuePolicy::Wait | QueuePolicy::Fail));
            }
        }
        rig.transfer();
    }

    fn pong(&mut self, rig: &mut Rig) {
        let mut at = 0;
        let mut newest = None;
        for frame in rig.frames() {
            at += wire::encode(frame.first, frame.key, &frame.payload).len();
            if frame.first == PING {
                newest = Some((at, frame.payload));
            }
        }
        let Some((end, payload)) = newest else { return };
        self.confirmed = end;
        rig.read(&wire::encode(PONG, None, &payload));
        // What a heartbeat confirms went out before its Ping.
        let Some(SessionEvent::Heartbeat { confirmed, .. }) = rig.events.last() else { return };
        let mut at = 0;
        let mut last = None;
        for frame in rig.frames() {
            at += wire::encode(frame.first, frame.key, &frame.payload).len();
            if frame.first == BINARY && at <= end {
                last = Some(u64::from_be_bytes(frame.payload[..8].try_into().expect("eight bytes")));
            }
        }
        assert!(
            confirmed.is_empty() || Some(confirmed.last) <= last,
            "{confirmed:?}, and {last:?} was written"
        );
    }

    /// Looks at what the connection that has ended has written, and compares what was said about it.
    fn ended(&mut self, rig: &mut Rig) {
        let lost = rig.events.iter().rev().find_map(|event| match event {
            SessionEvent::Disconnected(lost) => Some(lost.clone()),
            _ => None,
        });
        let lost = lost.expect("it was told");
        let mut at = 0;
        let mut unconfirmed = Vec::new();
        for frame in rig.frames() {
            at += wire::encode(frame.first, frame.key, &frame.payload).len();
            if frame.first == BINARY {
                let number = u64::from_be_bytes(frame.payload[..8].try_into().expect("eight bytes"));
                self.delivered.push(number);
                if at > self.confirmed {
                    unconfirmed.push(number);
                }
            }
        }
        // What may not have arrived is told; a little more may be, as the Ping is not seen at the very byte.
        assert!(lost.unconfirmed.count >= unconfirmed.len() as u64, "{lost:?}, at least {unconfirmed:?}");
        if let (Some(first), Some(last)) = (unconfirmed.first(), unconfirmed.last()) {
            assert!(lost.unconfirmed.first <= *first && lost.unconfirmed.last == *last, "{lost:?}");
        }
        if !lost.unconfirmed.is_empty() {
            assert!(lost.unconfirmed.last <= *self.delivered.last().expect("something was written"));
        }
        if let (false, Some(last)) = (lost.returned.is_empty(), self.delivered.last()) {
            assert!(lost.returned.first > *last, "what was written does not come back: {lost:?}");
        }
        assert!(lost.returned.count <= lost.queued as u64);
        self.confirmed = 0;
    }

    /// Everything that was accepted is delivered, dropped or left in the queue: once.
    fn check(&self, rig: &mut Rig) {
        assert!(self.delivered.is_sorted_by(|a, b| a < b), "in order, none twice: {:?}", self.delivered);
        let left: Vec<u64> = rig.session.take_queue().map(|(number, _)| number).collect();
        assert!(left.is_sorted_by(|a, b| a < b), "in order: {left:?}");
        let dropped: Vec<MessageNumbers> = rig
            .events
            .iter()
            .filter_map(
                |event| if let SessionEvent::Dropped(dropped) = event { Some(*dropped) } else { None },
            )
            .collect();
        let known: std::collections::BTreeSet<u64> = self.delivered.iter().chain(&left).copied().collect();
        assert_eq!(known.len(), self.delivered.len() + left.len(), "what is in the queue was not delivered");
        let missing: Vec<u64> = (0..self.accepted).filter(|number| !known.contains(number)).collect();
        let told: u64 = dropped.iter().map(|dropped| dropped.count).sum();
        assert_eq!(missing.len() as u64, told, "{missing:?} are missing, {dropped:?}");
        for number in &missing {
            let in_some = dropped.iter().any(|dropped| dropped.contains(*number));
            assert!(in_some, "{number} is missing, {dropped:?}");
        }
        let confirmed = rig.session.confirmed();
        assert!(
            left.iter().all(|number| *number >= confirmed),
            "below {confirmed}, and in the queue: {left:?}"
        );
        for number in 0..confirmed {
            let told = missing.contains(&number) || self.delivered.contains(&number);
            assert!(told, "{number} is below {confirmed}");
        }
        let stats = rig.session.stats();
        assert_eq!(stats.messages_written, stats.messages_confirmed + stats.messages_unconfirmed);
        assert_eq!(stats.messages_accepted, self.accepted);
        assert_eq!(stats.messages_written, self.delivered.len() as u64);
        assert_eq!(stats.messages_dropped, told);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn messages_arrive_in_order_and_none_is_lost_or_sent_twice_silently(
        ops in prop::collection::vec(op(), 1..120),
        policy in policy(),
        messages in 0..20_usize,
        bytes in prop_oneof![0..2_000_usize, Just(1_000_000)],
        seed in any::<u8>(),
    ) {
        let mut model = Model::default();
        let mut rig = Rig::with(2, seed, |config| {
            config.queue = policy;
            config.queue_messages = messages;
            config.queue_bytes = bytes;
            // Every connection is short here.
            config.stable_after = millis(0);
        });
        for op in ops {
            let connected = rig.connection.is_some();
            match op {
                Op::Send(len) => model.send(&mut rig, policy, len),
                Op::Write(len) => rig.write(len),
                Op::Time(time) if connected => rig.tick(millis(time)),
                Op::Pong if connected => model.pong(&mut rig),
                Op::Cut if connected => rig.cut(),
                Op::Close(code) if connected => rig.server_closes(code),
                Op::Connect if !connected => { rig.connect(); }
                Op::Refuse if !connected => { rig.refuse(); }
                _ => {}
            }
            rig.take_events();
            if connected && rig.connection.is_none() {
                model.ended(&mut rig);
            }
        }
        if rig.connection.is_some() {
            rig.cut();
            model.ended(&mut rig);
        }
        rig.close();
        rig.terminal();
        prop_assert_eq!(rig.session.state(), SessionState::Ended);
        model.check(&mut rig);
    }
}
