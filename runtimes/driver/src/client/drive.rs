//! What a session decides, done: the dial that is under way, the open connection, and the time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use sansocket::{
    CloseCode, CloseFrame, Connected, ConnectedInfo, DialFailed, DialRequest, Instant, Message, SessionEvent,
    SessionState, SessionStep,
};

use crate::client::hub::{Hub, Owned};
use crate::dial::{Connector, Dialer};
use crate::error::Error;
use crate::maybe_tls::MaybeTls;
use crate::owner::Owner;
use crate::reading::Reading;
use crate::runtime::Timer;
use crate::websocket::WebSocket;

type Stream<R> = MaybeTls<<R as Dialer>::Stream, R>;
type Connecting<R> = Pin<Box<dyn Future<Output = Result<WebSocket<Stream<R>, R>, Error>> + Send>>;

/// What goes first on each new connection.
pub(super) type Greeting = Box<dyn FnMut(&Connected) -> Vec<Message> + Send>;

/// Owned by the client; moves only while one of its calls is awaited.
pub(super) struct Drive<R: Dialer> {
    pub(super) hub: Arc<Hub>,
    connector: Arc<Connector<R>>,
    greeting: Option<Greeting>,
    timer: R::Timer,
    /// With the number that the session gave it.
    dial: Option<(u64, Connecting<R>)>,
    reading: Option<Reading<Stream<R>, R>>,
}

impl<R: Dialer> Drive<R> {
    pub(super) fn new(
        hub: Arc<Hub>,
        connector: Connector<R>,
        greeting: Option<Greeting>,
        timer: R::Timer,
    ) -> Self {
        Self { hub, connector: Arc::new(connector), greeting, timer, dial: None, reading: None }
    }

    /// Makes progress until there is an event, or `None` after the last. `unread` says that the application has a message to take
    /// before more is to be read.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, unread: bool) -> Poll<Option<SessionEvent>> {
        // Before it is known whether this has to wait: a sender may come in between.
        self.hub.driver.register(cx);
        let polled = self.poll_event(cx, unread);
        self.hub.wake_senders();
        polled
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, unread: bool) -> Poll<Option<SessionEvent>> {
        loop {
            // Before the time is told: a dial knows better than the session where its time was lost.
            self.poll_dial(cx);
            let now = self.timer.now();
            let mut session = self.hub.lock();
            session.timeout(now);
            if let Some(event) = session.next_event() {
                drop(session);
                self.greet(&event);
                return Poll::Ready(Some(event));
            }
            let step = session.next_step();
            let deadline = session.deadline();
            let ended = session.state() == SessionState::Ended;
            drop(session);
            match step {
                Some(SessionStep::Dial(request)) => {
                    self.begin(*request);
                    continue;
                }
                Some(SessionStep::Abandon) => {
                    self.dial = None;
                    continue;
                }
                // A step that this driver does not know cannot be taken, and the session cannot go on without.
                Some(other) => unreachable!("the core has a step that the driver lacks: {other:?}"),
                None => {}
            }
            if let Some(reading) = &mut self.reading {
                let mut owner = Owned { hub: &self.hub, now, clock: &self.timer };
                let polled = match unread {
                    false => reading.poll_next_for(cx, &mut owner),
                    true => reading.poll_unread(cx, &mut owner).map(|()| None),
                };
                match polled {
                    Poll::Ready(Some(event)) => return Poll::Ready(Some(event)),
                    Poll::Ready(None) => {
                        self.note_end(now);
                        continue;
                    }
                    Poll::Pending => {}
                }
            }
            if ended {
                return Poll::Ready(None);
            }
            match deadline {
                Some(deadline) if self.timer.poll_until(cx, deadline).is_ready() => {}
                _ => return Poll::Pending,
            }
        }
    }

    /// Writes what was queued, without a look at what comes. What cannot be written now is left to a small task.
    pub(super) fn write(&mut self, cx: &Context<'_>) {
        let Some(reading) = &self.reading else { return };
        let mut owner = Owned { hub: &self.hub, now: self.timer.now(), clock: &self.timer };
        let mut link = reading.shared.lock();
        if reading.has_input() {
            // More messages of the same read, most likely: replies to them leave in one write.
            owner.transfer(&mut link.sender);
        } else {
            let _ = link.poll_write_of(cx, &mut owner);
        }
        drop(link);
        self.flush_later();
    }

    /// Leaves to a small task what the stream does not take now, as the application may wait for something else next.
    pub(super) fn flush_later(&self) {
        if let Some(reading) = &self.reading {
            reading.shared.flush_later();
        }
    }

    /// Whether there is a connection.
    pub(super) fn is_connected(&self) -> bool {
        self.reading.is_some()
    }

    fn begin(&mut self, dial: DialRequest) {
        // Its time limit is that of the connector; and of protocols, there is only one.
        let DialRequest { number, request, .. } = dial;
        let connector = Arc::clone(&self.connector);
        self.dial = Some((number, Box::pin(async move { connector.connect_with(&request).await })));
    }

    fn poll_dial(&mut self, cx: &mut Context<'_>) {
        let Some((number, connecting)) = &mut self.dial else { return };
        let Poll::Ready(connected) = connecting.as_mut().poll(cx) else { return };
        let number = *number;
        self.dial = None;
        let (mut session, now) = (self.hub.lock(), self.timer.now());
        match connected {
            Ok(socket) => {
                let info = match (socket.dialed(), socket.response()) {
                    (Some(dialed), Some(response)) => ConnectedInfo::of(dialed, response),
                    _ => ConnectedInfo::new(None, socket.subprotocol()),
                };
                let wanted = session.connected(number, info, now);
                drop(session);
                // One that came too late is dropped, which tells the server that this end goes away.
                self.reading = wanted.then_some(socket.reading);
            }
            Err(Error::Dial(error)) => session.dial_failed(number, error.into(), now),
            Err(other) => session.dial_failed(number, DialFailed::transient(other), now),
        }
    }

    /// Tells the session if the connection has ended.
    fn note_end(&mut self, now: Instant) {
        let Some(closed) = self.reading.as_ref().and_then(Reading::closed) else { return };
        self.reading = None;
        self.hub.lock().disconnected(closed, now);
    }

    fn greet(&mut self, event: &SessionEvent) {
        let connected = match event {
            SessionEvent::Connected(connected) => connected,
            SessionEvent::Reconnected(again) => &again.connected,
            _ => return,
        };
        let Some(greeting) = &mut self.greeting else { return };
        let messages = greeting(connected);
        let mut session = self.hub.lock();
        for message in messages {
            // Refused only if the session was closed meanwhile, and then nothing is to be sent.
            let _ = session.send_first(message);
        }
        session.resumed();
    }

    /// Gives everything up, with one attempt to write what waits and to say good-bye.
    pub(super) fn abandon(&mut self) {
        let code = if std::thread::panicking() { CloseCode::INTERNAL_ERROR } else { CloseCode::GOING_AWAY };
        let now = self.timer.now();
        if let Ok(frame) = CloseFrame::new(code, "") {
            self.hub.close(frame, now);
        }
        self.dial = None;
        if let Some(reading) = self.reading.take() {
            let mut link = reading.shared.lock();
            Owned { hub: &self.hub, now, clock: &self.timer }.transfer(&mut link.sender);
            link.abandon();
            let closed = link.closed().cloned();
            drop(link);
            if let Some(closed) = closed {
                self.hub.lock().disconnected(closed, now);
            }
        }
        self.hub.wake_senders();
    }
}
