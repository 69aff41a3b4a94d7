//! One node of a chat whose rooms span several server processes: a message is published to Redis, and every node passes it on to its members.
//!
//! ```sh
//! examples/chat_cluster/run
//! ```
//!
//! starts Redis, two of these and HAProxy in front of them, and says where to point a browser. `docs/scaling.md` has the picture, and says what is
//! promised about messages and what is not.
//!
//! Here are the options, the listener, and the orderly end. `member.rs` is one connection with its opening handshake, `hub.rs` the rooms of this
//! process, `bus.rs` what is asked of Redis, `wire.rs` the messages, and `page.html` what the browser gets.

#[path = "chat_cluster/bus.rs"]
mod bus;
#[path = "chat_cluster/hub.rs"]
mod hub;
#[path = "chat_cluster/member.rs"]
mod member;
#[path = "chat_cluster/wire.rs"]
mod wire;

use std::convert::Infallible;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use sansocket::{Origins, ServerConfig};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tracing::level_filters::LevelFilter;
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

use crate::bus::Fault;
use crate::hub::Hub;
use crate::member::Node;

/// One node of a chat. RUST_LOG sets what it logs to standard error: debug, info (the default), warn.
#[derive(Parser)]
struct Options {
    /// What this node is called; pages show it.
    #[arg(long)]
    node: String,
    /// The address to listen on; with port 0 the system chooses one.
    #[arg(long, default_value = "127.0.0.1:4000")]
    listen: String,
    /// The Redis that all nodes share.
    #[arg(long, value_name = "URL", default_value = "redis://127.0.0.1:6379")]
    redis: String,
    /// An origin whose pages may connect, as scheme://host:port: that under which browsers see the proxy. Can be given several times.
    #[arg(long, required = true)]
    origin: Vec<String>,
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat_cluster: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(options: Options) -> Result<(), Fault> {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env()?;
    let colours = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(colours).with_env_filter(filter).init();

    let mut config = ServerConfig::default();
    // HAProxy asks for /healthz, and browsers for the page.
    config.plain_http = true;
    // Nobody types more, and each member may hold a message of this size in memory.
    config.limits.message = 16 * 1024;
    config.limits.frame = config.limits.message;
    let origins = options.origin.iter().try_fold(Origins::new(), |origins, origin| origins.allow(origin))?;
    let (hub, publisher) = Hub::start(&options.redis)?;

    let (stop, mut stopping) = watch::channel(false);
    ctrlc::set_handler(move || {
        if stop.send_replace(true) {
            // The second signal: somebody is in a hurry.
            std::process::exit(130);
        }
    })?;

    let listener = TcpListener::bind(&options.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", options.listen))?;
    println!("listening on ws://{}", listener.local_addr()?);
    let node =
        Arc::new(Node { name: options.node, config, origins, hub, publisher, stopping: stopping.clone() });

    // Nothing is ever sent through this channel. When the last task has dropped its end, all members have gone.
    let (present, mut all_gone) = mpsc::channel::<Infallible>(1);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let (node, present) = (Arc::clone(&node), present.clone());
                tokio::spawn(async move {
                    node.serve(stream).await;
                    drop(present);
                });
            }
            Err(error) => {
                warn!(%error, "cannot accept");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    // New connections are refused from here on, which sends HAProxy to another node at once; it need not wait for its next check.
    drop(listener);
    drop(present);
    info!("going away");
    match tokio::time::timeout(GRACE, all_gone.recv()).await {
        Ok(_) => println!("shut down: all members were told"),
        Err(_) => println!("shut down: some members did not answer within {GRACE:?}"),
    }
    Ok(())
}

/// How long members get for their closing handshake: a little more than `timeouts.close`.
const GRACE: Duration = Duration::from_secs(6);

/// Before the next try when a connection could not be accepted: there are no file descriptors left, most likely.
const PAUSE: Duration = Duration::from_millis(100);
