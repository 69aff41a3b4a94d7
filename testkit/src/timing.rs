//! Into which pieces a link cuts bytes, and when each of them arrives.

use bytes::Bytes;
use sansocket::Instant;

use crate::link::{Link, Split};
use crate::random::Random;

/// The part of a [`Link`] that concerns pieces, and where it stands. It is asked for one piece after the other.
#[derive(Debug)]
pub(crate) struct Timing {
    link: Link,
    random: Random,
    /// When the link was put in place, and where in the stream that was.
    placed: Instant,
    offset: u64,
    /// Bytes that were cut into pieces.
    passed: u64,
    /// Since when the line has been busy, and how many bytes it has carried since.
    busy_since: Instant,
    busy_bytes: u64,
    busy_until: Instant,
}

impl Timing {
    pub(crate) fn new(random: Random, now: Instant) -> Self {
        Self {
            link: Link::new(),
            random,
            placed: now,
            offset: 0,
            passed: 0,
            busy_since: now,
            busy_bytes: 0,
            busy_until: now,
        }
    }

    /// Goes on with another link, whose byte counts begin at `offset` in the stream.
    pub(crate) fn set_link(&mut self, mut link: Link, offset: u64, now: Instant) {
        link.stalls.sort_by_key(|stall| stall.from);
        self.link = link;
        (self.placed, self.offset) = (now, offset);
        (self.busy_since, self.busy_bytes, self.busy_until) = (now, 0, now);
    }

    /// Whether all that has arrived is read at once.
    pub(crate) fn coalesces(&self) -> bool {
        self.link.coalesce.is_some()
    }

    /// Takes the next piece from the front of what was written at once.
    pub(crate) fn cut(&mut self, written: &mut Bytes) -> Bytes {
        let len = match self.link.split {
            Split::Whole => None,
            Split::EveryByte => Some(1),
            Split::Every(len) => Some(len.max(1) as u64),
            Split::At(border) => (self.offset + border).checked_sub(self.passed).filter(|len| *len > 0),
            Split::Random => {
                let largest = 1 << self.random.up_to(11);
                Some(1 + self.random.up_to(largest - 1))
            }
        };
        let all = written.len();
        let len = len.and_then(|len| usize::try_from(len).ok()).map_or(all, |len| len.min(all));
        self.passed += len as u64;
        written.split_to(len)
    }

    /// When the last of the next `len` bytes, which were written at `written`, leaves the writer.
    pub(crate) fn leaves(&mut self, written: Instant, len: usize) -> Instant {
        let Some(bandwidth) = self.link.bandwidth else { return written };
        if written > self.busy_until {
            (self.busy_since, self.busy_bytes) = (written, 0);
        }
        self.busy_bytes += len as u64;
        // Counted from the start, so that what a division leaves over does not add up.
        let nanos = (u128::from(self.busy_bytes) * 1_000_000_000).div_ceil(u128::from(bandwidth));
        self.busy_until = later(self.busy_since, nanos);
        self.busy_until
    }

    /// When what `leaves` the writer is there.
    pub(crate) fn arrives(&mut self, leaves: Instant) -> Instant {
        let jitter = u64::try_from(self.link.jitter.as_nanos()).unwrap_or(u64::MAX);
        let jitter = if jitter > 0 { self.random.up_to(jitter) } else { 0 };
        let mut at = later(leaves + self.link.latency, jitter.into());
        if let Some(period) = self.link.coalesce.map(|period| period.as_nanos()).filter(|period| *period > 0)
        {
            let since = at.since(self.placed).as_nanos();
            at = later(at, since.next_multiple_of(period) - since);
        }
        for stall in &self.link.stalls {
            let from = self.placed + stall.from;
            if at >= from {
                at = at.max(from + stall.lasting);
            }
        }
        at
    }
}

fn later(instant: Instant, nanos: u128) -> Instant {
    let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
    Instant::from_nanos(instant.as_nanos().saturating_add(nanos))
}
