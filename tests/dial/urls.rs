//! URLs with user information, and with international names.

use sansocket::{ClientConfig, ClientRequest, Url};

use crate::support::{head, rows};

#[test]
fn user_information_of_the_table() {
    for row in rows(include_str!("data/urls.txt")) {
        let [userinfo, expected] = row[..] else { panic!("{row:?}") };
        let text = format!("ws://{userinfo}@example.com:8080/x");
        let request = match ClientRequest::new(&text) {
            Ok(request) => request,
            Err(error) => {
                assert_eq!(format!("{error:?}"), expected, "{text}");
                continue;
            }
        };
        let head = head(&request, &ClientConfig::default());
        let field = head.lines().find_map(|line| line.strip_prefix("Authorization: ")).unwrap_or("-");
        assert_eq!(field, expected, "{text}");
        assert_eq!(head.matches("Authorization").count(), usize::from(expected != "-"));
        assert!(head.starts_with("GET /x HTTP/1.1\r\nHost: example.com:8080\r\n"), "{head}");
        assert_eq!(request.url().has_credentials(), expected != "-");
        assert_eq!(request.url().to_string(), "ws://example.com:8080/x");
    }
}

#[test]
fn a_field_that_was_given_stands_above_the_url() {
    let request = ClientRequest::new("ws://user:pass@example.com/").unwrap();
    let request = request.field("authorization", "Bearer 7").unwrap();
    let head = head(&request, &ClientConfig::default()).to_ascii_lowercase();
    assert_eq!(head.matches("authorization").count(), 1);
    assert!(head.contains("\r\nauthorization: bearer 7\r\n"), "{head}");
}

#[test]
fn references_of_rfc_3986() {
    let base: Url = "ws://a/b/c/d;p?q".parse().unwrap();
    let mut count = 0;
    for row in rows(include_str!("data/references.txt")) {
        let [reference, expected] = row[..] else { panic!("{row:?}") };
        count += 1;
        let seen = match base.join(reference) {
            Ok(url) => url.to_string(),
            Err(error) => format!("{error:?}"),
        };
        assert_eq!(seen, expected, "{reference}");
    }
    assert!(count > 40, "{count}");
}

#[test]
fn origins_are_scheme_host_and_port() {
    let url = |text: &str| text.parse::<Url>().unwrap();
    let same = [
        ("ws://a/", "ws://A:80/x?y", true),
        ("ws://u:p@a/", "ws://a/", true),
        ("ws://a/", "wss://a:80/", false),
        ("ws://a/", "ws://a:81/", false),
        ("ws://a/", "ws://b/", false),
        ("ws://[::1]/", "ws://[0::1]:80/", false),
    ];
    for (one, other, expected) in same {
        assert_eq!(url(one).is_same_origin(&url(other)), expected, "{one} {other}");
    }
}

#[test]
#[cfg(feature = "idn")]
fn international_names_become_ascii() {
    for (text, host) in [
        ("wss://m\u{fc}nchen.example/", "xn--mnchen-3ya.example"),
        ("wss://M\u{dc}NCHEN.example:8443/", "xn--mnchen-3ya.example"),
        ("wss://user:pass@\u{4f8b}\u{3048}.jp/", "xn--r8jz45g.jp"),
        ("wss://stra\u{df}e.example/", "xn--strae-oqa.example"),
        ("wss://\u{ff11}\u{ff12}\u{ff17}.0.0.1/", "127.0.0.1"),
        ("wss://a\u{3002}b/", "a.b"),
    ] {
        let url: Url = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(url.host(), host, "{text}");
        assert!(url.host_field().is_ascii() && url.to_string().is_ascii());
    }
    assert_eq!("wss://\u{ff11}.1/".parse::<Url>(), Err(sansocket::UrlError::Ipv4));
    for text in [
        "wss://\u{fc}%41/",
        "wss://\u{5d0}a.example/",
        "wss://\u{ad}/",
        "wss://xn--a-\u{e4}/",
        "wss://[\u{e4}]/",
    ] {
        let error = text.parse::<Url>().unwrap_err();
        assert!(error.to_string().contains("host"), "{text}: {error}");
    }
    assert_eq!(
        "http://m\u{fc}nchen.example".parse::<sansocket::Proxy>().unwrap().host(),
        "xn--mnchen-3ya.example"
    );
}

#[test]
#[cfg(not(feature = "idn"))]
fn international_names_are_refused_with_the_way_out() {
    let error = "wss://m\u{fc}nchen.example/".parse::<Url>().unwrap_err();
    assert!(error.to_string().contains("xn--"), "{error}");
}
