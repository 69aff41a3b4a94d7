//! tungstenite's handshake over a stream in memory, in both roles.

use std::io::{self, ErrorKind, Read, Write};

use tungstenite::error::{Error, ProtocolError};
use tungstenite::handshake::client::ClientHandshake;
use tungstenite::handshake::server::{NoCallback, ServerHandshake};
use tungstenite::handshake::{HandshakeError, HandshakeRole, MidHandshake};
use tungstenite::http::Request;
use tungstenite::protocol::WebSocketConfig;

use super::run::{OFFERED, URL, client_key};

/// What it came to.
#[derive(Debug)]
pub(crate) enum Theirs {
    Open {
        /// The value of `Sec-WebSocket-Accept` in its reply, if it is a server.
        accept: Option<String>,
    },
    NeedMore,
    /// It refuses what follows the head, and would have accepted the request.
    BytesBehind,
    Refused,
}

impl Theirs {
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }
}

/// A server that receives `stream` and agrees to everything.
pub(crate) fn serve(stream: &[u8]) -> Theirs {
    let mut wire = Wire { input: stream, output: Vec::new() };
    let result = ServerHandshake::start(&mut wire, NoCallback, Some(config())).handshake();
    match outcome(result.map(drop)) {
        Theirs::Open { .. } => Theirs::Open { accept: accept_value(&wire.output) },
        other => other,
    }
}

/// A client that sends what the client of this library sends here, and receives `stream`.
pub(crate) fn connect(stream: &[u8]) -> Theirs {
    let request = Request::builder()
        .uri(URL)
        .header("Host", "example.com")
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", client_key())
        .header("Sec-WebSocket-Protocol", OFFERED.join(", "))
        .body(())
        .expect("a request");
    let mut wire = Wire { input: stream, output: Vec::new() };
    let started = ClientHandshake::start(&mut wire, request, Some(config())).expect("a request of a client");
    outcome(started.handshake().map(drop))
}

fn outcome<R: HandshakeRole>(result: Result<(), HandshakeError<R>>) -> Theirs {
    match result {
        Ok(()) => Theirs::Open { accept: None },
        Err(HandshakeError::Interrupted(MidHandshake { .. })) => Theirs::NeedMore,
        Err(HandshakeError::Failure(Error::Protocol(ProtocolError::JunkAfterRequest))) => Theirs::BytesBehind,
        Err(HandshakeError::Failure(_)) => Theirs::Refused,
    }
}

/// Its default allocates a read buffer of 128 KiB for the connection.
fn config() -> WebSocketConfig {
    WebSocketConfig::default().read_buffer_size(0)
}

fn accept_value(reply: &[u8]) -> Option<String> {
    let reply = String::from_utf8_lossy(reply);
    let mut lines = reply.split("\r\n").filter_map(|line| line.split_once(": "));
    let (_, value) = lines.find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-accept"))?;
    Some(value.to_owned())
}

/// A stream that has some bytes to read and then blocks, and takes everything.
struct Wire<'a> {
    input: &'a [u8],
    output: Vec<u8>,
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.input.read(buffer)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
