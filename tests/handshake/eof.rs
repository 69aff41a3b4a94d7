//! The end of the stream and its failure: after 0 bytes, at every byte, and when all has been said.

use bytes::BytesMut;
use sansocket::{
    ClientStep, HandshakeErrorKind, Instant, Phase, ServerConfig, ServerHandshake, ServerStep, TransportError,
};

use crate::support::{millis, new_client, request, response_with};

fn new_server() -> ServerHandshake {
    ServerHandshake::new(&ServerConfig::default(), Instant::ZERO)
}

#[test]
fn eof_after_no_byte_and_eof_inside_the_head_are_different_errors() {
    let mut handshake = new_server();
    let error = handshake.eof(millis(12));
    assert_eq!(error.kind(), &HandshakeErrorKind::ClosedBeforeFirstByte);
    assert_eq!((error.phase(), error.bytes(), error.reads()), (Phase::AwaitingRequest, 0, 0));
    assert_eq!(error.reply(), None);

    let mut handshake = new_server();
    let step = handshake.receive(&mut BytesMut::from("G"), millis(1)).unwrap();
    assert!(matches!(step, ServerStep::NeedMore));
    let error = handshake.eof(millis(12));
    assert_eq!(error.kind(), &HandshakeErrorKind::ClosedInsideHead);
    assert_eq!((error.phase(), error.bytes(), error.reads()), (Phase::ReadingRequest, 1, 1));
    assert_eq!(error.first_bytes(), b"G");
    assert_eq!(error.reply(), None, "who has gone does not read");
}

#[test]
fn a_request_cut_at_any_byte_is_incomplete_and_never_accepted() {
    let head = request();
    for len in 0..head.len() {
        let mut handshake = new_server();
        let step = handshake.receive(&mut BytesMut::from(&head[..len]), Instant::ZERO);
        assert!(matches!(step, Ok(ServerStep::NeedMore)), "{len} bytes");
        let error = handshake.eof(Instant::ZERO);
        let expected = match len {
            0 => HandshakeErrorKind::ClosedBeforeFirstByte,
            _ => HandshakeErrorKind::ClosedInsideHead,
        };
        assert_eq!(error.kind(), &expected, "{len} bytes");
        assert_eq!(error.bytes(), len as u64);
        assert_eq!(error.first_bytes(), &head[..len.min(64)]);
    }
}

#[test]
fn a_response_cut_at_any_byte_is_incomplete_and_never_opens() {
    let head = [b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), response_with("")].concat();
    for len in 0..head.len() {
        let (mut handshake, _) = new_client();
        handshake.transmit().clear();
        let step = handshake.receive(&mut BytesMut::from(&head[..len]), Instant::ZERO);
        assert!(matches!(step, Ok(ClientStep::NeedMore)), "{len} bytes");
        let error = handshake.eof(Instant::ZERO);
        let (kind, phase) = match len {
            0 => (HandshakeErrorKind::ClosedBeforeFirstByte, Phase::AwaitingResponse),
            _ => (HandshakeErrorKind::ClosedInsideHead, Phase::ReadingResponse),
        };
        assert_eq!((error.kind(), error.phase()), (&kind, phase), "{len} bytes");
    }
}

#[test]
fn eof_while_the_application_decides_has_its_own_kind() {
    let mut handshake = new_server();
    let step = handshake.receive(&mut BytesMut::from(&request()[..]), Instant::ZERO).unwrap();
    assert!(matches!(step, ServerStep::Request(_)));
    let error = handshake.eof(millis(5));
    assert_eq!((error.kind(), error.phase()), (&HandshakeErrorKind::ClosedBeforeReply, Phase::Deciding));
    assert_eq!(error.reply(), None);
}

#[test]
fn a_client_knows_whether_its_request_was_written() {
    let (mut handshake, _) = new_client();
    let error = handshake.failed(TransportError::Reset, Instant::ZERO);
    assert_eq!(error.kind(), &HandshakeErrorKind::TransportFailed(TransportError::Reset));
    assert_eq!(error.phase(), Phase::SendingRequest);
    assert!(handshake.transmit().is_empty(), "nothing more is to be written");

    let (mut handshake, _) = new_client();
    handshake.transmit().clear();
    assert_eq!(handshake.failed(TransportError::Reset, Instant::ZERO).phase(), Phase::AwaitingResponse);
}

#[test]
fn a_reply_that_cannot_be_written_does_not_replace_the_first_error() {
    let mut handshake = new_server();
    let mut input = BytesMut::from("POST / HTTP/1.1\r\n\r\nbody");
    let first = handshake.receive(&mut input, millis(3)).unwrap_err();
    assert_eq!(first.code(), "method-not-get");
    let later = [
        handshake.failed(TransportError::BrokenPipe, millis(4)),
        handshake.eof(millis(5)),
        handshake.timeout(millis(20_000)).unwrap_err(),
        handshake.receive(&mut BytesMut::from(&request()[..]), millis(6)).unwrap_err(),
    ];
    for error in later {
        assert_eq!(error.kind(), first.kind());
        assert_eq!(error.elapsed(), first.elapsed());
        assert_eq!(error.reply(), first.reply());
    }
}

#[test]
fn after_success_the_input_belongs_to_the_connection() {
    let mut handshake = new_server();
    let mut input = BytesMut::from(&request()[..]);
    let _pending = handshake.receive(&mut input, Instant::ZERO).unwrap();
    input.extend_from_slice(b"frame");
    assert!(matches!(handshake.receive(&mut input, Instant::ZERO), Ok(ServerStep::NeedMore)));
    assert_eq!(&input[..], b"frame");

    let (mut handshake, _) = new_client();
    let mut input = BytesMut::from(&response_with("")[..]);
    let _open = handshake.receive(&mut input, Instant::ZERO).unwrap();
    input.extend_from_slice(b"frame");
    assert!(matches!(handshake.receive(&mut input, Instant::ZERO), Ok(ClientStep::NeedMore)));
    assert_eq!(&input[..], b"frame");
    assert_eq!(handshake.eof(Instant::ZERO).kind(), &HandshakeErrorKind::Finished);
}
