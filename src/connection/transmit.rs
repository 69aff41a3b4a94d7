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
        sender.queue.advance(n);
        sender.bytes += n as i64;
        if sender.newest_ping.is_some() {
            sender.answer_newest_ping();
        }
        if sender.closing.has_begun() {
            sender.settle();
        }
    }
}
