//! What `Debug` shows of a connection: where it stands, and nothing of what is sent and received, which may be secret.

use core::fmt;

use super::read::Reader;
use super::receive::Receiver;
use super::send::Sender;

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("role", &self.role)
            .field("state", &self.state())
            .field("waiting_bytes", &self.queue.len())
            .field("messages", &self.messages)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("role", &self.role)
            .field("delivery", &self.delivery)
            .field("bytes", &self.bytes)
            .field("messages", &self.messages)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { receiver, input, consumed, .. } = self;
        f.debug_struct("Reader")
            .field("receiver", receiver)
            .field("input_bytes", &(input.len() - consumed))
            .finish_non_exhaustive()
    }
}
