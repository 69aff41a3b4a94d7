//! Servers and clients of every kind, against each other on loopback: runs the cases, and compares what both sides saw with what they
//! are to see.

use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::failover::Failover;
use crate::raw;
use crate::reconnect::{Ledger, Reconnect};
use crate::saw::Saw;
use crate::sides::{Door, OnEach, OurClient, OurServer, Side};
use crate::table::Table;

/// Cases of one kind.
pub struct Topic {
    /// A few words.
    pub(crate) name: &'static str,
    /// The cases.
    pub(crate) cases: Vec<Case>,
}

/// Something to try, with each server and each client that it names.
pub(crate) struct Case {
    /// A few words.
    pub(crate) name: &'static str,
    /// What is tried.
    pub(crate) tried: &'static str,
    /// Who listens.
    pub(crate) server: Server,
    /// Who connects.
    pub(crate) client: Client,
    /// Whether what both send is passed on one byte at a time.
    pub(crate) byte_by_byte: bool,
    /// Whether its pairs meet at the same time: those that mostly wait.
    pub(crate) at_once: bool,
    /// What the server is to see.
    pub(crate) server_sees: &'static str,
    /// What the client is to see.
    pub(crate) client_sees: &'static str,
}

/// Who listens.
pub(crate) enum Server {
    /// A server on each platform, through its adapter.
    Ours(Box<OurServer>),
    /// One that acknowledges messages, connection after connection, on each platform.
    Ledger(Ledger),
    /// Something else, by name: what it does with a connection, and what it saw.
    Other(&'static str, fn(TcpStream) -> Result<Saw, Box<dyn Error>>),
}

/// Who connects.
pub(crate) enum Client {
    /// A client on each platform, through its adapter.
    Ours(Box<OurClient>),
    /// One that connects again, with a server that fails before the one that listens, on each platform.
    Failover(Failover),
    /// One that connects again, and kills its server, on each platform.
    Reconnect(Reconnect),
    /// Something else, by name: what it does with a connection, and what it saw.
    Other(&'static str, fn(TcpStream) -> Result<Saw, Box<dyn Error>>),
}

/// Runs all cases and prints what happened. Returns how many runs failed.
///
/// # Errors
///
/// There is no free port on loopback, or nobody reads what is printed.
pub fn run(topics: &[Topic]) -> io::Result<usize> {
    let mut table = Table::begin(io::stdout().lock())?;
    for topic in topics {
        table.topic(topic.name)?;
        for case in &topic.cases {
            table.case(case, &meet_all(case)?)?;
        }
    }
    table.end()
}

/// A server and a client that have met.
pub(crate) struct Meeting {
    /// Its name, and what it saw.
    pub(crate) server: (&'static str, Saw),
    /// Its name, and what it saw.
    pub(crate) client: (&'static str, Saw),
    pub(crate) time: Duration,
}

impl Meeting {
    pub(crate) fn is_as_expected(&self, case: &Case) -> bool {
        self.server.1.text == case.server_sees
            && self.client.1.text == case.client_sees
            && self.time < TOO_LONG
    }
}

fn meet_all(case: &Case) -> io::Result<Vec<Meeting>> {
    let (servers, clients) = (case.server.sides(), case.client.sides());
    let pairs = servers.iter().flat_map(|server| clients.iter().map(move |client| (server, client)));
    if !case.at_once {
        return pairs.map(|(server, client)| meet(case, server, client)).collect();
    }
    thread::scope(|scope| {
        let meetings: Vec<_> =
            pairs.map(|(server, client)| scope.spawn(move || meet(case, server, client))).collect();
        let joined = meetings.into_iter().map(thread::ScopedJoinHandle::join);
        joined.map(|met| met.unwrap_or_else(|_| Err(io::Error::other("a panic")))).collect()
    })
}

fn meet(case: &Case, server: &Side<Door>, client: &Side<SocketAddr>) -> io::Result<Meeting> {
    let (door, bolt) = Door::new()?;
    let address = if case.byte_by_byte { raw::byte_by_byte(bolt.address())? } else { bolt.address() };
    let begin = Instant::now();
    let serve = Arc::clone(&server.act);
    let server_saw = in_background(move || serve(door));
    let connect = Arc::clone(&client.act);
    let client_saw = outcome(&in_background(move || connect(address)));
    bolt.close();
    let server_saw = outcome(&server_saw);
    let time = begin.elapsed();
    Ok(Meeting { server: (server.name, server_saw), client: (client.name, client_saw), time })
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
    fn sides(&self) -> Vec<Side<Door>> {
        match self {
            Self::Ours(server) => server.sides(),
            Self::Ledger(server) => server.sides(),
            &Self::Other(name, act) => {
                let serve = move |door: Door| match door.next()? {
                    Some(tcp) => act(tcp),
                    None => Ok("nobody came".into()),
                };
                vec![Side { name, act: Arc::new(move |door| serve(door).into()) }]
            }
        }
    }
}

impl Client {
    fn sides(&self) -> Vec<Side<SocketAddr>> {
        match self {
            Self::Ours(client) => client.sides(),
            Self::Failover(client) => client.sides(),
            Self::Reconnect(client) => client.sides(),
            &Self::Other(name, act) => {
                let connect = move |address| act(TcpStream::connect(address)?);
                vec![Side { name, act: Arc::new(move |address| connect(address).into()) }]
            }
        }
    }
}

/// What takes as long has waited for a time limit. Keepalive, after 20 s, is the shortest of those that neither a case sets nor what was seen
/// shows; and a machine may have other things to do.
pub(crate) const TOO_LONG: Duration = Duration::from_secs(15);

/// No case takes as long, unless something hangs.
const HANGS: Duration = Duration::from_secs(30);
