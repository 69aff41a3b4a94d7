//! Credentials forge nothing and are shown nowhere.

use bytes::Buf;
use proptest::prelude::*;
use sansocket::{
    ClientConfig, ClientHandshake, ClientRequest, Dial, DialConfig, Entropy, Instant, Limits, Proxy,
    ProxyHandshake, TlsParams, Url,
};

use crate::support::{Plan, addresses, connect_error, head, millis};

/// A text that no URL has by chance, percent-encoded in a URL and in base64.
const SECRETS: [&str; 3] = ["s3cr3t", "s3cr%33t", "czNjcjN0"];

fn hides(text: &str) {
    assert!(!SECRETS.iter().any(|secret| text.contains(secret)), "{text}");
    assert!(!text.contains("johndoe"), "not even the user name: {text}");
}

#[test]
fn neither_display_nor_debug_shows_credentials() {
    let url: Url = "wss://johndoe:s3cr3t@example.com/".parse().unwrap();
    hides(&format!("{url} {url:?}"));
    let request = ClientRequest::to(url);
    hides(&format!("{request:?}"));
    let proxy: Proxy = "http://johndoe:s3cr3t@proxy.example".parse().unwrap();
    hides(&format!("{proxy} {proxy:?}"));
    let mut config = DialConfig::default();
    config.proxy = proxy.clone().into();
    config.redirects = 1;
    hides(&format!("{config:?}"));
    let handshake =
        ProxyHandshake::new(&proxy, request.url(), &Limits::default(), None, Instant::ZERO).unwrap();
    hides(&format!("{handshake:?}"));
    let client = ClientConfig::default();
    let mut dial = Dial::new(&request, &client, &config, Instant::ZERO);
    hides(&format!("{dial:?}"));
    while let Some(step) = dial.next_step() {
        hides(&format!("{step:?}"));
    }
    let mut plan = Plan::with(&request, &client, &config);
    plan.steps();
    plan.dial.resolved(Ok(addresses(&["192.0.2.1:80"])), millis(1));
    plan.steps();
    plan.dial.connected(plan.connects[0].0, Err(connect_error(sansocket::ConnectFault::Refused)), millis(2));
    plan.steps();
    let error = plan.failed.unwrap();
    hides(&format!("{error} {error:?} {}", error.report()));

    let mut plan = Plan::with(&request, &client, &DialConfig::default());
    plan.connect(millis(1));
    plan.steps();
    plan.dial.secured(Ok(TlsParams::default()), millis(2));
    plan.steps();
    hides(&format!("{:?}", plan.handshake));
    plan.answer(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", millis(2));
    plan.steps();
    let error = plan.failed.unwrap();
    hides(&format!("{error} {error:?} {}", error.report()));
}

#[test]
fn an_opened_connection_does_not_show_them_either() {
    let mut config = DialConfig::default();
    config.proxy = "socks5://johndoe:s3cr3t@proxy.example".parse::<Proxy>().unwrap().into();
    let request = ClientRequest::new("ws://johndoe:s3cr3t@example.com/").unwrap();
    let mut plan = Plan::with(&request, &ClientConfig::default(), &config);
    plan.connect(millis(1));
    plan.steps();
    plan.dial.proxied(Ok(()), millis(1));
    plan.steps();
    plan.dial.opened(millis(2));
    plan.steps();
    hides(&format!("{:?}", plan.opened));
}

#[test]
fn what_is_shown_of_a_url_for_debugging_has_no_secret() {
    let url: Url = "wss://user:s3cret@example.com:8443/chat?token=s3cret".parse().unwrap();
    assert_eq!(format!("{url:?}"), "Url(\"wss://example.com:8443/chat?...\")");
    let request = ClientRequest::new("ws://user:s3cret@example.com/chat?token=s3cret").unwrap();
    assert!(!format!("{request:?}").contains("s3cret"), "{request:?}");
    // It is a URL to be used, with its query; of credentials it says nothing.
    assert_eq!(url.to_string(), "wss://example.com:8443/chat?token=s3cret");
}

proptest! {
    #[test]
    fn whatever_they_are_they_make_one_field(
        user in "[^:\\pC]{0,20}",
        password in "\\PC{0,20}",
        raw in "[ -~\u{e9}\r\n\0]{0,20}",
    ) {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        for userinfo in [format!("{}:{}", encode(&user), encode(&password)), raw] {
            let Ok(request) = ClientRequest::new(&format!("ws://{userinfo}@example.com/")) else { continue };
            let config = ClientConfig::default();
            let head = head(&request, &config);
            prop_assert!(head.lines().count() <= 7 + 1, "{}", head);
            prop_assert_eq!(head.matches('\r').count(), head.matches('\n').count());
            let mut handshake =
                ClientHandshake::new(&request, &config, Entropy::from_seed([7; 32]), Instant::ZERO);
            let clear = head.len() == handshake.transmit().remaining();
            prop_assert!(clear);
            prop_assert!(head.is_ascii());
        }
    }

    #[test]
    fn nor_do_they_forge_anything_for_a_proxy(
        user in "[^:\\pC]{1,20}",
        password in "\\PC{0,20}",
        raw in "[ -~\u{e9}\r\n\0]{0,20}",
    ) {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        for userinfo in [format!("{}:{}", encode(&user), encode(&password)), raw] {
            let Ok(proxy) = format!("http://{userinfo}@proxy.example/").parse::<Proxy>() else { continue };
            let url: Url = "ws://example.com/".parse().unwrap();
            let mut handshake =
                ProxyHandshake::new(&proxy, &url, &Limits::default(), None, Instant::ZERO).unwrap();
            let head = String::from_utf8(handshake.transmit().to_vec()).unwrap();
            prop_assert!(head.lines().count() <= 4, "{}", head);
            prop_assert!(head.starts_with("CONNECT example.com:80 HTTP/1.1\r\nHost: example.com:80\r\n"));
            prop_assert!(head.is_ascii() && head.ends_with("\r\n\r\n"));
        }
    }
}
