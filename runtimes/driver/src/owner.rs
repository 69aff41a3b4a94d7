//! To whom a connection belongs: to the application, which sends by itself, or to a session, which has messages of its own.

use sansocket::{Event, Message, Reader, Sender};

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

    fn control(&mut self, _event: Event<'_>) -> Option<Message> {
        None
    }
}

/// Payload data in bytes from which on a message keeps the read block that it came in, instead of being copied out of it. It holds
/// no more than four times its own size.
const MIN_SPLIT: usize = BLOCK / 4;
