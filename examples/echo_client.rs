//! A client: sends messages to an echo server and checks that they come back.
//!
//! ```sh
//! cargo run --release -p sansocket-examples --bin echo_client -- ws://127.0.0.1:4000
//! cargo run --release -p sansocket-examples --bin echo_client -- wss://localhost:4000 --tls-ca ca.pem
//! cargo run --release -p sansocket-examples --bin echo_client -- wss://example.com/chat --idle 90 --ping-interval 0
//! ```
//!
//! The last one finds out whether something in between ends quiet connections, and how.
//!
//! `test_websocket_handshake URL` looks closer: at the handshake, at Pongs and at fragmented messages.

use std::error::Error;
use std::fs;
use std::future::poll_fn;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use futures_lite::future::or;
use sansocket::{
    ClientConfig, ClientRequest, CloseCode, Closed, DeflateParams, DialConfig, Dialed, Message, MessageKind,
    Proxies, Proxy, Timings,
};
use sansocket_blocking::Received;
use sansocket_driver::{Connector, Timer, Tls};
use support::compression::Compression;
use support::runtime::{AsyncStd, Runtime, Smol, Tokio, WebSocket};

/// Sends messages to an echo server and checks that they come back.
#[derive(Parser)]
struct Options {
    /// What to run on: an async runtime, or one thread whose calls block.
    #[arg(long, value_enum, default_value_t = On::Tokio)]
    runtime: On,
    #[command(flatten)]
    compression: Compression,
    /// A file with the certificate of the authority that signed the server's, as PEM; no other is trusted then.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Accept any certificate, of whoever it is: for tests.
    #[arg(long, conflicts_with = "tls_ca")]
    dangerously_accept_any_certificate: bool,
    /// Go through this proxy, as http://user:password@host:port or socks5://...; without it, through those that the environment
    /// says.
    #[arg(long)]
    proxy: Option<Proxy>,
    /// How many redirects to follow.
    #[arg(long, default_value_t = 0)]
    redirects: u32,
    /// Offer this subprotocol, and insist on it; can be given several times.
    #[arg(long)]
    subprotocol: Vec<String>,
    /// Be quiet for so long before the first message.
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    idle: Duration,
    /// Time between keepalive Pings; 0 for none.
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    ping_interval: Duration,
    /// The server, as ws://host:port/path or wss://...
    url: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum On {
    Tokio,
    AsyncStd,
    Smol,
    Blocking,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let talked = match options.runtime {
        On::Tokio => Tokio::block_on(talk::<Tokio>(&options)),
        On::AsyncStd => AsyncStd::block_on(talk::<AsyncStd>(&options)),
        On::Smol => Smol::block_on(talk::<Smol>(&options)),
        On::Blocking => talk_blocking(&options),
    };
    match talked {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // To return it from `main` would print it for programmers; this is for people.
            match error.downcast_ref() {
                Some(sansocket_driver::Error::Dial(error)) => eprint!("echo_client: {}", error.report()),
                _ => eprintln!("echo_client: {error}"),
            }
            ExitCode::FAILURE
        }
    }
}

impl Options {
    /// What a connection is like.
    fn client(&self) -> ClientConfig {
        let mut client = self.compression.client_config();
        client.timeouts.ping_interval = Some(self.ping_interval).filter(|interval| !interval.is_zero());
        client
    }

    fn request(&self) -> Result<ClientRequest, Box<dyn Error>> {
        let request = ClientRequest::new(&self.url)?;
        Ok(self.subprotocol.iter().try_fold(request, |request, name| request.subprotocol(name))?)
    }

    /// The way to the server.
    fn dial(&self) -> Result<DialConfig, Box<dyn Error>> {
        let mut dial = DialConfig::default();
        dial.redirects = self.redirects;
        dial.proxy = match &self.proxy {
            Some(proxy) => proxy.clone().into(),
            None => Proxies::from_env(|name| std::env::var(name).ok())?,
        };
        Ok(dial)
    }

    /// Whom to trust.
    fn tls(&self) -> Result<Tls, Box<dyn Error>> {
        Ok(if let Some(file) = &self.tls_ca {
            Tls::builder().only_authorities(&fs::read(file)?)?.build()?
        } else if self.dangerously_accept_any_certificate {
            Tls::builder().dangerously_accept_any_certificate().build()?
        } else {
            Tls::default()
        })
    }
}

fn seconds(text: &str) -> Result<Duration, Box<dyn Error + Send + Sync>> {
    Ok(Duration::try_from_secs_f64(text.parse()?)?)
}

async fn talk<R: Runtime>(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut connector = Connector::<R::Adapter>::default();
    connector.client = options.client();
    connector.dial = options.dial()?;
    connector.tls = options.tls()?;
    let mut socket = connector.connect_with(&options.request()?).await?;
    say_open(options, socket.deflate(), socket.subprotocol(), socket.dialed())?;

    // To receive is what keeps a quiet connection alive, and sees its end.
    let quiet = async {
        sleep::<<R::Adapter as sansocket_driver::Runtime>::Timer>(options.idle).await;
        Ok(())
    };
    or(quiet, async { Err(not_quiet(socket.recv().await, socket.closed())) }).await?;

    for (name, message) in messages() {
        // A Ping overtakes messages that wait to be written; its Pong comes back between theirs, and is not seen here.
        socket.ping(name.as_bytes()).await?;
        socket.send(message.clone()).await?;
        receive_echo::<R>(&mut socket, &name, &message).await?;
    }

    // Several on the way at once, and each alike: where windows are kept, the next is short.
    let similar = similar();
    for message in &similar {
        socket.send(message.clone()).await?;
    }
    for message in &similar {
        receive_echo::<R>(&mut socket, "one of a row", message).await?;
    }

    let whole = whole();
    let mut fragments = whole.as_bytes().chunks(700).peekable();
    while let Some(fragment) = fragments.next() {
        socket.send_fragment(MessageKind::Text, fragment, fragments.peek().is_none()).await?;
    }
    receive_echo::<R>(&mut socket, "fragments", &whole.into()).await?;

    end(socket.close(CloseCode::NORMAL, "").await?)
}

/// How it got there.
fn print_way(dialed: &Dialed) {
    let Timings { resolve, connect, proxy, tls, handshake, .. } = dialed.timings;
    let steps = [
        ("resolve", resolve),
        ("connect", connect),
        ("proxy", proxy),
        ("tls", tls),
        ("handshake", handshake),
    ];
    let steps: Vec<_> =
        steps.iter().filter_map(|(step, time)| Some(format!("{step} {:.1?}", (*time)?))).collect();
    println!("by:   {} in {:.1?} ({})", dialed.address, dialed.elapsed, steps.join(", "));
    if let Some(tls) = &dialed.tls {
        println!("tls:  {tls}");
    }
    for attempt in &dialed.failed {
        println!("past: {attempt}");
    }
}

async fn receive_echo<R: Runtime>(
    socket: &mut WebSocket<R>,
    name: &str,
    sent: &Message,
) -> Result<(), Box<dyn Error>> {
    check_echo(socket.recv().await?, name, sent)
}

/// As [`talk`], line by line, on a thread whose calls block.
fn talk_blocking(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut connector = sansocket_blocking::Connector::default();
    connector.client = options.client();
    connector.dial = options.dial()?;
    connector.tls = options.tls()?;
    let mut socket = connector.connect_with(&options.request()?)?;
    say_open(options, socket.deflate(), socket.subprotocol(), socket.dialed())?;

    match socket.recv_timeout(options.idle) {
        Ok(Received::TimedOut) => {}
        Ok(Received::Message(message)) => return Err(not_quiet(Ok(Some(message)), None)),
        Ok(Received::Closed) => return Err(not_quiet(Ok(None), socket.closed())),
        Err(error) => return Err(error.into()),
    }

    for (name, message) in messages() {
        socket.ping(name.as_bytes())?;
        socket.send(message.clone())?;
        check_echo(socket.recv()?, &name, &message)?;
    }

    let similar = similar();
    for message in &similar {
        socket.send(message.clone())?;
    }
    for message in &similar {
        check_echo(socket.recv()?, "one of a row", message)?;
    }

    let whole = whole();
    let mut fragments = whole.as_bytes().chunks(700).peekable();
    while let Some(fragment) = fragments.next() {
        socket.send_fragment(MessageKind::Text, fragment, fragments.peek().is_none())?;
    }
    check_echo(socket.recv()?, "fragments", &whole.into())?;

    end(socket.close(CloseCode::NORMAL, "")?)
}

fn say_open(
    options: &Options,
    deflate: Option<DeflateParams>,
    subprotocol: Option<&str>,
    dialed: Option<&Dialed>,
) -> Result<(), Box<dyn Error>> {
    let url = &options.url;
    match deflate {
        Some(agreed) => println!("open: {url}, {agreed}"),
        None => println!("open: {url}, without compression"),
    }
    if let Some(dialed) = dialed {
        print_way(dialed);
    }
    match subprotocol {
        Some(chosen) => println!("speaks: {chosen}"),
        None if options.subprotocol.is_empty() => {}
        None => return Err("the server chose none of the subprotocols".into()),
    }
    Ok(())
}

/// What came while nothing was to come.
fn not_quiet(
    received: Result<Option<Message>, sansocket_driver::Error>,
    closed: Option<Closed>,
) -> Box<dyn Error> {
    match (received, closed) {
        (Err(error), _) => error.into(),
        (Ok(None), Some(closed)) => closed.into(),
        (Ok(message), _) => format!("instead of silence there was {message:?}").into(),
    }
}

async fn sleep<T: Timer>(duration: Duration) {
    let mut timer = T::default();
    let deadline = timer.now() + duration;
    poll_fn(|cx| timer.poll_until(cx, deadline)).await;
}

fn check_echo(received: Option<Message>, name: &str, sent: &Message) -> Result<(), Box<dyn Error>> {
    let echo = received.ok_or("the server closed the connection instead of echoing")?;
    if echo != *sent {
        return Err(format!("{name}: {:?} of {} bytes came back changed", echo.kind(), echo.len()).into());
    }
    println!("echoed: {name}, {} bytes", echo.len());
    Ok(())
}

fn end(closed: Closed) -> Result<(), Box<dyn Error>> {
    println!("closed: {closed}");
    if closed.is_clean() { Ok(()) } else { Err(closed.into()) }
}

/// Where windows are kept, each but the first is short when it is compressed.
fn similar() -> Vec<Message> {
    (0..20).map(|i| format!("{{\"id\":{i},\"name\":\"Grüße\"}}").repeat(20).into()).collect()
}

/// To be sent in fragments.
fn whole() -> String {
    "in pieces, 一片一片, ".repeat(100)
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
