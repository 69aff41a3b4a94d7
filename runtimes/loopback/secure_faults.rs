//! Where `wss` fails: certificates that are not acceptable, and everything that is not quite TLS, as both ends see it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener as RawListener, TcpStream as RawStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rcgen::date_time_ymd;

use super::certificates::{Authority, self_signed};
use super::connecting::{check_echo, dial_error};
use super::secure::{LOCAL, acceptor, raw_config, secure_echo_server, trusting, with};
use super::{REQUEST, listen, run, runtime, spawn};
use crate::runtime::adapter::rustls;
use crate::runtime::adapter::rustls::crypto::ring;
use crate::runtime::adapter::rustls::pki_types::CertificateDer;
use crate::runtime::adapter::rustls::pki_types::pem::PemObject as _;
use crate::runtime::adapter::sansocket::Severity;
use crate::runtime::adapter::{
    Connector, Error, ServerConfig, Tls, TlsAcceptError, TlsAcceptFault, TlsAcceptor, accept, accept_with,
};

/// What a server says about the one client that comes, while `client` does what it does.
async fn refused<T>(acceptor: TlsAcceptor, client: impl AsyncFnOnce(SocketAddr) -> T) -> (TlsAcceptError, T) {
    let (listener, address) = listen().await;
    let server = spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        acceptor.accept(stream).await.err()
    });
    let client = client(address).await;
    match runtime::join(server).await {
        Some(Error::TlsAccept(error)) => (error, client),
        Some(other) => panic!("{other}"),
        None => panic!("accepted"),
    }
}

/// What is said of a certificate of the authority "the same" that was valid until 2002.
const EXPIRED: &str = "issued by \"the same\", was valid until 2002-01-01 00:00:00 UTC, ";

/// As [`refused`], for a client that is a plain thread.
async fn refused_raw<T: Send + 'static>(
    acceptor: TlsAcceptor,
    client: impl FnOnce(RawStream) -> T + Send + 'static,
) -> (TlsAcceptError, T) {
    let (error, client) = refused(acceptor, async |address| {
        thread::spawn(move || client(RawStream::connect(address).unwrap()))
    })
    .await;
    (error, client.join().unwrap())
}

#[test]
fn a_certificate_that_is_not_acceptable_is_named_on_both_ends() {
    run(async {
        let authority = Authority::named("the same");
        let past = |params: &mut rcgen::CertificateParams| {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        };
        let future = |params: &mut rcgen::CertificateParams| params.not_before = date_time_ymd(2999, 1, 1);
        for (identity, code, text, alert) in [
            (
                Authority::named("another").issue(LOCAL),
                "tls-untrusted-issuer",
                "issued by \"another\"",
                Some(48),
            ),
            (
                Authority::named("the same").issue(LOCAL),
                "tls-untrusted-issuer",
                "issued by \"the same\"",
                None,
            ),
            (
                self_signed(LOCAL),
                "tls-untrusted-issuer",
                "signed by itself; the server sent 1 certificate",
                None,
            ),
            (authority.issue(&["other.example"]), "tls-wrong-name", "other.example", None),
            (authority.issue_with(LOCAL, past), "tls-expired", EXPIRED, Some(45)),
            (
                authority.issue_with(LOCAL, future),
                "tls-not-yet-valid",
                "is valid from 2999-01-01 00:00:00 UTC on, ",
                None,
            ),
        ] {
            let (accepting, error) = refused(acceptor(&identity), async |address: SocketAddr| {
                dial_error(
                    trusting(&authority).connect(&format!("wss://localhost:{}/", address.port())).await,
                )
            })
            .await;
            assert_eq!(error.code(), code, "{error}");
            assert!(error.to_string().contains(text), "{error}");
            assert!(error.advice().len() > 10, "{}", error.report());
            let TlsAcceptFault::CertificateRefused { alert: seen } = *accepting.fault() else {
                panic!("{code}: {accepting}")
            };
            assert!(alert.is_none_or(|alert| alert == seen), "{accepting}");
            assert_eq!(accepting.severity(), Severity::BadPeer);
            assert!(
                accepting.to_string().contains("\"localhost\""),
                "it says which name was asked for: {accepting}"
            );
        }
    });
}

#[test]
fn a_client_certificate_is_asked_for_and_judged() {
    run(async {
        let (authority, clients) = (Authority::new(), Authority::new());
        let identity = authority.issue(LOCAL);
        let guarded = || {
            TlsAcceptor::builder(identity.chain.as_bytes(), identity.key.as_bytes())
                .unwrap()
                .require_client_certificate(&clients.pem())
                .unwrap()
                .build()
                .unwrap()
        };
        let builder = || Tls::builder().only_authorities(&authority.pem()).unwrap();
        let known = clients.issue(&["a client"]);
        let known = builder().client_certificate(known.chain.as_bytes(), known.key.as_bytes()).unwrap();
        let stranger = Authority::new().issue(&["a stranger"]);
        let stranger =
            builder().client_certificate(stranger.chain.as_bytes(), stranger.key.as_bytes()).unwrap();

        let (listener, address) = listen().await;
        let acceptor = guarded();
        let server = spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let stream = acceptor.accept(stream).await.unwrap();
            let shown = stream.peer_certificates().map(<[_]>::len);
            drop(accept(stream).await.unwrap());
            shown
        });
        with(known.build().unwrap()).connect(&format!("wss://{address}/")).await.unwrap();
        assert_eq!(runtime::join(server).await, Some(1));

        for builder in [builder(), stranger] {
            let connector = with(builder.build().unwrap());
            let (accepting, error) = refused(guarded(), async |address| {
                dial_error(connector.connect(&format!("wss://{address}/")).await)
            })
            .await;
            assert_eq!(accepting.fault(), &TlsAcceptFault::ClientCertificate, "{accepting}");
            assert_eq!(error.code(), "tls-client-certificate", "{error}");
        }
    });
}

#[test]
fn plain_http_on_the_port_of_tls_is_answered_in_plain_http() {
    run(async {
        let identity = Authority::new().issue(LOCAL);
        for request in [&b"GET /page HTTP/1.1\r\nHost: h\r\n\r\n"[..], REQUEST] {
            let (error, answer) = refused_raw(acceptor(&identity), move |mut stream| {
                stream.write_all(request).unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                answer
            })
            .await;
            assert_eq!(error.code(), "tls-not-tls", "{error}");
            assert_eq!(error.severity(), Severity::WrongPeer);
            assert!(matches!(error.peer().code(), "http-client" | "websocket-client"), "{error}");
            assert!(error.first_bytes().starts_with(b"GET /"));
            assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
            assert!(answer.contains("This port speaks TLS"), "{answer}");
        }
        // Our own client of `ws`.
        let (_, error) = refused(acceptor(&identity), async |address| {
            dial_error(Connector::default().connect(&format!("ws://{address}/")).await)
        })
        .await;
        assert_eq!(error.handshake().unwrap().status(), Some(400), "{error}");
    });
}

#[test]
fn strangers_on_the_port_of_tls_are_told_apart() {
    run(async {
        let identity = Authority::new().issue(LOCAL);
        for (bytes, code, severity) in [
            (&b""[..], "tls-closed-before-first-byte", Severity::Probe),
            (b"SSH-2.0-OpenSSH_9.6\r\n", "tls-not-tls", Severity::WrongPeer),
            // The start of a ClientHello.
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "tls-closed-inside", Severity::BadPeer),
            // A record that holds nonsense.
            (b"\x16\x03\x01\x00\x05\xff\xff\xff\xff\xff", "tls-failed", Severity::BadPeer),
        ] {
            let (error, ()) = refused_raw(acceptor(&identity), move |mut stream| {
                stream.write_all(bytes).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
                let _ = stream.read_to_end(&mut Vec::new());
            })
            .await;
            assert_eq!(error.code(), code, "{error}");
            assert_eq!(error.severity(), severity, "{error}");
            assert_eq!(error.bytes(), bytes.len() as u64, "{error}");
        }
    });
}

#[test]
fn a_client_that_resets_the_connection_is_no_silent_one() {
    run(async {
        let identity = Authority::new().issue(LOCAL);
        let (error, ()) = refused_raw(acceptor(&identity), |mut stream| {
            let config = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth();
            let name = "localhost".try_into().unwrap();
            let mut hello = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
            hello.write_tls(&mut stream).unwrap();
            // To close what was not read resets the connection.
            stream.peek(&mut [0]).unwrap();
        })
        .await;
        assert_eq!(error.code(), "tls-transport-failed", "{error}");
        assert_eq!(error.severity(), Severity::BadPeer);
    });
}

#[test]
fn a_silent_client_is_given_up() {
    run(async {
        let identity = Authority::new().issue(LOCAL);
        let builder = TlsAcceptor::builder(identity.chain.as_bytes(), identity.key.as_bytes()).unwrap();
        let acceptor = builder.time_limit(Some(Duration::from_millis(50))).build().unwrap();
        let (error, _) =
            refused_raw(acceptor, |mut stream| stream.read_to_end(&mut Vec::new()).unwrap()).await;
        assert_eq!(error.code(), "tls-timed-out", "{error}");
        assert_eq!(error.severity(), Severity::Probe);
    });
}

#[test]
fn nothing_in_common() {
    run(async {
        let authority = Authority::new();
        let identity = authority.issue(LOCAL);
        let builder = Tls::builder().only_authorities(&authority.pem()).unwrap();
        let only_h2 = with(builder.protocols(["h2"]).build().unwrap());
        let (accepting, error) = refused(acceptor(&identity), async |address| {
            dial_error(only_h2.connect(&format!("wss://{address}/")).await)
        })
        .await;
        assert_eq!(accepting.fault(), &TlsAcceptFault::NothingInCommon, "{accepting}");
        assert_eq!(error.code(), "tls-refused", "{error}");

        let newest = TlsAcceptor::from(raw_config(&identity, &rustls::version::TLS13));
        let roots = CertificateDer::from_pem_slice(&authority.pem()).unwrap();
        let mut store = rustls::RootCertStore::empty();
        store.add(roots).unwrap();
        let older = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS12])
            .unwrap()
            .with_root_certificates(store)
            .with_no_client_auth();
        let older = with(Tls::from(Arc::new(older)));
        let (accepting, error) =
            refused(newest, async |address| dial_error(older.connect(&format!("wss://{address}/")).await))
                .await;
        assert_eq!(accepting.fault(), &TlsAcceptFault::Version, "{accepting}");
        assert_eq!(error.code(), "tls-version", "{error}");
        // And of the same version they speak to each other.
        let address =
            secure_echo_server(TlsAcceptor::from(raw_config(&identity, &rustls::version::TLS12))).await;
        check_echo(&mut older.connect(&format!("wss://{address}/")).await.unwrap()).await;
    });
}

#[test]
fn wss_to_a_port_without_tls() {
    run(async {
        // A server of HTTP, which answers what it does not understand.
        let listener = RawListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").unwrap();
        });
        let error = dial_error(Connector::default().connect(&format!("wss://{address}/")).await);
        assert_eq!(error.code(), "tls-not-tls", "{error}");
        assert!(error.to_string().contains("HTTP/1.1 400 Bad Request"), "{error}");

        // Our own server of `ws`.
        let (listener, address) = listen().await;
        let server = spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            accept_with(stream, &ServerConfig::default(), |_| panic!("a request in plain text")).await.err()
        });
        let error = dial_error(Connector::default().connect(&format!("wss://{address}/")).await);
        assert_eq!(error.code(), "tls-not-tls", "{error}");
        assert!(error.to_string().contains("HTTP/1.1 400 Bad Request"), "{error}");
        let accepting = runtime::join(server).await.unwrap();
        assert_eq!(accepting.handshake().unwrap().peer().code(), "tls-client", "{accepting}");
    });
}

#[test]
fn tls_has_its_own_time_limit() {
    run(async {
        let (_listener, address) = listen().await;
        let mut connector = Connector::default();
        connector.dial.timeouts.tls = Some(Duration::from_millis(50));
        let error = dial_error(connector.connect(&format!("wss://{address}/")).await);
        assert_eq!(error.code(), "tls-timeout", "{error}");
        connector.dial.timeouts.tls = None;
        connector.client.timeouts.connect = Some(Duration::from_millis(50));
        let error = dial_error(connector.connect(&format!("wss://{address}/")).await);
        assert_eq!(error.code(), "overall-timeout", "{error}");
    });
}
