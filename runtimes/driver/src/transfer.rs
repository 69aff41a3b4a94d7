//! Between the buffers of `bytes` and streams that read and write slices: what adapters of such streams share.

use std::io::{self, IoSlice};
use std::task::{Poll, ready};

use bytes::{Buf, BufMut};

use crate::scratch::{self, BLOCK};

/// Reads some bytes to the end of `buffer`, at most as many as it has room for.
///
/// # Errors
///
/// Those of `read`.
pub fn read(
    buffer: &mut impl BufMut,
    read: impl FnOnce(&mut [u8]) -> Poll<io::Result<usize>>,
) -> Poll<io::Result<usize>> {
    // Such streams read into initialised memory only, so what was read is copied out of a block that is kept for it.
    let mut scratch = scratch::take();
    let room = buffer.remaining_mut().min(BLOCK);
    let read = read(&mut scratch[..room]);
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
/// Those of `write`, which gets at least one piece; one alone is better written without a list.
pub fn write(
    data: &mut impl Buf,
    write: impl FnOnce(&[IoSlice<'_>]) -> Poll<io::Result<usize>>,
) -> Poll<io::Result<usize>> {
    let mut slices = [IoSlice::new(&[]); MAX_SLICES];
    let filled = data.chunks_vectored(&mut slices);
    let written = ready!(write(&slices[..filled]))?;
    data.advance(written);
    Poll::Ready(Ok(written))
}

/// Pieces per vectored write: a full queue has a header and a payload for each of its large messages.
const MAX_SLICES: usize = 32;
