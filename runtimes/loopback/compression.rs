//! Compressed messages over loopback TCP.

use std::io::{Read, Write};
use std::net::TcpStream as RawStream;
use std::thread;

use super::adapter::sansocket::{DeflateConfig, Prepared};
use super::adapter::{
    Accept, ClientConfig, ClientRequest, CloseCode, Message, ServerConfig, accept_with, connect_with,
};
use super::runtime::{self, run, spawn};
use super::{REQUEST, listen};

/// A configuration of each end that compresses.
pub(crate) fn compressing(deflate: &DeflateConfig) -> (ServerConfig, ClientConfig) {
    let (mut server, mut client) = (ServerConfig::default(), ClientConfig::default());
    (server.deflate, client.deflate) = (Some(deflate.clone()), Some(deflate.clone()));
    (server, client)
}

#[test]
fn compressed_messages_of_every_size_come_back() {
    for deflate in [DeflateConfig::default(), DeflateConfig::with_context_takeover()] {
        run(async {
            let (server_config, client_config) = compressing(&deflate);
            let (listener, address) = listen().await;
            let server = spawn(async move {
                let (stream, _) = listener.accept().await.unwrap();
                let mut socket = accept_with(stream, &server_config, |_| Ok(Accept::new())).await.unwrap();
                assert!(socket.deflate().is_some());
                while let Some(message) = socket.recv().await.unwrap() {
                    socket.send(message).await.unwrap();
                }
                socket.closed().unwrap().counts
            });
            let request = ClientRequest::new(&format!("ws://{address}")).unwrap();
            let mut socket = connect_with(&request, &client_config).await.unwrap();
            assert!(socket.deflate().is_some());
            let mut sent = 0;
            for len in [0, 1, 125, 255, 256, 65_535, 65_536, 1_000_000] {
                let binary = Message::from((0..len).map(|i: u32| (i / 7) as u8).collect::<Vec<u8>>());
                let text = Message::from("é".repeat(len as usize / 2));
                for message in [binary, text] {
                    sent += message.len() as u64;
                    socket.send(message.clone()).await.unwrap();
                    assert!(socket.recv().await.unwrap() == Some(message), "{len} bytes");
                }
            }
            assert!(socket.close(CloseCode::NORMAL, "").await.unwrap().is_clean());
            let counts = runtime::join(server).await;
            assert_eq!(counts.messages_received, 16);
            assert!(counts.bytes_received < sent / 10, "{} bytes for {sent}", counts.bytes_received);
            assert!(counts.bytes_sent < sent / 10, "{} bytes for {sent}", counts.bytes_sent);
        });
    }
}

#[test]
fn some_messages_uncompressed_and_some_to_many() {
    run(async {
        let (server_config, client_config) = compressing(&DeflateConfig::with_context_takeover());
        let (listener, address) = listen().await;
        let news = Prepared::new("the same for all. ".repeat(1_000));
        let prepared = news.clone();
        let server = spawn(async move {
            let mut lens = Vec::new();
            for _ in 0..3 {
                let (stream, _) = listener.accept().await.unwrap();
                let mut socket = accept_with(stream, &server_config, |_| Ok(Accept::new())).await.unwrap();
                socket.send("before. ".repeat(100)).await.unwrap();
                socket.send_prepared(&prepared).await.unwrap();
                socket.send_uncompressed("a secret. ".repeat(100)).await.unwrap();
                socket.send("after. ".repeat(100)).await.unwrap();
                lens.push(socket.close(CloseCode::NORMAL, "").await.unwrap().counts.bytes_sent);
            }
            lens
        });
        for _ in 0..3 {
            let request = ClientRequest::new(&format!("ws://{address}")).unwrap();
            let mut socket = connect_with(&request, &client_config).await.unwrap();
            let mut texts = Vec::new();
            while let Some(message) = socket.recv().await.unwrap() {
                texts.push(message.into_text().unwrap());
            }
            let news = String::from_utf8(news.as_bytes().to_vec()).unwrap();
            let expected = ["before. ".repeat(100), news, "a secret. ".repeat(100), "after. ".repeat(100)];
            assert!(texts == expected, "{texts:?}");
        }
        for len in runtime::join(server).await {
            assert!(
                (1_000..2_000).contains(&len),
                "{len} bytes: one message as it is, the others compressed"
            );
        }
    });
}

#[test]
fn compression_needs_both_ends() {
    run(async {
        let (server_config, client_config) = compressing(&DeflateConfig::default());
        // A server that does not want it, one that declines it for this connection, and a client that does not offer it.
        let plain = (ServerConfig::default(), ClientConfig::default());
        let declined = Accept::new().uncompressed();
        for (server_config, decision, client_config) in [
            (plain.0, Accept::new(), client_config.clone()),
            (server_config.clone(), declined, client_config),
            (server_config, Accept::new(), plain.1),
        ] {
            let (listener, address) = listen().await;
            let server = spawn(async move {
                let (stream, _) = listener.accept().await.unwrap();
                let mut socket = accept_with(stream, &server_config, |_| Ok(decision)).await.unwrap();
                assert_eq!(socket.deflate(), None);
                socket.send("x".repeat(5_000)).await.unwrap();
                socket.close(CloseCode::NORMAL, "").await.unwrap().counts.bytes_sent
            });
            let request = ClientRequest::new(&format!("ws://{address}")).unwrap();
            let mut socket = connect_with(&request, &client_config).await.unwrap();
            assert_eq!(socket.deflate(), None);
            assert_eq!(socket.recv().await.unwrap(), Some(Message::from("x".repeat(5_000))));
            assert_eq!(socket.recv().await.unwrap(), None);
            assert!(runtime::join(server).await > 5_000);
        }
    });
}

#[test]
fn a_bomb_over_tcp_is_answered_with_1009() {
    run(async {
        let (server_config, _) = compressing(&DeflateConfig::default());
        let (listener, address) = listen().await;
        let peer = thread::spawn(move || {
            let mut stream = RawStream::connect(address).unwrap();
            let head = String::from_utf8(REQUEST.to_vec()).unwrap();
            let offer = "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
            stream.write_all(head.replace("\r\n\r\n", offer).as_bytes()).unwrap();
            // A block whose bytes become 1,032 zeros each: what begins one, and then zeros.
            let begin = [0xEC, 0xC1, 0x01, 0x01, 0x00, 0x00, 0x00, 0x80, 0x90, 0xFE, 0xAF, 0xEE, 0x08, 0x0A];
            stream.write_all(&[0xC2, 0xFF, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0]).unwrap();
            stream.write_all(&begin).unwrap();
            // The server may close before all of it was written.
            let _ = stream.write_all(&vec![0; 0x10_0000 - begin.len()]);
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            answer
        });
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_with(stream, &server_config, |_| Ok(Accept::new())).await.unwrap();
        let error = socket.recv().await.unwrap_err();
        assert!(error.to_string().contains("limits.inflate_ratio"), "{error}");
        drop(socket);
        let answer = peer.join().unwrap();
        let end = answer.windows(4).position(|end| end == b"\r\n\r\n").expect("the head of the reply");
        let close = &answer[end + 4..];
        assert_eq!((close[0], &close[2..4]), (0x88, &1009_u16.to_be_bytes()[..]));
    });
}
