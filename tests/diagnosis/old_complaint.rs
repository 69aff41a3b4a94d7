//! What tungstenite says of the same bytes: the complaint with which the page begins, and others.

use std::io::{self, Read, Write};

use sansocket::Role;
use tungstenite::HandshakeError;
use tungstenite::handshake::HandshakeRole;

/// What tungstenite says if the stream ends inside a head, and only then.
pub(crate) const COMPLAINT: &str = "WebSocket protocol error: Handshake not finished";

/// What tungstenite's handshake in this role says when `bytes` come, and then the end of the stream if it `ends`. `None` if it
/// waits.
pub(crate) fn says(role: Role, bytes: &[u8], ends: bool) -> Option<String> {
    let stream = Scripted { bytes, ends };
    match role {
        Role::Server => said(tungstenite::accept(stream)),
        Role::Client => said(tungstenite::client("ws://example.com/chat", stream)),
    }
}

fn said<T, R: HandshakeRole>(result: Result<T, HandshakeError<R>>) -> Option<String> {
    match result {
        Ok(_) => Some("no error".to_owned()),
        Err(HandshakeError::Interrupted(_)) => None,
        Err(HandshakeError::Failure(error)) => Some(error.to_string()),
    }
}

/// A stream from which `bytes` are read, and then nothing or the end. What is written to it is lost.
struct Scripted<'a> {
    bytes: &'a [u8],
    ends: bool,
}

impl Read for Scripted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.bytes.read(buffer)? {
            0 if !self.ends => Err(io::ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }
}

impl Write for Scripted<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
