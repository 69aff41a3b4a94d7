//! Messages and whole connections as byte streams, and events where they are in memory. Each adapter with futures includes this file
//! beside `mod.rs`.

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream as RawStream;
use std::pin::pin;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Waker};
use std::thread;

use super::list::{REQUEST, listen, pair};
use super::runtime::adapter::sansocket::{Event, MessageKind};
use super::runtime::adapter::{
    ByteStream, CloseCode, Error, MaybeTls, Message, MessageReader, MessageWriter, WebSocket, accept,
};
use super::runtime::{join, run, spawn};

/// What a server makes of a peer that sends the pieces that it is told to, and then says nothing until the sender is gone.
async fn server_of_raw_peer() -> (WebSocket, Sender<Vec<u8>>) {
    let (listener, address) = listen().await;
    let (sender, pieces) = channel::<Vec<u8>>();
    thread::spawn(move || {
        let mut stream = RawStream::connect(address).unwrap();
        stream.write_all(REQUEST).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        for piece in pieces {
            stream.write_all(&piece).unwrap();
        }
    });
    let (stream, _) = listener.accept().await.unwrap();
    (accept(MaybeTls::plain(stream)).await.unwrap(), sender)
}

/// Data that shows where it belongs.
fn data(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

async fn read_to_end(reader: &mut MessageReader<'_>) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    while poll_fn(|cx| reader.poll_read(cx, &mut read)).await? > 0 {}
    Ok(read)
}

async fn write_all(writer: &mut MessageWriter<'_>, mut data: &[u8]) -> io::Result<()> {
    while !data.is_empty() {
        poll_fn(|cx| writer.poll_write(cx, &mut data)).await?;
    }
    Ok(())
}

async fn write_stream(stream: &mut ByteStream, mut data: &[u8]) -> io::Result<()> {
    while !data.is_empty() {
        poll_fn(|cx| stream.poll_write(cx, &mut data)).await?;
    }
    Ok(())
}

fn inside(error: &io::Error) -> &Error {
    error.get_ref().unwrap().downcast_ref().unwrap()
}

#[test]
fn a_message_is_sent_and_received_as_a_byte_stream() {
    run(async {
        let (mut server, mut client) = pair().await;
        let sent = spawn(async move {
            for len in [0, 1, 16 * 1024, 16 * 1024 + 1, 3_000_000] {
                let mut writer = client.write_message(MessageKind::Binary);
                for part in data(len).chunks(7919) {
                    write_all(&mut writer, part).await.unwrap();
                }
                poll_fn(|cx| writer.poll_shutdown(cx)).await.unwrap();
                let late = poll_fn(|cx| writer.poll_write(cx, &mut &b"late"[..])).await.unwrap_err();
                assert_eq!(late.kind(), ErrorKind::BrokenPipe);
                drop(writer);
                client.send("between").await.unwrap();
            }
            client
        });
        for len in [0, 1, 16 * 1024, 16 * 1024 + 1, 3_000_000] {
            let mut reader = server.read_message().await.unwrap().unwrap();
            assert_eq!(reader.kind(), MessageKind::Binary);
            assert!(read_to_end(&mut reader).await.unwrap() == data(len), "{len} bytes");
            drop(reader);
            assert_eq!(server.recv().await.unwrap(), Some("between".into()));
        }
        let mut client = join(sent).await;
        let server = spawn(async move {
            assert!(server.read_message().await.unwrap().is_none());
            server.closed().unwrap()
        });
        client.close(CloseCode::NORMAL, "").await.unwrap();
        assert_eq!(join(server).await.counts.messages_received, 10);
    });
}

#[test]
fn what_was_flushed_is_there_before_the_message_ends() {
    run(async {
        let (mut server, mut client) = pair().await;
        let mut writer = client.write_message(MessageKind::Text);
        write_all(&mut writer, b"first \xc3").await.unwrap();
        poll_fn(|cx| writer.poll_flush(cx)).await.unwrap();
        let mut reader = server.read_message().await.unwrap().unwrap();
        let mut read = Vec::new();
        poll_fn(|cx| reader.poll_read(cx, &mut read)).await.unwrap();
        assert_eq!((reader.kind(), &read[..]), (MessageKind::Text, &b"first \xc3"[..]));
        write_all(&mut writer, b"\xa9").await.unwrap();
        writer.finish().await.unwrap();
        assert_eq!(read_to_end(&mut reader).await.unwrap(), b"\xa9");
    });
}

#[test]
fn a_message_that_was_finished_leaves_the_connection_open() {
    run(async {
        let (mut server, mut client) = pair().await;
        let sent = spawn(async move {
            for len in [0, 5, 40_000] {
                let mut writer = client.write_message(MessageKind::Binary);
                write_all(&mut writer, &data(len)).await.unwrap();
                writer.finish().await.unwrap();
            }
            client.send("after").await.unwrap();
            // What cannot be the end of a message is said here as well.
            let mut writer = client.write_message(MessageKind::Text);
            write_all(&mut writer, b"abc\xff").await.unwrap();
            let error = writer.finish().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            client
        });
        for len in [0, 5, 40_000] {
            assert_eq!(server.recv().await.unwrap(), Some(Message::from(data(len))));
        }
        assert_eq!(server.recv().await.unwrap(), Some("after".into()));
        drop(join(sent).await);
    });
}

#[test]
fn text_that_is_not_utf8_is_not_sent() {
    run(async {
        let (_server, mut client) = pair().await;
        let mut writer = client.write_message(MessageKind::Text);
        write_all(&mut writer, b"abc\xff").await.unwrap();
        let error = poll_fn(|cx| writer.poll_shutdown(cx)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(inside(&error).to_string().contains("byte 3"), "{error}");
    });
}

#[test]
fn what_is_left_of_a_message_is_thrown_away() {
    run(async {
        let (mut server, mut client) = pair().await;
        let sent = spawn(async move {
            client.send(data(2_000_000)).await.unwrap();
            client.send("next").await.unwrap();
            client
        });
        let mut reader = server.read_message().await.unwrap().unwrap();
        let mut beginning = [0; 4];
        assert_eq!(poll_fn(|cx| reader.poll_read(cx, &mut &mut beginning[..])).await.unwrap(), 4);
        assert_eq!(beginning, data(4)[..]);
        drop(reader);
        let mut next = server.read_message().await.unwrap().unwrap();
        assert_eq!(read_to_end(&mut next).await.unwrap(), b"next");
        drop(join(sent).await);
    });
}

/// A message that began while it was to be read as a byte stream is whole for who receives it as a whole, and the other way round.
#[test]
fn a_wait_that_was_given_up_loses_nothing() {
    run(async {
        let (mut server, raw) = server_of_raw_peer().await;
        let begun = |part: &[u8]| [&[0x81, 0x86, 0, 0, 0, 0], part].concat();
        for (first, second, second_is_reader) in [
            (&b""[..], &b"abcdef"[..], false),
            (b"abc", b"def", false),
            (b"", b"abcdef", true),
            (b"abc", b"def", true),
        ] {
            // Something else goes before, so that it is known when the beginning is there.
            raw.send([&[0x82, 0x80, 0, 0, 0, 0], &*begun(first)].concat()).unwrap();
            assert_eq!(server.recv().await.unwrap(), Some(Message::from(b"")));
            if second_is_reader {
                let mut waiting = pin!(server.recv());
                assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            } else if first.is_empty() {
                let mut waiting = pin!(server.read_message());
                assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            }
            raw.send(second.to_vec()).unwrap();
            if second_is_reader {
                let mut reader = server.read_message().await.unwrap().unwrap();
                assert_eq!(reader.kind(), MessageKind::Text);
                assert_eq!(read_to_end(&mut reader).await.unwrap(), b"abcdef");
            } else {
                assert_eq!(server.recv().await.unwrap(), Some("abcdef".into()));
            }
        }
    });
}

#[test]
fn a_connection_that_ends_inside_a_message_is_an_error_of_its_reader() {
    run(async {
        let (mut server, raw) = server_of_raw_peer().await;
        raw.send(vec![0x82, 0x85, 0, 0, 0, 0, b'a']).unwrap();
        let mut reader = server.read_message().await.unwrap().unwrap();
        drop(raw);
        let error = read_to_end(&mut reader).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert!(
            inside(&error)
                .to_string()
                .starts_with("the peer closed TCP without a Close frame, inside a frame")
        );
        assert_eq!(read_to_end(&mut reader).await.unwrap(), b"");
        drop(reader);
        assert!(server.recv().await.unwrap().is_none());
    });
}

#[test]
fn half_a_message_does_not_pass_for_a_whole_one() {
    run(async {
        let (mut server, mut client) = pair().await;
        let mut writer = client.write_message(MessageKind::Binary);
        write_all(&mut writer, b"never sent").await.unwrap();
        drop(writer);
        client.send("after one that was not begun").await.unwrap();
        assert_eq!(server.recv().await.unwrap(), Some("after one that was not begun".into()));

        let mut writer = client.write_message(MessageKind::Binary);
        write_all(&mut writer, &data(20_000)).await.unwrap();
        drop(writer);
        let client = spawn(async move {
            assert!(client.recv().await.unwrap().is_none());
        });
        let mut reader = server.read_message().await.unwrap().unwrap();
        let error = read_to_end(&mut reader).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
        assert!(error.to_string().contains("1011"), "{error}");
        drop(reader);
        let received = server.closed().unwrap().received.unwrap();
        assert_eq!(
            (received.code(), received.reason()),
            (CloseCode::INTERNAL_ERROR, "a message was not finished")
        );
        join(client).await;
    });
}

#[test]
fn every_event_is_seen_where_it_is() {
    run(async {
        let (mut server, client) = pair().await;
        let (mut read, write) = client.split();
        let client = spawn(async move {
            write.ping(b"are you there?").await.unwrap();
            write.send("text").await.unwrap();
            write.send(&b"bytes"[..]).await.unwrap();
            let pong = |event: Event<'_>| assert_eq!(event, Event::Pong(b"are you there?"));
            assert!(read.next_event(pong).await.unwrap().is_some());
            write.close(CloseCode::NORMAL, "bye").await.unwrap();
            let close = |event: Event<'_>| assert!(matches!(event, Event::Close(_)), "{event:?}");
            assert!(read.next_event(close).await.unwrap().is_some());
            assert!(read.next_event(|_| ()).await.unwrap().is_none());
        });
        let mut seen = Vec::new();
        while let Some(event) = server.next_event(|event| format!("{event:?}")).await.unwrap() {
            seen.push(event);
        }
        assert_eq!(seen.len(), 4, "{seen:?}");
        for (seen, expected) in seen.iter().zip(["Ping(", "Text(", "Binary(", "Close("]) {
            assert!(seen.starts_with(expected), "{seen}");
        }
        assert!(server.closed().unwrap().is_clean());
        join(client).await;
    });
}

#[test]
fn a_byte_stream_goes_both_ways() {
    run(async {
        let (server, client) = pair().await;
        let echo = spawn(async move {
            let mut stream = server.into_byte_stream();
            loop {
                let mut buffer = Vec::new();
                if poll_fn(|cx| stream.poll_read(cx, &mut buffer)).await.unwrap() == 0 {
                    break;
                }
                write_stream(&mut stream, &buffer).await.unwrap();
            }
            poll_fn(|cx| stream.poll_shutdown(cx)).await.unwrap();
            stream.get_ref().closed()
        });
        let mut stream = client.into_byte_stream();
        for len in [1, 65_536, 65_537, 300_000] {
            write_stream(&mut stream, &data(len)).await.unwrap();
            let mut read = Vec::new();
            while read.len() < len {
                let mut some = [0; 4096];
                let count = poll_fn(|cx| stream.poll_read(cx, &mut &mut some[..])).await.unwrap();
                assert_ne!(count, 0);
                read.extend_from_slice(&some[..count]);
            }
            assert!(read == data(len), "{len} bytes");
        }
        poll_fn(|cx| stream.poll_shutdown(cx)).await.unwrap();
        for _ in 0..2 {
            assert_eq!(poll_fn(|cx| stream.poll_read(cx, &mut Vec::new())).await.unwrap(), 0);
        }
        let late = write_stream(&mut stream, b"late").await.unwrap_err();
        assert_eq!(late.kind(), ErrorKind::BrokenPipe);
        assert!(join(echo).await.is_none_or(|closed| closed.is_clean()));
    });
}

/// As with TCP, what was taken leaves although nobody waits.
#[test]
fn what_was_written_to_a_byte_stream_leaves_by_itself() {
    run(async {
        let (mut server, client) = pair().await;
        let mut stream = client.into_byte_stream();
        let mut written = 0;
        // Until there is no room, which shows that the operating system has none.
        let block = data(64 * 1024);
        while let Poll::Ready(count) =
            stream.poll_write(&mut Context::from_waker(Waker::noop()), &mut &block[..])
        {
            written += count.unwrap();
        }
        let mut received = 0;
        while received < written {
            received += server.recv().await.unwrap().unwrap().len();
        }
        assert_eq!(received, written);
        drop(stream);
    });
}

#[test]
fn a_byte_stream_ends_with_an_error_unless_the_peer_says_otherwise() {
    run(async {
        for (code, is_end) in
            [(CloseCode::NORMAL, true), (CloseCode::GOING_AWAY, true), (CloseCode::INTERNAL_ERROR, false)]
        {
            let (mut server, client) = pair().await;
            let server = spawn(async move { server.close(code, "").await.unwrap() });
            let mut stream = client.into_byte_stream();
            let read = poll_fn(|cx| stream.poll_read(cx, &mut Vec::new())).await;
            match read {
                Ok(0) => assert!(is_end, "{code}"),
                Ok(_) => panic!("bytes out of nothing"),
                Err(error) => {
                    assert!(!is_end, "{code}: {error}");
                    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
                    assert!(error.to_string().contains("1011"), "{error}");
                }
            }
            join(server).await;
        }
    });
}

#[test]
fn text_is_refused_by_a_byte_stream() {
    run(async {
        let (mut server, client) = pair().await;
        server.send("text").await.unwrap();
        let mut stream = client.into_byte_stream();
        let error = poll_fn(|cx| stream.poll_read(cx, &mut Vec::new())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(server.recv().await.unwrap().is_none());
        let received = server.closed().unwrap().received.unwrap();
        assert_eq!(received.code(), CloseCode::UNSUPPORTED_DATA);
        drop(stream);
    });
}

/// What is inflated so far is given, although no more bytes come for it.
#[cfg(feature = "deflate")]
#[test]
fn a_compressed_message_is_read_in_pieces() {
    use super::list::compression::compressing;
    use super::runtime::adapter::sansocket::DeflateConfig;
    use super::runtime::adapter::{Accept, ClientRequest, accept_with, connect_with};

    run(async {
        let (server_config, client_config) = compressing(&DeflateConfig::default());
        let (listener, address) = listen().await;
        let sent = "to be repeated ".repeat(200_000);
        let expected = sent.clone();
        let server = spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut socket = accept_with(stream, &server_config, |_| Ok(Accept::new())).await.unwrap();
            for _ in 0..2 {
                let mut reader = socket.read_message().await.unwrap().unwrap();
                let mut read = Vec::new();
                let mut count = 0;
                while poll_fn(|cx| reader.poll_read(cx, &mut read)).await.unwrap() > 0 {
                    count += 1;
                }
                assert!(read == expected.as_bytes());
                assert!(count > 10, "{count} pieces");
            }
            assert!(socket.recv().await.unwrap().is_none());
        });
        let request = ClientRequest::new(&format!("ws://{address}")).unwrap();
        let mut socket = connect_with(&request, &client_config).await.unwrap();
        assert!(socket.deflate().is_some());
        socket.send(sent.clone()).await.unwrap();
        socket.send(sent).await.unwrap();
        assert!(socket.close(CloseCode::NORMAL, "").await.unwrap().is_clean());
        join(server).await;
    });
}
