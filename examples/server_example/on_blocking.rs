//! The echo server with a thread per connection and calls that block.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use async_channel::Receiver;
use futures_lite::future;
use sansocket::{CloseCode, Request};
use sansocket_blocking::{Blocking, Error, Received, TlsAcceptor, Transport, WebSocket, accept_with};
use tracing::{debug, info, warn};

use super::{End, GRACE, PAUSE, Server, Summary, scheme};

/// Serves until the server is stopped, then waits for the connections to end.
pub(super) fn serve(
    server: Server,
    ended: Receiver<End>,
    listen: &str,
    tls: Option<TlsAcceptor>,
) -> io::Result<()> {
    let listener = TcpListener::bind(listen)?;
    let address = listener.local_addr()?;
    println!("listening on {}://{address}", scheme(tls.is_some()));
    let stopped = server.stopped.clone();
    thread::spawn(move || {
        let _ = stopped.recv_blocking();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(address);
    });
    loop {
        let accepted = listener.accept();
        if server.stopped.is_closed() {
            break;
        }
        match accepted {
            Ok((stream, peer)) => {
                let (server, tls) = (server.clone(), tls.clone());
                thread::spawn(move || {
                    let answer = |request: &Request| server.policy.answer(request);
                    match tls {
                        None => connection(&server, peer, accept_with(stream, &server.config, answer)),
                        Some(tls) => {
                            let secure = tls.accept(stream);
                            let opened =
                                secure.and_then(|stream| accept_with(stream, &server.config, answer));
                            connection(&server, peer, opened);
                        }
                    }
                });
            }
            Err(error) => {
                warn!(%error, "cannot accept");
                thread::sleep(PAUSE);
            }
        }
    }
    drop(listener);
    drop(server);
    let late = ended.clone();
    thread::spawn(move || {
        thread::sleep(GRACE);
        late.close();
    });
    let mut summary = Summary::default();
    future::block_on(summary.gather(&ended));
    summary.print(&ended);
    Ok(())
}

/// One connection, from what became of its opening handshake to its end.
fn connection<S>(server: &Server, peer: SocketAddr, opened: Result<WebSocket<S>, Error>)
where
    S: Send + 'static,
    Blocking: Transport<S>,
{
    match opened {
        Ok(socket) => {
            let span = socket.span();
            span.in_scope(|| talk(server, socket));
        }
        // The library has logged it in one line, at the level that it deserves; this is for who wants to know more.
        Err(Error::Handshake { error, .. }) if server.explain => eprintln!("{peer}: {}", error.report()),
        Err(Error::TlsAccept(error)) if server.explain => {
            eprintln!("{peer}: {error}\n  advice    {}", error.advice());
        }
        Err(_) => {}
    }
}

/// An open connection, to its end. All that is logged here shows the peer's address.
fn talk<S>(server: &Server, mut socket: WebSocket<S>)
where
    S: Send + 'static,
    Blocking: Transport<S>,
{
    match socket.deflate() {
        Some(agreed) => info!("open, {agreed}"),
        None => info!("open, without compression"),
    }
    if let Err(error) = echo(server, &mut socket) {
        debug!(%error, "echoing ended");
    }
    // If the connection has ended already, this only tells how.
    let Ok(closed) = socket.close(CloseCode::GOING_AWAY, "the server is shutting down") else { return };
    if closed.is_clean() {
        info!("closed: {closed}");
    } else {
        warn!("ended: {closed}");
    }
    if server.stopped.is_closed() {
        // Fails only if nobody counts any more.
        let _ = server.ends.try_send(End { clean: closed.is_clean() });
    }
}

/// Sends back what comes until the connection ends or the server stops.
fn echo<S>(server: &Server, socket: &mut WebSocket<S>) -> Result<(), Error>
where
    S: Send + 'static,
    Blocking: Transport<S>,
{
    while !server.stopped.is_closed() {
        match socket.recv_timeout(LOOK)? {
            Received::Message(message) => {
                debug!(bytes = message.len(), kind = ?message.kind(), "message");
                socket.send(message)?;
            }
            Received::TimedOut => {}
            Received::Closed => break,
        }
    }
    Ok(())
}

/// Between looks at whether the server is to stop.
const LOOK: Duration = Duration::from_millis(500);
