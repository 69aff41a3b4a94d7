//! The core driven by hand over a blocking socket: no adapter, no runtime, and all that the core can do.
//!
//! The adapters do the same with futures in place of blocking calls. Here it is used for what they do not show: Pongs, messages sent in
//! fragments, the heads of request and response.

use std::error::Error;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{self, Duration};

use bytes::{Buf, BytesMut};
use sansocket::{
    Accept, ClientConfig, ClientHandshake, ClientRequest, ClientStep, Closed, Connection, Entropy, Event,
    HandshakeError, Instant, Message, PendingRequest, Response, ServerConfig, ServerHandshake, ServerStep,
    State, TransportError,
};

/// A client's opening handshake that has not begun.
pub struct Opening {
    wire: Wire,
    handshake: ClientHandshake,
}

impl Opening {
    /// Prepares a request on a connected socket.
    ///
    /// # Errors
    ///
    /// The operating system gives no random bytes.
    pub fn new(tcp: TcpStream, request: &ClientRequest, config: &ClientConfig) -> io::Result<Self> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(io::Error::other)?;
        let wire = Wire::new(tcp);
        let handshake = ClientHandshake::new(request, config, Entropy::from_seed(seed), wire.now());
        Ok(Self { wire, handshake })
    }

    /// The head of the request, as it is going to be sent.
    pub fn request(&mut self) -> String {
        String::from_utf8_lossy(self.handshake.transmit()).into_owned()
    }

    /// Sends the request and waits for the response.
    ///
    /// # Errors
    ///
    /// The server did not agree, or did not answer as it must.
    pub fn open(mut self) -> Result<(Endpoint, Response), HandshakeError> {
        let mut input = BytesMut::new();
        if let Err(error) = self.wire.write(self.handshake.transmit()) {
            return Err(self.handshake.failed(kind_of(&error), self.wire.now()));
        }
        loop {
            let read = self.wire.read(&mut input, self.handshake.deadline());
            let now = self.wire.now();
            match read {
                Ok(Input::Bytes) => {
                    if let ClientStep::Open(connection, response) = self.handshake.receive(&mut input, now)? {
                        return Ok((Endpoint::new(self.wire, connection, input), response));
                    }
                }
                Ok(Input::End) => return Err(self.handshake.eof(now)),
                Ok(Input::Nothing) => self.handshake.timeout(now)?,
                Err(error) => return Err(self.handshake.failed(kind_of(&error), now)),
            }
        }
    }
}

/// Accepts a WebSocket on a connected socket, whatever the client asks for.
///
/// # Errors
///
/// No acceptable request came. The client has been told, if it speaks HTTP.
pub fn accept(tcp: TcpStream, config: &ServerConfig) -> Result<Endpoint, HandshakeError> {
    let mut wire = Wire::new(tcp);
    let mut handshake = ServerHandshake::new(config, wire.now());
    let mut input = BytesMut::new();
    match receive_request(&mut wire, &mut handshake, &mut input) {
        Ok(pending) => {
            let connection = pending.accept(Accept::new(), wire.now()).expect("no subprotocol was chosen");
            Ok(Endpoint::new(wire, connection, input))
        }
        Err(error) => {
            say_farewell(&mut wire, &error);
            Err(error)
        }
    }
}

fn receive_request(
    wire: &mut Wire,
    handshake: &mut ServerHandshake,
    input: &mut BytesMut,
) -> Result<PendingRequest, HandshakeError> {
    loop {
        let read = wire.read(input, handshake.deadline());
        let now = wire.now();
        match read {
            Ok(Input::Bytes) => {
                if let ServerStep::Request(pending) = handshake.receive(input, now)? {
                    return Ok(pending);
                }
            }
            Ok(Input::End) => return Err(handshake.eof(now)),
            Ok(Input::Nothing) => handshake.timeout(now)?,
            Err(error) => return Err(handshake.failed(kind_of(&error), now)),
        }
    }
}

/// Sends the HTTP reply to a request that was not acceptable, and makes sure that it arrives.
fn say_farewell(wire: &mut Wire, error: &HandshakeError) {
    let mut farewell = error.farewell(PATIENCE, wire.now());
    let mut input = BytesMut::new();
    // The handshake has failed already: other errors change nothing any more.
    while !farewell.is_done() && wire.write(farewell.transmit()).is_ok() {
        if farewell.wants_shutdown() {
            let _ = wire.tcp.shutdown(Shutdown::Write);
        }
        input.clear();
        match wire.read(&mut input, farewell.deadline()) {
            Ok(Input::Bytes) => farewell.discard(input.len()),
            Ok(Input::End) => farewell.eof(),
            Ok(Input::Nothing) => farewell.timeout(wire.now()),
            Err(_) => return,
        }
    }
}

/// An open WebSocket over a blocking socket.
pub struct Endpoint {
    wire: Wire,
    /// The core's connection: commands such as `send` go to it directly, and are written when the endpoint waits.
    pub connection: Connection,
    input: BytesMut,
    closed: Option<Box<Closed>>,
}

impl Endpoint {
    fn new(wire: Wire, connection: Connection, input: BytesMut) -> Self {
        Self { wire, connection, input, closed: None }
    }

    /// Writes what is to be written, then waits for an event of which `wanted` makes something, and returns that. Other events are
    /// passed over.
    ///
    /// # Errors
    ///
    /// The connection ended before, or there was no such event in time.
    pub fn wait<T>(&mut self, mut wanted: impl FnMut(&Event<'_>) -> Option<T>) -> Result<T, NoEvent> {
        let give_up = self.wire.now() + PATIENCE;
        loop {
            let mut reader = self.connection.read(&mut self.input);
            while let Some(event) = reader.next() {
                if let Event::Closed(closed) = &event {
                    self.closed = Some(closed.clone());
                }
                if let Some(found) = wanted(&event) {
                    return Ok(found);
                }
            }
            drop(reader);
            if let Some(closed) = &self.closed {
                return Err(NoEvent::Ended(closed.clone()));
            }
            if self.wire.now() >= give_up {
                return Err(NoEvent::Late);
            }
            self.write();
            self.read(give_up);
        }
    }

    /// Waits for a message.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn message(&mut self) -> Result<Message, NoEvent> {
        self.wait(|event| event.clone().into_message())
    }

    /// Waits for the end of the connection.
    ///
    /// # Errors
    ///
    /// It did not end in time.
    pub fn end(&mut self) -> Result<Closed, NoEvent> {
        self.wait(|event| match event {
            Event::Closed(closed) => Some(*closed.clone()),
            _ => None,
        })
    }

    fn write(&mut self) {
        let written = self.wire.write(&mut self.connection.transmit());
        if let Err(error) = written {
            self.connection.transport_failed(kind_of(&error));
        } else if self.connection.wants_shutdown() {
            // Fails if the peer has closed, which the next read reports better.
            let _ = self.wire.tcp.shutdown(Shutdown::Write);
        }
    }

    fn read(&mut self, give_up: Instant) {
        if self.connection.state() == State::Closed {
            return;
        }
        let deadline = self.connection.deadline().map_or(give_up, |deadline| deadline.min(give_up));
        match self.wire.read(&mut self.input, Some(deadline)) {
            Ok(Input::Bytes) => {}
            Ok(Input::End) => self.connection.eof(),
            Ok(Input::Nothing) => self.connection.timeout(self.wire.now()),
            Err(error) => self.connection.transport_failed(kind_of(&error)),
        }
    }
}

/// Why there was no event of the kind that was waited for.
#[derive(Debug)]
pub enum NoEvent {
    /// The connection ended before.
    Ended(Box<Closed>),
    /// It did not come in time.
    Late,
}

impl fmt::Display for NoEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(closed) => write!(f, "the connection ended: {closed}"),
            Self::Late => write!(f, "nothing came within {} s", PATIENCE.as_secs()),
        }
    }
}

impl Error for NoEvent {}

/// A blocking socket and a clock.
struct Wire {
    tcp: TcpStream,
    start: time::Instant,
}

/// What reading came to.
enum Input {
    Bytes,
    /// The peer closed its side of TCP.
    End,
    /// Nothing came until the deadline.
    Nothing,
}

impl Wire {
    fn new(tcp: TcpStream) -> Self {
        // Both fail only on a socket that is closed already, which the first read reports better.
        let _ = tcp.set_nodelay(true);
        let _ = tcp.set_write_timeout(Some(PATIENCE));
        Self { tcp, start: time::Instant::now() }
    }

    fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    fn write(&mut self, output: &mut impl Buf) -> io::Result<()> {
        while output.has_remaining() {
            let written = self.tcp.write(output.chunk())?;
            output.advance(written);
        }
        Ok(())
    }

    /// Appends to `input` what comes until `deadline`.
    fn read(&mut self, input: &mut BytesMut, deadline: Option<Instant>) -> io::Result<Input> {
        // A socket does not take 0, which would mean "at once".
        let wait = deadline.map(|deadline| deadline.since(self.now()).max(Duration::from_millis(1)));
        self.tcp.set_read_timeout(wait)?;
        let mut block = [0; 16 * 1024];
        match self.tcp.read(&mut block) {
            Ok(0) => Ok(Input::End),
            Ok(read) => {
                input.extend_from_slice(&block[..read]);
                Ok(Input::Bytes)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                Ok(Input::Nothing)
            }
            Err(error) => Err(error),
        }
    }
}

/// What the core needs to know of an IO error.
fn kind_of(error: &io::Error) -> TransportError {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => TransportError::Reset,
        io::ErrorKind::BrokenPipe => TransportError::BrokenPipe,
        _ => TransportError::Other,
    }
}

/// How long a peer may take for one step.
const PATIENCE: Duration = Duration::from_secs(5);
