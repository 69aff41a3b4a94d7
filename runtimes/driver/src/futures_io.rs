//! Reading and writing through the traits of futures-io: what the adapters of async-std and smol share.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut};
use futures_io::{AsyncRead, AsyncWrite};

use crate::pool::BLOCK;
use crate::scratch;

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
    // These traits read into initialised memory only, so what was read is copied out of a block that is kept for it.
    let mut scratch = scratch::take();
    let room = buffer.remaining_mut().min(BLOCK);
    let read = Pin::new(stream).poll_read(cx, &mut scratch[..room]);
    if let Poll::Ready(Ok(read)) = read {
        buffer.put_slice(&scratch[..read]);
    }
    scratch::give(scratch);
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
