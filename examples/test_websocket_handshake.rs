//! Tests opening handshakes and messages.
//!
//! Without an argument: servers and clients on each async runtime and on plain threads, over loopback. They meet each other, plain and inside of
//! TLS, directly and by proxies; peers that speak no WebSocket; and servers that are killed. With a URL: that server, step by step.
//!
//! ```sh
//! cargo run --release -p sansocket-examples --bin test_websocket_handshake
//! cargo run --release -p sansocket-examples --bin test_websocket_handshake -- ws://127.0.0.1:4000
//! ```
//!
//! The exit status is 0 if all went as it should, and 1 if anything differs.

use std::io::{self, ErrorKind};
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
        None => match matrix::run(&cases::all()) {
            Ok(failed) => failed == 0,
            // Who reads has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => false,
            Err(error) => return Err(error),
        },
        Some(url) => probe::run(&url, !no_echo),
    };
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
