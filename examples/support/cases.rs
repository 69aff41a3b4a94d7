//! What the matrix tries: everything that a user of the adapters does, and everything that befalls an opening handshake.

use std::error::Error;
use std::net::TcpStream;
use std::time::Duration;

use sansocket::{
    Accept, ClientConfig, ClientRequest, CloseCode, DialConfig, Event, Message, MessageKind, Reject, Request,
    ServerConfig,
};

use crate::by_hand::{self, Opening};
use crate::matrix::{Case, Client, Server, Topic};
use crate::raw::{self, REQUEST};
use crate::saw::Saw;
use crate::sides::{OurClient, OurServer};
use crate::{failover, proxies, reconnect, secure, silence, strangers};

/// All cases, from the ordinary to the odd.
#[must_use]
pub fn all() -> Vec<Topic> {
    let topic = |name, cases| Topic { name, cases };
    vec![
        topic("handshakes, messages", open()),
        topic("limits", limits()),
        topic("wrong requests", wrong_requests()),
        silence::topic(),
        strangers::topic(),
        secure::topic(),
        proxies::topic(),
        failover::topic(),
        reconnect::topic(),
    ]
}

/// Handshakes that succeed, and what follows.
fn open() -> Vec<Case> {
    vec![
        Case {
            name: "plain",
            tried: "text, binary and empty messages come back, and the client closes",
            server_sees: "3 in, 3 out; Close 1000 (normal) from the client",
            client_sees: "3 in, 3 out; Close 1000 (normal) from the client",
            ..ours()
        },
        Case {
            name: "subprotocol",
            tried: "the client offers chat.v2 and chat.v1, and the server knows only chat.v1",
            server: Server::Ours(Box::new(OurServer { decide: choose_chat_v1, ..server() })),
            client: Client::Ours(Box::new(OurClient { request: offer_subprotocols, ..client() })),
            server_sees: "offered chat.v2, chat.v1; 3 in, 3 out; Close 1000 (normal) from the client",
            client_sees: "subprotocol chat.v1; 3 in, 3 out; Close 1000 (normal) from the client",
            ..ours()
        },
        Case {
            name: "extra fields",
            tried: "the client sends Origin and a cookie, and the server sets one",
            server: Server::Ours(Box::new(OurServer { decide: set_cookie, ..server() })),
            client: Client::Ours(Box::new(OurClient { request: send_cookie, ..client() })),
            server_sees: "Origin http://example.com, Cookie session=7; 3 in, 3 out; Close 1000 (normal) from the client",
            client_sees: "Set-Cookie session=8; 3 in, 3 out; Close 1000 (normal) from the client",
            ..ours()
        },
        Case {
            name: "refused",
            tried: "the server's application answers 403",
            server: Server::Ours(Box::new(OurServer { decide: |_, _| Err(Reject::new(403)), ..server() })),
            server_sees: "rejected, status 403",
            client_sees: "unexpected-status, status 403",
            ..ours()
        },
        Case {
            name: "fragmented",
            tried: "a client sends a text in three fragments, inside a character, with a Ping between them",
            client: Client::Other("by hand", send_fragments),
            server_sees: "1 in, 1 out; Close 1000 (normal) from the client",
            client_sees: "Pong between fragments, then the echo; Close 1000 (normal)",
            ..ours()
        },
        Case {
            name: "fragmented",
            tried: "a server does the same",
            server: Server::Other("by hand", serve_fragments),
            client: Client::Ours(Box::new(OurClient {
                messages: || vec!["more, please".into()],
                ..client()
            })),
            server_sees: "Pong between fragments; Close 1000 (normal)",
            client_sees: "1 in, 1 out; Close 1000 (normal) from the client",
            ..ours()
        },
        Case {
            name: "byte at a time",
            tried: "every byte of both sides is passed on alone",
            byte_by_byte: true,
            at_once: true,
            server_sees: "3 in, 3 out; Close 1000 (normal) from the client",
            client_sees: "3 in, 3 out; Close 1000 (normal) from the client",
            ..ours()
        },
        Case {
            name: "large",
            tried: "8 MiB of binary data and 1 MiB of text come back",
            client: Client::Ours(Box::new(OurClient { messages: large_messages, ..client() })),
            server_sees: "2 in, 2 out; Close 1000 (normal) from the client",
            client_sees: "2 in, 2 out; Close 1000 (normal) from the client",
            ..ours()
        },
    ]
}

/// Limits of the server that a client runs into.
fn limits() -> Vec<Case> {
    let mut small_messages = server();
    small_messages.config.limits.message = 1024;
    let mut small_head = server();
    small_head.config.limits.head_bytes = 512;
    vec![
        Case {
            name: "message too large",
            tried: "1025 bytes for a server whose limits.message is 1024",
            server: Server::Ours(Box::new(small_messages)),
            client: Client::Ours(Box::new(OurClient {
                messages: || vec!["fits".into(), vec![0; 1025].into()],
                ..client()
            })),
            server_sees: "1 in, 1 out; Close 1009 (too big) from the server",
            client_sees: "1 in, 2 out; Close 1009 (too big) from the server",
            ..ours()
        },
        Case {
            name: "head too large",
            tried: "a cookie of 1000 bytes for a server whose limits.head_bytes is 512",
            server: Server::Ours(Box::new(small_head)),
            client: Client::Ours(Box::new(OurClient {
                request: |request| Ok(request.field("Cookie", "x".repeat(1000))?),
                ..client()
            })),
            server_sees: "head-too-large, status 431",
            client_sees: "unexpected-status, status 431",
            ..ours()
        },
    ]
}

/// Requests that no WebSocket library sends.
fn wrong_requests() -> Vec<Case> {
    let mut lenient = server();
    lenient.config.accept_malformed_key = true;
    vec![
        Case {
            name: "wrong version",
            tried: "Sec-WebSocket-Version: 12",
            client: Client::Other("raw TCP", |mut tcp| {
                Ok(raw::ask(&mut tcp, &REQUEST.replace("Version: 13", "Version: 12"))?)
            }),
            server_sees: "unsupported-version, status 426",
            client_sees: "HTTP/1.1 426 Upgrade Required",
            ..ours()
        },
        Case {
            name: "wrong version",
            tried: "the same for a server without a runtime",
            server: Server::Other("by hand", |tcp| {
                Ok(by_hand::accept(tcp, &ServerConfig::default())
                    .map_or_else(Saw::from, |_| "accepted".into()))
            }),
            client: Client::Other("raw TCP", |mut tcp| {
                Ok(raw::ask(&mut tcp, &REQUEST.replace("Version: 13", "Version: 12"))?)
            }),
            server_sees: "unsupported-version, status 426",
            client_sees: "HTTP/1.1 426 Upgrade Required",
            ..ours()
        },
        Case {
            name: "missing key",
            tried: "no Sec-WebSocket-Key",
            client: Client::Other("raw TCP", |mut tcp| {
                Ok(raw::ask(
                    &mut tcp,
                    &REQUEST.replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""),
                )?)
            }),
            server_sees: "missing-key, status 400",
            client_sees: "HTTP/1.1 400 Bad Request",
            ..ours()
        },
        Case {
            name: "short key",
            tried: "a Sec-WebSocket-Key of 13 bytes",
            client: Client::Other("raw TCP", |mut tcp| Ok(raw::ask(&mut tcp, &with_short_key())?)),
            server_sees: "bad-key, status 400",
            client_sees: "HTTP/1.1 400 Bad Request",
            ..ours()
        },
        Case {
            name: "short key, accepted",
            tried: "the same for a server with accept_malformed_key; then the client hangs up",
            server: Server::Ours(Box::new(lenient)),
            client: Client::Other("raw TCP", |mut tcp| Ok(raw::upgrade(&mut tcp, &with_short_key())?)),
            server_sees: "0 in, 0 out; the peer closed TCP without a Close frame, between messages",
            client_sees: "HTTP/1.1 101 Switching Protocols",
            ..ours()
        },
    ]
}

/// Our server and our client, each on each platform; to be completed.
pub(crate) fn ours() -> Case {
    Case {
        name: "",
        tried: "",
        server: Server::Ours(Box::new(server())),
        client: Client::Ours(Box::new(client())),
        byte_by_byte: false,
        at_once: false,
        server_sees: "",
        client_sees: "",
    }
}

/// A server that accepts everything.
pub(crate) fn server() -> OurServer {
    OurServer { config: ServerConfig::default(), identity: None, decide: |_, _| Ok(Accept::new()) }
}

/// A client that asks for nothing special and sends three small messages.
pub(crate) fn client() -> OurClient {
    OurClient {
        config: ClientConfig::default(),
        dial: DialConfig::default(),
        scheme: "ws",
        host: None,
        tls: None,
        proxy: None,
        request: Ok,
        messages: || vec!["Grüße 🌍".into(), vec![0, 159, 146, 150].into(), "".into()],
    }
}

fn offer_subprotocols(request: ClientRequest) -> Result<ClientRequest, Box<dyn Error>> {
    Ok(request.subprotocol("chat.v2")?.subprotocol("chat.v1")?)
}

fn choose_chat_v1(request: &Request, notes: &mut Vec<String>) -> Result<Accept, Reject> {
    notes.push(format!("offered {}", request.subprotocols().collect::<Vec<_>>().join(", ")));
    match request.subprotocols().find(|&offered| offered == "chat.v1") {
        Some(chosen) => Ok(Accept::new().subprotocol(chosen)),
        None => Err(Reject::new(400)),
    }
}

fn send_cookie(request: ClientRequest) -> Result<ClientRequest, Box<dyn Error>> {
    Ok(request.field("Origin", "http://example.com")?.field("Cookie", "session=7")?)
}

fn set_cookie(request: &Request, notes: &mut Vec<String>) -> Result<Accept, Reject> {
    let field = |name| String::from_utf8_lossy(request.field(name).unwrap_or_default()).into_owned();
    notes.push(format!("Origin {}, Cookie {}", field("Origin"), field("Cookie")));
    Accept::new().field("Set-Cookie", "session=8").map_err(|_| Reject::new(500))
}

fn large_messages() -> Vec<Message> {
    let bytes: Vec<u8> =
        (0..8 * 1024 * 1024_u32).map(|i| (i.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
    vec![bytes.into(), "0123456789abcdef".repeat(64 * 1024).into()]
}

fn with_short_key() -> String {
    REQUEST.replace("dGhlIHNhbXBsZSBub25jZQ==", "SGVsbG8sIHdvcmxkIQ==")
}

fn send_fragments(tcp: TcpStream) -> Result<Saw, Box<dyn Error>> {
    let address = tcp.peer_addr()?;
    let request = ClientRequest::new(&format!("ws://{address}/chat"))?;
    let (mut endpoint, _) = Opening::new(tcp, &request, &ClientConfig::default())?.open()?;
    let text = "Grüße 🌍".as_bytes();
    endpoint.connection.send_fragment(MessageKind::Text, &text[..3], false)?;
    endpoint.connection.ping(b"between")?;
    endpoint.wait(|event| (*event == Event::Pong(b"between")).then_some(()))?;
    endpoint.connection.send_fragment(MessageKind::Text, &text[3..3], false)?;
    endpoint.connection.send_fragment(MessageKind::Text, &text[3..], true)?;
    let echo = endpoint.message()?;
    if echo.as_bytes() != text {
        return Err(format!("{echo:?} came back").into());
    }
    endpoint.connection.close(CloseCode::NORMAL, "")?;
    let closed = endpoint.end()?;
    let received = closed.received.ok_or("no Close came back")?;
    Ok(format!("Pong between fragments, then the echo; Close {received}").into())
}

fn serve_fragments(tcp: TcpStream) -> Result<Saw, Box<dyn Error>> {
    let mut endpoint = by_hand::accept(tcp, &ServerConfig::default())?;
    let message = endpoint.message()?;
    let bytes = message.as_bytes();
    endpoint.connection.send_fragment(message.kind(), &bytes[..3], false)?;
    endpoint.connection.ping(b"between")?;
    endpoint.wait(|event| (*event == Event::Pong(b"between")).then_some(()))?;
    endpoint.connection.send_fragment(message.kind(), &[], false)?;
    endpoint.connection.send_fragment(message.kind(), &bytes[3..], true)?;
    let closed = endpoint.end()?;
    let received = closed.received.ok_or("no Close came")?;
    Ok(format!("Pong between fragments; Close {received}").into())
}

/// The time limit of what comes to nothing.
pub(crate) const SHORT: Duration = Duration::from_millis(300);
