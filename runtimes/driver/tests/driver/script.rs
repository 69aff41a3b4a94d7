//! A runtime and a byte stream that do what a script says: no sockets, no threads, no clock.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::{Buf, BufMut, BytesMut};
use sansocket::{ClientConfig, Connection, Entropy, Instant, ServerConfig};
use sansocket_driver::{Runtime, Timer, Transport, WebSocket};

pub(crate) type Socket = WebSocket<Stream, Script>;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

thread_local! {
    static NOW: Cell<Instant> = const { Cell::new(Instant::ZERO) };
    static TASKS: RefCell<Vec<Task>> = const { RefCell::new(Vec::new()) };
}

/// The virtual time.
pub(crate) fn now() -> Instant {
    NOW.get()
}

/// Begins anew.
pub(crate) fn reset() {
    NOW.set(Instant::ZERO);
}

/// Lets virtual time pass.
pub(crate) fn pass(time: Duration) {
    NOW.set(NOW.get() + time);
}

/// Polls all that was spawned.
pub(crate) fn run_spawned() {
    let tasks = TASKS.take();
    for mut task in tasks {
        if task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            TASKS.with_borrow_mut(|tasks| tasks.push(task));
        }
    }
}

pub(crate) fn spawned() -> usize {
    TASKS.with_borrow(Vec::len)
}

pub(crate) struct Script;

impl Runtime for Script {
    type Timer = Clock;

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        TASKS.with_borrow_mut(|tasks| tasks.push(Box::pin(task)));
    }
}

#[derive(Default)]
pub(crate) struct Clock;

impl Timer for Clock {
    fn now(&self) -> Instant {
        NOW.get()
    }

    fn poll_until(&mut self, _cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if NOW.get() >= deadline { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// The end that the driver holds.
pub(crate) struct Stream(Arc<Mutex<Wire>>);

/// The end that the test holds.
#[derive(Clone)]
pub(crate) struct Peer(Arc<Mutex<Wire>>);

/// What the stream does.
pub(crate) struct Wire {
    /// What the driver will read.
    pub(crate) incoming: VecDeque<u8>,
    /// What the driver has written, and in which pieces.
    pub(crate) outgoing: Vec<u8>,
    pub(crate) writes: Vec<usize>,
    /// After `incoming`: the end of the stream, or an error.
    pub(crate) end: Option<io::Result<()>>,
    pub(crate) write_error: Option<io::ErrorKind>,
    /// Bytes per read and write.
    pub(crate) read_size: usize,
    pub(crate) write_size: usize,
    /// Bytes that may still be written before the stream blocks.
    pub(crate) window: usize,
    /// What was written is held back, and to flush it has to wait.
    pub(crate) holds_back: bool,
    /// Whether anything is held back.
    pub(crate) held_back: bool,
    /// Every second call is `Pending` and wakes at once.
    pub(crate) stutters: bool,
    /// Calls to read and to write.
    calls: [usize; 2],
    pub(crate) shut_down: bool,
    pub(crate) dropped: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Peer {
    pub(crate) fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.lock().unwrap()
    }

    /// Sends bytes to the driver.
    pub(crate) fn send(&self, bytes: &[u8]) {
        let mut wire = self.wire();
        wire.incoming.extend(bytes);
        wire.reader.take().into_iter().for_each(Waker::wake);
    }

    /// Ends the stream.
    pub(crate) fn end(&self, end: io::Result<()>) {
        let mut wire = self.wire();
        wire.end = Some(end);
        wire.reader.take().into_iter().for_each(Waker::wake);
    }

    /// Lets the driver write `bytes` more.
    pub(crate) fn open_window(&self, bytes: usize) {
        let mut wire = self.wire();
        wire.window = wire.window.saturating_add(bytes);
        wire.writer.take().into_iter().for_each(Waker::wake);
    }

    /// What the driver has written since the last call.
    pub(crate) fn taken(&self) -> Vec<u8> {
        std::mem::take(&mut self.wire().outgoing)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.lock().unwrap().dropped = true;
    }
}

impl Wire {
    /// Each direction on its own, so that both get on however they take turns.
    fn stutter(&mut self, direction: usize, cx: &Context<'_>) -> bool {
        self.calls[direction] += 1;
        if self.stutters && self.calls[direction] % 2 == 1 {
            cx.waker().wake_by_ref();
            return true;
        }
        false
    }
}

impl Transport<Stream> for Script {
    fn prepare(_stream: &Stream) {}

    fn peer(_stream: &Stream) -> Option<SocketAddr> {
        Some(([192, 0, 2, 7], 5000).into())
    }

    fn poll_read(
        stream: &mut Stream,
        cx: &mut Context<'_>,
        buffer: &mut impl BufMut,
    ) -> Poll<io::Result<usize>> {
        let mut wire = stream.0.lock().unwrap();
        if wire.stutter(0, cx) {
            return Poll::Pending;
        }
        let len = wire.incoming.len().min(wire.read_size).min(buffer.remaining_mut());
        if len > 0 {
            buffer.put_slice(&wire.incoming.drain(..len).collect::<Vec<u8>>());
            return Poll::Ready(Ok(len));
        }
        match &wire.end {
            Some(Ok(())) => Poll::Ready(Ok(0)),
            Some(Err(error)) => Poll::Ready(Err(error.kind().into())),
            None => {
                wire.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn poll_write(stream: &mut Stream, cx: &mut Context<'_>, data: &mut impl Buf) -> Poll<io::Result<usize>> {
        let mut wire = stream.0.lock().unwrap();
        if wire.stutter(1, cx) {
            return Poll::Pending;
        }
        if let Some(error) = wire.write_error {
            return Poll::Ready(Err(error.into()));
        }
        let len = data.remaining().min(wire.write_size).min(wire.window);
        if len == 0 {
            wire.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let bytes = data.copy_to_bytes(len);
        wire.outgoing.extend(&bytes);
        wire.writes.push(len);
        wire.window -= len;
        wire.held_back = true;
        Poll::Ready(Ok(len))
    }

    fn poll_flush(stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut wire = stream.0.lock().unwrap();
        if wire.holds_back {
            wire.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        wire.held_back = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(stream: &mut Stream, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        stream.0.lock().unwrap().shut_down = true;
        Poll::Ready(Ok(()))
    }
}

/// A stream that hides nothing and holds nothing back.
pub(crate) fn stream() -> (Stream, Peer) {
    let wire = Arc::new(Mutex::new(Wire {
        incoming: VecDeque::new(),
        outgoing: Vec::new(),
        writes: Vec::new(),
        end: None,
        write_error: None,
        read_size: usize::MAX,
        write_size: usize::MAX,
        window: usize::MAX,
        holds_back: false,
        held_back: false,
        stutters: false,
        calls: [0; 2],
        shut_down: false,
        dropped: false,
        reader: None,
        writer: None,
    }));
    (Stream(Arc::clone(&wire)), Peer(wire))
}

/// A server's open socket.
pub(crate) fn server(config: &ServerConfig) -> (Socket, Peer) {
    NOW.set(Instant::ZERO);
    let (stream, peer) = stream();
    (WebSocket::new(stream, Connection::server(config, Instant::ZERO), BytesMut::new()), peer)
}

/// A client's core, to make the bytes that a peer sends and to read those that it gets.
pub(crate) fn client() -> Connection {
    Connection::client(&ClientConfig::default(), Entropy::from_seed([1; 32]), Instant::ZERO)
}

/// The bytes that `connection` wants to write.
pub(crate) fn output(connection: &mut Connection) -> Vec<u8> {
    let mut output = connection.transmit();
    let len = output.remaining();
    output.copy_to_bytes(len).to_vec()
}

/// The binary or text messages in what the driver wrote.
pub(crate) fn messages(client: &mut Connection, bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut input = BytesMut::from(bytes);
    let mut reader = client.read(&mut input);
    let mut messages = Vec::new();
    while let Some(event) = reader.next() {
        messages.extend(event.into_message().map(|message| message.as_bytes().to_vec()));
    }
    messages
}

/// Polls once; the count says how often the task was woken.
#[derive(Default)]
pub(crate) struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Woken {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) fn poll_with<F: Future + ?Sized>(future: Pin<&mut F>, woken: &Arc<Woken>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(woken))))
}

/// Polls until the future is ready or does not ask to be polled again.
pub(crate) fn run<F: Future + ?Sized>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    let woken = Arc::new(Woken::default());
    loop {
        let before = woken.count();
        let polled = poll_with(future.as_mut(), &woken);
        if polled.is_ready() || woken.count() == before {
            return polled;
        }
    }
}

/// Runs a future that must not have to wait.
pub(crate) fn done<F: Future>(future: F) -> F::Output {
    match run(std::pin::pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits for something that nobody does"),
    }
}

/// Runs a future that must have to wait.
pub(crate) fn waits<F: Future>(future: F) {
    assert!(run(std::pin::pin!(future)).is_pending(), "the future should have had to wait");
}
