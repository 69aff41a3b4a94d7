//! What a client shares with those who send by it: the session, and who waits for what.

use std::mem::take;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use sansocket::{
    CloseFrame, Event, Instant, Message, QueuePolicy, Sender, Session, SessionEvent, SessionRefused,
    SessionSendError, SessionState,
};

use crate::owner::Owner;
use crate::runtime::Timer;
use crate::wake::Waiters;

/// A lock around the session. It is held for one call at a time, and never while a connection's is taken.
pub(super) struct Hub {
    session: Mutex<Session>,
    /// Whether a message for which there is no room waits for it.
    waits: bool,
    /// Who waits in a call of the client, which is what moves it.
    pub(super) driver: Waiters,
    /// Who waits for room in the queue, and for how many bytes.
    room: Mutex<Vec<(usize, Waker)>>,
}

impl Hub {
    pub(super) fn new(session: Session, queue: QueuePolicy) -> Self {
        let waits = queue == QueuePolicy::Wait;
        Self { session: Mutex::new(session), waits, driver: Waiters::default(), room: Mutex::default() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Session> {
        // A panic of the application's cannot leave the state half changed: none of its code runs under the lock.
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues `message`, or leaves it where it is if it has to wait for room.
    pub(super) fn try_send(&self, message: &mut Option<Message>) -> Poll<Result<u64, SessionSendError>> {
        self.send(message, |_| {})
    }

    /// As [`try_send`](Self::try_send); the task of `cx` is woken when there is room.
    pub(super) fn poll_send(
        &self,
        cx: &Context<'_>,
        message: &mut Option<Message>,
    ) -> Poll<Result<u64, SessionSendError>> {
        self.send(message, |len| {
            let mut room = self.room();
            if !room.iter().any(|(wanted, waker)| *wanted == len && waker.will_wake(cx.waker())) {
                room.push((len, cx.waker().clone()));
            }
        })
    }

    /// `wait` is called with the length of a message that has to wait, under the lock: no room is made in between.
    fn send(
        &self,
        message: &mut Option<Message>,
        wait: impl FnOnce(usize),
    ) -> Poll<Result<u64, SessionSendError>> {
        let mut session = self.lock();
        // INVARIANT: there is a message until this is ready.
        let Some(unsent) = message.take() else { return Poll::Pending };
        match session.send(unsent) {
            Err(SessionSendError { message: unsent, reason: SessionRefused::QueueFull { .. } })
                if self.waits =>
            {
                wait(unsent.len());
                *message = Some(unsent);
                Poll::Pending
            }
            sent => Poll::Ready(sent),
        }
    }

    /// Begins to close the session.
    pub(super) fn close(&self, frame: CloseFrame, now: Instant) {
        self.lock().close(frame, now);
        self.driver.wake_all();
        self.wake_senders();
    }

    /// Wakes those for whom there is room, or everybody if there will never be any.
    pub(super) fn wake_senders(&self) {
        if self.room().is_empty() {
            return;
        }
        let session = self.lock();
        let ends = matches!(session.state(), SessionState::Closing | SessionState::Ended);
        // Only those: who has to wait again and shares a task with the client would keep it busy for nothing.
        let mut room = self.room();
        let (lucky, others): (Vec<_>, _) =
            take(&mut *room).into_iter().partition(|(len, _)| ends || session.has_room(*len));
        *room = others;
        drop((room, session));
        lucky.into_iter().for_each(|(_, waker)| waker.wake());
    }

    fn room(&self) -> MutexGuard<'_, Vec<(usize, Waker)>> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The session as the owner of a connection.
pub(super) struct Owned<'a, T> {
    pub(super) hub: &'a Hub,
    /// When this turn began, which is exact enough for most.
    pub(super) now: Instant,
    pub(super) clock: &'a T,
}

impl<T: Timer> Owner for Owned<'_, T> {
    type Item = SessionEvent;

    const SENDS: bool = true;

    fn transfer(&mut self, sender: &mut Sender) {
        self.hub.lock().transfer(sender, self.now);
    }

    fn message(&mut self, event: Event<'_>) -> Option<SessionEvent> {
        self.hub.lock().handle(event, self.now)
    }

    fn control(&mut self, event: Event<'_>) -> Option<SessionEvent> {
        // A Ping may have left in this very turn, and its Pong have come.
        let now = if matches!(event, Event::Pong(_)) { self.clock.now() } else { self.now };
        self.hub.lock().handle(event, now)
    }
}
