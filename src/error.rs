//! What can go wrong after the opening handshake, sorted by who is at fault.
//!
//! - [`Violation`]: the peer broke a rule of the protocol.
//! - [`LimitExceeded`]: the peer kept to the rules but went over a limit that this endpoint set.
//! - [`SendError`]: this endpoint's application asked for something that cannot be done now, or ever.
//!
//! The first two make a [`Failure`], which has one answer on the wire: [`Failure::close_code`]. When a failure is
//! reported, the Close frame with that code is already queued.
//!
//! What can go wrong in the opening handshake is in [`HandshakeError`](crate::HandshakeError).

use thiserror::Error;

use crate::frame::{CloseCode, InvalidCloseFrame};
use crate::message::Message;
use crate::role::Role;

/// Why this endpoint failed the connection ([RFC 6455 section 7.1.7]).
///
/// [RFC 6455 section 7.1.7]: https://www.rfc-editor.org/rfc/rfc6455#section-7.1.7
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Failure {
    /// The peer broke a rule of the protocol.
    #[error("the peer broke the protocol: {0}")]
    Violation(#[from] Violation),
    /// The peer went over a limit of this endpoint.
    #[error("the peer went over a limit: {0}")]
    Limit(#[from] LimitExceeded),
    /// The peer did nothing wrong: all connections of a server together hold what they may. See
    /// [`Receiver::exceed_budget`](crate::Receiver::exceed_budget).
    #[error(
        "no memory for a message of which {held} bytes came: all connections together may hold {limit} bytes (max_memory)"
    )]
    OutOfMemory {
        /// Bytes of payload data that this connection held.
        held: usize,
        /// Bytes that all connections may hold together.
        limit: usize,
    },
}

impl Failure {
    /// The close code that answers this failure. That of [`OutOfMemory`](Self::OutOfMemory) is 1013 (try again later): 1009 would say that the
    /// message is too big, and it may have room a moment later; 1008 or 1011, that somebody made a mistake.
    #[must_use]
    pub const fn close_code(&self) -> CloseCode {
        match self {
            Self::Violation(violation) => violation.close_code(),
            Self::Limit(limit) => limit.close_code(),
            Self::OutOfMemory { .. } => CloseCode::TRY_AGAIN_LATER,
        }
    }
}

/// A rule that the peer broke: of RFC 6455, where no other is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Violation {
    /// A reserved bit is set that no agreed extension gives a meaning (section 5.2).
    #[error("reserved bits {bits:#05b} are set in a frame header and no extension uses them")]
    ReservedBits {
        /// RSV1, RSV2 and RSV3, from the highest bit to the lowest.
        bits: u8,
    },
    /// An opcode that no standard defines (section 5.2).
    #[error("opcode {opcode:#x} is reserved")]
    ReservedOpcode {
        /// 3 to 7 or 11 to 15.
        opcode: u8,
    },
    /// A client sent a frame without a masking-key (section 5.1).
    #[error("a client must mask its frames, and this one is not masked")]
    UnmaskedFrame,
    /// A server sent a frame with a masking-key (section 5.1).
    #[error("a server must not mask its frames, and this one is masked")]
    MaskedFrame,
    /// A Close, Ping or Pong without FIN (section 5.5).
    #[error("a control frame is fragmented")]
    FragmentedControlFrame,
    /// A Close, Ping or Pong with over 125 bytes (section 5.5).
    #[error("a control frame declares more than 125 bytes")]
    ControlFrameTooLong,
    /// A payload length in more bytes than it needs (section 5.2).
    #[error("payload length {len} is not encoded in the fewest bytes")]
    NonMinimalLength {
        /// The length.
        len: u64,
    },
    /// A payload length with the highest bit set (section 5.2).
    #[error("the payload length has its highest bit set")]
    LengthOver63Bits,
    /// A continuation frame outside of a fragmented message (section 5.4).
    #[error("a continuation frame came without a message to continue")]
    UnexpectedContinuation,
    /// A text or binary frame inside of a fragmented message (section 5.4).
    #[error("a new message began before the fragmented one ended")]
    MessageInsideMessage,
    /// A text message that is not UTF-8 (section 8.1).
    #[error("a text message is not UTF-8 from its byte {at} on")]
    InvalidUtf8 {
        /// Offset in the message of the first byte of the sequence that cannot be UTF-8.
        at: u64,
    },
    /// A Close frame with half a close code (section 5.5.1).
    #[error("a Close frame has a payload of one byte, which is no close code")]
    CloseFrameOfOneByte,
    /// A close code that must not be on the wire (section 7.4).
    #[error("close code {} must not be sent", .code.0)]
    CloseCode {
        /// The code.
        code: CloseCode,
    },
    /// A close reason that is not UTF-8 (section 5.5.1).
    #[error("a close reason is not UTF-8")]
    InvalidUtf8InCloseReason,
    /// RSV1, which says that a message is compressed, in a control frame or a continuation frame ([RFC 7692 section 6]).
    ///
    /// [RFC 7692 section 6]: https://www.rfc-editor.org/rfc/rfc7692#section-6
    #[error("RSV1 (compressed) is set in a frame that does not begin a message")]
    MisplacedRsv1,
    /// A compressed message that cannot be inflated (RFC 7692 section 7.2.2).
    #[error("the compressed data of a message is invalid: {at} bytes came out before the fault")]
    InvalidDeflate {
        /// Bytes that were inflated before it.
        at: u64,
    },
    /// A compressed message that ends inside of a block (RFC 7692 section 7.2.2).
    #[error("the compressed data of a message was cut: it ends inside of a block")]
    TruncatedDeflate,
}

impl Violation {
    /// The close code that answers this violation: 1007 for data that is not UTF-8 or cannot be inflated, else 1002.
    #[must_use]
    pub const fn close_code(&self) -> CloseCode {
        match self {
            Self::InvalidUtf8 { .. }
            | Self::InvalidUtf8InCloseReason
            | Self::InvalidDeflate { .. }
            | Self::TruncatedDeflate => CloseCode::INVALID_DATA,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }
}

/// A limit of this endpoint that the peer went over; the names are those of [`Limits`](crate::Limits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LimitExceeded {
    /// [`Limits::frame`](crate::Limits::frame).
    #[error("a frame declares {len} bytes of payload; limits.frame allows {limit}")]
    Frame {
        /// Bytes declared.
        len: u64,
        /// Bytes allowed.
        limit: usize,
    },
    /// [`Limits::message`](crate::Limits::message).
    #[error("a message has at least {len} bytes; limits.message allows {limit}")]
    Message {
        /// Bytes received before this frame and declared by it.
        len: u64,
        /// Bytes allowed.
        limit: usize,
    },
    /// [`Limits::message`](crate::Limits::message), while a compressed message is inflated.
    #[error(
        "a message inflates to more than {limit} bytes, which is limits.message, from {compressed} bytes"
    )]
    InflatedMessage {
        /// Compressed bytes that were inflated; one or two more or less, depending on how they came, as a decompressor looks ahead.
        compressed: u64,
        /// Bytes allowed.
        limit: usize,
    },
    /// [`Limits::inflate_ratio`](crate::Limits::inflate_ratio).
    #[error(
        "{compressed} compressed bytes inflate to at least {len}; limits.inflate_ratio allows {limit} for one"
    )]
    InflateRatio {
        /// Bytes inflated so far.
        len: u64,
        /// Compressed bytes that were inflated.
        compressed: u64,
        /// Bytes allowed for each compressed one.
        limit: u32,
    },
    /// [`Limits::fragments`](crate::Limits::fragments).
    #[error("a message came in more than {limit} frames, which is limits.fragments")]
    Fragments {
        /// Frames allowed.
        limit: u32,
    },
}

impl LimitExceeded {
    /// The close code that answers this: 1009 for size, 1008 for the number of frames.
    #[must_use]
    pub const fn close_code(&self) -> CloseCode {
        match self {
            Self::Frame { .. }
            | Self::Message { .. }
            | Self::InflatedMessage { .. }
            | Self::InflateRatio { .. } => CloseCode::TOO_BIG,
            Self::Fragments { .. } => CloseCode::POLICY_VIOLATION,
        }
    }
}

/// A message that was not queued, given back with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the message was not sent: {reason}")]
pub struct SendError {
    /// The message, as it was handed over.
    pub message: Message,
    /// Why it was not queued.
    #[source]
    pub reason: SendRefused,
}

/// Why something was not queued. Nothing has changed: the connection goes on as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SendRefused {
    /// A Close frame is queued or was sent; nothing may follow it (RFC 6455 section 5.5.1).
    #[error("the connection is closing or has ended, and nothing may follow a Close frame")]
    Closing,
    /// [`Limits::write_hard`](crate::Limits::write_hard) is reached; wait until something is written.
    #[error(
        "{queued} bytes wait to be written and limits.write_hard allows {limit}: the peer reads too slowly"
    )]
    QueueFull {
        /// Bytes waiting.
        queued: usize,
        /// Bytes allowed before a message is refused.
        limit: usize,
    },
    /// [`Limits::write_control`](crate::Limits::write_control) is reached; wait until something is written.
    #[error("{queued} bytes of control frames wait to be written and limits.write_control allows {limit}")]
    ControlQueueFull {
        /// Bytes waiting.
        queued: usize,
        /// Bytes allowed before a control frame is refused.
        limit: usize,
    },
    /// A whole message, or a fragment of the other type, while a fragmented message is being sent (section 5.4).
    #[error("a fragmented message is being sent and must be finished first")]
    InsideMessage,
    /// The fragments of a text message are not UTF-8 (section 8.1).
    #[error("a text message must be UTF-8, and its byte {at} is not")]
    InvalidUtf8 {
        /// Offset in the message.
        at: u64,
    },
    /// A Ping or Pong with over 125 bytes (section 5.5).
    #[error("a control frame holds at most 125 bytes, not {len}")]
    ControlTooLong {
        /// Bytes asked for.
        len: usize,
    },
    /// A close code or reason that must not be sent.
    #[error(transparent)]
    CloseFrame(#[from] InvalidCloseFrame),
}

/// How a connection ended other than by a closing handshake; part of [`Closed`](crate::Closed).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Cause {
    /// Both Close frames were exchanged. Not an error.
    #[error("the closing handshake completed")]
    Clean,
    /// This endpoint failed the connection.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The byte stream ended without a Close frame from the peer.
    #[error("the peer closed TCP without a Close frame, {0}")]
    Eof(Position),
    /// Reading or writing failed.
    #[error("{0}")]
    Transport(TransportError),
    /// This endpoint's application gave the connection up without waiting for the peer.
    #[error("this end gave up the connection without a closing handshake")]
    Aborted,
    /// No Pong answered a keepalive Ping within [`Timeouts::pong`](crate::Timeouts::pong).
    #[error("the peer did not answer a Ping within timeouts.pong")]
    PongTimeout,
    /// No byte came within [`Timeouts::idle`](crate::Timeouts::idle).
    #[error("no byte came within timeouts.idle")]
    IdleTimeout,
    /// A message was not complete within [`Timeouts::message`](crate::Timeouts::message).
    #[error("a message was not complete within timeouts.message")]
    MessageTimeout,
    /// The peer did not finish the closing handshake within [`Timeouts::close`](crate::Timeouts::close).
    #[error("the {0} did not finish the closing handshake within timeouts.close")]
    CloseTimeout(Role),
}

/// Where the peer's byte stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Error)]
pub enum Position {
    /// After a whole message or control frame, or before the first.
    #[default]
    #[error("between messages")]
    Boundary,
    /// After a whole frame of an unfinished message.
    #[error("between the fragments of a message")]
    Message,
    /// Inside a frame.
    #[error("inside a frame")]
    Frame,
}

#[cfg(feature = "std")]
impl From<&std::io::Error> for TransportError {
    fn from(error: &std::io::Error) -> Self {
        use std::io::ErrorKind;

        match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Self::Reset,
            ErrorKind::BrokenPipe | ErrorKind::WriteZero | ErrorKind::NotConnected => Self::BrokenPipe,
            ErrorKind::TimedOut => Self::TimedOut,
            // How TLS libraries report an end of the stream without `close_notify`.
            ErrorKind::UnexpectedEof => Self::TlsTruncated,
            _ => Self::Other,
        }
    }
}

/// What the adapter met when it read or wrote; the core sees only the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The peer reset the connection.
    #[error("the peer reset the connection")]
    Reset,
    /// This endpoint wrote after the peer had closed.
    #[error("the connection was closed by the peer while this end was writing")]
    BrokenPipe,
    /// The operating system gave up on an unresponsive peer.
    #[error("the operating system gave up waiting for the peer")]
    TimedOut,
    /// TLS ended without the peer's `close_notify`: the stream may have been cut.
    #[error("TLS was cut off without close_notify")]
    TlsTruncated,
    /// Anything else; the adapter's error has the details.
    #[error("reading or writing failed")]
    Other,
}
