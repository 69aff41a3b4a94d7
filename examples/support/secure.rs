//! TLS: with an authority of its own, with certificates that are not acceptable, and everything that comes to the wrong port.

use std::sync::LazyLock;

use rcgen::date_time_ymd;
use sansocket_driver::Tls;

use crate::cases::{client, ours, server};
use crate::certificates::{Authority, Identity};
use crate::matrix::{Case, Client, Server, Topic};
use crate::raw;
use crate::sides::{OurClient, OurServer};

/// Cases of `wss`.
#[must_use]
pub(crate) fn topic() -> Topic {
    let mut cases = certificates();
    cases.extend(wrong_ports());
    Topic { name: "TLS", cases }
}

fn certificates() -> Vec<Case> {
    let refused = |name, tried, identity| Case {
        name,
        tried,
        server: Server::Ours(Box::new(secure_server(identity))),
        client: Client::Ours(Box::new(secure_client())),
        server_sees: "tls-certificate-refused",
        ..ours()
    };
    vec![
        Case {
            name: "wss",
            tried: "the client trusts the authority of the server's certificate, and no other",
            server_sees: "TLS 1.3, ALPN http/1.1; 3 in, 3 out; Close 1000 (normal) from the client",
            client_sees: "TLS 1.3, ALPN http/1.1; 3 in, 3 out; Close 1000 (normal) from the client",
            ..secure()
        },
        Case {
            client_sees: "tls-untrusted-issuer",
            ..refused("untrusted issuer", "another authority signed the certificate", &CERTIFICATES.untrusted)
        },
        Case {
            client_sees: "tls-wrong-name",
            ..refused("wrong name", "the certificate is for other.example", &CERTIFICATES.wrong_name)
        },
        Case {
            client_sees: "tls-expired",
            ..refused("expired", "the certificate was good until 2002", &CERTIFICATES.expired)
        },
    ]
}

fn wrong_ports() -> Vec<Case> {
    vec![
        Case {
            name: "HTTP to the port of wss",
            tried: "a browser, or a health check, without TLS",
            client: Client::Other("raw TCP", |mut tcp| {
                Ok(raw::ask(&mut tcp, "GET / HTTP/1.1\r\nHost: 10.0.0.1:8443\r\n\r\n")?)
            }),
            server_sees: "tls-not-tls: http-client",
            client_sees: "HTTP/1.1 400 Bad Request",
            ..secure()
        },
        Case {
            name: "ws to the port of wss",
            tried: "the client's URL begins with ws",
            client: Client::Ours(Box::new(client())),
            server_sees: "tls-not-tls: websocket-client",
            client_sees: "unexpected-status, status 400",
            ..secure()
        },
        Case {
            name: "wss to the port of ws",
            tried: "the client's URL begins with wss, and the server has no TLS",
            server: Server::Ours(Box::new(server())),
            server_sees: "not-http: tls-client",
            client_sees: "tls-not-tls",
            ..secure()
        },
        Case {
            name: "wss to a web server",
            tried: "the same with a server that answers in plain HTTP",
            server: Server::Other("raw TCP", |mut tcp| {
                Ok(raw::hang_up(&mut tcp, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")?)
            }),
            server_sees: "hung up after 47 bytes",
            client_sees: "tls-not-tls",
            ..secure()
        },
    ]
}

/// A server and a client whose TLS fits; to be completed.
pub(crate) fn secure() -> Case {
    Case {
        server: Server::Ours(Box::new(secure_server(&CERTIFICATES.good))),
        client: Client::Ours(Box::new(secure_client())),
        ..ours()
    }
}

pub(crate) fn secure_server(identity: &'static Identity) -> OurServer {
    OurServer { identity: Some(identity), ..server() }
}

pub(crate) fn secure_client() -> OurClient {
    OurClient { scheme: "wss", tls: Some(CERTIFICATES.trust.clone()), ..client() }
}

/// Certificates for [`NAME`], but for what is wrong with them.
pub(crate) struct Certificates {
    /// Trusts the authority of all but `untrusted`.
    pub(crate) trust: Tls,
    pub(crate) good: Identity,
    untrusted: Identity,
    wrong_name: Identity,
    expired: Identity,
}

/// Made anew by each run of the program.
pub(crate) static CERTIFICATES: LazyLock<Certificates> = LazyLock::new(|| {
    let authority = Authority::new();
    let past = |params: &mut rcgen::CertificateParams| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    };
    let trust =
        Tls::builder().only_authorities(&authority.pem()).and_then(|tls| tls.server_name(NAME).build());
    Certificates {
        trust: trust.expect("the authority has made its own certificate"),
        good: authority.issue(&[NAME]),
        untrusted: Authority::new().issue(&[NAME]),
        wrong_name: authority.issue(&["other.example"]),
        expired: authority.issue_with(&[NAME], past),
    }
});

/// The name that the client asks for and wants a certificate for. It need not be found: the URL has an address.
const NAME: &str = "server.example";
