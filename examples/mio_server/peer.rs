//! One peer of the server: moves bytes between its stream, which does not block, and its protocol.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::mem::take;
use std::net::{Shutdown, SocketAddr};

use bytes::{Buf, BytesMut};
use mio::net::TcpStream;
use sansocket::Instant;

use crate::protocol::Protocol;

pub(crate) struct Peer {
    stream: TcpStream,
    pub(crate) protocol: Protocol,
    /// Was read and not looked at, because the peer does not take the answers.
    unread: BytesMut,
    /// The deadline that the loop knows of.
    pub(crate) timer: Option<Instant>,
}

impl Peer {
    pub(crate) fn new(stream: TcpStream, address: SocketAddr, now: Instant) -> Self {
        Self { stream, protocol: Protocol::new(address, now), unread: BytesMut::new(), timer: None }
    }

    /// Does all that needs no waiting, with the buffer that all peers share. `true`: there is more, when others had their turn.
    pub(crate) fn turn(&mut self, buffer: &mut BytesMut, now: Instant) -> bool {
        let mut reads = 0..16;
        loop {
            let broken = self.write().err();
            let more = !self.protocol.is_over() && self.read(broken, buffer, now);
            if more && reads.next().is_some() {
                continue;
            }
            // The stream was read first: a Pong may have been in it. But who never stops sending has limits too.
            if self.protocol.deadline().is_none_or(|deadline| deadline > now) {
                return more;
            }
            if more {
                self.protocol.pause();
            }
            self.protocol.timeout(now);
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let shut_down = self.protocol.transmit(&mut |bytes| write(&mut self.stream, bytes))?;
        if shut_down {
            // If that fails, reading will tell, or the deadline.
            let _ = self.stream.shutdown(Shutdown::Write);
        }
        Ok(())
    }

    /// Reads once, and returns whether it may be worth a second time. What came before writing failed is read before that is told.
    fn read(&mut self, broken: Option<io::Error>, buffer: &mut BytesMut, now: Instant) -> bool {
        if broken.is_none() && !self.protocol.wants_read() {
            self.protocol.pause();
            return false;
        }
        let mut input = take(&mut self.unread);
        if input.is_empty() {
            input = take(buffer);
            input.resize(BLOCK, 0);
            let read = self.stream.read(&mut input);
            input.truncate(*read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => self.protocol.ended(None, now),
                Ok(_) => {}
                Err(error) if error.kind() != ErrorKind::WouldBlock => {
                    self.protocol.ended(Some((&error).into()), now)
                }
                Err(_) => broken.iter().for_each(|error| self.protocol.ended(Some(error.into()), now)),
            }
        }
        let more = !input.is_empty();
        if more {
            self.protocol.receive(&mut input, broken.is_some(), now);
        }
        // Who leaves something unread keeps the buffer; the next peer gets a new one.
        let place = if input.is_empty() { buffer } else { &mut self.unread };
        *place = input;
        more
    }
}

fn write(stream: &mut TcpStream, bytes: &mut dyn Buf) -> io::Result<()> {
    while bytes.has_remaining() {
        let mut pieces = [IoSlice::new(&[]); 16];
        let n = bytes.chunks_vectored(&mut pieces);
        match stream.write_vectored(&pieces[..n]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => bytes.advance(n),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Bytes read at once.
const BLOCK: usize = 16 * 1024;
