//! Peers that came to the wrong port, or to one that wants something else first: what our side takes them for.

use crate::cases::ours;
use crate::matrix::{Case, Client, Server, Topic};
use crate::raw;

/// Cases of a server that meets other clients, and of a client that meets other servers.
#[must_use]
pub(crate) fn topic() -> Topic {
    let mut cases = at_our_server();
    cases.extend(at_our_client());
    Topic { name: "strangers", cases }
}

fn at_our_server() -> Vec<Case> {
    vec![
        Case {
            name: "TLS",
            tried: "a client that was given wss sends a ClientHello for chat.example.com",
            client: Client::Other("raw TCP", |mut tcp| Ok(raw::hang_up(&mut tcp, CLIENT_HELLO)?)),
            server_sees: "not-http: tls-client",
            client_sees: "hung up after 95 bytes",
            ..ours()
        },
        Case {
            name: "load balancer",
            tried: "the PROXY protocol comes before the request",
            client: Client::Other("raw TCP", |mut tcp| {
                Ok(raw::hang_up(&mut tcp, "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n")?)
            }),
            server_sees: "not-http: proxy-protocol",
            client_sees: "hung up after 42 bytes",
            ..ours()
        },
        Case {
            name: "HTTP/2",
            tried: "a proxy speaks h2c to the server",
            client: Client::Other("raw TCP", |mut tcp| {
                Ok(raw::hang_up(&mut tcp, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")?)
            }),
            server_sees: "not-http: http-2",
            client_sees: "hung up after 24 bytes",
            ..ours()
        },
        Case {
            name: "health check",
            tried: "a plain HTTP request for /healthz",
            client: Client::Other("raw TCP", |mut tcp| {
                Ok(raw::ask(&mut tcp, "GET /healthz HTTP/1.1\r\nHost: 10.0.0.1:8080\r\n\r\n")?)
            }),
            server_sees: "plain-request, status 426",
            client_sees: "HTTP/1.1 426 Upgrade Required",
            ..ours()
        },
    ]
}

fn at_our_client() -> Vec<Case> {
    vec![
        Case {
            name: "no WebSocket here",
            tried: "a web server answers with a page",
            server: Server::Other("raw TCP", |mut tcp| {
                Ok(raw::hang_up(
                    &mut tcp,
                    "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n<title>Hello</title>",
                )?)
            }),
            server_sees: "hung up after 59 bytes",
            client_sees: "not-upgraded, status 200",
            ..ours()
        },
        Case {
            name: "redirected",
            tried: "a server sends its clients to wss",
            server: Server::Other("raw TCP", |mut tcp| {
                Ok(raw::hang_up(
                    &mut tcp,
                    "HTTP/1.1 301 Moved Permanently\r\nLocation: wss://example.com/chat\r\nContent-Length: 0\r\n\r\n",
                )?)
            }),
            server_sees: "hung up after 87 bytes",
            client_sees: "redirected, status 301",
            ..ours()
        },
        Case {
            name: "TLS port",
            tried: "a TLS server answers the plain request with an alert",
            server: Server::Other("raw TCP", |mut tcp| {
                Ok(raw::hang_up(&mut tcp, "\x15\x03\x01\x00\x02\x02\x46")?)
            }),
            server_sees: "hung up after 7 bytes",
            client_sees: "not-http: tls-alert",
            ..ours()
        },
        Case {
            name: "mail server",
            tried: "the port is that of SMTP",
            server: Server::Other("raw TCP", |mut tcp| {
                Ok(raw::hang_up(&mut tcp, "220 mail.example.com ESMTP\r\n")?)
            }),
            server_sees: "hung up after 28 bytes",
            client_sees: "not-http: banner",
            ..ours()
        },
    ]
}

/// A short ClientHello: one cipher suite, and the extensions for the server's name and for ALPN.
const CLIENT_HELLO: &str = "\x16\x03\x01\0\x5a\x01\0\0\x56\x03\x03\
    \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
    \0\0\x02\x13\x01\x01\0\0\x2b\0\0\0\x15\0\x13\0\0\x10chat.example.com\
    \0\x10\0\x0e\0\x0c\x02h2\x08http/1.1";
