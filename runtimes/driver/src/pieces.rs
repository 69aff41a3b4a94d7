//! Messages in pieces: for who reads one as a byte stream, and for who changed their mind.

use bytes::Bytes;
use sansocket::{Chunk, Event, Message, MessageKind, Sender};

use crate::owner::Owner;

/// A piece of a message.
pub(crate) struct Piece {
    pub(crate) kind: MessageKind,
    pub(crate) data: Bytes,
    pub(crate) last: bool,
}

impl From<Message> for Piece {
    fn from(message: Message) -> Self {
        Self { kind: message.kind(), data: message.into_bytes(), last: true }
    }
}

/// What there is of a message that comes in pieces, while nobody reads it in pieces.
#[derive(Default)]
pub(crate) struct Pieces(Option<Box<Begun>>);

enum Begun {
    /// To be given as a whole, or to go on with as a byte stream.
    Kept(MessageKind, Vec<u8>),
    /// Somebody read it as a byte stream, and not to the end.
    Unwanted,
}

impl Pieces {
    /// Bytes of payload data that are held here.
    pub(crate) fn held_bytes(&self) -> usize {
        match self.0.as_deref() {
            Some(Begun::Kept(_, data)) => data.len(),
            Some(Begun::Unwanted) | None => 0,
        }
    }

    /// Adds a piece. The message, if it is whole and wanted.
    pub(crate) fn push(&mut self, chunk: &Chunk<'_>) -> Option<Message> {
        let mut begun = self.0.take().unwrap_or_else(|| Box::new(Begun::Kept(chunk.kind, Vec::new())));
        if let Begun::Kept(_, data) = &mut *begun {
            data.extend_from_slice(chunk.data);
        }
        if !chunk.last {
            self.0 = Some(begun);
            return None;
        }
        match *begun {
            Begun::Kept(MessageKind::Binary, data) => Some(Message::from(data)),
            // The core has seen that it is UTF-8.
            Begun::Kept(MessageKind::Text, data) => String::from_utf8(data).ok().map(Message::Text),
            Begun::Unwanted => None,
        }
    }

    /// What was kept, for who reads on in pieces.
    pub(crate) fn take(&mut self) -> Option<Piece> {
        match *self.0.take_if(|begun| matches!(**begun, Begun::Kept(..)))? {
            Begun::Kept(kind, data) => Some(Piece { kind, data: data.into(), last: false }),
            Begun::Unwanted => None,
        }
    }

    /// Throws away what is still to come of the message.
    pub(crate) fn skip(&mut self) {
        self.0 = Some(Box::new(Begun::Unwanted));
    }
}

/// Wants pieces as they come.
pub(crate) struct Streaming;

impl Owner for Streaming {
    type Item = Piece;

    const SENDS: bool = false;

    fn transfer(&mut self, _sender: &mut Sender) {}

    /// One that had begun before.
    fn message(&mut self, event: Event<'_>) -> Option<Piece> {
        event.into_message().map(Piece::from)
    }

    fn piece(&mut self, pieces: &mut Pieces, chunk: &Chunk<'_>) -> Option<Piece> {
        if pieces.0.is_some() {
            // What nobody wants any more.
            return pieces.push(chunk).map(Piece::from);
        }
        let Chunk { kind, data, last, .. } = *chunk;
        (last || !data.is_empty()).then(|| Piece { kind, data: Bytes::copy_from_slice(data), last })
    }

    fn control(&mut self, _event: Event<'_>) -> Option<Piece> {
        None
    }
}
