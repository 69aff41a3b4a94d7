//! Servers that are killed: what a client that connects again makes of it, and what becomes of its messages.
//!
//! Each message has a number. The server notes it, and acknowledges it by the number. Messages whose fate the client does not know
//! when a connection ends are sent again, and the server knows by their numbers which of them it has: so each is dealt with once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use sansocket::{
    Accept, ClientRequest, CloseCode, GaveUp, Message, Role, ServerConfig, SessionEvent, SessionSendError,
};
use sansocket_driver::MaybeTls;

use crate::cases::ours;
use crate::failover::in_short;
use crate::matrix::{Case, Client, Server, Topic};
use crate::platform::{self, Client as _, Platform, Socket};
use crate::relay::Relay;
use crate::saw::Saw;
use crate::sides::{Door, OnEach};

/// A server that comes back, and one that does not.
#[must_use]
pub(crate) fn topic() -> Topic {
    let cases = vec![
        Case {
            name: "killed under load",
            tried: "the server dies three times with messages on their way, and is back for the second attempt of the client",
            server: Server::Ledger(Ledger),
            client: Client::Reconnect(Reconnect { comes_back: true, max_attempts: 100 }),
            server_sees: "600 messages over 4 connections, each dealt with once; Close 1000 (normal)",
            client_sees: "600 messages, 600 acknowledgements; killed 3 times, back 3 times; Close 1000 (normal)",
            ..ours()
        },
        Case {
            name: "gone for good",
            tried: "the server dies and does not come back; max_reconnect_attempts is 3",
            server: Server::Ledger(Ledger),
            client: Client::Reconnect(Reconnect { comes_back: false, max_attempts: 3 }),
            server_sees: "connections: 1; then nobody came any more",
            client_sees: "gave up after: connection lost, refused, refused, refused",
            ..ours()
        },
    ];
    Topic { name: "reconnect", cases }
}

/// A server that notes each message, and acknowledges it.
#[derive(Clone, Copy)]
pub(crate) struct Ledger;

#[derive(Default)]
struct Noted {
    numbers: BTreeSet<u64>,
    /// How many came that had come before.
    again: u32,
    connections: u32,
}

impl OnEach<Door> for Ledger {
    async fn act<P: Platform>(&self, door: Door) -> Saw {
        let mut noted = Noted::default();
        noted.serve_all::<P>(&door).await.unwrap_or_else(|error| error.to_string().into())
    }
}

impl Noted {
    /// Serves one connection after the other, until one ends as it should or nobody comes any more.
    async fn serve_all<P: Platform>(&mut self, door: &Door) -> Result<Saw, Box<dyn Error>> {
        let close = loop {
            let Some(tcp) = door.next()? else {
                return Ok(format!("connections: {}; then nobody came any more", self.connections).into());
            };
            self.connections += 1;
            let stream = MaybeTls::plain(P::stream(tcp)?);
            let mut socket = P::accept(stream, &ServerConfig::default(), |_| Ok(Accept::new())).await?;
            // To be killed is what this is about.
            let _ = self.serve(&mut socket).await;
            if let Some(close) = socket.closed().and_then(|closed| closed.received) {
                break close;
            }
        };
        let (messages, connections) = (self.numbers.len(), self.connections);
        let text = format!(
            "{messages} messages over {connections} connections, each dealt with once; Close {}",
            close.code()
        );
        let again = format!("of those that came a second time, {} had been dealt with before", self.again);
        Ok(Saw { text, diagnosis: Some(again) })
    }

    async fn serve(&mut self, socket: &mut impl Socket) -> Result<(), sansocket_driver::Error> {
        while let Some(message) = socket.recv().await? {
            let number = number_of(&message);
            self.again += u32::from(!self.numbers.insert(number));
            socket.send(number.to_string().into()).await?;
        }
        Ok(())
    }
}

/// A client that sends [`MESSAGES`] and kills the server in the middle of it, [`KILLS`] times.
#[derive(Clone, Copy)]
pub(crate) struct Reconnect {
    /// Whether the server is started again, for attempt [`TRIES`] of the client.
    comes_back: bool,
    /// What `max_reconnect_attempts` is.
    max_attempts: u32,
}

/// What a client knows of its messages.
#[derive(Default)]
struct Load {
    /// The next one that was never sent.
    next: u64,
    /// To be sent again.
    again: VecDeque<u64>,
    /// Those on their way, by the number that the session gave them.
    on_their_way: BTreeMap<u64, u64>,
    acknowledged: BTreeSet<u64>,
    acknowledgements: u32,
    sent_again: u32,
}

impl OnEach<SocketAddr> for Reconnect {
    async fn act<P: Platform>(&self, server: SocketAddr) -> Saw {
        self.visit::<P>(server).await.unwrap_or_else(|error| error.to_string().into())
    }
}

impl Reconnect {
    async fn visit<P: Platform>(&self, server: SocketAddr) -> Result<Saw, Box<dyn Error>> {
        let relay = Relay::to(server);
        let request = ClientRequest::new(&format!("ws://{}/feed", relay.address))?;
        let mut client = P::client(|builder| {
            builder.session.servers.push(request);
            builder.session.reconnect_delay = DELAY;
            builder.session.max_reconnect_delay = DELAY;
            builder.session.max_reconnect_attempts = Some(self.max_attempts);
        })?;
        let mut load = Load::default();
        let (mut kills, mut tries, mut outages) = (0, 0, Vec::new());
        while load.acknowledged.len() < MESSAGES {
            load.send(&mut client).await?;
            match client.next().await {
                Some(SessionEvent::Message(message)) => {
                    load.acknowledge(&message);
                    if kills < KILLS && load.acknowledged.len() >= (kills + 1) * MESSAGES / (KILLS + 1) {
                        relay.kill();
                        (kills, tries) = (kills + 1, 0);
                    }
                }
                Some(SessionEvent::Disconnected(lost)) => load.lose(lost.queued),
                Some(SessionEvent::Reconnecting(next)) => {
                    if next.delay > DELAY {
                        return Err(format!("a delay of {:?}, longer than {DELAY:?}", next.delay).into());
                    }
                    tries += 1;
                    if tries == TRIES && self.comes_back {
                        relay.restart();
                    }
                }
                Some(SessionEvent::Reconnected(again)) => {
                    if again.attempts != u64::from(TRIES) {
                        return Err(format!("back after {} attempts, not {TRIES}", again.attempts).into());
                    }
                    outages.push(format!("{} ms ({} attempts)", again.outage.as_millis(), again.attempts));
                }
                Some(SessionEvent::GaveUp(all)) => return Ok(gave_up(&all)),
                Some(_) => {}
                None => return Err("an end without a reason".into()),
            }
        }
        let closed = client.close(CloseCode::NORMAL).await?.ok_or("there was no connection")?;
        let end = Saw::of_connection(Vec::new(), Some((*closed).clone()), Role::Client, None);
        let text = format!(
            "{} messages, {} acknowledgements; killed {kills} times, back {} times; {}",
            load.acknowledged.len(),
            load.acknowledgements,
            outages.len(),
            closed.received.as_ref().map_or(end.text, |close| format!("Close {}", close.code())),
        );
        let diagnosis = format!(
            "back after {}; {} messages without an acknowledgement were sent again",
            outages.join(", "),
            load.sent_again
        );
        Ok(Saw { text, diagnosis: Some(diagnosis) })
    }
}

fn gave_up(all: &GaveUp) -> Saw {
    let tried: Vec<_> = all.attempts.iter().map(|attempt| in_short(&attempt.setback)).collect();
    Saw { text: format!("gave up after: {}", tried.join(", ")), diagnosis: Some(all.to_string()) }
}

impl Load {
    /// Sends as many as may be on their way at a time.
    async fn send(&mut self, client: &mut impl platform::Client) -> Result<(), SessionSendError> {
        while self.on_their_way.len() < WINDOW {
            let number = match self.again.pop_front() {
                Some(number) => number,
                None if self.next < MESSAGES as u64 => {
                    self.next += 1;
                    self.next - 1
                }
                None => break,
            };
            let message = format!("{number} {}", "x".repeat(500)).into();
            self.on_their_way.insert(client.send(message).await?, number);
        }
        Ok(())
    }

    fn acknowledge(&mut self, message: &Message) {
        let number = number_of(message);
        self.acknowledgements += 1;
        self.acknowledged.insert(number);
        self.on_their_way.retain(|_, on_its_way| *on_its_way != number);
    }

    /// After the connection was lost: the session still has the last `queued`, and sends them by itself.
    fn lose(&mut self, queued: usize) {
        let lost = self.on_their_way.len().saturating_sub(queued);
        for _ in 0..lost {
            self.again.extend(self.on_their_way.pop_first().map(|(_, number)| number));
        }
        self.sent_again += lost as u32;
    }
}

fn number_of(message: &Message) -> u64 {
    let text = message.as_text().unwrap_or_default();
    text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(u64::MAX)
}

const MESSAGES: usize = 600;

const KILLS: usize = 3;

/// Which attempt finds the server again: it is started when the client announces this one.
const TRIES: u32 = 2;

/// Messages on their way at a time.
const WINDOW: usize = 100;

/// The longest delay between two attempts.
const DELAY: Duration = Duration::from_millis(10);
