//! The traits of futures-io and tokio on the streams of this crate, so that they are ordinary streams of their runtimes.

/// For one type and one family of traits, whose two ways to hand over memory differ.
macro_rules! stream_traits {
    ($type:ident) => {
        #[cfg(feature = "futures-io")]
        const _: () = {
            use std::io::{self, IoSlice};
            use std::pin::Pin;
            use std::task::{Context, Poll};

            use crate::runtime::Transport;
            use crate::slices::Slices;

            impl<S: Unpin, R: Transport<S>> futures_io::AsyncRead for $type<S, R> {
                fn poll_read(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    mut buffer: &mut [u8],
                ) -> Poll<io::Result<usize>> {
                    self.get_mut().poll_read(cx, &mut buffer)
                }
            }

            impl<S: Unpin, R: Transport<S>> futures_io::AsyncWrite for $type<S, R> {
                fn poll_write(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    mut data: &[u8],
                ) -> Poll<io::Result<usize>> {
                    self.get_mut().poll_write(cx, &mut data)
                }

                fn poll_write_vectored(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    slices: &[IoSlice<'_>],
                ) -> Poll<io::Result<usize>> {
                    self.get_mut().poll_write(cx, &mut Slices::new(slices))
                }

                fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                    self.get_mut().poll_flush(cx)
                }

                fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                    self.get_mut().poll_shutdown(cx)
                }
            }
        };

        #[cfg(feature = "tokio-io")]
        const _: () = {
            use std::io::{self, IoSlice};
            use std::pin::Pin;
            use std::task::{Context, Poll};

            use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

            use crate::runtime::Transport;
            use crate::slices::Slices;

            impl<S: Unpin, R: Transport<S>> AsyncRead for $type<S, R> {
                fn poll_read(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    buffer: &mut ReadBuf<'_>,
                ) -> Poll<io::Result<()>> {
                    self.get_mut().poll_read(cx, buffer).map_ok(|_| ())
                }
            }

            impl<S: Unpin, R: Transport<S>> AsyncWrite for $type<S, R> {
                fn poll_write(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    mut data: &[u8],
                ) -> Poll<io::Result<usize>> {
                    self.get_mut().poll_write(cx, &mut data)
                }

                fn poll_write_vectored(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    slices: &[IoSlice<'_>],
                ) -> Poll<io::Result<usize>> {
                    self.get_mut().poll_write(cx, &mut Slices::new(slices))
                }

                fn is_write_vectored(&self) -> bool {
                    true
                }

                fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                    self.get_mut().poll_flush(cx)
                }

                fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                    self.get_mut().poll_shutdown(cx)
                }
            }
        };
    };
}

pub(crate) use stream_traits;
