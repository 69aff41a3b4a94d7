//! The driver over a scripted stream: how it reads, writes, waits and is cancelled.

mod connecting;
mod dialer;
mod flushing;
mod script;
mod server;
#[cfg(feature = "tls")]
mod tls;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use sansocket::{
    Accept, Cause, CloseCode, Message, MessageKind, Position, SendRefused, ServerConfig, TransportError,
};
use sansocket_driver::{Error, accept_with};

use script::{
    Script, Woken, client, done, messages, output, pass, poll_with, run, run_spawned, server, spawned,
    stream, waits,
};

/// Frames of a client: `count` text messages, numbered.
fn numbered(count: usize) -> Vec<u8> {
    let mut client = client();
    for i in 0..count {
        client.send(format!("message {i}")).unwrap();
    }
    output(&mut client)
}

fn text(i: usize) -> Message {
    Message::from(format!("message {i}"))
}

#[test]
fn replies_to_one_read_leave_in_one_write() {
    let (mut socket, peer) = server(&ServerConfig::default());
    peer.send(&numbered(16));
    for i in 0..16 {
        let message = done(socket.recv()).unwrap().unwrap();
        assert_eq!(message, text(i));
        done(socket.send(message)).unwrap();
    }
    waits(socket.recv());
    assert_eq!(peer.wire().writes.len(), 1);
    assert_eq!(messages(&mut client(), &peer.taken()).len(), 16);
}

#[test]
fn gathered_replies_leave_when_the_task_waits_for_something_else() {
    let (mut socket, peer) = server(&ServerConfig::default());
    peer.send(&numbered(2));
    let message = done(socket.recv()).unwrap().unwrap();
    done(socket.send(message)).unwrap();
    assert!(peer.taken().is_empty(), "another message waits, so the reply was gathered");
    // The application now awaits something that is not this socket; the runtime runs other tasks.
    run_spawned();
    assert_eq!(messages(&mut client(), &peer.taken()).len(), 1);
    assert_eq!(spawned(), 0);
}

#[test]
fn gathered_replies_leave_when_the_socket_is_dropped() {
    let (mut socket, peer) = server(&ServerConfig::default());
    peer.send(&numbered(2));
    let message = done(socket.recv()).unwrap().unwrap();
    done(socket.send(message)).unwrap();
    drop(socket);
    assert_eq!(messages(&mut client(), &peer.taken()).len(), 1);
    assert!(peer.wire().dropped);
    run_spawned();
    assert_eq!(spawned(), 0);
}

#[test]
fn one_byte_at_a_time_and_pending_everywhere_change_nothing() {
    let (mut socket, peer) = server(&ServerConfig::default());
    {
        let mut wire = peer.wire();
        (wire.read_size, wire.write_size, wire.stutters) = (1, 1, true);
    }
    peer.send(&numbered(5));
    for i in 0..5 {
        let message = done(socket.recv()).unwrap().unwrap();
        assert_eq!(message, text(i));
        done(socket.send(message)).unwrap();
    }
    done(socket.flush()).unwrap();
    assert_eq!(messages(&mut client(), &peer.taken()).len(), 5);
}

#[test]
fn a_receive_dropped_at_any_await_loses_and_repeats_nothing() {
    let (mut socket, peer) = server(&ServerConfig::default());
    {
        let mut wire = peer.wire();
        (wire.read_size, wire.stutters) = (3, true);
    }
    peer.send(&numbered(20));
    let mut received = Vec::new();
    while received.len() < 20 {
        // Polled once and dropped, again and again.
        if let Poll::Ready(message) = poll_with(pin!(socket.recv()), &Arc::new(Woken::default())) {
            received.push(message.unwrap().unwrap());
        }
    }
    assert_eq!(received, (0..20).map(text).collect::<Vec<_>>());
}

#[test]
fn a_send_dropped_at_any_await_sends_whole_messages_once() {
    let (mut socket, peer) = server(&ServerConfig::default());
    peer.wire().window = 0;
    for i in 0..10 {
        // The stream is blocked: each is polled once and dropped.
        assert!(poll_with(pin!(socket.send(text(i))), &Arc::new(Woken::default())).is_pending());
    }
    peer.open_window(usize::MAX);
    done(socket.flush()).unwrap();
    let expected: Vec<_> = (0..10).map(|i| text(i).as_bytes().to_vec()).collect();
    assert_eq!(messages(&mut client(), &peer.taken()), expected);
}

#[test]
fn a_send_waits_while_the_peer_does_not_read_and_goes_on_when_it_does() {
    let (mut socket, peer) = server(&ServerConfig::default());
    peer.wire().window = 1000;
    let large = vec![7; 100_000];
    let mut send = Box::pin(socket.send(large.clone()));
    assert!(run(send.as_mut()).is_pending());
    peer.open_window(usize::MAX);
    assert!(matches!(run(send.as_mut()), Poll::Ready(Ok(()))));
    drop(send);
    assert_eq!(messages(&mut client(), &peer.taken()), [large]);
}

#[test]
fn a_blocked_send_goes_on_answering_pings() {
    let (mut socket, peer) = server(&ServerConfig::default());
    peer.wire().window = 1000;
    let mut send = Box::pin(socket.send(vec![7; 100_000]));
    assert!(run(send.as_mut()).is_pending());
    let mut other = client();
    other.ping(b"are you there").unwrap();
    peer.send(&output(&mut other));
    assert!(run(send.as_mut()).is_pending());
    assert!(peer.wire().incoming.is_empty(), "the Ping was read");
    peer.open_window(usize::MAX);
    assert!(run(send.as_mut()).is_ready());
    drop(send);
    waits(socket.recv());
    let written = peer.taken();
    assert!(written.windows(13).any(|window| window == b"are you there"), "the Pong was written");
}

#[test]
fn an_application_that_only_sends_answers_pings() {
    let (mut socket, peer) = server(&ServerConfig::default());
    let mut other = client();
    other.ping(b"are you there").unwrap();
    peer.send(&output(&mut other));
    for i in 0..3 {
        done(socket.send(text(i))).unwrap();
    }
    assert!(peer.taken().windows(13).any(|window| window == b"are you there"));
}

#[test]
fn a_blocked_send_heeds_the_pong_limit() {
    let (mut socket, peer) = server(&ServerConfig::default());
    peer.wire().window = 1000;
    let mut send = Box::pin(socket.send(vec![7; 100_000]));
    let mut ended = None;
    for _ in 0..100 {
        if let Poll::Ready(result) = run(send.as_mut()) {
            ended = Some(result);
            break;
        }
        pass(Duration::from_secs(1));
    }
    assert!(
        matches!(&ended, Some(Err(Error::Closed { closed, .. })) if closed.cause == Cause::PongTimeout),
        "{ended:?}"
    );
}

#[test]
fn a_reader_and_a_writer_in_two_tasks_both_wake() {
    let (socket, peer) = server(&ServerConfig::default());
    let (mut reading, writing) = socket.split();
    peer.wire().window = 0;
    let (reader, writer) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
    let mut recv = Box::pin(reading.recv());
    let mut send = Box::pin(writing.send("hello"));
    assert!(poll_with(recv.as_mut(), &reader).is_pending());
    assert!(poll_with(send.as_mut(), &writer).is_pending());
    // The reader also wants to write (a Pong), so its waker is the last that the stream sees.
    let mut other = client();
    other.ping(b"").unwrap();
    peer.send(&output(&mut other));
    assert!(reader.count() > 0);
    assert!(poll_with(send.as_mut(), &writer).is_pending());
    assert!(poll_with(recv.as_mut(), &reader).is_pending());
    let before = writer.count();
    peer.open_window(usize::MAX);
    assert!(writer.count() > before, "the writer was not woken");
    assert!(matches!(poll_with(send.as_mut(), &writer), Poll::Ready(Ok(()))));
    assert!(poll_with(recv.as_mut(), &reader).is_pending());
    let before = reader.count();
    peer.send(&numbered(1));
    assert!(reader.count() > before, "the reader was not woken");
    assert!(matches!(poll_with(recv.as_mut(), &reader), Poll::Ready(Ok(Some(_)))));
}

#[test]
fn a_writer_is_told_of_the_end_that_the_reader_finds() {
    let (socket, peer) = server(&ServerConfig::default());
    let (mut reading, writing) = socket.split();
    peer.wire().window = 0;
    let woken = Arc::new(Woken::default());
    let mut send = Box::pin(writing.send("hello"));
    assert!(poll_with(send.as_mut(), &woken).is_pending());
    let before = woken.count();
    peer.end(Err(io::ErrorKind::ConnectionReset.into()));
    assert!(done(reading.recv()).is_err());
    assert!(woken.count() > before);
    assert!(matches!(poll_with(send.as_mut(), &woken), Poll::Ready(Err(Error::Closed { .. }))));
}

#[test]
fn a_clean_close_by_the_peer_is_the_end_of_messages_and_of_the_stream() {
    let (mut socket, peer) = server(&ServerConfig::default());
    let mut other = client();
    other.close(CloseCode::NORMAL, "bye").unwrap();
    peer.send(&output(&mut other));
    assert!(matches!(done(socket.recv()), Ok(None)));
    assert_eq!(peer.taken(), b"\x88\x02\x03\xe8");
    assert!(peer.wire().dropped, "the stream is closed at once, not when the socket is dropped");
    assert_eq!(socket.closed().unwrap().received.unwrap().reason(), "bye");
    assert!(matches!(done(socket.recv()), Ok(None)));
    let refused = done(socket.send("late")).unwrap_err();
    assert!(matches!(&refused, Error::Send(error) if error.message == Message::from("late")), "{refused}");
}

#[test]
fn an_end_without_close_is_reported_once_with_its_position() {
    for (bytes, position) in [(&b""[..], Position::Boundary), (&b"\x81\x85\0\0\0\0he"[..], Position::Frame)] {
        let (mut socket, peer) = server(&ServerConfig::default());
        peer.send(bytes);
        peer.end(Ok(()));
        let error = done(socket.recv()).unwrap_err();
        assert!(
            matches!(&error, Error::Closed { closed, .. } if closed.cause == Cause::Eof(position)),
            "{error}"
        );
        assert!(matches!(done(socket.recv()), Ok(None)));
    }
}

#[test]
fn a_client_that_resets_before_it_is_answered_is_named_as_the_one_who_did() {
    let (stream, peer) = stream();
    peer.send(
        b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    peer.wire().write_error = Some(io::ErrorKind::ConnectionReset);
    peer.end(Err(io::ErrorKind::ConnectionReset.into()));
    let error = done(accept_with::<_, Script>(stream, &ServerConfig::default(), |_| Ok(Accept::new())))
        .map(drop)
        .unwrap_err();
    let Error::Closed { closed, io: Some(_) } = &error else { panic!("{error}") };
    assert_eq!(closed.cause, Cause::Transport(TransportError::Reset), "{error}");
}

#[test]
fn messages_that_came_before_an_error_are_given_first() {
    let (mut socket, peer) = server(&ServerConfig::default());
    peer.send(&numbered(2));
    peer.wire().write_error = Some(io::ErrorKind::BrokenPipe);
    peer.end(Err(io::ErrorKind::ConnectionReset.into()));
    assert_eq!(done(socket.recv()).unwrap(), Some(text(0)));
    let _ = done(socket.send("a reply that cannot be written"));
    assert_eq!(done(socket.recv()).unwrap(), Some(text(1)));
    let error = done(socket.recv()).unwrap_err();
    let Error::Closed { closed, io } = &error else { panic!("{error}") };
    assert!(matches!(closed.cause, Cause::Transport(TransportError::Reset | TransportError::BrokenPipe)));
    assert!(io.is_some(), "what the operating system said is kept");
}

#[test]
fn a_violation_is_answered_then_half_closed_then_drained() {
    let (mut socket, peer) = server(&ServerConfig::default());
    // A whole message, then a frame without a mask; both in one read.
    let mut bytes = numbered(1);
    bytes.extend(b"\x81\x02hi");
    peer.send(&bytes);
    let message = done(socket.recv()).unwrap().unwrap();
    done(socket.send(message)).unwrap();
    waits(socket.recv());
    let written = peer.taken();
    assert_eq!(messages(&mut client(), &written).len(), 1, "the message before the fault is answered");
    assert!(written.windows(2).any(|window| window == 1002_u16.to_be_bytes()));
    assert!(peer.wire().shut_down && !peer.wire().dropped);
    peer.send(&[0; 100_000]);
    waits(socket.recv());
    assert!(peer.wire().incoming.is_empty(), "what still comes is thrown away");
    peer.end(Ok(()));
    let error = done(socket.recv()).unwrap_err();
    assert!(matches!(error, Error::Closed { closed, .. } if matches!(closed.cause, Cause::Failed(_))));
}

#[test]
fn close_waits_for_the_peer_and_no_longer_than_its_limit() {
    let (mut socket, peer) = server(&ServerConfig::default());
    let mut close = Box::pin(socket.close(CloseCode::GOING_AWAY, "restart"));
    assert!(run(close.as_mut()).is_pending());
    pass(Duration::from_millis(4999));
    assert!(run(close.as_mut()).is_pending());
    pass(Duration::from_millis(1));
    let Poll::Ready(Ok(closed)) = run(close.as_mut()) else { panic!("the limit did not hold") };
    assert!(matches!(closed.cause, Cause::CloseTimeout(_)));
    drop(close);
    assert!(peer.wire().dropped);
}

#[test]
fn fragments_arrive_as_one_message() {
    let (mut socket, peer) = server(&ServerConfig::default());
    let text = "héllo".as_bytes();
    // The second fragment begins inside a character.
    done(socket.send_fragment(MessageKind::Text, &text[..2], false)).unwrap();
    let refused = done(socket.send("not now")).unwrap_err();
    assert!(
        matches!(&refused, Error::Send(error) if error.reason == SendRefused::InsideMessage),
        "{refused}"
    );
    let (mut reading, writing) = socket.split();
    done(writing.send_fragment(MessageKind::Text, &text[2..], true)).unwrap();
    assert_eq!(messages(&mut client(), &peer.taken()), [text]);
    waits(reading.recv());
}

#[test]
fn large_messages_that_are_held_stay_as_they_are() {
    let large = |i: u8| vec![i; 20_000];
    let (mut socket, peer) = server(&ServerConfig::default());
    let mut held = Vec::new();
    for turn in 0..3 {
        // More than one read block: some messages are in it as a whole, others are put together.
        let mut client = client();
        (0..5).for_each(|i| client.send(large(5 * turn + i)).unwrap());
        peer.send(&output(&mut client));
        held.extend((0..5).map(|_| done(socket.recv()).unwrap().unwrap()));
        waits(socket.recv());
    }
    assert!(held.into_iter().eq((0..15).map(|i| Message::from(large(i)))));
}

#[test]
fn a_dropped_socket_says_good_bye() {
    let (socket, peer) = server(&ServerConfig::default());
    drop(socket);
    assert_eq!(peer.taken(), b"\x88\x02\x03\xe9");
    assert!(peer.wire().dropped);
}

#[test]
fn a_writer_whose_reader_is_dropped_is_told_so() {
    let (socket, peer) = server(&ServerConfig::default());
    let (reading, writing) = socket.split();
    peer.wire().window = 0;
    let woken = Arc::new(Woken::default());
    let mut send = Box::pin(writing.send("hello"));
    assert!(poll_with(send.as_mut(), &woken).is_pending());
    let before = woken.count();
    drop(reading);
    assert!(woken.count() > before && peer.wire().dropped);
    let Poll::Ready(Err(Error::Closed { closed, .. })) = poll_with(send.as_mut(), &woken) else {
        panic!("the writer waits for ever")
    };
    assert_eq!((closed.cause, closed.sent), (Cause::Aborted, None));
}

#[test]
fn a_peer_that_ends_its_stream_while_output_is_blocked_is_waited_for_without_spinning() {
    let (mut socket, peer) = server(&ServerConfig::default());
    peer.wire().window = 0;
    assert!(poll_with(pin!(socket.send(vec![7; 100_000])), &Arc::new(Woken::default())).is_pending());
    let mut other = client();
    other.close(CloseCode::NORMAL, "").unwrap();
    peer.send(&output(&mut other));
    peer.end(Ok(()));
    let woken = Arc::new(Woken::default());
    let mut recv = Box::pin(socket.recv());
    assert!(poll_with(recv.as_mut(), &woken).is_pending());
    let before = woken.count();
    for _ in 0..10 {
        assert!(poll_with(recv.as_mut(), &woken).is_pending());
    }
    assert_eq!(woken.count(), before, "it asks for another turn although nothing can happen");
    pass(Duration::from_secs(5));
    assert!(poll_with(recv.as_mut(), &woken).is_ready(), "the close limit holds");
}

#[test]
fn limits_hold_for_a_peer_that_sends_without_end() {
    let (mut socket, peer) = server(&ServerConfig::default());
    let flood = numbered(20_000);
    let mut close = Box::pin(socket.close(CloseCode::GOING_AWAY, ""));
    let woken = Arc::new(Woken::default());
    for _ in 0..100 {
        peer.send(&flood);
        if let Poll::Ready(closed) = poll_with(close.as_mut(), &woken) {
            assert!(matches!(closed.unwrap().cause, Cause::CloseTimeout(_)));
            return;
        }
        pass(Duration::from_millis(500));
    }
    panic!("the close limit did not hold");
}

#[test]
fn a_peer_that_sends_without_end_leaves_other_tasks_their_turn() {
    let (mut socket, peer) = server(&ServerConfig::default());
    peer.wire().read_size = 1000;
    peer.send(&numbered(40_000));
    // Polled as one task polls it: message after message, as long as there is one.
    let mut received = 0_u32;
    while let Poll::Ready(message) = poll_with(pin!(socket.recv()), &Arc::new(Woken::default())) {
        assert!(message.unwrap().is_some());
        received += 1;
    }
    assert!(received < 1_000, "{received} messages without a turn for others");
    assert!(!peer.wire().incoming.is_empty());
}

#[test]
fn a_close_of_the_writer_sets_the_readers_alarm() {
    let (socket, peer) = server(&ServerConfig::default());
    let (mut reading, writing) = socket.split();
    let woken = Arc::new(Woken::default());
    let mut recv = Box::pin(reading.recv());
    assert!(poll_with(recv.as_mut(), &woken).is_pending());
    let before = woken.count();
    done(writing.close(CloseCode::NORMAL, "")).unwrap();
    assert!(woken.count() > before, "the reader keeps the time, and does not know of the new limit");
    assert!(poll_with(recv.as_mut(), &woken).is_pending());
    pass(Duration::from_secs(5));
    assert!(matches!(poll_with(recv.as_mut(), &woken), Poll::Ready(Err(_))));
    drop(peer);
}

#[test]
fn a_message_whose_sender_no_longer_waits_is_sent_all_the_same() {
    for halves in [false, true] {
        let (mut socket, peer) = server(&ServerConfig::default());
        peer.wire().window = 1000;
        let large = vec![7; 100_000];
        let woken = Arc::new(Woken::default());
        let kept: Box<dyn std::any::Any> = if halves {
            let (reading, writing) = socket.split();
            assert!(poll_with(pin!(writing.send(large.clone())), &woken).is_pending());
            Box::new((reading, writing))
        } else {
            assert!(poll_with(pin!(socket.send(large.clone())), &woken).is_pending());
            Box::new(socket)
        };
        // The application awaits something else; the peer reads.
        run_spawned();
        peer.open_window(usize::MAX);
        run_spawned();
        assert_eq!(messages(&mut client(), &peer.taken()), [large]);
        assert_eq!(spawned(), 0);
        drop(kept);
    }
}

#[test]
fn a_pong_does_not_wait_for_the_application_to_take_its_time_with_a_message() {
    let (mut socket, peer) = server(&ServerConfig::default());
    let mut other = client();
    other.ping(b"are you there").unwrap();
    let mut bytes = output(&mut other);
    bytes.extend(numbered(1));
    peer.send(&bytes);
    assert!(done(socket.recv()).unwrap().is_some());
    run_spawned();
    assert!(peer.taken().windows(13).any(|window| window == b"are you there"));
}

#[test]
fn a_writer_that_sends_nothing_can_wait_for_the_end() {
    for drops in [false, true] {
        let (socket, peer) = server(&ServerConfig::default());
        let (mut reading, writing) = socket.split();
        let woken = Arc::new(Woken::default());
        let mut closed = Box::pin(writing.wait_closed());
        assert!(poll_with(closed.as_mut(), &woken).is_pending());
        // What comes in between is no end.
        peer.send(&numbered(1));
        assert!(matches!(done(reading.recv()), Ok(Some(_))));
        assert!(poll_with(closed.as_mut(), &woken).is_pending());
        assert!(writing.closed().is_none());
        let before = woken.count();
        if drops {
            drop(reading);
        } else {
            peer.end(Ok(()));
            assert!(done(reading.recv()).is_err());
        }
        assert!(woken.count() > before, "nobody tells the writer");
        let Poll::Ready(closed) = poll_with(closed.as_mut(), &woken) else { panic!("it waits for ever") };
        assert_eq!(closed.cause == Cause::Aborted, drops, "{closed}");
        assert_eq!(writing.closed().as_ref(), Some(&closed));
        assert_eq!(done(writing.wait_closed()), closed, "it is there for who asks again");
    }
}

#[test]
fn tasks_that_send_once_leave_nothing_behind() {
    let (socket, peer) = server(&ServerConfig::default());
    let (_reading, writing) = socket.split();
    let woken: Vec<_> = (0..100).map(|_| Arc::new(Woken::default())).collect();
    for woken in &woken {
        assert!(poll_with(pin!(writing.send("tick")), woken).is_ready());
    }
    assert!(woken.iter().all(|woken| Arc::strong_count(woken) == 1), "a waker of a finished task is kept");
    drop(peer);
}

#[test]
fn work_per_poll_is_bounded() {
    let (mut socket, peer) = server(&ServerConfig::default());
    peer.wire().read_size = 10;
    let mut other = client();
    let mut pings = Vec::new();
    for _ in 0..10_000 {
        other.ping(b"").unwrap();
        pings.extend(output(&mut other));
    }
    peer.send(&pings);
    let woken = Arc::new(Woken::default());
    assert!(poll_with(pin!(socket.recv()), &woken).is_pending());
    assert!(woken.count() > 0, "it asks for another turn");
    assert!(!peer.wire().incoming.is_empty(), "it did not do everything in one");
}
