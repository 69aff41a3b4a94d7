//! A client that connects again, with calls that block: the driver's, waited for by the calling thread.

mod builder;
mod sender;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sansocket::{
    ClientRequest, CloseCode, Closed, GaveUp, Message, SessionEvent, SessionSendError, SessionState,
    SessionStats,
};
use sansocket_driver::Error;
use tracing::Span;

use crate::runtime::Blocking;
use crate::wait::{Others, block_on, block_until};
use crate::websocket::{Received, end_of};

pub use builder::ClientBuilder;
pub use sender::ClientSender;

/// A client that connects again by itself, to the same server or to another one, and keeps what is to be sent meanwhile.
///
/// It runs inside of its own calls: **between calls nothing happens**, neither a Ping nor a reconnect. So call [`next`](Self::next) or
/// [`recv`](Self::recv) for as long as it is to live, or give [`run`](Self::run) to a thread; other threads send by a
/// [`ClientSender`], and wake the one that waits.
///
/// ```no_run
/// # fn talk() -> Result<(), Box<dyn std::error::Error>> {
/// use sansocket_blocking::{Client, SessionEvent};
///
/// let mut client =
///     Client::builder().server("wss://a.example.com/feed")?.server("wss://b.example.com/feed")?.build()?;
/// client.send("subscribe")?;
/// while let Some(event) = client.next() {
///     match event {
///         SessionEvent::Message(message) => println!("{message:?}"),
///         SessionEvent::GaveUp(all) => eprintln!("{all}"),
///         other => eprintln!("{other:?}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// To find the addresses of a server blocks, as it does in [`Connector::connect_with`](crate::Connector::connect_with), in whatever call makes the
/// attempt.
///
/// Dropped without [`close`](Self::close), it makes one attempt to send what waits and a Close frame with the code 1001 (1011 if the thread
/// panics), and ends TCP. That does not wait.
pub struct Client {
    inner: sansocket_driver::Client<Blocking>,
}

/// What [`Client::next_timeout`] has to say.
#[derive(Debug)]
pub enum Next {
    /// An event, which may be a message.
    Event(SessionEvent),
    /// There was none in this time. The session goes on.
    TimedOut,
    /// The session has ended, and nothing more will come.
    Ended,
}

impl Client {
    /// The options, none of them set.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The next event, messages among them; `None` after the last, which is [`SessionEvent::GaveUp`] or [`SessionEvent::Closed`].
    #[expect(
        clippy::should_implement_trait,
        reason = "other calls are needed in between, and a loop would hold the client"
    )]
    pub fn next(&mut self) -> Option<SessionEvent> {
        block_on(Others::Threads, self.inner.next())
    }

    /// As [`next`](Self::next), and waits for `timeout` at most. Nothing is lost when the time is over, and a dial that is under way
    /// goes on with the next call.
    pub fn next_timeout(&mut self, timeout: Duration) -> Next {
        match block_until(Others::Threads, end_of(timeout), self.inner.next()) {
            Some(Some(event)) => Next::Event(event),
            Some(None) => Next::Ended,
            None => Next::TimedOut,
        }
    }

    /// The next message; other events are for the callback and the log alone. `None` when the session was closed.
    ///
    /// # Errors
    ///
    /// [`GaveUp`] with what was tried (of many attempts the first eight and the last eight), if it ended otherwise. Given once; then `None`.
    pub fn recv(&mut self) -> Result<Option<Message>, Box<GaveUp>> {
        block_on(Others::Threads, self.inner.recv())
    }

    /// As [`recv`](Self::recv), and waits for `timeout` at most. Nothing is lost when the time is over.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Received, Box<GaveUp>> {
        let received = block_until(Others::Threads, end_of(timeout), self.inner.recv());
        received.transpose().map(Received::new)
    }

    /// Runs to the end, for a client that has a thread of its own. Everything goes to the callback
    /// ([`ClientBuilder::on_event`]), and everything comes from a [`ClientSender`].
    ///
    /// # Errors
    ///
    /// [`GaveUp`] with what was tried, as of [`recv`](Self::recv), unless it was closed.
    pub fn run(self) -> Result<(), Box<GaveUp>> {
        block_on(Others::Threads, self.inner.run())
    }

    /// Queues a message, and says its number: 0 for the first, and one more for each. It leaves at once if there is a connection
    /// that takes it, and if not, while a later call waits; see [`Session`](sansocket::Session) for what becomes of it.
    ///
    /// Waits for room with [`QueuePolicy::Wait`](sansocket::QueuePolicy::Wait), the default. Meanwhile everything goes on, up to one
    /// received message; of other events, the newest 64 wait for [`next`](Self::next) (callback and log have all). A message that nobody
    /// takes keeps this from reading: who only wants to send gives the client to a thread, by [`run`](Self::run), and sends by a
    /// [`ClientSender`].
    ///
    /// # Errors
    ///
    /// Gives the message back if the session was closed or has ended, and with
    /// [`QueuePolicy::Fail`](sansocket::QueuePolicy::Fail) if the queue is full.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<u64, SessionSendError> {
        block_on(Others::Threads, self.inner.send(message))
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
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<Option<Arc<Closed>>, Error> {
        block_on(Others::Threads, self.inner.close(code, reason))
    }

    /// As [`ClientBuilder::on_event`], in place of a callback that was set before: for one that sends, by a [`ClientSender`] of this client. No event is
    /// missed before the first call that waits.
    pub fn on_event(&mut self, callback: impl FnMut(&SessionEvent) + Send + 'static) {
        self.inner.on_event(callback);
    }

    /// A handle to send by this client from other threads.
    #[must_use]
    pub fn sender(&self) -> ClientSender {
        ClientSender { inner: self.inner.sender() }
    }

    /// Sends a message ahead of the queue, on this connection only: after [`SessionEvent::Connected`] or
    /// [`SessionEvent::Reconnected`], if [`SessionConfig::resume`](sansocket::SessionConfig::resume) is set. It leaves with the next call of
    /// [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// Gives the message back in any other state than [`SessionState::Resuming`].
    pub fn send_first(&mut self, message: impl Into<Message>) -> Result<(), SessionSendError> {
        self.inner.send_first(message)
    }

    /// What had to go first has gone: the queue flows. Without effect in any other state than [`SessionState::Resuming`].
    pub fn resumed(&mut self) {
        self.inner.resumed();
    }

    /// Asks for something else the next time that this server is dialled, such as with a fresh token. If it had refused
    /// this client for good, it is tried again. Without effect if there is no such server.
    pub fn set_request(&mut self, server: usize, request: ClientRequest) {
        self.inner.set_request(server, request);
    }

    /// Does not wait any longer for the next attempt, which is made by the next call that waits. See
    /// [`Session::retry_now`](sansocket::Session::retry_now).
    pub fn retry_now(&mut self) {
        self.inner.retry_now();
    }

    /// Where the session stands.
    #[must_use]
    pub fn state(&self) -> SessionState {
        self.inner.state()
    }

    /// What the session has done so far.
    #[must_use]
    pub fn stats(&self) -> SessionStats {
        self.inner.stats()
    }

    /// Which messages have arrived: see [`ClientSender::confirmed`].
    #[must_use]
    pub fn confirmed(&self) -> u64 {
        self.inner.confirmed()
    }

    /// Messages in the queue, and not yet given to a connection.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.inner.queued()
    }

    /// Takes all messages out of the queue, with their numbers: those that are left at the end, or what has become pointless
    /// during an outage.
    #[must_use]
    pub fn take_queue(&mut self) -> Vec<(u64, Message)> {
        self.inner.take_queue()
    }

    /// The span of the session. Enter it, and the application's own events show what they are about.
    #[must_use]
    pub fn span(&self) -> Span {
        self.inner.span()
    }
}

impl fmt::Debug for Client {
    /// Leaves out messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}
