//! Clients with two servers, of which the first fails: why they go on to the second, and that they get there.

use std::error::Error;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use sansocket::{ClientRequest, CloseCode, Message, Role, SessionEvent, Setback};

use crate::cases::ours;
use crate::matrix::{Case, Client, Topic};
use crate::platform::{Client as _, Platform};
use crate::proxy::read_head;
use crate::saw::Saw;
use crate::sides::OnEach;

/// A first server that refuses, is silent or has too much to do.
#[must_use]
pub(crate) fn topic() -> Topic {
    let case = |name, tried, start| Case {
        name,
        tried,
        client: Client::Failover(Failover { start }),
        server_sees: "3 in, 3 out; Close 1000 (normal) from the client",
        ..ours()
    };
    let cases = vec![
        Case {
            client_sees: "the first server: refused; connected to the second; 3 in, 3 out; Close 1000 (normal) from the client",
            ..case("the first refuses", "nobody listens at the first of two servers", refusing as fn() -> _)
        },
        Case {
            client_sees: "the first server: server-busy, status 503; connected to the second; 3 in, 3 out; Close 1000 (normal) from the client",
            ..case(
                "the first is busy",
                "the first of two servers answers 503 with Retry-After: 120, which is nothing to the second",
                busy,
            )
        },
        Case {
            client_sees: "the first server: timed-out after 0 bytes; connected to the second; 3 in, 3 out; Close 1000 (normal) from the client",
            at_once: true,
            ..case(
                "the first is silent",
                "the first of two servers accepts TCP and says nothing, for 1 s",
                silent,
            )
        },
    ];
    Topic { name: "failover", cases }
}

/// A client with two servers. It talks to the second, which is the one that listens in the matrix.
#[derive(Clone, Copy)]
pub(crate) struct Failover {
    /// Starts the first.
    start: fn() -> io::Result<First>,
}

/// A server that fails.
struct First {
    address: SocketAddr,
    /// What has to stay open for that.
    _held: Option<(TcpListener, TcpStream)>,
}

impl OnEach<SocketAddr> for Failover {
    async fn act<P: Platform>(&self, server: SocketAddr) -> Saw {
        self.visit::<P>(server).await.into()
    }
}

impl Failover {
    async fn visit<P: Platform>(&self, server: SocketAddr) -> Result<Saw, Box<dyn Error>> {
        let first = (self.start)()?;
        let addresses = [first.address, server].into_iter();
        let servers: Result<Vec<_>, _> =
            addresses.map(|address| ClientRequest::new(&format!("ws://{address}/chat"))).collect();
        let servers = servers?;
        let mut client = P::client(|builder| {
            builder.session.servers = servers;
            builder.session.connection.timeouts.handshake = Some(PATIENCE);
            builder.session.reconnect_delay = Duration::from_millis(10);
        })?;
        let (mut notes, mut log) = (Vec::new(), Vec::new());
        // Which server is tried, whether it was reached, and what is said to it.
        let (mut server, mut open) = (0, false);
        let (mut left, mut asked) = (vec!["Grüße 🌍", "hello", ""], None);
        while let Some(event) = client.next().await {
            match event {
                SessionEvent::Reconnecting(next) => {
                    log.push(next.why.to_string());
                    log.push(format!("so {} is next, in {} ms", name(next.server), next.delay.as_millis()));
                    notes.push(format!("{} server: {}", name(server), in_short(&next.why)));
                    server = next.server;
                }
                SessionEvent::Connected(connected) => {
                    notes.push(format!("connected to {}", name(connected.server)));
                    open = true;
                }
                SessionEvent::Message(message) if asked.as_ref() == Some(&message) => {}
                SessionEvent::GaveUp(all) => return Err(all),
                // What is of no interest here would come as something unexpected later.
                other => return Err(format!("{other:?}").into()),
            }
            if open {
                let Some(text) = left.pop() else { break };
                asked = Some(Message::from(text));
                client.send(text.into()).await?;
            }
        }
        let closed = client.close(CloseCode::NORMAL).await?;
        let mut saw = Saw::of_connection(notes, closed.map(|closed| (*closed).clone()), Role::Client, None);
        saw.diagnosis.get_or_insert_with(|| log.join("\n"));
        Ok(saw)
    }
}

/// Why an attempt failed, without what differs from time to time.
pub(crate) fn in_short(why: &Setback) -> String {
    match why {
        Setback::Failed(failed) => match failed.dial_error() {
            Some(error) => Saw::from(error.clone()).text,
            None => failed.to_string(),
        },
        Setback::Lost(_) => "connection lost".into(),
        other => other.to_string(),
    }
}

fn name(server: usize) -> &'static str {
    ["the first", "the second"].get(server).unwrap_or(&"another")
}

/// A port that a connection of its own occupies, and where nobody listens. It can become nobody else's meanwhile.
fn refusing() -> io::Result<First> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let stream = TcpStream::connect(listener.local_addr()?)?;
    Ok(First { address: stream.local_addr()?, _held: Some((listener, stream)) })
}

fn busy() -> io::Result<First> {
    serve(|mut tcp| {
        read_head(&mut tcp)?;
        tcp.write_all(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n")
    })
}

fn silent() -> io::Result<First> {
    serve(|mut tcp| io::copy(&mut tcp, &mut io::sink()).map(drop))
}

/// Does this with each connection, until the program ends.
fn serve(act: fn(TcpStream) -> io::Result<()>) -> io::Result<First> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || listener.incoming().try_for_each(|tcp| act(tcp?)));
    Ok(First { address, _held: None })
}

/// The time limit of an opening handshake: soon over, and yet more than one with a server that answers takes on a machine that has other
/// things to do.
const PATIENCE: Duration = Duration::from_secs(1);
