//! How long to wait before the next attempt: exponential back-off with full jitter (RFC 6455 section 7.2.3).

use core::ops::RangeInclusive;
use core::time::Duration;

use crate::entropy::Entropy;
use crate::session::config::SessionConfig;
use crate::session::verdict::Pace;

/// Draws delays.
#[derive(Debug)]
pub(super) struct Backoff {
    initial: Duration,
    max: Duration,
    multiplier: u32,
    max_retry_after: Duration,
    restart: RangeInclusive<Duration>,
    entropy: Entropy,
}

impl Backoff {
    pub(super) fn new(config: &SessionConfig, entropy: Entropy) -> Self {
        Self {
            initial: config.reconnect_delay.max(SHORTEST),
            max: config.max_reconnect_delay.max(SHORTEST),
            multiplier: config.reconnect_multiplier.max(1),
            max_retry_after: config.max_retry_after,
            restart: config.restart_delay.clone(),
            entropy,
        }
    }

    /// The delay of any attempt, when all servers were tried in vain `rounds` times: between zero and the ceiling.
    //= https://www.rfc-editor.org/rfc/rfc6455#section-7.2.3
    //# The first reconnect attempt SHOULD be delayed by a random amount of
    //# time.
    pub(super) fn delay(&mut self, rounds: u32) -> Duration {
        let ceiling = self.ceiling(rounds);
        self.up_to(ceiling)
    }

    /// How long a server is to be left alone that has failed in this way.
    pub(super) fn hold(&mut self, pace: Pace, rounds: u32) -> Duration {
        match pace {
            Pace::Normal => Duration::ZERO,
            // Never earlier than asked for; and not all who were told the same time at the same moment.
            Pace::After(time) => time.min(self.max_retry_after).saturating_add(self.delay(rounds)),
            Pace::Restart => {
                let (least, most) = (*self.restart.start(), *self.restart.end());
                least.saturating_add(self.up_to(most.saturating_sub(least)))
            }
            Pace::Slower => {
                let half = self.ceiling(rounds.saturating_add(SLOWER)) / 2;
                half.saturating_add(self.up_to(half))
            }
        }
    }

    fn ceiling(&self, rounds: u32) -> Duration {
        let factor = self.multiplier.checked_pow(rounds);
        let ceiling = factor.and_then(|factor| self.initial.checked_mul(factor));
        ceiling.map_or(self.max, |ceiling| ceiling.min(self.max))
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        let nanos = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.entropy.up_to(nanos))
    }
}

/// A configuration of zero must leave time in between: it would keep an adapter busy for nothing.
const SHORTEST: Duration = Duration::from_millis(1);

/// The steps that an overloaded server is granted at once: with the defaults, 4 s in place of 500 ms.
const SLOWER: u32 = 3;
