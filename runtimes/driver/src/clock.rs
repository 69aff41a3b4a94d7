//! The operating system's monotonic clock as the core's.

use std::sync::OnceLock;
use std::time;

use sansocket::Instant;

/// `at` on the core's clock, which starts when this is first called.
#[must_use]
pub fn to_core(at: time::Instant) -> Instant {
    Instant::ZERO + at.saturating_duration_since(start())
}

/// `at` on the operating system's clock.
#[must_use]
pub fn from_core(at: Instant) -> time::Instant {
    let since = at.since(Instant::ZERO);
    // Further than the clock reaches is as good as never.
    start().checked_add(since).unwrap_or_else(|| start() + FAR)
}

fn start() -> time::Instant {
    static START: OnceLock<time::Instant> = OnceLock::new();
    *START.get_or_init(time::Instant::now)
}

/// A century.
const FAR: time::Duration = time::Duration::from_secs(100 * 365 * 24 * 3600);
