//! How all tasks of a server hear of its end.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// How far the end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Serving,
    Draining,
    /// The time is over.
    Stopped,
}

/// A level that only rises, and those who are woken when it does.
#[derive(Debug)]
pub(super) struct Signal {
    level: AtomicU8,
    wakers: Mutex<Wakers>,
}

/// INVARIANT: `free` has the places in `all` that nobody has.
#[derive(Debug, Default)]
struct Wakers {
    all: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl Signal {
    pub(super) fn new() -> Self {
        Self { level: AtomicU8::new(Level::Serving as u8), wakers: Mutex::default() }
    }

    pub(super) fn level(&self) -> Level {
        match self.level.load(Ordering::SeqCst) {
            0 => Level::Serving,
            1 => Level::Draining,
            _ => Level::Stopped,
        }
    }

    /// Raises the level, and wakes all if it was lower.
    pub(super) fn raise(&self, level: Level) {
        if self.level.fetch_max(level as u8, Ordering::SeqCst) < level as u8 {
            let wakers: Vec<Waker> = self.lock().all.iter().flatten().cloned().collect();
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Wakers> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task that is woken by a [`Signal`].
#[derive(Debug)]
pub(super) struct Watch<'a> {
    signal: &'a Signal,
    /// Its place, and the waker that is there.
    place: Option<(usize, Waker)>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(signal: &'a Signal) -> Self {
        Self { signal, place: None }
    }

    /// The level; the task of `cx` is woken when it rises.
    pub(super) fn level(&mut self, cx: &Context<'_>) -> Level {
        match &self.place {
            Some((_, waker)) if waker.will_wake(cx.waker()) => {}
            _ => self.register(cx.waker().clone()),
        }
        // After the waker is there, so that no rise is missed.
        self.signal.level()
    }

    #[cold]
    fn register(&mut self, waker: Waker) {
        let mut wakers = self.signal.lock();
        let at = match &self.place {
            Some((at, _)) => *at,
            None => wakers.free.pop().unwrap_or_else(|| {
                wakers.all.push(None);
                wakers.all.len() - 1
            }),
        };
        if let Some(place) = wakers.all.get_mut(at) {
            *place = Some(waker.clone());
        }
        self.place = Some((at, waker));
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some((at, _)) = self.place {
            let mut wakers = self.signal.lock();
            if let Some(place) = wakers.all.get_mut(at) {
                *place = None;
            }
            wakers.free.push(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake, Waker};

    use super::{Level, Signal, Watch};

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn all_are_woken_at_each_rise_and_places_are_used_again() {
        let signal = Signal::new();
        let woken: Vec<Arc<Woken>> = (0..3).map(|_| Arc::default()).collect();
        let wakers: Vec<Waker> = woken.iter().map(|woken| Waker::from(Arc::clone(woken))).collect();
        let mut watches: Vec<Watch<'_>> = wakers.iter().map(|_| Watch::new(&signal)).collect();
        for (watch, waker) in watches.iter_mut().zip(&wakers) {
            assert_eq!(watch.level(&Context::from_waker(waker)), Level::Serving);
        }
        watches.truncate(2);
        let mut late = Watch::new(&signal);
        late.level(&Context::from_waker(&wakers[2]));
        assert_eq!(signal.lock().all.len(), 3);
        signal.raise(Level::Draining);
        signal.raise(Level::Draining);
        signal.raise(Level::Stopped);
        signal.raise(Level::Serving);
        assert_eq!(signal.level(), Level::Stopped);
        assert!(woken.iter().all(|woken| woken.0.load(Ordering::SeqCst) == 2));
        drop((watches, late));
        assert_eq!(signal.lock().free.len(), 3);
    }
}
