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
    /// The async runtime to run on.
    #[arg(long, value_enum, default_value_t = RuntimeName::Tokio)]
    runtime: RuntimeName,
    #[command(flatten)]
    compression: Compression,
}

fn main() -> ExitCode {
    let Options { runtime, compression } = Options::parse();
    let config = compression.client_config();
    let done = match runtime {
        RuntimeName::Tokio => Tokio::block_on(run_all::<Tokio>(&config)),
        RuntimeName::AsyncStd => AsyncStd::block_on(run_all::<AsyncStd>(&config)),
        RuntimeName::Smol => Smol::block_on(run_all::<Smol>(&config)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("autobahn_client: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run_all<R: Runtime>(config: &ClientConfig) -> Result<(), Box<dyn Error>> {
    let url = env::var("AUTOBAHN_URL").map_err(|_| "AUTOBAHN_URL is not set")?;
    let agent = env::var("AUTOBAHN_AGENT").unwrap_or_else(|_| "sansocket".into());
    let cases: u32 = env::var("AUTOBAHN_CASES").map_err(|_| "AUTOBAHN_CASES is not set")?.parse()?;
    for case in 1..=cases {
        // Many cases break the protocol, so that it must end like this.
        if let Err(error) = echo::<R>(&format!("{url}/runCase?case={case}&agent={agent}"), config).await {
            println!("case {case}: {error}");
        }
    }
    echo::<R>(&format!("{url}/updateReports?agent={agent}"), config).await?;
    Ok(())
}

/// Opens a WebSocket and sends back what comes, until the connection ends.
async fn echo<R: Runtime>(url: &str, config: &ClientConfig) -> Result<(), sansocket_driver::Error> {
    let mut socket = R::connect_with(&ClientRequest::new(url)?, config).await?;
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}
