//! What the core tells the application.

use alloc::borrow::Cow;
use alloc::boxed::Box;

use crate::closed::Closed;
use crate::error::Failure;
use crate::frame::CloseFrame;
use crate::message::{Message, MessageKind};

/// Something that the peer sent, or the end of the connection.
///
/// Payload data is borrowed from the input, unmasked in place, where a message is there as a whole; a message that came
/// in pieces is owned, and [`Event::into_message`] takes it without a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A text message.
    Text(Cow<'a, str>),
    /// A binary message.
    Binary(Cow<'a, [u8]>),
    /// A piece of a message; only with [`Delivery::Chunks`](crate::Delivery::Chunks).
    Chunk(Chunk<'a>),
    /// A Ping, at most 125 bytes. Its Pong is already queued.
    Ping(&'a [u8]),
    /// A Pong, at most 125 bytes: the answer to a Ping, or unasked.
    Pong(&'a [u8]),
    /// The peer's Close frame. No message follows. If it was the first, the answer is already queued.
    Close(CloseFrame),
    /// This endpoint failed the connection: no message follows, and the Close frame is already queued.
    Failed(Failure),
    /// The connection has ended. The last event, and given once.
    Closed(Box<Closed>),
}

impl Event<'_> {
    /// The whole message that this event is, or `None` if it is something else.
    #[must_use]
    pub fn into_message(self) -> Option<Message> {
        match self {
            Self::Text(text) => Some(Message::Text(text.into_owned())),
            Self::Binary(Cow::Borrowed(bytes)) => Some(Message::from(bytes)),
            Self::Binary(Cow::Owned(bytes)) => Some(Message::from(bytes)),
            _ => None,
        }
    }
}

/// A piece of a message, as it arrived: pieces follow the reads and the frames, not the characters of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// The type of the message.
    pub kind: MessageKind,
    /// Payload data, unmasked. Text is UTF-8 so far, but a piece may end inside a character. May be empty.
    pub data: &'a [u8],
    /// Whether the message begins here.
    pub first: bool,
    /// Whether a frame ends here.
    pub frame_end: bool,
    /// Whether the message ends here.
    pub last: bool,
}
