//! What users give as the address of a server or a proxy, and what a server gives as the target of a redirect.
//!
//! `standard` compares with the URL Standard of browsers, `differences` knows where that decides otherwise, and `sent` follows
//! an address into the request.

mod differences;
mod sent;
mod standard;

use sansocket::{ClientRequest, Proxy, Url};

use crate::memory;

/// The first byte chooses what the text behind it is: in capitals, the text is made of words.
///
/// | letter | text |
/// |---|---|
/// | `u` | a URL |
/// | `j` | a URL, a line end, and a reference found there |
/// | `p` | a proxy |
/// | `h` | a host, for the field of that name |
///
/// - Nothing panics, memory is linear, and an error's offset is where the fault is.
/// - What is taken for a URL is the same address to the URL Standard, and the other way round, but for known differences.
/// - So is where a reference leads to.
/// - What is displayed is taken for the same address again.
/// - Credentials are shown nowhere, a query not by `Debug`, and both reach the server as they were meant.
/// - The request is one to a server: what it asks for is what was given.
pub fn url(input: &[u8]) {
    let Some((&letter, text)) = input.split_first() else { return };
    let made = letter.is_ascii_uppercase().then(|| from_words(text));
    let Some(text) = made.as_deref().or_else(|| std::str::from_utf8(text).ok()) else { return };
    match letter.to_ascii_lowercase() {
        b'u' => address(text),
        b'j' => {
            let (base, reference) = text.split_once('\n').unwrap_or((text, ""));
            if let Ok(base) = base.parse() {
                standard::compare_reference(&base, reference);
            }
        }
        b'p' => proxy(text),
        b'h' => sent::with_host(text),
        _ => {}
    }
}

fn address(text: &str) {
    let (parsed, held) = memory::peak(|| text.parse::<Url>());
    assert!(held <= 8 * text.len() + 256, "{held} bytes held for {}", text.len());
    standard::compare(text, &parsed);
    let Ok(url) = parsed else { return };
    check_parts(&url);
    let shown = url.to_string();
    let again: Url = shown.parse().expect("what is displayed is an address");
    assert_eq!(again, url.clone().without_credentials(), "{shown}");
    assert_eq!(again.to_string(), shown);
    let hint = format!("{url:?}");
    assert_eq!(hint.contains("?..."), url.resource_name().contains('?'), "{hint} of {shown}");
    // With other credentials it is the same, and they are nowhere to be seen.
    let secret = shown.replacen("://", "://SECRET-7:SECRET%2D8@", 1);
    let secret: Url = secret.parse().expect("credentials can be added");
    assert!(secret.has_credentials() && secret.is_same_origin(&url));
    assert_eq!((secret.to_string(), format!("{secret:?}")), (shown, hint));
    let request = ClientRequest::to(secret.clone());
    let hints = shown_count(&format!("{request:?}"));
    assert_eq!(hints, shown_count(&format!("{:?}", ClientRequest::to(again))), "credentials are shown");
    assert_eq!(secret.without_credentials(), url.clone().without_credentials());
    sent::check(&url);
}

fn shown_count(text: &str) -> usize {
    text.matches("SECRET").count()
}

/// What an address is made of, whatever it was made from.
fn check_parts(url: &Url) {
    let (host, resource) = (url.host(), url.resource_name());
    assert!(
        !host.is_empty() && host.is_ascii() && !host.bytes().any(|byte| byte.is_ascii_uppercase()),
        "{host}"
    );
    assert!(!host.contains(['[', ']', '/', '?', '#', '@', '%', '\\', ' ']), "{host}");
    assert_eq!(url.ip(), host.parse().ok());
    assert_ne!(url.port(), 0);
    assert!(
        resource.starts_with('/') && resource.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
    );
}

fn proxy(text: &str) {
    let (parsed, held) = memory::peak(|| text.parse::<Proxy>());
    assert!(held <= 8 * text.len() + 256, "{held} bytes held for {}", text.len());
    let Ok(proxy) = parsed else { return };
    let shown = proxy.to_string();
    let again: Proxy = shown.parse().expect("what is displayed is a proxy");
    assert_eq!(
        (again.kind(), again.host(), again.ip(), again.port()),
        (proxy.kind(), proxy.host(), proxy.ip(), proxy.port())
    );
    assert!(!again.has_credentials());
    let secret = again.clone().credentials("SECRET-7", "SECRET@8").expect("they are short");
    assert_eq!(secret.to_string(), shown);
    assert_eq!(
        shown_count(&format!("{secret:?}")),
        shown_count(&format!("{again:?}")),
        "credentials are shown"
    );
    let coded = shown.replacen("://", "://SECRET-7:SECRET%408@", 1);
    assert_eq!(coded.parse(), Ok(secret));
    // A host is a host.
    let (_, authority) = shown.split_once("://").expect("a scheme is displayed");
    let url: Url = format!("ws://{authority}").parse().expect("it can be a server's too");
    assert_eq!((url.host(), url.ip(), url.port()), (proxy.host(), proxy.ip(), proxy.port()));
}

fn from_words(script: &[u8]) -> String {
    script.iter().map(|byte| WORDS[usize::from(*byte) % WORDS.len()]).collect()
}

const WORDS: [&str; 64] = [
    "ws://",
    "wss://",
    "WSS://",
    "http://",
    "https://",
    "socks5://",
    "socks5h://",
    "//",
    "/",
    "?",
    "#",
    "@",
    ":",
    "[",
    "]",
    ".",
    "..",
    "./",
    "../",
    "%",
    "%2e",
    "%2F",
    "%zz",
    "%00",
    "%40",
    "\\",
    " ",
    "\n",
    "\t",
    "example.com",
    "EXAMPLE.com",
    "localhost",
    "xn--mnchen-3ya",
    "xn--a",
    "m\u{fc}nchen",
    "1.2.3.4",
    "127.1",
    "0x7f",
    "0x",
    "2130706433",
    "256",
    "::1",
    "2001:DB8::1",
    "::ffff:1.2.3.4",
    "fe80::1%25eth0",
    "80",
    "443",
    "0",
    "8080",
    "65536",
    "user",
    "pass",
    "a",
    "b",
    "chat",
    "room=7",
    "&",
    "=",
    "|",
    "\"",
    "<",
    "{",
    "'",
    "~",
];
