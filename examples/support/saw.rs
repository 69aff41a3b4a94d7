//! What one end of a connection saw, in words.

use std::error::Error;
use std::io;

use sansocket::{Closed, DialError, HandshakeError, HandshakeErrorKind, Role};
use sansocket_driver::{TlsAcceptError, TlsAcceptFault};

/// What one end saw.
pub struct Saw {
    /// In short. The same each time.
    pub text: String,
    /// All of it, if something went wrong: as it comes in a log or, to a client, in the reply.
    pub diagnosis: Option<String>,
}

impl Saw {
    /// What an end of an open connection saw: what was remarkable before, how it ended or, if it has not, why nothing more was done.
    #[must_use]
    pub fn of_connection(
        mut notes: Vec<String>,
        closed: Option<Closed>,
        role: Role,
        error: Option<sansocket_driver::Error>,
    ) -> Self {
        let Some(closed) = closed else {
            notes.push(error.map_or_else(|| "no end".into(), |error| error.to_string()));
            return notes.join("; ").into();
        };
        notes.push(format!("{} in, {} out", closed.counts.messages_received, closed.counts.messages_sent));
        let first = if closed.first == role { &closed.sent } else { &closed.received };
        match first {
            Some(close) => notes.push(format!("Close {} from the {}", close.code(), closed.first)),
            None => notes.push(closed.cause.to_string()),
        }
        Self { text: notes.join("; "), diagnosis: (!closed.is_clean()).then(|| closed.to_string()) }
    }

    /// The same after `notes` of what came before.
    #[must_use]
    pub fn after(mut self, mut notes: Vec<String>) -> Self {
        notes.push(self.text);
        self.text = notes.join("; ");
        self
    }
}

impl From<&str> for Saw {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Saw {
    fn from(text: String) -> Self {
        Self { text, diagnosis: None }
    }
}

impl From<io::Error> for Saw {
    fn from(error: io::Error) -> Self {
        error.to_string().into()
    }
}

impl From<Result<Saw, Box<dyn Error>>> for Saw {
    fn from(saw: Result<Saw, Box<dyn Error>>) -> Self {
        saw.unwrap_or_else(|error| error.to_string().into())
    }
}

impl From<HandshakeError> for Saw {
    fn from(error: HandshakeError) -> Self {
        let code = error.code();
        let text = match (error.kind(), error.status()) {
            (HandshakeErrorKind::NotHttp, _) => format!("{code}: {}", error.peer().code()),
            (_, Some(status)) => format!("{code}, status {status}"),
            (_, None) => format!("{code} after {} bytes", error.bytes()),
        };
        Self { text, diagnosis: Some(error.to_string()) }
    }
}

impl From<DialError> for Saw {
    fn from(error: DialError) -> Self {
        match error.handshake() {
            // As the log has it.
            Some(handshake) => handshake.clone().into(),
            None => Self { text: error.code().to_owned(), diagnosis: Some(error.to_string()) },
        }
    }
}

impl From<TlsAcceptError> for Saw {
    fn from(error: TlsAcceptError) -> Self {
        let text = match error.fault() {
            TlsAcceptFault::NotTls => format!("{}: {}", error.code(), error.peer().code()),
            _ => error.code().to_owned(),
        };
        Self { text, diagnosis: Some(error.to_string()) }
    }
}

impl From<sansocket_driver::Error> for Saw {
    fn from(error: sansocket_driver::Error) -> Self {
        use sansocket_driver::Error;
        match error {
            Error::Dial(error) => error.into(),
            Error::TlsAccept(error) => error.into(),
            Error::Handshake { error, .. } => error.into(),
            other => other.to_string().into(),
        }
    }
}
