//! Two who wait for one connection: the task that receives, and the one that sends.
//!
//! A stream remembers one waker for each direction, but to receive is to write as well (Pongs), and both tasks wait for both. So the stream
//! gets one waker, and that wakes both.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

/// Who waits.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Receiver,
    Sender,
}

#[derive(Debug, Default)]
pub(super) struct Wakers {
    waiting: Mutex<[Option<Waker>; 2]>,
}

impl Wakers {
    /// Notes that the task of `cx` waits. Poll after it: what was waited for may have come before this.
    pub(super) fn register(&self, side: Side, cx: &Context<'_>) {
        let slot = &mut self.lock()[side as usize];
        match slot {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *slot = Some(cx.waker().clone()),
        }
    }

    /// Wakes both; who still has to wait registers again.
    pub(super) fn wake_all(&self) {
        // Not under the lock: a waker may run what takes it.
        let waiting = std::mem::take(&mut *self.lock());
        for waker in waiting.into_iter().flatten() {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, [Option<Waker>; 2]> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_all();
    }
}
