//! What an application sees, as something that it can keep.

use core::fmt;

use bytes::Bytes;
use sansocket::{Chunk, CloseFrame, Closed, Event, Failure, Message, MessageKind};

/// An [`Event`] that owns what it holds, and so can be kept and compared.
///
/// ```
/// use sansocket::Event;
/// use sansocket_testkit::Seen;
///
/// assert_eq!(Seen::from(Event::Ping(b"7")), Seen::Ping("7".into()));
/// assert_eq!(Seen::from(Event::Text("hello".into())), "hello");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seen {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Bytes),
    /// A piece of a message; only with [`Delivery::Chunks`](sansocket::Delivery::Chunks).
    Chunk {
        /// The type of the message.
        kind: MessageKind,
        /// Payload data.
        data: Bytes,
        /// Whether the message begins here.
        first: bool,
        /// Whether a frame ends here.
        frame_end: bool,
        /// Whether the message ends here.
        last: bool,
    },
    /// A Ping.
    Ping(Bytes),
    /// A Pong.
    Pong(Bytes),
    /// The peer's Close frame.
    Close(CloseFrame),
    /// This endpoint failed the connection.
    Failed(Failure),
    /// The connection has ended.
    Closed(Box<Closed>),
}

impl Seen {
    /// The whole message that this is, or `None` if it is something else.
    #[must_use]
    pub fn into_message(self) -> Option<Message> {
        match self {
            Self::Text(text) => Some(Message::Text(text)),
            Self::Binary(bytes) => Some(Message::Binary(bytes)),
            _ => None,
        }
    }

    /// Whether this is a whole message.
    #[must_use]
    pub fn is_message(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Binary(_))
    }
}

impl From<Event<'_>> for Seen {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.into_owned()),
            Event::Binary(bytes) => Self::Binary(bytes.into_owned().into()),
            Event::Chunk(Chunk { kind, data, first, frame_end, last }) => {
                Self::Chunk { kind, data: Bytes::copy_from_slice(data), first, frame_end, last }
            }
            Event::Ping(payload) => Self::Ping(Bytes::copy_from_slice(payload)),
            Event::Pong(payload) => Self::Pong(Bytes::copy_from_slice(payload)),
            Event::Close(frame) => Self::Close(frame),
            Event::Failed(failure) => Self::Failed(failure),
            Event::Closed(closed) => Self::Closed(closed),
            other => unreachable!("an event of the core that this version does not know: {other:?}"),
        }
    }
}

impl PartialEq<str> for Seen {
    /// Whether it is a text message with this text.
    fn eq(&self, text: &str) -> bool {
        matches!(self, Self::Text(seen) if seen == text)
    }
}

impl PartialEq<&str> for Seen {
    /// Whether it is a text message with this text.
    fn eq(&self, text: &&str) -> bool {
        self == *text
    }
}

impl fmt::Display for Seen {
    /// What it is and how long, but not the payload data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "text message, {} bytes", text.len()),
            Self::Binary(bytes) => write!(f, "binary message, {} bytes", bytes.len()),
            Self::Chunk { kind, data, last, .. } => {
                let last = if *last { ", the last" } else { "" };
                write!(f, "piece of a {kind:?} message, {} bytes{last}", data.len())
            }
            Self::Ping(payload) => write!(f, "Ping, {} bytes", payload.len()),
            Self::Pong(payload) => write!(f, "Pong, {} bytes", payload.len()),
            Self::Close(frame) => write!(f, "Close {frame}"),
            Self::Failed(failure) => write!(f, "failed: {failure}"),
            Self::Closed(closed) => write!(f, "closed: {closed}"),
        }
    }
}
