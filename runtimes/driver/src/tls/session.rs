//! One end of TLS without IO: the state machine of rustls, what came and is no whole record yet, and the ciphertext that waits to
//! leave.
//!
//! An idle session holds no buffer: blocks are borrowed while bytes pass through.

use std::cell::Cell;
use std::{io, mem};

use bytes::{Buf, BytesMut};
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedConnectionCommon,
    UnbufferedStatus,
};
use rustls::{CommonState, Error};

use crate::pool;
use crate::scratch;

/// Either role of rustls.
pub(crate) enum Role {
    Client(Box<UnbufferedClientConnection>),
    Server(Box<UnbufferedServerConnection>),
}

/// One end of TLS.
pub(crate) struct Session {
    role: Role,
    /// Ciphertext that came and was not taken in.
    pub(crate) incoming: BytesMut,
    /// Ciphertext to be written.
    pub(crate) outgoing: Outgoing,
    /// INVARIANT: once set it does not change.
    error: Option<Error>,
    peer_closed: bool,
}

/// What is wanted of a session besides taking in what came.
enum Wanted<'a> {
    Nothing,
    Encrypt(&'a [u8]),
    Close,
}

/// How far a session came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// There may be more to do.
    Some,
    /// The next step needs bytes of the peer.
    Starved,
    /// Established, and what was wanted is done. Nothing is left to take in.
    Done,
}

impl Session {
    /// A session; `incoming` has come already.
    pub(crate) fn new(role: Role, incoming: BytesMut) -> Self {
        Self { role, incoming, outgoing: Outgoing::default(), error: None, peer_closed: false }
    }

    /// What both roles have in common: version, protocol, certificates.
    pub(crate) fn common(&self) -> &CommonState {
        match &self.role {
            Role::Client(client) => client,
            Role::Server(server) => server,
        }
    }

    /// What ended the session, if it failed.
    pub(crate) fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Whether the peer said that nothing follows.
    pub(crate) fn peer_closed(&self) -> bool {
        self.peer_closed
    }

    /// Takes in what came, up to the first application data, which it hands to `plain`. `false` if there was none: more bytes
    /// of the peer are needed.
    pub(crate) fn receive(&mut self, plain: &mut dyn FnMut(&[u8])) -> Result<bool, Error> {
        let some = Cell::new(false);
        let mut noting = |data: &[u8]| {
            some.set(some.get() || !data.is_empty());
            plain(data);
        };
        while self.step(&Wanted::Nothing, &mut noting)? == Progress::Some {
            if some.get() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Encrypts `data`, at most [`RECORD`] bytes. What comes in the way goes to `plain`.
    pub(crate) fn encrypt(&mut self, data: &[u8], plain: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        self.reach(&Wanted::Encrypt(data), plain)
    }

    /// Says that nothing follows.
    pub(crate) fn close(&mut self, plain: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        self.reach(&Wanted::Close, plain)
    }

    fn reach(&mut self, wanted: &Wanted<'_>, plain: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        loop {
            match self.step(wanted, plain)? {
                Progress::Some => {}
                Progress::Done => return Ok(()),
                Progress::Starved => return Err(Error::HandshakeNotComplete),
            }
        }
    }

    fn step(&mut self, wanted: &Wanted<'_>, plain: &mut dyn FnMut(&[u8])) -> Result<Progress, Error> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        self.advance_role(wanted, plain).inspect_err(|error| {
            self.error = Some(error.clone());
            // rustls may have an alert for a peer whose bytes were wrong. It must not see those bytes again.
            while self.common().wants_write() && self.advance_role(&Wanted::Nothing, &mut |_| {}).is_ok() {}
        })
    }

    fn advance_role(&mut self, wanted: &Wanted<'_>, plain: &mut dyn FnMut(&[u8])) -> Result<Progress, Error> {
        let Self { role, incoming, outgoing, peer_closed, .. } = self;
        let (discard, progress) = match role {
            Role::Client(client) => one_step(&mut ***client, incoming, outgoing, wanted, plain, peer_closed),
            Role::Server(server) => one_step(&mut ***server, incoming, outgoing, wanted, plain, peer_closed),
        };
        incoming.advance(discard);
        progress
    }

    /// Makes room for a read. A block is held only from here to [`settle`](Self::settle).
    pub(crate) fn make_room(&mut self) {
        if !self.incoming.try_reclaim(RECORD_ON_WIRE) {
            let mut block = pool::take();
            block.extend_from_slice(&self.incoming);
            block.reserve(RECORD_ON_WIRE);
            self.incoming = block;
        }
    }

    /// Gives the read block back: of a record that has not come whole, what came is kept and no more memory than that.
    pub(crate) fn settle(&mut self) {
        let block = mem::take(&mut self.incoming);
        if !block.is_empty() {
            self.incoming = BytesMut::from(&block[..]);
        }
        pool::give(block);
    }
}

/// A role of rustls that can take a step.
trait Steps {
    type Data;
    fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;
}

macro_rules! steps {
    ($($data:ty),+) => {
        $(impl Steps for UnbufferedConnectionCommon<$data> {
            type Data = $data;

            fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, $data> {
                self.process_tls_records(incoming)
            }
        })+
    };
}

steps!(ClientConnectionData, ServerConnectionData);

/// One step of rustls: bytes of `incoming` that it is done with, and how far it came.
fn one_step<S: Steps>(
    role: &mut S,
    incoming: &mut [u8],
    outgoing: &mut Outgoing,
    wanted: &Wanted<'_>,
    plain: &mut dyn FnMut(&[u8]),
    peer_closed: &mut bool,
) -> (usize, Result<Progress, Error>) {
    let UnbufferedStatus { mut discard, state, .. } = role.process(incoming);
    let progress = match state {
        Ok(ConnectionState::ReadTraffic(mut traffic)) => loop {
            match traffic.next_record() {
                Some(Ok(record)) => {
                    discard += record.discard;
                    plain(record.payload);
                }
                Some(Err(error)) => break Err(error),
                None => break Ok(Progress::Some),
            }
        },
        Ok(ConnectionState::EncodeTlsData(mut data)) => {
            outgoing.fill(MESSAGE, |room| match data.encode(room) {
                Err(EncodeError::InsufficientSize(size)) => Err(Fill::Small(size)),
                Err(EncodeError::AlreadyEncoded) => Ok(0),
                Ok(written) => Ok(written),
            })
        }
        Ok(ConnectionState::TransmitTlsData(sent)) => {
            // It is in `outgoing`, whose business it is from here on.
            sent.done();
            Ok(Progress::Some)
        }
        Ok(ConnectionState::BlockedHandshake) => Ok(Progress::Starved),
        Ok(ConnectionState::PeerClosed) => {
            *peer_closed = true;
            Ok(Progress::Some)
        }
        Ok(ConnectionState::WriteTraffic(mut traffic)) => match wanted {
            Wanted::Nothing => Ok(Progress::Done),
            Wanted::Encrypt(data) => outgoing
                .fill(data.len() + OVERHEAD, |room| traffic.encrypt(data, room).map_err(Fill::from))
                .and(Ok(Progress::Done)),
            Wanted::Close => outgoing
                .fill(OVERHEAD, |room| traffic.queue_close_notify(room).map_err(Fill::from))
                .and(Ok(Progress::Done)),
        },
        // Both ends have said that nothing follows. Early data is never accepted: see `TlsAcceptor`.
        Ok(_) => Ok(Progress::Done),
        Err(error) => Err(error),
    };
    (discard, progress)
}

/// Why nothing was put into the room that there was.
enum Fill {
    Small(InsufficientSizeError),
    /// The keys have encrypted as much as they may.
    Exhausted,
}

impl From<EncryptError> for Fill {
    fn from(error: EncryptError) -> Self {
        match error {
            EncryptError::InsufficientSize(size) => Self::Small(size),
            EncryptError::EncryptExhausted => Self::Exhausted,
        }
    }
}

/// Ciphertext that waits to be written. Holds a block only while there is some.
#[derive(Default)]
pub(crate) struct Outgoing {
    block: Vec<u8>,
    from: usize,
    to: usize,
}

impl Outgoing {
    /// The ciphertext.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.block.get(self.from..self.to).unwrap_or_default()
    }

    /// Whether a whole record fits in.
    pub(crate) fn has_room(&self) -> bool {
        self.block.is_empty() || self.block.len() - self.to >= RECORD_ON_WIRE
    }

    /// Forgets the first `written` bytes.
    pub(crate) fn advance(&mut self, written: usize) {
        self.from += written;
        if self.from >= self.to {
            (self.from, self.to) = (0, 0);
            scratch::give(mem::take(&mut self.block));
        }
    }

    /// Lets `put` write behind what waits, where there are `expected` bytes of room, or as many as it then asks for.
    fn fill(
        &mut self,
        expected: usize,
        mut put: impl FnMut(&mut [u8]) -> Result<usize, Fill>,
    ) -> Result<Progress, Error> {
        if self.block.is_empty() {
            self.block = scratch::take();
        }
        let mut needed = expected;
        loop {
            if self.block.len() - self.to < needed {
                self.block.resize(self.to + needed, 0);
            }
            match put(&mut self.block[self.to..]) {
                Ok(written) => {
                    self.to += written;
                    return Ok(Progress::Some);
                }
                Err(Fill::Small(size)) if size.required_size > needed => needed = size.required_size,
                Err(Fill::Small(_)) => return Err(Error::EncryptError),
                Err(Fill::Exhausted) => return Err(Error::EncryptError),
            }
        }
    }
}

/// An error of TLS as one of IO.
pub(crate) fn io_error(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Bytes of plaintext in the largest record (RFC 8446 section 5.1).
pub(crate) const RECORD: usize = 16 * 1024;

/// What a record adds, and an alert or a change of keys that rustls may put before it.
const OVERHEAD: usize = 256;

/// Bytes of a record as it is sent; section 5.2 allows 256 more than the plaintext, TLS 1.2 allows 2,048.
const RECORD_ON_WIRE: usize = RECORD + 2048;

/// Bytes of a usual message of the handshake.
const MESSAGE: usize = 4096;
