//! What a failure says in a log.

use std::error::Error;

use bytes::BytesMut;
use sansocket::{
    ClientConfig, HandshakeError, HandshakeErrorKind, Instant, Role, ServerConfig, ServerHandshake,
    TransportError,
};

use crate::support::{Outcome, connect, millis, new_client, refusal, requests, responses, serve};

#[test]
fn an_error_is_a_pointer_that_can_be_sent_and_shared() {
    fn is_sound<T: Clone + Send + Sync + Error + 'static>() {}
    is_sound::<HandshakeError>();
    assert_eq!(size_of::<HandshakeError>(), size_of::<usize>());
    assert!(size_of::<HandshakeErrorKind>() <= 64);
}

#[test]
fn one_line_stands_alone() {
    let mut silent = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    assert_eq!(
        silent.eof(millis(12)).to_string(),
        "opening handshake failed: the client closed TCP before it sent a byte \
         (closed-before-first-byte; awaiting request, 0 bytes in 0 reads, 12 ms)"
    );
    let mut cut = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    let _more = cut.receive(&mut BytesMut::from("GET / HTTP"), Instant::ZERO).unwrap();
    let _more = cut.receive(&mut BytesMut::from("/1.1\r\n"), Instant::ZERO).unwrap();
    assert_eq!(
        cut.eof(millis(1_500)).to_string(),
        "opening handshake failed: the client closed TCP inside the head of its request \
         (closed-inside-head; reading request, 16 bytes in 2 reads, 1.5 s, first bytes \"GET / HTTP/1.1\\r\\n\")"
    );
    assert_eq!(
        refusal(b"\x81\x80\0\0\0\0").to_string(),
        "opening handshake failed: the client does not speak HTTP/1; this looks like a WebSocket frame (Text) without \
         an opening handshake before it (not-http; reading request, 2 bytes in 1 read, 0 ms, first bytes \
         \"\\x81\\x80\\x00\\x00\\x00\\x00\")"
    );
    let (mut client, _) = new_client();
    assert_eq!(
        client.timeout(millis(10_000)).unwrap_err().to_string(),
        "opening handshake failed: the server sent nothing within 10 s \
         (timed-out; path \"/chat\", sending request, 0 bytes in 0 reads, 10 s)"
    );
    let (mut client, _) = new_client();
    client.transmit().clear();
    assert_eq!(
        client.failed(TransportError::Reset, millis(3)).to_string(),
        "opening handshake failed: the peer reset the connection \
         (transport-failed; path \"/chat\", awaiting response, 0 bytes in 0 reads, 3 ms)"
    );
}

#[test]
fn every_failure_of_the_tables_has_a_line_and_advice() {
    let mut codes = std::collections::BTreeSet::new();
    for case in requests() {
        if let Outcome::Failed(failed) = serve(&ServerConfig::default(), &[&case.head]) {
            let error = refusal(&case.head);
            assert_eq!(error.kind(), &failed.kind);
            check(&error, Role::Server, &case.name);
            codes.insert(error.code());
        }
    }
    for case in responses() {
        if let Outcome::Failed(failed) = connect(&ClientConfig::default(), &[&case.head]) {
            let (mut client, _) = new_client();
            let error = client.receive(&mut BytesMut::from(&case.head[..]), Instant::ZERO).unwrap_err();
            assert_eq!(error.kind(), &failed.kind);
            check(&error, Role::Client, &case.name);
            codes.insert(error.code());
        }
    }
    // The tables reach every kind that a peer can cause with a whole head.
    assert_eq!(codes.len(), 32, "{codes:?}");
}

fn check(error: &HandshakeError, role: Role, name: &str) {
    let line = error.to_string();
    assert_eq!(error.role(), role);
    assert!(line.starts_with("opening handshake failed: "), "{name}: {line}");
    assert!(line.contains(&format!(" ({}; ", error.code())), "{name}: {line}");
    assert!(role == Role::Server || error.path().is_some_and(|path| path.as_bytes() == b"/chat"), "{name}");
    assert!(line.is_ascii() && !line.contains(['\r', '\n']), "{name}: {line}");
    assert!(line.len() < 400, "{name}: {line}");
    assert!(error.advice().ends_with('.'), "{name}");
    assert_eq!(
        error.reply().is_some(),
        role == Role::Server && error.kind().reply_status().is_some(),
        "{name}"
    );
}

#[test]
fn values_are_cut_and_escaped() {
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: \"{}\r\n\r\n", "\u{e9}".repeat(100));
    let error = refusal(head.as_bytes());
    let HandshakeErrorKind::UpgradeNotWebSocket { seen } = error.kind() else { panic!("{error}") };
    assert_eq!((seen.as_bytes().len(), seen.is_cut()), (64, true));
    let shown = seen.to_string();
    assert!(shown.starts_with("\"\\\"\\xc3\\xa9"), "{shown}");
    assert!(shown.ends_with("\\xc3\"... (201 bytes)"), "{shown}");
}

#[test]
fn the_source_of_a_transport_failure_is_the_transports_error() {
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    let error = handshake.failed(TransportError::TlsTruncated, Instant::ZERO);
    assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&TransportError::TlsTruncated));
    assert!(refusal(b"\0").source().is_none());
}

#[test]
fn first_bytes_are_at_most_64() {
    let head = [b"POST / HTTP/1.1\r\nX: ".to_vec(), vec![b'y'; 100], b"\r\n\r\n".to_vec()].concat();
    assert_eq!(refusal(&head).first_bytes(), &head[..64]);
}
