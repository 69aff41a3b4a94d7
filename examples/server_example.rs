//! An echo server: logging with each peer's address, failed handshakes explained, and an orderly end on Ctrl-C or SIGTERM.
//!
//! ```sh
//! cargo run --release -p sansocket-examples --bin server_example
//! RUST_LOG=debug cargo run --release -p sansocket-examples --bin server_example -- --runtime async-std --explain
//! cargo run --release -p sansocket-examples --bin server_example -- --tls-cert chain.pem --tls-key key.pem
//! ```
//!
//! It serves by hand, to be the same on threads as well. On one async runtime a `Server` does all of this: `limited_server.rs`.
//!
//! What it says about a handshake that failed is explained in `docs/diagnosing.md`, whose lines are meant to be tried on it.
//!
//! Everything after a connection was accepted is the same on every runtime: [`Server::serve`]. A program of your own needs `on_tokio` or one
//! of the files in `server_example/`, of which `on_blocking.rs` has threads that block.

#[path = "server_example/on_async_std.rs"]
mod on_async_std;
#[path = "server_example/on_blocking.rs"]
mod on_blocking;
#[path = "server_example/on_smol.rs"]
mod on_smol;

use std::convert::Infallible;
use std::error::Error;
use std::fs;
use std::future::Future;
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use clap::{Parser, ValueEnum};
use futures_lite::future::or;
use sansocket::{Accept, CloseCode, Origins, Reject, Request, Role, ServerConfig};
use sansocket_driver::{TlsConfigError, Transport, WebSocket, handshakes};
use support::compression::Compression;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, debug, info, warn};
use tracing_subscriber::EnvFilter;

/// An echo server for WebSocket. RUST_LOG sets what it logs to standard error: debug, info (the default), warn.
#[derive(Parser)]
struct Options {
    /// What to run on: an async runtime, or threads that block.
    #[arg(long, value_enum, default_value_t = Runtime::Tokio)]
    runtime: Runtime,
    /// The address to listen on; with port 0 the system chooses one.
    #[arg(long, default_value = "127.0.0.1:4000")]
    listen: String,
    /// Accept a Sec-WebSocket-Key that does not decode to 16 bytes, against RFC 6455 section 4.2.1.
    #[arg(long)]
    accept_malformed_key: bool,
    /// How long a client may take for its request.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    handshake_timeout: u64,
    /// An origin whose web pages may connect, as scheme://host; can be given several times. Without it all may.
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    /// Print a report of each handshake that fails to standard error, besides the line in the log.
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    compression: Compression,
    /// A file with the server's certificates as PEM, its own first: the server speaks wss then.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// A file with the private key of the first certificate, as PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

impl Options {
    /// TLS, if it is asked for, by the `from_pem` of an adapter's `TlsAcceptor`.
    fn acceptor<A>(
        &self,
        from_pem: impl FnOnce(&[u8], &[u8]) -> Result<A, TlsConfigError>,
    ) -> Result<Option<A>, Box<dyn Error>> {
        let (Some(chain), Some(key)) = (&self.tls_cert, &self.tls_key) else { return Ok(None) };
        let read = |file: &PathBuf| {
            fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
        };
        Ok(Some(from_pem(&read(chain)?, &read(key)?)?))
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Runtime {
    Tokio,
    AsyncStd,
    Smol,
    Blocking,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("server_example: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env()?;
    let colours = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(colours).with_env_filter(filter).init();

    let mut config = ServerConfig::default();
    config.accept_malformed_key = options.accept_malformed_key;
    config.timeouts.handshake = Some(Duration::from_secs(options.handshake_timeout));
    let origins = match &options.allow_origin[..] {
        [] => None,
        allowed => Some(allowed.iter().try_fold(Origins::new(), |origins, origin| origins.allow(origin))?),
    };
    config.deflate = options.compression.config();

    // Nothing is ever sent through this channel. The first signal closes it, and who holds its other end notices.
    let (running, stopped) = async_channel::bounded(1);
    ctrlc::set_handler(move || {
        if !running.close() {
            // The second signal: somebody is in a hurry.
            std::process::exit(130);
        }
    })?;

    let (ends, ended) = async_channel::unbounded();
    let policy = Arc::new(Policy { origins });
    let server = Server { config: Arc::new(config), policy, explain: options.explain, stopped, ends };
    let listen = &options.listen;
    let served = match options.runtime {
        Runtime::Tokio => {
            on_tokio(server, ended, listen, options.acceptor(sansocket_tokio::TlsAcceptor::from_pem)?)
        }
        Runtime::AsyncStd => on_async_std::serve(
            server,
            ended,
            listen,
            options.acceptor(sansocket_async_std::TlsAcceptor::from_pem)?,
        ),
        Runtime::Smol => {
            on_smol::serve(server, ended, listen, options.acceptor(sansocket_smol::TlsAcceptor::from_pem)?)
        }
        Runtime::Blocking => {
            let tls = options.acceptor(sansocket_blocking::TlsAcceptor::from_pem)?;
            on_blocking::serve(server, ended, listen, tls)
        }
    };
    served.map_err(|error| format!("cannot listen on {}: {error}", options.listen).into())
}

/// Serves until the server is stopped, then waits for the connections to end.
fn on_tokio(
    server: Server,
    ended: Receiver<End>,
    listen: &str,
    tls: Option<sansocket_tokio::TlsAcceptor>,
) -> io::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        println!("listening on {}://{}", scheme(tls.is_some()), listener.local_addr()?);
        while let Some(accepted) = server.unless_stopped(listener.accept()).await {
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "cannot accept");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let (server, tls) = (server.clone(), tls.clone());
            let connection = async move {
                let answer = |request: &Request| server.policy.answer(request);
                match tls {
                    None => {
                        server.serve(peer, sansocket_tokio::accept_with(stream, &server.config, answer)).await
                    }
                    Some(tls) => {
                        let secure = async {
                            let stream = tls.accept(stream).await?;
                            sansocket_tokio::accept_with(stream, &server.config, answer).await
                        };
                        server.serve(peer, secure).await;
                    }
                }
            };
            tokio::spawn(connection);
        }
        drop(listener);
        drop(server);
        let mut summary = Summary::default();
        let _ = tokio::time::timeout(GRACE, summary.gather(&ended)).await;
        summary.print(&ended);
        Ok(())
    })
}

fn scheme(is_secure: bool) -> &'static str {
    if is_secure { "wss" } else { "ws" }
}

/// What every connection gets: it is cloned for each.
#[derive(Clone)]
struct Server {
    config: Arc<ServerConfig>,
    policy: Arc<Policy>,
    explain: bool,
    /// Closed when the server is to stop.
    stopped: Receiver<Infallible>,
    /// Where connections report how they ended while the server stops. When the last of them is gone, the channel is closed.
    ends: Sender<End>,
}

impl Server {
    /// One connection, from its opening handshake to its end.
    async fn serve<S, R>(
        &self,
        peer: SocketAddr,
        opening: impl Future<Output = Result<WebSocket<S, R>, sansocket_driver::Error>>,
    ) where
        S: Send + 'static,
        R: Transport<S>,
    {
        match self.unless_stopped(opening).await {
            Some(Ok(socket)) => {
                let span = socket.span();
                self.talk(socket).instrument(span).await;
            }
            // The library has logged it in one line, at the level that it deserves; this is for who wants to know more.
            Some(Err(sansocket_driver::Error::Handshake { error, .. })) if self.explain => {
                eprintln!("{peer}: {}", error.report());
            }
            Some(Err(sansocket_driver::Error::TlsAccept(error))) if self.explain => {
                eprintln!("{peer}: {error}\n  advice    {}", error.advice());
            }
            Some(Err(_)) => {}
            None => debug!("dropped before its opening handshake was done"),
        }
    }

    /// An open connection, to its end. All that is logged here shows the peer's address.
    async fn talk<S, R>(&self, mut socket: WebSocket<S, R>)
    where
        S: Send + 'static,
        R: Transport<S>,
    {
        match socket.deflate() {
            Some(agreed) => info!("open, {agreed}"),
            None => info!("open, without compression"),
        }
        // To drop `echo` when the server stops loses nothing: a message was sent whole or not at all.
        if let Some(Err(error)) = self.unless_stopped(echo(&mut socket)).await {
            debug!(%error, "echoing ended");
        }
        // If the connection has ended already, this only tells how.
        let Ok(closed) = socket.close(CloseCode::GOING_AWAY, "the server is shutting down").await else {
            return;
        };
        if closed.is_clean() {
            info!("closed: {closed}");
        } else {
            warn!("ended: {closed}");
        }
        if self.stopped.is_closed() {
            // Fails only if nobody counts any more.
            let _ = self.ends.try_send(End { clean: closed.is_clean() });
        }
    }

    /// What `future` gives, or `None` if the server is stopped before.
    async fn unless_stopped<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let stopped = async {
            let _ = self.stopped.recv().await;
            None
        };
        or(async { Some(future.await) }, stopped).await
    }
}

/// Sends back what comes until the connection ends.
async fn echo<S, R>(socket: &mut WebSocket<S, R>) -> Result<(), sansocket_driver::Error>
where
    S: Send + 'static,
    R: Transport<S>,
{
    while let Some(message) = socket.recv().await? {
        debug!(bytes = message.len(), kind = ?message.kind(), "message");
        socket.send(message).await?;
    }
    Ok(())
}

/// Who may connect.
struct Policy {
    /// `None` if pages of every origin may.
    origins: Option<Origins>,
}

impl Policy {
    /// Answers a client's request. This is the place to look at its path and credentials as well, and to refuse it.
    fn answer(&self, request: &Request) -> Result<Accept, Reject> {
        // The query is for nobody's log: it may hold secrets.
        let path = request.path();
        match request.field("Origin") {
            Some(origin) => info!("asks for {path}, from {}", origin.escape_ascii()),
            None => info!("asks for {path}"),
        }
        if let Some(origins) = &self.origins {
            origins.check(request)?;
        }
        // An echo server speaks every subprotocol; it takes the one that the client likes best.
        Ok(match request.subprotocols().next() {
            Some(first) => Accept::new().subprotocol(first),
            None => Accept::new(),
        })
    }
}

/// How a connection ended while the server stopped.
struct End {
    clean: bool,
}

#[derive(Default)]
struct Summary {
    clean: usize,
    other: usize,
}

impl Summary {
    /// Counts until all connections have ended.
    async fn gather(&mut self, ended: &Receiver<End>) {
        while let Ok(end) = ended.recv().await {
            if end.clean {
                self.clean += 1;
            } else {
                self.other += 1;
            }
        }
    }

    fn print(&self, ended: &Receiver<End>) {
        let Self { clean, other } = self;
        let left = ended.sender_count();
        println!("shut down: {clean} connections closed cleanly, {other} ended otherwise, {left} cut off");
        let counted = handshakes(Role::Server);
        println!(
            "opening handshakes: {} opened, {} failed",
            counted.opened,
            counted.failed.values().sum::<u64>()
        );
        for (code, times) in counted.failed {
            println!("{times:8}  {code}");
        }
    }
}

/// How long connections get for their closing handshake: a little more than `timeouts.close`.
const GRACE: Duration = Duration::from_secs(6);

/// Before the next try when a connection could not be accepted: there are no file descriptors left, most likely.
const PAUSE: Duration = Duration::from_millis(100);
