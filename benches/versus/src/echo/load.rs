//! The load: connections that send a number of messages at once and wait for all their echoes, again and again.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream as StdStream};
use std::sync::Arc;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::process::settle_congestion;
use crate::codec::head;
use crate::work;

/// What is sent.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Bytes of payload data in a message.
    pub(crate) size: usize,
    pub(crate) connections: usize,
    /// Messages that a connection sends at once.
    pub(crate) in_flight: usize,
}

/// Open connections to a server.
pub(crate) struct Load {
    poll: Poll,
    connections: Vec<Connection>,
    shape: Shape,
    /// What is sent at once, and what must come back.
    request: Arc<[u8]>,
    reply: Arc<[u8]>,
    scratch: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    to_write: usize,
    to_read: usize,
    /// The Pong that is owed. It leaves between frames.
    pong: Vec<u8>,
}

impl Load {
    /// Opens the connections. A server that sends back what it gets, masked as it is, is a `mirror`.
    pub(crate) fn open(server: SocketAddr, shape: Shape, mirror: bool) -> io::Result<Self> {
        let payload: Vec<u8> = (0..=u8::MAX).cycle().take(shape.size).collect();
        let (mut request, mut reply) = (Vec::new(), Vec::new());
        for _ in 0..shape.in_flight {
            work::frame(&mut request, 0x82, &payload, Some([0x37, 0xFA, 0x21, 0x3D]));
            work::frame(&mut reply, 0x82, &payload, None);
        }
        if mirror {
            reply.clone_from(&request);
        }
        let poll = Poll::new()?;
        let connections = (0..shape.connections)
            .map(|index| {
                let stream = connect(server)?;
                stream.set_nonblocking(true)?;
                let mut stream = TcpStream::from_std(stream);
                let interest = Interest::READABLE | Interest::WRITABLE;
                poll.registry().register(&mut stream, Token(index), interest)?;
                Ok(Connection { stream, to_write: 0, to_read: 0, pong: Vec::new() })
            })
            .collect::<io::Result<_>>()?;
        let (request, reply) = (request.into(), reply.into());
        Ok(Self { poll, connections, shape, request, reply, scratch: vec![0; 256 * 1024] })
    }

    /// Answers the Pings that came while nothing was sent. Without it, servers end connections that are quiet for long.
    pub(crate) fn attend(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        self.poll.poll(&mut events, Some(Duration::ZERO))?;
        for event in events.iter().filter(|event| event.is_readable()) {
            let Some(connection) = self.connections.get_mut(event.token().0) else { continue };
            connection.read_frames(&self.reply, self.reply.len(), &mut self.scratch, true)?;
        }
        Ok(())
    }

    /// Sends so many times at once, by whichever connection is done with its last; gives the number of messages.
    ///
    /// With `compare`, every byte that comes back is looked at.
    pub(crate) fn run(&mut self, times: usize, compare: bool) -> io::Result<usize> {
        let frame = self.reply.len() / self.shape.in_flight;
        let (mut left, mut open) = (times, 0);
        for connection in self.connections.iter_mut().take(times) {
            left -= 1;
            open += 1;
            connection.begin(&self.request, &self.reply);
            connection.write(&self.request)?;
        }
        let mut events = Events::with_capacity(1024);
        while open > 0 {
            self.poll.poll(&mut events, None)?;
            for event in &events {
                let Some(connection) = self.connections.get_mut(event.token().0) else { continue };
                if event.is_writable() {
                    connection.write(&self.request)?;
                }
                // One that is done may still be told that it is writable.
                if !event.is_readable() || connection.to_read == 0 {
                    continue;
                }
                while connection.read(&self.reply, frame, &mut self.scratch, compare)? {
                    if left == 0 {
                        open -= 1;
                        break;
                    }
                    left -= 1;
                    connection.begin(&self.request, &self.reply);
                    connection.write(&self.request)?;
                }
            }
        }
        Ok(times * self.shape.in_flight)
    }
}

impl Connection {
    fn begin(&mut self, request: &[u8], reply: &[u8]) {
        (self.to_write, self.to_read) = (request.len(), reply.len());
    }

    fn write(&mut self, request: &[u8]) -> io::Result<()> {
        while self.to_write > 0 {
            match self.stream.write(&request[request.len() - self.to_write..]) {
                Ok(written) => self.to_write -= written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        if !self.pong.is_empty() {
            // A few bytes, when everything else has been taken.
            self.stream.write_all(&self.pong)?;
            self.pong.clear();
        }
        Ok(())
    }

    /// Reads what is there; whether the last byte of the reply was among it. A frame of the reply has `frame` bytes.
    fn read(&mut self, reply: &[u8], frame: usize, scratch: &mut [u8], compare: bool) -> io::Result<bool> {
        while self.to_read > 0 {
            // With less than a full buffer there is nothing more; the next event says when there is.
            if self.read_frames(reply, frame, scratch, compare)? < scratch.len() && self.to_read > 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// One read; between the frames of the reply may be Pings. Gives the number of bytes.
    fn read_frames(
        &mut self,
        reply: &[u8],
        frame: usize,
        scratch: &mut [u8],
        compare: bool,
    ) -> io::Result<usize> {
        let read = match self.stream.read(scratch) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut data = &scratch[..read];
        while let Some(&first) = data.first() {
            let at = reply.len() - self.to_read;
            let wrong = |what| Err(io::Error::new(ErrorKind::InvalidData, what));
            if at % frame == 0 && first == PING {
                let Some(payload) = data.get(1).and_then(|len| data.get(2..2 + usize::from(*len))) else {
                    return wrong("a Ping in two pieces");
                };
                self.pong.clear();
                work::frame(&mut self.pong, 0x8A, payload, Some([1, 2, 3, 4]));
                data = &data[2 + payload.len()..];
                if self.to_write == 0 {
                    self.write(&[])?;
                }
                continue;
            }
            let len = data.len().min(frame - at % frame).min(self.to_read);
            if len == 0 {
                return wrong("the server sends what was not asked for");
            }
            if compare && data[..len] != reply[at..at + len] {
                return wrong("the echo is not what was sent");
            }
            self.to_read -= len;
            data = &data[len..];
        }
        Ok(read)
    }
}

/// The first byte of a Ping.
const PING: u8 = 0x89;

/// Connects and does the opening handshake.
pub(crate) fn connect(server: SocketAddr) -> io::Result<StdStream> {
    let mut socket = StdStream::connect(server)?;
    socket.set_nodelay(true)?;
    settle_congestion(&socket);
    socket.write_all(&head(0))?;
    let (mut reply, mut len) = ([0; 1024], 0);
    while !reply[..len].ends_with(b"\r\n\r\n") {
        match socket.read(&mut reply[len..])? {
            0 => {
                return Err(io::Error::new(
                    ErrorKind::UnexpectedEof,
                    String::from_utf8_lossy(&reply[..len]).into_owned(),
                ));
            }
            read => len += read,
        }
    }
    if reply.starts_with(b"HTTP/1.1 101 ") {
        Ok(socket)
    } else {
        Err(io::Error::new(ErrorKind::InvalidData, String::from_utf8_lossy(&reply[..len]).into_owned()))
    }
}
