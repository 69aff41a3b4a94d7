//! What is to be written, as a buffer that is advanced by what was.

use bytes::Buf;

use super::send::Sender;

/// The bytes that wait to be written; made by [`Connection::transmit`](crate::Connection::transmit).
///
/// With the feature `std`, [`Buf::chunks_vectored`] gives all pieces for one vectored write.
#[derive(Debug)]
pub struct Transmit<'a> {
    pub(super) sender: &'a mut Sender,
}

impl Buf for Transmit<'_> {
    #[inline]
    fn remaining(&self) -> usize {
        self.sender.queue.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self.sender.queue.first()
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        self.sender.queue.fill(slices)
    }

    /// Notes that `n` bytes were written.
    ///
    /// # Panics
    ///
    /// If `n` is more than [`remaining`](Buf::remaining).
    #[inline]
    fn advance(&mut self, n: usize) {
        let sender = &mut *self.sender;
        // A Ping is left unanswered only while control frames wait.
        if sender.closing.has_begun() || !sender.queue.advance_over_all(n) {
            return sender.advance(n);
        }
        sender.bytes += n as i64;
    }
}

impl Sender {
    /// The general case: of several pieces, or where something follows from what has left.
    #[inline(never)]
    fn advance(&mut self, n: usize) {
        self.queue.advance(n);
        self.bytes += n as i64;
        self.answer_newest_ping();
        self.settle();
    }
}
