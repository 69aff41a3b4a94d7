//! How one thread wakes another out of `poll(2)`.

use std::io;
#[cfg(not(unix))]
use std::net::UdpSocket as Datagrams;
#[cfg(unix)]
use std::os::unix::net::UnixDatagram as Datagrams;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Wake, Waker};

use rustix::fd::{AsFd, BorrowedFd};

/// The bell of one thread.
#[derive(Clone, Default)]
pub(crate) struct Bell(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: AtomicU8,
    /// Two sockets that know each other. Made when the thread first waits for something that other threads wait for too; `None`
    /// if there were no descriptors left then.
    ends: OnceLock<Option<Ends>>,
}

struct Ends {
    pulled: Datagrams,
    heard: Datagrams,
}

/// The thread runs.
const RUNS: u8 = 0;
/// It was called since it looked last.
const CALLED: u8 = 1;
/// It sleeps, or is about to.
const SLEEPS: u8 = 2;

/// What a sleeping thread is called through.
pub(crate) enum Wire<'a> {
    /// Nobody will call.
    NotNeeded,
    /// It becomes readable.
    End(BorrowedFd<'a>),
    /// There is none, so the thread has to look by itself.
    Missing,
}

impl<'a> Wire<'a> {
    pub(crate) fn end(&self) -> Option<BorrowedFd<'a>> {
        match self {
            Self::End(end) => Some(*end),
            Self::NotNeeded | Self::Missing => None,
        }
    }
}

impl Bell {
    pub(crate) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.0))
    }

    /// Calls the thread.
    pub(crate) fn ring(&self) {
        self.0.wake_by_ref();
    }

    /// Forgets calls. What they were about is looked at next.
    pub(crate) fn hush(&self) {
        self.0.state.store(RUNS, Ordering::SeqCst);
    }

    /// To be asked for before the thread sleeps, so that who calls it finds the other end.
    pub(crate) fn wire(&self) -> Wire<'_> {
        match self.0.ends.get_or_init(|| Ends::new().ok()) {
            Some(ends) => Wire::End(ends.heard.as_fd()),
            None => Wire::Missing,
        }
    }

    /// Sleeps as `sleep` does, and gives what it gives; `None`, at once, if a call has come before.
    pub(crate) fn sleep<T>(&self, sleep: impl FnOnce() -> T) -> Option<T> {
        let state = &self.0.state;
        state.compare_exchange(RUNS, SLEEPS, Ordering::SeqCst, Ordering::SeqCst).ok()?;
        let slept = sleep();
        self.hush();
        Some(slept)
    }

    /// Makes the wire unreadable again. A call that was noted and not sent yet makes the next sleep a short one.
    pub(crate) fn answer(&self) {
        if let Some(Some(ends)) = self.0.ends.get() {
            while ends.heard.recv(&mut [0]).is_ok() {}
        }
    }
}

impl Wake for Inner {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(CALLED, Ordering::SeqCst) == SLEEPS {
            if let Some(Some(ends)) = self.ends.get() {
                // Fails only if so many calls wait that one more changes nothing.
                let _ = ends.pulled.send(&[0]);
            }
        }
    }
}

impl Ends {
    fn new() -> io::Result<Self> {
        let (pulled, heard) = pair()?;
        pulled.set_nonblocking(true)?;
        heard.set_nonblocking(true)?;
        Ok(Self { pulled, heard })
    }
}

#[cfg(unix)]
fn pair() -> io::Result<(Datagrams, Datagrams)> {
    Datagrams::pair()
}

#[cfg(not(unix))]
fn pair() -> io::Result<(Datagrams, Datagrams)> {
    let (pulled, heard) = (Datagrams::bind("127.0.0.1:0")?, Datagrams::bind("127.0.0.1:0")?);
    pulled.connect(heard.local_addr()?)?;
    heard.connect(pulled.local_addr()?)?;
    Ok((pulled, heard))
}
