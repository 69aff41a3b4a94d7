//! Output buffers between two uses, so that an idle connection holds none and a busy one need not ask for memory each time.

#[cfg(feature = "std")]
pub(super) use kept::{give, take};
#[cfg(not(feature = "std"))]
pub(super) use not_kept::{give, take};

#[cfg(feature = "std")]
mod kept {
    use alloc::vec::Vec;
    use core::cell::RefCell;
    use core::mem::swap;

    std::thread_local! {
        /// One is enough: a task sends and flushes before the next has its turn. It is empty, with the room that it had when it was used.
        static SPARE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }

    /// Puts the spare buffer, if there is one, in the place of one that has no room, and makes room for `len` bytes.
    #[inline]
    pub(in super::super) fn take(place: &mut Vec<u8>, len: usize) {
        exchange(place);
        if place.capacity() < len {
            place.reserve(len.max(MIN_LEN));
        }
    }

    /// Takes a buffer back.
    #[inline]
    pub(in super::super) fn give(place: &mut Vec<u8>) {
        place.clear();
        if place.capacity() <= MAX_LEN {
            exchange(place);
        }
        if place.capacity() > 0 {
            *place = Vec::new();
        }
    }

    /// An exchange in place is several times faster than to move a buffer out and in: what was stored is loaded in the same pieces.
    #[inline]
    fn exchange(place: &mut Vec<u8>) {
        // There is none if the thread is ending.
        let _ = SPARE.try_with(|spare| {
            if let Ok(mut spare) = spare.try_borrow_mut() {
                swap(&mut *spare, place);
            }
        });
    }

    /// Bytes of a new buffer: an answer, or a few.
    const MIN_LEN: usize = 256;

    /// Buffers that a burst has made larger than this are not kept.
    const MAX_LEN: usize = 128 * 1024;
}

#[cfg(not(feature = "std"))]
mod not_kept {
    use alloc::vec::Vec;

    pub(in super::super) fn take(place: &mut Vec<u8>, len: usize) {
        place.reserve(len);
    }

    pub(in super::super) fn give(place: &mut Vec<u8>) {
        *place = Vec::new();
    }
}
