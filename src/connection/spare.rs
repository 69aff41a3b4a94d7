//! Data lanes between two uses, so that an idle connection holds no buffer and a busy one need not ask for memory each time.

#[cfg(feature = "std")]
pub(super) use kept::{give, take};
#[cfg(not(feature = "std"))]
pub(super) use not_kept::{give, take};

#[cfg(feature = "std")]
mod kept {
    use alloc::boxed::Box;
    use core::cell::Cell;

    use crate::connection::lane::Lane;

    std::thread_local! {
        /// One is enough: a task sends and flushes before the next has its turn. It is empty, with the room that it had when it was used.
        static SPARE: Cell<Option<Box<Lane>>> = const { Cell::new(None) };
    }

    /// The spare one, or one that has no room yet.
    #[inline]
    pub(in crate::connection) fn take() -> Box<Lane> {
        // There is no place for one if the thread is ending.
        SPARE.try_with(Cell::take).ok().flatten().unwrap_or_else(fresh)
    }

    #[cold]
    #[inline(never)]
    fn fresh() -> Box<Lane> {
        Box::default()
    }

    /// Takes back a lane of which everything has left, or is to be forgotten.
    #[inline]
    pub(in crate::connection) fn give(place: &mut Option<Box<Lane>>) {
        let Some(mut lane) = place.take() else { return };
        let worth_it = lane.reset();
        let mut other = Some(lane);
        if worth_it {
            let _ = SPARE.try_with(|spare| other = spare.replace(other.take()));
        }
        if let Some(other) = other {
            release(other);
        }
    }

    #[cold]
    #[inline(never)]
    fn release(lane: Box<Lane>) {
        drop(lane);
    }
}

#[cfg(not(feature = "std"))]
mod not_kept {
    use alloc::boxed::Box;

    use crate::connection::lane::Lane;

    pub(in crate::connection) fn take() -> Box<Lane> {
        Box::default()
    }

    /// Leaves a lane without a buffer, which need not be asked for again.
    pub(in crate::connection) fn give(place: &mut Option<Box<Lane>>) {
        if let Some(lane) = place {
            **lane = Lane::default();
        }
    }
}
