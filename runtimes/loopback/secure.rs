//! `wss`, on both sides, with an authority of the test's own; and everything that is not quite TLS.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener as RawListener, TcpStream as RawStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::certificates::{Authority, Identity, self_signed};
use super::connecting::{check_echo, dial_error, recorder};
use super::proxy::{self, Manner, read_head};
use super::{echo_server, listen, run, runtime, spawn};
use crate::runtime::adapter::rustls::crypto::ring;
use crate::runtime::adapter::rustls::pki_types::pem::PemObject as _;
use crate::runtime::adapter::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use crate::runtime::adapter::rustls::{self, ProtocolVersion};
use crate::runtime::adapter::sansocket::{ServerHandshake, ServerStep, TransportError};
use crate::runtime::adapter::{
    Cause, ClientConfig, ClientRequest, CloseCode, Connector, Error, Message, Proxy, ServerConfig, Tls,
    TlsAcceptor, TlsConfigError, TlsFault, accept, accept_tls, client, connect_tls,
};

pub(crate) const LOCAL: &[&str] = &["localhost", "127.0.0.1"];

/// A client that trusts this authority and no other.
pub(crate) fn trusting(authority: &Authority) -> Connector {
    with(Tls::builder().only_authorities(&authority.pem()).unwrap().build().unwrap())
}

pub(crate) fn with(tls: Tls) -> Connector {
    let mut connector = Connector::default();
    connector.tls = tls;
    connector
}

pub(crate) fn acceptor(identity: &Identity) -> TlsAcceptor {
    TlsAcceptor::from_pem(identity.chain.as_bytes(), identity.key.as_bytes()).unwrap()
}

/// An echo server inside of TLS for as many connections as come.
pub(crate) async fn secure_echo_server(acceptor: TlsAcceptor) -> SocketAddr {
    let (listener, address) = listen().await;
    spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            spawn(async move {
                let mut socket = accept_tls(stream, &acceptor).await?;
                while let Some(message) = socket.recv().await? {
                    socket.send(message).await?;
                }
                Ok::<(), Error>(())
            });
        }
    });
    address
}

/// A server of its own, by rustls and a thread, that opens one WebSocket and then does what `then` says.
fn by_hand(
    identity: &Identity,
    then: impl FnOnce(&mut rustls::StreamOwned<rustls::ServerConnection, RawStream>) -> io::Result<()>
    + Send
    + 'static,
) -> SocketAddr {
    let config = raw_config(identity, &rustls::version::TLS13);
    let listener = RawListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = rustls::StreamOwned::new(rustls::ServerConnection::new(config).unwrap(), stream);
        let head = read_head(&mut stream).unwrap();
        let mut handshake = ServerHandshake::new(&ServerConfig::default(), Default::default());
        let mut input = bytes::BytesMut::from(head.as_bytes());
        let step = handshake.receive(&mut input, Default::default()).unwrap();
        let ServerStep::Request(pending) = step else { panic!("no request") };
        let mut connection = pending.accept(Default::default(), Default::default()).unwrap();
        stream.write_all(bytes::Buf::chunk(&connection.transmit())).unwrap();
        stream.flush().unwrap();
        let _ = then(&mut stream);
    });
    address
}

pub(crate) fn raw_config(
    identity: &Identity,
    version: &'static rustls::SupportedProtocolVersion,
) -> Arc<rustls::ServerConfig> {
    let chain = vec![CertificateDer::from_pem_slice(identity.chain.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}

/// A client's configuration that somebody else has made.
fn ready(authority: &Authority) -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&authority.pem()).unwrap()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

#[test]
fn echoes_messages_of_every_size_inside_of_tls() {
    run(async {
        let authority = Authority::new();
        let address = secure_echo_server(acceptor(&authority.issue(LOCAL))).await;
        let mut socket =
            trusting(&authority).connect(&format!("wss://localhost:{}/", address.port())).await.unwrap();
        let dialed = socket.dialed().unwrap();
        assert!(dialed.timings.tls.is_some() && dialed.url.is_secure());
        for len in [0, 1, 125, 126, 16_370, 16_384, 65_536, 1_000_000, 8 * 1024 * 1024] {
            let binary = Message::from((0..len).map(|i| (i % 251) as u8).collect::<Vec<_>>());
            socket.send(binary.clone()).await.unwrap();
            assert!(socket.recv().await.unwrap() == Some(binary), "{len} bytes");
        }
        let closed = socket.close(CloseCode::NORMAL, "done").await.unwrap();
        assert!(closed.is_clean(), "{closed}");
    });
}

#[test]
fn halves_in_two_tasks_inside_of_tls() {
    run(async {
        let authority = Authority::new();
        let address = secure_echo_server(acceptor(&authority.issue(LOCAL))).await;
        let socket = trusting(&authority).connect(&format!("wss://{address}/")).await.unwrap();
        let (mut reading, writing) = socket.split();
        let writer = spawn(async move {
            for i in 0..200 {
                writing.send(format!("{i} {}", "x".repeat(i * 100))).await.unwrap();
            }
            writing
        });
        for i in 0..200 {
            let message = reading.recv().await.unwrap().unwrap();
            assert!(message.as_text().unwrap().starts_with(&format!("{i} ")));
        }
        drop(runtime::join(writer).await);
    });
}

#[test]
fn both_ends_say_what_was_agreed_on() {
    run(async {
        let authority = Authority::new();
        let (listener, address) = listen().await;
        let acceptor = acceptor(&authority.issue(LOCAL));
        let server = spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let peer = stream.peer_addr().unwrap();
            let stream = acceptor.accept(stream).await.unwrap();
            assert_eq!(stream.get_ref().peer_addr().unwrap(), peer);
            assert_eq!(stream.version(), Some(ProtocolVersion::TLSv1_3));
            assert_eq!(stream.alpn(), Some(&b"http/1.1"[..]));
            assert!(stream.peer_certificates().is_none());
            let params = stream.params();
            accept(stream).await.unwrap().recv().await.unwrap();
            params
        });
        let socket = trusting(&authority).connect(&format!("wss://{address}/")).await.unwrap();
        let params = socket.dialed().unwrap().tls.clone().unwrap();
        assert_eq!((&*params.version, &*params.alpn), ("TLS 1.3", &b"http/1.1"[..]));
        assert!(params.cipher_suite.starts_with("TLS13_"), "{params}");
        drop(socket);
        assert_eq!(runtime::join(server).await, params, "both ends agree");
    });
}

#[test]
fn any_certificate_is_accepted_only_where_that_is_said() {
    run(async {
        let address = secure_echo_server(acceptor(&self_signed(&["other.example"]))).await;
        let careless = with(Tls::builder().dangerously_accept_any_certificate().build().unwrap());
        check_echo(&mut careless.connect(&format!("wss://{address}/")).await.unwrap()).await;
        let careful = Connector::default();
        let error = dial_error(careful.connect(&format!("wss://{address}/")).await);
        assert!(
            matches!(error.code(), "tls-untrusted-issuer" | "tls-wrong-name" | "tls-bad-certificate"),
            "{error}"
        );
    });
}

#[test]
fn authorities_of_ones_own_besides_those_of_the_system() {
    run(async {
        let authority = Authority::new();
        let address = secure_echo_server(acceptor(&authority.issue(LOCAL))).await;
        let tls = Tls::builder().extra_authorities(&authority.pem()).unwrap().build().unwrap();
        check_echo(&mut with(tls).connect(&format!("wss://{address}/")).await.unwrap()).await;
    });
}

#[test]
fn another_name_than_that_of_the_url() {
    run(async {
        let authority = Authority::new();
        let address = secure_echo_server(acceptor(&authority.issue(&["internal.example"]))).await;
        let builder = Tls::builder().only_authorities(&authority.pem()).unwrap();
        let connector = with(builder.server_name("internal.example").build().unwrap());
        check_echo(&mut connector.connect(&format!("wss://{address}/")).await.unwrap()).await;
        assert!(Tls::builder().server_name("no name").build().is_err());
    });
}

#[test]
fn a_ready_configuration_with_another_name() {
    run(async {
        let authority = Authority::new();
        let address = secure_echo_server(acceptor(&authority.issue(&["internal.example"]))).await;
        let tls = Tls::from(ready(&authority));
        let error = dial_error(with(tls.clone()).connect(&format!("wss://{address}/")).await);
        assert_eq!(error.code(), "tls-wrong-name");
        let named = tls.clone().server_name("internal.example").unwrap();
        check_echo(&mut with(named).connect(&format!("wss://{address}/")).await.unwrap()).await;
        assert!(matches!(tls.server_name("no name"), Err(TlsConfigError::Name(_))));
    });
}

#[test]
fn tls_around_a_stream_of_ones_own() {
    run(async {
        let authority = Authority::new();
        let address = secure_echo_server(acceptor(&authority.issue(&["internal.example"]))).await;
        let tls = Tls::builder().only_authorities(&authority.pem()).unwrap().build().unwrap();
        let tcp = runtime::connect_tcp(address).await.unwrap();
        let stream = connect_tls(tcp, &tls, "internal.example").await.unwrap();
        let request = ClientRequest::new("wss://internal.example/").unwrap();
        let mut socket = client(stream, &request, &ClientConfig::default()).await.unwrap();
        socket.send("hello").await.unwrap();
        assert_eq!(socket.recv().await.unwrap(), Some("hello".into()));
        assert!(socket.close(CloseCode::NORMAL, "").await.unwrap().is_clean());

        let tcp = runtime::connect_tcp(address).await.unwrap();
        let Err(error) = connect_tls(tcp, &tls, "other.example").await else { panic!("accepted") };
        assert_eq!(error.fault(), TlsFault::WrongName, "{error}");
    });
}

#[test]
fn wss_never_goes_out_in_plain_text() {
    run(async {
        let (address, seen) = recorder();
        let mut connector = Connector::default();
        connector.dial.timeouts.tls = Some(Duration::from_millis(500));
        let error = dial_error(connector.connect(&format!("wss://{address}/secret-path")).await);
        assert!(matches!(error.code(), "tls-timeout" | "tls-closed"), "{error}");
        let seen = seen.join().unwrap();
        assert!(seen.starts_with(b"\x16\x03\x01"), "a ClientHello: {}", seen.escape_ascii());
        for plain in [&b"GET "[..], b"secret", b"Upgrade"] {
            assert!(!seen.windows(plain.len()).any(|window| window == plain));
        }
    });
}

#[test]
fn an_end_without_close_notify_has_a_name() {
    run(async {
        let authority = Authority::new();
        let identity = authority.issue(LOCAL);
        // Cut off: somebody in between could have done it.
        let address = by_hand(&identity, |stream| stream.write_all(b"\x81\x02hi"));
        let mut socket = trusting(&authority).connect(&format!("wss://{address}/")).await.unwrap();
        assert_eq!(socket.recv().await.unwrap(), Some(Message::from("hi")));
        let Error::Closed { closed, .. } = socket.recv().await.unwrap_err() else { panic!("not the end") };
        assert_eq!(closed.cause, Cause::Transport(TransportError::TlsTruncated));

        // With close_notify it is an end like that of TCP.
        let address = by_hand(&identity, |stream| {
            stream.conn.send_close_notify();
            stream.flush()
        });
        let mut socket = trusting(&authority).connect(&format!("wss://{address}/")).await.unwrap();
        let Error::Closed { closed, .. } = socket.recv().await.unwrap_err() else { panic!("not the end") };
        assert!(matches!(closed.cause, Cause::Eof(_)), "{closed}");

        // After the closing handshake it does not matter.
        let address = by_hand(&identity, |stream| {
            stream.write_all(b"\x88\x02\x03\xe8")?;
            stream.flush()?;
            stream.read(&mut [0; 100]).map(|_| ())
        });
        let mut socket = trusting(&authority).connect(&format!("wss://{address}/")).await.unwrap();
        assert_eq!(socket.recv().await.unwrap(), None);
        assert!(socket.closed().unwrap().is_clean());
    });
}

#[test]
fn tls_goes_through_proxies() {
    run(async {
        let authority = Authority::new();
        let server = secure_echo_server(acceptor(&authority.issue(&["server.example"]))).await;
        for proxy in [proxy::http(Manner::Open, server), proxy::socks(Manner::Open, server)] {
            let mut connector = trusting(&authority);
            for scheme in ["http", "socks5"] {
                connector.dial.proxy =
                    format!("{scheme}://{}", proxy.address).parse::<Proxy>().unwrap().into();
                connector.dial.timeouts.proxy = Some(Duration::from_secs(2));
                let Ok(mut socket) = connector.connect("wss://server.example:4443/").await else {
                    // Each proxy speaks one of them.
                    continue;
                };
                assert_eq!(proxy.targets.lock().unwrap().last().unwrap(), "server.example:4443");
                check_echo(&mut socket).await;
            }
            assert!(!proxy.targets.lock().unwrap().is_empty());
        }
    });
}

#[test]
fn a_redirect_from_wss_to_ws_is_not_followed() {
    run(async {
        let authority = Authority::new();
        let identity = authority.issue(LOCAL);
        let plain = echo_server().await;
        let config = raw_config(&identity, &rustls::version::TLS13);
        let listener = RawListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut stream = rustls::StreamOwned::new(rustls::ServerConnection::new(config).unwrap(), stream);
            read_head(&mut stream).unwrap();
            let _ = write!(stream, "HTTP/1.1 302 Found\r\nLocation: {plain}/\r\nContent-Length: 0\r\n\r\n");
            let _ = stream.flush();
        });
        let mut connector = trusting(&authority);
        connector.dial.redirects = 5;
        let error = dial_error(connector.connect(&format!("wss://{address}/")).await);
        assert_eq!(error.code(), "redirect-downgrade", "{error}");
    });
}
