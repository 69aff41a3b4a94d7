//! Conversions between this crate's vocabulary and tungstenite's: what must survive the way there and back, and what must not.

use std::error::Error as _;
use std::io::Cursor;

use bytes::{Bytes, BytesMut};
use sansocket::tungstenite::NoMessage;
use sansocket::{
    CloseCode, CloseFrame, Connection, Event, Failure, Instant, InvalidCloseFrame, LimitExceeded, Limits,
    Message, Role, ServerConfig,
};
use tungstenite::error::{CapacityError, Error};
use tungstenite::protocol::frame::coding;
use tungstenite::protocol::frame::{Frame, FrameHeader};
use tungstenite::protocol::{self, WebSocketConfig};

#[test]
fn messages_survive_both_ways() {
    for message in [Message::from("täxt"), Message::from(""), Message::from(&[0, 255]), Message::from(&[])] {
        let theirs = protocol::Message::from(message.clone());
        assert_eq!((theirs.is_text(), theirs.len()), (message.as_text().is_some(), message.len()));
        assert_eq!(Message::try_from(theirs), Ok(message));
    }
    let bytes = Bytes::from(vec![7; 100]);
    let there = protocol::Message::from(Message::Binary(bytes.clone()));
    let Ok(Message::Binary(back)) = Message::try_from(there) else { panic!("binary") };
    assert_eq!(back.as_ptr(), bytes.as_ptr(), "binary data is shared, not copied");
}

#[test]
fn what_is_no_message_comes_back() {
    let others = [
        protocol::Message::Ping("p".into()),
        protocol::Message::Pong("q".into()),
        protocol::Message::Close(None),
        protocol::Message::Frame(Frame::ping("r")),
    ];
    for other in others {
        assert_eq!(Message::try_from(other.clone()), Err(NoMessage(other)));
    }
}

#[test]
fn events_become_messages_of_every_type() {
    let mut connection = Connection::server(&ServerConfig::default(), Instant::ZERO);
    // Masked with the key 0, by hand: text, binary, Ping, Pong, Close 4000 "x", without what follows it.
    let mut input = BytesMut::from(
        &b"\x81\x81\0\0\0\0a\x82\x81\0\0\0\0b\x89\x81\0\0\0\0c\x8a\x81\0\0\0\0d\x88\x83\0\0\0\0\x0f\xa0x"[..],
    );
    let mut reader = connection.read(&mut input);
    let mut messages = Vec::new();
    while let Some(event) = reader.next() {
        messages.push(protocol::Message::try_from(event).unwrap());
    }
    let frame = protocol::CloseFrame { code: coding::CloseCode::Library(4000), reason: "x".into() };
    let expected = [
        protocol::Message::text("a"),
        protocol::Message::binary("b"),
        protocol::Message::Ping("c".into()),
        protocol::Message::Pong("d".into()),
        protocol::Message::Close(Some(frame)),
    ];
    assert_eq!(messages, expected);
    let failure = Failure::Limit(LimitExceeded::Fragments { limit: 1 });
    assert_eq!(protocol::Message::try_from(Event::Failed(failure)), Err(Event::Failed(failure)));
}

#[test]
fn every_close_code_survives_both_ways() {
    for code in 0..=u16::MAX {
        assert_eq!(CloseCode::from(coding::CloseCode::from(CloseCode(code))), CloseCode(code));
    }
    assert_eq!(coding::CloseCode::from(CloseCode::TOO_BIG), coding::CloseCode::Size);
}

#[test]
fn close_frames_survive_both_ways_and_bad_ones_are_refused() {
    for (code, reason) in [(1000, ""), (1011, "täxt"), (4999, "x"), (1005, "")] {
        let frame = CloseFrame::new(CloseCode(code), reason).unwrap();
        let theirs = Option::<protocol::CloseFrame>::from(frame.clone());
        assert_eq!(theirs.is_none(), code == 1005);
        assert_eq!(CloseFrame::try_from(theirs), Ok(frame));
    }
    let bad = |code: u16, reason: &str| protocol::CloseFrame { code: code.into(), reason: reason.into() };
    assert_eq!(CloseFrame::try_from(bad(1006, "")), Err(InvalidCloseFrame::Code(CloseCode(1006))));
    let long = "x".repeat(124);
    assert_eq!(CloseFrame::try_from(Some(bad(1000, &long))), Err(InvalidCloseFrame::Reason { len: 124 }));
}

#[test]
fn roles_survive_both_ways() {
    for role in [Role::Client, Role::Server] {
        assert_eq!(Role::from(protocol::Role::from(role)), role);
    }
}

#[test]
fn limits_survive_both_ways_and_the_rest_keeps_its_default() {
    let mut config = WebSocketConfig::default().max_message_size(None).max_frame_size(Some(7));
    config = config.write_buffer_size(3).max_write_buffer_size(9).read_buffer_size(11);
    let limits = Limits::from(&config);
    assert_eq!((limits.message, limits.frame), (usize::MAX, 7));
    assert_eq!((limits.write_soft, limits.write_hard), (3, 9));
    assert_eq!(
        (limits.head_bytes, limits.fragments),
        (Limits::default().head_bytes, Limits::default().fragments)
    );
    let back = WebSocketConfig::from(&limits);
    assert_eq!((back.max_message_size, back.max_frame_size), (None, Some(7)));
    assert_eq!((back.write_buffer_size, back.max_write_buffer_size), (3, 9));
    assert_eq!(ServerConfig::from(&config).limits, limits);
}

#[test]
fn limits_that_there_would_panic_are_made_to_fit() {
    let mut limits = Limits::default();
    (limits.write_soft, limits.write_hard) = (usize::MAX, 10);
    let config = WebSocketConfig::from(&limits);
    // Panics on a configuration that is not valid.
    let socket = protocol::WebSocket::from_raw_socket(
        Cursor::new(Vec::<u8>::new()),
        protocol::Role::Client,
        Some(config),
    );
    assert!(socket.can_write());
    assert_eq!(Limits::from(&config.write_buffer_size(0)).write_soft, 1, "or nothing could be sent");
}

/// What both say of frames that a client sends, masked with the key 0, to a server with limits of 20 bytes for a message and 10 for a frame.
fn both(frames: &[u8]) -> [Error; 2] {
    let config = WebSocketConfig::default().max_message_size(Some(20)).max_frame_size(Some(10));
    let mut connection = Connection::server(&ServerConfig::from(&config), Instant::ZERO);
    let mut input = BytesMut::from(frames);
    let mut reader = connection.read(&mut input);
    let ours = loop {
        match reader.next() {
            Some(Event::Failed(failure)) => break Error::from(failure),
            Some(_) => {}
            None => panic!("sansocket lets {frames:02x?} pass"),
        }
    };
    let stream = Cursor::new(frames.to_vec());
    let mut socket = protocol::WebSocket::from_raw_socket(stream, protocol::Role::Server, Some(config));
    let theirs = loop {
        if let Err(error) = socket.read() {
            break error;
        }
    };
    [ours, theirs]
}

/// A frame of a client, masked with the key 0.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | len as u8),
        len => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(len as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

#[test]
fn both_say_the_same_of_the_same_fault() {
    let faults = [
        frame(0xc1, b"rsv1"),
        frame(0x83, b"opcode 3"),
        frame(0x8b, b"opcode b"),
        b"\x81\x01a".to_vec(),
        frame(0x09, b"no FIN"),
        frame(0x80, b"continued"),
        [frame(0x01, b"begun"), frame(0x81, b"again")].concat(),
        frame(0x88, b"1"),
        frame(0x82, &[0; 11]),
        [frame(0x02, &[0; 10]), frame(0x00, &[0; 10]), frame(0x80, &[0; 1])].concat(),
    ];
    for fault in faults {
        let [ours, theirs] = both(&fault).map(|error| format!("{error:?}"));
        assert_eq!(ours, theirs, "{fault:02x?}");
    }
}

#[test]
fn text_that_is_no_utf8_is_told_by_both() {
    let [ours, theirs] = both(&frame(0x81, b"a\xff"));
    assert!(matches!(theirs, Error::Utf8(_)), "{theirs}");
    let Error::Utf8(text) = ours else { panic!("{ours}") };
    assert_eq!(text, "a text message is not UTF-8 from its byte 1 on");
}

#[test]
fn what_there_has_no_name_is_inside_of_an_io_error() {
    let failure = Failure::Limit(LimitExceeded::Fragments { limit: 5 });
    let error = Error::from(failure);
    assert!(error.to_string().contains("more than 5 frames"), "{error}");
    let Error::Io(io) = &error else { panic!("{error}") };
    assert_eq!(io.get_ref().unwrap().downcast_ref(), Some(&failure));
    assert!(error.source().is_some());
    let inflated = Failure::Limit(LimitExceeded::InflatedMessage { compressed: 9, limit: 99 });
    let Error::Capacity(capacity) = Error::from(inflated) else { panic!("a limit") };
    assert_eq!(capacity, CapacityError::MessageTooLong { size: 100, max_size: 99 });
}

#[test]
fn a_frame_of_theirs_is_no_message_whatever_is_in_it() {
    let frame = Frame::from_payload(FrameHeader::default(), Bytes::new());
    assert!(Message::try_from(protocol::Message::Frame(frame)).is_err());
}
