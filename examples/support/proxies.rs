//! Proxies between client and server: HTTP CONNECT and SOCKS5, open, guarded, refusing, silent.

use std::net::SocketAddr;

use crate::cases::{SHORT, client, ours};
use crate::matrix::{Case, Client, Server, Topic};
use crate::proxy::{self, Manner, Proxy};
use crate::secure::{CERTIFICATES, secure_client, secure_server};
use crate::sides::{Front, OurClient};

/// Cases with a proxy of each kind. All ask for a name that only the proxy can resolve.
#[must_use]
pub(crate) fn topic() -> Topic {
    let mut cases = http();
    cases.extend(socks());
    Topic { name: "proxies", cases }
}

fn http() -> Vec<Case> {
    vec![
        Case {
            name: "HTTP proxy",
            tried: "the way goes by HTTP CONNECT",
            ..through("http://", |server| proxy::http(Manner::Open, server))
        },
        Case {
            name: "HTTP proxy, wss",
            tried: "TLS inside of HTTP CONNECT",
            server: Server::Ours(Box::new(secure_server(&CERTIFICATES.good))),
            client: Client::Ours(Box::new(OurClient {
                host: Some("server.example"),
                proxy: Some(Front { url: "http://", start: |server| proxy::http(Manner::Open, server) }),
                ..secure_client()
            })),
            server_sees: "TLS 1.3, ALPN http/1.1; 3 in, 3 out; Close 1000 (normal) from the client",
            client_sees: "the proxy was asked for server.example:443; TLS 1.3, ALPN http/1.1; 3 in, 3 out; Close 1000 (normal) from the client",
            ..ours()
        },
        Case {
            name: "HTTP proxy with a password",
            tried: "the proxy wants a user, who is in its URL",
            ..through("http://user:p%40ss@", |server| proxy::http(Manner::Guarded, server))
        },
        Case {
            name: "HTTP proxy, no password",
            tried: "the proxy wants a user, and its URL has none",
            server_sees: "nobody came",
            client_sees: "the proxy was asked for server.example:80; proxy-auth",
            ..through("http://", |server| proxy::http(Manner::Guarded, server))
        },
        Case {
            name: "HTTP proxy refuses",
            tried: "the proxy answers 403",
            server_sees: "nobody came",
            client_sees: "the proxy was asked for server.example:80; proxy-refused",
            ..through("http://", |server| proxy::http(Manner::Refusing, server))
        },
        Case {
            name: "HTTP proxy is silent",
            tried: "the proxy says nothing until the time limit of the client, 300 ms",
            server_sees: "nobody came",
            client_sees: "the proxy was asked for server.example:80; proxy-timeout",
            ..impatient(through("http://", |server| proxy::http(Manner::Silent, server)))
        },
    ]
}

fn socks() -> Vec<Case> {
    vec![
        Case {
            name: "SOCKS5 proxy",
            tried: "the way goes by SOCKS5, which resolves the name",
            ..through("socks5://", |server| proxy::socks(Manner::Open, server))
        },
        Case {
            name: "SOCKS5 proxy with a password",
            tried: "the proxy wants a user (RFC 1929), who is in its URL",
            ..through("socks5://user:p%40ss@", |server| proxy::socks(Manner::Guarded, server))
        },
        Case {
            name: "SOCKS5 proxy, wrong password",
            tried: "the proxy knows the user by another password",
            server_sees: "nobody came",
            client_sees: "proxy-auth",
            ..through("socks5://user:wrong@", |server| proxy::socks(Manner::Guarded, server))
        },
        Case {
            name: "SOCKS5 proxy refuses",
            tried: "the rules of the proxy do not allow it",
            server_sees: "nobody came",
            client_sees: "the proxy was asked for server.example:80; proxy-refused",
            ..through("socks5://", |server| proxy::socks(Manner::Refusing, server))
        },
        Case {
            name: "SOCKS5 proxy is silent",
            tried: "the proxy says nothing until the time limit of the client, 300 ms",
            server_sees: "nobody came",
            client_sees: "proxy-timeout",
            ..impatient(through("socks5://", |server| proxy::socks(Manner::Silent, server)))
        },
        Case {
            name: "proxy closes",
            tried: "the proxy closes TCP instead of an answer",
            server_sees: "nobody came",
            client_sees: "proxy-closed",
            ..through("socks5://", |server| proxy::socks(Manner::Closing, server))
        },
    ]
}

/// The way to our server by a proxy with this URL; to be completed.
fn through(url: &'static str, start: fn(SocketAddr) -> Proxy) -> Case {
    Case {
        client: Client::Ours(Box::new(OurClient {
            host: Some("server.example"),
            proxy: Some(Front { url, start }),
            ..client()
        })),
        server_sees: "3 in, 3 out; Close 1000 (normal) from the client",
        client_sees: "the proxy was asked for server.example:80; 3 in, 3 out; Close 1000 (normal) from the client",
        ..ours()
    }
}

/// The same with a client that soon has enough of its proxy.
fn impatient(mut case: Case) -> Case {
    if let Client::Ours(client) = &mut case.client {
        client.dial.timeouts.proxy = Some(SHORT);
    }
    Case { at_once: true, ..case }
}
