//! An open connection: from the end of the opening handshake to the end of TCP (RFC 6455 sections 5 to 7).
//!
//! Inbound, bytes pass `read` (the loop over frames), `receive` (what may come next), `arriving` (what comes in pieces) and
//! `assemble` (messages from pieces). Outbound, `send` takes messages, `prepared` those that go to many connections, `control`
//! control frames, `lane` holds frames that wait, `queue` orders all of it, and `transmit` gives what is to be written. `spare` keeps what one
//! connection has done with for the next. `closing` knows how it ends, `deadlines` when.

mod arriving;
mod assemble;
mod closing;
mod control;
mod deadlines;
mod direct;
mod lane;
mod prepared;
mod queue;
mod read;
mod receive;
mod send;
mod shown;
mod spare;
mod transmit;
mod whole;

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::BytesMut;
use bytes::buf::Limit;

use crate::closed::Closed;
use crate::config::{ClientConfig, Delivery, Limits, ServerConfig, Timeouts};
use crate::entropy::Entropy;
use crate::error::{SendError, SendRefused, TransportError};
use crate::extension::{DeflateConfig, DeflateParams};
use crate::frame::{CloseCode, CloseFrame};
use crate::message::{Message, MessageKind};
use crate::role::Role;
use crate::time::Instant;

pub use closing::State;
pub use prepared::Prepared;
pub use read::Reader;
pub use receive::{Progress, Receiver};
pub use send::Sender;
pub use transmit::Transmit;

/// An open connection, as a state machine without IO.
///
/// **After every input or command, write what [`transmit`](Self::transmit) gives and heed [`deadline`](Self::deadline).**
///
/// 1. Bytes came: [`read`](Self::read) them, and take events until there are none.
/// 2. The stream ended or failed: [`eof`](Self::eof) or [`transport_failed`](Self::transport_failed).
/// 3. The deadline came: [`timeout`](Self::timeout). It may lie in the past: then call it at once, because something began
///    to which a limit applies. Before, read what the stream holds: a Pong may be among it. A peer that sends without end is no reason
///    to put it off: after a bounded number of reads, [`pause`](Self::pause) and tell the time.
/// 4. Whatever is to be sent: [`send`](Self::send), [`ping`](Self::ping), [`close`](Self::close) ...
/// 5. After each of these, write the bytes of [`transmit`](Self::transmit), and advance it by what was written. If
///    [`wants_shutdown`](Self::wants_shutdown), shut down the writing side of the transport and go on reading.
/// 6. When [`state`](Self::state) is [`State::Closed`], take [`Event::Closed`](crate::Event::Closed) out: `read` the empty input once
///    more, or call [`take_closed`](Self::take_closed). Close the transport. Any of these steps may be the one that ended the connection; the last
///    byte of a Close frame that is written often is.
///
/// # Back-pressure
///
/// When [`may_send`](Self::may_send) is false, the peer reads too slowly for what it asks. An application that answers messages then
/// stops taking events, keeps the input, and reads no more from the transport until `may_send` is true again. If the input is empty
/// at that moment, it says so with [`pause`](Self::pause), because a Pong may now wait unseen. Later the input that was kept comes first, then
/// the stream, which may tell no second time that it is readable.
///
/// `docs/integrating.md` in the repository has all of this in one picture, the mistakes that are easily made, and a server in a bare event loop.
///
/// # Examples
///
/// ```
/// use bytes::{Buf, BytesMut};
/// use sansocket::{Connection, Event, Instant, ServerConfig};
///
/// let mut connection = Connection::server(&ServerConfig::default(), Instant::ZERO);
/// // A Ping with the payload "hi", masked with the key 0.
/// let mut input = BytesMut::from(&b"\x89\x82\0\0\0\0hi"[..]);
/// let mut reader = connection.read(&mut input);
/// assert_eq!(reader.next(), Some(Event::Ping(b"hi")));
/// assert_eq!(reader.next(), None);
/// drop(reader);
/// assert_eq!(connection.transmit().chunk(), b"\x8a\x02hi");
/// ```
///
/// An event borrows from the reader and from the connection. To answer while taking events, take each with a reader of its own, or use
/// [`halves`](Self::halves), which copies nothing. Here the end is thrown away with all that is no message, so the caller finds it by
/// [`state`](Self::state) and not by [`take_closed`](Self::take_closed):
///
/// ```
/// # use bytes::BytesMut;
/// # use sansocket::{Connection, Event, SendError};
/// fn echo(connection: &mut Connection, input: &mut BytesMut) -> Result<(), SendError> {
///     loop {
///         let Some(message) = connection.read(input).next().map(Event::into_message) else { break };
///         if let Some(message) = message {
///             connection.send(message)?;
///         }
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Connection {
    receiver: Receiver,
    sender: Sender,
}

/// What the configurations of both roles have in common.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
    pub(crate) deflate: Option<DeflateConfig>,
}

impl Connection {
    /// The server's end of a connection whose opening handshake was done elsewhere, such as in an HTTP server.
    #[must_use]
    pub fn server(config: &ServerConfig, now: Instant) -> Self {
        Self::start(Role::Server, &Settings::from(config), None, None, BytesMut::new(), now)
    }

    /// The client's end of a connection whose opening handshake was done elsewhere.
    #[must_use]
    pub fn client(config: &ClientConfig, entropy: Entropy, now: Instant) -> Self {
        Self::start(Role::Client, &Settings::from(config), None, Some(entropy), BytesMut::new(), now)
    }

    /// Compresses from now on with the parameters that were agreed on in an opening handshake that was done elsewhere, before
    /// any message is exchanged.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn with_deflate(mut self, config: &DeflateConfig, params: DeflateParams) -> Self {
        self.agree(config, &params);
        self
    }

    fn agree(&mut self, config: &DeflateConfig, params: &DeflateParams) {
        self.receiver.agree(config, params);
        self.sender.agree(config, params);
    }

    /// A connection whose first output is `first_output`, on which `deflate` was agreed. A client has `entropy`, a server
    /// needs none.
    pub(crate) fn start(
        role: Role,
        settings: &Settings,
        deflate: Option<DeflateParams>,
        entropy: Option<Entropy>,
        first_output: BytesMut,
        now: Instant,
    ) -> Self {
        let mut connection = Self {
            receiver: Receiver::new(role, settings),
            sender: Sender::new(role, settings, entropy, first_output, now),
        };
        if let (Some(config), Some(params)) = (&settings.deflate, deflate) {
            connection.agree(config, &params);
        }
        connection
    }

    /// Starts reading `input`. Take events until there are none; then all of `input` is consumed.
    ///
    /// A reader that is dropped earlier leaves in `input` what it did not look at. Nothing is lost or given twice.
    pub fn read<'a>(&'a mut self, input: &'a mut BytesMut) -> Reader<'a> {
        self.sender.observe(self.receiver.progress());
        Reader::new(&mut self.receiver, Some(&mut self.sender), input)
    }

    /// See [`Receiver::set_delivery`].
    pub fn set_delivery(&mut self, delivery: Delivery) {
        self.receiver.set_delivery(delivery);
    }

    /// See [`Receiver::pause`].
    pub fn pause(&mut self) {
        self.receiver.pause();
    }

    /// See [`Receiver::payload_buffer`].
    pub fn payload_buffer(&mut self) -> Option<Limit<&mut Vec<u8>>> {
        self.receiver.payload_buffer()
    }

    /// See [`Receiver::read_at_most`].
    #[must_use]
    pub fn read_at_most(&self) -> usize {
        self.receiver.read_at_most()
    }

    /// See [`Sender::abort`].
    pub fn abort(&mut self) {
        self.sender.observe(self.receiver.progress());
        self.sender.abort();
    }

    /// See [`Sender::eof`].
    pub fn eof(&mut self) {
        self.sender.observe(self.receiver.progress());
        self.sender.eof();
    }

    /// See [`Sender::transport_failed`].
    pub fn transport_failed(&mut self, error: TransportError) {
        self.sender.observe(self.receiver.progress());
        self.sender.transport_failed(error);
    }

    /// See [`Sender::timeout`].
    pub fn timeout(&mut self, now: Instant) {
        self.sender.observe(self.receiver.progress());
        self.sender.timeout(now);
    }

    /// See [`Sender::transmit`].
    #[inline]
    pub fn transmit(&mut self) -> Transmit<'_> {
        // Only the end asks what was received, which may come when a Close frame has left.
        if self.sender.closing.has_begun() {
            self.sender.observe(self.receiver.progress());
        }
        self.sender.transmit()
    }

    /// Both halves, borrowed: to answer messages while they are borrowed from the input, without a copy.
    ///
    /// See [`Receiver`] for what they owe each other.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use sansocket::{Connection, Event, SendRefused};
    ///
    /// fn echo(connection: &mut Connection, input: &mut BytesMut) -> Result<(), SendRefused> {
    ///     let (receiver, sender) = connection.halves();
    ///     let mut reader = receiver.read(input);
    ///     while let Some(event) = reader.next() {
    ///         match event {
    ///             Event::Text(text) => sender.send_text(&text)?,
    ///             Event::Binary(bytes) => sender.send_binary(&bytes)?,
    ///             other => sender.handle(&other),
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn halves(&mut self) -> (&mut Receiver, &mut Sender) {
        (&mut self.receiver, &mut self.sender)
    }

    /// The halves, owned: for two tasks. See [`Receiver`] for what they owe each other.
    #[must_use]
    pub fn split(self) -> (Receiver, Sender) {
        (self.receiver, self.sender)
    }

    /// See [`Sender::send`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        self.sender.send(message)
    }

    /// See [`Sender::send_prepared`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn send_prepared(&mut self, message: &Prepared) -> Result<(), SendRefused> {
        self.sender.send_prepared(message)
    }

    /// See [`Sender::send_text`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn send_text(&mut self, text: &str) -> Result<(), SendRefused> {
        self.sender.send_text(text)
    }

    /// See [`Sender::send_binary`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn send_binary(&mut self, bytes: &[u8]) -> Result<(), SendRefused> {
        self.sender.send_binary(bytes)
    }

    /// See [`Sender::send_fragment`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn send_fragment(&mut self, kind: MessageKind, data: &[u8], last: bool) -> Result<(), SendRefused> {
        self.sender.send_fragment(kind, data, last)
    }

    /// See [`Sender::ping`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendRefused> {
        self.sender.ping(payload)
    }

    /// See [`Sender::pong`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendRefused> {
        self.sender.pong(payload)
    }

    /// See [`Sender::close`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), SendRefused> {
        self.sender.close(code, reason)
    }

    /// See [`Sender::close_with`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn close_with(&mut self, frame: CloseFrame) -> Result<(), SendRefused> {
        self.sender.close_with(frame)
    }

    /// See [`Sender::deflate`].
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(&self) -> Option<DeflateParams> {
        self.sender.deflate()
    }

    /// See [`Sender::compression`].
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compression(&self) -> bool {
        self.sender.compression()
    }

    /// See [`Sender::set_compression`].
    #[cfg(feature = "deflate")]
    pub fn set_compression(&mut self, enabled: bool) {
        self.sender.set_compression(enabled);
    }

    /// Which end of the connection this is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.sender.role
    }

    /// See [`Sender::may_send`].
    #[must_use]
    pub fn may_send(&self) -> bool {
        self.sender.may_send()
    }

    /// See [`Sender::wants_shutdown`].
    #[must_use]
    pub fn wants_shutdown(&self) -> bool {
        self.sender.wants_shutdown()
    }

    /// See [`Sender::state`].
    #[must_use]
    pub fn state(&self) -> State {
        self.sender.state()
    }

    /// See [`Sender::deadline`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.sender.deadline()
    }

    /// See [`Sender::take_closed`].
    pub fn take_closed(&mut self) -> Option<Box<Closed>> {
        let closed = self.sender.take_closed()?;
        self.receiver.end();
        Some(closed)
    }
}

impl From<&ServerConfig> for Settings {
    fn from(config: &ServerConfig) -> Self {
        Self {
            limits: config.limits,
            timeouts: config.timeouts,
            #[cfg(feature = "deflate")]
            deflate: config.deflate.clone(),
            #[cfg(not(feature = "deflate"))]
            deflate: None,
        }
    }
}

impl From<&ClientConfig> for Settings {
    fn from(config: &ClientConfig) -> Self {
        Self {
            limits: config.limits,
            timeouts: config.timeouts,
            #[cfg(feature = "deflate")]
            deflate: config.deflate.clone(),
            #[cfg(not(feature = "deflate"))]
            deflate: None,
        }
    }
}
