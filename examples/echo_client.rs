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
use sansocket::{ClientConfig, ClientRequest, CloseCode, Message};
use support::runtime::{AsyncStd, Runtime, RuntimeName, Tokio};

/// Sends messages to an echo server and checks that they come back.
#[derive(Parser)]
struct Options {
    /// The async runtime to run on.
    #[arg(long, value_enum, default_value_t = RuntimeName::Tokio)]
    runtime: RuntimeName,
    /// The server, as ws://host:port/path.
    url: String,
}

fn main() -> ExitCode {
    let Options { runtime, url } = Options::parse();
    let talked = match runtime {
        RuntimeName::Tokio => Tokio::block_on(talk::<Tokio>(&url)),
        RuntimeName::AsyncStd => AsyncStd::block_on(talk::<AsyncStd>(&url)),
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

async fn talk<R: Runtime>(url: &str) -> Result<(), Box<dyn Error>> {
    let mut socket = R::connect_with(&ClientRequest::new(url)?, &ClientConfig::default()).await?;
    println!("open: {url}");

    let messages: [(&str, Message); 6] = [
        ("text", "Grüße, 世界 🌍".into()),
        ("binary", (0..=255).collect::<Vec<u8>>().into()),
        ("empty text", "".into()),
        ("empty binary", Vec::new().into()),
        ("1 MiB of text", "0123456789abcdef".repeat(65_536).into()),
        ("8 MiB", vec![0x5a; 8 * 1024 * 1024].into()),
    ];
    for (name, message) in messages {
        // A Ping overtakes messages that wait to be written; its Pong comes back between theirs, and is not seen here.
        socket.ping(name.as_bytes()).await?;
        socket.send(message.clone()).await?;
        let echo = socket.recv().await?.ok_or("the server closed the connection instead of echoing")?;
        if echo != message {
            return Err(format!("{name}: {:?} of {} bytes came back changed", echo.kind(), echo.len()).into());
        }
        println!("echoed: {name}, {} bytes", echo.len());
    }

    let closed = socket.close(CloseCode::NORMAL, "").await?;
    println!("closed: {closed}");
    if closed.is_clean() { Ok(()) } else { Err(closed.into()) }
}
