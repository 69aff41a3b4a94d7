//! tokio-tungstenite's functions and types, by the same names, on this library: a program moves over by changing one `use`.
//!
//! ```
//! # /*
//! use tokio_tungstenite::{accept_async, tungstenite::Message};
//! # */
//! use sansocket_tokio::tungstenite::{accept_async, tungstenite::Message};
//! ```
//!
//! Messages, errors, requests and configuration are tungstenite's own types (0.30), which the module re-exports by
//! that name, as tokio-tungstenite does. `docs/migrating.md` in the repository has whole programs before and after, what differs, and the way on to this
//! library's own functions.
//!
//! An echo server:
//!
//! ```no_run
//! use futures_util::{StreamExt, TryStreamExt};
//! use sansocket_tokio::tungstenite::{accept_async, tungstenite::Error};
//! use tokio::net::TcpStream;
//!
//! async fn echo(stream: TcpStream) -> Result<(), Error> {
//!     let (write, read) = accept_async(stream).await?.split();
//!     read.try_filter(|message| std::future::ready(message.is_text() || message.is_binary())).forward(write).await
//! }
//! ```
//!
//! # What is better without a change
//!
//! A failed opening handshake is logged with its reason and answered in HTTP, has a time limit, and is read in linear time; the closing
//! handshake has a time limit; a peer that breaks a rule is told in a Close frame; addresses of a server race.
//!
//! # What a program may notice
//!
//! - Streams are `Send + 'static` where a handshake is done on them. tokio needs its time driver (`enable_time` or `enable_all`).
//! - Where tungstenite has no error of its own (a time limit, a server that was not found), it is `Error::Io`, with this library's error
//!   inside: [`diagnosis`]. [`accept_explained`] and [`connect_explained`] have that for all errors.
//! - [`WebSocketStream::closed`] says how a connection ended.

mod error;
mod http;
mod link;
mod opening;
mod sending;
mod stream;
mod tls;
mod wakers;

pub use ::tungstenite;
use ::tungstenite::Error as WsError;

pub use error::{Explained, diagnosis};
pub use opening::{
    accept_async, accept_async_with_config, accept_explained, accept_hdr_async, accept_hdr_async_with_config,
    client_async, client_async_with_config, connect_async, connect_async_tls_with_config,
    connect_async_with_config, connect_explained,
};
pub use stream::WebSocketStream;
pub use tls::{Connector, MaybeTlsStream, client_async_tls, client_async_tls_with_config};
