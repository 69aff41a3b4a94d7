//! A chat client that outlives its server: it connects again, to the same server or the next one, and sends then what was typed meanwhile.
//!
//! ```sh
//! cargo run --release -p sansocket-examples --bin server_example
//! cargo run --release -p sansocket-examples --bin chat_client -- ws://127.0.0.1:4000 ws://127.0.0.1:4001
//! ```
//!
//! Stop the server, type, and start it again. `docs/sessions.md` tells what happens.

use std::error::Error;
use std::io;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Parser;
use sansocket_tokio::{Client, ClientSender, CloseCode, GaveUp, SessionEvent};

/// Sends lines from standard input, and prints what comes.
#[derive(Parser)]
struct Options {
    /// The servers, as ws://host:port/path or wss://..., the preferred one first.
    #[arg(required = true)]
    urls: Vec<String>,
    /// How often to try again until it gives up. Without it, for ever.
    #[arg(long, value_name = "TIMES")]
    attempts: Option<u32>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match chat(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            match error.downcast_ref::<GaveUp>() {
                Some(all) => eprint!("chat_client: {}", all.report()),
                None => eprintln!("chat_client: {error}"),
            }
            ExitCode::FAILURE
        }
    }
}

async fn chat(options: Options) -> Result<(), Box<dyn Error>> {
    let mut builder = Client::builder();
    for url in &options.urls {
        builder = builder.server(url)?;
    }
    let mut client = builder
        .connection_timeout(Duration::from_secs(5))
        .max_reconnect_attempts(options.attempts)
        .heartbeat_interval(Duration::from_secs(10))
        .first_messages(|connected| vec![format!("hello, {}", connected.url).into()])
        .build()?;

    // To read from a terminal blocks, so it has a thread; a sender can be used from anywhere.
    let sender = client.sender();
    thread::spawn(move || send_lines(&sender));

    let mut gave_up: Option<Box<GaveUp>> = None;
    while let Some(event) = client.next().await {
        match event {
            SessionEvent::Message(message) => println!("{}", String::from_utf8_lossy(message.as_bytes())),
            SessionEvent::GaveUp(all) => gave_up = Some(all),
            SessionEvent::Heartbeat { .. } => {}
            // Each of them has a text: where it is connected, why it is not, when it tries again, what became of messages.
            other => eprintln!("* {other}"),
        }
    }
    gave_up.map_or(Ok(()), |all| Err(all as Box<dyn Error>))
}

/// Sends what is typed, until the end of the input.
fn send_lines(sender: &ClientSender) {
    for line in io::stdin().lines().map_while(Result::ok) {
        if let Err(refused) = sender.try_send(line) {
            eprintln!("* {refused}");
        }
    }
    // Refused only with a code that must not be sent, which this one may.
    let _ = sender.close(CloseCode::NORMAL, "");
}
