//! What to do when `accept(2)` fails.

use std::io;
use std::time::Duration;

/// How long to wait before the next `accept`. Knows no clock.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// It succeeded.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// It failed. `None`: it was the fault of that one connection, which is gone, and the next may be there already.
    pub(super) fn failed(&mut self, error: &io::Error) -> Option<Duration> {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};

        if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted) {
            return None;
        }
        // No descriptors, no memory: the connection is still there, so to try at once would only burn the processor.
        let pause = FIRST.saturating_mul(1 << self.failures.min(MAX_DOUBLINGS)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        Some(pause)
    }
}

/// The first pause: it costs a client nothing that it notices.
const FIRST: Duration = Duration::from_millis(10);

/// The longest: descriptors are freed by connections that end, which can be any time.
const LONGEST: Duration = Duration::from_secs(1);

/// More reach [`LONGEST`] anyway.
const MAX_DOUBLINGS: u32 = 16;

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::Backoff;

    #[test]
    fn pauses_double_up_to_a_second_and_begin_anew_after_success() {
        let mut backoff = Backoff::default();
        // EMFILE
        let error = io::Error::from_raw_os_error(24);
        let pauses: Vec<u128> =
            (0..9).map(|_| backoff.failed(&error).map_or(0, |pause| pause.as_millis())).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        assert!((0..100).all(|_| backoff.failed(&error) == Some(Duration::from_secs(1))));
        backoff.succeeded();
        assert_eq!(backoff.failed(&error), Some(Duration::from_millis(10)));
    }

    #[test]
    fn a_connection_that_went_away_is_no_reason_to_wait() {
        let mut backoff = Backoff::default();
        for kind in
            [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset, io::ErrorKind::Interrupted]
        {
            assert_eq!(backoff.failed(&kind.into()), None);
        }
        assert_eq!(backoff.failed(&io::ErrorKind::OutOfMemory.into()), Some(Duration::from_millis(10)));
    }
}
