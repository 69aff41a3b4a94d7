//! Why a server did not get TLS with a client: what happened, who is at fault, and what to do.

use std::fmt;
use std::io;
use std::time::Duration;

use rustls::{AlertDescription, Error, PeerIncompatible};
use sansocket::{Peer, Severity};

use crate::tls::explain;
use crate::tls::stream::{Failed, Seen};

/// Why a server has no TLS with a client. `Display` is one line that stands alone in a log.
pub struct TlsAcceptError {
    inner: Box<Inner>,
}

struct Inner {
    fault: TlsAcceptFault,
    /// The words of rustls or of the operating system; may be empty.
    text: Box<str>,
    peer: Peer,
    bytes: u64,
    first_bytes: Box<[u8]>,
    elapsed: Duration,
}

/// What went wrong with a client's handshake of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsAcceptFault {
    /// The client closed TCP and had said nothing: a health check, a port scan.
    ClosedBeforeFirstByte,
    /// The client closed TCP inside the handshake. Some close so when they do not trust the certificate.
    ClosedInside,
    /// Reading or writing failed.
    TransportFailed,
    /// The handshake was not done in time.
    TimedOut {
        /// The time limit.
        limit: Duration,
    },
    /// The client does not speak TLS. Plain HTTP was answered with 400.
    NotTls,
    /// There is no version of TLS that both speak: the client knows only 1.1 or older.
    Version,
    /// There are no algorithms, or no protocol (ALPN), that both have.
    NothingInCommon,
    /// The client does not accept the certificate of this server.
    CertificateRefused {
        /// The alert with which it said so (RFC 8446 section 6): 48 is `unknown_ca`, 42 `bad_certificate`, 45
        /// `certificate_expired`, 46 `certificate_unknown`, 51 `decrypt_error` (a wrong signature).
        alert: u8,
    },
    /// The client gave up with another alert.
    GaveUp {
        /// The alert (RFC 8446 section 6).
        alert: u8,
    },
    /// The client showed no certificate, or one that is not accepted here.
    ClientCertificate,
    /// Anything else: what came breaks the rules of TLS.
    Other,
}

/// Makes the function and the list from one table, so that neither lacks what the other has.
macro_rules! codes {
    ($($fault:pat => $code:literal,)+) => {
        impl TlsAcceptFault {
            /// The [code](Self::code) of every fault, in the order of the variants.
            pub const CODES: &'static [&'static str] = &[$($code),+];

            /// A short name that does not change, such as `tls-certificate-refused`. `docs/connecting.md` has all of them.
            #[must_use]
            pub const fn code(&self) -> &'static str {
                match self {
                    $($fault => $code,)+
                }
            }
        }
    };
}

codes! {
    Self::ClosedBeforeFirstByte => "tls-closed-before-first-byte",
    Self::ClosedInside => "tls-closed-inside",
    Self::TransportFailed => "tls-transport-failed",
    Self::TimedOut { .. } => "tls-timed-out",
    Self::NotTls => "tls-not-tls",
    Self::Version => "tls-version",
    Self::NothingInCommon => "tls-nothing-in-common",
    Self::CertificateRefused { .. } => "tls-certificate-refused",
    Self::GaveUp { .. } => "tls-gave-up",
    Self::ClientCertificate => "tls-client-certificate",
    Self::Other => "tls-failed",
}

impl fmt::Display for TlsAcceptFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClosedBeforeFirstByte => f.write_str("the client closed TCP before it sent a byte"),
            Self::ClosedInside => f.write_str("the client closed TCP inside the handshake of TLS"),
            Self::TransportFailed => f.write_str("the connection failed"),
            Self::TimedOut { limit } => {
                write!(f, "the handshake of TLS was not done within {} ms", limit.as_millis())
            }
            Self::NotTls => f.write_str("the client does not speak TLS"),
            Self::Version => f.write_str("the client speaks no version of TLS that this server speaks"),
            Self::NothingInCommon => f.write_str("the client and this server have no algorithms in common"),
            Self::CertificateRefused { .. } => {
                f.write_str("the client does not accept the certificate of this server")
            }
            Self::GaveUp { .. } => f.write_str("the client gave the handshake of TLS up"),
            Self::ClientCertificate => f.write_str("the client has no certificate that is accepted here"),
            Self::Other => f.write_str("the client breaks the rules of TLS"),
        }
    }
}

impl TlsAcceptError {
    pub(crate) fn new(failed: &Failed, seen: &Seen, peer: Peer, elapsed: Duration) -> Self {
        let text = match failed {
            Failed::Tls(Error::InvalidCertificate(certificate)) => {
                explain::dates(certificate).unwrap_or_else(|| certificate.to_string())
            }
            Failed::Tls(error) => error.to_string(),
            Failed::Io(error) => error.to_string(),
            Failed::NotTls | Failed::Closed => String::new(),
        };
        Self::of(sort(failed, seen), &text, seen, peer, elapsed)
    }

    pub(crate) fn timed_out(limit: Duration, seen: &Seen, peer: Peer, elapsed: Duration) -> Self {
        Self::of(TlsAcceptFault::TimedOut { limit }, "", seen, peer, elapsed)
    }

    fn of(fault: TlsAcceptFault, text: &str, seen: &Seen, peer: Peer, elapsed: Duration) -> Self {
        let first_bytes = seen.shown().into();
        let inner = Inner { fault, text: text.into(), peer, bytes: seen.bytes, first_bytes, elapsed };
        Self { inner: Box::new(inner) }
    }

    /// What went wrong.
    #[must_use]
    pub fn fault(&self) -> &TlsAcceptFault {
        &self.inner.fault
    }

    /// A short name that does not change: see [`TlsAcceptFault::code`].
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.inner.fault.code()
    }

    /// Bytes of the client.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.inner.bytes
    }

    /// The first bytes that came, at most 64.
    #[must_use]
    pub fn first_bytes(&self) -> &[u8] {
        &self.inner.first_bytes
    }

    /// Time from the start of the handshake to its failure.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.inner.elapsed
    }

    /// What the client appears to be: of one that speaks TLS, with the name that it asked for (SNI) and its protocols (ALPN), as far
    /// as they came within its first kilobyte.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.inner.peer
    }

    /// How serious it is, and which level it deserves in a log.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.inner.fault {
            TlsAcceptFault::ClosedBeforeFirstByte => Severity::Probe,
            TlsAcceptFault::TimedOut { .. } | TlsAcceptFault::TransportFailed if self.bytes() == 0 => {
                Severity::Probe
            }
            TlsAcceptFault::NotTls
            | TlsAcceptFault::Version
            | TlsAcceptFault::NothingInCommon
            | TlsAcceptFault::ClientCertificate => Severity::WrongPeer,
            _ => Severity::BadPeer,
        }
    }

    /// What can be done about it: one sentence for a person.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self.inner.fault {
            TlsAcceptFault::ClosedBeforeFirstByte => {
                "Nothing, if it is a health check or a port scan, which it most likely is."
            }
            TlsAcceptFault::ClosedInside => {
                "Look at the client's log; browsers and some libraries close so when they do not trust the certificate."
            }
            TlsAcceptFault::TransportFailed | TlsAcceptFault::TimedOut { .. } => {
                "Look at the network, and at the client if it happens again."
            }
            TlsAcceptFault::NotTls => {
                "Let the client use wss, or a load balancer that ends TLS talk to a port without it."
            }
            TlsAcceptFault::Version => "Update the client: this server speaks TLS 1.2 and 1.3.",
            TlsAcceptFault::NothingInCommon => {
                "Look at what the client offers; for ALPN it must offer http/1.1, or nothing."
            }
            TlsAcceptFault::CertificateRefused { .. } => {
                "Look whether the chain has all intermediate certificates, its names and dates, and whether the client trusts its authority."
            }
            TlsAcceptFault::GaveUp { .. } => "Look at the client's log for the reason of the alert.",
            TlsAcceptFault::ClientCertificate => {
                "Give the client a certificate of an authority that is accepted here, with its key."
            }
            TlsAcceptFault::Other => "Look at what the TLS library says, and at the first bytes.",
        }
    }
}

impl fmt::Display for TlsAcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { fault, text, peer, bytes, elapsed, .. } = &*self.inner;
        write!(f, "TLS was not accepted: {fault}")?;
        if !text.is_empty() {
            write!(f, ": {text}")?;
        }
        write!(f, " ({}; {peer}, {bytes} bytes, {} ms)", self.code(), elapsed.as_millis())
    }
}

impl fmt::Debug for TlsAcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsAcceptError")
            .field("fault", &self.inner.fault)
            .field("text", &self.inner.text)
            .field("bytes", &self.bytes())
            .field("first_bytes", &self.first_bytes().escape_ascii().to_string())
            .field("elapsed", &self.inner.elapsed)
            .field("peer", &self.inner.peer)
            .finish()
    }
}

impl std::error::Error for TlsAcceptError {}

fn sort(failed: &Failed, seen: &Seen) -> TlsAcceptFault {
    match failed {
        Failed::NotTls => TlsAcceptFault::NotTls,
        Failed::Closed if seen.bytes == 0 => TlsAcceptFault::ClosedBeforeFirstByte,
        Failed::Closed => TlsAcceptFault::ClosedInside,
        Failed::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => TlsAcceptFault::ClosedInside,
        Failed::Io(_) => TlsAcceptFault::TransportFailed,
        Failed::Tls(error) => of_tls(error),
    }
}

fn of_tls(error: &Error) -> TlsAcceptFault {
    match error {
        Error::AlertReceived(alert) => match alert {
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::DecryptError => {
                TlsAcceptFault::CertificateRefused { alert: u8::from(*alert) }
            }
            AlertDescription::ProtocolVersion => TlsAcceptFault::Version,
            other => TlsAcceptFault::GaveUp { alert: u8::from(*other) },
        },
        Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => TlsAcceptFault::Version,
        Error::PeerIncompatible(_) | Error::NoApplicationProtocol => TlsAcceptFault::NothingInCommon,
        Error::NoCertificatesPresented | Error::InvalidCertificate(_) => TlsAcceptFault::ClientCertificate,
        _ => TlsAcceptFault::Other,
    }
}
