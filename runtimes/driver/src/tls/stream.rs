//! A byte stream inside of TLS, in either role and on any runtime.

use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::marker::PhantomData;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, BytesMut};
use rustls::pki_types::CertificateDer;
use rustls::{ProtocolVersion, SupportedCipherSuite};
use sansocket::TlsParams;

use crate::runtime::Transport;
use crate::scratch;
use crate::tls::session::{RECORD, Role, Session, io_error};

/// A byte stream inside of TLS, on either side of it; made by `connect`, by [`Tls::connect`](crate::Tls::connect) and by
/// [`TlsAcceptor::accept`](crate::TlsAcceptor::accept).
///
/// With the features `futures-io` and `tokio-io` it has the traits of those crates, so that it is an ordinary stream of the
/// runtime. What it wants to be written it holds back, up to 64 KiB, until it is flushed or there is more.
///
/// A stream that ends without the peer's `close_notify` may have been cut off by somebody else: reading then gives an error of the kind
/// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof), which the end of a WebSocket calls
/// [`TlsTruncated`](sansocket::TransportError::TlsTruncated). After a closing handshake it does not matter.
pub struct TlsStream<S, R: Transport<S>> {
    stream: S,
    session: Session,
    /// Plaintext that was decrypted and not read.
    plain: BytesMut,
    /// The stream has ended without `close_notify`.
    cut: bool,
    said_goodbye: bool,
    runtime: PhantomData<fn() -> R>,
}

/// How a handshake of TLS failed.
#[derive(Debug)]
pub(crate) enum Failed {
    /// rustls does not accept what came, or was told so.
    Tls(rustls::Error),
    /// What came is not TLS. All of it is still there: see [`TlsStream::into_parts`].
    NotTls,
    /// The peer closed TCP.
    Closed,
    /// Reading or writing failed.
    Io(io::Error),
}

/// What came in a handshake of TLS.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The first bytes, up to [`KEPT`].
    pub(crate) first: Vec<u8>,
    pub(crate) bytes: u64,
}

impl<S, R: Transport<S>> TlsStream<S, R> {
    /// A stream before its handshake. `input` is what was read of it already.
    pub(crate) fn new(stream: S, role: Role, input: BytesMut) -> Self {
        Self {
            stream,
            session: Session::new(role, input),
            plain: BytesMut::new(),
            cut: false,
            said_goodbye: false,
            runtime: PhantomData,
        }
    }

    /// Does the handshake, to its end. What came is noted in `seen`.
    pub(crate) async fn handshake(&mut self, seen: &mut Seen) -> Result<(), Failed> {
        seen.note(&self.session.incoming);
        let done = poll_fn(|cx| self.poll_handshake(cx, seen)).await;
        if let Err(Failed::Tls(_)) = done {
            // The alert that says why, if there is room for it at once.
            let _ = poll_fn(|cx| Poll::Ready(self.poll_flush(cx))).await;
        }
        done
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>, seen: &mut Seen) -> Poll<Result<(), Failed>> {
        loop {
            if seen.is_not_tls() {
                return Poll::Ready(Err(Failed::NotTls));
            }
            let Self { session, plain, .. } = self;
            session.receive(&mut |data| plain.extend_from_slice(data)).map_err(Failed::Tls)?;
            let written = ready!(self.poll_flush(cx));
            if !self.session.common().is_handshaking() {
                written.map_err(Failed::Io)?;
                self.session.settle();
                return Poll::Ready(Ok(()));
            }
            let before = self.session.incoming.len();
            let read = match (ready!(self.poll_fill(cx)), written) {
                (Ok(1..), _) => {
                    seen.note(self.session.incoming.get(before..).unwrap_or_default());
                    continue;
                }
                // The peer may have said why before it closed, so that this comes after all that there is to read.
                (_, Err(error)) | (Err(error), Ok(())) => Failed::Io(error),
                (Ok(0), Ok(())) => Failed::Closed,
            };
            return Poll::Ready(Err(read));
        }
    }

    /// Reads ciphertext.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.session.make_room();
        let read = R::poll_read(&mut self.stream, cx, &mut self.session.incoming);
        if !matches!(read, Poll::Ready(Ok(1..))) {
            self.session.settle();
        }
        read
    }

    /// Writes the ciphertext that waits.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.session.outgoing.bytes().is_empty() {
            let written = ready!(R::poll_write(&mut self.stream, cx, &mut self.session.outgoing.bytes()))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.session.outgoing.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Reads some bytes to the end of `buffer`, at most as many as it has room for; 0 means that the peer has said that nothing
    /// follows.
    ///
    /// # Errors
    ///
    /// Those of the stream; [`InvalidData`](io::ErrorKind::InvalidData) with a [`rustls::Error`] if TLS failed;
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the stream ended and the peer had not said so.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut impl BufMut) -> Poll<io::Result<usize>> {
        let room = buffer.remaining_mut();
        if room == 0 {
            return Poll::Ready(Ok(0));
        }
        loop {
            if self.plain.has_remaining() {
                let read = self.plain.len().min(room);
                buffer.put_slice(&self.plain.split_to(read));
                if self.plain.is_empty() {
                    self.plain = BytesMut::new();
                }
                return Poll::Ready(Ok(read));
            }
            let Self { session, plain, .. } = self;
            let read = Cell::new(0);
            let mut take = |data: &[u8]| {
                let (taken, left) = data.split_at(data.len().min(room - read.get()));
                buffer.put_slice(taken);
                plain.extend_from_slice(left);
                read.set(read.get() + taken.len());
            };
            let received = loop {
                match session.receive(&mut take) {
                    Ok(true) if read.get() < room => {}
                    other => break other,
                }
            };
            let read = read.get();
            if read > 0 {
                if session.incoming.is_empty() {
                    session.settle();
                }
                // What failed behind it fails again at the next call.
                return Poll::Ready(Ok(read));
            }
            if let Err(error) = received {
                let _alert = self.poll_drain(cx);
                return Poll::Ready(Err(io_error(error)));
            }
            if self.session.peer_closed() {
                self.session.settle();
                return Poll::Ready(Ok(0));
            }
            if !self.cut && ready!(self.poll_fill(cx))? == 0 {
                self.cut = true;
            }
            if self.cut {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, CUT)));
            }
        }
    }

    /// Takes some bytes from the front of `data`, which leave now or with the next [`poll_flush`](Self::poll_flush).
    ///
    /// # Errors
    ///
    /// Those of the stream; [`InvalidData`](io::ErrorKind::InvalidData) with a [`rustls::Error`] if TLS failed.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, data: &mut impl Buf) -> Poll<io::Result<usize>> {
        if !self.session.outgoing.has_room() {
            ready!(self.poll_drain(cx))?;
        }
        let mut taken = 0;
        while data.has_remaining() && self.session.outgoing.has_room() {
            let record = data.remaining().min(RECORD);
            let Self { session, plain, .. } = self;
            let mut take = |data: &[u8]| plain.extend_from_slice(data);
            if let Some(piece) = data.chunk().get(..record) {
                session.encrypt(piece, &mut take).map_err(io_error)?;
                data.advance(record);
            } else {
                // Several pieces, such as a header and its payload, in one record.
                let mut block = scratch::take();
                data.copy_to_slice(&mut block[..record]);
                let encrypted = session.encrypt(&block[..record], &mut take);
                scratch::give(block);
                encrypted.map_err(io_error)?;
            }
            taken += record;
        }
        match self.poll_drain(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(taken)),
        }
    }

    /// Writes all that was taken.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        R::poll_flush(&mut self.stream, cx)
    }

    /// Says that nothing follows (`close_notify`), and ends the writing side of the stream.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !std::mem::replace(&mut self.said_goodbye, true) {
            let Self { session, plain, .. } = self;
            // A session that has failed has nothing more to say.
            let _ = session.close(&mut |data| plain.extend_from_slice(data));
        }
        ready!(self.poll_drain(cx))?;
        R::poll_shutdown(&mut self.stream, cx)
    }

    /// The stream below.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// What was agreed on, in words.
    #[must_use]
    pub fn params(&self) -> TlsParams {
        let mut params = TlsParams::default();
        params.version = match self.version() {
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2".into(),
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3".into(),
            // It is known once the handshake is over, and rustls has no other.
            _ => Box::default(),
        };
        if let Some(suite) = self.cipher_suite() {
            params.cipher_suite = format!("{:?}", suite.suite()).into();
        }
        params.alpn = self.alpn().unwrap_or_default().into();
        params
    }

    /// The version of TLS.
    #[must_use]
    pub fn version(&self) -> Option<ProtocolVersion> {
        self.session.common().protocol_version()
    }

    /// The cipher suite.
    #[must_use]
    pub fn cipher_suite(&self) -> Option<SupportedCipherSuite> {
        self.session.common().negotiated_cipher_suite()
    }

    /// The protocol that both ends agreed on (ALPN, RFC 7301).
    #[must_use]
    pub fn alpn(&self) -> Option<&[u8]> {
        self.session.common().alpn_protocol()
    }

    /// The peer's certificates, its own first. On a server, those of a client that was asked for them.
    #[must_use]
    pub fn peer_certificates(&self) -> Option<&[CertificateDer<'static>]> {
        self.session.common().peer_certificates()
    }

    /// Why TLS failed, if it was that which failed after the handshake: in TLS 1.3 a client learns only then that the server does
    /// not accept its certificate.
    #[must_use]
    pub fn error(&self) -> Option<&rustls::Error> {
        self.session.error()
    }

    /// What was read and is not TLS, with the stream: for who answers in the protocol that it is.
    pub(crate) fn into_parts(self) -> (S, BytesMut) {
        (self.stream, self.session.incoming)
    }
}

crate::stream_traits::read_traits!([S: Unpin, R: Transport<S>] TlsStream<S, R>);
crate::stream_traits::write_traits!([S: Unpin, R: Transport<S>] TlsStream<S, R>);

impl<S, R: Transport<S>> fmt::Debug for TlsStream<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream")
            .field("version", &self.version())
            .field("alpn", &self.alpn().map(|alpn| alpn.escape_ascii().to_string()))
            .finish_non_exhaustive()
    }
}

impl Seen {
    fn note(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        let room = KEPT - self.first.len();
        self.first.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// As many of the first bytes as errors show.
    pub(crate) fn shown(&self) -> &[u8] {
        self.first.get(..SHOWN).unwrap_or(&self.first)
    }

    /// Whether what came cannot be TLS: a record has a type of four, and a version 3.x (RFC 8446 section 5.1).
    fn is_not_tls(&self) -> bool {
        match self.first[..] {
            [] => false,
            [kind] => !(20..=24).contains(&kind),
            [kind, major, ..] => !(20..=24).contains(&kind) || major != 3,
        }
    }
}

/// Bytes of a peer's first that are kept while the handshake lasts: most of a usual ClientHello, with the name in it.
const KEPT: usize = 1024;

/// Bytes of them that errors show, as many as in the error of an opening handshake.
const SHOWN: usize = 64;

/// What an end without `close_notify` says.
const CUT: &str = "TLS was cut off without close_notify";
