//! What only a blocking adapter promises: what happens while a call waits, between calls, and in several threads.

#![cfg(unix)]

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use sansocket_blocking::{
    Accept, Answer, AnyRequest, Cause, ClientConfig, ClientRequest, CloseCode, Connector, Error, Message,
    Received, Reject, ServerConfig, Stream, accept, accept_or_answer, accept_with, client, receive_any,
};

/// These tests are about streams of TCP, or of their own.
type WebSocket<S = TcpStream> = sansocket_blocking::WebSocket<S>;

/// Much longer than anything here takes, and much shorter than any default limit.
const SOON: Duration = Duration::from_secs(4);

fn request() -> ClientRequest {
    ClientRequest::new("ws://h/").unwrap()
}

/// Both ends of a TCP connection.
fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (one, listener.accept().unwrap().0)
}

/// A server and a client on any pair of streams.
fn open<S: Stream>((one, other): (S, S), config: &ServerConfig) -> (WebSocket<S>, WebSocket<S>) {
    let config = config.clone();
    let server = thread::spawn(move || accept_with(one, &config, |_| Ok(Accept::new())).unwrap());
    let client = client(other, &request(), &ClientConfig::default()).unwrap();
    (server.join().unwrap(), client)
}

/// A server whose client is a raw stream that has been answered.
fn raw_client(config: &ServerConfig) -> (WebSocket, TcpStream) {
    let (one, raw) = tcp();
    raw_client_on(one, raw, config)
}

fn raw_client_on<S: Stream>(one: S, mut raw: S, config: &ServerConfig) -> (WebSocket<S>, S) {
    raw.write_all(
        b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    .unwrap();
    let server = accept_with(one, config, |_| Ok(Accept::new())).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        raw.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    (server, raw)
}

fn pair() -> (WebSocket, WebSocket) {
    open(tcp(), &ServerConfig::default())
}

/// A message that no socket takes in one piece.
fn large() -> Message {
    vec![7; 8 * 1024 * 1024].into()
}

#[test]
fn a_wait_ends_when_its_time_is_over_and_loses_nothing() {
    let (mut server, mut client) = pair();
    assert_eq!(client.recv_timeout(Duration::ZERO).unwrap(), Received::TimedOut);
    let begun = Instant::now();
    assert_eq!(client.recv_timeout(Duration::from_millis(30)).unwrap(), Received::TimedOut);
    assert!(begun.elapsed() >= Duration::from_millis(30));

    let sender = thread::spawn(move || {
        server.send(large()).unwrap();
        server.close(CloseCode::NORMAL, "").unwrap()
    });
    let message = loop {
        // Most of these waits end inside of the message.
        match client.recv_timeout(Duration::from_micros(50)).unwrap() {
            Received::TimedOut => {}
            received => break received,
        }
    };
    assert!(message == Received::Message(large()));
    assert_eq!(client.recv_timeout(Duration::MAX).unwrap(), Received::Closed);
    assert!(sender.join().unwrap().is_clean());
}

#[test]
fn a_look_without_waiting_answers_pings() {
    let (mut server, mut raw) = raw_client(&ServerConfig::default());
    // A Ping without payload, masked with zeros.
    raw.write_all(&[0x89, 0x80, 0, 0, 0, 0]).unwrap();
    raw.set_nonblocking(true).unwrap();
    let begun = Instant::now();
    let mut pong = [0; 2];
    while raw.read_exact(&mut pong).is_err() {
        assert!(begun.elapsed() < SOON, "no Pong");
        assert_eq!(server.recv_timeout(Duration::ZERO).unwrap(), Received::TimedOut);
    }
    assert_eq!(pong, [0x8A, 0]);
}

#[test]
fn who_was_busy_between_calls_does_not_blame_the_peer() {
    let mut config = ServerConfig::default();
    config.timeouts.ping_interval = Some(Duration::from_millis(10));
    config.timeouts.pong = Some(Duration::from_millis(400));
    let (mut server, mut client) = open(tcp(), &config);
    let client = thread::spawn(move || client.recv().unwrap());
    for _ in 0..3 {
        // Long enough for a Ping, and then too long for its Pong, which has come and waits to be read.
        assert_eq!(server.recv_timeout(Duration::from_millis(30)).unwrap(), Received::TimedOut);
        thread::sleep(Duration::from_millis(500));
    }
    assert!(server.close(CloseCode::NORMAL, "").unwrap().is_clean());
    assert_eq!(client.join().unwrap(), None);
}

#[test]
fn a_writer_that_waits_is_told_when_its_reader_is_dropped() {
    let (server, _raw) = raw_client(&ServerConfig::default());
    let (reading, writing) = server.split();
    let writers: Vec<_> = (0..2)
        .map(|_| {
            let writing = writing.clone();
            thread::spawn(move || {
                // Nobody reads, so the first of these may be taken and some later one waits.
                loop {
                    if let Err(error) = writing.send(large()) {
                        return error;
                    }
                }
            })
        })
        .collect();
    thread::sleep(Duration::from_millis(100));
    let begun = Instant::now();
    drop(reading);
    assert!(begun.elapsed() < SOON, "to drop does not wait");
    for writer in writers {
        let error = writer.join().unwrap();
        assert!(matches!(error, Error::Closed { .. }), "{error}");
    }
    assert!(begun.elapsed() < SOON, "writers wait for nothing any more");
}

#[test]
fn a_reader_that_waits_heeds_a_limit_that_another_thread_has_begun() {
    let mut config = ServerConfig::default();
    config.timeouts.ping_interval = None;
    config.timeouts.close = Duration::from_millis(100);
    // A client that does not answer the Close frame.
    let (server, _raw) = raw_client(&config);
    let (mut reading, writing) = server.split();
    let reader = thread::spawn(move || reading.recv());
    thread::sleep(Duration::from_millis(50));
    let begun = Instant::now();
    writing.close(CloseCode::NORMAL, "").unwrap();
    let Err(Error::Closed { closed, .. }) = reader.join().unwrap() else { panic!("an answer came") };
    assert!(matches!(closed.cause, Cause::CloseTimeout(_)), "{closed}");
    assert!(begun.elapsed() < SOON);
}

#[test]
fn a_sender_heeds_keepalive_while_the_peer_neither_reads_nor_writes() {
    let mut config = ServerConfig::default();
    config.timeouts.ping_interval = Some(Duration::from_millis(50));
    config.timeouts.pong = Some(Duration::from_millis(50));
    config.timeouts.close = Duration::from_millis(50);
    let (mut server, _raw) = raw_client(&config);
    let begun = Instant::now();
    let error = loop {
        if let Err(error) = server.send(large()) {
            break error;
        }
    };
    assert!(matches!(error, Error::Closed { .. } | Error::Lost(_)), "{error}");
    assert!(begun.elapsed() < SOON);
}

#[test]
fn replies_to_many_messages_of_one_read_leave_although_nothing_follows() {
    let (mut server, mut client) = pair();
    let count = 200;
    for i in 0..count {
        client.send(i.to_string()).unwrap();
    }
    // All of them are there, most likely, and the server sends each reply before it looks at the next message.
    for _ in 0..count {
        let message = server.recv().unwrap().unwrap();
        server.send(message.clone()).unwrap();
        assert_eq!(client.recv_timeout(SOON).unwrap(), Received::Message(message));
    }
}

#[test]
fn a_reply_waits_for_room_although_more_input_is_there() {
    // Not TCP, whose buffers grow.
    let (one, raw) = UnixStream::pair().unwrap();
    let elsewhere = one.try_clone().unwrap();
    let (mut server, mut raw) = raw_client_on(one, raw, &ServerConfig::default());
    // Two empty messages, of which the second is left in the input.
    raw.write_all(&[0x82, 0x80, 0, 0, 0, 0, 0x82, 0x80, 0, 0, 0, 0]).unwrap();
    server.recv().unwrap().unwrap();
    // Now the socket is filled from elsewhere.
    let mut filled = 0;
    while let Ok(written) = (&elsewhere).write(&[0; 4096]) {
        filled += written;
    }
    let reply = thread::spawn(move || {
        server.send("reply").unwrap();
        server
    });
    thread::sleep(Duration::from_millis(100));
    assert!(!reply.is_finished(), "nothing could be written yet");
    let mut received = vec![0; filled + 7];
    raw.read_exact(&mut received).unwrap();
    assert_eq!(&received[filled..], b"\x81\x05reply");
    reply.join().unwrap();
}

#[test]
fn both_ends_may_send_at_once() {
    let (server, client) = pair();
    let ends = [server, client].map(|mut socket| {
        thread::spawn(move || {
            // Neither could go on if it did not receive meanwhile.
            socket.send(large()).unwrap();
            assert!(socket.recv().unwrap() == Some(large()));
            socket
        })
    });
    for end in ends {
        end.join().unwrap();
    }
}

#[test]
fn a_decision_may_wait_for_another_server() {
    let (mut directory, asked) = pair();
    let directory = thread::spawn(move || {
        let question = directory.recv().unwrap().unwrap();
        directory.send(question).unwrap();
        directory.recv().unwrap()
    });
    let (one, other) = tcp();
    let server = thread::spawn(move || {
        let mut asked = asked;
        let refused = accept_with(one, &ServerConfig::default(), |request| {
            asked.send(request.target()).unwrap();
            let answer = asked.recv().unwrap().unwrap();
            Err(Reject::new(404).field("X-Answer", answer.as_text().unwrap()).unwrap())
        });
        // The refusal was waited for after the answer, until the client had it.
        refused.err().unwrap()
    });
    let request = ClientRequest::new("ws://h/who").unwrap();
    let begun = Instant::now();
    let error = client(other, &request, &ClientConfig::default()).err().unwrap();
    assert!(error.to_string().contains("404"), "{error}");
    let error = server.join().unwrap();
    assert!(error.to_string().contains("404"), "{error}");
    assert!(begun.elapsed() < SOON);
    assert_eq!(directory.join().unwrap(), None);
}

#[test]
fn plain_http_is_answered() {
    let mut config = ServerConfig::default();
    config.plain_http = true;
    let asked = || {
        let (one, mut raw) = tcp();
        raw.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        let peer = thread::spawn(move || {
            let mut answer = String::new();
            raw.read_to_string(&mut answer).unwrap();
            answer
        });
        (one, peer)
    };
    let (one, peer) = asked();
    let accepted = accept_or_answer(one, &config, |_| Ok(Accept::new()), |_| Answer::new(200)).unwrap();
    assert!(accepted.is_none());
    let answer = peer.join().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    // The answer may also take its time.
    let (one, peer) = asked();
    let AnyRequest::Http(page) = receive_any(one, &config).unwrap() else { panic!("a page") };
    assert_eq!(page.request().target(), "/healthz");
    page.answer(Answer::new(204));
    let answer = peer.join().unwrap();
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
}

#[test]
fn a_unix_stream_is_as_good() {
    let (mut server, mut client) = open(UnixStream::pair().unwrap(), &ServerConfig::default());
    let echo = thread::spawn(move || {
        while let Some(message) = server.recv().unwrap() {
            server.send(message).unwrap();
        }
    });
    client.send(large()).unwrap();
    assert!(client.recv().unwrap() == Some(large()));
    assert!(client.close(CloseCode::NORMAL, "").unwrap().is_clean());
    echo.join().unwrap();
}

/// A stream that takes and gives little at a time, is interrupted, and says good-bye before it ends.
struct Stingy {
    stream: UnixStream,
    calls: usize,
}

impl Stingy {
    fn allowance(&mut self) -> io::Result<usize> {
        self.calls += 1;
        match self.calls % 5 {
            0 => Err(io::ErrorKind::Interrupted.into()),
            1 => Err(io::ErrorKind::WouldBlock.into()),
            some => Ok(some * 100),
        }
    }
}

impl Read for Stingy {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.allowance()?.min(buffer.len());
        self.stream.read(&mut buffer[..most])
    }
}

impl Write for Stingy {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let most = self.allowance()?.min(data.len());
        self.stream.write(&data[..most])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.allowance().map(drop)
    }
}

impl AsFd for Stingy {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Stream for Stingy {}

#[test]
fn a_stream_of_ones_own_may_be_stingy() {
    let (one, other) = UnixStream::pair().unwrap();
    let streams = (Stingy { stream: one, calls: 0 }, Stingy { stream: other, calls: 2 });
    let (mut server, mut client) = open(streams, &ServerConfig::default());
    let echo = thread::spawn(move || {
        while let Some(message) = server.recv().unwrap() {
            server.send(message).unwrap();
        }
    });
    let message = Message::from(vec![b'x'; 20_000]);
    for _ in 0..3 {
        client.send(message.clone()).unwrap();
    }
    for _ in 0..3 {
        assert_eq!(client.recv().unwrap().as_ref(), Some(&message));
    }
    assert!(client.close(CloseCode::NORMAL, "").unwrap().is_clean());
    echo.join().unwrap();
}

#[test]
fn a_dropped_websocket_says_good_bye_and_a_panic_says_so() {
    let (mut server, dropped) = pair();
    drop(dropped);
    assert_eq!(server.recv().unwrap(), None);
    assert_eq!(server.closed().unwrap().received.unwrap().code(), CloseCode::GOING_AWAY);

    let (one, other) = tcp();
    let failing = thread::spawn(move || {
        let _socket = accept(one).unwrap();
        panic!("on purpose");
    });
    let mut client = client(other, &request(), &ClientConfig::default()).unwrap();
    assert_eq!(client.recv().unwrap(), None);
    assert_eq!(client.closed().unwrap().received.unwrap().code(), CloseCode::INTERNAL_ERROR);
    assert!(failing.join().is_err());
}

#[test]
fn the_time_for_a_pong_goes_by_the_interval_unless_it_is_set() {
    let secs = |seconds| Some(Duration::from_secs(seconds));
    let limits =
        |connector: Connector| (connector.client.timeouts.ping_interval, connector.client.timeouts.pong);
    assert_eq!(limits(Connector::default().heartbeat_interval(secs(7))), (secs(7), secs(7)));
    let set = Connector::default().heartbeat_timeout(secs(20)).heartbeat_interval(secs(7));
    assert_eq!(limits(set), (secs(7), secs(20)));
}

#[test]
fn a_thread_that_sends_nothing_can_wait_for_the_end() {
    for drops in [false, true] {
        let (server, mut client) = pair();
        let (mut reading, writing) = server.split();
        assert!(writing.closed().is_none());
        let waiting = thread::spawn({
            let writing = writing.clone();
            move || writing.wait_closed()
        });
        client.send("no end").unwrap();
        assert_eq!(reading.recv().unwrap(), Some("no end".into()));
        assert!(!waiting.is_finished() && writing.closed().is_none());
        if drops {
            drop(reading);
        } else {
            let closing = thread::spawn(move || client.close(CloseCode::NORMAL, "").unwrap());
            assert!(reading.recv().unwrap().is_none());
            assert!(closing.join().unwrap().is_clean());
        }
        let closed = waiting.join().unwrap();
        assert_eq!(closed.is_clean(), !drops, "{closed}");
        assert_eq!(writing.closed(), Some(closed.clone()));
        assert_eq!(writing.wait_closed(), closed, "it is there for who asks again");
    }
}
