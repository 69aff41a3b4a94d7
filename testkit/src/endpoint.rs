//! The core at one end, with an application.

use core::fmt;
use core::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use sansocket::{
    ClientHandshake, CloseCode, Closed, Connection, HandshakeError, Instant, Message, Request, Response,
    SendError, SendRefused, ServerHandshake, TransportError,
};

use crate::drive::{Context, Drive};
use crate::network::Network;
use crate::phase::{Advanced, Decision, Phase};
use crate::reading::Reading;
use crate::seen::Seen;
use crate::sim::START;

/// What an application does with an event.
type Handler = Box<dyn FnMut(&mut Connection, Seen)>;

/// A client or a server: the core, driven as its contract wants it, and an application.
///
/// The application is the test itself, which gives commands and looks at [`events`](Self::events) between two runs; or
/// [`on_event`](Self::on_event), which answers while time passes. The commands have the names that they have in
/// [`Connection`]; all others are there through [`connection`](Self::connection).
pub struct Endpoint {
    phase: Phase,
    /// How long a peer may take the reply to a handshake that failed.
    linger: Duration,
    /// Bytes that were read and not looked at yet.
    input: BytesMut,
    request: Option<Request>,
    response: Option<Response>,
    reading: Reading,
    handler: Option<Handler>,
    events: Vec<Seen>,
    closed: Option<Closed>,
    most_queued: usize,
    noted_failure: bool,
}

impl Endpoint {
    /// A client that has its opening handshake before it.
    #[must_use]
    pub fn client(network: &Network) -> Self {
        let config = &network.client_config;
        let request = network.request.clone().unwrap_or_else(|| {
            sansocket::ClientRequest::new("ws://example.com/").expect("it is a WebSocket URI")
        });
        let handshake = ClientHandshake::new(&request, config, network.entropy(), START);
        Self::new(Phase::Connecting(handshake), config.timeouts.close)
    }

    /// A server that has its opening handshake before it.
    #[must_use]
    pub fn server(network: &Network) -> Self {
        let config = &network.server_config;
        let handshake = ServerHandshake::new(config, START);
        let decision = Decision { decide: network.decide.clone(), takes: network.decision_time };
        Self::new(Phase::Accepting { handshake, decision }, config.timeouts.close)
    }

    /// An endpoint that is open already. Its connection is to be made at [`START`].
    #[must_use]
    pub fn open(connection: Connection) -> Self {
        Self::new(Phase::Open(connection), Duration::ZERO)
    }

    fn new(phase: Phase, linger: Duration) -> Self {
        Self {
            phase,
            linger,
            input: BytesMut::new(),
            request: None,
            response: None,
            reading: Reading::default(),
            handler: None,
            events: Vec::new(),
            closed: None,
            most_queued: 0,
            noted_failure: false,
        }
    }

    /// Whether the opening handshake has succeeded. Stays so when the connection closes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_))
    }

    /// Why the opening handshake failed, if it did.
    #[must_use]
    pub fn handshake_error(&self) -> Option<&HandshakeError> {
        match &self.phase {
            Phase::Failed { error, .. } => Some(error),
            _ => None,
        }
    }

    /// A server: the client's request, once it is there and follows the rules.
    #[must_use]
    pub fn request(&self) -> Option<&Request> {
        self.request.as_ref()
    }

    /// A client: how the server agreed.
    #[must_use]
    pub fn response(&self) -> Option<&Response> {
        self.response.as_ref()
    }

    /// How the connection ended, if it has.
    #[must_use]
    pub fn closed(&self) -> Option<&Closed> {
        self.closed.as_ref()
    }

    /// What was seen since it was last taken, the terminal event included.
    #[must_use]
    pub fn events(&self) -> &[Seen] {
        &self.events
    }

    /// Takes what was seen.
    pub fn take_events(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.events)
    }

    /// Takes what was seen, and of that returns the messages.
    pub fn take_messages(&mut self) -> Vec<Message> {
        self.take_events().into_iter().filter_map(Seen::into_message).collect()
    }

    /// Sets the application: `handler` is given each event, which then is not kept in [`events`](Self::events). What it makes the
    /// connection send is written in the same instant.
    ///
    /// ```
    /// use sansocket_testkit::{Network, Reading};
    ///
    /// let mut pair = Network::new(1).open()?;
    /// // An echo server that takes no more than it can answer.
    /// pair.server.on_event(|connection, event| {
    ///     if let Some(message) = event.into_message() {
    ///         let _ = connection.send(message);
    ///     }
    /// });
    /// pair.server.set_reading(Reading::WhileMaySend);
    /// pair.client.send("echo")?;
    /// pair.run_for(std::time::Duration::ZERO);
    /// assert_eq!(pair.client.take_messages(), ["echo".into()]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_event(&mut self, handler: impl FnMut(&mut Connection, Seen) + 'static) {
        self.handler = Some(Box::new(handler));
    }

    /// When the application takes events. Default [`Reading::Always`].
    pub fn set_reading(&mut self, reading: Reading) {
        self.reading = reading;
    }

    /// The open connection, for every command and question.
    ///
    /// # Panics
    ///
    /// If the opening handshake is not done, or has failed.
    pub fn connection(&mut self) -> &mut Connection {
        if let Some(error) = self.handshake_error() {
            panic!("there is no connection: {error}");
        }
        self.phase.connection().expect("there is no connection: the opening handshake is not done")
    }

    /// See [`Connection::send`].
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Panics
    ///
    /// As [`connection`](Self::connection).
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        self.connection().send(message)
    }

    /// See [`Connection::ping`].
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Panics
    ///
    /// As [`connection`](Self::connection).
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendRefused> {
        self.connection().ping(payload)
    }

    /// See [`Connection::close`].
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Panics
    ///
    /// As [`connection`](Self::connection).
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), SendRefused> {
        self.connection().close(code, reason)
    }

    /// Bytes of the open connection that wait to be written.
    pub fn queued(&mut self) -> usize {
        self.phase.connection().map_or(0, |connection| connection.transmit().remaining())
    }

    /// The most bytes that ever waited to be written, looked at before each write.
    #[must_use]
    pub fn most_queued(&self) -> usize {
        self.most_queued
    }

    /// Goes on with what was read, as far as it goes.
    fn advance(&mut self, cx: &mut Context<'_>) {
        loop {
            match self.phase.advance(&mut self.input, self.linger, cx.now()) {
                Advanced::No => break,
                Advanced::Request(request) => {
                    cx.note(|| format!("has a request for {}", request.target()));
                    self.request = Some(request);
                }
                Advanced::Open(response) => {
                    cx.note(|| "is open".to_owned());
                    self.response = response;
                }
                Advanced::Failed => {}
            }
        }
        match &mut self.phase {
            Phase::Open(_) => self.look(cx),
            Phase::Failed { error, farewell } => {
                farewell.discard(self.input.len());
                self.input.clear();
                if !std::mem::replace(&mut self.noted_failure, true) {
                    cx.note(|| error.to_string());
                }
            }
            _ => {}
        }
    }

    /// Takes events, if the application wants any.
    fn look(&mut self, cx: &mut Context<'_>) {
        let Phase::Open(connection) = &mut self.phase else { return };
        loop {
            if !self.reading.takes_events(connection) {
                return connection.pause();
            }
            let Some(seen) = connection.read(&mut self.input).next().map(Seen::from) else { return };
            cx.note(|| format!("event: {seen}"));
            if let Seen::Closed(closed) = &seen {
                self.closed = Some((**closed).clone());
            }
            match &mut self.handler {
                Some(handler) => handler(connection, seen),
                None => self.events.push(seen),
            }
        }
    }
}

impl Drive for Endpoint {
    fn receive(&mut self, bytes: BytesMut, cx: &mut Context<'_>) {
        if self.input.is_empty() {
            self.input = bytes;
        } else {
            self.input.extend_from_slice(&bytes);
        }
        self.advance(cx);
    }

    fn eof(&mut self, cx: &mut Context<'_>) {
        self.phase.eof(self.linger, cx.now());
        self.advance(cx);
    }

    fn failed(&mut self, error: TransportError, cx: &mut Context<'_>) {
        self.phase.transport_failed(error, self.linger, cx.now());
        self.advance(cx);
    }

    fn deadline(&self) -> Option<Instant> {
        self.phase.deadline()
    }

    fn timeout(&mut self, cx: &mut Context<'_>) {
        self.phase.timeout(self.linger, cx.now());
        self.advance(cx);
    }

    fn transmit(&mut self, room: usize, cx: &mut Context<'_>) -> Bytes {
        // The test may have given commands, or the last write have made room for the next event or been the last thing to do.
        self.advance(cx);
        self.most_queued = self.most_queued.max(self.queued());
        self.phase.transmit(room)
    }

    fn wants_read(&self) -> bool {
        match &self.phase {
            Phase::Open(connection) => self.reading.takes_events(connection),
            _ => true,
        }
    }

    fn wants_shutdown(&self) -> bool {
        self.phase.wants_shutdown()
    }

    fn is_closed(&self) -> bool {
        self.phase.is_closed()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("is_open", &self.is_open())
            .field("handshake_error", &self.handshake_error())
            .field("closed", &self.closed)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
