//! Proxies as plain threads: HTTP CONNECT and SOCKS5, just enough of each.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How long [`Manner::Slow`] keeps a block of bytes.
const DELAY: Duration = Duration::from_millis(5);

/// What a proxy does with its clients.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Lets everybody through.
    Open,
    /// Lets everybody through, and each block of bytes a moment later, as a network does.
    Slow,
    /// Wants the user `user` with the password `p@ss`.
    Guarded,
    /// Refuses every server.
    Refusing,
    /// Accepts TCP and says nothing.
    Silent,
    /// Closes at once.
    Closing,
}

/// A running proxy.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    /// Where its clients wanted to go, as they said it.
    pub(crate) targets: Arc<Mutex<Vec<String>>>,
    /// Clients that are connected.
    pub(crate) clients: Arc<AtomicUsize>,
}

/// A proxy that speaks HTTP; it connects to `server`, whatever it is asked for.
pub(crate) fn http(manner: Manner, server: SocketAddr) -> Proxy {
    proxy(manner, move |client, targets| {
        let head = read_head(client)?;
        let target = head.split(' ').nth(1).unwrap().to_owned();
        targets.lock().unwrap().push(target);
        // user:p@ss in Base64.
        let is_known = head.contains("Proxy-Authorization: Basic dXNlcjpwQHNz\r\n");
        let answer: &[u8] = match manner {
            Manner::Guarded if !is_known => {
                b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"test\"\r\nContent-Length: 0\r\n\r\n"
            }
            Manner::Refusing => b"HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\n\r\nnot here",
            Manner::Silent => return client.read(&mut [0]).map(|_| None),
            Manner::Closing => return Ok(None),
            Manner::Open | Manner::Slow | Manner::Guarded => {
                client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
                return TcpStream::connect(server).map(Some);
            }
        };
        client.write_all(answer)?;
        Ok(None)
    })
}

/// A proxy that speaks SOCKS5; it connects to `server`, whatever it is asked for.
pub(crate) fn socks(manner: Manner, server: SocketAddr) -> Proxy {
    proxy(manner, move |client, targets| {
        let [5, methods] = read_bytes(client)? else { panic!("not SOCKS5") };
        let mut offered = vec![0; usize::from(methods)];
        client.read_exact(&mut offered)?;
        match manner {
            Manner::Silent => return client.read(&mut [0]).map(|_| None),
            Manner::Closing => return Ok(None),
            Manner::Guarded if offered.contains(&2) => {
                client.write_all(&[5, 2])?;
                let [1, len] = read_bytes(client)? else { panic!("not RFC 1929") };
                let user = read_text(client, len)?;
                let [len] = read_bytes(client)?;
                let password = read_text(client, len)?;
                let is_known = user == "user" && password == "p@ss";
                client.write_all(&[1, u8::from(!is_known)])?;
                if !is_known {
                    return Ok(None);
                }
            }
            Manner::Guarded => {
                client.write_all(&[5, 0xff])?;
                return Ok(None);
            }
            Manner::Open | Manner::Slow | Manner::Refusing => client.write_all(&[5, 0])?,
        }
        let [5, 1, 0, kind] = read_bytes(client)? else { panic!("not a request to connect") };
        let host = match kind {
            1 => std::net::Ipv4Addr::from(read_bytes::<4>(client)?).to_string(),
            3 => {
                let [len] = read_bytes(client)?;
                read_text(client, len)?
            }
            _ => std::net::Ipv6Addr::from(read_bytes::<16>(client)?).to_string(),
        };
        let port = u16::from_be_bytes(read_bytes(client)?);
        targets.lock().unwrap().push(format!("{host}:{port}"));
        let reply = if manner == Manner::Refusing { 2 } else { 0 };
        client.write_all(&[5, reply, 0, 1, 127, 0, 0, 1, 0, 80])?;
        if reply == 0 { TcpStream::connect(server).map(Some) } else { Ok(None) }
    })
}

fn proxy(
    manner: Manner,
    greet: impl Fn(&mut TcpStream, &Mutex<Vec<String>>) -> io::Result<Option<TcpStream>> + Send + Sync + 'static,
) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (targets, clients) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
    let proxy = Proxy { address, targets: Arc::clone(&targets), clients: Arc::clone(&clients) };
    let greet = Arc::new(greet);
    thread::spawn(move || {
        while let Ok((mut client, _)) = listener.accept() {
            let (greet, targets, clients) = (Arc::clone(&greet), Arc::clone(&targets), Arc::clone(&clients));
            clients.fetch_add(1, Ordering::SeqCst);
            thread::spawn(move || {
                // A client that goes away in between is what some tests are about.
                if let Ok(Some(server)) = greet(&mut client, &targets) {
                    pass_on(client, server, if manner == Manner::Slow { DELAY } else { Duration::ZERO });
                }
                clients.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    proxy
}

fn pass_on(client: TcpStream, server: TcpStream, delay: Duration) {
    let copy = move |mut from: TcpStream, mut to: TcpStream| {
        // Small pieces go on at once, and do not wait for the receiver's acknowledgement.
        let _ = to.set_nodelay(true);
        let mut block = [0; 16 * 1024];
        while let Ok(len @ 1..) = from.read(&mut block) {
            thread::sleep(delay);
            if to.write_all(&block[..len]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    };
    let (back_from, back_to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let back = thread::spawn(move || copy(back_from, back_to));
    copy(client, server);
    back.join().unwrap();
}

/// Reads a head of HTTP, byte by byte so that nothing behind it is lost.
pub(crate) fn read_head(stream: &mut impl Read) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8(head).unwrap())
}

fn read_bytes<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_text(stream: &mut TcpStream, len: u8) -> io::Result<String> {
    let mut text = vec![0; usize::from(len)];
    stream.read_exact(&mut text)?;
    Ok(String::from_utf8(text).unwrap())
}
