//! SOCKS5 (RFC 1928) with user name and password (RFC 1929).

use bytes::BytesMut;
use sansocket::{Instant, Limits, Proxy, ProxyError, ProxyFault, ProxyHandshake, ProxyStep, SocksReply, Url};

use crate::support::{millis, sent};

fn handshake(proxy: &str, url: &str) -> ProxyHandshake {
    let (proxy, url): (Proxy, Url) = (proxy.parse().unwrap(), url.parse().unwrap());
    ProxyHandshake::new(&proxy, &url, &Limits::default(), None, Instant::ZERO).unwrap()
}

fn receive(handshake: &mut ProxyHandshake, bytes: &[u8]) -> Result<ProxyStep, ProxyError> {
    handshake.receive(&mut BytesMut::from(bytes), millis(1))
}

#[track_caller]
fn fails(proxy: &str, bytes: &[u8], fault: ProxyFault) {
    let error = receive(&mut handshake(proxy, "ws://example.com/"), bytes).unwrap_err();
    assert_eq!(error.fault(), &fault);
    assert_eq!(error.bytes(), bytes.len() as u64);
}

#[test]
fn without_credentials_no_authentication_is_offered() {
    let mut handshake = handshake("socks5://p", "wss://example.com/");
    assert_eq!(sent(&mut handshake), [5, 1, 0]);
    assert_eq!(receive(&mut handshake, &[5, 0]), Ok(ProxyStep::NeedMore));
    assert_eq!(sent(&mut handshake), [&[5, 1, 0, 3, 11][..], b"example.com", &[1, 187]].concat());
    let mut input = BytesMut::from(&[5, 0, 0, 1, 192, 0, 2, 1, 4, 210, b'H'][..]);
    assert_eq!(handshake.receive(&mut input, millis(1)), Ok(ProxyStep::Open));
    assert_eq!(&input[..], b"H", "what follows is the server's");
    assert_eq!(handshake.deadline(), None);
    assert_eq!(handshake.receive(&mut input, millis(2)), Ok(ProxyStep::Open));
    assert_eq!(&input[..], b"H");
}

#[test]
fn with_credentials_the_proxy_chooses() {
    let mut asked = handshake("socks5://me:it%20is@p", "ws://example.com:8080/");
    assert_eq!(sent(&mut asked), [5, 2, 0, 2]);
    assert_eq!(receive(&mut asked, &[5, 2]), Ok(ProxyStep::NeedMore));
    assert_eq!(sent(&mut asked), [&[1, 2][..], b"me", &[5], b"it is"].concat());
    assert_eq!(receive(&mut asked, &[1, 0]), Ok(ProxyStep::NeedMore));
    assert_eq!(sent(&mut asked), [&[5, 1, 0, 3, 11][..], b"example.com", &[0x1F, 0x90]].concat());

    let mut not_asked = handshake("socks5://me:it%20is@p", "ws://example.com/");
    sent(&mut not_asked);
    assert_eq!(receive(&mut not_asked, &[5, 0]), Ok(ProxyStep::NeedMore));
    assert_eq!(sent(&mut not_asked)[..4], [5, 1, 0, 3], "the password stays here");
}

#[test]
fn addresses_go_as_addresses_and_names_as_names() {
    let v6 = [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    for (scheme, url, expected) in [
        ("socks5", "ws://192.0.2.1/", [&[5, 1, 0, 1][..], &[192, 0, 2, 1], &[0, 80]].concat()),
        ("socks5h", "wss://[2001:db8::1]/", [&[5, 1, 0, 4][..], &v6, &[1, 187]].concat()),
        ("socks5", "ws://a/", [&[5, 1, 0, 3, 1][..], b"a", &[0, 80]].concat()),
        ("socks5h", "ws://a/", [&[5, 1, 0, 3, 1][..], b"a", &[0, 80]].concat()),
    ] {
        let mut handshake = handshake(&format!("{scheme}://p"), url);
        sent(&mut handshake);
        assert_eq!(receive(&mut handshake, &[5, 0]), Ok(ProxyStep::NeedMore));
        assert_eq!(sent(&mut handshake), expected, "{url}");
    }
}

#[test]
fn names_have_up_to_255_bytes() {
    let proxy: Proxy = "socks5://p".parse().unwrap();
    for (len, fits) in [(254, true), (255, true), (256, false)] {
        let url: Url = format!("ws://{}/", "a".repeat(len)).parse().unwrap();
        let made = ProxyHandshake::new(&proxy, &url, &Limits::default(), None, Instant::ZERO);
        assert_eq!(made.is_ok(), fits, "{len}");
        assert!(made.map_or_else(|error| error.fault() == &ProxyFault::HostTooLong { len }, |_| true));
    }
}

#[test]
fn the_address_that_the_proxy_connects_from_may_have_any_form() {
    let name = [&[5, 0, 5, 0, 0, 3, 255][..], &[b'x'; 255], &[0, 80]].concat();
    let v6 = [&[5, 0, 5, 0, 0, 4][..], &[0; 16], &[0, 0]].concat();
    let no_name = [5, 0, 5, 0, 0, 3, 0, 0, 80];
    for reply in [&name[..], &v6, &no_name] {
        let mut handshake = handshake("socks5://p", "ws://example.com/");
        assert_eq!(receive(&mut handshake, reply), Ok(ProxyStep::Open), "{reply:?}");
        let mut short = self::handshake("socks5://p", "ws://example.com/");
        assert_eq!(receive(&mut short, &reply[..reply.len() - 1]), Ok(ProxyStep::NeedMore));
        assert_eq!(short.eof(millis(1)).fault(), &ProxyFault::Closed);
    }
}

#[test]
fn every_refusal_has_a_name() {
    let with = "socks5://a:b@p";
    fails("socks5://p", &[5, 0xFF], ProxyFault::NoMethod { sent: false });
    fails(with, &[5, 0xFF], ProxyFault::NoMethod { sent: true });
    fails("socks5://p", &[5, 2], ProxyFault::UnofferedMethod { method: 2 });
    fails(with, &[5, 1], ProxyFault::UnofferedMethod { method: 1 });
    fails(with, &[5, 2, 1, 1], ProxyFault::CredentialsRefused);
    fails(with, &[5, 2, 5, 0xFF], ProxyFault::CredentialsRefused);
    fails("socks5://p", &[4], ProxyFault::NotSocks5 { version: 4 });
    fails("socks5://p", b"H", ProxyFault::NotSocks5 { version: b'H' });
    fails("socks5://p", &[5, 0, 0], ProxyFault::NotSocks5 { version: 0 });
    fails("socks5://p", &[5, 0, 5, 0, 0, 2], ProxyFault::AddressType { byte: 2 });
    let words = [
        "general failure",
        "its rules do not allow it",
        "the network is unreachable",
        "the host is unreachable",
        "the server refused the connection",
        "TTL expired",
        "does not support CONNECT",
        "this type of address",
        "a reason that RFC 1928 does not have",
    ];
    for (reply, words) in (1..).zip(words) {
        fails("socks5://p", &[5, 0, 5, reply], ProxyFault::Reply(SocksReply(reply)));
        let text = ProxyFault::Reply(SocksReply(reply)).to_string();
        assert!(text.contains(words) && text.ends_with(&format!("(reply {reply})")), "{text}");
    }
    fails("socks5://p", &[5, 0, 5, 255], ProxyFault::Reply(SocksReply(255)));
}

#[test]
fn an_answer_before_all_is_written_loses_nothing() {
    let mut handshake = handshake("socks5://p", "ws://a/");
    assert_eq!(receive(&mut handshake, &[5, 0]), Ok(ProxyStep::NeedMore));
    assert_eq!(sent(&mut handshake), [&[5, 1, 0][..], &[5, 1, 0, 3, 1], b"a", &[0, 80]].concat());
}
