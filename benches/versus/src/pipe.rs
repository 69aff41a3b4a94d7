//! A byte stream in memory that is always ready, for each of the traits that the libraries read from and write to.
//!
//! As a socket does, it copies what is read and what is written once. What it lacks is the cost of a system call.

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::io::{self, IoSlice, Read, Write};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BufMut};
use futures_util::io as futures_io;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is read comes from memory, in pieces as a socket gives them; what is written is looked at and forgotten.
pub(crate) struct Pipe {
    bytes: Arc<[u8]>,
    position: usize,
    /// Bytes that one read gives at most.
    read: usize,
    /// Begin again at the end; otherwise, what is read next does not come.
    again: bool,
    /// Where what is written is copied to, over what was written before.
    written: Box<[u8]>,
    capture: bool,
}

impl Pipe {
    /// Gives `bytes` again and again, each time to their end.
    pub(crate) fn endless(bytes: Arc<[u8]>) -> Self {
        Self::new(bytes, READ, true)
    }

    /// Gives `bytes` once, at most `read` at a time.
    pub(crate) fn once(bytes: Arc<[u8]>, read: usize) -> Self {
        Self::new(bytes, read, false)
    }

    /// Gives nothing, and takes what is written; [`written`] has it if it is to be kept.
    pub(crate) fn sink(capture: bool) -> Self {
        Self::new(Arc::new([]), READ, false).capturing(capture)
    }

    fn new(bytes: Arc<[u8]>, read: usize, again: bool) -> Self {
        // Heads and replies are small, and so is what a handshake should have to allocate here.
        let written = vec![0; if again || bytes.is_empty() { READ } else { 1024 }].into_boxed_slice();
        Self { bytes, position: 0, read, again, written, capture: false }
    }

    /// As [`once`](Self::once), and keeps what is written.
    pub(crate) fn capturing(self, capture: bool) -> Self {
        Self { capture, ..self }
    }

    /// The next read into a buffer with this much room. Nothing if there is nothing more.
    #[inline]
    pub(crate) fn next(&mut self, room: usize) -> &[u8] {
        let rest = &self.bytes[self.position..];
        let len = rest.len().min(room).min(self.read);
        self.position += len;
        if self.again && self.position == self.bytes.len() {
            self.position = 0;
        }
        &rest[..len]
    }

    /// Takes what is written.
    #[inline]
    pub(crate) fn accept(&mut self, bytes: &[u8]) -> usize {
        self.count();
        self.copy_out(bytes)
    }

    #[inline]
    fn count(&self) {
        if self.capture {
            WRITES.set(WRITES.get() + 1);
        }
    }

    #[inline]
    fn copy_out(&mut self, bytes: &[u8]) -> usize {
        for chunk in bytes.chunks(self.written.len()) {
            let mut to = &mut self.written[..];
            copy(chunk, |piece| to.put_slice(piece));
        }
        black_box(&self.written);
        if self.capture {
            WRITTEN.with_borrow_mut(|written| written.extend_from_slice(bytes));
        }
        bytes.len()
    }

    #[inline]
    fn accept_slices(&mut self, slices: &[IoSlice<'_>]) -> usize {
        self.count();
        slices.iter().map(|slice| self.copy_out(slice)).sum()
    }
}

/// What was written and kept since the last call, and in how many writes.
pub(crate) fn written() -> (Vec<u8>, usize) {
    (WRITTEN.take(), WRITES.take())
}

thread_local! {
    static WRITES: Cell<usize> = const { Cell::new(0) };
    static WRITTEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Copies as a transport in memory does: in pieces.
///
/// In one piece, the C library copies with `rep movsb`, which is several times slower on some processors if the low bits of the two
/// addresses are unlucky (glibc bug 30994). That would measure where buffers happen to lie.
#[inline]
pub(crate) fn copy(from: &[u8], mut put: impl FnMut(&[u8])) {
    from.chunks(1024).for_each(&mut put);
}

/// Runs a future whose streams are always ready.
///
/// # Panics
///
/// If it waits for something else.
#[inline]
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..PATIENCE {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
    panic!("it waits for something that does not come");
}

/// Bytes that one read gives at most, to everybody.
pub(crate) const READ: usize = 64 * 1024;

/// Some libraries yield though they could go on.
const PATIENCE: usize = 100;

impl Read for Pipe {
    #[inline]
    fn read(&mut self, mut buffer: &mut [u8]) -> io::Result<usize> {
        let piece = self.next(buffer.len());
        if piece.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        copy(piece, |piece| buffer.put_slice(piece));
        Ok(piece.len())
    }
}

impl Write for Pipe {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.accept(bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(self.accept_slices(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Pipe {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let piece = self.next(buffer.remaining());
        if piece.is_empty() {
            return Poll::Pending;
        }
        copy(piece, |piece| buffer.put_slice(piece));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.accept(bytes)))
    }

    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.accept_slices(slices)))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl futures_io::AsyncRead for Pipe {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self.get_mut().read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            result => Poll::Ready(result),
        }
    }
}

impl futures_io::AsyncWrite for Pipe {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.accept(bytes)))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.accept_slices(slices)))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl wtx::stream::StreamReader for Pipe {
    #[inline]
    async fn read(&mut self, bytes: &mut [u8]) -> wtx::Result<usize> {
        Ok(Read::read(self, bytes)?)
    }
}

impl wtx::stream::StreamWriter for Pipe {
    #[inline]
    async fn write_all(&mut self, bytes: &[u8]) -> wtx::Result<()> {
        self.accept(bytes);
        Ok(())
    }

    #[inline]
    async fn write_all_vectored(&mut self, slices: &[&[u8]]) -> wtx::Result<()> {
        self.count();
        for slice in slices {
            self.copy_out(slice);
        }
        Ok(())
    }
}

/// Reads into a buffer as `read_buf` does: as much as there is room, without filling it with zeros first.
#[inline]
pub(crate) fn read_into(pipe: &mut Pipe, buffer: &mut bytes::BytesMut) {
    read_at_most(pipe, buffer, usize::MAX);
}

/// As [`read_into`], but no more than so many bytes.
#[inline]
pub(crate) fn read_at_most(pipe: &mut Pipe, buffer: &mut bytes::BytesMut, most: usize) {
    let room = buffer.capacity() - buffer.len();
    let piece = pipe.next(room.min(most));
    copy(piece, |piece| buffer.extend_from_slice(piece));
}

/// Writes all of `output`, in vectored writes if it is in several pieces.
#[inline]
pub(crate) fn write_out(pipe: &mut Pipe, output: &mut impl Buf) {
    while output.has_remaining() {
        let whole = output.chunk();
        if whole.len() == output.remaining() {
            let len = pipe.accept(whole);
            output.advance(len);
            return;
        }
        let mut slices = [IoSlice::new(&[]); 64];
        let len = match output.chunks_vectored(&mut slices) {
            0 | 1 => pipe.accept(output.chunk()),
            several => pipe.accept_slices(&slices[..several]),
        };
        output.advance(len);
    }
}
