//! WebSocket URIs (section 3) and the `Host` value that they lead to.

use proptest::prelude::*;
use sansocket::{Url, UrlError};

fn url(text: &str) -> Url {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn parts_of_a_url() {
    // URL, secure, host, port, Host value, resource name
    let cases = [
        ("ws://example.com", false, "example.com", 80, "example.com", "/"),
        ("wss://example.com", true, "example.com", 443, "example.com", "/"),
        ("ws://example.com:80/", false, "example.com", 80, "example.com", "/"),
        ("wss://example.com:443/", true, "example.com", 443, "example.com", "/"),
        ("ws://example.com:443/", false, "example.com", 443, "example.com:443", "/"),
        ("wss://example.com:80/", true, "example.com", 80, "example.com:80", "/"),
        ("ws://example.com:8080/chat", false, "example.com", 8080, "example.com:8080", "/chat"),
        ("ws://example.com:/chat", false, "example.com", 80, "example.com", "/chat"),
        ("ws://example.com:0081/", false, "example.com", 81, "example.com:81", "/"),
        ("WSS://EXAMPLE.com/Chat?A=B", true, "example.com", 443, "example.com", "/Chat?A=B"),
        ("ws://example.com?x=1", false, "example.com", 80, "example.com", "/?x=1"),
        ("ws://example.com/?", false, "example.com", 80, "example.com", "/"),
        ("ws://example.com/a?b?", false, "example.com", 80, "example.com", "/a?b?"),
        ("ws://example.com//a/../b", false, "example.com", 80, "example.com", "//a/../b"),
        ("ws://example.com/%2F%c3%bc", false, "example.com", 80, "example.com", "/%2F%c3%bc"),
        ("ws://example.com/?u=ws://a:1/@", false, "example.com", 80, "example.com", "/?u=ws://a:1/@"),
        ("ws://127.0.0.1:9001/", false, "127.0.0.1", 9001, "127.0.0.1:9001", "/"),
        ("ws://[::1]/", false, "::1", 80, "[::1]", "/"),
        ("wss://[2001:DB8::1]:8443/x", true, "2001:db8::1", 8443, "[2001:db8::1]:8443", "/x"),
        ("ws://[::ffff:1.2.3.4]:81", false, "::ffff:1.2.3.4", 81, "[::ffff:1.2.3.4]:81", "/"),
        ("ws://my_service.local.", false, "my_service.local.", 80, "my_service.local.", "/"),
        ("ws://xn--mnchen-3ya.de", false, "xn--mnchen-3ya.de", 80, "xn--mnchen-3ya.de", "/"),
        ("ws://1.example", false, "1.example", 80, "1.example", "/"),
    ];
    for (text, secure, host, port, host_field, resource_name) in cases {
        let url = url(text);
        assert_eq!(url.is_secure(), secure, "{text}");
        assert_eq!(url.scheme(), if secure { "wss" } else { "ws" }, "{text}");
        assert_eq!(url.host(), host, "{text}");
        assert_eq!(url.port(), port, "{text}");
        assert_eq!(url.host_field(), host_field, "{text}");
        assert_eq!(url.resource_name(), resource_name, "{text}");
    }
}

#[test]
fn addresses_need_no_resolver() {
    assert_eq!(url("ws://127.0.0.1/").ip(), Some("127.0.0.1".parse().unwrap()));
    assert_eq!(url("ws://[::1]/").ip(), Some("::1".parse().unwrap()));
    assert_eq!(url("ws://localhost/").ip(), None);
}

#[test]
fn what_is_no_websocket_uri_is_refused_precisely() {
    let character = |at, character| UrlError::HostCharacter { at, character };
    let cases = [
        ("", UrlError::NoScheme),
        ("example.com", UrlError::NoScheme),
        ("ws:/example.com", UrlError::NoScheme),
        ("//example.com", UrlError::NoScheme),
        ("http://example.com", UrlError::Scheme),
        ("https://example.com", UrlError::Scheme),
        ("wsx://example.com", UrlError::Scheme),
        ("://example.com", UrlError::Scheme),
        ("ws://", UrlError::EmptyHost),
        ("ws:///chat", UrlError::EmptyHost),
        ("ws://:80/", UrlError::EmptyHost),
        ("ws://?x", UrlError::EmptyHost),
        ("ws://user@/", UrlError::EmptyHost),
        ("ws://user:pass/word@example.com/", UrlError::Port),
        ("ws://user:pa%ss@example.com/", UrlError::PercentEscape { at: 12 }),
        ("ws://%4@example.com/", UrlError::PercentEscape { at: 5 }),
        ("ws://a@b@example.com/", UrlError::UserinfoCharacter { at: 6 }),
        ("ws://us%3Aer:pass@example.com/", UrlError::UserinfoCharacter { at: 7 }),
        ("ws://user:pa%0D%0Ass@example.com/", UrlError::UserinfoCharacter { at: 12 }),
        ("ws://user:%00@example.com/", UrlError::UserinfoCharacter { at: 10 }),
        ("ws://\u{fc}ser@example.com/", UrlError::UserinfoCharacter { at: 5 }),
        ("ws://user@exa%6Dple.com/", character(13, '%')),
        ("ws://exa mple.com/", UrlError::Whitespace { at: 8 }),
        (" ws://example.com/", UrlError::Whitespace { at: 0 }),
        ("ws://example.com/\r\nX: y", UrlError::Whitespace { at: 17 }),
        ("ws://example.com/a\0", UrlError::Whitespace { at: 18 }),
        #[cfg(not(feature = "idn"))]
        ("ws://m\u{fc}nchen.de/", character(6, '\u{fc}')),
        ("ws://exa%6Dple.com/", character(8, '%')),
        ("ws://exa\\mple.com/", character(8, '\\')),
        ("ws://a]b/", character(6, ']')),
        ("ws://::1/", UrlError::EmptyHost),
        ("ws://fe80::1/", UrlError::Port),
        ("ws://[::1/", UrlError::Ipv6),
        ("ws://[]/", UrlError::Ipv6),
        ("ws://[[::1]]/", UrlError::Ipv6),
        ("ws://[::1]]/", UrlError::Port),
        ("ws://[fe80::1%25eth0]/", UrlError::Ipv6),
        ("ws://[127.0.0.1]/", UrlError::Ipv6),
        ("ws://[::1]80/", UrlError::Port),
        ("ws://127.1/", UrlError::Ipv4),
        // Resolvers read hexadecimal numbers too.
        ("ws://0x7f000001/", UrlError::Ipv4),
        ("ws://127.0.0.0X1/", UrlError::Ipv4),
        ("ws://127.0x/", UrlError::Ipv4),
        ("ws://256.0.0.1/", UrlError::Ipv4),
        ("ws://1.2.3.4.5/", UrlError::Ipv4),
        ("ws://2130706433/", UrlError::Ipv4),
        ("ws://example.com:0/", UrlError::Port),
        ("ws://example.com:65536/", UrlError::Port),
        ("ws://example.com:+80/", UrlError::Port),
        ("ws://example.com:80:80/", UrlError::Port),
        ("ws://example.com:http/", UrlError::Port),
        ("ws://example.com/#top", UrlError::Fragment),
        ("ws://example.com#", UrlError::Fragment),
        ("ws://example.com?a#b", UrlError::Fragment),
        ("ws://example.com/%", UrlError::PercentEscape { at: 17 }),
        ("ws://example.com/a%4", UrlError::PercentEscape { at: 18 }),
        ("ws://example.com/?%4x", UrlError::PercentEscape { at: 18 }),
        ("ws://example.com/caf\u{e9}", UrlError::Character { at: 20 }),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<Url>(), Err(expected), "{text:?}");
    }
}

#[test]
fn offsets_of_errors_count_from_the_start_of_the_text() {
    // What is wrong stands once in each text.
    let cases = [
        ("wss://example.com/a b", ' '),
        ("ws://[::1]:8080/a%zz", '%'),
        ("ws://example.com?x=\u{e9}", '\u{e9}'),
        #[cfg(not(feature = "idn"))]
        ("wss://ex\u{e9}mple.com:80/", '\u{e9}'),
        ("ws://a%20b/", '%'),
        ("ws://a\\b:80/", '\\'),
        ("ws://user:pass@a\\b:80/", '\\'),
        ("ws://user:p\u{e4}ss@a:80/", '\u{e4}'),
        ("ws://user:p%ss@a:80/", '%'),
    ];
    for (text, wrong) in cases {
        let error = text.parse::<Url>().unwrap_err();
        let (UrlError::Whitespace { at }
        | UrlError::HostCharacter { at, .. }
        | UrlError::UserinfoCharacter { at }
        | UrlError::PercentEscape { at }
        | UrlError::Character { at }) = error
        else {
            panic!("{text:?}: {error}")
        };
        assert!(text[at..].starts_with(wrong), "{text:?}: {error}");
        assert!(error.to_string().contains(&format!("at byte {at}")), "{error}");
    }
}

#[test]
fn display_is_the_shortest_form() {
    assert_eq!(url("WS://Example.com:80").to_string(), "ws://example.com/");
    assert_eq!(url("wss://[::1]:0444/x?y").to_string(), "wss://[::1]:444/x?y");
}

proptest! {
    #[test]
    fn no_text_panics_and_what_is_accepted_survives_display(
        text in "(ws|wss|WS|http|)(://|:|)(\\[::1\\]|a|1\\.2\\.3\\.4|[a-z.:@%\\[\\]]{0,6})(:[0-9]{0,6})?[!-~\u{e9}]{0,12}",
    ) {
        if let Ok(url) = text.parse::<Url>() {
            let again: Url = url.to_string().parse().expect("its own form");
            prop_assert_eq!(&again, &url.clone().without_credentials());
            prop_assert!(url.resource_name().starts_with('/'));
            prop_assert!(url.resource_name().bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'));
        }
    }

    #[test]
    fn no_text_at_all_panics(text in any::<String>()) {
        let _ = text.parse::<Url>();
        let _ = format!("ws://{text}").parse::<Url>();
    }
}
