//! A message that goes to many connections, encoded once.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use crate::extension::{Compressed, Deflation};
use crate::frame::{EncodedHeader, FirstByte, Flags};
use crate::message::{Message, MessageKind};

/// A message that goes to many connections: encoded once, and compressed once for each set of parameters that the
/// connections have agreed on. Clones are cheap and share all of it.
///
/// A server hands the same bytes to all transports. A client must mask, so it gains the compression only.
///
/// Each connection gets it with [`Sender::send_prepared`](crate::Sender::send_prepared).
///
/// ```
/// use bytes::Buf;
/// use sansocket::{Connection, Instant, Prepared, SendRefused, ServerConfig};
///
/// let mut connections: Vec<Connection> =
///     (0..3).map(|_| Connection::server(&ServerConfig::default(), Instant::ZERO)).collect();
/// let news = Prepared::new("the same for all");
/// for connection in &mut connections {
///     connection.send_prepared(&news)?;
///     assert_eq!(connection.transmit().chunk(), b"\x81\x10the same for all");
/// }
/// # Ok::<(), SendRefused>(())
/// ```
#[derive(Clone)]
pub struct Prepared(Arc<Encoded>);

struct Encoded {
    kind: MessageKind,
    plain: Frame,
    compressed: Compressed<Frame>,
}

/// A whole message in one frame, not masked.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) flags: Flags,
    pub(super) bytes: Bytes,
    header_len: usize,
}

impl Prepared {
    /// Encodes `message`.
    #[must_use]
    pub fn new(message: impl Into<Message>) -> Self {
        let message = message.into();
        let kind = message.kind();
        let plain = Frame::new(Flags::WHOLE, kind, message.as_bytes());
        Self(Arc::new(Encoded { kind, plain, compressed: Compressed::default() }))
    }

    /// Which of the two types it is.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.0.kind
    }

    /// The payload data, not compressed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.plain.payload()
    }

    pub(super) fn plain(&self) -> Frame {
        self.0.plain.clone()
    }

    /// Its form for the connection of `deflation`, unless it is better sent as it is.
    pub(super) fn compressed(&self, deflation: &mut Deflation) -> Option<Frame> {
        let encode = |payload: &[u8]| Frame::new(Flags::COMPRESSED, self.0.kind, payload);
        self.0.compressed.get(deflation, self.as_bytes(), encode)
    }
}

impl Frame {
    fn new(flags: Flags, kind: MessageKind, payload: &[u8]) -> Self {
        let header = EncodedHeader::new(FirstByte::new(flags, kind.into()), payload.len(), None);
        let mut bytes = Vec::with_capacity(EncodedHeader::ROOM + payload.len());
        header.append(&mut bytes);
        bytes.extend_from_slice(payload);
        Self { flags, bytes: bytes.into(), header_len: header.len() }
    }

    pub(super) fn payload(&self) -> &[u8] {
        self.bytes.get(self.header_len..).unwrap_or_default()
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Prepared");
        debug.field("kind", &self.0.kind).field("len", &self.as_bytes().len()).finish_non_exhaustive()
    }
}
