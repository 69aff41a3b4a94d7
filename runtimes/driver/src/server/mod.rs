//! A server: listens, admits clients within limits, runs a handler for each connection, and ends in an orderly way.
//!
//! Who is admitted is decided by the core (`Admission`), how much memory connections may hold in `budget`, and how long to wait after `accept`
//! failed in `backoff`; none of these does IO. `builder` has the options, `accept` the loop over a listener, `opening`,
//! `deciding` and `connection` are one client's way through, `state` is what all tasks share, and `handle` what the application sees of it.

mod accept;
mod backoff;
pub(crate) mod budget;
mod builder;
mod caught;
mod connection;
mod deciding;
mod handle;
mod info;
mod listen;
mod opening;
mod signal;
mod state;

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use sansocket::{Accept, Answer, DrainReport, Origins, PlainRequest, Reject, Request, ServerConfig};

use self::builder::Source;
use crate::dial::Dialer;
use crate::maybe_tls::MaybeTls;
#[cfg(feature = "tls")]
use crate::tls::TlsAcceptor;
use crate::websocket::WebSocket;

pub use builder::ServerBuilder;
pub use handle::{ServerCounts, ServerEnd, ServerHandle};
pub use info::{ConnectionInfo, HandlerOutput};
pub use listen::Listen;

/// A server that runs a handler for each connection, within limits, and ends in an orderly way.
///
/// ```
/// use sansocket_driver::{Error, Listen, Server};
///
/// async fn echo<R: Listen>() -> std::io::Result<()> {
///     let server = Server::<R>::bind("0.0.0.0:4000").on_connection(|mut socket, info| async move {
///         println!("{} asks for {}", info.peer_address, info.request.path());
///         while let Some(message) = socket.recv().await? {
///             socket.send(message).await?;
///         }
///         Ok::<(), Error>(())
///     });
///     let handle = server.start().await?;
///     println!("listening on {:?}", handle.local_addresses());
///     // ... until it is to end:
///     let report = handle.shutdown().await;
///     println!("{} closed, {} cut off", report.closed, report.cut_off);
///     Ok(())
/// }
/// ```
///
/// # What happens to a client
///
/// 1. TCP is accepted. If too many opening handshakes are under way, in all or from its address, it is closed at once: no task, no
///    TLS, no answer.
/// 2. TLS, if there is any, and the client's request, each within its time limit. A plain HTTP request is answered, also when the server is full.
/// 3. If the server drains, a limit on connections is reached or memory is used up: 503 with `Retry-After`.
/// 4. Its origin is checked, [`decide`](ServerBuilder::decide) or [`decide_async`](ServerBuilder::decide_async) is asked, a subprotocol is chosen.
/// 5. The handler runs. When it returns, what is left of the connection is closed with the code 1000; 1011 if it panicked, which ends
///    nothing but this connection.
///
/// A connection has its place until it has ended **and** its handler has returned.
///
/// # Memory
///
/// There is a budget for all connections together, [`max_memory`](ServerBuilder::max_memory). Counted are
///
/// - [`memory_per_connection`](ServerBuilder::memory_per_connection) for each open connection, whatever it does;
/// - payload data that has come of messages that have not come as a whole (inflated, if they are compressed), and input that was read and
///   waits for the application. A message that the handler was given is its own and no longer counted;
/// - output that waits to be written.
///
/// When it is used up, new clients get 503. A connection whose next bytes have no room is failed: what it holds is freed, and its peer
/// gets a Close frame with 1013 (try again later); where it is output that has no room, that Close frame goes behind it, and the connection ends after
/// [`Timeouts::close`](sansocket::Timeouts::close) at the latest. So no connection waits for memory that another one holds, and each can go beyond the
/// budget once: by one read (at most 128 KiB, or what was reserved for a large message, at most 4 MiB) or by one message sent.
///
/// Not counted are opening handshakes (up to 32 KiB each, and bounded by
/// [`AdmissionLimits::handshakes`](sansocket::AdmissionLimits::handshakes)), windows of compression and ciphertext that cannot leave (64 KiB at most): where
/// these matter, raise `memory_per_connection`. Nor is what the application holds.
///
/// # The end
///
/// [`ServerHandle::drain`] refuses newcomers with 503, sends a Close frame with the code 1001 on every connection, and waits. A handler sees
/// what its peer sent before, then `None` from `recv`; sending is refused. What is open when the time is over is cut off, and its handler dropped.
pub struct Server<R: Listen> {
    options: ServerBuilder<R>,
    handler: Handler<R>,
}

/// The connection that a handler gets.
type Socket<R> = WebSocket<MaybeTls<<R as Dialer>::Stream, R>, R>;

/// Says what went wrong, if the application wants that to be known.
type Handled = Pin<Box<dyn Future<Output = Option<String>> + Send>>;
type Handler<R> = Box<dyn Fn(Socket<R>, ConnectionInfo) -> Handled + Send + Sync>;
type Decided = Result<Accept, Reject>;
type DecideAtOnce = dyn Fn(&Request, &ConnectionInfo) -> Decided + Send + Sync;
type DecideInTime = dyn Fn(ConnectionInfo) -> Pin<Box<dyn Future<Output = Decided> + Send>> + Send + Sync;
type AnswerHttp = Box<dyn Fn(&PlainRequest, &ServerHandle) -> Answer + Send + Sync>;

/// The application's decision about a request.
enum Decide {
    AtOnce(Box<DecideAtOnce>),
    InTime(Box<DecideInTime>),
}

/// What is decided about each client, and by what.
struct Policy<R: Listen> {
    config: ServerConfig,
    #[cfg(feature = "tls")]
    tls: Option<TlsAcceptor<R>>,
    origins: Option<Origins>,
    subprotocols: Vec<Box<str>>,
    decide: Option<Decide>,
    answer_http: Option<AnswerHttp>,
    handler: Handler<R>,
    runtime: PhantomData<fn() -> R>,
}

impl<R: Listen> Server<R> {
    /// Begins the options of a server that listens on `address`: `"0.0.0.0:4000"`, `"[::]:4000"`, `"localhost:4000"`, a
    /// [`SocketAddr`](std::net::SocketAddr). With port 0 the system chooses one. Of a name, all addresses are listened on that can be.
    pub fn bind(address: impl ToString) -> ServerBuilder<R> {
        ServerBuilder::new(Source::Address(address.to_string()))
    }

    /// Begins the options of a server that accepts from a listener of the runtime's, which listens already: one that was inherited (socket
    /// activation), or has options of the application's own (`SO_REUSEPORT`, a larger backlog). It is closed when the server ends.
    ///
    /// A listener of the standard library is made one of the runtime's by the runtime's own means; for tokio it has to be nonblocking before.
    pub fn on(listener: R::Listener) -> ServerBuilder<R> {
        ServerBuilder::new(Source::Listener(listener))
    }

    /// Listens, and serves in tasks of the runtime. The server goes on when the handle is dropped.
    ///
    /// # Errors
    ///
    /// An address cannot be found or listened on; its text has the address. Then nothing is listened on, and listeners that were given are closed.
    ///
    /// # Cancel safety
    ///
    /// Dropped, nothing is listened on.
    pub async fn start(self) -> io::Result<ServerHandle> {
        accept::start(self.options, self.handler).await
    }

    /// As [`start`](Self::start), and waits until the server has ended: by a [`ServerHandle`] that a hook has, or for ever.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    ///
    /// # Cancel safety
    ///
    /// Dropped, the server goes on if it listens already.
    pub async fn serve(self) -> io::Result<DrainReport> {
        Ok(self.start().await?.finished().await)
    }
}

impl<R: Listen> std::fmt::Debug for Server<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("options", &self.options).finish_non_exhaustive()
    }
}

/// A policy is shared by all tasks of a server.
type SharedPolicy<R> = Arc<Policy<R>>;
