//! `Stream` and `Sink` of a WebSocket and of its halves. Each adapter with futures includes this file beside `mod.rs`.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use futures_util::future::{Either, select};
use futures_util::stream::FusedStream;
use futures_util::{Sink, SinkExt, Stream, StreamExt, TryStreamExt};

use super::list::{echo_server, listen, pair};
use super::runtime::adapter::{
    Accept, Cause, Client, ClientConfig, ClientRequest, CloseCode, Error, MaybeTls, Message, ServerConfig,
    SessionEvent, WebSocket, accept, accept_with, client, connect,
};
use super::runtime::{self, run, spawn};

/// Polls once, with nobody to wake.
fn now<T>(poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    poll(&mut Context::from_waker(Waker::noop()))
}

/// Both ends, of which the server has room for `soft` bytes to be written.
async fn pair_with_room(soft: usize) -> (WebSocket, WebSocket) {
    let (listener, address) = listen().await;
    let server = spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut config = ServerConfig::default();
        config.limits.write_soft = soft;
        accept_with(MaybeTls::plain(stream), &config, |_| Ok(Accept::new())).await.unwrap()
    });
    let stream = MaybeTls::plain(runtime::connect_tcp(address).await.unwrap());
    let request = ClientRequest::new("ws://h/").unwrap();
    let client = client(stream, &request, &ClientConfig::default()).await.unwrap();
    (runtime::join(server).await, client)
}

/// Queues messages until there is no room, as a caller that keeps to the rules of `Sink`; how many there were.
fn fill(sink: &mut (impl Sink<Message, Error = Error> + Unpin), message: &Message) -> usize {
    for sent in 0..100_000 {
        match now(|cx| Pin::new(&mut *sink).poll_ready(cx)) {
            Poll::Ready(ready) => ready.unwrap(),
            Poll::Pending => return sent,
        }
        Pin::new(&mut *sink).start_send(message.clone()).unwrap();
    }
    panic!("there is room without end");
}

#[test]
fn a_stream_is_forwarded_into_its_own_sink() {
    run(async {
        let (server, client) = pair().await;
        let echo = spawn(async move {
            let (read, write) = server.split();
            read.forward(write).await
        });
        let (mut read, mut write) = client.split();
        for len in [0, 1, 1000, 100_000] {
            write.feed(Message::from("x".repeat(len))).await.unwrap();
        }
        SinkExt::<Message>::flush(&mut write).await.unwrap();
        for len in [0, 1, 1000, 100_000] {
            let message = read.try_next().await.unwrap();
            assert_eq!(message, Some(Message::from("x".repeat(len))));
        }
        SinkExt::<Message>::close(&mut write).await.unwrap();
        assert!(read.next().await.is_none());
        assert!(read.closed().unwrap().is_clean());
        runtime::join(echo).await.unwrap();
    });
}

#[test]
fn events_of_a_client_are_a_stream() {
    run(async {
        let mut client = Client::builder().server(&echo_server().await).unwrap().build().unwrap();
        client.send("one").await.unwrap();
        client.send("two").await.unwrap();
        let sender = client.sender();
        let mut sent = 2;
        // A combinator of `Stream`, and not a method of the client.
        let events = StreamExt::map(client, |event| event);
        let seen: Vec<_> = events
            .inspect(|event| {
                if matches!(event, SessionEvent::Message(_)) {
                    sent -= 1;
                }
                if sent == 0 {
                    sender.close(CloseCode::NORMAL, "").unwrap();
                }
            })
            .collect()
            .await;
        assert!(matches!(&seen[0], SessionEvent::Connected(_)), "{seen:?}");
        let messages = seen.iter().filter_map(|event| match event {
            SessionEvent::Message(message) => message.as_text(),
            _ => None,
        });
        assert_eq!(messages.collect::<Vec<_>>(), ["one", "two"]);
        assert!(matches!(seen.last(), Some(SessionEvent::Closed(_))), "{seen:?}");
    });
}

#[test]
fn fed_messages_leave_when_they_are_flushed() {
    run(async {
        let (mut server, mut client) = pair().await;
        client.feed(Message::from("one")).await.unwrap();
        assert!(
            now(|cx| Pin::new(&mut server).poll_next(cx)).is_pending(),
            "nobody has asked for it to be written"
        );
        client.feed(Message::from("two")).await.unwrap();
        SinkExt::<Message>::flush(&mut client).await.unwrap();
        assert_eq!(server.next().await.unwrap().unwrap(), Message::from("one"));
        assert_eq!(server.next().await.unwrap().unwrap(), Message::from("two"));
    });
}

#[test]
fn a_sink_has_no_room_while_the_peer_does_not_read() {
    run(async {
        let message = Message::from(vec![7; 10_000]);
        let (mut server, mut client) = pair_with_room(30_000).await;
        let sent = fill(&mut server, &message);
        assert!(sent > 3, "less than the limit allows: {sent}");
        assert!(now(|cx| Pin::new(&mut server).poll_flush(cx)).is_pending(), "the peer has not read");
        let reader = spawn(async move {
            for _ in 0..=sent {
                assert_eq!(client.next().await.unwrap().unwrap().len(), 10_000);
            }
            client
        });
        // Room, and then the last one.
        server.feed(message).await.unwrap();
        SinkExt::<Message>::flush(&mut server).await.unwrap();
        runtime::join(reader).await;
    });
}

#[test]
fn a_half_has_no_room_while_the_peer_does_not_read() {
    run(async {
        let message = Message::from(vec![7; 10_000]);
        let (server, mut client) = pair_with_room(30_000).await;
        let (read, mut write) = server.split();
        let sent = fill(&mut write, &message);
        let reader = spawn(async move {
            for _ in 0..=sent {
                assert_eq!(client.next().await.unwrap().unwrap().len(), 10_000);
            }
            client
        });
        SinkExt::send(&mut write, message).await.unwrap();
        runtime::join(reader).await;
        drop(read);
    });
}

#[test]
fn two_that_send_more_than_fits_and_read_later_do_not_wait_for_each_other() {
    run(async {
        let (server, client) = pair_with_room(10_000).await;
        let both = [server, client].map(|mut socket| {
            spawn(async move {
                let large = Message::from(vec![1; 8 * 1024 * 1024]);
                // Both are stuck unless one is received ahead.
                SinkExt::send(&mut socket, large.clone()).await.unwrap();
                assert_eq!(socket.next().await.unwrap().unwrap(), large);
                socket
            })
        });
        for end in both {
            runtime::join(end).await;
        }
    });
}

#[test]
fn a_dropped_wait_loses_and_repeats_nothing() {
    run(async {
        let (server, client) = pair().await;
        let (_reading, mut write) = server.split();
        let sender = spawn(async move {
            for i in 0..300 {
                // Dropped after its first poll; the message was queued there.
                let mut sending = pin!(SinkExt::send(&mut write, Message::from(format!("{i}"))));
                let _ = poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx))).await;
            }
            SinkExt::<Message>::flush(&mut write).await.unwrap();
            (_reading, write)
        });
        let (mut read, _writing) = client.split();
        for i in 0..300 {
            let message = loop {
                // Given up whenever it has to wait at all.
                let mut turns = 0;
                let give_up = poll_fn(|cx| {
                    turns += 1;
                    cx.waker().wake_by_ref();
                    if turns > 1 { Poll::Ready(()) } else { Poll::Pending }
                });
                match select(read.next(), give_up).await {
                    Either::Left((message, _)) => break message.unwrap().unwrap(),
                    Either::Right(_) => {}
                }
            };
            assert_eq!(message, Message::from(format!("{i}")));
        }
        runtime::join(sender).await;
    });
}

#[test]
fn a_broken_connection_is_an_error_once_and_then_the_end() {
    run(async {
        let (listener, address) = listen().await;
        let server = spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            accept(stream).await.unwrap()
        });
        let mut raw = std::net::TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut raw, super::list::REQUEST).unwrap();
        let mut server = runtime::join(server).await;
        assert!(!server.is_terminated());
        drop(raw);
        let Some(Err(Error::Closed { closed, .. })) = server.next().await else { panic!("no error") };
        assert!(matches!(closed.cause, Cause::Eof(_) | Cause::Transport(_)), "{closed}");
        assert!(server.is_terminated());
        assert!(server.next().await.is_none());
        assert!(server.next().await.is_none());
        // Who sends is told as often as it tries.
        for _ in 0..2 {
            let refused = SinkExt::send(&mut server, Message::from("x")).await;
            assert!(matches!(refused, Err(Error::Closed { .. })), "{refused:?}");
            let closed = SinkExt::<Message>::close(&mut server).await;
            assert!(matches!(closed, Err(Error::Closed { .. })), "{closed:?}");
        }
    });
}

#[test]
fn a_closed_sink_gives_messages_back_and_the_stream_goes_on_to_its_end() {
    run(async {
        let (mut server, client) = pair().await;
        let peer = spawn(async move {
            let (mut read, write) = client.split();
            write.send("on its way").await.unwrap();
            assert!(read.next().await.is_none());
            read.closed().unwrap()
        });
        SinkExt::<Message>::close(&mut server).await.unwrap();
        SinkExt::<Message>::close(&mut server).await.unwrap();
        match server.feed(Message::from("late")).await {
            Err(Error::Send(refused)) => assert_eq!(refused.message, Message::from("late")),
            other => panic!("{other:?}"),
        }
        let mut received = Vec::new();
        while let Some(message) = server.next().await {
            received.push(message.unwrap());
        }
        assert_eq!(received, [Message::from("on its way")]);
        assert!(server.closed().unwrap().is_clean());
        let closed = runtime::join(peer).await;
        assert_eq!(closed.received.unwrap().code(), CloseCode::NORMAL);
    });
}

#[test]
fn the_sink_of_a_client_that_connects_is_the_same() {
    run(async {
        let url = echo_server().await;
        let mut socket = connect(&url).await.unwrap();
        let messages = ["a", "b", "c"].map(|text| Ok(Message::from(text)));
        let mut all = futures_util::stream::iter(messages);
        SinkExt::send_all(&mut socket, &mut all).await.unwrap();
        let echoed: Vec<Message> = socket.by_ref().take(3).try_collect().await.unwrap();
        assert_eq!(echoed, ["a", "b", "c"].map(Message::from));
    });
}
