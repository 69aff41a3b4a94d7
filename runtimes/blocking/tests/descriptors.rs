//! What a connection costs besides memory: no thread, and no descriptor that stays. Alone in its process, in which it counts.

#![cfg(target_os = "linux")]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sansocket_blocking::{ClientConfig, ClientRequest, CloseCode, Message, accept, client};

/// These tests are about streams of TCP, or of their own.
type WebSocket<S = TcpStream> = sansocket_blocking::WebSocket<S>;

fn count(what: &str) -> usize {
    fs::read_dir(format!("/proc/self/{what}")).unwrap().count()
}

/// The threads and descriptors of this process become so many. The system takes its time to forget a thread that has been joined.
#[track_caller]
fn assert_counts(expected: (usize, usize), what: &str) {
    for _ in 0..500 {
        if (count("task"), count("fd")) == expected {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!((count("task"), count("fd")), expected, "{what}");
}

fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (one, listener.accept().unwrap().0)
}

/// Both ends of a connection.
fn pair() -> (WebSocket, WebSocket) {
    let (one, other) = tcp();
    let server = thread::spawn(move || accept(one).unwrap());
    let client = client(other, &ClientRequest::new("ws://h/").unwrap(), &ClientConfig::default()).unwrap();
    (server.join().unwrap(), client)
}

/// Messages both ways, in four threads.
fn converse((server, client): (WebSocket, WebSocket)) {
    let threads = [server, client].map(|socket| {
        let (mut reading, writing) = socket.split();
        let writer = thread::spawn(move || {
            for i in 0..100 {
                writing.send("x".repeat(i * 1000)).unwrap();
            }
        });
        let reader = thread::spawn(move || {
            for i in 0..100 {
                assert_eq!(reading.recv().unwrap().unwrap().len(), i * 1000);
            }
            // Without its reader a connection ends, and its writer may not be done.
            reading
        });
        (writer, reader)
    });
    let readers = threads.map(|(writer, reader)| {
        writer.join().unwrap();
        reader
    });
    for reader in readers {
        reader.join().unwrap();
    }
}

#[test]
fn threads_and_descriptors_are_those_of_the_application() {
    let before = (count("task"), count("fd"));
    for _ in 0..5 {
        let (server, mut client) = pair();
        assert_counts((before.0, before.1 + 2), "open, and nobody waits");
        let echo = thread::spawn(move || {
            let mut server = server;
            while let Some(message) = server.recv().unwrap() {
                server.send(message).unwrap();
            }
            server
        });
        client.send("hello").unwrap();
        assert_eq!(client.recv().unwrap(), Some(Message::from("hello")));
        assert_eq!(count("task"), before.0 + 1, "that of the server");
        assert!(client.close(CloseCode::NORMAL, "").unwrap().is_clean());
        let server = echo.join().unwrap();
        assert_eq!(count("fd"), before.1, "TCP ends with the connection, not with its last handle");
        drop((client, server));

        converse(pair());
        assert_counts(before, "all is over");
    }

    // With no descriptor left, to wait needs more time and works all the same.
    let open = pair();
    let (mut server, mut client) = pair();
    let limit = getrlimit(Resource::Nofile);
    // All below the lowest that is free are used.
    let free = fs::File::open("/dev/null").unwrap().as_raw_fd();
    setrlimit(Resource::Nofile, Rlimit { current: Some(free as u64), ..limit }).unwrap();
    TcpListener::bind("127.0.0.1:0").unwrap_err();
    converse(open);
    let echo = thread::spawn(move || server.recv().unwrap());
    client.send("hello").unwrap();
    assert_eq!(echo.join().unwrap(), Some(Message::from("hello")));
    assert_eq!(client.recv().unwrap(), None);
    setrlimit(Resource::Nofile, limit).unwrap();
}
