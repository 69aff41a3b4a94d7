//! A room: what one says, all get. Who may enter is decided by the page's origin, by a subprotocol and by a token, whose look-up may
//! take its time; `/healthz` on the same port answers a load balancer. To be copied and changed.
//!
//! ```sh
//! cargo run --release -p sansocket-examples --bin room_server -- 127.0.0.1:4000
//! cargo run --release -p sansocket-examples --bin echo_client -- --subprotocol room.v1 'ws://127.0.0.1:4000/room?token=alice'
//! curl -i http://127.0.0.1:4000/healthz
//! ```

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use sansocket_tokio::{
    Accept, Answer, AnyRequest, Incoming, Message, Origins, PlainRequest, Prepared, Reject, Request,
    ServerConfig, WebSocket, receive_any,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;
use tracing::{Instrument, info, warn};
use tracing_subscriber::EnvFilter;

/// What all connections share.
struct Room {
    config: ServerConfig,
    origins: Origins,
    /// What is said, ready to be sent: it is made into frames once, for everybody.
    said: broadcast::Sender<Prepared>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Failed handshakes, and why they were rejected, are logged by the library.
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).from_env()?;
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
    let mut config = ServerConfig::default();
    config.plain_http = true;
    let origins = Origins::new().allow("https://example.com")?.allow("http://localhost:8080")?;
    let room = Arc::new(Room { config, origins, said: broadcast::Sender::new(BACKLOG) });

    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4000".into());
    let listener = TcpListener::bind(&listen).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(serve(stream, Arc::clone(&room)))),
            Err(error) => {
                // There are no file descriptors left, most likely.
                warn!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// One connection, from its request to its end.
async fn serve(stream: TcpStream, room: Arc<Room>) {
    match receive_any(stream, &room.config).await {
        Ok(AnyRequest::WebSocket(incoming)) => {
            // What failed has been logged, and the client was told.
            let Ok(socket) = admit(incoming, &room).await else { return };
            let span = socket.span();
            talk(socket, &room).instrument(span).await;
        }
        Ok(AnyRequest::Http(page)) => {
            let answer = answer(page.request());
            page.answer(answer).await;
        }
        Err(_) => {}
    }
}

/// Plain HTTP.
fn answer(request: &PlainRequest) -> Answer {
    match request.path() {
        "/healthz" => Answer::new(200),
        _ => Reject::not_found().into(),
    }
}

/// Lets a client in, or says why not.
async fn admit(incoming: Incoming, room: &Room) -> Result<WebSocket<TcpStream>, sansocket_tokio::Error> {
    // Nobody but this function limits how long it takes.
    let decided = timeout(Duration::from_secs(5), decide(incoming.request(), room)).await;
    match decided.unwrap_or_else(|_| {
        Err(Reject::too_busy(Duration::from_secs(5)).because("the look-up takes too long"))
    }) {
        Ok(accept) => incoming.accept(accept).await,
        Err(reject) => Err(incoming.reject(reject).await),
    }
}

async fn decide(request: &Request, room: &Room) -> Result<Accept, Reject> {
    if request.path() != "/room" {
        return Err(Reject::not_found());
    }
    // Browsers let every page connect to every server, and send the user's cookies along.
    room.origins.check(request)?;
    let Some(subprotocol) = request.choose(&["room.v1"]) else {
        return Err(Reject::new(400).because("no subprotocol that this server speaks"));
    };
    let token = request
        .query()
        .unwrap_or_default()
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))
        .unwrap_or_default();
    let Some(user) = user_of(token).await else {
        // The log gets the reason, and never the token.
        return Err(Reject::forbidden("Who are you?").because("unknown token"));
    };
    info!(user, "enters");
    Ok(Accept::new().subprotocol(subprotocol))
}

/// Stands for a look into a database.
async fn user_of(token: &str) -> Option<&'static str> {
    tokio::task::yield_now().await;
    ["alice", "bob"].into_iter().find(|user| *user == token)
}

/// Passes on what is said, both ways, until the connection ends.
async fn talk(mut socket: WebSocket<TcpStream>, room: &Room) {
    let mut heard = room.said.subscribe();
    loop {
        let sent = tokio::select! {
            received = socket.recv() => match received {
                Ok(Some(message)) => {
                    // Fails only if nobody hears, and this connection does.
                    let _ = room.said.send(Prepared::new(message));
                    Ok(())
                }
                Ok(None) => return info!("left"),
                Err(error) => Err(error),
            },
            said = heard.recv() => match said {
                Ok(said) => socket.send_prepared(&said).await,
                // This client reads more slowly than the others talk, and has to do without some of it.
                Err(RecvError::Lagged(missed)) => socket.send(Message::from(format!("({missed} missed)"))).await,
                Err(RecvError::Closed) => return,
            },
        };
        if let Err(error) = sent {
            return info!(%error, "gone");
        }
    }
}

/// Messages that wait for the slowest connection, before it misses some.
const BACKLOG: usize = 256;
