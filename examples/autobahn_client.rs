//! A client for the Autobahn test suite: asks for one case after the other and echoes whatever comes.
//!
//! The environment says where: `AUTOBAHN_URL`, `AUTOBAHN_AGENT` (the name in the report), `AUTOBAHN_CASES` (their number). See
//! `tests/autobahn/README.md`.

use std::env;
use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use sansocket::{ClientConfig, ClientRequest};
use support::compression::Compression;
use support::runtime::{AsyncStd, Runtime, RuntimeName, Smol, Tokio};

/// Runs the cases of the Autobahn test suite at $AUTOBAHN_URL.
#[derive(Parser)]
struct Options {
    /// What to run on.
    #[arg(long, value_enum, default_value_t = RuntimeName::Tokio)]
    runtime: RuntimeName,
    #[command(flatten)]
    compression: Compression,
}

fn main() -> ExitCode {
    let Options { runtime, compression } = Options::parse();
    let config = &compression.client_config();
    let done = match runtime {
        RuntimeName::Tokio => run_all(|request| Tokio::block_on(echo::<Tokio>(request, config))),
        RuntimeName::AsyncStd => run_all(|request| AsyncStd::block_on(echo::<AsyncStd>(request, config))),
        RuntimeName::Smol => run_all(|request| Smol::block_on(echo::<Smol>(request, config))),
        RuntimeName::Blocking => run_all(|request| echo_blocking(request, config)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("autobahn_client: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_all(
    echo: impl Fn(&ClientRequest) -> Result<(), sansocket_driver::Error>,
) -> Result<(), Box<dyn Error>> {
    let url = env::var("AUTOBAHN_URL").map_err(|_| "AUTOBAHN_URL is not set")?;
    let agent = env::var("AUTOBAHN_AGENT").unwrap_or_else(|_| "sansocket".into());
    let cases: u32 = env::var("AUTOBAHN_CASES").map_err(|_| "AUTOBAHN_CASES is not set")?.parse()?;
    for case in 1..=cases {
        // Many cases break the protocol, so that it must end like this.
        if let Err(error) = echo(&ClientRequest::new(&format!("{url}/runCase?case={case}&agent={agent}"))?) {
            println!("case {case}: {error}");
        }
    }
    echo(&ClientRequest::new(&format!("{url}/updateReports?agent={agent}"))?)?;
    Ok(())
}

/// Opens a WebSocket and sends back what comes, until the connection ends.
async fn echo<R: Runtime>(
    request: &ClientRequest,
    config: &ClientConfig,
) -> Result<(), sansocket_driver::Error> {
    let mut socket = R::connect_with(request, config).await?;
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// The same on this thread, with calls that block.
fn echo_blocking(request: &ClientRequest, config: &ClientConfig) -> Result<(), sansocket_driver::Error> {
    let mut socket = sansocket_blocking::connect_with(request, config)?;
    while let Some(message) = socket.recv()? {
        socket.send(message)?;
    }
    Ok(())
}
