//! What can stand at an end of the wire: anything that follows the core's drive contract.

use core::time::Duration;

use bytes::{Bytes, BytesMut};
use sansocket::{Instant, Role, TransportError};

use crate::trace::Trace;

/// Something that a [`Sim`](crate::Sim) drives over a byte stream.
///
/// [`Endpoint`](crate::Endpoint) is the core with an application, [`RawEndpoint`](crate::RawEndpoint) plays a script of
/// bytes. Implement it for anything else that is to be tested: a proxy, an adapter of your own, a peer that misbehaves in
/// a way of its own.
///
/// **After every input the simulation writes what [`transmit`](Self::transmit) gives, and heeds
/// [`deadline`](Self::deadline), [`wants_shutdown`](Self::wants_shutdown) and [`is_closed`](Self::is_closed).**
///
/// ```
/// use std::time::Duration;
///
/// use bytes::{Bytes, BytesMut};
/// use sansocket::{HandshakeErrorKind, Instant, TransportError};
/// use sansocket_testkit::{Context, Drive, Endpoint, Network};
///
/// /// Accepts TCP, and then does nothing until the other end has gone.
/// struct Tarpit(bool);
///
/// impl Drive for Tarpit {
///     fn receive(&mut self, _bytes: BytesMut, _cx: &mut Context<'_>) {}
///     fn eof(&mut self, _cx: &mut Context<'_>) {
///         self.0 = true;
///     }
///     fn failed(&mut self, _error: TransportError, _cx: &mut Context<'_>) {
///         self.0 = true;
///     }
///     fn deadline(&self) -> Option<Instant> {
///         None
///     }
///     fn timeout(&mut self, _cx: &mut Context<'_>) {}
///     fn transmit(&mut self, _room: usize, _cx: &mut Context<'_>) -> Bytes {
///         Bytes::new()
///     }
///     fn is_closed(&self) -> bool {
///         self.0
///     }
/// }
///
/// let network = Network::new(1);
/// let client = Endpoint::client(&network);
/// let mut sim = network.join(client, Tarpit(false));
/// sim.run();
/// assert_eq!(sim.client.handshake_error().map(|error| error.code()), Some("timed-out"));
/// assert_eq!(sim.elapsed(), Duration::from_secs(10));
/// ```
pub trait Drive {
    /// Bytes came: one read. Never empty.
    fn receive(&mut self, bytes: BytesMut, cx: &mut Context<'_>);

    /// The peer ended its stream.
    fn eof(&mut self, cx: &mut Context<'_>);

    /// The transport failed for good.
    fn failed(&mut self, error: TransportError, cx: &mut Context<'_>);

    /// When to call [`timeout`](Self::timeout), on this end's clock. May lie in the past.
    fn deadline(&self) -> Option<Instant>;

    /// The deadline has come.
    ///
    /// Bytes that arrive in the same instant come before it. After it there is either a later deadline, or something to
    /// write, or an end.
    fn timeout(&mut self, cx: &mut Context<'_>);

    /// Takes at most `room` bytes to be written. Empty if there are none; called again after each write.
    fn transmit(&mut self, room: usize, cx: &mut Context<'_>) -> Bytes;

    /// Whether to read. While it is `false`, bytes wait on the way and fill the link's window. Default `true`.
    fn wants_read(&self) -> bool {
        true
    }

    /// Whether to end the stream in this direction and go on reading. Default `false`.
    fn wants_shutdown(&self) -> bool {
        false
    }

    /// Whether to close the connection. Nothing is called any more once this is `true`.
    fn is_closed(&self) -> bool;

    /// Whether to end the connection with a reset when it [is closed](Self::is_closed). Default `false`.
    fn wants_reset(&self) -> bool {
        false
    }
}

/// The circumstances of a call.
#[derive(Debug)]
pub struct Context<'a> {
    pub(crate) now: Instant,
    pub(crate) elapsed: Duration,
    pub(crate) role: Role,
    pub(crate) trace: Option<&'a mut Trace>,
}

impl Context<'_> {
    /// What this end's clock shows.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Which end this is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Adds a line to the [`Trace`], if there is one.
    pub fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(self.elapsed, self.role, what());
        }
    }
}
