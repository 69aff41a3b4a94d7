//! What one direction of a connection does to the bytes that pass through it, as a value.

use core::time::Duration;

/// One direction of a connection: how long bytes take, in which pieces they are read, and what goes wrong.
///
/// A description, not a thing that runs: it can be cloned, kept in a table of cases and given to any number of
/// simulations. [`Link::new`] is a perfect line, and each method makes it worse in one way.
///
/// All times and byte counts begin when the link is put in place: at the start of the simulation, or at
/// [`Sim::set_link`](crate::Sim::set_link). Like TCP, a link never reorders, repeats or changes bytes.
///
/// ```
/// use std::time::Duration;
/// use sansocket_testkit::{Cut, Link, Split};
///
/// // A mobile network, just before the tunnel.
/// let link = Link::new()
///     .latency(Duration::from_millis(80))
///     .jitter(Duration::from_millis(40))
///     .bandwidth(50_000)
///     .split(Split::Random)
///     .stall(Duration::from_secs(3), Duration::from_secs(2))
///     .cut_at(Duration::from_secs(9), Cut::Silence);
/// # let _ = link;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Link {
    pub(crate) latency: Duration,
    pub(crate) jitter: Duration,
    /// Bytes per second.
    pub(crate) bandwidth: Option<u64>,
    pub(crate) window: Option<usize>,
    pub(crate) write_size: Option<usize>,
    pub(crate) split: Split,
    pub(crate) coalesce: Option<Duration>,
    pub(crate) stalls: Vec<Stall>,
    pub(crate) cut_after: Option<(u64, Cut)>,
    pub(crate) cut_at: Option<(Duration, Cut)>,
    pub(crate) lost_tail: Option<(usize, Cut)>,
}

/// Where bytes that were written at once are cut into reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Split {
    /// Nowhere: what was written at once is read at once.
    #[default]
    Whole,
    /// After each byte.
    EveryByte,
    /// After each so many bytes, counted from the start of each write. 0 counts as 1.
    Every(usize),
    /// Once, after so many bytes of the whole stream.
    At(u64),
    /// Anywhere, as the seed has it: into pieces of 1 to 2,048 bytes, small ones as likely as large ones.
    Random,
}

/// How a direction ends that is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cut {
    /// The reader finds the end of the stream, as if the writer had shut down its writing side (a half-close). What is
    /// written from then on is lost, and the writer is not told. The other direction goes on.
    Eof,
    /// Both ends find that the connection was reset; the other direction is gone with it.
    Reset,
    /// Nothing: no byte, no end and no error ever comes again in this direction, as if a cable were pulled. The other
    /// direction goes on; cut it too for a peer that is gone for good.
    Silence,
}

/// A time in which nothing arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stall {
    pub(crate) from: Duration,
    pub(crate) lasting: Duration,
}

impl Link {
    /// A perfect line: what is written is read in the same instant, as it was written, and any amount of it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Each byte takes this long. Default zero.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Each piece takes up to this much longer, as the seed has it. The order stays. Default zero.
    pub fn jitter(mut self, at_most: Duration) -> Self {
        self.jitter = at_most;
        self
    }

    /// So many bytes pass in a second; a piece arrives when its last byte has passed. Default: no limit.
    ///
    /// # Panics
    ///
    /// If it is 0. For a time in which nothing passes, see [`stall`](Self::stall); for ever, see [`Cut::Silence`].
    pub fn bandwidth(mut self, bytes_per_second: u64) -> Self {
        assert!(
            bytes_per_second > 0,
            "a bandwidth of 0 bytes per second lets nothing pass: use Cut::Silence"
        );
        self.bandwidth = Some(bytes_per_second);
        self
    }

    /// At most so many bytes are on the way: written and not yet read. A writer that has filled it has to wait, as with
    /// the buffers of a real socket. Default: no limit.
    ///
    /// # Panics
    ///
    /// If it is 0.
    pub fn window(mut self, bytes: usize) -> Self {
        assert!(bytes > 0, "a window of 0 bytes lets nothing pass: use Cut::Silence");
        self.window = Some(bytes);
        self
    }

    /// A write takes at most so many bytes; the rest needs more writes. Default: no limit.
    ///
    /// # Panics
    ///
    /// If it is 0.
    pub fn short_writes(mut self, bytes: usize) -> Self {
        assert!(bytes > 0, "a write of 0 bytes is none");
        self.write_size = Some(bytes);
        self
    }

    /// Cuts writes into several reads. Default [`Split::Whole`].
    pub fn split(mut self, split: Split) -> Self {
        self.split = split;
        self
    }

    /// Bytes are held back to the end of each `period`, and what came in it is read at once. Default: no.
    ///
    /// With a period of zero nothing is held back, but all that has arrived in the same instant is one read.
    pub fn coalesce(mut self, period: Duration) -> Self {
        self.coalesce = Some(period);
        self
    }

    /// From this time on nothing arrives for so long; then all of it does. There may be several stalls.
    pub fn stall(mut self, from: Duration, lasting: Duration) -> Self {
        self.stalls.push(Stall { from, lasting });
        self
    }

    /// Ends the stream when so many bytes were written; the bytes up to there still arrive. 0 cuts at once.
    pub fn cut_after(mut self, bytes: u64, how: Cut) -> Self {
        self.cut_after = Some((bytes, how));
        self
    }

    /// Ends the stream at this time. What is on the way then is lost with [`Cut::Reset`] and [`Cut::Silence`], and still
    /// arrives with [`Cut::Eof`].
    pub fn cut_at(mut self, time: Duration, how: Cut) -> Self {
        self.cut_at = Some((time, how));
        self
    }

    /// When the writer ends the stream of itself, its last `bytes` bytes are lost, as far as they were not read yet, and
    /// instead of the end of the stream the reader finds `how`.
    ///
    /// That is what becomes of a program that writes, exits and has not read all of its input.
    pub fn lose_tail(mut self, bytes: usize, how: Cut) -> Self {
        self.lost_tail = Some((bytes, how));
        self
    }
}
