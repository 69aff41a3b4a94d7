//! An echo server.

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};

use sansocket_tokio::tungstenite::{accept_async, tungstenite::Error};

pub(crate) async fn serve(listener: TcpListener) {
    while let Ok((stream, peer)) = listener.accept().await {
        tokio::spawn(async move {
            match echo(stream).await {
                Ok(()) | Err(Error::ConnectionClosed | Error::Protocol(_) | Error::Utf8(_)) => {}
                Err(error) => eprintln!("{peer}: {error}"),
            }
        });
    }
}

async fn echo(stream: TcpStream) -> Result<(), Error> {
    let mut socket = accept_async(stream).await?;
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}
