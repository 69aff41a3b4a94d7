//! How a connection ended.

use core::fmt;

use crate::error::Cause;
use crate::frame::CloseFrame;
use crate::role::Role;

/// How a connection ended: the content of its one terminal event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// Why it ended.
    pub cause: Cause,
    /// The Close frame that this endpoint sent, if it did.
    pub sent: Option<CloseFrame>,
    /// The Close frame that the peer sent, if it did.
    pub received: Option<CloseFrame>,
    /// Which end began to close: the role of the first to send a Close frame or, without one, to end the connection.
    pub first: Role,
    /// What was exchanged.
    pub counts: Counts,
    /// What the user knows the limit of a Pong as. For texts.
    pub(crate) name_of_pong: &'static str,
}

impl Closed {
    /// Whether the closing handshake completed. Which code it had is another question: see `received`.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.cause == Cause::Clean
    }
}

impl fmt::Display for Closed {
    /// One line that stands alone in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause {
            Cause::PongTimeout => write!(f, "the peer did not answer a Ping within {}", self.name_of_pong)?,
            cause => write!(f, "{cause}")?,
        }
        match (&self.received, &self.sent) {
            (None, None) => {}
            (Some(received), None) => write!(f, "; the peer sent Close {received}")?,
            (None, Some(sent)) => write!(f, "; this end sent Close {sent}, the peer none")?,
            (Some(received), Some(sent)) => {
                write!(f, "; the {} closed first; received {received}, sent {sent}", self.first)?;
            }
        }
        let Counts { messages_received, messages_sent, bytes_received, bytes_sent, unsent } = self.counts;
        write!(f, "; {} in ({}), ", Count(messages_received, "message"), Count(bytes_received, "byte"))?;
        write!(f, "{} out ({})", Count(messages_sent, "message"), Count(bytes_sent, "byte"))?;
        if unsent > 0 {
            write!(f, ", {} of messages never written", Count(unsent, "byte"))?;
        }
        Ok(())
    }
}

/// So many of a thing.
struct Count(u64, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, thing) = self;
        let plural = if *count == 1 { "" } else { "s" };
        write!(f, "{count} {thing}{plural}")
    }
}

impl core::error::Error for Closed {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.cause {
            Cause::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}

/// What a connection exchanged after the opening handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counts {
    /// Whole messages received.
    pub messages_received: u64,
    /// Whole messages queued to be sent.
    pub messages_sent: u64,
    /// Bytes received, frame headers included.
    pub bytes_received: u64,
    /// Bytes handed to the transport, frame headers included.
    pub bytes_sent: u64,
    /// Bytes of messages that were queued and not handed to the transport, frame headers included: the end of what was
    /// sent, as messages leave in order.
    pub unsent: u64,
}
