//! An echo server with limits, which tells everybody when it ends.
//!
//! ```sh
//! cargo run --release -p sansocket-examples --bin limited_server -- --connections 2
//! cargo run --release -p sansocket-examples --bin chat_client -- ws://127.0.0.1:4000
//! ```
//!
//! Ctrl-C ends it, within ten seconds; once more, at once. `http://127.0.0.1:4000/healthz` says whether it serves. `docs/serving.md` tells what happens.

use std::error::Error;
use std::io::{self, IsTerminal};
use std::time::Duration;

use clap::Parser;
use sansocket_tokio::{Answer, Server};
use tracing_subscriber::EnvFilter;

/// An echo server with limits. RUST_LOG sets what it logs to standard error: debug, info (the default), warn.
#[derive(Parser)]
struct Options {
    /// The address to listen on; with port 0 the system chooses one.
    #[arg(long, default_value = "127.0.0.1:4000")]
    listen: String,
    /// Open connections at once.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// Open connections at once from one address.
    #[arg(long, default_value_t = 1_000)]
    per_address: usize,
    /// MiB that all connections may hold together.
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    memory: usize,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).from_env()?;
    let colours = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(colours).with_env_filter(filter).init();

    let server = Server::bind(&options.listen)
        .max_connections(options.connections)
        .max_connections_per_address(options.per_address)
        .max_memory(options.memory.saturating_mul(1024 * 1024))
        .answer_http(|request, server| match request.path() {
            "/healthz" => Answer::new(if server.is_draining() { 503 } else { 200 }),
            _ => Answer::new(404),
        })
        .on_connection(|mut socket, _| async move {
            while let Some(message) = socket.recv().await? {
                socket.send(message).await?;
            }
            Ok::<(), sansocket_tokio::Error>(())
        });
    let handle = server.start().await?;
    println!("listening on ws://{}", handle.local_addresses()[0]);

    let signalled = handle.clone();
    // In a thread of its own, which needs nobody to wait: the end begins with the call.
    ctrlc::set_handler(move || {
        let in_a_hurry = signalled.is_draining();
        drop(if in_a_hurry { signalled.drain(Duration::ZERO) } else { signalled.shutdown() });
    })?;
    let report = handle.finished().await;
    println!(
        "{} closed, {} ended otherwise, {} cut off, {} refused, within {:.1} s",
        report.closed,
        report.ended,
        report.cut_off,
        report.refused,
        report.elapsed.as_secs_f64()
    );
    Ok(())
}
