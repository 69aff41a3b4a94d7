//! One direction while it runs: what is on the way, and how it ends.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use sansocket::Instant;

use crate::link::{Cut, Link};
use crate::random::Random;
use crate::timing::Timing;

/// What is on the way from one end to the other.
///
/// Pieces are cut and timed one at a time, when they become the next to arrive: a message of many megabytes that is split
/// at every byte costs no more memory than another.
#[derive(Debug)]
pub(crate) struct Wire {
    timing: Timing,
    window: Option<usize>,
    write_size: Option<usize>,
    /// Bytes that were written and accepted.
    written: u64,
    /// The value of `written` at which the stream ends.
    cut_after: Option<(u64, Cut)>,
    cut_at: Option<(Instant, Cut)>,
    lost_tail: Option<(usize, Cut)>,
    queue: VecDeque<Written>,
    next: Option<Next>,
    /// Bytes that fill the window.
    on_the_way: usize,
    flow: Flow,
    /// When the writer reset the connection.
    aborted: Option<Instant>,
    /// The other direction is to be reset as well.
    takes_other_along: bool,
}

/// What a reader finds.
#[derive(Debug)]
pub(crate) enum Arrival {
    Bytes(BytesMut),
    Eof,
    Reset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Open,
    /// The writer has ended the stream. It may still reset the connection.
    Finished,
    /// Nothing that is written any more arrives.
    Over,
    /// The same, and nothing is acknowledged either, so that it fills the window for ever.
    Silent,
}

#[derive(Debug)]
struct Written {
    at: Instant,
    what: What,
}

#[derive(Debug)]
enum What {
    /// INVARIANT: not empty.
    Bytes(Bytes),
    Eof,
    Reset,
}

/// The next piece to arrive.
#[derive(Debug)]
struct Next {
    /// When its last byte leaves the writer.
    leaves: Instant,
    /// May lie before the arrival of the piece before it, which it does not overtake: then it is there at the same time.
    arrives: Instant,
    what: What,
}

impl Wire {
    pub(crate) fn new(link: Link, random: Random, now: Instant) -> Self {
        let mut wire = Self {
            timing: Timing::new(random, now),
            window: None,
            write_size: None,
            written: 0,
            cut_after: None,
            cut_at: None,
            lost_tail: None,
            queue: VecDeque::new(),
            next: None,
            on_the_way: 0,
            flow: Flow::Open,
            aborted: None,
            takes_other_along: false,
        };
        wire.set_link(link, now);
        wire
    }

    /// Puts another link in place. What ended stays ended.
    pub(crate) fn set_link(&mut self, link: Link, now: Instant) {
        (self.window, self.write_size) = (link.window, link.write_size);
        self.lost_tail = link.lost_tail;
        self.cut_after = link.cut_after.map(|(bytes, how)| (self.written + bytes, how));
        self.cut_at = link.cut_at.map(|(time, how)| (now + time, how));
        self.timing.set_link(link, self.written, now);
        if let Some((_, how)) = self.cut_after.filter(|(bytes, _)| *bytes == self.written) {
            self.end(how, now);
        }
    }

    /// How many bytes a write takes now.
    pub(crate) fn room(&self) -> usize {
        let room = self.window.map_or(usize::MAX, |window| window.saturating_sub(self.on_the_way));
        room.min(self.write_size.unwrap_or(usize::MAX))
    }

    /// Bytes that were written and not read.
    pub(crate) fn on_the_way(&self) -> usize {
        self.on_the_way
    }

    /// Takes what was written at once.
    pub(crate) fn write(&mut self, mut bytes: Bytes, now: Instant) {
        match self.flow {
            Flow::Open => self.on_the_way += bytes.len(),
            Flow::Silent => return self.on_the_way += bytes.len(),
            Flow::Finished | Flow::Over => return,
        }
        let cut = self.cut_after.filter(|(limit, _)| *limit <= self.written + bytes.len() as u64);
        if let Some((limit, how)) = cut {
            let len = bytes.len();
            bytes.truncate((limit - self.written) as usize);
            if how != Cut::Silence {
                self.on_the_way -= len - bytes.len();
            }
        }
        self.written += bytes.len() as u64;
        self.push(What::Bytes(bytes), now);
        if let Some((_, how)) = cut {
            self.end(how, now);
        }
    }

    /// The writer ends the stream.
    pub(crate) fn finish(&mut self, now: Instant) {
        if self.flow != Flow::Open {
            return;
        }
        if let Some((bytes, how)) = self.lost_tail {
            self.lose(bytes);
            return self.end(how, now);
        }
        self.flow = Flow::Finished;
        self.push(What::Eof, now);
    }

    /// The writer's end of the connection is gone, and resets it: what has not left by now is lost.
    pub(crate) fn abort(&mut self, now: Instant) {
        if self.is_over() {
            return;
        }
        self.flow = Flow::Over;
        self.aborted = Some(now);
        if self.next.as_ref().is_some_and(|next| next.leaves > now) {
            self.drop_all();
            self.on_the_way = 0;
        }
        self.push(What::Reset, now);
    }

    /// Something between the two ends ends the stream now; see [`Link::cut_at`].
    pub(crate) fn cut(&mut self, how: Cut, now: Instant) {
        if self.is_over() {
            return;
        }
        match how {
            Cut::Eof => self.end(how, now),
            Cut::Reset => {
                self.takes_other_along = true;
                self.reset_at_once(now);
            }
            Cut::Silence => {
                self.drop_all();
                self.flow = Flow::Silent;
            }
        }
    }

    /// The reader finds a reset now, and nothing before it.
    pub(crate) fn reset_at_once(&mut self, now: Instant) {
        if self.is_over() {
            return;
        }
        self.drop_all();
        self.on_the_way = 0;
        self.flow = Flow::Over;
        self.next = Some(Next { leaves: now, arrives: now, what: What::Reset });
    }

    /// Whether the other direction is to be reset as well; true once.
    pub(crate) fn takes_other_along(&mut self) -> bool {
        std::mem::take(&mut self.takes_other_along)
    }

    /// When the next piece arrives.
    pub(crate) fn next_arrival(&self) -> Option<Instant> {
        self.next.as_ref().map(|next| next.arrives)
    }

    /// When the stream is to be cut.
    pub(crate) fn next_cut(&self) -> Option<Instant> {
        self.cut_at.filter(|_| !self.is_over()).map(|(at, _)| at)
    }

    /// Cuts the stream if it is time to.
    pub(crate) fn cut_if_due(&mut self, now: Instant) {
        if let Some((_, how)) = self.cut_at.take_if(|(at, _)| *at <= now) {
            self.cut(how, now);
        }
    }

    /// What the reader finds now.
    pub(crate) fn read(&mut self, now: Instant) -> Option<Arrival> {
        let mut read = match self.take(now)? {
            What::Eof => return Some(Arrival::Eof),
            What::Reset => return Some(Arrival::Reset),
            What::Bytes(bytes) => BytesMut::from(&bytes[..]),
        };
        while self.timing.coalesces() && matches!(self.next, Some(Next { what: What::Bytes(_), .. })) {
            let Some(What::Bytes(more)) = self.take(now) else { break };
            read.extend_from_slice(&more);
        }
        Some(Arrival::Bytes(read))
    }

    fn take(&mut self, now: Instant) -> Option<What> {
        let next = self.next.take_if(|next| next.arrives <= now)?;
        if let What::Bytes(bytes) = &next.what {
            self.on_the_way -= bytes.len();
        }
        self.prepare();
        Some(next.what)
    }

    fn is_over(&self) -> bool {
        matches!(self.flow, Flow::Over | Flow::Silent)
    }

    /// Ends the stream behind what is on the way.
    fn end(&mut self, how: Cut, now: Instant) {
        if self.flow != Flow::Open {
            return;
        }
        self.flow = Flow::Over;
        match how {
            Cut::Eof => self.push(What::Eof, now),
            Cut::Reset => {
                self.takes_other_along = true;
                self.push(What::Reset, now);
            }
            Cut::Silence => self.flow = Flow::Silent,
        }
    }

    fn push(&mut self, what: What, now: Instant) {
        if !matches!(&what, What::Bytes(bytes) if bytes.is_empty()) {
            self.queue.push_back(Written { at: now, what });
            self.prepare();
        }
    }

    fn drop_all(&mut self) {
        self.queue.clear();
        self.next = None;
    }

    /// Loses the last `count` bytes that were written.
    fn lose(&mut self, mut count: usize) {
        while count > 0 {
            let last = match self.queue.back_mut() {
                Some(written) => Some(&mut written.what),
                None => self.next.as_mut().map(|next| &mut next.what),
            };
            let Some(What::Bytes(bytes)) = last else { return };
            let lost = count.min(bytes.len());
            bytes.truncate(bytes.len() - lost);
            self.on_the_way -= lost;
            count -= lost;
            if bytes.is_empty() && self.queue.pop_back().is_none() {
                self.next = None;
            }
        }
    }

    /// Cuts and times the next piece.
    fn prepare(&mut self) {
        if self.next.is_some() {
            return;
        }
        let Some(Written { at, what }) = self.queue.pop_front() else { return };
        let (mut what, mut leaves) = match what {
            What::Bytes(mut bytes) => {
                let piece = self.timing.cut(&mut bytes);
                if !bytes.is_empty() {
                    self.queue.push_front(Written { at, what: What::Bytes(bytes) });
                }
                let leaves = self.timing.leaves(at, piece.len());
                (What::Bytes(piece), leaves)
            }
            what => (what, at),
        };
        if let Some(aborted) = self.aborted.filter(|aborted| leaves > *aborted) {
            self.drop_all();
            self.on_the_way = 0;
            (what, leaves) = (What::Reset, aborted);
        }
        let arrives = self.timing.arrives(leaves);
        self.next = Some(Next { leaves, arrives, what });
    }
}
