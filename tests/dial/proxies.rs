//! Texts that name a proxy, and environment variables that have them.

use std::collections::HashMap;

use sansocket::{InvalidProxy, Proxies, Proxy};

use crate::support::rows;

#[test]
fn proxies_of_the_table() {
    for row in rows(include_str!("data/proxies.txt")) {
        let [text, expected] = row[..] else { panic!("{row:?}") };
        let seen = match text.parse::<Proxy>() {
            Ok(proxy) => {
                assert_eq!(proxy.to_string().parse::<Proxy>().unwrap().to_string(), proxy.to_string());
                proxy.to_string()
            }
            Err(error) => format!("{error:?}"),
        };
        assert_eq!(seen, expected, "{text}");
    }
}

#[test]
fn a_port_out_of_its_range_is_found_behind_credentials() {
    for bad in ["http://u:p@proxy.example:65536", "u:p@proxy.example:-1", "proxy.example:+1"] {
        assert!(bad.parse::<Proxy>().is_err(), "{bad}");
    }
}

#[test]
fn credentials_for_socks_have_up_to_255_bytes() {
    for (len, fits) in [(254, true), (255, true), (256, false)] {
        let long = "x".repeat(len);
        for text in [format!("socks5://{long}@p"), format!("socks5://a:{long}@p")] {
            let expected = if fits { None } else { Some(InvalidProxy::CredentialsTooLong) };
            assert_eq!(text.parse::<Proxy>().err(), expected, "{len}");
            assert!(text.replace("socks5", "http").parse::<Proxy>().is_ok());
        }
        // Three characters for one byte.
        assert_eq!(format!("socks5://{}@p", "%C3".repeat(len)).parse::<Proxy>().is_ok(), fits);
    }
}

/// Environment variables and their values.
type Variables<'a> = &'a [(&'a str, &'a str)];

/// The proxies for `ws` and `wss` that an environment gives.
fn chosen(variables: Variables<'_>) -> [Option<String>; 2] {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    let proxies = Proxies::from_env(|name| variables.get(name).map(ToString::to_string)).unwrap();
    ["ws://example.com/", "wss://example.com/"]
        .map(|url| proxies.for_url(&url.parse().unwrap()).map(|proxy| proxy.host().to_owned()))
}

#[test]
fn the_environment_is_read_in_the_documented_order() {
    let none = || None;
    let some = |host: &str| Some(host.to_owned());
    let cases: &[(Variables<'_>, [Option<String>; 2])] = &[
        (&[], [none(), none()]),
        (&[("HTTP_PROXY", "a")], [some("a"), none()]),
        (&[("HTTPS_PROXY", "a")], [some("a"), some("a")]),
        (&[("ALL_PROXY", "a")], [some("a"), some("a")]),
        (&[("HTTP_PROXY", "a"), ("HTTPS_PROXY", "b")], [some("b"), some("b")]),
        (&[("HTTP_PROXY", "a"), ("ALL_PROXY", "b")], [some("a"), some("b")]),
        (&[("HTTPS_PROXY", "a"), ("ALL_PROXY", "b")], [some("a"), some("a")]),
        (&[("http_proxy", "a"), ("HTTP_PROXY", "b")], [some("a"), none()]),
        (&[("https_proxy", "a"), ("HTTPS_PROXY", "b")], [some("a"), some("a")]),
        (&[("all_proxy", "a"), ("ALL_PROXY", "b")], [some("a"), some("a")]),
        (&[("https_proxy", ""), ("HTTPS_PROXY", "b")], [some("b"), some("b")]),
        (&[("HTTPS_PROXY", ""), ("ALL_PROXY", "")], [none(), none()]),
        (&[("HTTP_PROXY", "a"), ("REQUEST_METHOD", "GET")], [none(), none()]),
        (&[("http_proxy", "a"), ("REQUEST_METHOD", "GET")], [some("a"), none()]),
        (&[("HTTPS_PROXY", "a"), ("no_proxy", "example.com")], [none(), none()]),
        (&[("HTTPS_PROXY", "a"), ("NO_PROXY", "example.com:443")], [some("a"), none()]),
        (&[("HTTPS_PROXY", "a"), ("no_proxy", "b"), ("NO_PROXY", "example.com")], [some("a"), some("a")]),
        (&[("PROXY", "a"), ("Https_Proxy", "b")], [none(), none()]),
    ];
    for (variables, expected) in cases {
        assert_eq!(&chosen(variables), expected, "{variables:?}");
    }
}

#[test]
fn a_value_that_is_no_proxy_is_named_and_not_shown() {
    for name in ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        let value = "https://user:secret@proxy.example";
        let error = Proxies::from_env(|asked| (asked == name).then(|| value.to_owned())).unwrap_err();
        assert_eq!((error.name, error.error), (name, InvalidProxy::Https));
        assert!(error.to_string().contains(name) && !error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn credentials_apart_from_the_url_are_taken_as_they_are() {
    let proxy = |scheme: &str| format!("{scheme}://old:older@proxy.example").parse::<Proxy>().unwrap();
    let given = proxy("http").credentials("m%65", "p@ss:w\u{f6}rd/").unwrap();
    assert_eq!(given, "http://m%2565:p%40ss%3Aw%C3%B6rd%2F@proxy.example".parse().unwrap());
    assert!(!format!("{given:?} {given}").contains("p@ss"), "{given:?}");
    for (user, password) in [("a:b", ""), ("a\r\nX", "b"), ("a", "b\0")] {
        for scheme in ["http", "socks5"] {
            let refused = proxy(scheme).credentials(user, password);
            assert_eq!(refused, Err(InvalidProxy::Credentials), "{user:?}");
        }
    }
    let long = "x".repeat(256);
    assert!(proxy("http").credentials("", &long).is_ok());
    assert_eq!(proxy("socks5").credentials("", "x"), Err(InvalidProxy::NoUser));
    assert_eq!(proxy("socks5").credentials("x", &long), Err(InvalidProxy::CredentialsTooLong));
    assert!(proxy("socks5").credentials(&long[1..], &long[1..]).is_ok());
}
