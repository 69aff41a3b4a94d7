//! One waker for all who wait for a connection.
//!
//! A stream remembers one waker per direction, but a receiver, several senders and the task that flushes may all wait for it. So the
//! stream and the timer get this one, and it wakes everybody.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

/// Those who wait.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    wakers: Mutex<Wakers>,
}

#[derive(Debug, Default)]
struct Wakers {
    /// The one that was noted last, which stays when it is woken: most connections have one task, and it will wait again.
    latest: Option<Waker>,
    /// Until they are woken.
    others: Vec<Waker>,
}

impl Waiters {
    /// Notes that the task of `cx` waits. Poll after it: what was waited for may have come before this.
    pub(crate) fn register(&self, cx: &Context<'_>) {
        let mut wakers = self.lock();
        let Wakers { latest, others } = &mut *wakers;
        match latest {
            None => *latest = Some(cx.waker().clone()),
            Some(latest) if latest.will_wake(cx.waker()) => {}
            Some(_) if others.iter().any(|waker| waker.will_wake(cx.waker())) => {}
            Some(_) => others.push(cx.waker().clone()),
        }
    }

    /// Wakes all; those who still have to wait register again.
    pub(crate) fn wake_all(&self) {
        let mut wakers = self.lock();
        let others = std::mem::take(&mut wakers.others);
        let latest = match others.last() {
            Some(newer) => wakers.latest.replace(newer.clone()),
            None => wakers.latest.clone(),
        };
        drop(wakers);
        for waker in latest.into_iter().chain(others) {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Wakers> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Waiters {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_all();
    }
}
