//! Follows a peer that does not speak HTTP/1 until it is known what it speaks, and holds no more of it than that takes.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::handshake::parse::HeadKind;
use crate::handshake::peer::Peer;
use crate::handshake::progress::FIRST_BYTES;
use crate::handshake::recognize::{Verdict, judge};
use crate::handshake::tls::{ClientHello, HelloReader};

/// A peer that speaks another protocol.
pub(crate) struct Foreign {
    /// What was expected.
    kind: HeadKind,
    /// Reads on where the peer is a TLS client.
    hello: Option<Box<HelloReader>>,
}

impl Foreign {
    /// A peer of which `held` came so far, and whether this settles what it is.
    pub(crate) fn new(kind: HeadKind, held: &[u8]) -> (Self, bool) {
        let mut foreign = Self { kind, hello: None };
        let known = foreign.judge(held);
        (foreign, known)
    }

    /// Takes bytes from `input` until the peer is known, the first of them into `held`: how many, and whether it is known.
    pub(crate) fn receive(&mut self, held: &mut Vec<u8>, input: &[u8]) -> (usize, bool) {
        let mut rest = input;
        loop {
            if let Some(reader) = &mut self.hello {
                let (taken, known) = reader.receive(rest);
                let (taken, rest) = rest.split_at(taken);
                let room = FIRST_BYTES.saturating_sub(held.len());
                held.extend_from_slice(taken.get(..room).unwrap_or(taken));
                return (input.len() - rest.len(), known);
            }
            let Some((&byte, after)) = rest.split_first() else { return (input.len(), false) };
            rest = after;
            held.push(byte);
            if self.judge(held) {
                return (input.len() - rest.len(), true);
            }
        }
    }

    /// What the peer is if nothing more comes.
    pub(crate) fn peer(&self, held: &[u8]) -> Peer {
        if let Some(reader) = &self.hello {
            return Peer::TlsClient(reader.hello().clone());
        }
        match judge(self.kind, held) {
            Verdict::Undecided(peer) | Verdict::Settled(peer) => peer,
            Verdict::Hello => Peer::TlsClient(ClientHello::default()),
        }
    }

    fn judge(&mut self, held: &[u8]) -> bool {
        match judge(self.kind, held) {
            Verdict::Settled(_) => true,
            Verdict::Undecided(_) => false,
            Verdict::Hello => {
                let mut reader = HelloReader::new();
                let (_, known) = reader.receive(held);
                self.hello = Some(Box::new(reader));
                known
            }
        }
    }
}
