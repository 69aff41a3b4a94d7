//! What proxies answer: a client's exchange with one, up to where the bytes are the server's.
//!
//! `http` and `socks` are the obvious slow readers of the two protocols, `run` gives bytes to the library in pieces.

mod http;
mod run;
mod socks;

use sansocket::{Limits, Proxy, ProxyFault, Url};

use self::run::{Ended, Outcome, run};

/// The first byte chooses the proxy: `h` HTTP, `l` HTTP with small limits, `w` HTTP of which the bytes that follow choose words,
/// `s` SOCKS5; in capitals with credentials. The second chooses the server: by name, by an address of either kind, or by a name
/// that SOCKS5 has no place for. The rest is what the proxy sends.
///
/// - The result is that of the obvious slow reader; so is what is sent, and what is left for the connection.
/// - Whole, byte by byte and in pieces, it is the same.
/// - If the stream ends, fails, or the time is over, what the proxy has said so far decides, and else just that.
/// - The deadline leads to an end, and not a moment before.
/// - An answer that refuses has as much of its body as the limit allows, without what frames it.
/// - What is held is bounded by the limits. After the result every call repeats it.
/// - Credentials are in what is sent, and nowhere else. An error is one line.
pub fn proxy(input: &[u8]) {
    let [letter, server, stream @ ..] = input else { return };
    let with_credentials = letter.is_ascii_uppercase();
    let made;
    let (stream, is_http) = match letter.to_ascii_lowercase() {
        b'h' | b'l' => (stream, true),
        b'w' => {
            made = http::from_words(stream);
            (&made[..], true)
        }
        b's' => (stream, false),
        _ => return,
    };
    let mut limits = Limits::default();
    if letter.eq_ignore_ascii_case(&b'l') {
        (limits.head_bytes, limits.head_fields, limits.error_body) = (200, 3, 16);
    }
    let scheme = if is_http { "http" } else { "socks5" };
    let user = if with_credentials { "SECRET:pass%40word@" } else { "" };
    let proxy: Proxy = format!("{scheme}://{user}proxy.example:1").parse().expect("a proxy");
    let server = server_of(*server);
    if !is_http && server.host().len() > 255 {
        let refused = run::start(&proxy, &server, &limits).expect_err("there is no place for the name");
        return assert_eq!(refused.fault(), &ProxyFault::HostTooLong { len: server.host().len() });
    }
    let setup = run::Setup { proxy: &proxy, server: &server, limits: &limits };
    let sum = stream.iter().map(|byte| usize::from(*byte)).sum::<usize>();
    let bytewise: Vec<&[u8]> = stream.chunks(1 + stream.len() / 1_000).collect();
    let two = stream.split_at(sum % (stream.len() + 1));
    let equal: Vec<&[u8]> = stream.chunks(sum % 61 + 2).collect();
    for end in [Ended::Eof, Ended::Reset, Ended::Timeout] {
        let whole = run(setup, &[stream], end);
        for pieces in [&bytewise[..], &[two.0, two.1], &equal] {
            assert_eq!(run(setup, pieces, end), whole, "left: in pieces, right: whole");
        }
        match is_http {
            true => http::check(setup, with_credentials, stream, end, &whole),
            false => socks::check(setup, with_credentials, stream, end, &whole),
        }
    }
}

/// The server to which the proxy shall connect.
fn server_of(choice: u8) -> Url {
    let long = format!("wss://{}.example/", "a".repeat(250));
    let url = match choice % 4 {
        0 => "wss://Example.com/chat?room=7",
        1 => "ws://127.0.0.1:8080/",
        2 => "wss://[2001:db8::1]/",
        _ => &long,
    };
    url.parse().expect("a URL")
}

/// What must have come of it if the proxy has not said anything that decides.
fn check_undecided(outcome: &Outcome, end: Ended) {
    let Outcome::Failed { fault, at_end: true, .. } = outcome else {
        panic!("nothing was decided: {outcome:?}")
    };
    assert_eq!(fault, &end.fault());
}
