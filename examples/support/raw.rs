//! Peers that speak no WebSocket, or not well: raw TCP.

use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::saw::Saw;

/// The request of RFC 6455 section 1.3, to be changed by who sends it.
pub const REQUEST: &str = "GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// Sends a request that is not acceptable, and returns the reply: its status line in short, its content as the diagnosis. The recipe at
/// the end of some is left out: it is the same each time.
///
/// # Errors
///
/// Those of the operating system.
pub fn ask(tcp: &mut TcpStream, request: &str) -> io::Result<Saw> {
    tcp.write_all(request.as_bytes())?;
    let reply = read_to_end(tcp)?;
    let (head, content) = reply.split_once("\r\n\r\n").unwrap_or((&reply, ""));
    let content = content.split("To open a WebSocket").next().unwrap_or_default();
    let status_line = head.lines().next().unwrap_or_default();
    Ok(Saw { text: status_line.to_owned(), diagnosis: Some(content.to_owned()) })
}

/// Sends a request and does not wait for the end, as the connection stays open; returns the status line.
///
/// # Errors
///
/// Those of the operating system.
pub fn upgrade(tcp: &mut TcpStream, request: &str) -> io::Result<Saw> {
    tcp.write_all(request.as_bytes())?;
    let mut reply = [0; 1024];
    let read = tcp.read(&mut reply)?;
    let reply = String::from_utf8_lossy(&reply[..read]);
    Ok(reply.lines().next().unwrap_or_default().into())
}

/// Waits for the other side to close TCP; tells what came before.
///
/// # Errors
///
/// Those of the operating system.
pub fn stay_silent(tcp: &mut TcpStream) -> io::Result<Saw> {
    Ok(match read_to_end(tcp)?.len() {
        0 => "0 bytes, then the end of TCP".into(),
        _ => "a request, then the end of TCP".into(),
    })
}

/// Sends `start` and closes TCP in an orderly way: with a FIN, not a reset.
///
/// # Errors
///
/// Those of the operating system.
pub fn hang_up(tcp: &mut TcpStream, start: &str) -> io::Result<Saw> {
    tcp.write_all(start.as_bytes())?;
    tcp.shutdown(Shutdown::Write)?;
    // Bytes that nobody read would make the operating system reset the connection.
    read_to_end(tcp)?;
    Ok(format!("hung up after {} bytes", start.len()).into())
}

/// Stands between a client and the server at `server`, and passes on what both send one byte at a time. Returns where it listens.
///
/// # Errors
///
/// Those of the operating system.
pub fn byte_by_byte(server: SocketAddr) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        let (client, _) = listener.accept()?;
        let server = TcpStream::connect(server)?;
        let back = (server.try_clone()?, client.try_clone()?);
        let returning = thread::spawn(move || pass_on(back.0, back.1));
        pass_on(client, server)?;
        returning.join().unwrap_or(Ok(()))
    });
    Ok(address)
}

fn pass_on(from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    to.set_nodelay(true)?;
    for byte in BufReader::new(from).bytes() {
        to.write_all(&[byte?])?;
        // Else the receiver finds several bytes when it looks.
        thread::sleep(Duration::from_micros(50));
    }
    to.shutdown(Shutdown::Write)
}

/// What comes until the peer closes TCP or resets it.
fn read_to_end(tcp: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    match tcp.read_to_end(&mut bytes) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => Err(error),
        _ => Ok(String::from_utf8_lossy(&bytes).into_owned()),
    }
}
