//! Tests opening handshakes and messages.
//!
//! Without an argument: servers and clients on each async runtime, against each other and against peers that speak no WebSocket, over
//! loopback. With a URL: that server, step by step.
//!
//! ```sh
//! cargo run --release -p sansocket-examples --bin test_websocket_handshake
//! cargo run --release -p sansocket-examples --bin test_websocket_handshake -- ws://127.0.0.1:4000
//! ```
//!
//! The exit status is 0 if all went as it should.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use support::{cases, matrix, probe};

/// Tests opening handshakes and messages: of the server at URL or, without one, of servers and clients of its own.
#[derive(Parser)]
struct Options {
    /// The server, as ws://host:port/path.
    url: Option<String>,
    /// The server at URL does not echo: test its handshake, a Ping and the Close only.
    #[arg(long, requires = "url")]
    no_echo: bool,
}

fn main() -> io::Result<ExitCode> {
    let Options { url, no_echo } = Options::parse();
    let all_well = match url {
        None => matrix::run(&cases::all())? == 0,
        Some(url) => probe::run(&url, !no_echo),
    };
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
