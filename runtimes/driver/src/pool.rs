//! Read blocks: one for the connection that is being read, none for those that wait.

use std::cell::RefCell;

use bytes::BytesMut;

thread_local! {
    static FREE: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// An empty block with room for [`BLOCK`] bytes.
#[must_use]
pub fn take() -> BytesMut {
    FREE.with_borrow_mut(Vec::pop).unwrap_or_else(|| BytesMut::with_capacity(BLOCK))
}

/// Gives a block back.
pub fn give(mut block: BytesMut) {
    block.clear();
    if block.try_reclaim(BLOCK) {
        FREE.with_borrow_mut(|free| {
            if free.len() < MAX_FREE {
                free.push(block);
            }
        });
    }
}

/// Bytes per read: large enough that system calls do not count, small enough for the second-level cache. What answers the messages of one
/// read leaves in one write, so that half as much would be twice as many writes, each of which may wake the peer.
pub const BLOCK: usize = 128 * 1024;

/// Blocks kept per thread.
const MAX_FREE: usize = 4;
