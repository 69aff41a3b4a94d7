//! The programs of `docs/migrating.md`, before and after: that they differ in one line, that the document shows them, and that they do the
//! same, with each other too.

#![expect(clippy::result_large_err, reason = "as tungstenite's callbacks have it")]

mod after;
mod before;
#[path = "../../../loopback/certificates.rs"]
#[expect(dead_code, reason = "shared with the tests of TLS")]
mod certificates;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use sansocket_tokio::tungstenite::tungstenite::handshake::server::{Request, Response};
use sansocket_tokio::{TlsAcceptor, tungstenite};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::{Error, Message};

const DOCUMENT: &str = include_str!("../../../../docs/migrating.md");

/// Each program before and after.
const PROGRAMS: [(&str, &str); 3] = [
    (include_str!("before/echo_server.rs"), include_str!("after/echo_server.rs")),
    (include_str!("before/chat_server.rs"), include_str!("after/chat_server.rs")),
    (include_str!("before/client.rs"), include_str!("after/client.rs")),
];

fn run<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test)
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[test]
fn one_line_differs_and_the_document_shows_it_with_the_program() {
    for (before, after) in PROGRAMS {
        assert_eq!(before.lines().count(), after.lines().count());
        let changed: Vec<(&str, &str)> =
            before.lines().zip(after.lines()).filter(|(before, after)| before != after).collect();
        let [(old, new)] = changed[..] else { panic!("{changed:?}") };
        assert!(
            old.starts_with("use tokio_tungstenite::")
                && new.starts_with("use sansocket_tokio::tungstenite::")
        );
        let diff = format!("```diff\n-{old}\n+{new}\n```\n");
        assert!(DOCUMENT.contains(&diff), "{diff}");
        // Without its first line, which says what the file is.
        let (_, program) = after.split_once("\n\n").unwrap();
        assert!(DOCUMENT.contains(&format!("```rust\n{program}```\n")), "{program}");
    }
}

#[test]
fn echo_servers() {
    run(async {
        let (listener, address) = listen().await;
        tokio::spawn(before::echo_server::serve(listener));
        let (other_listener, other) = listen().await;
        tokio::spawn(after::echo_server::serve(other_listener));
        for url in [format!("ws://{address}"), format!("ws://{other}")] {
            let (mut theirs, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
            let (mut ours, _) = tungstenite::connect_async(&url).await.unwrap();
            for message in [Message::text("hello"), Message::binary(vec![0; 100_000])] {
                theirs.send(message.clone()).await.unwrap();
                ours.send(message.clone()).await.unwrap();
                assert_eq!(theirs.next().await.unwrap().unwrap(), message);
                assert_eq!(ours.next().await.unwrap().unwrap(), message);
            }
            theirs.close(None).await.unwrap();
            ours.close(None).await.unwrap();
            assert_eq!(theirs.next().await.unwrap().unwrap(), Message::Close(None));
            assert_eq!(ours.next().await.unwrap().unwrap(), Message::Close(None));
            assert!(theirs.next().await.is_none() && ours.next().await.is_none());
        }
    });
}

#[test]
fn chat_servers() {
    run(async {
        let (listener, address) = listen().await;
        tokio::spawn(before::chat_server::serve(listener));
        let (other_listener, other) = listen().await;
        tokio::spawn(after::chat_server::serve(other_listener));
        for address in [address, other] {
            let (mut ada, _) =
                tokio_tungstenite::connect_async(format!("ws://{address}/?name=Ada")).await.unwrap();
            let (mut bob, _) = tungstenite::connect_async(format!("ws://{address}/?name=Bob")).await.unwrap();
            // Bob may not be listening yet when Ada speaks first, and a room that nobody listens to forgets.
            let heard = loop {
                ada.send("hello?".into()).await.unwrap();
                if let Ok(heard) = tokio::time::timeout(Duration::from_millis(20), bob.next()).await {
                    break heard.unwrap().unwrap();
                }
            };
            assert_eq!(heard, Message::text("Ada: hello?"));
            bob.send("hello!".into()).await.unwrap();
            assert_eq!(ada.next().await.unwrap().unwrap(), Message::text("Bob: hello!"));
            let refusals = [
                tokio_tungstenite::connect_async(format!("ws://{address}/")).await.err().unwrap(),
                tungstenite::connect_async(format!("ws://{address}/")).await.err().unwrap(),
            ];
            for refusal in refusals {
                let Error::Http(response) = refusal else { panic!("{refusal}") };
                assert_eq!(response.status(), 400);
                assert_eq!(response.body().as_deref(), Some(&b"say who you are: /?name=...\n"[..]));
            }
        }
    });
}

#[test]
fn clients() {
    run(async {
        let authority = certificates::Authority::new();
        let identity = authority.issue(&["localhost"]);
        let acceptor = TlsAcceptor::from_pem(identity.chain.as_bytes(), identity.key.as_bytes()).unwrap();
        let (listener, address) = listen().await;
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let tls = acceptor.accept(tcp).await.unwrap();
                let callback = |request: &Request, response: Response| {
                    assert_eq!(request.headers()["authorization"], "Bearer 7");
                    Ok(response)
                };
                let mut socket = tungstenite::accept_hdr_async(tls, callback).await.unwrap();
                while let Some(message) = socket.next().await {
                    if let Message::Text(text) = message.unwrap() {
                        socket.send(Message::text(format!("{text} is heard"))).await.unwrap();
                    }
                }
            }
        });
        let mut authorities = RootCertStore::empty();
        authorities.add(CertificateDer::from_pem_slice(&authority.pem()).unwrap()).unwrap();
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let tls = tls.with_safe_default_protocol_versions().unwrap().with_root_certificates(authorities);
        let tls = Arc::new(tls.with_no_client_auth());
        let url = format!("wss://localhost:{}/chat", address.port());
        assert_eq!(before::client::ask(&url, Arc::clone(&tls), "who").await.unwrap(), "who is heard");
        assert_eq!(after::client::ask(&url, tls, "who").await.unwrap(), "who is heard");
    });
}
