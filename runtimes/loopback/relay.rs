//! A server's front that can be killed: TCP connections end there as if the process were gone, without a Close frame, and the port
//! refuses until it is started again. Plain threads, so that no runtime has a part in it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::{iter, process};

/// In front of one server.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    server: SocketAddr,
    running: Mutex<Option<Running>>,
}

struct Running {
    stop: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// Starts it, on a port that stays free while it is killed.
    pub(crate) fn to(server: SocketAddr) -> Self {
        let listener = listen();
        let address = listener.local_addr().unwrap();
        Self { address, server, running: Mutex::new(Some(Running::start(listener, server))) }
    }

    /// Ends all connections, and the port.
    pub(crate) fn kill(&self) {
        let Some(running) = self.running.lock().unwrap().take() else { return };
        running.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
        running.accepting.join().unwrap();
        for connection in running.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Listens on the same port again.
    pub(crate) fn restart(&self) {
        let listener = TcpListener::bind(self.address).unwrap();
        *self.running.lock().unwrap() = Some(Running::start(listener, self.server));
    }
}

impl Running {
    fn start(listener: TcpListener, server: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let connections = Arc::new(Mutex::new(Vec::new()));
        let (stopped, all) = (Arc::clone(&stop), Arc::clone(&connections));
        let accepting = thread::spawn(move || {
            loop {
                let (client, _) = listener.accept().unwrap();
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let server = TcpStream::connect(server).unwrap();
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    thread::spawn(move || copy(from, to));
                }
                all.lock().unwrap().extend([client, server]);
            }
        });
        Self { stop, connections, accepting }
    }
}

/// Whoever asks the system for any port gets none below 32768, and each process that does this has a range of its own. So nobody else's
/// server is there while the relay is not.
fn listen() -> TcpListener {
    static COUNT: AtomicU16 = AtomicU16::new(0);
    let range = 20_000 + (process::id() % 180) as u16 * PORTS;
    let listeners = iter::repeat_with(|| {
        let port = range + COUNT.fetch_add(1, Ordering::Relaxed) % PORTS;
        TcpListener::bind(("127.0.0.1", port))
    });
    listeners.take(PORTS.into()).find_map(Result::ok).unwrap()
}

const PORTS: u16 = 64;

fn copy(mut from: TcpStream, mut to: TcpStream) {
    // Small pieces go on at once, and do not wait for the receiver's acknowledgement.
    let _ = to.set_nodelay(true);
    let mut block = [0; 16 * 1024];
    while let Ok(len @ 1..) = from.read(&mut block) {
        if to.write_all(&block[..len]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
