//! To whom a connection belongs: to the application, which sends by itself, or to a session, which has messages of its own.

use std::borrow::Cow;

use sansocket::{Chunk, Event, Message, Reader, Sender};

use crate::pieces::Pieces;
use crate::pool::BLOCK;

/// What the reading loop asks of whom the connection belongs to.
pub(crate) trait Owner {
    /// What it wants to hear of.
    type Item;

    /// Whether [`transfer`](Self::transfer) does anything.
    const SENDS: bool;

    /// Gives the connection what it is to send, before and after each write.
    fn transfer(&mut self, sender: &mut Sender);

    /// Takes a message out of the input without a copy, if it wants the next one so.
    fn split(&mut self, _reader: &mut Reader<'_>) -> Option<Self::Item> {
        None
    }

    /// Takes a message.
    fn message(&mut self, event: Event<'_>) -> Option<Self::Item>;

    /// Takes a piece of a message that began while the application read one as a byte stream, or wanted to.
    fn piece(&mut self, _pieces: &mut Pieces, _chunk: &Chunk<'_>) -> Option<Self::Item> {
        None
    }

    /// Looks at what is no message. The connection has dealt with it.
    fn control(&mut self, event: Event<'_>) -> Option<Self::Item>;
}

/// Wants messages, and nothing else.
pub(crate) struct Application;

impl Owner for Application {
    type Item = Message;

    const SENDS: bool = false;

    fn transfer(&mut self, _sender: &mut Sender) {}

    fn split(&mut self, reader: &mut Reader<'_>) -> Option<Message> {
        reader.split_binary(MIN_SPLIT).map(Message::Binary)
    }

    fn message(&mut self, event: Event<'_>) -> Option<Message> {
        event.into_message()
    }

    fn piece(&mut self, pieces: &mut Pieces, chunk: &Chunk<'_>) -> Option<Message> {
        pieces.push(chunk)
    }

    fn control(&mut self, _event: Event<'_>) -> Option<Message> {
        None
    }
}

/// Has a function look at the next event, whatever it is.
pub(crate) struct Visitor<F>(pub(crate) Option<F>);

impl<T, F: FnOnce(Event<'_>) -> T> Visitor<F> {
    fn visit(&mut self, event: Event<'_>) -> Option<T> {
        self.0.take().map(|look| look(event))
    }
}

impl<T, F: FnOnce(Event<'_>) -> T> Owner for Visitor<F> {
    type Item = T;

    const SENDS: bool = false;

    fn transfer(&mut self, _sender: &mut Sender) {}

    fn message(&mut self, event: Event<'_>) -> Option<T> {
        self.visit(event)
    }

    fn piece(&mut self, pieces: &mut Pieces, chunk: &Chunk<'_>) -> Option<T> {
        let message = pieces.push(chunk)?;
        self.visit(whole(message))
    }

    fn control(&mut self, event: Event<'_>) -> Option<T> {
        self.visit(event)
    }
}

/// A message as the event that it came as.
pub(crate) fn whole(message: Message) -> Event<'static> {
    match message {
        Message::Text(text) => Event::Text(Cow::Owned(text)),
        Message::Binary(bytes) => Event::Binary(Cow::Owned(bytes.into())),
    }
}

/// Payload data in bytes from which on a message keeps the read block that it came in, instead of being copied out of it. It holds
/// no more than eight times its own size.
const MIN_SPLIT: usize = BLOCK / 8;
