//! The last words to a peer whose handshake failed, and how to make sure that they arrive (RFC 9112 section 9.6).

use core::time::Duration;

use bytes::Bytes;

use crate::time::Instant;

/// What is left to do with a byte stream on which the opening handshake failed; made by
/// [`HandshakeError::farewell`](crate::HandshakeError::farewell).
///
/// To close at once would reset the connection while the peer is still sending, and the reply would be lost on its way. So:
///
/// 1. Write [`transmit`](Self::transmit).
/// 2. When [`wants_shutdown`](Self::wants_shutdown), shut down the writing side.
/// 3. Read and throw away: tell [`discard`](Self::discard) how much, and [`eof`](Self::eof) when the peer has ended its side.
/// 4. When the [`deadline`](Self::deadline) comes, call [`timeout`](Self::timeout).
/// 5. When [`is_done`](Self::is_done), or when reading or writing fails, close the stream.
#[derive(Debug)]
pub struct Farewell {
    reply: Bytes,
    deadline: Instant,
    /// Bytes that may still be discarded.
    allowance: usize,
    /// The peer has ended its side of the stream.
    eof: bool,
    done: bool,
}

impl Farewell {
    /// Without a reply there is nothing to do.
    pub(crate) fn new(reply: Option<Bytes>, limit: Duration, now: Instant) -> Self {
        let done = reply.is_none();
        Self {
            reply: reply.unwrap_or_default(),
            deadline: now + limit,
            allowance: MAX_DISCARDED,
            eof: false,
            done,
        }
    }

    /// The rest of the reply: a [`bytes::Buf`], to be advanced by what was written.
    pub fn transmit(&mut self) -> &mut Bytes {
        &mut self.reply
    }

    /// Whether to shut down the writing side now. Stays `true`; to do it twice does no harm.
    #[must_use]
    pub fn wants_shutdown(&self) -> bool {
        self.reply.is_empty() && !self.is_done()
    }

    /// Notes that `len` bytes of the peer were read and thrown away. After 1 MiB it has had its chance.
    pub fn discard(&mut self, len: usize) {
        self.allowance = self.allowance.saturating_sub(len);
        self.done |= self.allowance == 0;
    }

    /// Notes that the peer has ended its side of the stream: nothing is left to discard. It may still be reading, so the
    /// rest of the reply is for it.
    pub fn eof(&mut self) {
        self.eof = true;
    }

    /// When to call [`timeout`](Self::timeout); `None` when done.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        (!self.is_done()).then_some(self.deadline)
    }

    /// Tells the time.
    pub fn timeout(&mut self, now: Instant) {
        self.done |= now >= self.deadline;
    }

    /// Whether the stream can be closed.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done || (self.eof && self.reply.is_empty())
    }
}

/// Bytes of a refused peer that are thrown away, so that it reads the reply: a large request that was sent in one go.
const MAX_DISCARDED: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use bytes::Buf;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    fn farewell() -> Farewell {
        Farewell::new(Some(Bytes::from_static(b"no")), LIMIT, Instant::ZERO)
    }

    #[test]
    fn writes_then_shuts_down_then_waits_for_the_end() {
        let mut farewell = farewell();
        assert!(!farewell.wants_shutdown());
        farewell.transmit().advance(2);
        assert!(farewell.wants_shutdown() && !farewell.is_done());
        farewell.discard(10);
        assert!(!farewell.is_done());
        farewell.eof();
        assert!(farewell.is_done());
        assert_eq!(farewell.deadline(), None);
    }

    #[test]
    fn a_peer_that_half_closed_gets_all_of_the_reply() {
        let mut farewell = farewell();
        farewell.eof();
        farewell.transmit().advance(1);
        assert!(!farewell.is_done());
        farewell.transmit().advance(1);
        assert!(farewell.is_done());
    }

    #[test]
    fn waits_no_longer_than_its_limit_and_reads_no_more_than_it_must() {
        let mut slow = farewell();
        slow.timeout(Instant::ZERO + (LIMIT - Duration::from_nanos(1)));
        assert!(!slow.is_done());
        slow.timeout(Instant::ZERO + LIMIT);
        assert!(slow.is_done());

        let mut endless = farewell();
        endless.discard(MAX_DISCARDED - 1);
        assert!(!endless.is_done());
        endless.discard(1);
        assert!(endless.is_done());
    }

    #[test]
    fn without_a_reply_there_is_nothing_to_do() {
        assert!(Farewell::new(None, LIMIT, Instant::ZERO).is_done());
    }
}
