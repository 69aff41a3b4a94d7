//! TLS over a scripted stream: any split of the ciphertext, output that is blocked, and what is written in one record.

use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use rcgen::{CertificateParams, KeyPair};
use sansocket::{StepError, TlsFault};
use sansocket_driver::{Error, Tls, TlsAcceptFault, TlsAcceptor, TlsStream};

use super::script::{Peer, Script, Stream, Woken, done, pass, poll_with, run, stream};

type Secure = TlsStream<Stream, Script>;

pub(crate) fn identity() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// What each of two peers was written becomes what the other reads.
fn carry(one: &Peer, other: &Peer) -> bool {
    let (there, back) = (one.taken(), other.taken());
    other.send(&there);
    one.send(&back);
    !there.is_empty() || !back.is_empty()
}

/// Both ends of TLS, with the peers of their streams.
struct Pair {
    client: Secure,
    server: Secure,
    to_client: Peer,
    to_server: Peer,
}

fn pair(set: impl Fn(&Peer)) -> Pair {
    let (chain, key) = identity();
    let acceptor = TlsAcceptor::<Script>::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
    let tls = Tls::builder().dangerously_accept_any_certificate().build().unwrap();
    let ((stream_of_client, to_client), (stream_of_server, to_server)) = (stream(), stream());
    set(&to_client);
    set(&to_server);
    let mut client: Pin<Box<dyn Future<Output = Result<Secure, StepError<TlsFault>>>>> =
        Box::pin(async move { tls.connect(stream_of_client, "localhost").await });
    let mut server: Pin<Box<dyn Future<Output = Result<Secure, Error>>>> =
        Box::pin(async move { acceptor.accept(stream_of_server).await });
    let (mut client_done, mut server_done) = (None, None);
    let woken = Arc::new(Woken::default());
    for _ in 0..100_000 {
        if client_done.is_none() {
            if let Poll::Ready(stream) = poll_with(client.as_mut(), &woken) {
                client_done = Some(stream.unwrap());
            }
        }
        if server_done.is_none() {
            if let Poll::Ready(stream) = poll_with(server.as_mut(), &woken) {
                server_done = Some(stream.unwrap());
            }
        }
        carry(&to_client, &to_server);
        if client_done.is_some() && server_done.is_some() {
            break;
        }
    }
    let (client, server) =
        (client_done.expect("the client is done"), server_done.expect("the server is done"));
    Pair { client, server, to_client, to_server }
}

fn poll_read(stream: &mut Secure, read: &mut Vec<u8>) -> Poll<std::io::Result<usize>> {
    let mut block = [0; 10_000];
    let mut room = &mut block[..];
    let polled = stream.poll_read(&mut Context::from_waker(Waker::noop()), &mut room);
    if let Poll::Ready(Ok(len)) = polled {
        read.extend(&block[..len]);
    }
    polled
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let tls = Tls::builder().dangerously_accept_any_certificate().build().unwrap();
    let (stream, peer) = stream();
    let mut connecting = Box::pin(async move {
        let connected: Result<Secure, _> = tls.connect(stream, "localhost").await;
        connected
    });
    assert!(run(connecting.as_mut()).is_pending());
    assert!(!peer.taken().is_empty(), "a ClientHello");
    pass(Duration::from_millis(9_999));
    assert!(run(connecting.as_mut()).is_pending());
    pass(Duration::from_millis(1));
    let Poll::Ready(Err(error)) = run(connecting.as_mut()) else { panic!("it waits for ever") };
    assert_eq!(error.fault(), TlsFault::TransportFailed);
    assert_eq!(
        error.to_string(),
        "the connection failed inside the handshake of TLS: it was not done within 10s"
    );
}

#[test]
fn any_split_of_the_ciphertext_gives_the_same_bytes() {
    let sent: Vec<u8> = (0..50_000_u32).map(|i| (i % 251) as u8).collect();
    for size in [1, 2, 5, 100, 16_384, usize::MAX] {
        for stutters in [false, true] {
            let Pair { mut client, mut server, to_client, to_server } = pair(|peer| {
                let mut wire = peer.wire();
                (wire.read_size, wire.write_size, wire.stutters) = (size, size, stutters);
            });
            let mut context = Context::from_waker(Waker::noop());
            let (mut data, mut read) = (&sent[..], Vec::new());
            while read.len() < sent.len() {
                if data.has_remaining() {
                    let written = client.poll_write(&mut context, &mut data);
                    assert!(!matches!(written, Poll::Ready(Err(_))), "{written:?}");
                }
                let _ = client.poll_flush(&mut context);
                carry(&to_client, &to_server);
                let polled = poll_read(&mut server, &mut read);
                assert!(!matches!(polled, Poll::Ready(Err(_) | Ok(0))), "{polled:?}");
            }
            assert!(read == sent, "{size}");
        }
    }
}

#[test]
fn output_that_is_blocked_is_bounded_and_loses_nothing() {
    let Pair { mut client, mut server, to_client, to_server } = pair(|_| {});
    to_client.wire().window = 0;
    let sent = vec![7; 1_000_000];
    let mut data = &sent[..];
    let mut context = Context::from_waker(Waker::noop());
    while client.poll_write(&mut context, &mut data).is_ready() {}
    let taken = sent.len() - data.len();
    assert!((16_384..=64 * 1024).contains(&taken), "{taken} bytes wait");
    assert!(client.poll_flush(&mut context).is_pending());
    let woken = Arc::new(Woken::default());
    assert!(poll_with(pin!(poll_fn(|cx| client.poll_flush(cx))), &woken).is_pending());
    to_client.open_window(usize::MAX);
    assert_eq!(woken.count(), 1, "who waits for room is woken");
    let mut read = Vec::new();
    while read.len() < sent.len() {
        if data.has_remaining() {
            done(poll_fn(|cx| client.poll_write(cx, &mut data))).unwrap();
        }
        done(poll_fn(|cx| client.poll_flush(cx))).unwrap();
        carry(&to_client, &to_server);
        while let Poll::Ready(polled) = poll_read(&mut server, &mut read) {
            assert!(polled.unwrap() > 0);
        }
    }
    assert!(read == sent);
}

#[test]
fn a_header_and_its_payload_go_in_one_record() {
    let Pair { mut client, mut server, to_client, to_server } = pair(|_| {});
    let mut context = Context::from_waker(Waker::noop());
    let mut data = b"header".chain(&b"payload"[..]).chain(&b" and more"[..]);
    assert!(matches!(client.poll_write(&mut context, &mut data), Poll::Ready(Ok(22))));
    assert_eq!(
        to_client.wire().outgoing.len(),
        22 + 5 /* header of the record */ + 1 /* its inner type */ + 16 /* tag */
    );
    carry(&to_client, &to_server);
    let mut read = Vec::new();
    assert!(matches!(poll_read(&mut server, &mut read), Poll::Ready(Ok(22))));
    assert_eq!(read, b"headerpayload and more");
}

#[test]
fn what_was_changed_on_the_way_is_an_error_and_the_peer_is_told() {
    let Pair { mut client, mut server, to_client, to_server } = pair(|_| {});
    let mut context = Context::from_waker(Waker::noop());
    assert!(client.poll_write(&mut context, &mut &b"pay 1"[..]).is_ready());
    let mut record = to_client.taken();
    *record.last_mut().unwrap() ^= 1;
    to_server.send(&record);
    let mut read = Vec::new();
    let Poll::Ready(Err(error)) = poll_read(&mut server, &mut read) else { panic!("read {read:?}") };
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(read.is_empty() && server.error().is_some());
    assert!(matches!(poll_read(&mut server, &mut read), Poll::Ready(Err(_))), "it stays so");
    carry(&to_client, &to_server);
    let Poll::Ready(Err(error)) = poll_read(&mut client, &mut read) else { panic!("read {read:?}") };
    assert!(error.to_string().contains("BadRecordMac"), "{error}");
}

#[test]
fn the_end_is_said_and_what_is_cut_off_is_told_from_it() {
    let Pair { mut client, mut server, to_client, to_server } = pair(|_| {});
    done(poll_fn(|cx| client.poll_shutdown(cx))).unwrap();
    assert!(to_client.wire().shut_down);
    carry(&to_client, &to_server);
    let mut read = Vec::new();
    for _ in 0..2 {
        assert!(matches!(poll_read(&mut server, &mut read), Poll::Ready(Ok(0))));
    }
    // The other direction is still open.
    done(poll_fn(|cx| server.poll_write(cx, &mut &b"last words"[..]))).unwrap();
    carry(&to_client, &to_server);
    assert!(matches!(poll_read(&mut client, &mut read), Poll::Ready(Ok(10))));
    to_client.end(Ok(()));
    for _ in 0..2 {
        let Poll::Ready(Err(error)) = poll_read(&mut client, &mut read) else { panic!("an end") };
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    }
    assert_eq!(read, b"last words");
}

#[test]
fn an_error_of_the_stream_is_handed_on() {
    let Pair { mut client, mut server, to_client, to_server } = pair(|_| {});
    to_client.end(Err(ErrorKind::ConnectionReset.into()));
    let Poll::Ready(Err(error)) = poll_read(&mut client, &mut Vec::new()) else { panic!("no error") };
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    to_server.wire().write_error = Some(ErrorKind::BrokenPipe);
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Err(error)) = server.poll_write(&mut context, &mut BytesMut::from("x")) else {
        panic!("no error")
    };
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
}

#[test]
fn every_code_is_on_the_page() {
    let page = include_str!("../../../../docs/connecting.md");
    let table = page.split("| code | what happened on the server | level | what to do |\n").nth(1).unwrap();
    let rows = table.lines().skip(1).map_while(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(rows.collect::<Vec<_>>(), TlsAcceptFault::CODES);
}

#[test]
fn files_that_are_not_what_they_should_be_are_named() {
    let (chain, key) = identity();
    let (_, other_key) = identity();
    let build = |chain: &str, key: &str| {
        let error = TlsAcceptor::<Script>::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err();
        error.to_string()
    };
    assert_eq!(build("", &key), "the server's certificates hold no certificate");
    assert_eq!(build(&key, &key), "the server's certificates hold no certificate");
    assert!(build(&chain, &chain).starts_with("there is no private key"));
    assert!(build(&chain, &other_key).starts_with("certificate and key cannot be used together"));
    let broken = chain.replace("-----END CERTIFICATE-----", "");
    assert!(
        build(&broken, &key).starts_with("the server's certificates are not PEM"),
        "{}",
        build(&broken, &key)
    );
    let name = Tls::builder().server_name("a b").dangerously_accept_any_certificate().build().unwrap_err();
    assert_eq!(name.to_string(), "\"a b\" is not the name of a host or an address");
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let authority = Tls::builder().only_authorities(nonsense.as_bytes()).unwrap().build().unwrap_err();
    assert!(
        authority.to_string().starts_with("certificate 1 of the authorities cannot be used"),
        "{authority}"
    );
}

#[cfg(feature = "webpki-roots")]
#[test]
fn the_authorities_that_are_compiled_in_can_be_trusted() {
    let (chain, _) = identity();
    Tls::builder().webpki_roots().build().unwrap();
    Tls::builder().webpki_roots().extra_authorities(chain.as_bytes()).unwrap().build().unwrap();
}
