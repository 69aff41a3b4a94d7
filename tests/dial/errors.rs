//! What errors say: one line for a log, a report for a person, codes for machines.

use std::collections::BTreeSet;
use std::error::Error as _;

use proptest::prelude::*;
use sansocket::{
    ClientConfig, ConnectFault, DialCause, DialConfig, HandshakeError, Proxy, ProxyError, ResolveFault,
    StepError, TlsFault,
};

use crate::support::{Plan, V4, V6, addresses, millis};

fn refused() -> sansocket::DialError {
    let mut plan = Plan::resolved(&DialConfig::default(), &[V6[0], V4[0]]);
    plan.steps();
    plan.dial.connected(
        plan.connects[0].0,
        Err(StepError::new(ConnectFault::Unreachable, "Network is unreachable (os error 101)")),
        millis(1),
    );
    plan.steps();
    plan.dial.connected(
        plan.connects[1].0,
        Err(StepError::new(ConnectFault::Refused, "Connection refused (os error 111)")),
        millis(31),
    );
    plan.steps();
    plan.failed.unwrap()
}

#[test]
fn one_line_says_who_what_where_and_how_long() {
    assert_eq!(
        refused().to_string(),
        "no connection to ws://example.com:80: 192.0.2.1:80 refused the connection: Connection refused (os error 111) \
         (refused; 31 ms, [2001:db8::1]:80 unreachable)"
    );
    let mut config = DialConfig::default();
    config.proxy = "http://proxy.example:3128".parse::<Proxy>().unwrap().into();
    let mut plan = Plan::connected("wss://example.com/x", &ClientConfig::default(), &config, millis(2));
    plan.steps();
    let mut input =
        bytes::BytesMut::from("HTTP/1.1 403 Forbidden\r\nContent-Length: 16\r\n\r\nhost not allowed");
    let error = plan.proxy.take().unwrap().receive(&mut input, millis(7)).unwrap_err();
    plan.dial.proxied(Err(error), millis(7));
    plan.steps();
    assert_eq!(
        plan.failed.unwrap().to_string(),
        "no connection to wss://example.com:443 by the proxy http://proxy.example:3128: the proxy answered CONNECT with 403, \
         not with 2xx (proxy-refused; after 62 bytes and 5 ms, body \"host not allowed\"; in all 7 ms)"
    );
}

#[test]
fn tls_names_the_address_once() {
    for (url, server) in [
        ("wss://example.com/", "wss://example.com:443 by 192.0.2.1:80"),
        ("wss://192.0.2.1:8443/", "wss://192.0.2.1:8443"),
        ("wss://[2001:db8::1]/", "wss://[2001:db8::1]:443"),
    ] {
        let mut plan = Plan::connected(url, &ClientConfig::default(), &DialConfig::default(), millis(1));
        plan.steps();
        plan.dial.secured(Err(StepError::new(TlsFault::Expired, "")), millis(2));
        plan.steps();
        let line = plan.failed.unwrap().to_string();
        let expected = format!(": TLS with {server} failed: the certificate has expired (tls-expired; 2 ms)");
        assert!(line.ends_with(&expected), "{line}");
    }
}

#[test]
fn a_report_has_every_attempt() {
    assert_eq!(
        refused().report(),
        "No connection to ws://example.com:80: 192.0.2.1:80 refused the connection: Connection refused (os error 111).\n\
         \x20 code      refused\n\
         \x20 elapsed   31 ms\n\
         \x20 attempt   connect at 0 ms, for 1 ms: [2001:db8::1]:80 is unreachable: Network is unreachable (os error 101)\n\
         \x20 attempt   connect at 1 ms, for 30 ms: as above\n\
         \x20 advice    Look whether the server runs and listens on this address and port; the machine is there.\n"
    );
}

/// The error of a dial whose server, perhaps behind a proxy, answers with this.
fn answered(url: &str, config: &DialConfig, answer: &[u8]) -> sansocket::DialError {
    let mut plan = Plan::connected(url, &ClientConfig::default(), config, millis(1));
    plan.steps();
    if let Some(mut proxy) = plan.proxy.take() {
        let mut input = bytes::BytesMut::from("HTTP/1.1 200 OK\r\n\r\n");
        let step = proxy.receive(&mut input, millis(2)).unwrap();
        assert!(matches!(step, sansocket::ProxyStep::Open));
        plan.dial.proxied(Ok(()), millis(2));
        plan.steps();
    }
    plan.answer(answer, millis(5));
    plan.steps();
    plan.failed.unwrap()
}

#[test]
fn a_failed_handshake_has_one_code_and_is_told_once() {
    let response = b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nHere.";
    let error = answered("ws://example.com/chat?token=s3cret", &DialConfig::default(), response);
    assert_eq!(error.code(), "unexpected-status");
    assert_eq!(
        error.to_string(),
        "no connection to ws://example.com:80: opening handshake failed: the server answered with 404, not with 101 \
         (Switching Protocols) (unexpected-status; path \"/chat\", reading response, 50 bytes in 1 read, 0 ms, \
         body \"Here.\"; in all 5 ms)"
    );
    assert_eq!(
        error.report(),
        "No connection to ws://example.com:80: opening handshake failed: the server answered with 404, not with 101 \
         (Switching Protocols).\n\
         \x20 code      unexpected-status\n\
         \x20 elapsed   5 ms\n\
         \x20 attempt   handshake at 1 ms, for 4 ms: as above\n\
         \x20 severity  bad-peer\n\
         \x20 when      reading response, after 50 bytes in 1 read and 0 ms\n\
         \x20 path      \"/chat\"\n\
         \x20 peer      an HTTP server\n\
         \x20 seen      \"HTTP/1.1 404 Not Found\\r\\nContent-Length: 5\\r\\n\\r\\n\"\n\
         \x20 expected  a response with the status 101 and the fields of RFC 6455 section 4.2.2\n\
         \x20 body      \"Here.\"\n\
         \x20 advice    Look at the path: no WebSocket is served there.\n"
    );
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[test]
fn no_code_is_one_of_a_handshake_and_one_of_another_step() {
    for code in sansocket::HandshakeErrorKind::CODES {
        assert!(!DialCause::CODES.contains(code), "{code}");
    }
}

#[test]
fn advice_knows_of_the_proxy() {
    let mut proxied = DialConfig::default();
    proxied.proxy = "http://192.0.2.9:3128".parse::<Proxy>().unwrap().into();
    let of = |config: &DialConfig, fail: fn(&mut Plan)| {
        let mut plan = Plan::new("ws://192.0.2.1/", config);
        plan.steps();
        fail(&mut plan);
        plan.steps();
        plan.failed.unwrap().advice()
    };
    let refuse = |plan: &mut Plan| plan.tell(0, Err(ConnectFault::Refused), millis(1));
    assert!(of(&proxied, refuse).starts_with("Look whether the proxy runs"), "{}", of(&proxied, refuse));
    assert!(of(&DialConfig::default(), refuse).starts_with("Look whether the server runs"));
    // What has no other advice for it has the usual one; what breaks off behind the proxy is looked for there first.
    let unreachable = |plan: &mut Plan| plan.tell(0, Err(ConnectFault::Unreachable), millis(1));
    assert_eq!(of(&proxied, unreachable), of(&DialConfig::default(), unreachable));
    let page = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let advice = |config, answer| answered("ws://192.0.2.1/", config, answer).advice();
    assert!(advice(&proxied, page).contains("proxy") && advice(&proxied, page).contains("wss"));
    assert_ne!(advice(&proxied, page), advice(&DialConfig::default(), page));
}

#[test]
fn many_addresses_do_not_make_a_long_line() {
    let list: Vec<String> = (1..=9).map(|host| format!("192.0.2.{host}:80")).collect();
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    let mut plan = Plan::resolved(&DialConfig::default(), &list);
    plan.steps();
    for number in 0..9 {
        plan.tell(number, Err(ConnectFault::Refused), millis(1));
        plan.steps();
    }
    let line = plan.failed.unwrap().to_string();
    assert!(line.ends_with(", 192.0.2.4:80 refused and 4 more)"), "{line}");
}

#[test]
fn the_source_is_the_error_of_the_layer() {
    let error = refused();
    let source = error.source().unwrap().downcast_ref::<StepError<ConnectFault>>().unwrap();
    assert_eq!(source.text(), "Connection refused (os error 111)");

    let mut plan =
        Plan::connected("ws://example.com/", &ClientConfig::default(), &DialConfig::default(), millis(1));
    plan.steps();
    plan.answer(b"SSH-2.0-x\r\n", millis(2));
    plan.steps();
    let error = plan.failed.unwrap();
    let inner: &HandshakeError = error.source().unwrap().downcast_ref().unwrap();
    assert_eq!((inner.code(), error.code()), ("not-http", "not-http"));
    assert_eq!(error.advice(), inner.advice());

    let mut config = DialConfig::default();
    config.proxy = "http://192.0.2.9".parse::<Proxy>().unwrap().into();
    let mut plan = Plan::connected("ws://example.com/", &ClientConfig::default(), &config, millis(1));
    plan.steps();
    let error = plan.proxy.take().unwrap().eof(millis(2));
    plan.dial.proxied(Err(error), millis(2));
    plan.steps();
    assert!(plan.failed.unwrap().source().unwrap().is::<ProxyError>());
}

#[test]
fn every_fault_has_a_code_a_sentence_and_advice_of_its_own() {
    use ConnectFault as C;
    use ResolveFault as R;
    use TlsFault as T;

    let mut codes = BTreeSet::new();
    let mut texts = BTreeSet::new();
    let mut check = |code: &'static str, text: String, advice: &'static str| {
        assert!(codes.insert(code), "{code} twice");
        assert!(texts.insert(text.clone()), "{text} twice");
        assert!(!text.ends_with('.') && text.is_ascii(), "{text}");
        assert!(advice.ends_with('.') && advice.len() > 20, "{advice}");
    };
    let advice = |cause: fn(&mut Plan)| {
        let mut plan = Plan::new("wss://example.com/", &DialConfig::default());
        plan.steps();
        cause(&mut plan);
        plan.steps();
        plan.failed.unwrap().advice()
    };
    macro_rules! resolve { ($($fault:ident),*) => { $(
        check(R::$fault.code(), R::$fault.to_string(), advice(|plan| {
            plan.dial.resolved(Err(StepError::new(R::$fault, "")), millis(1));
        }));
    )* } }
    macro_rules! connect { ($($fault:ident),*) => { $(
        check(C::$fault.code(), C::$fault.to_string(), advice(|plan| {
            plan.dial.resolved(Ok(addresses(&V4[..1])), millis(1));
            plan.steps();
            plan.dial.connected(plan.connects[0].0, Err(StepError::new(C::$fault, "")), millis(1));
        }));
    )* } }
    macro_rules! tls { ($($fault:ident),*) => { $(
        check(T::$fault.code(), T::$fault.to_string(), advice(|plan| {
            plan.connect(millis(1));
            plan.steps();
            plan.dial.secured(Err(StepError::new(T::$fault, "")), millis(1));
        }));
        assert!(T::$fault.code().starts_with("tls-"));
    )* } }
    resolve!(NotFound, Temporary, Other);
    connect!(Refused, Unreachable, Reset, TimedOut, NotPermitted, AddressNotAvailable, Other);
    tls!(
        UntrustedIssuer,
        Expired,
        NotYetValid,
        WrongName,
        Revoked,
        BadCertificate,
        ClientCertificate,
        NotTls,
        Version,
        Refused,
        Closed,
        TransportFailed,
        Unavailable,
        Other
    );
    assert_eq!(codes.len(), 24);
    assert!(codes.iter().all(|code| DialCause::CODES.contains(code)));
}

#[test]
fn the_page_has_every_code_once_and_in_order() {
    let page = include_str!("../../docs/connecting.md");
    let table = page.split("| code | what happened | what to look at |").nth(1).expect("the table of codes");
    let codes: Vec<_> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(codes, DialCause::CODES);
    assert!(page.contains("refused the connection: Connection refused (os error 111) (refused; 31 ms, [2001:db8::1]:443 unreachable)"));
}

#[test]
fn the_codes_of_proxies_and_redirects_are_on_the_list() {
    use sansocket::{ProxyFault as P, RedirectFault as R, SocksReply, TransportError, UrlError};

    let limit = core::time::Duration::from_secs(1);
    let proxy = [
        P::Closed,
        P::TransportFailed(TransportError::Reset),
        P::TimedOut { limit },
        P::NotHttp { peer: sansocket::Peer::Ssh },
        P::HeadTooLarge { limit: 1 },
        P::AuthenticationRequired { status: 407, challenge: None, sent: true },
        P::NoMethod { sent: false },
        P::CredentialsRefused,
        P::Refused { status: 403 },
        P::Reply(SocksReply::REFUSED),
        P::NotSocks5 { version: 4 },
        P::UnofferedMethod { method: 1 },
        P::AddressType { byte: 2 },
        P::HostTooLong { len: 256 },
    ];
    let redirect = [R::Limit { limit: 1 }, R::Loop, R::Downgrade, R::Target(UrlError::NoScheme)];
    let codes = proxy.iter().map(P::code).chain(redirect.into_iter().map(R::code));
    for code in codes {
        assert!(DialCause::CODES.contains(&code), "{code}");
    }
}

#[test]
#[cfg(feature = "std")]
fn errors_of_the_operating_system_are_sorted() {
    use std::io::{self, ErrorKind as K};
    for (kind, fault) in [
        (K::ConnectionRefused, ConnectFault::Refused),
        (K::HostUnreachable, ConnectFault::Unreachable),
        (K::NetworkUnreachable, ConnectFault::Unreachable),
        (K::ConnectionReset, ConnectFault::Reset),
        (K::TimedOut, ConnectFault::TimedOut),
        (K::PermissionDenied, ConnectFault::NotPermitted),
        (K::AddrNotAvailable, ConnectFault::AddressNotAvailable),
        (K::Other, ConnectFault::Other),
    ] {
        assert_eq!(StepError::<ConnectFault>::from(&io::Error::from(kind)).fault(), fault);
    }
    let prefix = "failed to lookup address information: ";
    for (text, fault) in [
        ("Name or service not known", ResolveFault::NotFound),
        ("No address associated with hostname", ResolveFault::NotFound),
        ("nodename nor servname provided, or not known", ResolveFault::NotFound),
        ("Name does not resolve", ResolveFault::NotFound),
        ("No such host is known. (os error 11001)", ResolveFault::NotFound),
        ("Temporary failure in name resolution", ResolveFault::Temporary),
        ("Try again", ResolveFault::Temporary),
        ("Non-recoverable failure in name resolution", ResolveFault::Other),
    ] {
        let error = StepError::<ResolveFault>::from(&io::Error::other(format!("{prefix}{text}")));
        assert_eq!(error.fault(), fault, "{text}");
        assert!(error.text().contains(text));
    }
}

proptest! {
    #[test]
    fn no_text_of_a_layer_below_forges_a_line(text in "(\\PC|[\r\n\t\u{0}\u{1b}\u{85}\u{2028}\u{2029}]){0,300}") {
        let mut plan = Plan::resolved(&DialConfig::default(), &V4[..1]);
        plan.steps();
        plan.dial.connected(plan.connects[0].0, Err(StepError::new(ConnectFault::Other, &text)), millis(1));
        plan.steps();
        let error = plan.failed.unwrap();
        let ends_a_line = |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
        prop_assert!(!error.to_string().chars().any(ends_a_line));
        prop_assert_eq!(error.report().lines().count(), 5);
        let DialCause::Connect(cause) = error.cause() else { panic!("{error}") };
        if !text.chars().any(ends_a_line) {
            prop_assert_eq!(cause.text(), text.chars().take(256).collect::<String>());
        }
    }
}
