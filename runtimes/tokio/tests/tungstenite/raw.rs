//! Peers that are bytes: what the programs see of them on both libraries.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream as RawStream};
use std::thread;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Trace, connected, ours, run, theirs};

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A peer that writes `bytes`, ends its stream, and reads what comes.
fn send_all(stream: tokio::net::TcpStream, bytes: Vec<u8>) -> thread::JoinHandle<Vec<u8>> {
    let mut stream: RawStream = stream.into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    thread::spawn(move || {
        let mut answer = Vec::new();
        // As a client: what follows the request is sent when it was answered.
        match bytes.strip_prefix(REQUEST.as_bytes()) {
            Some(frames) if !frames.is_empty() => {
                stream.write_all(REQUEST.as_bytes()).unwrap();
                let mut head = [0; 1024];
                let len = stream.read(&mut head).unwrap();
                answer.extend_from_slice(&head[..len]);
                let _ = stream.write_all(frames);
            }
            _ => stream.write_all(&bytes).unwrap(),
        }
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut answer);
        answer
    })
}

/// What a server on each library sees of a client that sends these bytes.
fn of_client(bytes: impl Into<Vec<u8>>) -> [Trace; 2] {
    let bytes = bytes.into();
    run(async {
        let mut traces = Vec::new();
        for on_ours in [false, true] {
            let (server, client) = connected().await;
            let peer = send_all(client, bytes.clone());
            traces.push(match on_ours {
                true => ours::programs::accept_strictly(server).await,
                false => theirs::programs::accept_strictly(server).await,
            });
            peer.join().unwrap();
        }
        traces.try_into().unwrap()
    })
}

/// What a client on each library sees of a server that sends these bytes when it has the request.
fn of_server(bytes: &'static str) -> [Trace; 2] {
    run(async {
        let mut traces = Vec::new();
        for on_ours in [false, true] {
            let (server, client) = connected().await;
            let peer = tokio::task::spawn_blocking(move || {
                let mut server: RawStream = server.into_std().unwrap();
                server.set_nonblocking(false).unwrap();
                let mut request = [0; 2048];
                let len = server.read(&mut request).unwrap();
                let request = String::from_utf8_lossy(&request[..len]).to_ascii_lowercase();
                let key = request.find("sec-websocket-key: ").unwrap() + 19;
                let _ = server.write_all(bytes.as_bytes());
                let _ = server.shutdown(Shutdown::Both);
                assert_eq!(request[key..].find("\r\n"), Some(24));
            });
            traces.push(match on_ours {
                true => ours::programs::connect_to_anything(client).await,
                false => theirs::programs::connect_to_anything(client).await,
            });
            peer.await.unwrap();
        }
        traces.try_into().unwrap()
    })
}

fn without(line: &str) -> String {
    let start = REQUEST.find(line).unwrap();
    let end = start + REQUEST[start..].find("\r\n").unwrap() + 2;
    [&REQUEST[..start], &REQUEST[end..]].concat()
}

#[test]
fn a_request_that_breaks_a_rule() {
    let requests = [
        String::new(),
        "G".to_owned(),
        REQUEST[..60].to_owned(),
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
        REQUEST.replace("GET", "POST"),
        REQUEST.replace("HTTP/1.1", "HTTP/1.0"),
        without("Connection"),
        REQUEST.replace("Connection: Upgrade", "Connection: close"),
        without("Upgrade: websocket"),
        REQUEST.replace("websocket\r\n", "h2c\r\n"),
        without("Sec-WebSocket-Version"),
        REQUEST.replace("Version: 13", "Version: 8"),
        without("Sec-WebSocket-Key"),
        REQUEST.replace("dGhlIHNhbXBsZSBub25jZQ==", "short"),
        // TLS on a port without.
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}".to_owned(),
        "SSH-2.0-OpenSSH_9.7\r\n".to_owned(),
    ];
    for request in requests {
        let [theirs, ours] = of_client(request.as_str());
        assert_eq!(ours, theirs, "{request:?}");
        assert_eq!(ours.len(), 1, "{ours:?}");
        assert!(ours[0].starts_with("Protocol("), "{ours:?}");
    }
}

#[test]
fn what_differs_of_requests() {
    // There it is open; then the client is gone.
    let traces = of_client(without("Host").as_str()).map(|trace| trace[0].clone());
    assert_eq!(traces, ["Protocol(ResetWithoutClosingHandshake)", "Io InvalidData"]);
}

#[test]
fn what_differs_of_what_follows_a_request() {
    // In the same read as the request: there it is junk.
    let early = [REQUEST.as_bytes(), &frame(0x81, b"early")].concat();
    let traces = run(async {
        let mut traces = Vec::new();
        for on_ours in [false, true] {
            let (server, mut client) = connected().await;
            client.write_all(&early).await.unwrap();
            let server = tokio::spawn(async move {
                match on_ours {
                    true => ours::programs::accept_strictly(server).await,
                    false => theirs::programs::accept_strictly(server).await,
                }
            });
            let mut answer = [0; 1024];
            let _ = client.read(&mut answer).await.unwrap();
            client.shutdown().await.unwrap();
            traces.push(server.await.unwrap()[0].clone());
        }
        traces
    });
    assert_eq!(traces, ["Protocol(JunkAfterRequest)", "Text(Utf8Bytes(b\"early\"))"]);
}

#[test]
fn a_response_that_is_no_agreement() {
    for response in [
        "",
        "HTTP/1.1 101 Swi",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nno.\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 302 Found\r\nLocation: http://h/b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
        "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n",
        "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
        "HTTP/1.0 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
    ] {
        let [theirs, ours] = of_server(response);
        assert_eq!(ours, theirs, "{response:?}");
    }
}

/// A frame of a client, masked with the key 0.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() < 126);
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0][..], payload].concat()
}

fn after_request(frames: &[Vec<u8>]) -> [Trace; 2] {
    of_client([REQUEST.as_bytes(), &frames.concat()].concat())
}

#[test]
fn frames_that_break_a_rule_or_a_limit() {
    let hello = || frame(0x81, b"hello");
    for frames in [
        vec![hello()],
        vec![hello(), frame(0xc1, b"rsv")],
        vec![hello(), frame(0x83, b"opcode")],
        vec![hello(), b"\x81\x01a".to_vec()],
        vec![hello(), frame(0x09, b"ping")],
        vec![hello(), frame(0x80, b"more")],
        vec![frame(0x01, b"begun"), frame(0x81, b"again")],
        vec![hello(), frame(0x81, b"\xff")],
        vec![hello(), frame(0x88, b"1")],
        vec![hello(), frame(0x82, &[0; 51])],
        vec![frame(0x02, &[0; 50]), frame(0x00, &[0; 50]), frame(0x80, b"1")],
        vec![hello(), b"\x82\x85\0\0\0\0ab".to_vec()],
        vec![hello(), frame(0x89, b"ping"), frame(0x88, b"\x03\xe8bye")],
        vec![hello(), frame(0x88, b"")],
    ] {
        let [theirs, ours] = after_request(&frames);
        assert_eq!(ours, theirs, "{frames:02x?}");
        assert!(ours.last().unwrap().starts_with("end"), "{ours:?}");
    }
}

#[test]
fn what_differs_of_frames() {
    // A close code that must not be sent: there it is passed on as 1002.
    let [theirs, ours] = after_request(&[frame(0x88, b"\x03\xed")]);
    assert!(theirs[0].contains("Protocol violation"), "{theirs:?}");
    assert_eq!(ours[0], "Protocol(InvalidCloseSequence)");
    // A length in more bytes than it needs: there it is accepted.
    let [theirs, ours] = after_request(&[b"\x81\xfe\0\x01\0\0\0\0a".to_vec()]);
    assert_eq!(theirs[0], "Text(Utf8Bytes(b\"a\"))");
    assert_eq!(ours[0], "Io InvalidData");
}

#[test]
fn a_handshake_that_was_done_elsewhere() {
    run(async {
        for input in [frame(0x81, b"early"), [frame(0x81, b"early"), frame(0x88, b"\x03\xe8")].concat()] {
            let mut traces = Vec::new();
            for on_ours in [false, true] {
                let (server, mut client) = connected().await;
                client.shutdown().await.unwrap();
                traces.push(match on_ours {
                    true => ours::programs::take_over(server, &input).await,
                    false => theirs::programs::take_over(server, &input).await,
                });
            }
            assert_eq!(traces[0], traces[1], "{input:02x?}");
        }
        let mut traces = Vec::new();
        for on_ours in [false, true] {
            let (mut server, client) = connected().await;
            server.write_all(b"\x81\x02hi\x88\x00").await.unwrap();
            server.shutdown().await.unwrap();
            traces.push(match on_ours {
                true => ours::programs::take_over(client, b"").await,
                false => theirs::programs::take_over(client, b"").await,
            });
        }
        assert_eq!(traces[0], traces[1]);
        assert!(traces[0].contains(&"Text(Utf8Bytes(b\"hi\"))".to_owned()), "{traces:?}");
    });
}

#[test]
fn a_peer_that_does_not_read() {
    run(async {
        let (server, _client) = connected().await;
        let theirs = theirs::programs::fill(server).await;
        let (server, _client) = connected().await;
        let ours = ours::programs::fill(server).await;
        assert_eq!(ours, theirs);
        assert_eq!(ours, ["no room", "full, and it is back: true"]);
    });
}
