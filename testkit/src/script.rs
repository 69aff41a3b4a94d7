//! What a raw peer does, as a value.

use std::fmt;
use std::rc::Rc;

use core::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use sansocket::{Accept, Instant, ServerConfig, ServerHandshake, ServerStep};

/// What a [`RawEndpoint`](crate::RawEndpoint) does, step by step.
///
/// ```
/// use std::time::Duration;
/// use sansocket_testkit::{Network, Script};
///
/// // A server that accepts, says half of a text message, and is gone.
/// let script = Script::new().accept().send(b"\x81\x05hel").wait(Duration::from_secs(1)).close();
/// let mut sim = Network::new(1).raw_server(script);
/// sim.run();
/// let closed = sim.client.closed().expect("the connection has ended");
/// assert_eq!(closed.cause.to_string(), "the peer closed TCP without a Close frame, inside a frame");
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Script {
    pub(crate) steps: Vec<Step>,
}

/// From all that was received, what to send.
pub(crate) type Answer = Rc<dyn Fn(&[u8]) -> Vec<u8>>;

#[derive(Clone)]
pub(crate) enum Step {
    Send(Bytes),
    Wait(Duration),
    Until(Bytes),
    Answer(Answer),
    Reads(bool),
    HalfClose,
    Close,
    Reset,
}

impl Script {
    /// Nothing: a peer that connects and reads.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends bytes.
    pub fn send(self, bytes: impl AsRef<[u8]>) -> Self {
        self.step(Step::Send(Bytes::copy_from_slice(bytes.as_ref())))
    }

    /// Sends a request that opens a connection: a client's first step.
    pub fn request(self) -> Self {
        self.send(REQUEST)
    }

    /// Waits for a request and accepts it, as a server does: the first step of a raw server whose handshake is right.
    ///
    /// If the request is faulty nothing is sent.
    pub fn accept(self) -> Self {
        self.until("\r\n\r\n").answer(accepting_reply)
    }

    /// Waits so long.
    pub fn wait(self, time: Duration) -> Self {
        self.step(Step::Wait(time))
    }

    /// Waits until these bytes have come, behind those that were waited for before.
    pub fn until(self, bytes: impl AsRef<[u8]>) -> Self {
        self.step(Step::Until(Bytes::copy_from_slice(bytes.as_ref())))
    }

    /// Sends what `answer` makes of all that has come so far.
    pub fn answer(self, answer: impl Fn(&[u8]) -> Vec<u8> + 'static) -> Self {
        self.step(Step::Answer(Rc::new(answer)))
    }

    /// Stops reading: what comes fills the window of the link.
    pub fn stop_reading(self) -> Self {
        self.step(Step::Reads(false))
    }

    /// Reads again.
    pub fn start_reading(self) -> Self {
        self.step(Step::Reads(true))
    }

    /// Ends the stream and goes on reading.
    pub fn half_close(self) -> Self {
        self.step(Step::HalfClose)
    }

    /// Closes the connection. What comes after it is answered with a reset, as TCP does it.
    pub fn close(self) -> Self {
        self.step(Step::Close)
    }

    /// Resets the connection.
    pub fn reset(self) -> Self {
        self.step(Step::Reset)
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.steps).finish()
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(bytes) => write!(f, "send {} bytes", bytes.len()),
            Self::Wait(time) => write!(f, "wait {time:?}"),
            Self::Until(bytes) => write!(f, "until {bytes:?}"),
            Self::Answer(_) => f.write_str("answer"),
            Self::Reads(true) => f.write_str("start reading"),
            Self::Reads(false) => f.write_str("stop reading"),
            Self::HalfClose => f.write_str("half-close"),
            Self::Close => f.write_str("close"),
            Self::Reset => f.write_str("reset"),
        }
    }
}

/// The core's own reply to a request.
fn accepting_reply(request: &[u8]) -> Vec<u8> {
    let now = Instant::ZERO;
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), now);
    let Ok(ServerStep::Request(pending)) = handshake.receive(&mut BytesMut::from(request), now) else {
        return Vec::new();
    };
    let Ok(mut connection) = pending.accept(Accept::new(), now) else { return Vec::new() };
    connection.transmit().chunk().to_vec()
}

/// The example of RFC 6455 section 1.2, without the optional fields.
const REQUEST: &str = "GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\
    \r\n";
