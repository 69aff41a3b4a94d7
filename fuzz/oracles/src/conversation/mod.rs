//! Whole conversations: a client and a server of the library, from the request to the end of both streams.
//!
//! `end` is one end with its side of the transport, `speak` what its application does, `said` what it sends, `plan` how both are
//! configured, and `judge` what must hold of what came of it.

mod end;
mod judge;
mod plan;
mod said;
mod speak;

use core::time::Duration;
use std::collections::BTreeMap;

use sansocket::{CloseCode, Instant, Prepared, Role, State};

use self::end::{End, Fin};
use self::plan::Plan;
use crate::memory;
use crate::script::Script;

/// The first four bytes are a plan (see `Plan`), the rest is operations: a letter and its operands, each a byte. What is written in
/// small letters is done by the client or to it; by the server, or to it, in capitals (but for `k`, `m` and `z`, which concern both).
///
/// | letter | operation |
/// |---|---|
/// | `t` n, `b` n, `d` n | sends text of some 48 n bytes; binary data of 64 n bytes; text that was prepared for both ends |
/// | `f` n | sends a fragment: bit 0 text, bit 1 the last, the rest its length |
/// | `p` n | sends a Ping of n bytes or more |
/// | `c` n | closes with one of eight codes |
/// | `o` | compresses from now on, or no longer |
/// | `g`, `u` | the application gives up; it pauses reading |
/// | `w` n, `r` n | writes n bytes to the wire; reads n bytes from it |
/// | `e`, `x` | the stream to this end ends behind what is on the way; it is reset, and what is on the way is lost |
/// | `m` | all bytes move until both ends are quiet |
/// | `k` n | n seconds pass, at most 31, in which all bytes move at once |
/// | `z` n, `Z` n | n times 100 ms or n seconds pass, with every deadline on the way |
///
/// At last the client closes, all bytes move, and time passes.
///
/// - What one end's messages are, the other is given, in order, none twice, and all that were read whole. An end that ends clean
///   was given all.
/// - What did not leave is what `unsent` says, and the other counts are those of the wire.
/// - When both ends are quiet, the last Ping of each, a keepalive Ping perhaps, has its Pong, and every message has arrived.
/// - No end reports that the other broke the protocol, or spoils its handshake; a limit only where a message is over it.
/// - The ends agree on the subprotocol, on compression, on both Close frames, and who was the first to close.
/// - Both reach their end, once; clean and without any time limit, where nothing went wrong.
/// - Read byte by byte, the same script gives the same messages and the same ends.
/// - Memory is bounded by the limits and by what was sent; what waits to be written, by its limit.
pub fn conversation(input: &[u8]) {
    let mut script = Script(input);
    let plan = Plan::choose(&mut script);
    let (whole, held) = memory::peak(|| Conversation::run(plan, script.clone(), false));
    let said: usize = whole.ends.iter().map(|end| end.said.bytes()).sum();
    // What was said is held as it was accepted, queued, on the wire and twice recorded there, seen, and assembled.
    let most = 512 * 1024 + plan.windows() + 16 * (input.len() + said);
    assert!(held <= most, "{held} bytes held at once; {said} were said, {most} allowed");
    let split = Conversation::run(plan, script, true);
    for (whole, split) in whole.ends.iter().zip(&split.ends) {
        assert_eq!(split.seen(), whole.seen(), "left: read byte by byte, right: whole");
        assert_eq!(split.failed(), whole.failed(), "left: read byte by byte, right: whole");
    }
}

/// Both ends, and what may keep them from agreeing.
struct Conversation {
    plan: Plan,
    ends: [End; 2],
    now: Instant,
    prepared: BTreeMap<u8, Prepared>,
    /// The network or an application was at fault, or it took too long: the ends need not be clean.
    disturbed: bool,
    /// Who began to close: the applications that asked for it first.
    closers: Vec<Role>,
}

impl Conversation {
    fn run(plan: Plan, mut script: Script<'_>, bytewise: bool) -> Self {
        let mut conversation = Self {
            plan,
            ends: [End::new(Role::Client, plan, bytewise), End::new(Role::Server, plan, bytewise)],
            now: Instant::ZERO,
            prepared: BTreeMap::new(),
            disturbed: false,
            closers: Vec::new(),
        };
        while let Some(operation) = script.next() {
            conversation.perform(operation, &mut script);
        }
        conversation.finish();
        conversation.judge();
        conversation
    }

    fn perform(&mut self, operation: u8, script: &mut Script<'_>) {
        let which = usize::from(operation.is_ascii_uppercase());
        let end = &mut self.ends[which];
        match operation.to_ascii_lowercase() {
            b't' => end.send_text(script.number()),
            b'b' => end.send_binary(script.number()),
            b'd' => {
                let number = script.number() as u8;
                let prepared = self.prepared.entry(number);
                end.send_prepared(prepared.or_insert_with(|| Prepared::new(said::prepared(number))));
            }
            b'f' => end.send_fragment(script.number()),
            b'p' => end.ping(script.number()),
            b'c' => self.close(which, script.number()),
            b'o' => end.toggle_compression(),
            b'g' => self.disturbed |= end.abort(),
            b'u' => end.pause(),
            b'w' => {
                let len = script.number();
                self.carry(which, len);
            }
            b'r' => drop(end.read(script.number(), self.now)),
            b'e' => {
                end.fin.get_or_insert(Fin::Eof);
                self.disturbed = true;
            }
            b'x' => {
                end.wire.clear();
                end.fin = Some(Fin::Reset);
                self.disturbed = true;
            }
            b'm' => self.settle(),
            b'k' => {
                self.settle();
                let inside = self.ends.iter().any(|end| end.said.is_inside_message());
                self.disturbed |= inside || !self.plan.keeps_alive();
                for _ in 0..script.number() % 32 {
                    self.wait(Duration::from_secs(1));
                    self.settle();
                }
            }
            b'z' => {
                let unit = if operation == b'z' { 100 } else { 1_000 };
                self.wait(Duration::from_millis(unit * script.number() as u64));
                self.disturbed = true;
            }
            _ => {}
        }
        for end in &mut self.ends {
            end.check();
        }
    }

    fn close(&mut self, which: usize, number: usize) {
        if self.ends[which].close(number) {
            self.closers.push(self.ends[which].role);
        }
    }

    /// Writes at most that many bytes of one end to the other; says whether anything happened.
    fn carry(&mut self, which: usize, at_most: usize) -> bool {
        let (client, server) = self.ends.split_at_mut(1);
        let (from, to) =
            if which == 0 { (&mut client[0], &mut server[0]) } else { (&mut server[0], &mut client[0]) };
        let bytes = from.write(at_most);
        if to.fin.is_none() {
            to.wire.extend_from_slice(&bytes);
        }
        let ends = from.wants_fin() && to.fin.is_none();
        if ends {
            to.fin = Some(Fin::Eof);
        }
        ends || !bytes.is_empty()
    }

    /// Moves bytes until both ends are quiet.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            let mut moved = false;
            for which in 0..2 {
                moved |= self.carry(which, usize::MAX);
                moved |= self.ends[which].read(usize::MAX, self.now);
            }
            if !moved {
                return self.check_quiet();
            }
        }
        panic!("the ends talk without end");
    }

    /// Lets time pass, with every deadline on the way.
    fn wait(&mut self, by: Duration) {
        let end = self.now + by;
        let mut calls_now = 0;
        while let Some(due) = self.deadline().filter(|due| *due <= end) {
            calls_now = if due > self.now { 0 } else { calls_now + 1 };
            assert!(calls_now < 8, "the deadlines do not move on");
            self.tell_time(due);
        }
        self.tell_time(end);
    }

    fn deadline(&self) -> Option<Instant> {
        self.ends.iter().filter_map(End::deadline).min()
    }

    fn tell_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        for end in &mut self.ends {
            end.timeout(self.now);
        }
    }

    /// The client closes, if nobody did before; then nobody does anything any more.
    fn finish(&mut self) {
        self.settle();
        if self.closers.is_empty() && self.ends.iter().all(|end| end.state() == Some(State::Open)) {
            assert!(self.ends[0].close_with(CloseCode::NORMAL, "bye"), "an open connection can be closed");
            self.closers.push(Role::Client);
        }
        self.settle();
        self.check_over();
        for _ in 0..1_000 {
            let Some(due) = self.deadline() else { break };
            self.tell_time(due);
            self.settle();
        }
        for end in &mut self.ends {
            end.check();
            assert!(end.is_over(), "no deadline is left, and the {} is not at its end", end.role);
        }
    }
}
