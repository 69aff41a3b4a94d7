//! A room: what one says, all get. Who may enter is decided by the page's origin, by a subprotocol and by a token, whose look-up may
//! take its time; `/healthz` on the same port answers a load balancer. To be copied and changed.
//!
//! ```sh
//! cargo run --release -p sansocket-examples --bin room_server -- 127.0.0.1:4000
//! cargo run --release -p sansocket-examples --bin echo_client -- --subprotocol room.v1 'ws://127.0.0.1:4000/room?token=alice'
//! curl -i http://127.0.0.1:4000/healthz
//! ```

use std::error::Error;

use sansocket_tokio::{
    Accept, Answer, CloseCode, ConnectionInfo, Message, Origins, Prepared, Reject, Server, WebSocket,
};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tracing::info;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Failed handshakes, and why they were rejected, are logged by the library.
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).from_env()?;
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
    // What is said, ready to be sent: it is made into frames once, for everybody.
    let room: broadcast::Sender<Prepared> = broadcast::Sender::new(BACKLOG);

    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4000".into());
    let server = Server::bind(listen)
        // Browsers let every page connect to every server, and send the user's cookies along.
        .origins(Origins::new().allow("https://example.com")?.allow("http://localhost:8080")?)
        .decide_async(decide)
        .answer_http(|request, server| match request.path() {
            "/healthz" => Answer::new(if server.is_draining() { 503 } else { 200 }),
            _ => Reject::not_found().into(),
        })
        .on_connection(move |socket, info| talk(socket, info, room.clone()));
    let handle = server.start().await?;
    println!("listening on ws://{}", handle.local_addresses()[0]);
    handle.finished().await;
    Ok(())
}

/// Lets a client in, or says why not. How long it may take is `config.timeouts.handshake` of the server's options.
async fn decide(info: ConnectionInfo) -> Result<Accept, Reject> {
    let request = &info.request;
    if request.path() != "/room" {
        return Err(Reject::not_found());
    }
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
    // For `talk`, which is to know whom it talks to.
    Ok(Accept::new().subprotocol(subprotocol).attach(User(user)))
}

/// Who a client is.
struct User(&'static str);

/// Stands for a look into a database.
async fn user_of(token: &str) -> Option<&'static str> {
    tokio::task::yield_now().await;
    ["alice", "bob"].into_iter().find(|user| *user == token)
}

/// Passes on what is said, both ways, until the connection ends.
async fn talk(mut socket: WebSocket, info: ConnectionInfo, room: broadcast::Sender<Prepared>) {
    // `decide` lets nobody in without one.
    let Some(&User(user)) = info.attached() else { return };
    // The request is not needed any more, and is memory.
    drop(info);
    info!(user, "enters");
    let mut heard = room.subscribe();
    loop {
        let sent = tokio::select! {
            received = socket.recv() => match received {
                Ok(Some(Message::Text(text))) => {
                    // Fails only if nobody hears, and this connection does.
                    let _ = room.send(Prepared::new(format!("{user}: {text}")));
                    Ok(())
                }
                Ok(Some(Message::Binary(_))) => {
                    info!(user, "sent binary data");
                    return drop(socket.close(CloseCode::UNSUPPORTED_DATA, "this room is for text").await);
                }
                Ok(None) => return info!(user, "left"),
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
            return info!(user, %error, "gone");
        }
    }
}

/// Messages that wait for the slowest connection, before it misses some.
const BACKLOG: usize = 256;
