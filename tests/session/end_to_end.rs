//! A session with real handshakes and connections against a server that is killed again and again, on a slow wire in memory.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use bytes::{Buf, BytesMut};
use sansocket::{
    Accept, ClientHandshake, ClientStep, ConnectedInfo, Connection, DialFailed, DialRequest, Entropy, Event,
    Instant, ServerConfig, ServerHandshake, ServerStep, Session, SessionEvent, SessionStep, State,
};

use crate::rig::{config, millis};

/// A clock that goes in milliseconds, a wire that carries so many bytes in each, and the two ends.
struct World {
    now: Instant,
    random: u64,
    session: Session,
    client: Client,
    /// Whether the server takes connections.
    up: bool,
    server: Option<Server>,
    to_server: BytesMut,
    to_client: BytesMut,
    app: App,
    kills: u32,
}

enum Client {
    Idle,
    Dialling(Box<DialRequest>, Box<ClientHandshake>),
    Open(Box<Connection>),
}

enum Server {
    Handshake(Box<ServerHandshake>),
    Open(Box<Connection>),
}

/// The application at both ends: what it wants to send, and what has been done about it.
#[derive(Default)]
struct App {
    /// By the number of the message, the order that it carries: sent, and not acknowledged.
    open: BTreeMap<u64, u32>,
    /// To be ordered again.
    again: Vec<u32>,
    acknowledged: BTreeSet<u32>,
    /// At the server: how often each order came.
    received: BTreeMap<u32, u32>,
    events: Vec<SessionEvent>,
}

const BYTES_PER_MS: usize = 40;

impl World {
    fn new(seed: u8) -> Self {
        let mut config = config(1);
        config.heartbeat_interval = Some(millis(300));
        config.heartbeat_timeout = Some(millis(300));
        config.connection_timeout = Some(millis(500));
        config.max_reconnect_delay = Duration::from_secs(1);
        config.reconnect_delay = millis(20);
        config.stable_after = millis(100);
        config.resume = true;
        let session = Session::new(config, Entropy::from_seed([seed; 32]), Instant::ZERO);
        Self {
            now: Instant::ZERO,
            random: u64::from(seed) + 1,
            session,
            client: Client::Idle,
            up: false,
            server: None,
            to_server: BytesMut::new(),
            to_client: BytesMut::new(),
            app: App::default(),
            kills: 0,
        }
    }

    fn below(&mut self, n: u64) -> u64 {
        // Knuth's MMIX; the high bits are the random ones.
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % n
    }

    fn order(&mut self, order: u32) -> bool {
        match self.session.send(format!("order {order}")) {
            Ok(number) => {
                self.app.open.insert(number, order);
                true
            }
            Err(_) => false,
        }
    }

    /// One millisecond.
    fn pass(&mut self) {
        self.now = self.now + millis(1);
        self.session.timeout(self.now);
        self.hear();
        self.take_step();
        self.drive_client();
        self.drive_server();
        self.hear();
    }

    /// Ends the server with all that is on the wire. The client hears of it, or does not.
    fn kill(&mut self) {
        self.kills += 1;
        self.up = false;
        self.server = None;
        self.to_server.clear();
        if self.below(3) == 0 {
            // Nobody says anything: heartbeat, or the time limit of the dial, must find out.
            return;
        }
        self.to_client.clear();
        match &mut self.client {
            Client::Idle => {}
            Client::Dialling(dial, handshake) => {
                let error = handshake.eof(self.now);
                self.session.dial_failed(dial.number, error.into(), self.now);
                self.client = Client::Idle;
            }
            Client::Open(connection) => connection.eof(),
        }
    }

    fn hear(&mut self) {
        while let Some(event) = self.session.next_event() {
            self.heard(event);
        }
    }

    fn heard(&mut self, event: SessionEvent) {
        match &event {
            SessionEvent::Connected(_) | SessionEvent::Reconnected(_) => {
                self.session.send_first("hello").expect("it is the time");
                self.session.resumed();
            }
            // Whatever may not have arrived and was not acknowledged is ordered again.
            SessionEvent::Disconnected(lost) if !lost.unconfirmed.is_empty() => {
                let unknown = lost.unconfirmed.first..=lost.unconfirmed.last;
                let again: Vec<_> =
                    self.app.open.range(unknown).map(|(number, order)| (*number, *order)).collect();
                for (number, order) in again {
                    self.app.open.remove(&number);
                    self.app.again.push(order);
                }
            }
            SessionEvent::Message(message) => {
                let text = message.as_text().expect("text");
                let order =
                    text.strip_prefix("done ").expect("an acknowledgement").parse().expect("a number");
                self.app.acknowledged.insert(order);
                self.app.open.retain(|_, open| *open != order);
                return;
            }
            _ => {}
        }
        self.app.events.push(event);
    }

    fn take_step(&mut self) {
        match self.session.next_step() {
            None => {}
            Some(SessionStep::Abandon) => self.client = Client::Idle,
            Some(SessionStep::Dial(dial)) => {
                self.to_server.clear();
                self.to_client.clear();
                if !self.up {
                    let refused = DialFailed::transient("connection refused");
                    return self.session.dial_failed(dial.number, refused, self.now);
                }
                self.server =
                    Some(Server::Handshake(ServerHandshake::new(&ServerConfig::default(), self.now).into()));
                let seed = Entropy::from_seed([dial.number as u8; 32]);
                let handshake =
                    ClientHandshake::new(&dial.request, self.session.connection_config(), seed, self.now);
                self.client = Client::Dialling(dial, handshake.into());
            }
            Some(other) => panic!("unknown step {other:?}"),
        }
    }

    fn drive_client(&mut self) {
        let now = self.now;
        let len = self.to_client.len().min(BYTES_PER_MS);
        let mut input = self.to_client.split_to(len);
        match &mut self.client {
            Client::Idle => {}
            Client::Dialling(dial, handshake) => {
                carry(handshake.transmit(), &mut self.to_server);
                match handshake.receive(&mut input, now) {
                    Ok(ClientStep::NeedMore) => {}
                    Ok(ClientStep::Open(connection, response)) => {
                        let info = ConnectedInfo::new(None, response.subprotocol());
                        assert!(self.session.connected(dial.number, info, now));
                        self.client = Client::Open(connection.into());
                    }
                    Err(error) => panic!("{error}"),
                }
                let mut rest = input;
                rest.unsplit(core::mem::take(&mut self.to_client));
                self.to_client = rest;
            }
            Client::Open(connection) => {
                connection.timeout(now);
                let mut heard = Vec::new();
                let mut reader = connection.read(&mut input);
                while let Some(event) = reader.next() {
                    heard.extend(self.session.handle(event, now));
                }
                drop(reader);
                self.session.transfer(connection.halves().1, now);
                carry(&mut connection.transmit(), &mut self.to_server);
                self.session.transfer(connection.halves().1, now);
                if let Some(closed) = connection.take_closed() {
                    self.session.disconnected(closed, now);
                }
                if connection.state() == State::Closed {
                    self.client = Client::Idle;
                }
                for event in heard {
                    self.heard(event);
                }
            }
        }
    }

    fn drive_server(&mut self) {
        let now = self.now;
        let len = self.to_server.len().min(BYTES_PER_MS);
        let mut input = self.to_server.split_to(len);
        match &mut self.server {
            // Written to nobody.
            None => {}
            Some(Server::Handshake(handshake)) => {
                if let ServerStep::Request(pending) = handshake.receive(&mut input, now).expect("a client") {
                    let connection = pending.accept(Accept::new(), now).expect("it can be accepted");
                    self.server = Some(Server::Open(connection.into()));
                }
                let mut rest = input;
                rest.unsplit(core::mem::take(&mut self.to_server));
                self.to_server = rest;
            }
            Some(Server::Open(connection)) => {
                connection.timeout(now);
                let (receiver, sender) = connection.halves();
                let mut reader = receiver.read(&mut input);
                while let Some(event) = reader.next() {
                    sender.handle(&event);
                    let Event::Text(text) = event else { continue };
                    let Some(order) = text.strip_prefix("order ") else {
                        assert_eq!(text, "hello");
                        continue;
                    };
                    let order = order.parse().expect("a number");
                    *self.app.received.entry(order).or_default() += 1;
                    sender.send_text(&format!("done {order}")).expect("there is room");
                }
                carry(&mut sender.transmit(), &mut self.to_client);
            }
        }
    }
}

/// Writes as much as fits into a wire that does not hold much.
fn carry(out: &mut impl Buf, wire: &mut BytesMut) {
    while out.has_remaining() && wire.len() < 2_000 {
        let len = out.chunk().len().min(2_000 - wire.len());
        wire.extend_from_slice(&out.chunk()[..len]);
        out.advance(len);
    }
}

#[test]
fn a_server_that_is_killed_a_hundred_times_under_load_gets_every_order() {
    for seed in [1, 2, 3] {
        let mut world = World::new(seed);
        let mut orders = 0;
        let mut down_until = 0;
        let mut life = 50;
        let mut at = 0;
        while world.kills < 100 || world.app.acknowledged.len() < orders as usize {
            at += 1;
            assert!(at < 1_000_000, "{} of {orders} are done after {at} ms", world.app.acknowledged.len());
            while let Some(order) = world.app.again.pop() {
                if !world.order(order) {
                    world.app.again.push(order);
                    break;
                }
            }
            if world.kills < 100 && at % 4 == 0 && world.order(orders) {
                orders += 1;
            }
            world.up |= at >= down_until;
            // In the middle of messages or, now and then, of an opening handshake.
            if world.kills < 100 && world.server.is_some() {
                life -= 1;
                if life == 0 {
                    world.kill();
                    down_until = at + world.below(300);
                    life = 1 + world.below(400);
                }
            }
            world.pass();
        }
        let stats = world.session.stats();
        assert!(stats.connections > 90, "{stats:?}");
        assert_eq!(stats.messages_dropped, 0);
        // Orders that came twice were ordered twice, because nobody could know; the session itself sends none twice.
        let received: u32 = world.app.received.values().sum();
        assert_eq!(world.app.received.len(), orders as usize, "every order came");
        assert!(u64::from(received) <= stats.messages_written, "{received} of {stats:?}");
        let ordered_again = stats.messages_accepted - u64::from(orders);
        assert!(u64::from(received - orders) <= ordered_again && ordered_again <= stats.messages_unconfirmed);
        assert!(!world.app.events.iter().any(SessionEvent::is_terminal));
        let again = world.app.events.iter().filter_map(|event| match event {
            SessionEvent::Reconnected(again) => Some(again.outage),
            _ => None,
        });
        // 300 ms of silence are noticed by the heartbeat before the outage begins; then the server is down for 300 ms at most,
        // and the longest delay is one second.
        let longest = again.max().expect("it has reconnected");
        assert!(longest <= millis(300 + 1_000 + 500 + 200), "{longest:?}");
    }
}
