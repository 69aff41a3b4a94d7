//! What is asked of Redis: subscriptions to rooms, and messages with their numbers. Two connections, as one with subscriptions takes
//! no other commands.

use std::error::Error;
use std::time::Duration;

use futures_lite::StreamExt;
use redis::aio::{MultiplexedConnection, PubSubSink, PubSubStream};
use redis::{AsyncConnectionConfig, Client, RedisError, cmd};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::warn;

use crate::wire::{Said, to_json};

pub(crate) type Fault = Box<dyn Error + Send + Sync>;

/// A connection to Redis with subscriptions, and one for the rest.
pub(crate) struct Bus {
    subscriptions: PubSubSink,
    messages: PubSubStream,
    commands: MultiplexedConnection,
    /// Of the counters of this Redis; see [`crate::wire::Position`].
    pub(crate) era: String,
    /// A channel that this process alone listens to.
    own_channel: String,
    /// Whether the last heartbeat has come back.
    is_alive: bool,
}

/// What came by a subscription.
pub(crate) struct Heard {
    pub(crate) room: String,
    pub(crate) seq: u64,
    pub(crate) said: Said,
}

impl Bus {
    pub(crate) async fn connect(client: &Client) -> Result<Self, Fault> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(LIMIT));
        let mut commands = client.get_multiplexed_async_connection_with_config(&config).await?;
        let (subscriptions, messages) = within(client.get_async_pubsub()).await?.split();
        let (own, mine) = (random(), format!("{:016x}", random()));
        // Whoever comes first to a Redis without data begins an era.
        cmd("SET").arg(ERA).arg(&mine).arg("NX").exec_async(&mut commands).await?;
        let era = cmd("GET").arg(ERA).query_async(&mut commands).await?;
        let own_channel = format!("{BEAT}{own:016x}");
        let mut bus = Self { subscriptions, messages, commands, era, own_channel, is_alive: true };
        within(bus.subscriptions.subscribe(&bus.own_channel)).await?;
        Ok(bus)
    }

    /// Listens to `room`, unless that is done already, and returns how many messages it had so far: all after that will be heard, and
    /// perhaps some before.
    pub(crate) async fn enter(&mut self, room: &str, is_heard: bool) -> Result<u64, Fault> {
        if !is_heard {
            within(self.subscriptions.subscribe(format!("{ROOM}{room}"))).await?;
        }
        let seq: Option<u64> = cmd("GET").arg(format!("{SEQ}{room}")).query_async(&mut self.commands).await?;
        Ok(seq.unwrap_or(0))
    }

    pub(crate) async fn leave(&mut self, room: &str) -> Result<(), Fault> {
        within(self.subscriptions.unsubscribe(format!("{ROOM}{room}"))).await
    }

    /// What comes next in the rooms that are subscribed to, or `None` when the connection is lost. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Heard> {
        loop {
            let message = self.messages.next().await?;
            let channel = message.get_channel_name();
            if channel == self.own_channel {
                self.is_alive = true;
                continue;
            }
            let Some(room) = channel.strip_prefix(ROOM) else { continue };
            match parse(message.get_payload_bytes()) {
                Some((seq, said)) => return Some(Heard { room: room.to_owned(), seq, said }),
                None => warn!(room, "somebody else publishes here: what came is no message of a node"),
            }
        }
    }

    /// Sends something to this process by way of Redis, and fails if what was sent the last time has not come. A connection that was
    /// lost without a word, to a machine that is gone, is noticed by nothing else.
    pub(crate) async fn beat(&mut self) -> Result<(), Fault> {
        if !std::mem::replace(&mut self.is_alive, false) {
            return Err("the last heartbeat has not come back".into());
        }
        cmd("PUBLISH").arg(&self.own_channel).arg("").exec_async(&mut self.commands).await?;
        Ok(())
    }

    pub(crate) fn commands(&self) -> MultiplexedConnection {
        self.commands.clone()
    }
}

/// Publishes, from any task, as long as there is a connection.
#[derive(Clone)]
pub(crate) struct Publisher(pub(crate) watch::Receiver<Option<MultiplexedConnection>>);

impl Publisher {
    /// Gives a message its number in the room, and hands it to all nodes that listen: this one too, so that all members see
    /// one order.
    ///
    /// An error means that it was not published, or that this is not known.
    pub(crate) async fn publish(&self, room: &str, said: &Said) -> Result<(), Fault> {
        let commands = self.0.borrow().clone();
        let Some(mut commands) = commands else { return Err("Redis is away".into()) };
        cmd("EVAL")
            .arg(PUBLISH)
            .arg(1)
            .arg(format!("{SEQ}{room}"))
            .arg(format!("{ROOM}{room}"))
            .arg(to_json(said))
            .arg(KEPT.as_secs())
            .exec_async(&mut commands)
            .await
            .map_err(|error| format!("Redis: {error}").into())
    }
}

fn parse(payload: &[u8]) -> Option<(u64, Said)> {
    let (seq, said) = std::str::from_utf8(payload).ok()?.split_once(' ')?;
    Some((seq.parse().ok()?, serde_json::from_str(said).ok()?))
}

/// Redis may hang, and nothing here waits for it longer than that.
async fn within<T>(asked: impl Future<Output = Result<T, RedisError>>) -> Result<T, Fault> {
    match timeout(LIMIT, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(format!("Redis did not answer within {LIMIT:?}").into()),
    }
}

/// Before attempt `attempt` to connect to Redis, counted from 0: longer each time up to a limit, and drawn at random, so that nodes that lost
/// Redis together do not come back together.
pub(crate) fn delay(attempt: u32) -> Duration {
    let ceiling = FIRST_DELAY.saturating_mul(1 << attempt.min(10)).min(LONGEST_DELAY);
    let part = random() % 1000;
    ceiling / 2 + ceiling.mul_f64(part as f64 / 2000.0)
}

/// The clock will do where there are no random numbers: what is needed here is only that nodes differ.
fn random() -> u64 {
    getrandom::u64().unwrap_or_else(|_| {
        let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        u64::from(since.subsec_nanos()) << 32 | u64::from(std::process::id())
    })
}

/// For one answer of Redis.
const LIMIT: Duration = Duration::from_secs(1);
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

const ERA: &str = "chat:era";
const SEQ: &str = "chat:seq:";
const ROOM: &str = "chat:room:";
const BEAT: &str = "chat:beat:";

/// A room in which nothing was said for so long begins to count anew, or rooms would fill Redis for ever.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// A script runs as a whole: numbers are published in their order.
const PUBLISH: &str = "
    local seq = redis.call('INCR', KEYS[1])
    redis.call('EXPIRE', KEYS[1], ARGV[3])
    redis.call('PUBLISH', ARGV[1], seq .. ' ' .. ARGV[2])";
