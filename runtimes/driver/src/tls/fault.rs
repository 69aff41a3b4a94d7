//! What a client's handshake of TLS failed with, in the core's words.

use std::fmt::Write as _;
use std::io;

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};
use sansocket::{StepError, TlsFault};

use crate::tls::explain;
use crate::tls::stream::{Failed, Seen};

/// Why the handshake failed, as the core sorts it. The text says what is wrong with the certificate, or has the words of rustls, or how far the
/// server came; where what came is not TLS, the first bytes of it.
pub(crate) fn client_fault(failed: &Failed, seen: &Seen) -> StepError<TlsFault> {
    let (fault, mut text) = match failed {
        Failed::Tls(error) => (sort(error), explain::take(error).unwrap_or_else(|| error.to_string())),
        Failed::NotTls => (TlsFault::NotTls, String::new()),
        Failed::Closed => (TlsFault::Closed, how_far(seen)),
        Failed::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            (TlsFault::Closed, how_far(seen))
        }
        Failed::Io(error) => (TlsFault::TransportFailed, format!("{error}; {}", how_far(seen))),
    };
    if fault == TlsFault::NotTls {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "it said \"{}\"", seen.shown().escape_ascii());
    }
    StepError::new(fault, text)
}

/// How far the server came before the connection ended: who has said nothing most likely does not speak TLS.
fn how_far(seen: &Seen) -> String {
    match seen.bytes {
        0 => "it had sent nothing, as a server without TLS does".to_owned(),
        1 => "it had sent 1 byte".to_owned(),
        bytes => format!("it had sent {bytes} bytes"),
    }
}

/// Why TLS failed after its handshake: in TLS 1.3 a server judges the client's certificate then.
pub(crate) fn late_fault(error: &Error) -> StepError<TlsFault> {
    StepError::new(sort(error), error)
}

fn sort(error: &Error) -> TlsFault {
    match error {
        Error::InvalidCertificate(certificate) => of_certificate(certificate),
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => TlsFault::Version,
        Error::PeerIncompatible(_) | Error::NoApplicationProtocol => TlsFault::Refused,
        Error::NoCertificatesPresented | Error::UnsupportedNameType => TlsFault::BadCertificate,
        _ => TlsFault::Other,
    }
}

pub(crate) fn of_certificate(error: &CertificateError) -> TlsFault {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsFault::NotYetValid,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsFault::WrongName
        }
        // A wrong signature: of an authority that has the name of a trusted one, and another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsFault::UntrustedIssuer,
        CertificateError::Revoked => TlsFault::Revoked,
        // A certificate that signed itself and is no authority, as many tools make them.
        other if other.to_string().contains("CaUsedAsEndEntity") => TlsFault::UntrustedIssuer,
        _ => TlsFault::BadCertificate,
    }
}

fn of_alert(alert: AlertDescription) -> TlsFault {
    match alert {
        AlertDescription::ProtocolVersion => TlsFault::Version,
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::CertificateRequired
        | AlertDescription::NoCertificate
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => TlsFault::ClientCertificate,
        _ => TlsFault::Refused,
    }
}
