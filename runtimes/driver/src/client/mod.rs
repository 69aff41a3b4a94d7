//! A client that outlives its connections: the core's session, executed.
//!
//! ```text
//!  ClientSender ─► hub (Session) ◄─► drive ─► dial | connection ◄─► network
//!                                      └────► event ─► log, callback ─► application
//! ```
//!
//! Nothing is decided here, and nothing runs by itself: `drive` moves while a call of the [`Client`] is awaited.

mod builder;
mod drive;
mod hub;
mod report;
mod sender;
mod waiting;

use std::fmt;
use std::future::poll_fn;
use std::mem::replace;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use sansocket::{
    ClientRequest, CloseCode, Closed, GaveUp, Message, SessionEvent, SessionSendError, SessionState,
    SessionStats,
};
use tracing::Span;

use crate::dial::Dialer;
use crate::error::Error;

use drive::Drive;
use report::Names;
use waiting::Waiting;

pub use builder::ClientBuilder;
pub use sender::ClientSender;

/// What hears each event.
type Callback = Box<dyn FnMut(&SessionEvent) + Send>;

/// A client that connects again by itself, to the same server or to another one, and keeps what is to be sent meanwhile.
///
/// It runs inside of its own calls, as a [`WebSocket`](crate::WebSocket) does, and spawns no task of its own: so the application says where it
/// runs, hears of everything in order, and holds it back by not asking. **Await [`next`](Self::next) or [`recv`](Self::recv) for as long as it is to
/// live**, or give [`run`](Self::run) to a task; then other tasks send by a [`ClientSender`].
///
/// ```
/// use sansocket_driver::{Client, Dialer};
///
/// async fn talk<R: Dialer>() -> Result<(), Box<dyn std::error::Error>> {
///     let mut client: Client<R> = Client::builder().server("wss://example.com/chat")?.build()?;
///     client.send("hello").await?;
///     while let Some(message) = client.recv().await? {
///         println!("{message:?}");
///     }
///     Ok(())
/// }
/// ```
///
/// Dropped without [`close`](Self::close), it makes one attempt to send what waits and a Close frame with the code 1001 (1011 if the task panics), and
/// ends TCP.
pub struct Client<R: Dialer> {
    drive: Drive<R>,
    sender: ClientSender,
    /// What came while the application only sent.
    waiting: Waiting,
    callback: Option<Callback>,
    names: Names,
    span: Span,
    /// Something was sent since the last event was asked for.
    sending: bool,
    /// How the latest connection ended.
    closed: Option<Arc<Closed>>,
    gave_up: Option<Box<GaveUp>>,
}

impl<R: Dialer> Client<R> {
    /// The options, none of them set.
    pub fn builder() -> ClientBuilder<R> {
        ClientBuilder::default()
    }

    /// The next event, messages among them; `None` after the last, which is [`SessionEvent::GaveUp`] or [`SessionEvent::Closed`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no event is lost or given twice, and a dial that is under way goes on with the next call.
    pub async fn next(&mut self) -> Option<SessionEvent> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`next`](Self::next) for who polls, such as an implementation of `Stream`.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<SessionEvent>> {
        self.sending = false;
        if let Some(event) = self.waiting.pop() {
            return Poll::Ready(Some(event));
        }
        self.poll_event(cx, false)
    }

    /// The next message; other events are for the callback and the log alone. `None` when the session was closed.
    ///
    /// # Errors
    ///
    /// [`GaveUp`] with what was tried (of many attempts the first eight and the last eight), if it ended otherwise. Given once; then `None`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no message is lost or given twice.
    pub async fn recv(&mut self) -> Result<Option<Message>, Box<GaveUp>> {
        while let Some(event) = self.next().await {
            if let SessionEvent::Message(message) = event {
                return Ok(Some(message));
            }
        }
        self.gave_up.take().map_or(Ok(None), Err)
    }

    /// Runs to the end, for a client that lives in a task of its own. Everything goes to the callback
    /// ([`ClientBuilder::on_event`]), and everything comes from a [`ClientSender`].
    ///
    /// # Errors
    ///
    /// [`GaveUp`] with what was tried, as of [`recv`](Self::recv), unless it was closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the client.
    pub async fn run(mut self) -> Result<(), Box<GaveUp>> {
        while self.recv().await?.is_some() {}
        Ok(())
    }

    /// Queues a message, and says its number: 0 for the first, and one more for each. It leaves at once if there is a connection
    /// that takes it; see [`Session`](sansocket::Session) for what becomes of it if not.
    ///
    /// Waits for room with [`QueuePolicy::Wait`](sansocket::QueuePolicy::Wait), the default. Meanwhile everything goes on, up to one
    /// received message; of other events, the newest 64 wait for [`next`](Self::next) (callback and log have all). So an application that only
    /// wants to send gives the client to a task, by [`run`](Self::run), and sends by a [`ClientSender`]: a message that nobody takes would
    /// keep this from reading, and in the end from noticing that the connection is lost.
    ///
    /// # Errors
    ///
    /// Gives the message back if the session was closed or has ended, and with
    /// [`QueuePolicy::Fail`](sansocket::QueuePolicy::Fail) if the queue is full.
    ///
    /// # Cancel safety
    ///
    /// A message that still waits for room is dropped with the future; one that was queued is sent. No event is lost.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<u64, SessionSendError> {
        let mut message = Some(message.into());
        poll_fn(|cx| self.poll_send(cx, &mut message)).await
    }

    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Option<Message>,
    ) -> Poll<Result<u64, SessionSendError>> {
        loop {
            if let Poll::Ready(sent) = self.sender.hub.try_send(message) {
                self.move_on(cx);
                return Poll::Ready(sent);
            }
            if self.poll_ahead(cx).is_pending() {
                // It may have made room without anything to tell.
                let sent = self.sender.hub.try_send(message);
                if sent.is_ready() {
                    self.move_on(cx);
                }
                return sent;
            }
        }
    }

    /// Lets leave what was queued. An application that only sends must hear what happens all the same.
    fn move_on(&mut self, cx: &mut Context<'_>) {
        let only_sends = replace(&mut self.sending, true);
        if self.drive.is_connected() && !only_sends {
            let _inside = self.span.enter();
            return self.drive.write(cx);
        }
        while self.poll_ahead(cx) == Poll::Ready(true) {}
        self.drive.flush_later();
    }

    /// Goes on although nobody asks for events. `false` after the last.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let event = ready!(self.poll_event(cx, self.waiting.has_message()));
        let more = event.is_some();
        event.into_iter().for_each(|event| self.waiting.push(event));
        Poll::Ready(more)
    }

    /// The next event, of which log and callback have heard.
    fn poll_event(&mut self, cx: &mut Context<'_>, unread: bool) -> Poll<Option<SessionEvent>> {
        let _inside = self.span.enter();
        let Some(event) = ready!(self.drive.poll(cx, unread)) else { return Poll::Ready(None) };
        report::event(&event, &self.names);
        match &event {
            SessionEvent::Disconnected(lost) => self.closed = Some(Arc::clone(&lost.closed)),
            SessionEvent::GaveUp(gave_up) => self.gave_up = Some(gave_up.clone()),
            _ => {}
        }
        if let Some(callback) = &mut self.callback {
            callback(&event);
        }
        Poll::Ready(Some(event))
    }

    /// Closes the session: lets leave what is queued within [`drain_timeout`](sansocket::SessionConfig::drain_timeout), closes the connection,
    /// and waits for the end. Tells how the latest connection ended, if there was one.
    ///
    /// What comes meanwhile is for the callback and the log alone. To receive it, use [`ClientSender::close`], and go on with
    /// [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the code must not be sent or the reason is longer than 123 bytes.
    ///
    /// # Cancel safety
    ///
    /// The session closes, and goes on with that in [`next`](Self::next).
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<Option<Arc<Closed>>, Error> {
        self.sender.close(code, reason)?;
        while self.next().await.is_some() {}
        Ok(self.closed.clone())
    }

    /// As [`ClientBuilder::on_event`], in place of a callback that was set before: for one that sends. No event is missed before the first call
    /// that is awaited.
    ///
    /// ```
    /// # use sansocket_driver::{Client, Dialer};
    /// # fn build<R: Dialer>() -> Result<Client<R>, Box<dyn std::error::Error>> {
    /// use sansocket::SessionEvent;
    ///
    /// let mut client: Client<R> = Client::builder().server("wss://example.com/feed")?.build()?;
    /// let sender = client.sender();
    /// client.on_event(move |event| {
    ///     if let SessionEvent::Message(message) = event {
    ///         // Refused only when the queue is full or the session ends.
    ///         let _ = sender.try_send(message.clone());
    ///     }
    /// });
    /// # Ok(client)
    /// # }
    /// ```
    pub fn on_event(&mut self, callback: impl FnMut(&SessionEvent) + Send + 'static) {
        self.callback = Some(Box::new(callback));
    }

    /// A handle to send by this client from other tasks.
    #[must_use]
    pub fn sender(&self) -> ClientSender {
        self.sender.clone()
    }

    /// Sends a message ahead of the queue, on this connection only: after [`SessionEvent::Connected`] or
    /// [`SessionEvent::Reconnected`], if [`SessionConfig::resume`](sansocket::SessionConfig::resume) is set. It leaves with the next call of
    /// [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// Gives the message back in any other state than [`SessionState::Resuming`].
    pub fn send_first(&mut self, message: impl Into<Message>) -> Result<(), SessionSendError> {
        self.drive.hub.lock().send_first(message)
    }

    /// What had to go first has gone: the queue flows. Without effect in any other state than [`SessionState::Resuming`].
    pub fn resumed(&mut self) {
        self.drive.hub.lock().resumed();
    }

    /// Asks for something else the next time that this server is dialled, such as with a fresh token. If it had refused
    /// this client for good, it is tried again. Without effect if there is no such server.
    pub fn set_request(&mut self, server: usize, request: ClientRequest) {
        self.names.set(server, request.url());
        self.drive.hub.lock().set_request(server, request);
    }

    /// Does not wait any longer for the next attempt: for when the network is known to be back. See
    /// [`Session::retry_now`](sansocket::Session::retry_now).
    pub fn retry_now(&mut self) {
        self.sender.retry_now();
    }

    /// Where the session stands.
    #[must_use]
    pub fn state(&self) -> SessionState {
        self.sender.state()
    }

    /// What the session has done so far.
    #[must_use]
    pub fn stats(&self) -> SessionStats {
        self.sender.stats()
    }

    /// Which messages have arrived: see [`ClientSender::confirmed`].
    #[must_use]
    pub fn confirmed(&self) -> u64 {
        self.sender.confirmed()
    }

    /// Messages in the queue, and not yet given to a connection.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.sender.queued()
    }

    /// Takes all messages out of the queue, with their numbers: those that are left at the end, or what has become pointless
    /// during an outage.
    #[must_use]
    pub fn take_queue(&mut self) -> Vec<(u64, Message)> {
        self.sender.take_queue()
    }

    /// The span of the session. Instrument the task of the client with it, and the application's own events show what they are about.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span.clone()
    }
}

impl<R: Dialer> Drop for Client<R> {
    fn drop(&mut self) {
        let _inside = self.span.enter();
        self.drive.abandon();
    }
}

impl<R: Dialer> fmt::Debug for Client<R> {
    /// Leaves out messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("session", &*self.drive.hub.lock()).finish_non_exhaustive()
    }
}
