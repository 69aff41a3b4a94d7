//! Messages and whole connections through `Read` and `Write`.

use std::io::{ErrorKind, Read, Write, copy};
use std::net::TcpListener;
use std::thread;

use sansocket_blocking::sansocket::{Event, MessageKind};
use sansocket_blocking::{CloseCode, Message, WebSocket, accept, connect};

/// What a server does with its WebSocket, in a thread, and a client of it.
fn pair<T: Send + 'static>(
    serve: impl FnOnce(WebSocket<std::net::TcpStream>) -> T + Send + 'static,
) -> (thread::JoinHandle<T>, WebSocket) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || serve(accept(listener.accept().unwrap().0).unwrap()));
    (server, connect(&url).unwrap())
}

#[test]
fn a_message_is_copied_from_and_to_byte_streams() {
    let (server, mut client) = pair(|mut socket| {
        let mut file = Vec::new();
        let mut message = socket.read_message().unwrap().unwrap();
        assert_eq!(message.kind(), MessageKind::Binary);
        copy(&mut message, &mut file).unwrap();
        drop(message);
        assert_eq!(socket.recv().unwrap(), Some(Message::from("end")));
        assert!(socket.read_message().unwrap().is_none());
        file
    });
    let file: Vec<u8> = (0..700_000).map(|i| (i % 251) as u8).collect();
    let mut message = client.write_message(MessageKind::Binary);
    copy(&mut &file[..], &mut message).unwrap();
    message.finish().unwrap();
    client.send("end").unwrap();
    client.close(CloseCode::NORMAL, "").unwrap();
    assert!(server.join().unwrap() == file);
}

#[test]
fn half_a_message_ends_the_connection() {
    let (server, mut client) = pair(|mut socket| {
        let mut message = socket.read_message().unwrap().unwrap();
        let error = message.read_to_end(&mut Vec::new()).unwrap_err();
        drop(message);
        (error, socket.closed().unwrap())
    });
    let mut message = client.write_message(MessageKind::Binary);
    message.write_all(b"half").unwrap();
    message.flush().unwrap();
    drop(message);
    assert!(client.recv().unwrap().is_none());
    let (error, closed) = server.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    assert_eq!(closed.received.unwrap().code(), CloseCode::INTERNAL_ERROR);
}

#[test]
fn a_byte_stream_is_read_and_written() {
    let (server, client) = pair(|socket| {
        let mut stream = socket.into_byte_stream();
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\n") {
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        stream.write_all(&vec![b'r'; 1_000_000]).unwrap();
        stream.shutdown().unwrap();
        assert_eq!(stream.read(&mut byte).unwrap(), 0);
        request
    });
    let mut stream = client.into_byte_stream();
    stream.write_all(b"request\n").unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    assert_eq!(response.len(), 1_000_000);
    assert_eq!(server.join().unwrap(), b"request\n");
}

#[test]
fn control_frames_are_seen() {
    let (server, mut client) = pair(|mut socket| {
        let mut seen = Vec::new();
        while let Some(event) = socket.next_event(|event| format!("{event:?}")).unwrap() {
            seen.push(event);
        }
        seen
    });
    client.ping(b"x").unwrap();
    let pong = |event: Event<'_>| assert_eq!(event, Event::Pong(b"x"));
    assert!(client.next_event(pong).unwrap().is_some());
    client.close(CloseCode::NORMAL, "").unwrap();
    let seen = server.join().unwrap();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[0].starts_with("Ping(") && seen[1].starts_with("Close("), "{seen:?}");
}

/// What was read first is not lost when the stream is split, and each direction waits for itself alone.
#[test]
fn a_byte_stream_in_halves_goes_both_ways_at_once() {
    let (server, client) = pair(|socket| {
        let mut stream = socket.into_byte_stream();
        let mut first = [0; 2];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"go");
        let (mut reader, mut writer) = stream.split();
        let writing = thread::spawn(move || {
            writer.write_all(&vec![b's'; 3_000_000]).unwrap();
            writer.flush().unwrap();
            writer
        });
        let mut received = Vec::new();
        reader.by_ref().take(3_000_000).read_to_end(&mut received).unwrap();
        let mut writer = writing.join().unwrap();
        writer.shutdown().unwrap();
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
        received
    });
    let (mut reader, mut writer) = client.into_byte_stream().split();
    let writing = thread::spawn(move || {
        writer.write_all(&[&b"go"[..], &vec![b'c'; 3_000_000]].concat()).unwrap();
    });
    let mut received = Vec::new();
    reader.read_to_end(&mut received).unwrap();
    writing.join().unwrap();
    assert!(received == vec![b's'; 3_000_000]);
    assert!(server.join().unwrap() == vec![b'c'; 3_000_000]);
}
