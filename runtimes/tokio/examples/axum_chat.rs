//! A chat room in a server of axum: what one member says, all hear.
//!
//! ```sh
//! cargo run -p sansocket-tokio --features axum --example axum_chat
//! ```
//!
//! Open <http://127.0.0.1:3000/> in two windows, or run `chat_client` of the examples with `ws://127.0.0.1:3000/chat`.

use axum::Router;
use axum::extract::State;
use axum::response::{Html, Response};
use axum::routing::{any, get};
use axum::serve::ListenerExt;
use sansocket_tokio::axum::{WebSocket, WebSocketUpgrade};
use sansocket_tokio::{CloseCode, Error, Message};
use tokio::net::TcpListener;
use tokio::sync::broadcast::{Sender, error::RecvError};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("http://{}/", listener.local_addr()?);
    // axum hides the TCP stream, so that it is here that the delay of small messages is turned off.
    let listener = listener.tap_io(|tcp| {
        let _ = tcp.set_nodelay(true);
    });
    axum::serve(listener, app()).await
}

pub(crate) fn app() -> Router {
    let room = Sender::new(64 /* messages that a slow member may be behind */);
    Router::new().route("/", get(async || Html(PAGE))).route("/chat", any(enter)).with_state(room)
}

async fn enter(State(room): State<Sender<String>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.max_message_size(4096).on_upgrade(|socket| async move {
        if let Err(error) = member(socket, room).await {
            eprintln!("{error}");
        }
    })
}

async fn member(mut socket: WebSocket, room: Sender<String>) -> Result<(), Error> {
    let mut others = room.subscribe();
    loop {
        tokio::select! {
            said = socket.recv() => match said? {
                Some(Message::Text(text)) => {
                    // Cannot fail: this member hears it as well.
                    let _ = room.send(text);
                }
                Some(Message::Binary(_)) => {
                    socket.close(CloseCode::UNSUPPORTED_DATA, "say it in text").await?;
                    return Ok(());
                }
                None => return Ok(()),
            },
            heard = others.recv() => match heard {
                Ok(text) => socket.send(text).await?,
                Err(RecvError::Lagged(missed)) => socket.send(format!("({missed} messages were too fast)")).await?,
                Err(RecvError::Closed) => return Ok(()),
            },
        }
    }
}

const PAGE: &str = r#"<!doctype html>
<meta charset="utf-8">
<title>Chat</title>
<form><input autofocus><button>Say</button></form>
<ul></ul>
<script>
  const socket = new WebSocket(location.href.replace(/^http/, "ws") + "chat");
  const show = text => document.querySelector("ul").appendChild(document.createElement("li")).textContent = text;
  socket.onmessage = event => show(event.data);
  socket.onclose = event => show(`The room is closed (${event.code}).`);
  document.forms[0].onsubmit = event => {
    event.preventDefault();
    const input = document.querySelector("input");
    socket.send(input.value);
    input.value = "";
  };
</script>
"#;
