//! Echo over loopback TCP: servers in processes of their own on one core, the load on another.

mod contest;
mod load;
mod process;
mod raw;

use std::fmt::Debug;
use std::net::TcpListener as StdListener;
use std::pin::Pin;

use tokio::net::{TcpListener, TcpStream};

pub(crate) use contest::tables;
use load::{Load, Shape};
use process::Process;
pub(crate) use process::{be_server, pin_to};

use crate::peers;

/// An echo server.
#[derive(Clone, Copy)]
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) run: fn(StdListener) -> Pin<Box<dyn Future<Output = ()>>>,
}

/// All servers in Rust: sansocket first, then the others, at the end the floor.
pub(crate) fn servers() -> Vec<Server> {
    let mut servers: Vec<Server> = peers::all().iter().flat_map(|peer| peer.servers()).collect();
    servers.push(raw::SERVER);
    servers
}

/// The name of the floor.
const RAW: &str = "(raw tokio TCP)";

/// The name of uWebSockets' server, which is a program of its own.
const UWEBSOCKETS: &str = "uWebSockets (C++)";

/// Accepts for ever, with a task for each connection and `TCP_NODELAY`. What ends a connection is its own matter.
pub(crate) fn serve<F, E>(
    listener: StdListener,
    connection: fn(TcpStream) -> F,
) -> Pin<Box<dyn Future<Output = ()>>>
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Debug + Send + 'static,
{
    serve_prepared(listener, |stream| stream.set_nodelay(true).expect("the stream is open"), connection)
}

/// As [`serve`], with `prepare` in place of `TCP_NODELAY`.
pub(crate) fn serve_prepared<F, E>(
    listener: StdListener,
    prepare: fn(&TcpStream),
    connection: fn(TcpStream) -> F,
) -> Pin<Box<dyn Future<Output = ()>>>
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Debug + Send + 'static,
{
    Box::pin(async move {
        let listener = TcpListener::from_std(listener).expect("it is a listener");
        loop {
            let (stream, _) = listener.accept().await.expect("there are descriptors");
            prepare(&stream);
            tokio::spawn(async move {
                let _ended = connection(stream).await;
            });
        }
    })
}
