//! What happens to a client that is admitted: the decision about it, its handler, and what is left of it.

use std::sync::{Arc, Mutex};

use sansocket::{Accept, CloseCode, Origins, Reject};
use sansocket_driver::{ConnectionInfo, Server, ServerBuilder};

use super::rig::{REQUEST, ask, close_code, connect, echo, open, options, text, turns};
use crate::script::{Script, client, done, messages, output};

/// A client whose handshake did not succeed was never one of the open connections, and so is none that ended.
#[test]
fn what_does_not_fit_the_request_is_answered_with_500_and_never_opened() {
    let server = echo(options().decide(|_, _| Ok(Accept::new().subprotocol("not-offered"))));
    let peer = connect(1);
    peer.send(REQUEST);
    turns();
    assert!(text(&peer).starts_with("HTTP/1.1 500 "), "{}", text(&peer));
    peer.end(Ok(()));
    turns();
    let counts = server.counts();
    assert_eq!((counts.open, counts.handshaking, counts.unopened, counts.ended), (0, 0, 1, 0));
}

#[test]
fn decisions_are_made_about_origin_request_and_subprotocol() {
    let origins = Origins::new().allow("https://example.com").unwrap();
    let options = options().origins(origins).subprotocol("v3").subprotocol("v2").subprotocol("v1");
    let server = echo(options.decide(|request, info| match request.target() {
        "/chat" => Ok(Accept::new().field("X-Peer", info.peer_address.to_string()).unwrap()),
        "/panic" => panic!("a decision that panics"),
        _ => Err(Reject::not_found()),
    }));
    let peer = connect(1);
    peer.send(REQUEST);
    turns();
    let answer = text(&peer);
    assert!(answer.contains("\r\nSec-WebSocket-Protocol: v2\r\n"), "the server's favourite: {answer}");
    assert!(answer.contains("\r\nX-Peer: 192.0.2.1:5000\r\n"), "{answer}");
    let with = |from: &str, to: &str| {
        let request = String::from_utf8(REQUEST.to_vec()).unwrap().replace(from, to);
        ask(2, request.as_bytes()).split(' ').nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(with("https://example.com", "https://evil.test"), "403");
    assert_eq!(with("/chat", "/other"), "404");
    assert_eq!(with("/chat", "/panic"), "500");
    assert_eq!(with("v1, v2", "v9"), "101", "without a subprotocol");
    let counts = server.counts();
    assert_eq!((counts.open, counts.handshaking, counts.unopened, counts.panicked), (1, 0, 3, 1));
}

#[test]
fn a_handler_that_returns_or_panics_ends_its_connection_and_nothing_else() {
    let server = options().on_connection(|mut socket, info| async move {
        let message = socket.recv().await.unwrap().unwrap();
        assert_eq!(message.as_text(), Some("go"), "{}", info.peer_address);
    });
    let server = done(server.start()).unwrap();
    let (returns, panics, other) = (open(1), open(2), open(3));
    for (peer, say, code) in [(&returns, "go", 1000_u16), (&panics, "stop", 1011)] {
        let mut sender = client();
        sender.send(say).unwrap();
        peer.send(&output(&mut sender));
        turns();
        assert_eq!(close_code(peer), code);
        assert!(!peer.wire().dropped, "the closing handshake is waited for");
        sender.close(CloseCode::NORMAL, "").unwrap();
        peer.send(&output(&mut sender));
        turns();
        assert!(peer.wire().dropped);
    }
    let counts = server.counts();
    assert_eq!((counts.closed, counts.panicked, counts.open), (2, 1, 1));
    assert!(!other.wire().dropped);
}

/// Who a client is.
struct User(String);

/// Finds that out about one of three.
fn find_out(info: &ConnectionInfo) -> Accept {
    match info.peer_address.ip().to_string().as_str() {
        "192.0.2.2" => Accept::new().attach("a text, and no user"),
        "192.0.2.3" => Accept::new(),
        address => Accept::new().attach(User(address.to_owned())),
    }
}

/// What the handler has of it.
fn attached(options: ServerBuilder<Script>) -> Vec<Option<String>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sees = Arc::clone(&seen);
    let server = options.on_connection(move |_, info| {
        sees.lock().unwrap().push(info.attached().map(|User(name)| name.clone()));
        async {}
    });
    let _server = done(server.start()).unwrap();
    let _peers = [open(1), open(2), open(3)];
    seen.lock().unwrap().clone()
}

#[test]
fn a_handler_gets_what_was_found_out_when_its_client_was_let_in() {
    assert_eq!(
        attached(options().decide(|_, info| Ok(find_out(info)))),
        [Some("192.0.2.1".to_owned()), None, None]
    );
}

#[test]
fn a_handler_gets_what_was_found_out_in_time() {
    assert_eq!(
        attached(options().decide_async(|info| async move { Ok(find_out(&info)) })),
        [Some("192.0.2.1".to_owned()), None, None]
    );
}

#[test]
fn a_handler_that_does_nothing_holds_nobody_up() {
    let server = options().on_connection(|mut socket, info| async move {
        if info.peer_address.ip().is_ipv4() && info.request.target() == "/stuck" {
            std::future::pending::<()>().await;
        }
        while let Ok(Some(message)) = socket.recv().await {
            let _ = socket.send(message).await;
        }
    });
    let server = done(server.start()).unwrap();
    let stuck = connect(1);
    stuck.send(&String::from_utf8_lossy(REQUEST).replace("/chat", "/stuck").into_bytes());
    turns();
    let other = open(2);
    let mut sender = client();
    sender.send("hello").unwrap();
    other.send(&output(&mut sender));
    turns();
    assert_eq!(messages(&mut client(), &other.taken()), [b"hello"]);
    assert_eq!(server.counts().open, 2);
}

#[test]
fn halves_that_outlive_their_handler_keep_the_connection_and_its_place() {
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let server = options().on_connection(move |socket, _| {
        *keep.lock().unwrap() = Some(socket.split());
        async {}
    });
    let server = done(server.start()).unwrap();
    let peer = open(1);
    assert_eq!((server.counts().open, peer.taken().len()), (1, 0));
    let (reading, writing) = kept.lock().unwrap().take().unwrap();
    done(writing.send("still here")).unwrap();
    assert_eq!(messages(&mut client(), &peer.taken()), [b"still here"]);
    drop(reading);
    turns();
    assert_eq!(close_code(&peer), 1000);
    peer.end(Ok(()));
    turns();
    assert_eq!(server.counts().open, 0);
    assert!(done(writing.send("gone")).is_err());
}

#[test]
fn names_and_addresses_that_cannot_be_listened_on_are_named() {
    for (address, why) in [
        ("192.0.2.1:80", "cannot listen on 192.0.2.1:80: permission denied"),
        ("nowhere", "cannot listen on nowhere: it is not of the form host:port"),
    ] {
        let server = options().bind(address).on_connection(|_, _| async {});
        let error = done(server.start()).unwrap_err();
        assert_eq!(error.to_string(), why);
    }
    let server = echo(options().bind("[2001:db8::1]:4001"));
    let addresses: Vec<String> = server.local_addresses().iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["192.0.2.100:4000", "[2001:db8::1]:4001"]);
}

#[test]
fn listeners_that_listen_already_are_accepted_from_in_the_order_in_which_they_were_given() {
    // One that could not be listened on anew.
    let options = options().listener(([192, 0, 2, 1], 80).into()).bind("192.0.2.100:4001");
    let text = format!("{options:?}");
    assert!(
        text.contains(r#"["192.0.2.100:4000", a listener on 192.0.2.1:80, "192.0.2.100:4001"]"#),
        "{text}"
    );
    let server = echo(options);
    let addresses: Vec<String> = server.local_addresses().iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["192.0.2.100:4000", "192.0.2.1:80", "192.0.2.100:4001"]);
}

#[test]
fn a_server_on_nothing_but_a_listener_that_listens_already() {
    drop(options());
    let listener = ([192, 0, 2, 1], 80).into();
    let server = Server::<Script>::on(listener).on_connection(|_, info| async move {
        assert_eq!(info.local_address.to_string(), "192.0.2.1:80");
    });
    let server = done(server.start()).unwrap();
    let peer = connect(1);
    peer.send(REQUEST);
    turns();
    assert!(
        peer.taken().ends_with(&[0x88, 2, 0x03, 0xe8]),
        "1000: its handler has returned, and did not panic"
    );
    assert_eq!(server.local_addresses(), [listener]);
}
