//! What can be done about a client that does not get to its server, in one sentence for each cause.

use crate::dial::cause::DialCause;
use crate::dial::fault::{ConnectFault, ResolveFault, TlsFault};
use crate::dial::proxy::{ProxyFault, SocksReply};
use crate::dial::redirect::RedirectFault;
use crate::handshake::HandshakeErrorKind;

/// What a person can do about it. `proxied` says whether there is a proxy between this end and the server.
pub(crate) fn advice(cause: &DialCause, proxied: bool) -> &'static str {
    match cause {
        cause if proxied => behind_proxy(cause).unwrap_or_else(|| advice(cause, false)),
        DialCause::Resolve(error) => to_resolver(error.fault()),
        DialCause::NoAddress => {
            "Allow the other family of addresses, or give the host an address of this one."
        }
        DialCause::Connect(error) => to_tcp(error.fault()),
        DialCause::Proxy(error) => to_proxy(error.fault()),
        DialCause::Tls(error) => to_tls(error.fault()),
        DialCause::Handshake(error) => error.advice(),
        DialCause::Redirect(error) => to_redirect(error.fault()),
        DialCause::ResolveTimedOut { .. } => "Look whether this machine reaches its name servers.",
        DialCause::ConnectTimedOut { .. } => to_tcp(ConnectFault::TimedOut),
        DialCause::TlsTimedOut { .. } => {
            "Something answers TCP there and then nothing more: look at the server and at what is in between."
        }
        DialCause::OverallTimedOut { .. } => {
            "Look at the times of the attempts; raise that limit if each of them is reasonable."
        }
    }
}

/// What is another advice where there is a proxy: before it, it is the proxy that is not reached; behind it, it may have done it.
fn behind_proxy(cause: &DialCause) -> Option<&'static str> {
    Some(match cause {
        DialCause::Resolve(error) if error.fault() == ResolveFault::NotFound => {
            "Look at the spelling of the proxy's host, and whether its DNS entry exists; the proxy itself resolves the server's."
        }
        DialCause::Connect(error) if error.fault() == ConnectFault::Refused => {
            "Look whether the proxy runs and listens on this address and port; the server was not asked for yet."
        }
        DialCause::Connect(error) if error.fault() == ConnectFault::Reset => {
            "Look at the proxy, or at the firewall in front of it; the server was not asked for yet."
        }
        DialCause::Connect(error) if error.fault() == ConnectFault::TimedOut => PROXY_SILENT,
        DialCause::ConnectTimedOut { .. } => PROXY_SILENT,
        DialCause::Tls(error) if error.fault() == TlsFault::UntrustedIssuer => {
            "If the proxy looks into TLS, it is the proxy's authority that signed the certificate: add that to those that are trusted, or let the proxy pass this host through. Otherwise look at the server's certificate."
        }
        DialCause::Tls(error)
            if matches!(error.fault(), TlsFault::Closed | TlsFault::TransportFailed | TlsFault::NotTls) =>
        {
            BEHIND_PROXY
        }
        DialCause::TlsTimedOut { .. } => BEHIND_PROXY,
        DialCause::Handshake(error) => match error.kind() {
            HandshakeErrorKind::ClosedBeforeFirstByte
            | HandshakeErrorKind::ClosedInsideHead
            | HandshakeErrorKind::TransportFailed(_)
            | HandshakeErrorKind::TimedOut { .. } => BEHIND_PROXY,
            HandshakeErrorKind::NotUpgraded { .. } | HandshakeErrorKind::MissingUpgrade => {
                "The proxy, or an HTTP server behind it, does not pass WebSockets on: look at its rules, or use wss, into which it cannot look."
            }
            _ => return None,
        },
        _ => return None,
    })
}

/// The proxy's address does not answer.
const PROXY_SILENT: &str = "Most likely a firewall drops what is sent to the proxy, or its machine is down; the server was not asked for yet.";

/// The proxy says that it has connected, and then it goes wrong.
const BEHIND_PROXY: &str = "The proxy said that it had connected: look at its log and its rules for this host and port, and then at the server's log.";

fn to_resolver(fault: ResolveFault) -> &'static str {
    match fault {
        ResolveFault::NotFound => "Look at the spelling of the host, and whether its DNS entry exists.",
        ResolveFault::Temporary => "Look at the network of this machine and its name servers, and try again.",
        ResolveFault::Other => "Look at what the resolver says, and at the settings of this machine.",
    }
}

fn to_tcp(fault: ConnectFault) -> &'static str {
    match fault {
        ConnectFault::Refused => {
            "Look whether the server runs and listens on this address and port; the machine is there."
        }
        ConnectFault::Unreachable => "Look at the network of this machine: it has no route to there.",
        ConnectFault::Reset => "Look at the load balancer or the firewall in front of the server.",
        ConnectFault::TimedOut => {
            "Most likely a firewall drops what is sent there, or the machine is down; try the port from another network."
        }
        ConnectFault::NotPermitted => {
            "Look at the firewall or sandbox of this machine, which forbids the connection."
        }
        ConnectFault::AddressNotAvailable => {
            "Too many connections may have used up the ports of this machine; or it has no address of this family."
        }
        ConnectFault::Other => "Look at what the operating system says.",
    }
}

fn to_tls(fault: TlsFault) -> &'static str {
    match fault {
        TlsFault::UntrustedIssuer => {
            "Add the authority that signed the certificate to those that are trusted; if the server leaves intermediate certificates out, let it send them."
        }
        TlsFault::Expired => {
            "Renew the server's certificate; if it is still valid, look at this machine's clock."
        }
        TlsFault::NotYetValid => "Look at the clock of this machine.",
        TlsFault::WrongName => {
            "Use a name that the certificate has, or give the server one for this name; an address needs a certificate with that address."
        }
        TlsFault::Revoked => "Do not trust this server until it has another certificate.",
        TlsFault::BadCertificate => "Look at the server's certificate and at what the TLS library says.",
        TlsFault::ClientCertificate => {
            "Give this client a certificate that the server accepts, with its key."
        }
        TlsFault::NotTls => "Look at the port: something else listens there, such as the server for ws.",
        TlsFault::Version => "Update the server: it speaks old versions of TLS only.",
        TlsFault::Refused => {
            "Look at the server's log; it may not know this name (SNI), or want other algorithms."
        }
        TlsFault::Closed => "Look at the server's log, and whether this port speaks TLS at all.",
        TlsFault::TransportFailed => "Look at the load balancer or the firewall in front of the server.",
        TlsFault::Unavailable => "Turn TLS on in this client, or make the TLS stream yourself.",
        TlsFault::Other => "Look at what the TLS library says, and at the server's log.",
    }
}

fn to_proxy(fault: &ProxyFault) -> &'static str {
    match fault {
        ProxyFault::Closed | ProxyFault::TransportFailed(_) => {
            "Look at the proxy's log, and whether its address and port are right."
        }
        ProxyFault::TimedOut { .. } => "Look whether the proxy itself reaches the server, and at its log.",
        ProxyFault::NotHttp { .. } => "Look at the proxy's address; if it is a SOCKS5 proxy, use socks5://.",
        ProxyFault::NotSocks5 { version: b'H' } => "This is an HTTP proxy: use http:// for it.",
        ProxyFault::NotSocks5 { .. } => "Look at the proxy's address; if it is an HTTP proxy, use http://.",
        ProxyFault::MalformedHead { .. } | ProxyFault::HeadTooLarge { .. } => {
            "Look at what listens there: its answer is none of a usual proxy."
        }
        ProxyFault::AuthenticationRequired { .. }
        | ProxyFault::NoMethod { .. }
        | ProxyFault::CredentialsRefused => {
            "Give the proxy user name and password: by Proxy::credentials, or before its host as in user:password@host:port, percent-encoded."
        }
        ProxyFault::Refused { status: 403 } | ProxyFault::Reply(SocksReply::NOT_ALLOWED) => {
            "Ask who runs the proxy to allow this host and port; many allow port 443 only."
        }
        ProxyFault::Refused { status: 502..=504 } | ProxyFault::Reply(_) => {
            "Look whether the server runs, and whether the proxy may and can reach it."
        }
        ProxyFault::Refused { .. } => "Look whether this is a proxy that allows CONNECT, and at its log.",
        ProxyFault::UnofferedMethod { .. } | ProxyFault::AddressType { .. } => {
            "The proxy does not follow RFC 1928; look at what listens there."
        }
        ProxyFault::HostTooLong { .. } => "Use a shorter name: DNS has none of this length either.",
    }
}

fn to_redirect(fault: RedirectFault) -> &'static str {
    match fault {
        RedirectFault::Limit { .. } | RedirectFault::Loop => {
            "Look at the server's redirects; a login that is missing is the usual cause."
        }
        RedirectFault::Downgrade => {
            "Let the server redirect to wss or https; behind a proxy that ends TLS it may not know that it should."
        }
        RedirectFault::Target(_) => "Look at the server's redirect: a WebSocket cannot follow it.",
    }
}
