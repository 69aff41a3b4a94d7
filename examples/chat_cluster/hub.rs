//! The rooms of this process: who is in them, and what they are told. One task owns them and the connection to Redis, so that there is
//! no lock, and no order of events but one.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use redis::Client;
use redis::aio::MultiplexedConnection;
use sansocket::Prepared;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::bus::{Bus, Fault, Heard, Publisher, delay};
use crate::wire::{Position, ToPage};

/// A way to the task that owns the rooms.
#[derive(Clone)]
pub(crate) struct Hub(mpsc::Sender<(String, Member)>);

/// What the hub has of a member. When it drops this, the member was too slow.
struct Member {
    queue: mpsc::Sender<Prepared>,
    _kept: oneshot::Sender<Infallible>,
}

/// What a member has of the hub. To leave is to drop it.
pub(crate) struct Membership {
    /// What is to be sent to the page.
    pub(crate) queue: mpsc::Receiver<Prepared>,
    /// Fails when the queue was full: the member has been removed from the room.
    pub(crate) removed: oneshot::Receiver<Infallible>,
}

impl Hub {
    /// Starts the task, which connects to Redis, and connects again for as long as the process lives.
    ///
    /// # Errors
    ///
    /// What is no URL of a Redis.
    pub(crate) fn start(redis: &str) -> Result<(Self, Publisher), Fault> {
        let client = Client::open(redis)?;
        let (publishing, publisher) = watch::channel(None);
        let (joins, joining) = mpsc::channel(64);
        let connecting = connect_after(Duration::ZERO, &client);
        let rooms =
            Rooms { client, rooms: HashMap::new(), bus: None, publishing, joining, connecting, attempt: 0 };
        tokio::spawn(rooms.run());
        Ok((Self(joins), Publisher(publisher)))
    }

    /// Enters a room. The first that a member is told is where the room stands.
    pub(crate) async fn join(&self, room: String) -> Membership {
        let (sender, queue) = mpsc::channel(QUEUE);
        let (kept, removed) = oneshot::channel();
        // Fails when the hub is gone; the member is told at once then, as what was to be kept is dropped.
        let _ = self.0.send((room, Member { queue: sender, _kept: kept })).await;
        Membership { queue, removed }
    }
}

type Connecting = Pin<Box<dyn Future<Output = Result<Bus, Fault>> + Send>>;

struct Rooms {
    client: Client,
    rooms: HashMap<String, Vec<Member>>,
    /// `None` while Redis is away.
    bus: Option<Bus>,
    publishing: watch::Sender<Option<MultiplexedConnection>>,
    joining: mpsc::Receiver<(String, Member)>,
    /// Looked at only while Redis is away.
    connecting: Connecting,
    /// How many failed since Redis was last there.
    attempt: u32,
}

impl Rooms {
    async fn run(mut self) {
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                join = self.joining.recv() => match join {
                    Some((room, member)) => self.join(room, member).await,
                    // Nobody can come any more: the process ends.
                    None => return,
                },
                heard = next(&mut self.bus) => match heard {
                    Some(heard) => { self.pass_on(&heard); Ok(()) }
                    None => Err("Redis closed the connection".into()),
                },
                connected = &mut self.connecting, if self.bus.is_none() => match connected {
                    Ok(bus) => self.restore(bus).await,
                    Err(fault) => Err(fault),
                },
                _ = beats.tick() => self.beat().await,
            };
            if let Err(fault) = done {
                self.lose(&fault);
            }
        }
    }

    async fn join(&mut self, room: String, member: Member) -> Result<(), Fault> {
        let entered = match &mut self.bus {
            Some(bus) => bus.enter(&room, self.rooms.contains_key(&room)).await.map(Some),
            None => Ok(None),
        };
        let (seq, done) = match entered {
            Ok(seq) => (seq, Ok(())),
            Err(fault) => (None, Err(fault)),
        };
        // The first in its queue, so that there is room; who has gone already is found out later. What was published after the number
        // was asked for waits in the connection, and comes after this.
        let _ = member.queue.try_send(position(self.bus.as_ref(), seq));
        self.rooms.entry(room).or_default().push(member);
        done
    }

    fn pass_on(&mut self, heard: &Heard) {
        if let Some(members) = self.rooms.get_mut(&heard.room) {
            tell(members, &ToPage::Said { seq: heard.seq, said: &heard.said }.prepared());
        }
    }

    /// Redis is back: subscribes to what members are in, and tells them how far their rooms have come.
    async fn restore(&mut self, bus: Bus) -> Result<(), Fault> {
        info!(era = bus.era, rooms = self.rooms.len(), "Redis is there");
        self.publishing.send_replace(Some(bus.commands()));
        let bus = self.bus.insert(bus);
        for (room, members) in &mut self.rooms {
            let seq = bus.enter(room, false).await?;
            tell(members, &position(Some(bus), Some(seq)));
        }
        self.attempt = 0;
        Ok(())
    }

    /// Redis is away: tells everybody, and tries again after a while.
    fn lose(&mut self, fault: &Fault) {
        let delay = delay(self.attempt);
        warn!(%fault, ?delay, "no Redis");
        self.attempt += 1;
        self.publishing.send_replace(None);
        if self.bus.take().is_some() {
            let away = position(None, None);
            for members in self.rooms.values_mut() {
                tell(members, &away);
            }
        }
        self.connecting = connect_after(delay, &self.client);
    }

    /// Forgets who has gone, leaves rooms where nobody is, and sees whether Redis is still there.
    async fn beat(&mut self) -> Result<(), Fault> {
        let mut empty = Vec::new();
        self.rooms.retain(|room, members| {
            members.retain(|member| !member.queue.is_closed());
            if members.is_empty() {
                empty.push(room.clone());
            }
            !members.is_empty()
        });
        let Some(bus) = &mut self.bus else { return Ok(()) };
        for room in &empty {
            bus.leave(room).await?;
        }
        bus.beat().await
    }
}

/// What comes next from Redis; nothing while it is away.
async fn next(bus: &mut Option<Bus>) -> Option<Heard> {
    match bus {
        Some(bus) => bus.next().await,
        None => std::future::pending().await,
    }
}

/// Queues a message for all members. Nobody is waited for: whose queue is full leaves the room, so that one page that does not read
/// holds up nobody else.
fn tell(members: &mut Vec<Member>, message: &Prepared) {
    members.retain(|member| member.queue.try_send(message.clone()).is_ok());
}

fn position(bus: Option<&Bus>, seq: Option<u64>) -> Prepared {
    let position = bus.zip(seq).map(|(bus, seq)| Position { era: &bus.era, seq });
    ToPage::Position { position }.prepared()
}

fn connect_after(delay: Duration, client: &Client) -> Connecting {
    let client = client.clone();
    Box::pin(async move {
        tokio::time::sleep(delay).await;
        Bus::connect(&client).await
    })
}

/// Messages that may wait for one member. Some seconds of a lively room, and half a megabyte where all are as long as can be; they are
/// shared with the other members.
const QUEUE: usize = 64;

/// Between two looks at Redis and at who has gone.
const BEAT: Duration = Duration::from_secs(5);
