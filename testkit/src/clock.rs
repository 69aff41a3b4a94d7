//! An endpoint's clock, which may jump while the virtual time goes on evenly.

use std::collections::VecDeque;

use core::time::Duration;

use sansocket::Instant;

/// What an endpoint's clock does wrong, as a value.
///
/// A monotonic clock should do nothing of this. Some do: when a virtual machine is moved, a laptop wakes, or firmware
/// takes the wall clock for a monotonic one.
///
/// All times count from the start of the simulation, or from [`Sim::set_clock`](crate::Sim::set_clock).
///
/// ```
/// use std::time::Duration;
/// use sansocket_testkit::Clock;
///
/// let clock = Clock::new()
///     .forward(Duration::from_secs(5), Duration::from_secs(3600))
///     .backward(Duration::from_secs(9), Duration::from_secs(1800));
/// # let _ = clock;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Clock {
    jumps: Vec<Jump>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Jump {
    at: Duration,
    /// Nanoseconds.
    by: i128,
}

/// A clock while it runs.
#[derive(Debug)]
pub(crate) struct RunningClock {
    /// How far it is ahead of the virtual time, in nanoseconds.
    ahead: i128,
    /// In their order.
    jumps: VecDeque<(Instant, i128)>,
}

impl Clock {
    /// A clock that is right.
    pub fn new() -> Self {
        Self::default()
    }

    /// At this time it jumps forwards by so much.
    pub fn forward(self, at: Duration, by: Duration) -> Self {
        self.jump(at, nanos(by))
    }

    /// At this time it jumps backwards by so much.
    pub fn backward(self, at: Duration, by: Duration) -> Self {
        self.jump(at, -nanos(by))
    }

    fn jump(mut self, at: Duration, by: i128) -> Self {
        self.jumps.push(Jump { at, by });
        self
    }
}

impl RunningClock {
    pub(crate) fn new(clock: &Clock, now: Instant) -> Self {
        let mut running = Self { ahead: 0, jumps: VecDeque::new() };
        running.set(clock, now);
        running
    }

    /// Goes on from here as `clock` says.
    pub(crate) fn set(&mut self, clock: &Clock, now: Instant) {
        let mut jumps: Vec<_> = clock.jumps.iter().map(|jump| (now + jump.at, jump.by)).collect();
        jumps.sort_by_key(|(at, _)| *at);
        self.jumps = jumps.into();
    }

    /// Lets it jump if it is time to.
    pub(crate) fn advance(&mut self, now: Instant) {
        while let Some((_, by)) = self.jumps.front().copied().filter(|(at, _)| *at <= now) {
            self.jumps.pop_front();
            self.ahead += by;
        }
    }

    /// When it jumps next.
    pub(crate) fn next_jump(&self) -> Option<Instant> {
        self.jumps.front().map(|(at, _)| *at)
    }

    /// What it shows.
    pub(crate) fn read(&self, now: Instant) -> Instant {
        moved(now, self.ahead)
    }

    /// At what virtual time it shows `reading`, if it does not jump before.
    pub(crate) fn shows(&self, reading: Instant) -> Instant {
        moved(reading, -self.ahead)
    }
}

fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}

fn moved(instant: Instant, by: i128) -> Instant {
    let nanos = (i128::from(instant.as_nanos()) + by).clamp(0, u64::MAX.into());
    Instant::from_nanos(nanos as u64)
}
