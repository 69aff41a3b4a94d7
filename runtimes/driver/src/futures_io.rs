//! Reading and writing through the traits of futures-io: what the adapters of async-std and smol share.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut};
use futures_io::{AsyncRead, AsyncWrite};

use crate::transfer;

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
    transfer::read(buffer, |scratch| Pin::new(stream).poll_read(cx, scratch))
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
    transfer::write(data, |slices| match slices {
        [one] => Pin::new(stream).poll_write(cx, one),
        several => Pin::new(stream).poll_write_vectored(cx, several),
    })
}
