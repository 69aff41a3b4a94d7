//! Peers that hang up in the middle of an opening handshake, or say nothing.

use crate::cases::{SHORT, client, ours, server};
use crate::matrix::{Case, Client, Server, Topic};
use crate::raw;

/// Handshakes that come to nothing, each seen by our server and by our client.
#[must_use]
pub(crate) fn topic() -> Topic {
    Topic { name: "silence and ends", cases: cases() }
}

fn cases() -> Vec<Case> {
    const HALF_REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgr";
    const HALF_RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgr";
    let mut impatient_server = server();
    impatient_server.config.timeouts.handshake = Some(SHORT);
    let mut impatient_client = client();
    impatient_client.config.timeouts.handshake = Some(SHORT);
    vec![
        Case {
            name: "hang-up after 0 bytes",
            tried: "a client closes TCP before it sends a byte",
            client: Client::Other("raw TCP", |mut tcp| Ok(raw::hang_up(&mut tcp, "")?)),
            server_sees: "closed-before-first-byte after 0 bytes",
            client_sees: "hung up after 0 bytes",
            ..ours()
        },
        Case {
            name: "hang-up after 0 bytes",
            tried: "a server does the same",
            server: Server::Other("raw TCP", |mut tcp| Ok(raw::hang_up(&mut tcp, "")?)),
            server_sees: "hung up after 0 bytes",
            client_sees: "closed-before-first-byte after 0 bytes",
            ..ours()
        },
        Case {
            name: "hang-up inside the head",
            tried: "a client closes TCP in the middle of a field name",
            client: Client::Other("raw TCP", |mut tcp| Ok(raw::hang_up(&mut tcp, HALF_REQUEST)?)),
            server_sees: "closed-inside-head after 50 bytes",
            client_sees: "hung up after 50 bytes",
            ..ours()
        },
        Case {
            name: "hang-up inside the head",
            tried: "a server does the same",
            server: Server::Other("raw TCP", |mut tcp| Ok(raw::hang_up(&mut tcp, HALF_RESPONSE)?)),
            server_sees: "hung up after 38 bytes",
            client_sees: "closed-inside-head after 38 bytes",
            ..ours()
        },
        Case {
            name: "silence",
            tried: "a client sends nothing until the time limit of the server, 300 ms",
            at_once: true,
            server: Server::Ours(Box::new(impatient_server)),
            client: Client::Other("raw TCP", |mut tcp| Ok(raw::stay_silent(&mut tcp)?)),
            server_sees: "timed-out after 0 bytes",
            client_sees: "0 bytes, then the end of TCP",
            ..ours()
        },
        Case {
            name: "silence",
            tried: "a server sends nothing until the time limit of the client, 300 ms",
            at_once: true,
            server: Server::Other("raw TCP", |mut tcp| Ok(raw::stay_silent(&mut tcp)?)),
            client: Client::Ours(Box::new(impatient_client)),
            server_sees: "a request, then the end of TCP",
            client_sees: "timed-out after 0 bytes",
            ..ours()
        },
    ]
}
