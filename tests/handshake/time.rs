//! The time limit of the whole handshake, without a clock.

use core::time::Duration;

use bytes::BytesMut;
use sansocket::{
    ClientConfig, ClientHandshake, HandshakeErrorKind, Instant, Phase, ServerConfig, ServerHandshake,
};

use crate::support::{client_request, entropy, millis, new_client, refusal, request, response_with};

const LIMIT: HandshakeErrorKind = HandshakeErrorKind::TimedOut { limit: Duration::from_secs(10) };

#[test]
fn a_silent_client_gets_no_reply_and_one_that_began_gets_408() {
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), millis(1_000));
    assert_eq!(handshake.deadline(), Some(millis(11_000)));
    assert!(handshake.timeout(millis(10_999)).is_ok());
    let error = handshake.timeout(millis(11_000)).unwrap_err();
    assert_eq!((error.kind(), error.phase(), error.status()), (&LIMIT, Phase::AwaitingRequest, None));
    assert_eq!(error.reply(), None);
    assert_eq!(error.elapsed(), Duration::from_secs(10));
    assert_eq!(handshake.deadline(), None);

    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    let _more = handshake.receive(&mut BytesMut::from("GET / HT"), millis(9_999)).unwrap();
    assert_eq!(handshake.deadline(), Some(millis(10_000)), "a byte does not buy time");
    let error = handshake.timeout(millis(10_001)).unwrap_err();
    assert_eq!((error.kind(), error.phase(), error.status()), (&LIMIT, Phase::ReadingRequest, Some(408)));
    assert!(error.reply().unwrap().starts_with(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"));
}

#[test]
fn the_deadline_is_gone_once_the_request_is_whole() {
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    let _pending = handshake.receive(&mut BytesMut::from(&request()[..]), millis(1)).unwrap();
    assert_eq!(handshake.deadline(), None);
    assert!(handshake.timeout(millis(60_000)).is_ok());
}

#[test]
fn a_client_gives_up_in_each_of_its_phases() {
    let (mut handshake, _) = new_client();
    let error = handshake.timeout(millis(10_000)).unwrap_err();
    assert_eq!((error.kind(), error.phase()), (&LIMIT, Phase::SendingRequest));

    let (mut handshake, _) = new_client();
    handshake.transmit().clear();
    let error = handshake.timeout(millis(10_000)).unwrap_err();
    assert_eq!((error.kind(), error.phase()), (&LIMIT, Phase::AwaitingResponse));

    let (mut handshake, _) = new_client();
    handshake.transmit().clear();
    let _more = handshake.receive(&mut BytesMut::from("HTTP/1.1"), millis(1)).unwrap();
    let error = handshake.timeout(millis(10_000)).unwrap_err();
    assert_eq!((error.kind(), error.phase()), (&LIMIT, Phase::ReadingResponse));
    assert_eq!(error.reply(), None, "a client never replies");

    let (mut handshake, _) = new_client();
    let _open = handshake.receive(&mut BytesMut::from(&response_with("")[..]), millis(1)).unwrap();
    assert_eq!(handshake.deadline(), None);
    assert!(handshake.timeout(millis(60_000)).is_ok());
}

#[test]
fn without_a_limit_there_is_no_deadline() {
    let mut config = ServerConfig::default();
    config.timeouts.handshake = None;
    let mut handshake = ServerHandshake::new(&config, Instant::ZERO);
    assert_eq!(handshake.deadline(), None);
    assert!(handshake.timeout(Instant::from_nanos(u64::MAX)).is_ok());

    let mut config = ClientConfig::default();
    config.timeouts.handshake = None;
    let mut handshake = ClientHandshake::new(&client_request(), &config, entropy(), Instant::ZERO);
    assert_eq!(handshake.deadline(), None);
    assert!(handshake.timeout(Instant::from_nanos(u64::MAX)).is_ok());
}

#[test]
fn time_that_goes_backwards_is_harmless() {
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), millis(5_000));
    assert!(handshake.timeout(millis(1)).is_ok());
    let error = handshake.eof(millis(2));
    assert_eq!(error.elapsed(), Duration::ZERO);
}

#[test]
fn a_failed_handshake_has_no_deadline() {
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    let error = handshake.receive(&mut BytesMut::from(&b"\x81\x80"[..]), millis(7)).unwrap_err();
    assert_eq!(error.kind(), refusal(b"\x81\x80").kind());
    assert_eq!(error.elapsed(), Duration::from_millis(7));
    assert_eq!(handshake.deadline(), None);
}
