//! A client, a server, and a wire in memory between them.

use core::time::Duration;

use bytes::{Buf, BytesMut};
use sansocket::{Closed, Connection, Instant, Role, State, TransportError};

use super::drive::{Setup, open_with};
use super::seen::Seen;

/// Two ends and the time. Nothing moves by itself: [`Pair::run`] moves bytes, [`Pair::advance`] moves time.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) client: End,
    pub(crate) server: End,
    pub(crate) now: Instant,
    /// Everything that is written vanishes, and nobody hears that the other has gone.
    pub(crate) cut: bool,
}

/// One end with its side of the transport.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) connection: Connection,
    /// Everything that it said.
    pub(crate) seen: Vec<Seen>,
    /// On the way to this end.
    wire: BytesMut,
    /// The other end will write no more.
    fin: bool,
    /// This end was told so.
    fin_seen: bool,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A pair whose configuration differs from the default as `change` says, at both ends.
    pub(crate) fn with(change: impl Fn(&mut Setup)) -> Self {
        let end = |role| End {
            connection: open_with(role, &change),
            seen: Vec::new(),
            wire: BytesMut::new(),
            fin: false,
            fin_seen: false,
        };
        Self { client: end(Role::Client), server: end(Role::Server), now: Instant::ZERO, cut: false }
    }

    /// Moves bytes until both ends are quiet.
    pub(crate) fn run(&mut self) {
        while self.step(usize::MAX, usize::MAX) {}
    }

    /// Moves at most `written` bytes out of each end and at most `read` bytes into each; says whether anything moved.
    pub(crate) fn step(&mut self, written: usize, read: usize) -> bool {
        let (client, server) = (&mut self.client, &mut self.server);
        let out = client.write(server, written, self.cut) | server.write(client, written, self.cut);
        self.client.read(read) | self.server.read(read) | out
    }

    /// Lets time pass, with every deadline on the way, and bytes moving at once.
    pub(crate) fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        self.run();
        while let Some(due) = self.next_deadline().filter(|due| *due <= end) {
            // The clock that a driver shows does not run backwards, whatever is overdue.
            self.now = self.now.max(due);
            self.tell_time();
        }
        self.now = end;
        self.tell_time();
    }

    /// Lets time pass until both ends are closed. There must always be a deadline that leads there.
    pub(crate) fn advance_to_the_end(&mut self) {
        self.run();
        for _ in 0..1000 {
            if self.client.is_closed() && self.server.is_closed() {
                return;
            }
            let due = self.next_deadline().expect("an end that is not closed waits for a point of time");
            self.now = self.now.max(due);
            self.tell_time();
        }
        panic!("still not closed after 1000 deadlines: {self:?}");
    }

    fn next_deadline(&self) -> Option<Instant> {
        let ends = [&self.client, &self.server];
        ends.into_iter().filter_map(|end| end.connection.deadline()).min()
    }

    fn tell_time(&mut self) {
        for end in [&mut self.client, &mut self.server] {
            end.connection.timeout(self.now);
            end.inject(b"");
        }
        self.run();
    }
}

impl End {
    /// How it ended. It must have, and must have said so once and last.
    #[track_caller]
    pub(crate) fn closed(&self) -> &Closed {
        let terminal = self.seen.iter().filter(|seen| matches!(seen, Seen::Closed(_))).count();
        assert_eq!(terminal, 1, "terminal events in {:?}", self.seen);
        let Some(Seen::Closed(closed)) = self.seen.last() else { panic!("not the last: {:?}", self.seen) };
        closed
    }

    /// What it said before its terminal event.
    pub(crate) fn before_closed(&self) -> &[Seen] {
        &self.seen[..self.seen.len() - 1]
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.connection.state() == State::Closed
    }

    /// Reads bytes that the other end did not send.
    pub(crate) fn inject(&mut self, bytes: &[u8]) {
        let mut input = BytesMut::from(bytes);
        let mut reader = self.connection.read(&mut input);
        while let Some(event) = reader.next() {
            self.seen.push(event.into());
        }
    }

    /// Reading or writing fails from now on.
    pub(crate) fn fail(&mut self, error: TransportError) {
        self.connection.transport_failed(error);
        self.inject(b"");
    }

    fn write(&mut self, to: &mut Self, at_most: usize, cut: bool) -> bool {
        let mut transmit = self.connection.transmit();
        let mut left = at_most;
        let mut moved = false;
        while left > 0 && transmit.has_remaining() {
            let piece = transmit.chunk();
            let len = piece.len().min(left);
            if !cut {
                to.wire.extend_from_slice(&piece[..len]);
            }
            transmit.advance(len);
            left -= len;
            moved = true;
        }
        self.inject(b"");
        let over = self.connection.wants_shutdown() || self.is_closed();
        moved | (over && !cut && !core::mem::replace(&mut to.fin, true))
    }

    fn read(&mut self, at_most: usize) -> bool {
        let len = self.wire.len().min(at_most);
        let bytes = self.wire.split_to(len);
        self.inject(&bytes);
        let fin = self.fin && self.wire.is_empty() && !core::mem::replace(&mut self.fin_seen, true);
        if fin {
            self.connection.eof();
            self.inject(b"");
        }
        len > 0 || fin
    }
}
