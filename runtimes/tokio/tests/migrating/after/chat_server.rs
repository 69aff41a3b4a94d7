//! A chat: what one says, all others hear. Who does not say who it is, is refused.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

use sansocket_tokio::tungstenite::{accept_hdr_async, tungstenite};

use tungstenite::Message;
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::StatusCode;

type Room = broadcast::Sender<(SocketAddr, Message)>;

pub(crate) async fn serve(listener: TcpListener) {
    let room = Room::new(64);
    while let Ok((stream, peer)) = listener.accept().await {
        tokio::spawn(member(stream, peer, room.clone()));
    }
}

async fn member(stream: TcpStream, peer: SocketAddr, room: Room) {
    let mut name = String::new();
    let callback = |request: &Request, response: Response| {
        let given = request.uri().query().and_then(|query| query.strip_prefix("name="));
        let Some(given) = given else { return Err(who_are_you()) };
        name = given.to_owned();
        Ok(response)
    };
    let socket = match accept_hdr_async(stream, callback).await {
        Ok(socket) => socket,
        Err(error) => return eprintln!("{peer}: {error}"),
    };
    let mut others = room.subscribe();
    let (mut write, mut read) = socket.split();
    let hear = async {
        while let Ok((from, message)) = others.recv().await {
            if from != peer && write.send(message).await.is_err() {
                break;
            }
        }
    };
    let say = async {
        while let Some(Ok(message)) = read.next().await {
            if let Message::Text(text) = message {
                // Nobody hears it if there is nobody.
                let _ = room.send((peer, Message::text(format!("{name}: {text}"))));
            }
        }
    };
    tokio::select! { () = hear => {}, () = say => {} }
}

fn who_are_you() -> ErrorResponse {
    let mut response = ErrorResponse::new(Some("say who you are: /?name=...\n".to_owned()));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
