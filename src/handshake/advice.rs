//! What can be done about a failed handshake, and what would have been right in place of what came.

use crate::handshake::kind::HandshakeErrorKind as Kind;
use crate::handshake::peer::Peer;
use crate::role::Role;

/// What can be done about it, in one sentence. `role` is that of this endpoint.
pub(crate) fn advice(kind: &Kind, peer: &Peer, role: Role) -> &'static str {
    match (kind, role) {
        (Kind::TransportFailed(_), _) => {
            "Look at the network between the two ends; the handshake has no fault."
        }
        (Kind::NotHttp, _) => other_protocol(peer, role),
        (Kind::MalformedHead { .. }, _) => {
            "Correct that line; a WebSocket library would have sent a valid one."
        }
        (Kind::ClosedBeforeReply, Role::Client) | (Kind::Finished, _) => {
            "Drop a handshake when it has given its connection."
        }
        (kind, Role::Server) => to_clients(kind, peer),
        (kind, Role::Client) => to_servers(kind),
    }
}

/// What the client of a server's failed handshake can do, or whoever set up what is in between.
fn to_clients(kind: &Kind, peer: &Peer) -> &'static str {
    match kind {
        Kind::ClosedBeforeFirstByte => {
            "Usually a health check, a port scan or a client that gave up; nothing is wrong with this server."
        }
        Kind::ClosedInsideHead | Kind::ClosedBeforeReply => {
            "The client gave up or lost its network; look whether it has a shorter time limit than this server needs."
        }
        Kind::TimedOut { .. } => {
            "Send the whole request at once; a client that only connects is a probe or a slow network."
        }
        Kind::HeadTooLarge { .. } | Kind::TooManyFields { .. } => {
            "Send fewer or shorter field lines; large cookies are the usual cause."
        }
        Kind::RequestLineTooLong { .. } => "Shorten the query, and move what is long into a message.",
        Kind::HttpVersion { .. } => {
            "Use HTTP/1.1; a proxy in front of this server must be told to (nginx: proxy_http_version 1.1)."
        }
        Kind::MethodNotGet { .. } => "Use GET; this port serves WebSocket connections.",
        Kind::BadTarget { .. } => {
            "Ask for a path such as /chat?room=7, and percent-encode what is not visible ASCII."
        }
        Kind::MissingHost | Kind::BadHost { .. } => "Send one Host field, such as Host: example.com.",
        Kind::PlainRequest { .. } => "This port serves WebSocket connections: use a WebSocket client.",
        Kind::MissingUpgrade
        | Kind::MissingConnection
        | Kind::UpgradeNotWebSocket { .. }
        | Kind::ConnectionNotUpgrade { .. } => {
            "Use a WebSocket client, and let a proxy in between pass Upgrade and Connection on (nginx: \
             proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\")."
        }
        Kind::MissingVersion | Kind::UnsupportedVersion { .. }
            if matches!(peer, Peer::OldWebSocketClient { .. }) =>
        {
            "Update the client: it speaks a draft of 2010 or 2011, and RFC 6455 has version 13."
        }
        Kind::MissingVersion | Kind::UnsupportedVersion { .. } => {
            "Use a client of RFC 6455, whose version is 13."
        }
        Kind::MissingKey | Kind::DuplicateField { .. } => {
            "Send this field exactly once; a WebSocket library does."
        }
        Kind::BadKey { .. } => "Send 16 random bytes in base64, which makes 24 characters.",
        Kind::HasContent { .. } | Kind::TransferCoding { .. } => {
            "Leave this field and the content out; send data as messages."
        }
        Kind::Expectation { .. } => "Leave Expect out.",
        Kind::BadSubprotocol { .. } | Kind::DuplicateSubprotocol { .. } => {
            "Offer each subprotocol once, as a token: letters, digits and !#$%&'*+-.^_`|~."
        }
        Kind::BadExtension { .. } => {
            "Leave the field out, or send extensions as tokens with parameters: permessage-deflate; client_max_window_bits."
        }
        Kind::Rejected { .. } => "The application of this server decided so; its reply says more.",
        _ => UNFORESEEN,
    }
}

/// What the client whose handshake failed can do, or whoever runs the server.
fn to_servers(kind: &Kind) -> &'static str {
    match kind {
        Kind::ClosedBeforeFirstByte | Kind::ClosedInsideHead => {
            "Look into the server's log, and whether a proxy or the port of a TLS server is in between (try wss)."
        }
        Kind::TimedOut { .. } => {
            "Look whether the server is overloaded, or whether something else listens on this port."
        }
        Kind::HeadTooLarge { .. } | Kind::TooManyFields { .. } => {
            "Raise the limit if the server is trusted and needs this much."
        }
        Kind::HttpVersion { .. } => "A server that speaks HTTP/1.1 is needed.",
        Kind::NotUpgraded { .. } => {
            "An HTTP server answered as to a plain request: a proxy did not pass Upgrade on, or the path is wrong."
        }
        Kind::Redirected { .. } => "Use the URL that it redirects to, if it is trusted.",
        Kind::AuthenticationRequired { .. } => {
            "Send credentials, as in an Authorization field, or correct them."
        }
        Kind::ProxyAuthenticationRequired { .. } => "Send the proxy's credentials, or go around the proxy.",
        Kind::VersionRefused { .. } => "Update the server: RFC 6455 has version 13.",
        Kind::ServerBusy { .. } => "Try again later, and not all clients at once.",
        Kind::GatewayFailed { .. } => {
            "Look whether the server behind the proxy runs, and into the logs of both."
        }
        Kind::UnexpectedStatus { status: 403 } => "Look at the credentials, and at Origin.",
        Kind::UnexpectedStatus { status: 404 | 410 } => "Look at the path: no WebSocket is served there.",
        Kind::UnexpectedStatus { status: 400 } => {
            "Look at what the body says; a TLS server answers like this too, and needs wss."
        }
        Kind::UnexpectedStatus { .. } => "Look at what the body says, and into the server's log.",
        Kind::MissingAccept | Kind::AcceptMismatch { .. } => {
            "A cache or a faulty server answered; look at what is in between."
        }
        Kind::MissingUpgrade
        | Kind::MissingConnection
        | Kind::DuplicateField { .. }
        | Kind::UpgradeNotWebSocket { .. }
        | Kind::ConnectionNotUpgrade { .. } => {
            "The server, or a proxy in between, does not follow RFC 6455 section 4.2.2."
        }
        Kind::UnsolicitedExtension { .. }
        | Kind::BadExtension { .. }
        | Kind::UnsolicitedSubprotocol { .. }
        | Kind::SeveralSubprotocols { .. } => {
            "The server is faulty or set up wrongly: it must choose from what the client offers."
        }
        _ => UNFORESEEN,
    }
}

fn other_protocol(peer: &Peer, role: Role) -> &'static str {
    match (peer, role) {
        (Peer::TlsClient(_), Role::Server) => {
            "Let the client use ws, or put what ends TLS in front of this server: it expects plain text."
        }
        (Peer::TlsAlert { .. } | Peer::TlsServer | Peer::TlsClient(_), Role::Client) => {
            "The server speaks TLS on this port: use wss."
        }
        (Peer::ProxyProtocol { .. }, _) => {
            "Turn the PROXY protocol off in the load balancer, or read it before the handshake begins."
        }
        (Peer::Http2, Role::Server) => {
            "Use HTTP/1.1 to this server; a proxy in front of it must be told to (no h2c, no gRPC)."
        }
        (Peer::Http2, Role::Client) => {
            "The server speaks only HTTP/2 on this port, as gRPC does: use another port."
        }
        (Peer::WebSocketFrame { .. }, Role::Server) => {
            "The client must send its request first; look whether something in between took that away."
        }
        (Peer::WebSocketFrame { .. }, Role::Client) => {
            "The server must answer the request before it sends frames."
        }
        (Peer::Socks { .. }, Role::Server) => {
            "Somebody takes this server for a SOCKS proxy: correct the client's proxy."
        }
        (Peer::Socks { .. }, Role::Client) => {
            "This port is a SOCKS proxy: speak SOCKS to it before the handshake."
        }
        (_, Role::Server) => "Most likely a scan, or a client with the wrong port.",
        (_, Role::Client) => "Look whether the address and the port are right: something else listens there.",
    }
}

/// What would have been right, as the rest of a line that begins with "expected". `role` is that of this endpoint.
pub(crate) fn expected(kind: &Kind, role: Role) -> &'static str {
    match (kind, role) {
        (Kind::Finished, _) => "no call after the connection has been given",
        (Kind::HttpVersion { .. }, _) => "HTTP/1.1",
        (Kind::MalformedHead { what, .. }, _) => what.rule(),
        (Kind::DuplicateField { .. }, _) => "that field once",
        (Kind::MissingUpgrade | Kind::UpgradeNotWebSocket { .. }, _) => "Upgrade: websocket",
        (Kind::MissingConnection | Kind::ConnectionNotUpgrade { .. }, _) => "Connection: Upgrade",
        (Kind::MissingVersion | Kind::UnsupportedVersion { .. }, _) => "Sec-WebSocket-Version: 13",
        (Kind::MissingHost | Kind::BadHost { .. }, _) => "Host: and a host with an optional port, once",
        (Kind::MissingKey | Kind::BadKey { .. }, _) => "Sec-WebSocket-Key: and 16 random bytes in base64",
        (Kind::BadTarget { .. }, _) => "a path, or an absolute URI of a scheme such as http",
        (Kind::MethodNotGet { .. }, _) => "GET",
        (Kind::HasContent { .. } | Kind::TransferCoding { .. }, _) => "a request without content",
        (Kind::Expectation { .. }, _) => "no Expect field",
        (Kind::BadSubprotocol { .. } | Kind::DuplicateSubprotocol { .. }, _) => "tokens, each once",
        (Kind::Rejected { .. }, _) => "a request that the application accepts",
        (Kind::ClosedBeforeReply, _) => "a client that waits for the answer",
        (Kind::MissingAccept | Kind::AcceptMismatch { .. }, _) => {
            "Sec-WebSocket-Accept: and the value that answers the key"
        }
        (Kind::UnsolicitedExtension { .. }, _) => "no extension other than those that were offered",
        (Kind::BadExtension { .. }, Role::Server) => "a list of extensions, each a token with parameters",
        (Kind::BadExtension { .. }, Role::Client) => "permessage-deflate as it was offered, or no extension",
        (Kind::UnsolicitedSubprotocol { .. } | Kind::SeveralSubprotocols { .. }, _) => {
            "one of the subprotocols that were offered, or none"
        }
        (_, Role::Server) => "a GET request of HTTP/1.1 with the fields of RFC 6455 section 4.2.1",
        (_, Role::Client) => "a response with the status 101 and the fields of RFC 6455 section 4.2.2",
    }
}

/// For what cannot happen to this role.
const UNFORESEEN: &str = "Please report this: no handshake should end like this.";
