//! What operators see: a span per connection, one event per failed handshake at the level that it deserves, and counts.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use sansocket::{Closed, DialError, HandshakeError, Role, Severity};
use tracing::field;
use tracing::{Level, Span, debug, error, info, info_span, warn};

use crate::runtime::Transport;
#[cfg(feature = "tls")]
use crate::tls::TlsAcceptError;

/// What a filter of events names: `RUST_LOG=sansocket=debug`.
pub(crate) const TARGET: &str = "sansocket";

/// The opening handshakes of this process so far, in one role; see [`handshakes`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handshakes {
    /// Those that opened a connection.
    pub opened: u64,
    /// Those that failed, by [`HandshakeError::code`], and on a server those of TLS, by their code.
    pub failed: BTreeMap<&'static str, u64>,
}

/// Counts the opening handshakes of all connections of this process, on whichever runtime.
///
/// With the feature `metrics` they are also exported through the crate of that name, as `sansocket_handshakes_opened_total` and
/// `sansocket_handshakes_failed_total` with the labels `role` and `code`.
#[must_use]
pub fn handshakes(role: Role) -> Handshakes {
    counts(|counts| counts.of(role).clone())
}

/// The span of a connection. It is at level `info`, so that it is there for the application's own events.
pub(crate) fn span(role: Role, peer: Option<SocketAddr>) -> Span {
    info_span!(target: TARGET, "websocket", %role, peer = peer.map(field::display))
}

/// The address of the peer, for the log. It is a system call, which is only made if somebody listens, and at once: of a connection
/// that was reset it is not known any more.
pub(crate) fn peer<S, R: Transport<S>>(stream: &S) -> Option<SocketAddr> {
    if tracing::enabled!(target: TARGET, Level::ERROR) { R::peer(stream) } else { None }
}

/// Notes that a connection is open.
pub(crate) fn opened(role: Role) {
    counts(|counts| counts.of(role).opened += 1);
    #[cfg(feature = "metrics")]
    metrics::counter!("sansocket_handshakes_opened_total", "role" => role_name(role)).increment(1);
    debug!(target: TARGET, "open");
}

/// Notes a failed handshake: the one place where it is logged, unless a server turns its client away.
pub(crate) fn failed(failure: &HandshakeError, io: Option<&io::Error>, peer: Option<SocketAddr>) {
    let code = failure.code();
    count_failed(failure);
    macro_rules! at {
        ($level:ident) => {
            $level!(
                target: TARGET,
                code,
                severity = failure.severity().code(),
                phase = failure.phase().code(),
                peer = peer.map(field::display),
                looks_like = failure.peer().code(),
                path = failure.path().map(field::display),
                reason = failure.reason(),
                status = failure.status(),
                bytes = failure.bytes(),
                reads = failure.reads(),
                elapsed_ms = failure.elapsed().as_millis() as u64,
                io = io.map(io::Error::to_string),
                "{failure}"
            )
        };
    }
    match failure.severity() {
        Severity::Probe => at!(debug),
        Severity::WrongPeer => at!(info),
        Severity::BadPeer | Severity::Abuse => at!(warn),
        _ => at!(error),
    }
}

/// Counts a failed handshake, and leaves it to the caller to log why.
pub(crate) fn count_failed(failure: &HandshakeError) {
    let (role, code) = (failure.role(), failure.code());
    counts(|counts| *counts.of(role).failed.entry(code).or_default() += 1);
    #[cfg(feature = "metrics")]
    metrics::counter!("sansocket_handshakes_failed_total", "role" => role_name(role), "code" => code)
        .increment(1);
}

/// Notes that a client did not get to its server. The caller has the error, so that this is for who looks closer.
pub(crate) fn not_dialed(error: &DialError) {
    let decisive = error.decisive();
    debug!(
        target: TARGET,
        code = error.code(),
        step = %decisive.step(),
        peer = decisive.address().map(field::display),
        proxy = decisive.proxy(),
        elapsed_ms = error.elapsed().as_millis() as u64,
        "{error}"
    );
}

/// Notes that a server has no TLS with a client: the one place where it is logged and counted.
#[cfg(feature = "tls")]
pub(crate) fn tls_refused(failure: &TlsAcceptError, peer: Option<SocketAddr>) {
    let code = failure.code();
    counts(|counts| *counts.of(Role::Server).failed.entry(code).or_default() += 1);
    #[cfg(feature = "metrics")]
    metrics::counter!("sansocket_handshakes_failed_total", "role" => "server", "code" => code).increment(1);

    macro_rules! at {
        ($level:ident) => {
            $level!(
                target: TARGET,
                code,
                severity = failure.severity().code(),
                peer = peer.map(field::display),
                looks_like = failure.peer().code(),
                bytes = failure.bytes(),
                first_bytes = %failure.first_bytes().escape_ascii(),
                elapsed_ms = failure.elapsed().as_millis() as u64,
                "{failure}"
            )
        };
    }
    match failure.severity() {
        Severity::Probe => at!(debug),
        Severity::WrongPeer => at!(info),
        _ => at!(warn),
    }
}

/// Notes a plain HTTP request, without its query.
pub(crate) fn plain_http(method: &str, path: &str) {
    debug!(target: TARGET, method, path, "plain HTTP");
}

/// Notes how an open connection ended.
pub(crate) fn closed(closed: &Closed, io: Option<&io::Error>) {
    debug!(target: TARGET, clean = closed.is_clean(), io = io.map(io::Error::to_string), "{closed}");
}

#[derive(Default)]
struct Counts {
    server: Handshakes,
    client: Handshakes,
}

impl Counts {
    fn of(&mut self, role: Role) -> &mut Handshakes {
        match role {
            Role::Server => &mut self.server,
            Role::Client => &mut self.client,
        }
    }
}

/// Once per connection, so a lock costs nothing that could be measured.
fn counts<T>(use_them: impl FnOnce(&mut Counts) -> T) -> T {
    static COUNTS: Mutex<Option<Counts>> = Mutex::new(None);
    let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    use_them(counts.get_or_insert_default())
}

#[cfg(feature = "metrics")]
fn role_name(role: Role) -> &'static str {
    match role {
        Role::Server => "server",
        Role::Client => "client",
    }
}
