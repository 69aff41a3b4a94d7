//! A session, a clock by hand, and an adapter that does what the test says.

use core::time::Duration;

use bytes::{Buf, BytesMut};
use sansocket::{
    ClientRequest, CloseCode, CloseFrame, ConnectedInfo, Connection, DialFailed, DialRequest, Entropy, Event,
    Instant, Session, SessionConfig, SessionEvent, SessionState, SessionStep, TransportError,
};

use crate::support::drive::ms;
use crate::support::wire::{self, CLOSE, Frame};

pub(crate) struct Rig {
    pub(crate) session: Session,
    pub(crate) now: Instant,
    /// Everything that the application has heard.
    pub(crate) events: Vec<SessionEvent>,
    /// The connection, and all that it has written.
    pub(crate) connection: Option<Connection>,
    pub(crate) written: Vec<u8>,
}

/// A configuration with so many servers, `s0.example` and so on.
pub(crate) fn config(servers: usize) -> SessionConfig {
    let request = |n| ClientRequest::new(&format!("ws://s{n}.example/")).expect("a URL");
    let mut config = SessionConfig::new(request(0));
    config.servers = (0..servers).map(request).collect();
    config
}

impl Rig {
    /// One server, and a configuration that differs from the default as `change` says.
    pub(crate) fn new(change: impl FnOnce(&mut SessionConfig)) -> Self {
        Self::with(1, 7, change)
    }

    pub(crate) fn with(servers: usize, seed: u8, change: impl FnOnce(&mut SessionConfig)) -> Self {
        let mut config = config(servers);
        change(&mut config);
        let session = Session::new(config, Entropy::from_seed([seed; 32]), Instant::ZERO);
        Self { session, now: Instant::ZERO, events: Vec::new(), connection: None, written: Vec::new() }
    }

    /// Takes the events, and then the next step.
    pub(crate) fn step(&mut self) -> Option<SessionStep> {
        self.take_events();
        self.session.next_step()
    }

    pub(crate) fn take_events(&mut self) {
        while let Some(event) = self.session.next_event() {
            self.events.push(event);
        }
    }

    /// Lets time pass; only the session hears of it.
    pub(crate) fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
        self.session.timeout(self.now);
    }

    /// The next dial, after waiting for its time, and how long that was.
    #[track_caller]
    pub(crate) fn next_dial(&mut self) -> (DialRequest, Duration) {
        let before = self.now;
        loop {
            match self.step() {
                Some(SessionStep::Dial(dial)) => return (*dial, self.now.since(before)),
                Some(other) => panic!("not a dial: {other:?}"),
                None => {}
            }
            assert_eq!(self.session.state(), SessionState::Waiting, "{:?}", self.events.last());
            let due = self.session.deadline().expect("it waits for a point of time");
            assert!(due >= self.now, "a deadline that was told is over");
            self.now = due;
            self.session.timeout(due);
        }
    }

    /// The next dial fails at once. Says which server it went to, and how long was waited for it.
    #[track_caller]
    pub(crate) fn fail(&mut self, failed: DialFailed) -> (usize, Duration) {
        let (dial, waited) = self.next_dial();
        self.session.dial_failed(dial.number, failed, self.now);
        self.take_events();
        (dial.server, waited)
    }

    /// As [`fail`](Self::fail), with what may be different another time.
    #[track_caller]
    pub(crate) fn refuse(&mut self) -> (usize, Duration) {
        self.fail(DialFailed::transient("connection refused"))
    }

    /// The next dial leads to a connection.
    #[track_caller]
    pub(crate) fn connect(&mut self) -> usize {
        let (dial, _) = self.next_dial();
        let entropy = Entropy::from_seed([8; 32]);
        self.connection = Some(Connection::client(self.session.connection_config(), entropy, self.now));
        self.written.clear();
        assert!(self.session.connected(dial.number, ConnectedInfo::new(None, None), self.now));
        self.take_events();
        self.transfer();
        dial.server
    }

    pub(crate) fn transfer(&mut self) {
        if let Some(connection) = &mut self.connection {
            self.session.transfer(connection.halves().1, self.now);
        }
    }

    /// Writes at most so many bytes, as an adapter does it.
    pub(crate) fn write(&mut self, at_most: usize) {
        self.transfer();
        let Some(connection) = &mut self.connection else { return };
        let mut transmit = connection.transmit();
        let mut left = at_most;
        while left > 0 && transmit.has_remaining() {
            let piece = transmit.chunk();
            let len = piece.len().min(left);
            self.written.extend_from_slice(&piece[..len]);
            transmit.advance(len);
            left -= len;
        }
        self.read(&[]);
        self.transfer();
    }

    /// Writes all that waits, the session's queue included.
    pub(crate) fn write_all(&mut self) {
        loop {
            let before = self.written.len();
            self.write(usize::MAX);
            if self.written.len() == before {
                return;
            }
        }
    }

    /// The frames that were written whole since the connection was made.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        wire::decode(whole_frames(&self.written))
    }

    /// The messages among them, as text.
    pub(crate) fn texts(&self) -> Vec<String> {
        let texts = self.frames().into_iter().filter(|frame| frame.first == wire::TEXT);
        texts.map(|frame| String::from_utf8(frame.payload).expect("text is UTF-8")).collect()
    }

    /// Bytes come from the server.
    pub(crate) fn read(&mut self, bytes: &[u8]) {
        let Some(connection) = &mut self.connection else { return };
        let mut input = BytesMut::from(bytes);
        let mut reader = connection.read(&mut input);
        let mut ended = false;
        while let Some(event) = reader.next() {
            ended |= matches!(event, Event::Closed(_));
            self.events.extend(self.session.handle(event, self.now));
            while let Some(event) = self.session.next_event() {
                self.events.push(event);
            }
        }
        drop(reader);
        if ended {
            self.connection = None;
        }
    }

    /// Time passes for the connection too.
    pub(crate) fn tick(&mut self, time: Duration) {
        self.wait(time);
        if let Some(connection) = &mut self.connection {
            connection.timeout(self.now);
        }
        self.read(&[]);
        self.transfer();
    }

    /// The server ends TCP without a word.
    pub(crate) fn cut(&mut self) {
        self.connection.as_mut().expect("there is a connection").eof();
        self.read(&[]);
        if let Some(connection) = &mut self.connection {
            // It wants to say why it closes, and cannot.
            connection.transport_failed(TransportError::BrokenPipe);
            self.read(&[]);
        }
        assert!(self.connection.is_none(), "the connection has ended");
    }

    /// The server closes the connection with this code.
    pub(crate) fn server_closes(&mut self, code: u16) {
        self.read(&wire::encode(CLOSE, None, &wire::close(code, "")));
        self.write_all();
        if self.connection.is_some() {
            self.cut();
        }
    }

    /// The server answers the Close frame of this end.
    pub(crate) fn server_answers_close(&mut self, code: u16) {
        self.write_all();
        self.server_closes(code);
    }

    pub(crate) fn close(&mut self) {
        let frame = CloseFrame::new(CloseCode::NORMAL, "bye").expect("it can be sent");
        self.session.close(frame, self.now);
        self.take_events();
        self.transfer();
    }

    /// The terminal event: there must be exactly one, and nothing may follow.
    #[track_caller]
    pub(crate) fn terminal(&mut self) -> SessionEvent {
        self.take_events();
        let count = self.events.iter().filter(|event| event.is_terminal()).count();
        assert_eq!(count, 1, "terminal events in {:#?}", self.events);
        assert_eq!(self.session.state(), SessionState::Ended);
        assert_eq!(self.session.deadline(), None, "it waits for nothing");
        let last = self.events.last().expect("there is one").clone();
        assert!(last.is_terminal(), "not the last: {:#?}", self.events);
        last
    }

    /// The last event.
    #[track_caller]
    pub(crate) fn last(&self) -> &SessionEvent {
        self.events.last().expect("there was an event")
    }
}

/// The part of `bytes` that is whole frames.
pub(crate) fn whole_frames(bytes: &[u8]) -> &[u8] {
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        let Some(second) = rest.get(1) else { return &bytes[..at] };
        let extended = match second & 0x7F {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some(extension) = rest.get(2..2 + extended) else { return &bytes[..at] };
        let len = match extended {
            0 => usize::from(second & 0x7F),
            _ => extension.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)),
        };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let end = 2 + extended + mask + len;
        if rest.len() < end {
            return &bytes[..at];
        }
        at += end;
    }
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) fn millis(millis: u64) -> Duration {
    ms(millis).since(Instant::ZERO)
}
