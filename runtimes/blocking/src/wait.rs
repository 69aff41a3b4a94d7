//! A thread that waits: polls a future, and between polls sleeps until a socket is ready, a deadline has come or another
//! thread calls.
//!
//! ```text
//!  block_on ─► future ─► driver ─► transport: would block ─┐
//!      ▲                      └──► timer: not yet ─────────┤ noted in WANTED
//!      └────────── poll(2) of what was noted ◄─────────────┘
//! ```
//!
//! A future that waits in two threads at once, as the halves of a WebSocket do, is woken as under any executor: whoever sees a socket ready
//! calls the waker that was given with it, and that wakes all who wait for the connection.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use crate::bell::{Bell, Wire};

thread_local! {
    /// What the future that this thread polls at the moment waits for; `None` if it polls none.
    static WANTED: RefCell<Option<Wanted>> = const { RefCell::new(None) };
    static BELL: Bell = Bell::default();
}

#[derive(Default)]
struct Wanted {
    sockets: Vec<Wish>,
    /// The earliest, and whom to wake then.
    deadline: Option<(Instant, Waker)>,
    /// A socket has to be waited for and could not be: there are no descriptors left.
    blind: bool,
    /// A task that was to run in the background has not come to its end.
    left_over: bool,
}

/// A socket that somebody waits for.
struct Wish {
    /// A descriptor of our own: while it is held, the system gives its number to nobody else, although another thread may
    /// close the stream.
    socket: OwnedFd,
    /// The stream's own.
    number: RawFd,
    flags: PollFlags,
    waker: Waker,
}

/// Notes that a socket is waited for. Outside of [`block_on`] that is nobody's business: one attempt was made, and that is all.
pub(crate) fn want(socket: impl AsFd, flags: PollFlags, cx: &Context<'_>) {
    with_wanted(|wanted| {
        // A stream is looked at several times in one poll: to write, to read, and to be sure.
        let (socket, number) = (socket.as_fd(), socket.as_fd().as_raw_fd());
        let mut wishes = wanted.sockets.iter_mut();
        if let Some(wish) = wishes.find(|wish| wish.number == number && wish.waker.will_wake(cx.waker())) {
            wish.flags |= flags;
            return;
        }
        match socket.try_clone_to_owned() {
            Ok(socket) => wanted.sockets.push(Wish { socket, number, flags, waker: cx.waker().clone() }),
            Err(_) => wanted.blind = true,
        }
    });
}

/// Notes that a time is waited for.
pub(crate) fn want_deadline(deadline: Instant, cx: &Context<'_>) {
    with_wanted(|wanted| {
        if wanted.deadline.as_ref().is_none_or(|(earliest, _)| deadline < *earliest) {
            wanted.deadline = Some((deadline, cx.waker().clone()));
        }
    });
}

/// Gives a background task its only turn: there is no background here. It writes what it can.
pub(crate) fn run_once(task: impl Future<Output = ()>) {
    let pending = pin!(task).poll(&mut Context::from_waker(Waker::noop())).is_pending();
    with_wanted(|wanted| wanted.left_over |= pending);
}

/// Whether a background task of this turn has not come to its end.
pub(crate) fn left_over() -> bool {
    let mut left_over = false;
    with_wanted(|wanted| left_over = wanted.left_over);
    left_over
}

fn with_wanted(note: impl FnOnce(&mut Wanted)) {
    // Without its thread-local storage the thread is ending, and waits for nothing more.
    let _ = WANTED.try_with(|wanted| wanted.borrow_mut().as_mut().map(note));
}

/// Who else may make progress on what a future waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// Nobody: what is waited for belongs to the caller alone.
    None,
    /// Other threads, which then wake this one.
    Threads,
}

/// Runs `future` to its end on this thread.
pub(crate) fn block_on<F: Future>(others: Others, future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        // Without a deadline there is none to miss.
        if let Some(output) = block_until(others, None, future.as_mut()) {
            return output;
        }
    }
}

/// Runs `future` to its end on this thread, or gives `None` once `until` has come. It is polled at least once.
pub(crate) fn block_until<F: Future>(others: Others, until: Option<Instant>, future: F) -> Option<F::Output> {
    let bell = BELL.try_with(Bell::clone).unwrap_or_default();
    let waker = bell.waker();
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    let _turn = Turn { outer: WANTED.take(), bell: &bell };
    loop {
        bell.hush();
        WANTED.set(Some(Wanted::default()));
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        if until.is_some_and(|until| until <= Instant::now()) {
            return None;
        }
        wait(&WANTED.take().unwrap_or_default(), &bell, others, until);
    }
}

/// A thread may wait inside of what waits: an application's function that decides about a request may ask another server.
struct Turn<'a> {
    outer: Option<Wanted>,
    bell: &'a Bell,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.outer.is_some() {
            // The inner future may have taken a call that was for the outer one.
            self.bell.ring();
        }
        WANTED.set(self.outer.take());
    }
}

/// Waits, and wakes who waited for what has come.
fn wait(wanted: &Wanted, bell: &Bell, others: Others, until: Option<Instant>) {
    let wire = if others == Others::Threads { bell.wire() } else { Wire::NotNeeded };
    let mut longest = LONGEST;
    if wanted.blind || matches!(wire, Wire::Missing) {
        longest = BLIND;
    }
    let deadline = wanted.deadline.as_ref().map(|(deadline, _)| *deadline);
    let now = Instant::now();
    for at in deadline.into_iter().chain(until) {
        longest = longest.min(at.saturating_duration_since(now));
    }
    let longest = Timespec { tv_sec: longest.as_secs() as _, tv_nsec: longest.subsec_nanos() as _ };

    let sockets = wanted.sockets.iter().map(|wish| PollFd::new(&wish.socket, wish.flags));
    let wire = wire.end().map(|end| PollFd::from_borrowed_fd(end, PollFlags::IN));
    let mut descriptors: Vec<PollFd<'_>> = sockets.chain(wire).collect();
    // If there was a call before or a signal comes, all is looked at again.
    let Some(Ok(_)) = bell.sleep(|| poll(&mut descriptors, Some(&longest))) else { return };
    if descriptors.get(wanted.sockets.len()).is_some_and(|wire| !wire.revents().is_empty()) {
        bell.answer();
    }
    for (wish, descriptor) in wanted.sockets.iter().zip(&descriptors) {
        if !descriptor.revents().is_empty() {
            wish.waker.wake_by_ref();
        }
    }
    match &wanted.deadline {
        Some((deadline, waker)) if *deadline <= Instant::now() => waker.wake_by_ref(),
        _ => {}
    }
}

/// Some systems cannot wait for more than 24 days at once. This is waited for again.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Between looks at what cannot be waited for because there are no descriptors left.
const BLIND: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;
    use std::thread;

    use super::*;

    /// Counts how often somebody was woken.
    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn who_asked_for_a_socket_is_woken_by_the_thread_that_waits_for_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let counter = Arc::new(Counter::default());
        let waker = Waker::from(Arc::clone(&counter));
        block_on(
            Others::None,
            poll_fn(|_| {
                if counter.0.load(Ordering::SeqCst) > 0 {
                    return Poll::Ready(());
                }
                // A connection that has nothing to wait for but room, of which there is some.
                want(&stream, PollFlags::OUT, &Context::from_waker(&waker));
                Poll::Pending
            }),
        );
        assert_eq!(counter.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_call_is_heard_behind_a_wait_inside_of_a_wait() {
        let mut polls = 0;
        block_on(
            Others::None,
            poll_fn(|cx| {
                polls += 1;
                if polls == 2 {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                block_on(Others::None, async {});
                Poll::Pending
            }),
        );
        assert_eq!(polls, 2);
    }

    #[test]
    fn a_call_is_heard_once() {
        let mut polls = 0;
        let timed_out = block_until(
            Others::Threads,
            Some(Instant::now() + Duration::from_secs(1)),
            poll_fn(|cx| -> Poll<()> {
                polls += 1;
                if polls == 1 {
                    let waker = cx.waker().clone();
                    thread::spawn(move || {
                        // The thread sleeps by now, or is told before it does.
                        thread::sleep(Duration::from_millis(50));
                        waker.wake();
                    });
                }
                Poll::Pending
            }),
        );
        assert_eq!(timed_out, None);
        assert!((3..6).contains(&polls), "at first, for the call and at the end: {polls}");
    }
}
