//! A client: sends messages to an echo server and checks that they come back.
//!
//! ```sh
//! cargo run --release -p sansocket-examples --bin echo_client -- ws://127.0.0.1:4000
//! ```
//!
//! `test_websocket_handshake URL` looks closer: at the handshake, at Pongs and at fragmented messages.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use sansocket::{ClientConfig, ClientRequest, CloseCode, Message, MessageKind};
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
    /// The server, as ws://host:port/path.
    url: String,
}

fn main() -> ExitCode {
    let Options { runtime, compression, url } = Options::parse();
    let config = compression.client_config();
    let talked = match runtime {
        RuntimeName::Tokio => Tokio::block_on(talk::<Tokio>(&url, &config)),
        RuntimeName::AsyncStd => AsyncStd::block_on(talk::<AsyncStd>(&url, &config)),
    };
    match talked {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // To return it from `main` would print it for programmers; this is for people.
            match error.downcast_ref() {
                Some(sansocket_driver::Error::Handshake { error, .. }) => {
                    eprint!("echo_client: {}", error.report());
                }
                _ => eprintln!("echo_client: {error}"),
            }
            ExitCode::FAILURE
        }
    }
}

async fn talk<R: Runtime>(url: &str, config: &ClientConfig) -> Result<(), Box<dyn Error>> {
    let mut socket = R::connect_with(&ClientRequest::new(url)?, config).await?;
    match socket.deflate() {
        Some(agreed) => println!("open: {url}, {agreed}"),
        None => println!("open: {url}, without compression"),
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
