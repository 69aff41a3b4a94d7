//! A client with a header of its own, inside of TLS.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use rustls::ClientConfig;

use sansocket_tokio::tungstenite::{Connector, connect_async_tls_with_config, tungstenite};

use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::{Error, Message};

pub(crate) async fn ask(url: &str, tls: Arc<ClientConfig>, question: &str) -> Result<String, Error> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("Authorization", HeaderValue::from_static("Bearer 7"));
    let connector = Connector::Rustls(tls);
    let (mut socket, response) = connect_async_tls_with_config(request, None, true, Some(connector)).await?;
    println!("{} {:?}", response.status(), response.headers());
    socket.send(Message::text(question)).await?;
    let mut answer = String::new();
    while let Some(message) = socket.next().await {
        match message? {
            Message::Text(text) => {
                answer = text.to_string();
                socket.close(None).await?;
            }
            Message::Close(frame) => println!("closed: {frame:?}"),
            _ => {}
        }
    }
    Ok(answer)
}
