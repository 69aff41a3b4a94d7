//! How long a peer may take for its Pong, where only the time between Pings is set. One rule for every builder of a client.

use std::time::Duration;

/// Whether the time for a Pong goes by the time between Pings. For the builders of clients, in this crate and in adapters.
///
/// It does until it is set itself, here or in a field: then it is the same as the interval, but no less than 5 s, which leaves time for lost
/// packets to be sent again, and no more than 20 s.
///
/// ```
/// use std::time::Duration;
/// use sansocket_driver::heartbeat::Heartbeat;
///
/// let secs = |seconds| Some(Duration::from_secs(seconds));
/// let mut heartbeat = Heartbeat::default();
/// let (mut interval, mut timeout) = (secs(20), secs(20));
/// heartbeat.set_interval(&mut interval, &mut timeout, secs(10));
/// assert_eq!((interval, timeout), (secs(10), secs(10)));
/// heartbeat.set_timeout(&mut timeout, secs(3));
/// heartbeat.set_interval(&mut interval, &mut timeout, secs(60));
/// assert_eq!((interval, timeout), (secs(60), secs(3)));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Heartbeat {
    /// The time for a Pong was set, and does not go by the interval.
    timeout_is_set: bool,
}

impl Heartbeat {
    /// Sets the time between Pings, and `timeout` along with it unless that was set.
    pub fn set_interval(
        &self,
        interval: &mut Option<Duration>,
        timeout: &mut Option<Duration>,
        to: Option<Duration>,
    ) {
        if !self.timeout_is_set && *timeout == usual(*interval) {
            *timeout = usual(to).or(*timeout);
        }
        *interval = to;
    }

    /// Sets the time for a Pong, which goes by nothing from now on.
    pub fn set_timeout(&mut self, timeout: &mut Option<Duration>, to: Option<Duration>) {
        self.timeout_is_set = true;
        *timeout = to;
    }
}

/// The time for a Pong, where Pings come in this interval.
fn usual(interval: Option<Duration>) -> Option<Duration> {
    interval.map(|interval| interval.clamp(SHORT, LONG))
}

const SHORT: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(20);
