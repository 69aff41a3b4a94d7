//! Sequences of operations on one connection.

use core::time::Duration;

use bytes::{Buf, BufMut, BytesMut};
use sansocket::{CloseCode, Connection, Delivery, Instant, Limits, MessageKind, Role, State, TransportError};

use crate::memory;
use crate::reference;
use crate::script::{Endpoint, Script};
use crate::sent::frames;
use crate::support::drive::{Setup, open_with};
use crate::support::seen::{Seen, joined};
use crate::support::wire::CLOSE;

/// The first byte chooses the endpoint (see `Endpoint`), the rest is operations: a letter and its operands, each a byte.
///
/// | letter | operation |
/// |---|---|
/// | `r` n, bytes | receives n bytes |
/// | `k` n k, bytes | receives n bytes, but takes at most k events; the rest stays in the input |
/// | `t` n, `o` n, `b` n | sends text of 16 n bytes; binary data of 64 n bytes, handed over or borrowed |
/// | `f` n | sends a fragment: bit 0 text, bit 1 the last, the rest its length |
/// | `p` n, `q` n | sends a Ping or a Pong of n bytes |
/// | `c` n | closes with code 1000 + n |
/// | `w` n, `a` | writes n bytes; writes all |
/// | `z` n, `Z` n | n times 100 ms or n seconds pass, with every deadline on the way |
/// | `e`, `x` | the stream ends, the transport fails; all input is read |
/// | `E`, `X` | the same, and what was not read before is not read now |
/// | `G`, `P` | the application gives up, or pauses reading |
///
/// - No operation panics, whatever came before it.
/// - Split byte by byte, the same input gives the same events, the same output and the same end.
/// - The output is a valid stream of frames to the peer, with at most one Close and no data after it; the messages in it
///   are those that were accepted.
/// - What is held is bounded by what was received and sent, and what waits by the limits.
/// - There is one terminal event, it is the last, and the deadlines lead to it.
pub fn connection(input: &[u8]) {
    let Some((endpoint, script)) = Endpoint::choose(input) else { return };
    let whole = Run::of(endpoint, script, false);
    let split = Run::of(endpoint, script, true);
    if !whole.left_unread {
        assert_eq!(joined(&split.seen), joined(&whole.seen), "left: byte by byte, right: whole");
        assert_eq!(split.output, whole.output, "left: byte by byte, right: whole");
    }
}

/// Limits small enough to be met.
fn setup(setup: &mut Setup, delivery: Delivery) {
    setup.delivery = delivery;
    setup.limits = limits();
    setup.timeouts.ping_interval = Some(Duration::from_secs(5));
    setup.timeouts.pong = Some(Duration::from_secs(3));
    setup.timeouts.idle = Some(Duration::from_secs(16));
    setup.timeouts.message = Some(Duration::from_secs(8));
    setup.timeouts.close = Duration::from_secs(2);
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.message = 40_000;
    limits.frame = 30_000;
    limits.fragments = 20;
    limits.write_soft = 1_000;
    limits.write_hard = 10_000;
    limits.write_control = 300;
    limits
}

/// One execution of a script, and what came of it.
struct Run {
    role: Role,
    connection: Connection,
    now: Instant,
    bytewise: bool,
    /// Input that was not looked at.
    input: BytesMut,
    left_unread: bool,
    seen: Vec<Seen>,
    output: Vec<u8>,
    /// Messages that were accepted, in the order of the output.
    accepted: Vec<Seen>,
    fragments: Vec<u8>,
    /// Bytes that came from outside: the most that may be held is a multiple of them.
    given: usize,
}

impl Run {
    fn of(Endpoint { role, delivery }: Endpoint, script: &[u8], bytewise: bool) -> Self {
        let mut run = Self {
            role,
            connection: open_with(role, |config| setup(config, delivery)),
            now: Instant::ZERO,
            bytewise,
            input: BytesMut::new(),
            left_unread: false,
            seen: Vec::new(),
            output: Vec::new(),
            accepted: Vec::new(),
            fragments: Vec::new(),
            given: 0,
        };
        let mut script = Script(script);
        while let Some(operation) = script.next() {
            run.perform(operation, &mut script);
            run.check_terminal();
        }
        run.finish();
        run
    }

    fn perform(&mut self, operation: u8, script: &mut Script<'_>) {
        match operation {
            b'r' => {
                let len = script.number();
                self.receive(script.take(len), usize::MAX);
            }
            b'k' => {
                let (len, events) = (script.number(), script.number());
                self.left_unread = true;
                self.receive(script.take(len), events);
            }
            b't' => {
                let text = "é".repeat(script.number() * 8);
                if self.connection.send(text.clone()).is_ok() {
                    self.accept(Seen::Text(text));
                }
            }
            b'o' | b'b' => {
                let bytes = vec![0x5A; script.number() * 64];
                let result = if operation == b'o' {
                    self.connection.send(bytes.clone()).map_err(|error| error.reason)
                } else {
                    self.connection.send_binary(&bytes)
                };
                if result.is_ok() {
                    self.accept(Seen::Binary(bytes));
                }
            }
            b'f' => self.send_fragment(script.number()),
            b'p' => drop(self.connection.ping(&vec![1; script.number()])),
            b'q' => drop(self.connection.pong(&vec![2; script.number()])),
            b'c' => drop(self.connection.close(CloseCode(1000 + script.number() as u16), "done")),
            b'w' => self.write(script.number()),
            b'a' => self.write(usize::MAX),
            b'z' => self.wait(Duration::from_millis(100 * script.number() as u64)),
            b'Z' => self.wait(Duration::from_secs(script.number() as u64)),
            b'e' => {
                self.connection.eof();
                self.take_events(usize::MAX);
            }
            b'x' => {
                self.connection.transport_failed(TransportError::Reset);
                self.take_events(usize::MAX);
            }
            b'E' => {
                self.connection.eof();
                self.take_terminal();
            }
            b'X' => {
                self.connection.transport_failed(TransportError::Other);
                self.take_terminal();
            }
            b'G' => {
                self.connection.abort();
                self.take_terminal();
            }
            b'P' => self.connection.pause(),
            _ => {}
        }
        let waiting = self.connection.transmit().remaining();
        let limits = limits();
        let most = limits.write_hard + 64 * 255 + limits.write_control + 4 * (6 + 125);
        assert!(waiting <= most, "{waiting} bytes wait, and the limits allow {most}");
    }

    /// Receives whole, or byte by byte and, where it is offered, into the payload buffer.
    fn receive(&mut self, bytes: &[u8], events: usize) {
        self.given += bytes.len();
        let (state, deadline) = (self.connection.state(), self.connection.deadline());
        if self.bytewise && self.input.is_empty() && events == usize::MAX {
            for byte in bytes {
                match self.connection.payload_buffer().filter(|buffer| buffer.remaining_mut() > 0) {
                    Some(mut buffer) => buffer.put_u8(*byte),
                    None => self.input.put_u8(*byte),
                }
                self.take_events(events);
            }
        } else {
            self.input.extend_from_slice(bytes);
            let given = self.given;
            let (_, held) = memory::peak(|| self.take_events(events));
            // What is held at once: the input, copies of it as events, and a message that grows.
            assert!(held <= 16 * given + 8 * 1024, "{held} bytes held after {given} were received");
        }
        if state == State::Closed {
            assert_eq!(deadline, None);
        }
    }

    fn take_events(&mut self, at_most: usize) {
        let mut reader = self.connection.read(&mut self.input);
        for _ in 0..at_most {
            let Some(event) = reader.next() else { break };
            self.seen.push(event.into());
        }
    }

    fn send_fragment(&mut self, operand: usize) {
        let (text, last, len) = (operand & 1 != 0, operand & 2 != 0, operand >> 2);
        let kind = if text { MessageKind::Text } else { MessageKind::Binary };
        let data = vec![b'f'; len * 8];
        if self.connection.send_fragment(kind, &data, last).is_err() {
            return;
        }
        self.given += data.len();
        self.fragments.extend(data);
        if last {
            let whole = core::mem::take(&mut self.fragments);
            self.accepted.push(match kind {
                MessageKind::Text => Seen::Text(String::from_utf8(whole).expect("ASCII")),
                MessageKind::Binary => Seen::Binary(whole),
            });
        }
    }

    fn accept(&mut self, message: Seen) {
        self.given += match &message {
            Seen::Text(text) => text.len(),
            Seen::Binary(bytes) => bytes.len(),
            _ => 0,
        };
        self.accepted.push(message);
    }

    fn write(&mut self, at_most: usize) {
        let mut transmit = self.connection.transmit();
        let mut left = at_most;
        while left > 0 && transmit.has_remaining() {
            let piece = transmit.chunk();
            let len = piece.len().min(left);
            self.output.extend_from_slice(&piece[..len]);
            transmit.advance(len);
            left -= len;
        }
        self.take_terminal();
    }

    /// Lets time pass, with every deadline on the way.
    fn wait(&mut self, by: Duration) {
        let end = self.now + by;
        let mut calls_now = 0;
        while let Some(due) = self.connection.deadline().filter(|due| *due <= end) {
            calls_now = if due > self.now { 0 } else { calls_now + 1 };
            assert!(calls_now < 4, "the deadline does not move on");
            self.now = self.now.max(due);
            self.connection.timeout(self.now);
        }
        self.now = end;
        self.connection.timeout(end);
        self.take_terminal();
    }

    /// Takes the terminal event, unless there is input that comes before it.
    fn take_terminal(&mut self) {
        if self.input.is_empty() {
            self.take_events(usize::MAX);
        }
    }

    fn check_terminal(&mut self) {
        let terminal = self.seen.iter().position(|seen| matches!(seen, Seen::Closed(_)));
        if let Some(at) = terminal {
            assert_eq!(at + 1, self.seen.len(), "events after the terminal one");
            assert_eq!(self.connection.state(), State::Closed);
            assert_eq!(self.connection.deadline(), None);
            assert_eq!(self.connection.transmit().remaining(), 0);
        }
    }

    /// Nobody does anything any more: the time limits alone must lead to the end.
    fn finish(&mut self) {
        self.take_events(usize::MAX);
        for _ in 0..1_000 {
            let Some(due) = self.connection.deadline() else { break };
            self.now = self.now.max(due);
            self.connection.timeout(self.now);
            self.write(usize::MAX);
        }
        assert_eq!(self.connection.state(), State::Closed, "no deadline is left, and it is not closed");
        self.take_events(usize::MAX);
        self.check_terminal();
        assert!(matches!(self.seen.last(), Some(Seen::Closed(_))), "the end was not reported");
        self.check_output();
    }

    /// The output as the peer's obvious slow receiver sees it.
    fn check_output(&self) {
        let mut unlimited = Limits::default();
        (unlimited.message, unlimited.frame) = (usize::MAX, usize::MAX);
        let (received, _) = reference::receive(self.role.peer(), &unlimited, &self.output);
        let failed = received.iter().find(|seen| matches!(seen, Seen::Failed(_)));
        assert_eq!(failed, None, "the peer would have to fail the connection");
        let messages: Vec<_> =
            received.iter().filter(|seen| matches!(seen, Seen::Text(_) | Seen::Binary(_))).cloned().collect();
        assert!(
            self.accepted.starts_with(&messages),
            "left: accepted {:?}, right: {messages:?}",
            self.accepted
        );
        if let Some(Seen::Close(_)) = received.last() {
            // After the Close frame there may be Pongs, and the rest of one that was not written to its end.
            let firsts: Vec<u8> = frames(&self.output).iter().map(|frame| frame.first).collect();
            let close = firsts.iter().rposition(|first| *first == CLOSE);
            let after = &firsts[close.map_or(0, |at| at + 1)..];
            assert!(after.iter().all(|first| *first >= CLOSE), "data after Close: {after:x?}");
            assert_eq!(firsts.iter().filter(|first| **first == CLOSE).count(), 1);
        }
    }
}
