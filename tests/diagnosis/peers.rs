//! What is known about a peer beyond its code: names, addresses, versions.

use bytes::BytesMut;
use sansocket::{HandshakeErrorKind, Instant, Peer, ServerConfig, ServerHandshake, ServerStep};

use crate::cases::all;
use crate::memory;
use crate::run::{Outcome, Role, refusal, secs, whole};

/// The peer of the case with this name.
fn peer_of(role: Role, name: &str) -> Peer {
    let case = all().into_iter().find(|case| case.role == role && case.name == name);
    match whole(&case.unwrap_or_else(|| panic!("no case {name:?}"))).0 {
        Outcome::Failed(failed) => failed.peer,
        other => panic!("{name}: {other:?}"),
    }
}

/// A ClientHello with these extensions, as one record.
fn client_hello(extensions: &[(u16, &[u8])]) -> Vec<u8> {
    let with_len = |data: &[u8]| [&u16::try_from(data.len()).unwrap().to_be_bytes()[..], data].concat();
    let extensions: Vec<u8> = extensions
        .iter()
        .flat_map(|(kind, data)| [&kind.to_be_bytes()[..], &with_len(data)].concat())
        .collect();
    let fixed = [&[3, 3][..], &[7; 32], &[0], &[0, 2, 0x13, 0x01], &[1, 0]].concat();
    let body = [fixed, with_len(&extensions)].concat();
    let message = [&[1, 0][..], &with_len(&body)].concat();
    [&[0x16, 3, 1][..], &with_len(&message)].concat()
}

fn server_name(name: &str) -> Vec<u8> {
    let len = u8::try_from(name.len()).unwrap();
    [&[0, len + 3, 0, 0, len], name.as_bytes()].concat()
}

fn protocols(names: &[&str]) -> Vec<u8> {
    let list: Vec<u8> = names
        .iter()
        .flat_map(|name| [&[u8::try_from(name.len()).unwrap()], name.as_bytes()].concat())
        .collect();
    [&u16::try_from(list.len()).unwrap().to_be_bytes()[..], &list].concat()
}

fn hello_of(peer: &Peer) -> (Option<&str>, Vec<&str>) {
    let Peer::TlsClient(hello) = peer else { panic!("{peer:?}") };
    (hello.server_name(), hello.protocols().collect())
}

#[test]
fn a_tls_client_tells_whom_it_wants_and_what_it_speaks() {
    let peer = peer_of(Role::Server, "TLS: a browser that was given wss");
    assert_eq!(hello_of(&peer), (Some("example.com"), vec!["h2", "http/1.1"]));
    assert_eq!(peer.to_string(), "a TLS client that asks for \"example.com\" (ALPN h2, http/1.1)");
    let without = ["TLS without ALPN, as curl to an address sends it", "TLS that is cut before the names"];
    for name in without {
        assert_eq!(hello_of(&peer_of(Role::Server, name)), (None, vec![]), "{name}");
    }
    let part = peer_of(Role::Server, "TLS that is cut behind SNI");
    assert_eq!(hello_of(&part), (Some("example.com"), vec![]));
    // What is no name is not shown.
    let bad = peer_of(Role::Server, "TLS whose SNI has control characters");
    assert_eq!(hello_of(&bad), (None, vec!["h2", "http/1.1"]));
    let bad = peer_of(Role::Server, "TLS whose SNI is longer than its extension");
    assert_eq!(hello_of(&bad), (None, vec!["h2", "http/1.1"]));
}

#[test]
fn a_tls_hello_with_a_large_key_share_is_read_and_not_held() {
    let key_share = [0x55; 1224];
    let (name, alpn) = (server_name("chat.example.com"), protocols(&["http/1.1"]));
    let hello = client_hello(&[(51, &key_share), (16, &alpn), (43, &[2, 3, 4]), (0, &name), (21, &[0; 64])]);
    let error = refusal(&hello);
    assert_eq!(hello_of(error.peer()), (Some("chat.example.com"), vec!["http/1.1"]));
    // It is settled when both are known; the padding behind them is not waited for.
    assert_eq!(error.bytes(), hello.len() as u64 - 4 - 64);
    let config = ServerConfig::default();
    for piece in [1, 100, 1000] {
        let mut input = BytesMut::with_capacity(hello.len());
        let (_handshake, held) = memory::held(|| {
            let mut handshake = ServerHandshake::new(&config, Instant::ZERO);
            for piece in hello[..1300].chunks(piece) {
                input.clear();
                input.extend_from_slice(piece);
                let step = handshake.receive(&mut input, Instant::ZERO);
                assert!(matches!(step, Ok(ServerStep::NeedMore)), "the names are still to come");
            }
            handshake
        });
        let held = usize::try_from(held).expect("more is held than before");
        assert!(held <= 512, "{held} bytes, {piece} at a time");
    }
}

#[test]
fn a_tls_client_cannot_make_the_server_keep_much() {
    let long = "x".repeat(250);
    let many: Vec<&str> = std::iter::repeat_n("h2", 100).collect();
    let error = refusal(&client_hello(&[(0, &server_name(&long)), (16, &protocols(&many))]));
    let (name, protocols) = hello_of(error.peer());
    assert_eq!((name.map(str::len), protocols.len()), (Some(250), 8));
    assert!(error.to_string().len() < 600, "{error}");
}

#[test]
fn a_load_balancer_tells_the_address_of_its_client() {
    let cases = [
        ("the PROXY protocol, version 1, IPv4", 1, Some("192.0.2.1:56324")),
        ("the PROXY protocol, version 1, IPv6", 1, Some("[2001:db8::1]:56324")),
        ("the PROXY protocol, version 1, unknown", 1, None),
        ("the PROXY protocol, version 1, without its end", 1, None),
        ("the PROXY protocol, version 1, with an address that is none", 1, None),
        ("the PROXY protocol, version 2, IPv4", 2, Some("192.0.2.1:56324")),
        ("the PROXY protocol, version 2, IPv6", 2, Some("[2001:db8::1]:56324")),
        ("the PROXY protocol, version 2, a health check of the balancer itself", 2, None),
        ("the PROXY protocol, version 2, with too few addresses", 2, None),
    ];
    for (name, version, address) in cases {
        let source = address.map(|address| address.parse().unwrap());
        assert_eq!(peer_of(Role::Server, name), Peer::ProxyProtocol { version, source }, "{name}");
    }
}

#[test]
fn a_request_tells_its_method_and_target() {
    let Peer::HttpClient { method, target } = peer_of(Role::Server, "a health check") else { panic!("HTTP") };
    assert_eq!((method.as_bytes(), target.as_bytes()), (&b"GET"[..], &b"/healthz"[..]));
    let peer = peer_of(Role::Server, "a POST that is cut");
    assert_eq!(peer.to_string(), "an HTTP client (\"POST\" \"/form\")");
}

#[test]
fn old_drafts_tell_their_version() {
    let version = |name| match peer_of(Role::Server, name) {
        Peer::OldWebSocketClient { version } => version,
        other => panic!("{other:?}"),
    };
    assert_eq!([version("hixie-76"), version("version 7"), version("version 8")], [None, Some(7), Some(8)]);
}

#[test]
fn alerts_and_opcodes_have_their_number_and_name() {
    let cases = [
        (Role::Client, "a TLS alert: protocol version", "TLS, with alert 70 (protocol_version)"),
        (Role::Client, "a TLS alert: unexpected message", "TLS, with alert 10 (unexpected_message)"),
        (Role::Client, "a TLS alert of which the description is missing", "TLS, with an alert"),
        (Role::Server, "a TLS alert: certificate unknown", "TLS, with alert 46"),
        (Role::Server, "a Ping", "a WebSocket frame (Ping) without an opening handshake before it"),
        (
            Role::Client,
            "a Close frame without a handshake",
            "a WebSocket frame (Close) without an opening handshake before it",
        ),
        (Role::Server, "SOCKS 4", "SOCKS 4"),
        (Role::Server, "SOCKS 5 with two methods", "SOCKS 5"),
    ];
    for (role, name, expected) in cases {
        assert_eq!(peer_of(role, name).to_string(), expected);
    }
}

#[test]
fn what_came_with_the_byte_that_settles_it_is_shown_too() {
    let bytes = b"{\"jsonrpc\": \"2.0\", \"method\": \"subscribe\"}\n";
    let error = refusal(bytes);
    assert_eq!((error.bytes(), error.first_bytes()), (1, &bytes[..]));
    assert_eq!(refusal(&[0; 100]).first_bytes(), [0; 64]);
    // Where a head was refused, what is behind it is no evidence.
    let error = refusal(b"POST / HTTP/1.1\r\nHost: a\r\n\r\npassword=secret");
    assert_eq!(error.first_bytes(), b"POST / HTTP/1.1\r\nHost: a\r\n\r\n");
}

#[test]
fn another_protocol_is_followed_for_a_second_and_never_beyond_the_handshake() {
    let begin = |handshake: &mut ServerHandshake, now| {
        let step = handshake.receive(&mut BytesMut::from(&b"\x16\x03"[..]), now);
        assert!(matches!(step, Ok(ServerStep::NeedMore)));
    };
    let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    begin(&mut handshake, secs(3));
    assert_eq!(handshake.deadline(), Some(secs(4)));
    // More bytes do not buy more time.
    let step = handshake.receive(&mut BytesMut::from(&b"\x01"[..]), Instant::from_nanos(3_900_000_000));
    assert!(matches!(step, Ok(ServerStep::NeedMore)));
    assert!(handshake.timeout(Instant::from_nanos(3_999_999_999)).is_ok());
    let error = handshake.timeout(secs(4)).unwrap_err();
    assert_eq!((error.code(), error.peer().code()), ("not-http", "tls-client"));
    assert_eq!((error.status(), handshake.deadline()), (Some(400), None));

    let mut late = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    begin(&mut late, Instant::from_nanos(9_500_000_000));
    assert_eq!(late.deadline(), Some(secs(10)));
    assert_eq!(late.timeout(secs(10)).unwrap_err().code(), "not-http");

    let mut config = ServerConfig::default();
    config.timeouts.handshake = None;
    let mut unlimited = ServerHandshake::new(&config, Instant::ZERO);
    begin(&mut unlimited, secs(3));
    assert_eq!(unlimited.deadline(), Some(secs(4)));
}

#[test]
fn a_tls_hello_is_followed_up_to_the_limit_of_the_head() {
    let mut config = ServerConfig::default();
    config.limits.head_bytes = 300;
    let hello = client_hello(&[(51, &[0; 1224]), (0, &server_name("example.com"))]);
    for piece in [1, 7, hello.len()] {
        let mut handshake = ServerHandshake::new(&config, Instant::ZERO);
        let error = hello
            .chunks(piece)
            .find_map(|piece| handshake.receive(&mut BytesMut::from(piece), Instant::ZERO).err());
        let error = error.expect("the limit is exceeded");
        assert_eq!((error.kind(), error.bytes()), (&HandshakeErrorKind::NotHttp, 301));
        assert_eq!(error.peer().code(), "tls-client");
    }
}
