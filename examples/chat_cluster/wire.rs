//! What pages and nodes say to each other, as JSON in text messages: the subprotocol `chat.v1`.

use sansocket::Prepared;
use serde::{Deserialize, Serialize};

/// Offered by the page, and chosen by the node. A page of a later version offers another one, and an old node refuses it instead of
/// misunderstanding it.
pub(crate) const SUBPROTOCOL: &str = "chat.v1";

/// From a page.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum FromPage {
    /// The first message, and the only one of its kind.
    Join { room: String, name: String },
    /// `id` is of the page's choice: it sends the same again until it sees it come back, and everybody shows an id once.
    Say { id: String, text: String },
}

/// To a page.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum ToPage<'a> {
    /// The first message.
    Welcome { node: &'a str },
    /// Where the room stands, as soon as that is known and each time that it is known again; null while Redis is away, and then
    /// nothing that is said arrives. From it a page knows how many messages it has missed.
    Position { position: Option<Position<'a>> },
    /// What somebody said, the receiver included.
    Said {
        seq: u64,
        #[serde(flatten)]
        said: &'a Said,
    },
    /// What the receiver said was not published, or it is not known whether it was.
    Refused { id: &'a str, why: &'a str },
}

/// How many messages a room had so far.
#[derive(Serialize)]
pub(crate) struct Position<'a> {
    /// The counters live in Redis. When they begin anew, this is another one.
    pub(crate) era: &'a str,
    pub(crate) seq: u64,
}

/// A message on its way through Redis, as JSON after its number in the room and a space.
#[derive(Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The node that published it.
    pub(crate) node: String,
    pub(crate) text: String,
}

impl ToPage<'_> {
    /// Encoded once, for however many members.
    pub(crate) fn prepared(&self) -> Prepared {
        Prepared::new(to_json(self))
    }
}

pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings and numbers have a form in JSON")
}
