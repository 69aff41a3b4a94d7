//! The memory that all connections of a server may hold together. Counts and decides, and knows neither connections nor IO.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Bytes that are taken, and how many may be.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    used: AtomicUsize,
    /// Connections that ended because there were no more.
    exceeded: AtomicU64,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0), exceeded: AtomicU64::new(0) })
    }

    /// Bytes that may be taken.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes that are taken.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Takes `base` bytes for a connection, if there are so many.
    pub(crate) fn share(self: &Arc<Self>, base: usize) -> Option<Share> {
        self.take(base).then(|| Share { budget: Arc::clone(self), base, held: 0 })
    }

    /// Connections that ended because there was no room.
    pub(crate) fn exceeded(&self) -> u64 {
        self.exceeded.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> bool {
        let more = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }
}

/// What one connection takes of a [`Budget`]. Dropped, it is given back.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    base: usize,
    held: usize,
}

impl Share {
    /// Bytes that all connections may take.
    pub(crate) fn limit(&self) -> usize {
        self.budget.limit
    }

    /// Counts that the connection ends because there is no room, and says how many did.
    pub(crate) fn exceeded(&self) -> u64 {
        self.budget.exceeded.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The connection now holds `held` bytes besides its base. `false` if it has grown and there is no room: then what it takes is as
    /// before.
    pub(crate) fn hold(&mut self, held: usize) -> bool {
        if held > self.held {
            if !self.budget.take(held - self.held) {
                return false;
            }
        } else if held < self.held {
            self.budget.used.fetch_sub(self.held - held, Ordering::Relaxed);
        }
        self.held = held;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.base + self.held, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn connections_below_at_and_above_the_budget() {
        let budget = Budget::new(100);
        let first = budget.share(99).expect("below");
        let second = budget.share(1).expect("at");
        assert!(budget.share(1).is_none(), "above");
        drop(second);
        let third = budget.share(1).expect("given back");
        assert_eq!(budget.used(), 100);
        drop((first, third));
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn growth_below_at_and_above_the_budget() {
        let budget = Budget::new(100);
        let mut first = budget.share(10).expect("there is room");
        let mut second = budget.share(10).expect("there is room");
        assert!(first.hold(79) && second.hold(1));
        assert!(!second.hold(2), "one more than there is");
        assert_eq!(budget.used(), 100, "what was refused is not counted");
        assert!(first.hold(78) && second.hold(2));
        assert!(!first.hold(usize::MAX));
        drop(first);
        assert_eq!(budget.used(), 12);
        drop(second);
        assert_eq!(budget.used(), 0);
    }
}
