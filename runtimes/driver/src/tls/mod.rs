//! TLS by rustls, in both roles: `client` and `server` have the options, `pem` reads certificates and keys, `session` is TLS
//! without IO, `stream` the byte stream around it. What failed is sorted by `fault` on a client and by `refused` on a server;
//! `explain` says what is wrong with a certificate, of which `certificate` reads names and dates.
//!
//! The cryptography is named where rustls is set up (`ring`), so that no process-wide default is needed or looked at.

mod certificate;
mod client;
mod danger;
mod explain;
mod fault;
mod pem;
mod refused;
mod server;
mod session;
mod stream;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use rustls::crypto::{CryptoProvider, ring};
use sansocket::Instant;

use crate::runtime::Timer;

pub use client::{Tls, TlsBuilder};
pub use pem::TlsConfigError;
pub use refused::{TlsAcceptError, TlsAcceptFault};
pub use server::{TlsAcceptor, TlsAcceptorBuilder};
pub use stream::TlsStream;

pub(crate) use fault::late_fault;

/// The cryptography of everything here.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// What a WebSocket speaks inside of TLS (RFC 6455 section 4.1 has HTTP/1.1), as both ends say by ALPN.
const HTTP1: &[u8] = b"http/1.1";

/// What `future` gives, or `None` if the deadline comes first.
pub(crate) async fn within<T>(
    timer: &mut impl Timer,
    deadline: Option<Instant>,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        let Some(deadline) = deadline else { return Poll::Pending };
        timer.poll_until(cx, deadline).map(|()| None)
    })
    .await
}
