//! A `Dial` in the words of its steps, handshakes that fail as they should, and rows of data files.

use core::time::Duration;
use std::net::SocketAddr;

use bytes::{Buf, BytesMut};
use sansocket::{
    AttemptId, ClientConfig, ClientHandshake, ClientRequest, ConnectFault, Dial, DialConfig, DialError,
    DialStep, Dialed, Entropy, HandshakeError, Instant, ProxyHandshake, ResolveFault, StepError,
};

/// IPv6 and IPv4 addresses of `example.com` in the tests.
pub(crate) const V6: [&str; 3] = ["[2001:db8::1]:80", "[2001:db8::2]:80", "[2001:db8::3]:80"];
pub(crate) const V4: [&str; 3] = ["192.0.2.1:80", "192.0.2.2:80", "192.0.2.3:80"];

pub(crate) fn millis(millis: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(millis)
}

pub(crate) fn addresses(list: &[&str]) -> Vec<SocketAddr> {
    list.iter().map(|address| address.parse().unwrap()).collect()
}

pub(crate) fn connect_error(fault: ConnectFault) -> StepError<ConnectFault> {
    StepError::new(fault, "os error 1")
}

pub(crate) fn resolve_error(fault: ResolveFault) -> StepError<ResolveFault> {
    StepError::new(fault, "says the resolver")
}

/// A `Dial` under test, whose steps are words. What the steps carry is kept.
pub(crate) struct Plan {
    pub(crate) dial: Dial,
    pub(crate) connects: Vec<(AttemptId, SocketAddr)>,
    pub(crate) abandoned: Vec<AttemptId>,
    pub(crate) proxy: Option<Box<ProxyHandshake>>,
    pub(crate) handshake: Option<(Box<ClientRequest>, Box<ClientConfig>)>,
    pub(crate) opened: Option<Box<Dialed>>,
    pub(crate) failed: Option<DialError>,
}

impl Plan {
    /// Begun at zero.
    pub(crate) fn new(url: &str, config: &DialConfig) -> Self {
        Self::with(&ClientRequest::new(url).unwrap(), &ClientConfig::default(), config)
    }

    pub(crate) fn with(request: &ClientRequest, client: &ClientConfig, config: &DialConfig) -> Self {
        let dial = Dial::new(request, client, config, Instant::ZERO);
        Self {
            dial,
            connects: Vec::new(),
            abandoned: Vec::new(),
            proxy: None,
            handshake: None,
            opened: None,
            failed: None,
        }
    }

    /// A plan whose host has these addresses, found at zero.
    pub(crate) fn resolved(config: &DialConfig, list: &[&str]) -> Self {
        let mut plan = Self::new("ws://example.com/", config);
        assert_eq!(plan.steps(), ["resolve example.com:80"]);
        plan.dial.resolved(Ok(addresses(list)), Instant::ZERO);
        plan
    }

    /// A plan that has its connection, and takes the next step `now`.
    pub(crate) fn connected(url: &str, client: &ClientConfig, config: &DialConfig, now: Instant) -> Self {
        let mut plan = Self::with(&ClientRequest::new(url).unwrap(), client, config);
        plan.connect(now);
        plan
    }

    /// Resolves if necessary, and connects to the first address.
    pub(crate) fn connect(&mut self, now: Instant) {
        self.steps();
        self.dial.resolved(Ok(addresses(&V4[..1])), now);
        self.steps();
        let (attempt, _) = *self.connects.last().expect("an attempt");
        self.dial.connected(attempt, Ok(()), now);
    }

    /// Tells that the attempt with this number was connected, or was not.
    pub(crate) fn tell(&mut self, number: usize, result: Result<(), ConnectFault>, now: Instant) {
        let (attempt, _) = self.connects[number];
        self.dial.connected(attempt, result.map_err(connect_error), now);
    }

    /// The server answers the opening handshake with these bytes.
    pub(crate) fn answer(&mut self, bytes: &[u8], now: Instant) {
        let (request, config) = self.handshake.take().expect("a handshake");
        self.dial.refused(refusal(&request, &config, bytes), now);
    }

    /// All steps that there are now.
    pub(crate) fn steps(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        while let Some(step) = self.dial.next_step() {
            words.push(match step {
                DialStep::Resolve { host, port, .. } => format!("resolve {host}:{port}"),
                DialStep::Connect { attempt, address, tcp } => {
                    assert!(tcp.nodelay);
                    assert_eq!(attempt.get() as usize, self.connects.len(), "attempts are counted");
                    self.connects.push((attempt, address));
                    format!("connect {address}")
                }
                DialStep::Abandon { attempt } => {
                    assert!(!self.abandoned.contains(&attempt), "an attempt is abandoned once");
                    self.abandoned.push(attempt);
                    format!("abandon {}", self.address(attempt))
                }
                DialStep::Proxy { attempt, handshake } => {
                    self.proxy = Some(handshake);
                    format!("proxy {}", self.address(attempt))
                }
                DialStep::Tls { attempt, server_name } => {
                    format!("tls {} {server_name}", self.address(attempt))
                }
                DialStep::Handshake { attempt, request, config } => {
                    let words = format!("handshake {} {}", self.address(attempt), request.url());
                    self.handshake = Some((request, config));
                    words
                }
                DialStep::Opened(dialed) => {
                    let words = format!("opened {} {}", dialed.address, dialed.url);
                    self.opened = Some(dialed);
                    words
                }
                DialStep::Failed(error) => {
                    let words = format!("failed {}", error.code());
                    self.failed = Some(error);
                    words
                }
                step => panic!("{step:?}"),
            });
        }
        words
    }

    fn address(&self, attempt: AttemptId) -> SocketAddr {
        let attempts = self.connects.iter();
        attempts.clone().find(|(other, _)| *other == attempt).expect("it was connected").1
    }

    /// What happens at each deadline from now on, until there is none: the time in milliseconds and the steps.
    pub(crate) fn wait(&mut self) -> Vec<(u64, Vec<String>)> {
        let mut seen = Vec::new();
        while let Some(at) = self.dial.deadline() {
            self.dial.timeout(Instant::from_nanos(at.as_nanos() - 1));
            assert_eq!(self.steps(), [""; 0], "nothing happens before the deadline");
            self.dial.timeout(at);
            seen.push((at.as_nanos() / 1_000_000, self.steps()));
            assert_ne!(self.dial.deadline(), Some(at), "a deadline comes once");
        }
        seen
    }
}

/// The head of the request that is sent.
pub(crate) fn head(request: &ClientRequest, config: &ClientConfig) -> String {
    let mut handshake = ClientHandshake::new(request, config, Entropy::from_seed([7; 32]), Instant::ZERO);
    String::from_utf8(handshake.transmit().to_vec()).unwrap()
}

/// How an opening handshake fails that is answered with these bytes and the end of the stream.
pub(crate) fn refusal(request: &ClientRequest, config: &ClientConfig, bytes: &[u8]) -> HandshakeError {
    let mut handshake = ClientHandshake::new(request, config, Entropy::from_seed([7; 32]), Instant::ZERO);
    handshake.transmit().clear();
    match handshake.receive(&mut BytesMut::from(bytes), Instant::ZERO) {
        Err(error) => error,
        Ok(_) => handshake.eof(Instant::ZERO),
    }
}

/// What a proxy is sent.
pub(crate) fn sent(handshake: &mut ProxyHandshake) -> Vec<u8> {
    let out = handshake.transmit();
    out.copy_to_bytes(out.remaining()).to_vec()
}

/// The cells of a data file: one row a line, with `|` between the cells. Empty lines and comments are no rows.
pub(crate) fn rows(file: &str) -> impl Iterator<Item = Vec<&str>> {
    file.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split('|').map(str::trim).collect())
}
