//! Initialised blocks, for what writes into `&mut [u8]`: initialised once, and used by whoever needs one for a moment.

use std::cell::RefCell;

thread_local! {
    static FREE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A block of [`BLOCK`] bytes, with what was left in it.
pub(crate) fn take() -> Vec<u8> {
    FREE.with_borrow_mut(Vec::pop).unwrap_or_else(|| vec![0; BLOCK])
}

/// Gives a block back. One that has grown is not kept.
pub(crate) fn give(block: Vec<u8>) {
    if block.len() == BLOCK {
        FREE.with_borrow_mut(|free| {
            if free.len() < MAX_FREE {
                free.push(block);
            }
        });
    }
}

/// Blocks kept per thread.
const MAX_FREE: usize = 4;

/// Bytes in a block. TLS holds one for a connection while its output is blocked, so it is smaller than a read block.
pub(crate) const BLOCK: usize = 64 * 1024;
