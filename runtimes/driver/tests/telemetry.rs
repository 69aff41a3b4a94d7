//! What operators see of handshakes: one event each, at the level that it deserves, and counts.
//!
//! A binary of its own, because the counts belong to the process.

mod log;
#[path = "driver/script.rs"]
#[expect(dead_code, reason = "shared with the tests of the driver")]
mod script;

use std::sync::Arc;
use std::time::Duration;

use sansocket::{Accept, Answer, Reject, Role, ServerConfig};
use sansocket_driver::{AnyRequest, Error, accept_or_answer, accept_with, handshakes, receive_any};
use tracing::Level;

use log::{Lines, Log};
use script::{Peer, Script, Stream, done, stream};

/// The address that the streams of these tests have.
const PEER: &str = "peer=192.0.2.7:5000 ";

/// The events of a server to which a client sends `bytes` and then ends its stream.
fn events(bytes: &[u8], accept: impl FnOnce(Stream) -> Result<(), Error>) -> (Vec<(Level, String)>, Peer) {
    let events = Lines::default();
    let log = Log { lines: Arc::clone(&events), level: Level::TRACE };
    let (stream, peer) = stream();
    peer.send(bytes);
    peer.end(Ok(()));
    let _ = tracing::subscriber::with_default(log, || accept(stream));
    let events = std::mem::take(&mut *events.lock().unwrap());
    (events, peer)
}

fn accept(stream: Stream) -> Result<(), Error> {
    done(accept_with::<_, Script>(stream, &ServerConfig::default(), |_| Ok(Accept::new()))).map(drop)
}

#[test]
fn each_failed_handshake_is_logged_once_at_its_level_and_counted() {
    let request = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";
    let cases: [(&[u8], Level, &str); 3] = [
        (b"", Level::DEBUG, "closed-before-first-byte"),
        (b"\x16\x03\x01\x00\xff\x01", Level::INFO, "not-http"),
        (request, Level::WARN, "missing-key"),
    ];
    for (bytes, level, code) in cases {
        let before = handshakes(Role::Server).failed.get(code).copied().unwrap_or_default();
        let (events, _) = events(bytes, accept);
        let [(seen, line)] = &events[..] else { panic!("{code}: not one event: {events:?}") };
        assert_eq!(*seen, level, "{line}");
        for part in [
            &*format!("code=\"{code}\""),
            "phase=",
            "severity=",
            "looks_like=",
            "bytes=",
            "elapsed_ms=",
            PEER,
        ] {
            assert!(line.contains(part), "{part} is not in {line}");
        }
        assert_eq!(handshakes(Role::Server).failed[code], before + 1);
    }
}

#[test]
fn a_refusal_of_the_application_is_logged_with_path_and_reason() {
    let request =
        b"GET /room?token=s3cret HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let (events, peer) = events(request, |stream| {
        // A server that is full says so, which is no error of its own.
        let full = |_: &_| Err(Reject::too_busy(Duration::from_secs(9)).because("1000 connections are open"));
        done(accept_with::<_, Script>(stream, &ServerConfig::default(), full)).map(drop)
    });
    let [(Level::INFO, line)] = &events[..] else { panic!("not one event at INFO: {events:?}") };
    for part in
        ["status=503", "path=\"/room\"", "reason=\"1000 connections are open\"", "code=\"rejected\"", PEER]
    {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    assert!(!line.contains("s3cret"), "{line}");
    assert!(peer.taken().starts_with(b"HTTP/1.1 503 "));
}

#[test]
fn plain_http_is_answered_and_is_no_failure() {
    let before = handshakes(Role::Server).failed;
    let mut config = ServerConfig::default();
    config.plain_http = true;
    let request = b"GET /healthz?token=s3cret HTTP/1.1\r\nHost: h\r\n\r\n";
    let answered = |stream| {
        let answer =
            accept_or_answer::<_, Script>(stream, &config, |_| Ok(Accept::new()), |_| Answer::new(200));
        assert!(done(answer)?.is_none());
        Ok(())
    };
    let (events, peer) = events(request, answered);
    assert!(peer.taken().starts_with(b"HTTP/1.1 200 "));
    assert!(
        matches!(&events[..], [(Level::DEBUG, line)] if line.contains("path=\"/healthz\"")),
        "{events:?}"
    );
    assert!(!format!("{events:?}").contains("s3cret"), "{events:?}");
    assert!(handshakes(Role::Server).failed.len() >= before.len());
    // A function that cannot answer says so, to both sides.
    let (_, peer) = self::events(request, |stream| {
        let error = done(accept_with::<_, Script>(stream, &config, |_| Ok(Accept::new()))).err().unwrap();
        assert!(matches!(&error, Error::PlainHttp { target } if &**target == "/healthz"), "{error}");
        Err(error)
    });
    assert!(peer.taken().starts_with(b"HTTP/1.1 404 "));
}

#[test]
fn the_answer_to_either_kind_of_request_may_take_its_time() {
    let mut config = ServerConfig::default();
    config.plain_http = true;
    let (events, peer) = events(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", |stream| {
        let AnyRequest::<_, Script>::Http(page) = done(receive_any(stream, &config))? else {
            panic!("a page")
        };
        assert_eq!((page.request().method(), page.request().target()), ("GET", "/healthz"));
        done(page.answer(Answer::new(204)));
        Ok(())
    });
    assert!(peer.taken().starts_with(b"HTTP/1.1 204 "));
    assert!(matches!(&events[..], [(Level::DEBUG, _)]), "{events:?}");
    let request = b"GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let (_, peer) = self::events(request, |stream| {
        let AnyRequest::<_, Script>::WebSocket(incoming) = done(receive_any(stream, &config))? else {
            panic!("a WebSocket")
        };
        assert_eq!(incoming.request().target(), "/chat");
        done(incoming.accept(Accept::new())).map(drop)
    });
    assert!(peer.taken().starts_with(b"HTTP/1.1 101 "));
}

#[test]
fn an_open_connection_is_counted_and_its_end_is_logged() {
    let request = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let before = handshakes(Role::Server).opened;
    let (events, _) = events(request, |stream| {
        let mut socket =
            done(accept_with::<_, Script>(stream, &ServerConfig::default(), |_| Ok(Accept::new())))?;
        done(socket.recv()).map(drop)
    });
    assert!(handshakes(Role::Server).opened > before);
    assert!(
        matches!(&events[..], [(Level::DEBUG, _), (Level::DEBUG, line)] if line.contains("clean=false")),
        "{events:?}"
    );
}

#[cfg(feature = "tls")]
#[test]
fn a_client_without_tls_is_logged_once_at_its_level_and_counted() {
    use rcgen::{CertificateParams, KeyPair};
    use sansocket_driver::TlsAcceptor;

    let key = KeyPair::generate().unwrap();
    let chain = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap().pem();
    let acceptor = TlsAcceptor::<Script>::from_pem(chain.as_bytes(), key.serialize_pem().as_bytes()).unwrap();
    let cases: [(&[u8], Level, &str); 4] = [
        (b"", Level::DEBUG, "tls-closed-before-first-byte"),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", Level::INFO, "tls-not-tls"),
        (b"\x16\x03\x01\x02\x00\x01", Level::WARN, "tls-closed-inside"),
        (b"\x16\x03\x01\x00\x05\xff\xff\xff\xff\xff", Level::WARN, "tls-failed"),
    ];
    for (bytes, level, code) in cases {
        let (events, _) = events(bytes, |stream| done(acceptor.accept(stream)).map(drop));
        let [(seen, line)] = &events[..] else { panic!("{code}: not one event: {events:?}") };
        assert_eq!(*seen, level, "{line}");
        assert!(line.contains(&format!("code=\"{code}\"")) && line.contains(PEER), "{line}");
        assert_eq!(handshakes(Role::Server).failed[code], 1);
    }
}
