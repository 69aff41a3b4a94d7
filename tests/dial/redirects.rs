//! Redirects of the opening handshake (RFC 9110 section 15.4): where they lead to, and what is sent there.

use sansocket::{
    ClientConfig, ClientRequest, DialCause, DialConfig, HandshakeErrorKind, Proxy, RedirectFault, TlsParams,
    Url,
};

use crate::support::{Plan, head, millis, rows};

fn config(redirects: u32) -> DialConfig {
    let mut config = DialConfig::default();
    config.redirects = redirects;
    config
}

fn plan(url: &str, config: &DialConfig) -> Plan {
    let request = ClientRequest::new(url)
        .unwrap()
        .field("Authorization", "secret")
        .unwrap()
        .field("cookie", "a=b")
        .unwrap()
        .field("X-Other", "kept")
        .unwrap()
        .subprotocol("chat")
        .unwrap()
        .host("other.example")
        .unwrap();
    Plan::with(&request, &ClientConfig::default(), config)
}

/// Goes on to the next opening handshake.
fn open(plan: &mut Plan) {
    plan.connect(millis(1));
    if plan.steps().iter().any(|step| step.starts_with("tls")) {
        plan.dial.secured(Ok(TlsParams::default()), millis(1));
        plan.steps();
    }
    assert!(plan.handshake.is_some(), "it has come to the opening handshake");
}

fn redirect(plan: &mut Plan, status: &str, location: &str) {
    let mut bytes = format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\nLocation: ").into_bytes();
    bytes.extend(unescape(location));
    bytes.extend_from_slice(b"\r\n\r\n");
    plan.answer(&bytes, millis(2));
}

/// `\xe9` is that byte.
fn unescape(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    bytes
}

#[test]
fn redirects_of_the_table() {
    let mut count = 0;
    for row in rows(include_str!("data/redirects.txt")) {
        let [url, status, location, expected, secrets] = row[..] else { panic!("{row:?}") };
        count += 1;
        let mut plan = plan(url, &config(3));
        open(&mut plan);
        redirect(&mut plan, status, location);
        let steps = plan.steps();
        if let Some(code) = expected.strip_prefix("fails ") {
            assert_eq!(steps.last().unwrap(), &format!("failed {code}"), "{row:?}");
            continue;
        }
        let old = plan.connects[0].1;
        assert_eq!(steps[0], format!("abandon {old}"), "{row:?}");
        assert!(!steps.iter().any(|step| step.starts_with("failed")), "{row:?}: {steps:?}");
        // An address in the URL needs no resolver.
        open(&mut plan);
        let (request, client) = plan.handshake.as_ref().unwrap();
        assert_eq!(request.url().to_string(), expected, "{row:?}");
        let head = head(request, client);
        let has = |line: &str| head.contains(line);
        assert_eq!(has("Authorization: secret\r\n"), secrets == "both", "{row:?}: {head}");
        assert_eq!(has("cookie: a=b\r\n"), secrets == "both", "{row:?}: {head}");
        assert_eq!(has("Host: other.example\r\n"), secrets == "both", "{row:?}: {head}");
        assert!(has("X-Other: kept\r\n") && has("Sec-WebSocket-Protocol: chat\r\n"), "{head}");
        assert_eq!(
            head.to_ascii_lowercase().matches("authorization").count(),
            usize::from(secrets == "both")
        );
        plan.dial.opened(millis(9));
        plan.steps();
        let dialed = plan.opened.unwrap();
        assert_eq!(dialed.redirects, [url.parse::<Url>().unwrap().without_credentials()]);
    }
    assert!(count > 40, "{count}");
}

#[test]
fn credentials_of_the_url_stay_with_its_origin() {
    let basic = "Authorization: Basic dXNlcjpwYXNz\r\n";
    for (location, sent) in [
        ("/b", Some(basic)),
        ("wss://example.com/b", Some(basic)),
        ("wss://example.net/b", None),
        ("wss://example.com:444/b", None),
        // A server's own credentials are no secret of this client.
        ("wss://me:it@example.net/b", Some("Authorization: Basic bWU6aXQ=\r\n")),
        ("wss://me:it@example.com/b", Some("Authorization: Basic bWU6aXQ=\r\n")),
    ] {
        let mut plan = Plan::new("wss://user:pass@example.com/a", &config(1));
        open(&mut plan);
        redirect(&mut plan, "302", location);
        open(&mut plan);
        let (request, client) = plan.handshake.as_ref().unwrap();
        let head = head(request, client);
        assert_eq!(head.contains("Authorization"), sent.is_some(), "{location}");
        assert!(sent.is_none_or(|line| head.contains(line)), "{location}: {head}");
    }
}

#[test]
fn secrets_do_not_come_back() {
    let mut plan = plan("wss://example.com/a", &config(3));
    open(&mut plan);
    redirect(&mut plan, "302", "wss://evil.example/");
    open(&mut plan);
    redirect(&mut plan, "302", "wss://example.com/b");
    open(&mut plan);
    let (request, client) = plan.handshake.as_ref().unwrap();
    let head = head(request, client);
    assert!(!head.contains("secret") && !head.contains("a=b"), "{head}");
}

#[test]
fn without_redirects_it_is_a_handshake_that_failed() {
    let mut plan = Plan::new("ws://example.com/0", &config(0));
    open(&mut plan);
    redirect(&mut plan, "307", "/end?token=1");
    assert_eq!(plan.steps(), ["abandon 192.0.2.1:80", "failed redirected"]);
    let error = plan.failed.unwrap();
    assert!(error.redirects().is_empty());
    assert_eq!(error.handshake().unwrap().code(), "redirected");
    assert!(error.to_string().contains("307 and redirects to \"/end?...\""), "{error}");
}

#[test]
fn the_limit_holds_at_below_and_above() {
    for limit in 1..4 {
        let mut plan = Plan::new("ws://example.com/0", &config(limit));
        for hop in 1..=limit {
            open(&mut plan);
            redirect(&mut plan, "307", &format!("/{hop}"));
            assert_eq!(plan.steps()[0], "abandon 192.0.2.1:80");
        }
        open(&mut plan);
        redirect(&mut plan, "307", "/end");
        assert_eq!(plan.steps(), ["abandon 192.0.2.1:80", "failed redirect-limit"]);
        let error = plan.failed.unwrap();
        assert_eq!(error.redirects().len(), limit as usize);
        let DialCause::Redirect(redirect) = error.cause() else { panic!("{error}") };
        assert_eq!(redirect.fault(), RedirectFault::Limit { limit });
        assert_eq!(
            redirect.target(),
            Some(&"ws://example.com/end".parse().unwrap()),
            "it carries the target"
        );
        assert!(matches!(
            error.handshake().unwrap().kind(),
            HandshakeErrorKind::Redirected { status: 307, .. }
        ));
    }
}

#[test]
fn a_loop_over_several_urls_is_found() {
    let mut plan = Plan::new("ws://example.com/a", &config(u32::MAX));
    open(&mut plan);
    redirect(&mut plan, "302", "/b");
    open(&mut plan);
    redirect(&mut plan, "302", "/c");
    open(&mut plan);
    redirect(&mut plan, "302", "/b");
    assert_eq!(plan.steps().last().unwrap(), "failed redirect-loop");
    let from: Vec<_> = plan.failed.unwrap().redirects().iter().map(Url::to_string).collect();
    assert_eq!(from, ["ws://example.com/a", "ws://example.com/b"]);
}

#[test]
fn a_redirect_without_location_is_an_answer_like_others() {
    let mut plan = Plan::new("ws://example.com/a", &config(3));
    open(&mut plan);
    plan.answer(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", millis(1));
    assert_eq!(plan.steps().last().unwrap(), "failed unexpected-status");
}

#[test]
fn the_proxy_is_chosen_for_each_url() {
    let mut with_proxy = config(3);
    with_proxy.proxy = sansocket::Proxies::from("http://proxy.example:3128".parse::<Proxy>().unwrap())
        .except("inside.example");
    let mut plan = Plan::new("ws://inside.example/", &with_proxy);
    assert_eq!(plan.steps(), ["resolve inside.example:80"]);
    open(&mut plan);
    redirect(&mut plan, "302", "ws://outside.example/");
    assert_eq!(plan.steps(), ["abandon 192.0.2.1:80", "resolve proxy.example:3128"]);
    plan.connect(millis(3));
    assert_eq!(plan.steps(), ["proxy 192.0.2.1:80"]);
    plan.dial.proxied(Ok(()), millis(3));
    plan.steps();
    redirect(&mut plan, "302", "ws://inside.example/again");
    assert_eq!(plan.steps(), ["abandon 192.0.2.1:80", "resolve inside.example:80"]);
}

#[test]
fn an_error_after_a_redirect_is_about_the_last_url() {
    let mut plan = Plan::new("ws://example.com/a?token=0", &config(3));
    open(&mut plan);
    redirect(&mut plan, "302", "ws://nowhere.example/b?token=1");
    plan.steps();
    plan.dial.resolved(Ok(vec![]), millis(5));
    assert_eq!(plan.steps(), ["failed dns-no-address"]);
    let error = plan.failed.unwrap();
    assert_eq!(error.decisive().server(), "ws://nowhere.example:80");
    assert_eq!(error.redirects().len(), 1);
    assert!(error.report().contains("\n  from      ws://example.com/a?...\n"), "{}", error.report());
    assert!(!format!("{error}\n{}", error.report()).contains("token"), "{}", error.report());
}

#[test]
fn the_error_shows_where_it_leads_to_without_the_query() {
    let mut plan = Plan::new("ws://example.com/a", &config(1));
    open(&mut plan);
    redirect(&mut plan, "302", "/");
    open(&mut plan);
    redirect(&mut plan, "302", "/b?token=1");
    plan.steps();
    let error = plan.failed.unwrap();
    assert!(error.to_string().contains("302 and redirects to ws://example.com/b?..., after 1"), "{error}");
    let DialCause::Redirect(redirect) = error.cause() else { panic!("{error}") };
    assert_eq!(redirect.target().unwrap().resource_name(), "/b?token=1");
}
