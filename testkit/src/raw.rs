//! A peer that plays a script of bytes: for everything that the core would never send.

use std::collections::VecDeque;
use std::fmt;

use bytes::{Bytes, BytesMut};
use sansocket::{Instant, TransportError};

use crate::drive::{Context, Drive};
use crate::script::{Script, Step};

/// An end without a protocol: it sends what its [`Script`] says, and keeps what it receives.
///
/// When the script is over it reads on. When the other end has ended its stream and the script is over, or waits for bytes that
/// cannot come any more, it closes.
///
/// ```
/// use sansocket_testkit::{Network, Script};
///
/// let script = Script::new().send("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n");
/// let mut sim = Network::new(1).raw_client(script);
/// sim.run();
/// assert!(sim.client.received().starts_with(b"HTTP/1.1 426 Upgrade Required\r\n"));
/// assert_eq!(sim.server.handshake_error().map(|error| error.code()), Some("plain-request"));
/// ```
pub struct RawEndpoint {
    steps: VecDeque<Step>,
    out: BytesMut,
    received: Vec<u8>,
    /// Bytes of `received` that were waited for already.
    awaited: usize,
    /// Until when the script waits.
    wakes: Option<Instant>,
    reads: bool,
    shut: bool,
    closed: bool,
    reset: bool,
    ended: Option<Ended>,
}

/// How the other end's stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With its end.
    Eof,
    /// With a reset.
    Reset,
}

impl RawEndpoint {
    /// An end that plays `script`.
    #[must_use]
    pub fn new(script: Script) -> Self {
        Self {
            steps: script.steps.into(),
            out: BytesMut::new(),
            received: Vec::new(),
            awaited: 0,
            wakes: None,
            reads: true,
            shut: false,
            closed: false,
            reset: false,
            ended: None,
        }
    }

    /// Plays `script` after what is still to be played.
    pub fn play(&mut self, script: Script) {
        self.steps.extend(script.steps);
    }

    /// All bytes that came.
    #[must_use]
    pub fn received(&self) -> &[u8] {
        &self.received
    }

    /// The bytes that came behind the first head: frames, if the handshake succeeded. Empty before.
    #[must_use]
    pub fn received_behind_head(&self) -> &[u8] {
        find(&self.received, b"\r\n\r\n").map_or(&[], |end| &self.received[end..])
    }

    /// How the other end's stream ended, if it has.
    #[must_use]
    pub fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// Whether all of the script was played.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.steps.is_empty() && self.out.is_empty()
    }

    /// Goes on with the script.
    fn go_on(&mut self, now: Instant) {
        while let Some(step) = self.steps.front() {
            match step {
                Step::Send(bytes) => self.out.extend_from_slice(bytes),
                Step::Wait(time) => {
                    if *self.wakes.get_or_insert(now + *time) > now {
                        return;
                    }
                    self.wakes = None;
                }
                Step::Until(pattern) => match find(&self.received[self.awaited..], pattern) {
                    Some(end) => self.awaited += end,
                    None => return,
                },
                Step::Answer(answer) => self.out.extend_from_slice(&answer(&self.received)),
                Step::Reads(reads) => self.reads = *reads,
                // These come behind what is still to be written.
                Step::HalfClose | Step::Close | Step::Reset if !self.out.is_empty() => return,
                Step::HalfClose => self.shut = true,
                Step::Close => self.closed = true,
                Step::Reset => (self.closed, self.reset) = (true, true),
            }
            self.steps.pop_front();
        }
    }
}

impl Drive for RawEndpoint {
    fn receive(&mut self, bytes: BytesMut, cx: &mut Context<'_>) {
        self.received.extend_from_slice(&bytes);
        self.go_on(cx.now());
    }

    fn eof(&mut self, cx: &mut Context<'_>) {
        self.ended = Some(Ended::Eof);
        self.go_on(cx.now());
    }

    fn failed(&mut self, _error: TransportError, _cx: &mut Context<'_>) {
        self.ended = Some(Ended::Reset);
        self.closed = true;
    }

    fn deadline(&self) -> Option<Instant> {
        self.wakes
    }

    fn timeout(&mut self, cx: &mut Context<'_>) {
        self.go_on(cx.now());
    }

    fn transmit(&mut self, room: usize, cx: &mut Context<'_>) -> Bytes {
        self.go_on(cx.now());
        let len = room.min(self.out.len());
        let bytes = self.out.split_to(len).freeze();
        self.go_on(cx.now());
        bytes
    }

    fn wants_read(&self) -> bool {
        self.reads
    }

    fn wants_shutdown(&self) -> bool {
        self.shut
    }

    fn is_closed(&self) -> bool {
        let waits_for_nothing = match self.steps.front() {
            None => self.out.is_empty(),
            Some(Step::Until(_)) => true,
            Some(_) => false,
        };
        self.closed || (self.ended.is_some() && waits_for_nothing)
    }

    fn wants_reset(&self) -> bool {
        self.reset
    }
}

impl fmt::Debug for RawEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawEndpoint")
            .field("steps_left", &self.steps.len())
            .field("received", &self.received.len())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// Where the first occurrence of `pattern` ends.
fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    if pattern.is_empty() {
        return Some(0);
    }
    let start = bytes.windows(pattern.len()).position(|window| window == pattern)?;
    Some(start + pattern.len())
}
