//! One connection: who may open it, what it is answered, and its end, whoever wishes it.

use std::time::Duration;

use sansocket::{Accept, Answer, CloseCode, Message, Origins, PlainRequest, Reject, Request, ServerConfig};
use sansocket_tokio::{Error, WebSocket, accept_or_answer};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tracing::{Instrument, debug, info};

use crate::bus::Publisher;
use crate::hub::{Hub, Membership};
use crate::wire::{FromPage, SUBPROTOCOL, Said, ToPage};

const PAGE: &str = include_str!("page.html");

/// What all connections of this process share.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) config: ServerConfig,
    pub(crate) origins: Origins,
    pub(crate) hub: Hub,
    pub(crate) publisher: Publisher,
    /// Becomes true when this process is to end.
    pub(crate) stopping: watch::Receiver<bool>,
}

type Socket = WebSocket<TcpStream>;
type Ending = (CloseCode, &'static str);

impl Node {
    /// A connection, from its first byte to its end.
    pub(crate) async fn serve(&self, stream: TcpStream) {
        let mut stopping = self.stopping.clone();
        let opened = tokio::select! {
            opened = accept_or_answer(stream, &self.config, |request| self.decide(request), answer) => opened,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        match opened {
            Ok(Some(socket)) => {
                let span = socket.span();
                self.talk(socket).instrument(span).await;
            }
            Ok(None) => debug!("a plain request was answered"),
            // The library has logged it in one line, at the level that it deserves.
            Err(_) => {}
        }
    }

    /// Whether a client may open a WebSocket. Who the user is would be asked here as well: a cookie is sent with the request.
    fn decide(&self, request: &Request) -> Result<Accept, Reject> {
        self.origins.check(request)?;
        if request.path() != "/chat" {
            return Err(Reject::not_found());
        }
        if !request.subprotocols().any(|offered| offered == SUBPROTOCOL) {
            let why = format!(
                "This server speaks the subprotocol {SUBPROTOCOL}, which the client does not offer.\n"
            );
            return Err(Reject::new(400).body("text/plain", why).unwrap_or_else(|_| Reject::new(400)));
        }
        Ok(Accept::new().subprotocol(SUBPROTOCOL))
    }

    async fn talk(&self, mut socket: Socket) {
        let mut stopping = self.stopping.clone();
        // What is dropped here when the node stops is not lost without a word: the page sees that its message has not come back.
        let (code, reason) = tokio::select! {
            ending = self.converse(&mut socket) => match ending {
                Ok(ending) => ending,
                Err(error) => {
                    info!(%error, "ended");
                    return;
                }
            },
            // A page connects again at once after that, and HAProxy leads it to another node.
            _ = stopping.wait_for(|stop| *stop) => (CloseCode::GOING_AWAY, "this node is going away"),
        };
        // If the connection has ended already, this only tells how.
        match socket.close(code, reason).await {
            Ok(closed) => info!("{closed}"),
            Err(error) => info!(%error, "not closed"),
        }
    }

    /// Until somebody wishes an end.
    async fn converse(&self, socket: &mut Socket) -> Result<Ending, Error> {
        let (room, name) = match timeout(JOIN, socket.recv()).await {
            Ok(first) => match first?.as_ref().map(parse) {
                Some(Some(FromPage::Join { room, name })) if is_room(&room) && is_short(&name, 1, 32) => {
                    (room, name)
                }
                Some(_) => {
                    return Ok((CloseCode::POLICY_VIOLATION, "the first message must be a valid join"));
                }
                None => return Ok((CloseCode::NORMAL, "")),
            },
            Err(_) => return Ok((CloseCode::POLICY_VIOLATION, "there was no join in time")),
        };
        socket.send_prepared(&ToPage::Welcome { node: &self.name }.prepared()).await?;
        let Membership { queue, removed } = self.hub.join(room.clone()).await;
        info!(room, name, "joined");
        tokio::select! {
            ending = self.exchange(socket, &room, &name, queue) => ending,
            _ = removed => Ok((CloseCode::TRY_AGAIN_LATER, "too slow: too many messages were waiting")),
        }
    }

    /// Messages both ways. To drop it at any moment does no harm: a message is received and sent whole or not at all.
    async fn exchange(
        &self,
        socket: &mut Socket,
        room: &str,
        name: &str,
        mut queue: mpsc::Receiver<sansocket::Prepared>,
    ) -> Result<Ending, Error> {
        loop {
            let received = tokio::select! {
                received = socket.recv() => received?,
                Some(message) = queue.recv() => {
                    socket.send_prepared(&message).await?;
                    continue;
                }
            };
            let Some(message) = received else { return Ok((CloseCode::NORMAL, "")) };
            match parse(&message) {
                Some(FromPage::Say { id, text }) if is_short(&id, 1, 64) && is_short(&text, 1, 2000) => {
                    let said = Said { id, text, name: name.to_owned(), node: self.name.clone() };
                    // The next one is received when this one is published: who says too much waits, and nothing piles up here.
                    if let Err(fault) = self.publisher.publish(room, &said).await {
                        let refused = ToPage::Refused { id: &said.id, why: &fault.to_string() };
                        socket.send_prepared(&refused.prepared()).await?;
                    }
                }
                _ => return Ok((CloseCode::POLICY_VIOLATION, "a message must be a valid say")),
            }
        }
    }
}

/// Answers a request that asks for no WebSocket.
fn answer(request: &PlainRequest) -> Answer {
    match (request.method(), request.path()) {
        // Says that this process takes connections, and nothing of Redis: that is the same for all nodes, and if all of them were
        // taken out because of it, pages could not even be told.
        ("GET" | "HEAD", "/healthz") => Answer::new(200),
        ("GET" | "HEAD", "/") => page(),
        _ => Reject::not_found().into(),
    }
}

fn page() -> Answer {
    // The page has its script and style in itself, and talks to where it came from.
    let policy = "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                  base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    Answer::new(200)
        .body("text/html; charset=utf-8", PAGE)
        .and_then(|answer| answer.field("Content-Security-Policy", policy))
        .and_then(|answer| answer.field("Cache-Control", "no-cache"))
        .unwrap_or_else(|_| Answer::new(500))
}

fn parse(message: &Message) -> Option<FromPage> {
    serde_json::from_str(message.as_text()?).ok()
}

fn is_room(room: &str) -> bool {
    is_short(room, 1, 32) && room.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Whether it has so many characters.
fn is_short(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.chars().count())
}

/// How long a page may take for its first message.
const JOIN: Duration = Duration::from_secs(10);
