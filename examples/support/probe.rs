//! One server, tested step by step: what was done, what came back, how long it took.

use std::error::Error;
use std::fmt::Display;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use sansocket::{
    ClientConfig, ClientRequest, CloseCode, Event, HandshakeError, Message, MessageKind, Response,
};

use crate::by_hand::{Endpoint, Opening};

/// Tests the server at `url` and prints what it does. `echoes` says whether messages are to come back. Returns whether all went
/// as it should.
#[must_use]
pub fn run(url: &str, echoes: bool) -> bool {
    // The step that failed has said why.
    steps(url, echoes).is_ok()
}

fn steps(url: &str, echoes: bool) -> Result<(), Box<dyn Error>> {
    let request = step("URL", || parse(url), |_| url.to_owned())?;
    let (host, port) = (request.url().host(), request.url().port());
    let addresses: Vec<SocketAddr> =
        step("address", || Ok((host, port).to_socket_addrs()?.collect()), |found: &Vec<_>| list(found))?;
    let tcp = step("TCP", || dial(&addresses), |tcp| format!("connected, {} to {}", local(tcp), peer(tcp)))?;
    let mut endpoint = open(tcp, &request)?;
    step("Ping", || ping(&mut endpoint), |()| "its Pong came back".into())?;
    if echoes {
        for (name, message) in messages() {
            step(name, || echo(&mut endpoint, &message), |()| format!("{} bytes came back", message.len()))?;
        }
        step(
            "fragments",
            || echo_fragments(&mut endpoint),
            |()| "came back, with the Pong of a Ping in between".into(),
        )?;
    }
    step("Close", || close(&mut endpoint), String::clone)?;
    Ok(())
}

fn parse(url: &str) -> Result<ClientRequest, Box<dyn Error>> {
    let request = ClientRequest::new(url)?;
    if request.url().is_secure() {
        return Err(
            "this looks at ws only; echo_client takes wss, or test the port behind TLS, with ws".into()
        );
    }
    Ok(request)
}

/// Does something and prints what came of it.
fn step<T>(
    name: &str,
    act: impl FnOnce() -> Result<T, Box<dyn Error>>,
    describe: impl FnOnce(&T) -> String,
) -> Result<T, Box<dyn Error>> {
    let begin = Instant::now();
    let result = act();
    let millis = begin.elapsed().as_secs_f64() * 1e3;
    match &result {
        Ok(value) => line(name, format_args!("{} ({millis:.1} ms)", describe(value))),
        Err(error) => line(name, format_args!("FAILED after {millis:.1} ms: {error}")),
    }
    result
}

fn line(name: &str, text: impl Display) {
    println!("  {name:<13}{text}");
}

fn list(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// One address after the other; the last failure is told.
fn dial(addresses: &[SocketAddr]) -> Result<TcpStream, Box<dyn Error>> {
    let mut failure = "the name has no address".into();
    for address in addresses {
        match TcpStream::connect_timeout(address, CONNECT) {
            Ok(tcp) => return Ok(tcp),
            Err(error) => failure = format!("{address}: {error}").into(),
        }
    }
    Err(failure)
}

fn local(tcp: &TcpStream) -> String {
    tcp.local_addr().map_or_else(|error| error.to_string(), |address| address.to_string())
}

fn peer(tcp: &TcpStream) -> String {
    tcp.peer_addr().map_or_else(|error| error.to_string(), |address| address.to_string())
}

/// The opening handshake, with all that is sent and received.
fn open(tcp: TcpStream, request: &ClientRequest) -> Result<Endpoint, Box<dyn Error>> {
    let mut opening = Opening::new(tcp, request, &ClientConfig::default())?;
    for (index, text) in opening.request().trim_end().lines().enumerate() {
        line(if index == 0 { "request" } else { "" }, text);
    }
    let begin = Instant::now();
    match opening.open() {
        Ok((endpoint, response)) => {
            print_response(&response);
            line("", format_args!("which agrees ({:.1} ms)", begin.elapsed().as_secs_f64() * 1e3));
            Ok(endpoint)
        }
        Err(error) => {
            print_failure(&error);
            Err(error.into())
        }
    }
}

fn print_response(response: &Response) {
    line("response", format_args!("status {}", response.status()));
    for (name, value) in response.fields() {
        line("", format_args!("{name}: {}", value.escape_ascii()));
    }
}

fn print_failure(error: &HandshakeError) {
    if let Some(response) = error.response() {
        print_response(response);
    }
    line("handshake", format_args!("FAILED: {error}"));
    line("", error.advice());
}

fn messages() -> Vec<(&'static str, Message)> {
    vec![
        ("text", "Grüße, 世界 🌍".into()),
        ("binary", (0..=255).collect::<Vec<u8>>().into()),
        ("empty text", "".into()),
        ("large text", "0123456789abcdef".repeat(64 * 1024).into()),
        ("large binary", vec![0x5a; 1024 * 1024].into()),
    ]
}

fn ping(endpoint: &mut Endpoint) -> Result<(), Box<dyn Error>> {
    endpoint.connection.ping(b"are you there?")?;
    Ok(endpoint.wait(|event| (*event == Event::Pong(b"are you there?")).then_some(()))?)
}

fn echo(endpoint: &mut Endpoint, message: &Message) -> Result<(), Box<dyn Error>> {
    endpoint.connection.send(message.clone())?;
    compare(message, &endpoint.message()?)
}

fn echo_fragments(endpoint: &mut Endpoint) -> Result<(), Box<dyn Error>> {
    let whole = Message::from("one two three");
    let connection = &mut endpoint.connection;
    connection.send_fragment(MessageKind::Text, b"one", false)?;
    connection.ping(b"between")?;
    connection.send_fragment(MessageKind::Text, b"", false)?;
    connection.send_fragment(MessageKind::Text, b" two three", true)?;
    let mut pong = false;
    let echo = endpoint.wait(|event| {
        pong |= *event == Event::Pong(b"between");
        event.clone().into_message()
    })?;
    compare(&whole, &echo)?;
    if pong { Ok(()) } else { Err("the echo came, and no Pong before it".into()) }
}

fn compare(sent: &Message, received: &Message) -> Result<(), Box<dyn Error>> {
    if sent == received {
        return Ok(());
    }
    let Message::Text(text) = received else {
        return Err(format!("{} bytes of binary data came back, not what was sent", received.len()).into());
    };
    let start: String = text.chars().take(40).collect();
    Err(format!("not what was sent came back, but {} bytes of text: {start:?}", text.len()).into())
}

fn close(endpoint: &mut Endpoint) -> Result<String, Box<dyn Error>> {
    endpoint.connection.close(CloseCode::NORMAL, "")?;
    let closed = endpoint.end()?;
    match &closed.received {
        Some(received) if closed.is_clean() => {
            Ok(format!("Close {received} came back, and the server closed TCP"))
        }
        _ => Err(closed.into()),
    }
}

/// The time limit of one attempt to connect.
const CONNECT: Duration = Duration::from_secs(5);
