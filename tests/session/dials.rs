//! A session whose dials are `Dial`s: what is worth another try, by the step that failed.

use bytes::{Buf, BytesMut};
use sansocket::{
    ClientConfig, ConnectFault, ConnectedInfo, Dial, DialConfig, DialError, DialFailed, DialStep,
    HandshakeError, Instant, Pace, Proxy, ProxyError, ResolveFault, RetryRules, SessionEvent, StepError,
    TlsFault, TlsParams, Verdict,
};

use crate::rig::{Rig, secs};
use crate::run;

const RETRY: Verdict = Verdict::Retry(Pace::Normal);

/// What fails. Everything before it succeeds.
#[derive(Default)]
struct Way {
    resolve: Option<ResolveFault>,
    connect: Option<ConnectFault>,
    /// What a proxy answers.
    proxy: Option<(&'static str, &'static [u8])>,
    tls: Option<TlsFault>,
    /// What the server answers.
    response: &'static str,
    /// Nothing happens from this step on.
    stuck: Option<&'static str>,
}

/// The error of a dial that goes this way.
fn dial(way: &Way) -> DialError {
    let request = sansocket::ClientRequest::new("wss://example.com/").expect("a URL");
    let mut config = DialConfig::default();
    if let Some((url, _)) = way.proxy {
        config.proxy = url.parse::<Proxy>().expect("a proxy").into();
    }
    let mut now = Instant::ZERO;
    let mut dial = Dial::new(&request, &ClientConfig::default(), &config, now);
    loop {
        let Some(step) = dial.next_step() else {
            now = dial.deadline().expect("it waits for a point of time");
            dial.timeout(now);
            continue;
        };
        match step {
            DialStep::Failed(error) => return error,
            DialStep::Resolve { .. } if way.stuck == Some("resolve") => {}
            DialStep::Resolve { .. } => match way.resolve {
                Some(fault) => dial.resolved(Err(StepError::new(fault, "text")), now),
                None => dial.resolved(Ok(vec!["192.0.2.1:443".parse().expect("an address")]), now),
            },
            DialStep::Connect { .. } if way.stuck == Some("connect") => {}
            DialStep::Connect { attempt, .. } => {
                let fault = way.connect.map(|fault| StepError::new(fault, "text"));
                dial.connected(attempt, fault.map_or(Ok(()), Err), now);
            }
            DialStep::Proxy { mut handshake, .. } => {
                let (_, answer) = way.proxy.expect("there is a proxy");
                let mut input = BytesMut::from(answer);
                let error: ProxyError = loop {
                    let written = handshake.transmit().len();
                    handshake.transmit().advance(written);
                    // Each answer of a proxy is a read of its own.
                    match handshake.receive(&mut input, now) {
                        Err(error) => break error,
                        Ok(_) if input.is_empty() => break handshake.eof(now),
                        Ok(_) => {}
                    }
                };
                dial.proxied(Err(error), now);
            }
            DialStep::Tls { .. } if way.stuck == Some("tls") => {}
            DialStep::Tls { .. } => {
                let fault = way.tls.map(|fault| StepError::new(fault, "text"));
                dial.secured(fault.map_or(Ok(TlsParams::default()), Err), now);
            }
            DialStep::Handshake { .. } => dial.refused(refused(way.response), now),
            DialStep::Abandon { .. } => {}
            other => panic!("unexpected {other:?}"),
        }
    }
}

fn refused(response: &str) -> HandshakeError {
    let mut client = run::client(&ClientConfig::default());
    client.receive(&mut BytesMut::from(response), Instant::ZERO).expect_err("it is refused")
}

fn verdict(way: &Way) -> Verdict {
    RetryRules::default().dial(&dial(way))
}

#[test]
fn the_network_and_the_resolver_are_worth_a_retry() {
    for fault in [ResolveFault::NotFound, ResolveFault::Temporary, ResolveFault::Other] {
        assert_eq!(verdict(&Way { resolve: Some(fault), ..Way::default() }), RETRY, "{fault:?}");
    }
    for fault in [
        ConnectFault::Refused,
        ConnectFault::Unreachable,
        ConnectFault::Reset,
        ConnectFault::TimedOut,
        ConnectFault::NotPermitted,
        ConnectFault::AddressNotAvailable,
        ConnectFault::Other,
    ] {
        assert_eq!(verdict(&Way { connect: Some(fault), ..Way::default() }), RETRY, "{fault:?}");
    }
    for step in ["resolve", "connect", "tls"] {
        assert_eq!(verdict(&Way { stuck: Some(step), ..Way::default() }), RETRY, "{step}");
    }
}

#[test]
fn tls_is_worth_a_retry_where_time_or_the_network_may_mend_it() {
    for (fault, expected) in [
        (TlsFault::UntrustedIssuer, Verdict::Never),
        (TlsFault::Expired, RETRY),
        (TlsFault::NotYetValid, RETRY),
        (TlsFault::WrongName, Verdict::Never),
        (TlsFault::Revoked, Verdict::Never),
        (TlsFault::BadCertificate, Verdict::Never),
        (TlsFault::ClientCertificate, Verdict::Never),
        (TlsFault::NotTls, Verdict::Never),
        (TlsFault::Version, Verdict::Never),
        (TlsFault::Refused, Verdict::Never),
        (TlsFault::Closed, RETRY),
        (TlsFault::TransportFailed, RETRY),
        (TlsFault::Unavailable, Verdict::Never),
        (TlsFault::Other, RETRY),
    ] {
        assert_eq!(verdict(&Way { tls: Some(fault), ..Way::default() }), expected, "{fault:?}");
    }
}

#[test]
fn a_proxy_is_judged_by_its_answer() {
    let http = "http://192.0.2.9:3128";
    let socks = "socks5://192.0.2.9:1080";
    for (proxy, answer, expected) in [
        (http, &b""[..], RETRY),
        (http, b"HTTP/1.1 503 Busy\r\n\r\n", RETRY),
        (http, b"HTTP/1.1 504 Late\r\n\r\n", RETRY),
        (http, b"HTTP/1.1 403 No\r\n\r\n", Verdict::Never),
        (http, b"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n", Verdict::Never),
        (http, b"SSH-2.0-OpenSSH_9\r\n", Verdict::Never),
        (socks, b"", RETRY),
        (socks, b"\x05\xFF", Verdict::Never),
        (socks, b"\x05\x00\x05\x01\x00\x01\0\0\0\0\0\0", RETRY),
        (socks, b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0", Verdict::Never),
        (socks, b"\x05\x00\x05\x04\x00\x01\0\0\0\0\0\0", RETRY),
        (socks, b"\x05\x00\x05\x05\x00\x01\0\0\0\0\0\0", RETRY),
        (socks, b"HTTP/1.1 400 Bad Request\r\n\r\n", Verdict::Never),
    ] {
        let way = Way { proxy: Some((proxy, answer)), ..Way::default() };
        assert_eq!(verdict(&way), expected, "{proxy}: {}", answer.escape_ascii());
    }
}

#[test]
fn handshakes_and_redirects_are_judged_by_their_status() {
    for (response, expected) in [
        (
            "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
            Verdict::Retry(Pace::After(secs(7))),
        ),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", Verdict::Never),
        ("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", Verdict::Never),
    ] {
        assert_eq!(verdict(&Way { response, ..Way::default() }), expected, "{response}");
    }
    let mut rules = RetryRules::default();
    rules.retry_statuses = vec![302];
    let way =
        Way { response: "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", ..Way::default() };
    assert_eq!(rules.dial(&dial(&way)), RETRY);
}

#[test]
fn the_error_of_a_dial_is_kept_whole() {
    let mut rig = Rig::new(|config| config.max_reconnect_attempts = Some(0));
    let error = dial(&Way { connect: Some(ConnectFault::Refused), ..Way::default() });
    let text = error.to_string();
    rig.fail(DialFailed::from(error));
    let SessionEvent::GaveUp(gave_up) = rig.terminal() else { panic!("{:?}", rig.events) };
    let last = gave_up.attempts.last().expect("there was one");
    assert_eq!(last.setback.to_string(), text);
    let sansocket::Setback::Failed(failed) = &last.setback else { panic!("{last:?}") };
    assert_eq!(failed.dial_error().map(DialError::code), Some("refused"));
    assert!(failed.handshake_error().is_none());
}

#[test]
fn what_a_dial_has_found_is_told() {
    let request = sansocket::ClientRequest::new("ws://192.0.2.1:8080/").expect("a URL");
    let mut dial = Dial::new(&request, &ClientConfig::default(), &DialConfig::default(), Instant::ZERO);
    let dialed = loop {
        match dial.next_step().expect("each step ends at once") {
            DialStep::Connect { attempt, .. } => dial.connected(attempt, Ok(()), Instant::ZERO),
            DialStep::Handshake { .. } => dial.opened(Instant::ZERO),
            DialStep::Opened(dialed) => break dialed,
            other => panic!("unexpected {other:?}"),
        }
    };
    let mut client = run::client(&ClientConfig::default());
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
        run::accept_value(),
    );
    let step = client.receive(&mut BytesMut::from(&response[..]), Instant::ZERO).expect("it is accepted");
    let sansocket::ClientStep::Open(_, response) = step else { panic!("{step:?}") };
    let info = ConnectedInfo::of(&dialed, &response);
    assert_eq!(info.address, "192.0.2.1:8080".parse().ok());
    assert_eq!((info.subprotocol.as_deref(), info.protocol), (Some("chat"), dialed.protocol));
}
