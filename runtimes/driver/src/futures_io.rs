//! Reading and writing through the traits of futures-io: what the adapters of async-std and smol share.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut};
use futures_io::{AsyncRead, AsyncWrite};

use crate::pool::BLOCK;

thread_local! {
    /// These traits read into initialised memory only. One block per thread is initialised once, and what was read is
    /// copied out of it.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Reads some bytes to the end of `buffer`, at most as many as it has room for.
///
/// # Errors
///
/// Those of the stream.
pub fn poll_read(
    stream: &mut (impl AsyncRead + Unpin),
    cx: &mut Context<'_>,
    buffer: &mut impl BufMut,
) -> Poll<io::Result<usize>> {
    // Taken out of its place meanwhile: the stream may be one that reads through this function itself.
    let mut scratch = SCRATCH.take();
    scratch.resize(BLOCK, 0);
    let room = buffer.remaining_mut().min(BLOCK);
    let read = Pin::new(stream).poll_read(cx, &mut scratch[..room]);
    if let Poll::Ready(Ok(read)) = read {
        buffer.put_slice(&scratch[..read]);
    }
    SCRATCH.set(scratch);
    read
}

/// Writes some bytes from the front of `data`, and advances it by as many.
///
/// # Errors
///
/// Those of the stream.
pub fn poll_write(
    stream: &mut (impl AsyncWrite + Unpin),
    cx: &mut Context<'_>,
    data: &mut impl Buf,
) -> Poll<io::Result<usize>> {
    let mut slices = [IoSlice::new(&[]); MAX_SLICES];
    let filled = data.chunks_vectored(&mut slices);
    let written = match &slices[..filled] {
        [one] => ready!(Pin::new(stream).poll_write(cx, one))?,
        several => ready!(Pin::new(stream).poll_write_vectored(cx, several))?,
    };
    data.advance(written);
    Poll::Ready(Ok(written))
}

/// Pieces per vectored write: a full queue has a header and a payload for each of its large messages.
const MAX_SLICES: usize = 32;
