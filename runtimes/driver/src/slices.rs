//! Several slices as one [`Buf`], for vectored writes.

use std::io::IoSlice;

use bytes::Buf;

/// What is left of several slices.
pub(crate) struct Slices<'a> {
    slices: &'a [IoSlice<'a>],
    /// Bytes of the first that are done with.
    done: usize,
    left: usize,
}

impl<'a> Slices<'a> {
    pub(crate) fn new(slices: &'a [IoSlice<'a>]) -> Self {
        let left = slices.iter().map(|slice| slice.len()).sum();
        let mut new = Self { slices, done: 0, left };
        new.skip_empty();
        new
    }

    fn skip_empty(&mut self) {
        while let Some((first, rest)) = self.slices.split_first() {
            if self.done < first.len() {
                return;
            }
            self.done -= first.len();
            self.slices = rest;
        }
    }
}

impl Buf for Slices<'_> {
    fn remaining(&self) -> usize {
        self.left
    }

    fn chunk(&self) -> &[u8] {
        self.slices.first().and_then(|first| first.get(self.done..)).unwrap_or_default()
    }

    fn chunks_vectored<'a>(&'a self, filled: &mut [IoSlice<'a>]) -> usize {
        let chunk = self.chunk();
        let chunks = std::iter::once(chunk).chain(self.slices.iter().skip(1).map(|slice| &**slice));
        let mut count = 0;
        for (slot, chunk) in filled.iter_mut().zip(chunks.filter(|chunk| !chunk.is_empty())) {
            *slot = IoSlice::new(chunk);
            count += 1;
        }
        count
    }

    fn advance(&mut self, count: usize) {
        assert!(count <= self.left, "{count} of {} bytes", self.left);
        self.left -= count;
        self.done += count;
        self.skip_empty();
    }
}
