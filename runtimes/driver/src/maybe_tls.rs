//! The stream of a client: plain for `ws`, inside of TLS for `wss`.

use std::fmt;
use std::io;
#[cfg(not(feature = "tls"))]
use std::marker::PhantomData;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut};

use crate::runtime::Transport;
#[cfg(feature = "tls")]
use crate::tls::TlsStream;

/// A byte stream that is plain, as for `ws`, or inside of TLS, as for `wss`: what `connect` makes.
///
/// It exists without the feature `tls` too, and is plain then.
pub struct MaybeTls<S, R: Transport<S>> {
    kind: Kind<S, R>,
}

enum Kind<S, R: Transport<S>> {
    #[cfg(feature = "tls")]
    Plain(S),
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream<S, R>>),
    #[cfg(not(feature = "tls"))]
    Plain(S, PhantomData<fn() -> R>),
}

macro_rules! each {
    ($self:expr, $stream:ident => $plain:expr, $tls:ident => $secure:expr) => {
        match $self {
            #[cfg(feature = "tls")]
            Kind::Plain($stream) => $plain,
            #[cfg(not(feature = "tls"))]
            Kind::Plain($stream, _) => $plain,
            #[cfg(feature = "tls")]
            Kind::Tls($tls) => $secure,
        }
    };
}

impl<S, R: Transport<S>> MaybeTls<S, R> {
    /// A plain stream.
    #[must_use]
    pub fn plain(stream: S) -> Self {
        #[cfg(feature = "tls")]
        let kind = Kind::Plain(stream);
        #[cfg(not(feature = "tls"))]
        let kind = Kind::Plain(stream, PhantomData);
        Self { kind }
    }

    /// What there is to know about TLS; `None` if the stream is plain.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(&self) -> Option<&TlsStream<S, R>> {
        match &self.kind {
            Kind::Plain(_) => None,
            Kind::Tls(tls) => Some(tls),
        }
    }

    /// The stream itself, if it is plain.
    ///
    /// # Errors
    ///
    /// This, if it is inside of TLS.
    pub fn into_plain(self) -> Result<S, Self> {
        each!(self.kind, stream => Ok(stream), tls => Err(Self { kind: Kind::Tls(tls) }))
    }

    /// The stream inside of TLS.
    ///
    /// # Errors
    ///
    /// This, if it is plain.
    #[cfg(feature = "tls")]
    pub fn into_tls(self) -> Result<Box<TlsStream<S, R>>, Self> {
        match self.kind {
            Kind::Plain(stream) => Err(Self::plain(stream)),
            Kind::Tls(tls) => Ok(tls),
        }
    }

    /// The stream below.
    pub fn get_ref(&self) -> &S {
        each!(&self.kind, stream => stream, tls => tls.get_ref())
    }

    /// Reads some bytes to the end of `buffer`, at most as many as it has room for; 0 means the end of the stream.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut impl BufMut) -> Poll<io::Result<usize>> {
        each!(&mut self.kind, stream => R::poll_read(stream, cx, buffer), tls => tls.poll_read(cx, buffer))
    }

    /// Writes some bytes from the front of `data`, and advances it by as many.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, data: &mut impl Buf) -> Poll<io::Result<usize>> {
        each!(&mut self.kind, stream => R::poll_write(stream, cx, data), tls => tls.poll_write(cx, data))
    }

    /// Passes on what the stream itself may hold back.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(&mut self.kind, stream => R::poll_flush(stream, cx), tls => tls.poll_flush(cx))
    }

    /// Ends the writing side.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(&mut self.kind, stream => R::poll_shutdown(stream, cx), tls => tls.poll_shutdown(cx))
    }
}

crate::stream_traits::read_traits!([S: Unpin, R: Transport<S>] MaybeTls<S, R>);
crate::stream_traits::write_traits!([S: Unpin, R: Transport<S>] MaybeTls<S, R>);

#[cfg(feature = "tls")]
impl<S, R: Transport<S>> From<TlsStream<S, R>> for MaybeTls<S, R> {
    fn from(stream: TlsStream<S, R>) -> Self {
        Self { kind: Kind::Tls(Box::new(stream)) }
    }
}

impl<S: fmt::Debug, R: Transport<S>> fmt::Debug for MaybeTls<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each!(&self.kind, stream => fmt::Debug::fmt(stream, f), tls => fmt::Debug::fmt(tls, f))
    }
}
