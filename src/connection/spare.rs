//! Output buffers between two uses, so that an idle connection holds none and a busy one need not ask for memory each time.

#[cfg(feature = "std")]
pub(super) use kept::{give, take};
#[cfg(not(feature = "std"))]
pub(super) use not_kept::{give, take};

#[cfg(feature = "std")]
mod kept {
    use alloc::vec::Vec;
    use core::cell::RefCell;

    std::thread_local! {
        /// Empty, with the room that they had when they were used last.
        static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    }

    /// An empty buffer with room for `len` bytes.
    #[inline]
    pub(in super::super) fn take(len: usize) -> Vec<u8> {
        let spare = SPARE.try_with(|spare| spare.try_borrow_mut().ok()?.pop());
        match spare {
            Ok(Some(mut buffer)) => {
                buffer.reserve(len);
                buffer
            }
            // There is none, or the thread is ending.
            _ => Vec::with_capacity(len.max(MIN_LEN)),
        }
    }

    /// Takes a buffer back.
    #[inline]
    pub(in super::super) fn give(mut buffer: Vec<u8>) {
        if buffer.capacity() > MAX_LEN {
            return;
        }
        buffer.clear();
        let _ = SPARE.try_with(|spare| {
            if let Ok(mut spare) = spare.try_borrow_mut() {
                if spare.len() < MAX_SPARE {
                    spare.push(buffer);
                }
            }
        });
    }

    /// Bytes of a new buffer: an answer, or a few.
    const MIN_LEN: usize = 256;

    /// Buffers that a burst has made larger than this are not kept.
    const MAX_LEN: usize = 128 * 1024;

    /// Buffers of one thread. More are in use at a time only by connections whose peers do not read.
    const MAX_SPARE: usize = 4;
}

#[cfg(not(feature = "std"))]
mod not_kept {
    use alloc::vec::Vec;

    pub(in super::super) fn take(len: usize) -> Vec<u8> {
        Vec::with_capacity(len)
    }

    pub(in super::super) fn give(_: Vec<u8>) {}
}
