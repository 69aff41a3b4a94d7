//! When an application takes events.

use sansocket::{Connection, State};

/// When an application takes events.
///
/// While it does not, the endpoint reads no more, and tells the core so (see [`Connection::pause`]): bytes wait on the way,
/// and so does the end of the stream. Time limits go on. When the connection has ended, what was read is still given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reading {
    /// Always.
    #[default]
    Always,
    /// While [`Connection::may_send`]: an application that answers each message before it takes the next.
    WhileMaySend,
    /// Never.
    Never,
}

impl Reading {
    pub(crate) fn takes_events(self, connection: &Connection) -> bool {
        match self {
            Self::Always => true,
            Self::WhileMaySend => connection.may_send(),
            Self::Never => connection.state() == State::Closed,
        }
    }
}
