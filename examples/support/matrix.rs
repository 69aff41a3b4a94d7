//! Servers and clients of every kind, against each other on loopback: runs the cases, compares what both sides saw with what they are
//! to see, and prints it.

use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use sansocket::{
    Accept, ClientConfig, ClientRequest, CloseCode, Message, Reject, Request, Role, ServerConfig,
};

use crate::raw;
use crate::runtime::{Accepted, AsyncStd, Runtime, Smol, Tokio, WebSocket};
use crate::saw::Saw;

/// Something to try, with each server and each client that it names.
pub struct Case {
    /// A few words.
    pub name: &'static str,
    /// What is tried.
    pub tried: &'static str,
    /// Who listens.
    pub server: Server,
    /// Who connects.
    pub client: Client,
    /// Whether what both send is passed on one byte at a time.
    pub byte_by_byte: bool,
    /// What the server is to see.
    pub server_sees: &'static str,
    /// What the client is to see.
    pub client_sees: &'static str,
}

/// Who listens.
pub enum Server {
    /// A server on each runtime, through its adapter.
    Ours(Box<OurServer>),
    /// Something else, by name: what it does with a connection, and what it saw.
    Other(&'static str, fn(TcpStream) -> Result<Saw, Box<dyn Error>>),
}

/// Who connects.
pub enum Client {
    /// A client on each runtime, through its adapter.
    Ours(Box<OurClient>),
    /// Something else, by name: what it does with a connection, and what it saw.
    Other(&'static str, fn(TcpStream) -> Result<Saw, Box<dyn Error>>),
}

/// A server that echoes.
#[derive(Clone)]
pub struct OurServer {
    /// Limits and time limits.
    pub config: ServerConfig,
    /// Answers a request, and notes what is remarkable about it.
    pub decide: fn(&Request, &mut Vec<String>) -> Result<Accept, Reject>,
}

/// A client that sends messages to an echo server, each after the echo of the one before, and closes.
#[derive(Clone)]
pub struct OurClient {
    /// Limits and time limits.
    pub config: ClientConfig,
    /// Adds to the request what is special about it.
    pub request: fn(ClientRequest) -> Result<ClientRequest, Box<dyn Error>>,
    /// The messages.
    pub messages: fn() -> Vec<Message>,
}

/// Runs all cases and prints what happened. Returns how many runs failed.
///
/// # Errors
///
/// There is no free port on loopback.
pub fn run(cases: &[Case]) -> io::Result<usize> {
    let begin = Instant::now();
    let mut runs = 0;
    let mut failed = 0;
    println!(
        "Each case runs with all servers and clients that it is for; below it are the pairs, server first, and their times."
    );
    for case in cases {
        let mut meetings = Vec::new();
        for server in case.server.sides() {
            for client in case.client.sides() {
                meetings.push(meet(case, &server, &client)?);
            }
        }
        runs += meetings.len();
        failed += meetings.iter().filter(|meeting| !meeting.is_as_expected(case)).count();
        print(case, &meetings);
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!("\n{} of {runs} passed in {seconds:.1} s", runs - failed);
    Ok(failed)
}

/// One end of a connection: its name, and what it does with `I`.
struct Side<I> {
    name: &'static str,
    act: Arc<dyn Fn(I) -> Saw + Send + Sync>,
}

/// A server and a client that have met.
struct Meeting {
    server: (&'static str, Saw),
    client: (&'static str, Saw),
    time: Duration,
}

impl Meeting {
    fn is_as_expected(&self, case: &Case) -> bool {
        self.server.1.text == case.server_sees
            && self.client.1.text == case.client_sees
            && self.time < TOO_LONG
    }

    fn pair_and_time(&self) -> String {
        format!("{}/{} {:.1} ms", self.server.0, self.client.0, self.time.as_secs_f64() * 1e3)
    }
}

fn meet(case: &Case, server: &Side<TcpStream>, client: &Side<SocketAddr>) -> io::Result<Meeting> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut address = listener.local_addr()?;
    if case.byte_by_byte {
        address = raw::byte_by_byte(address)?;
    }
    let begin = Instant::now();
    let serve = Arc::clone(&server.act);
    let server_saw = in_background(move || match listener.accept() {
        Ok((tcp, _)) => serve(tcp),
        Err(error) => Saw::from(error),
    });
    let connect = Arc::clone(&client.act);
    let client_saw = in_background(move || connect(address));
    let server = (server.name, outcome(&server_saw));
    let client = (client.name, outcome(&client_saw));
    Ok(Meeting { server, client, time: begin.elapsed() })
}

fn in_background(act: impl FnOnce() -> Saw + Send + 'static) -> mpsc::Receiver<Saw> {
    let (tell, told) = mpsc::channel();
    // Who does not wait any longer has closed the channel.
    thread::spawn(move || tell.send(act()));
    told
}

fn outcome(told: &mpsc::Receiver<Saw>) -> Saw {
    told.recv_timeout(HANGS).unwrap_or_else(|error| match error {
        RecvTimeoutError::Timeout => format!("no end within {HANGS:?}").into(),
        RecvTimeoutError::Disconnected => "a panic".into(),
    })
}

impl Server {
    fn sides(&self) -> Vec<Side<TcpStream>> {
        match self {
            Self::Ours(server) => vec![server.on::<Tokio>(), server.on::<AsyncStd>(), server.on::<Smol>()],
            &Self::Other(name, act) => vec![Side { name, act: Arc::new(move |tcp| act(tcp).into()) }],
        }
    }
}

impl Client {
    fn sides(&self) -> Vec<Side<SocketAddr>> {
        match self {
            Self::Ours(client) => vec![client.on::<Tokio>(), client.on::<AsyncStd>(), client.on::<Smol>()],
            &Self::Other(name, act) => {
                let connect = move |address| act(TcpStream::connect(address)?);
                vec![Side { name, act: Arc::new(move |address| connect(address).into()) }]
            }
        }
    }
}

impl OurServer {
    fn on<R: Runtime>(&self) -> Side<TcpStream> {
        let server = self.clone();
        Side { name: R::NAME, act: Arc::new(move |tcp| R::block_on(server.serve::<R>(tcp))) }
    }

    async fn serve<R: Runtime>(&self, tcp: TcpStream) -> Saw {
        let stream = match R::stream(tcp) {
            Ok(stream) => stream,
            Err(error) => return error.into(),
        };
        let mut notes = Vec::new();
        match R::accept_with(stream, &self.config, |request| (self.decide)(request, &mut notes)).await {
            Ok(mut socket) => {
                let echoed = echo::<R>(&mut socket).await;
                Saw::of_connection(notes, socket.closed(), Role::Server, echoed.err())
            }
            Err(error) => error.into(),
        }
    }
}

impl OurClient {
    fn on<R: Runtime>(&self) -> Side<SocketAddr> {
        let client = self.clone();
        Side { name: R::NAME, act: Arc::new(move |address| R::block_on(client.visit::<R>(address))) }
    }

    async fn visit<R: Runtime>(&self, server: SocketAddr) -> Saw {
        let request =
            ClientRequest::new(&format!("ws://{server}/chat")).map_err(Into::into).and_then(self.request);
        let request = match request {
            Ok(request) => request,
            Err(error) => return error.to_string().into(),
        };
        let mut socket = match R::connect_with(&request, &self.config).await {
            Ok(socket) => socket,
            Err(error) => return error.into(),
        };
        let mut notes = Vec::new();
        if let Some(subprotocol) = socket.subprotocol() {
            notes.push(format!("subprotocol {subprotocol}"));
        }
        if let Some(cookie) = socket.response().and_then(|response| response.field("Set-Cookie")) {
            notes.push(format!("Set-Cookie {}", cookie.escape_ascii()));
        }
        let talked = talk::<R>(&mut socket, (self.messages)(), &mut notes).await;
        Saw::of_connection(notes, socket.closed(), Role::Client, talked.err())
    }
}

async fn echo<R: Runtime>(socket: &mut Accepted<R>) -> Result<(), sansocket_driver::Error> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

async fn talk<R: Runtime>(
    socket: &mut WebSocket<R>,
    messages: Vec<Message>,
    notes: &mut Vec<String>,
) -> Result<(), sansocket_driver::Error> {
    for message in messages {
        socket.send(message.clone()).await?;
        match socket.recv().await? {
            Some(echo) if echo == message => {}
            Some(echo) => notes.push(format!("{} bytes came back as {} others", message.len(), echo.len())),
            None => return Ok(()),
        }
    }
    socket.close(CloseCode::NORMAL, "").await?;
    Ok(())
}

fn print(case: &Case, meetings: &[Meeting]) {
    let (faulty, fine): (Vec<_>, Vec<_>) = meetings.iter().partition(|meeting| !meeting.is_as_expected(case));
    println!("\n{}  {}: {}", if faulty.is_empty() { "pass" } else { "FAIL" }, case.name, case.tried);
    if let Some(first) = fine.first() {
        print_what_was_seen(first);
        let times: Vec<String> = fine.iter().map(|meeting| meeting.pair_and_time()).collect();
        println!("      {}", times.join("   "));
    }
    for meeting in faulty {
        print_faults(case, meeting);
    }
}

fn print_what_was_seen(meeting: &Meeting) {
    for (role, saw) in [("server", &meeting.server.1), ("client", &meeting.client.1)] {
        println!("      {role}  {}", saw.text);
        print_diagnosis(saw);
    }
}

fn print_diagnosis(saw: &Saw) {
    let lines = saw.diagnosis.iter().flat_map(|diagnosis| diagnosis.lines());
    for line in lines.filter(|line| !line.is_empty()) {
        println!("              {line}");
    }
}

fn print_faults(case: &Case, meeting: &Meeting) {
    println!("      FAIL {}", meeting.pair_and_time());
    let sides =
        [("server", &meeting.server.1, case.server_sees), ("client", &meeting.client.1, case.client_sees)];
    for (role, saw, expected) in sides.into_iter().filter(|(_, saw, expected)| saw.text != *expected) {
        println!("      {role}  {}", saw.text);
        print_diagnosis(saw);
        println!("      expected: {expected}");
    }
    if meeting.time >= TOO_LONG {
        println!("      expected within {TOO_LONG:?}");
    }
}

/// As long as a time limit that nothing should have to wait for: `timeouts.close` of 5 s is the shortest.
const TOO_LONG: Duration = Duration::from_secs(4);

/// No case takes as long, unless something hangs.
const HANGS: Duration = Duration::from_secs(10);
