//! A client: sends messages to an echo server and checks that they come back.
//!
//! ```sh
//! cargo run --release -p sansocket-examples --bin echo_client -- ws://127.0.0.1:4000
//! cargo run --release -p sansocket-examples --bin echo_client -- wss://localhost:4000 --tls-ca ca.pem
//! ```
//!
//! `test_websocket_handshake URL` looks closer: at the handshake, at Pongs and at fragmented messages.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sansocket::{CloseCode, Dialed, Message, MessageKind, Proxies, Proxy, Timings};
use sansocket_driver::{Connector, Tls};
use support::compression::Compression;
use support::runtime::{AsyncStd, Runtime, RuntimeName, Tokio, WebSocket};

/// Sends messages to an echo server and checks that they come back.
#[derive(Parser)]
struct Options {
    /// The async runtime to run on.
    #[arg(long, value_enum, default_value_t = RuntimeName::Tokio)]
    runtime: RuntimeName,
    #[command(flatten)]
    compression: Compression,
    /// A file with the certificate of the authority that signed the server's, as PEM; no other is trusted then.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Accept any certificate, of whoever it is: for tests.
    #[arg(long, conflicts_with = "tls_ca")]
    dangerously_accept_any_certificate: bool,
    /// Go through this proxy, as http://user:password@host:port or socks5://...; without it, through those that the environment
    /// says.
    #[arg(long)]
    proxy: Option<Proxy>,
    /// How many redirects to follow.
    #[arg(long, default_value_t = 0)]
    redirects: u32,
    /// The server, as ws://host:port/path or wss://...
    url: String,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let talked = match options.runtime {
        RuntimeName::Tokio => Tokio::block_on(talk::<Tokio>(&options)),
        RuntimeName::AsyncStd => AsyncStd::block_on(talk::<AsyncStd>(&options)),
    };
    match talked {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // To return it from `main` would print it for programmers; this is for people.
            match error.downcast_ref() {
                Some(sansocket_driver::Error::Dial(error)) => eprint!("echo_client: {}", error.report()),
                _ => eprintln!("echo_client: {error}"),
            }
            ExitCode::FAILURE
        }
    }
}

/// The options as those of a client.
fn connector<R: Runtime>(options: &Options) -> Result<Connector<R::Adapter>, Box<dyn Error>> {
    let mut connector = Connector::default();
    connector.client = options.compression.client_config();
    connector.dial.redirects = options.redirects;
    connector.dial.proxy = match &options.proxy {
        Some(proxy) => proxy.clone().into(),
        None => Proxies::from_env(|name| std::env::var(name).ok())?,
    };
    if let Some(file) = &options.tls_ca {
        connector.tls = Tls::builder().only_authorities(&fs::read(file)?)?.build()?;
    } else if options.dangerously_accept_any_certificate {
        connector.tls = Tls::builder().dangerously_accept_any_certificate().build()?;
    }
    Ok(connector)
}

async fn talk<R: Runtime>(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut socket = connector::<R>(options)?.connect(&options.url).await?;
    match socket.deflate() {
        Some(agreed) => println!("open: {}, {agreed}", options.url),
        None => println!("open: {}, without compression", options.url),
    }
    if let Some(dialed) = socket.dialed() {
        print_way(dialed);
    }

    for (name, message) in messages() {
        // A Ping overtakes messages that wait to be written; its Pong comes back between theirs, and is not seen here.
        socket.ping(name.as_bytes()).await?;
        socket.send(message.clone()).await?;
        receive_echo::<R>(&mut socket, &name, &message).await?;
    }

    // Several on the way at once, and each alike: where windows are kept, the next is short.
    let similar: Vec<Message> =
        (0..20).map(|i| format!("{{\"id\":{i},\"name\":\"Grüße\"}}").repeat(20).into()).collect();
    for message in &similar {
        socket.send(message.clone()).await?;
    }
    for message in &similar {
        receive_echo::<R>(&mut socket, "one of a row", message).await?;
    }

    let whole = "in pieces, 一片一片, ".repeat(100);
    let mut fragments = whole.as_bytes().chunks(700).peekable();
    while let Some(fragment) = fragments.next() {
        socket.send_fragment(MessageKind::Text, fragment, fragments.peek().is_none()).await?;
    }
    receive_echo::<R>(&mut socket, "fragments", &whole.into()).await?;

    let closed = socket.close(CloseCode::NORMAL, "").await?;
    println!("closed: {closed}");
    if closed.is_clean() { Ok(()) } else { Err(closed.into()) }
}

/// How it got there.
fn print_way(dialed: &Dialed) {
    let Timings { resolve, connect, proxy, tls, handshake, .. } = dialed.timings;
    let steps = [
        ("resolve", resolve),
        ("connect", connect),
        ("proxy", proxy),
        ("tls", tls),
        ("handshake", handshake),
    ];
    let steps: Vec<_> =
        steps.iter().filter_map(|(step, time)| Some(format!("{step} {:.1?}", (*time)?))).collect();
    println!("by:   {} in {:.1?} ({})", dialed.address, dialed.elapsed, steps.join(", "));
    for attempt in &dialed.failed {
        println!("past: {attempt}");
    }
}

async fn receive_echo<R: Runtime>(
    socket: &mut WebSocket<R>,
    name: &str,
    sent: &Message,
) -> Result<(), Box<dyn Error>> {
    let echo = socket.recv().await?.ok_or("the server closed the connection instead of echoing")?;
    if echo != *sent {
        return Err(format!("{name}: {:?} of {} bytes came back changed", echo.kind(), echo.len()).into());
    }
    println!("echoed: {name}, {} bytes", echo.len());
    Ok(())
}

/// Text that can be compressed and bytes that cannot, of sizes at which something changes.
fn messages() -> Vec<(String, Message)> {
    let mut messages: Vec<(String, Message)> = vec![
        ("all bytes".into(), (0..=255).collect::<Vec<u8>>().into()),
        (
            "8 MiB".into(),
            (0..2 * 1024 * 1024_u32).flat_map(|i| (i / 16).to_le_bytes()).collect::<Vec<u8>>().into(),
        ),
    ];
    let lines: Vec<char> = (0..)
        .flat_map(|i| format!("{i} Grüße, 世界 🌍\n").chars().collect::<Vec<_>>())
        .take(1024 * 1024)
        .collect();
    for size in [0, 1, 125, 126, 1024, 65_536, 1024 * 1024] {
        let text: String = lines.iter().take(size).collect();
        messages.push((format!("{size} characters"), text.into()));
        messages.push((format!("{size} bytes of noise"), noise(size).into()));
    }
    messages
}

/// Bytes without a pattern, and the same in every run.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}
