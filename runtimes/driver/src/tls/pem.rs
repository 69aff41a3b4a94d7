//! Certificates and keys as they come in files, and what can be wrong with them.

use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

/// What is wrong with options of TLS.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum TlsConfigError {
    /// What should be certificates or a key is no PEM (RFC 7468).
    #[error("{what} are not PEM: {text}")]
    Pem {
        /// What it was meant for.
        what: &'static str,
        /// What is wrong with it.
        text: Box<str>,
    },
    /// There is no `BEGIN CERTIFICATE` in it.
    #[error("{what} hold no certificate")]
    NoCertificate {
        /// What it was meant for.
        what: &'static str,
    },
    /// There is no private key in it: PKCS #8, PKCS #1 or SEC 1, unencrypted.
    #[error("there is no private key; PKCS #8, PKCS #1 and SEC 1 can be read, unencrypted")]
    NoKey,
    /// A certificate of an authority cannot be used as one.
    #[error("certificate {number} of the authorities cannot be used: {error}")]
    Authority {
        /// Which one, counted from 1.
        number: usize,
        /// Why.
        #[source]
        error: rustls::Error,
    },
    /// Certificate and key do not belong together, or are of a kind that is not known.
    #[error("certificate and key cannot be used together: {0}")]
    Key(#[source] rustls::Error),
    /// The authorities of the operating system are not to be had.
    #[error("the operating system has no authorities that could be trusted: {0}")]
    Platform(#[source] rustls::Error),
    /// How certificates are checked could not be set up.
    #[error("certificates cannot be checked: {0}")]
    Verifier(Box<str>),
    /// Not the name of a host, and no address.
    #[error("{0:?} is not the name of a host or an address")]
    Name(Box<str>),
}

/// The certificates in `text`; at least one.
pub(crate) fn certificates(
    what: &'static str,
    text: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsConfigError> {
    let read = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>();
    match read {
        Ok(none) if none.is_empty() => Err(TlsConfigError::NoCertificate { what }),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(TlsConfigError::Pem { what, text: error.to_string().into() }),
    }
}

/// The first private key in `text`.
pub(crate) fn key(text: &[u8]) -> Result<PrivateKeyDer<'static>, TlsConfigError> {
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsConfigError::NoKey,
        error => {
            TlsConfigError::Pem { what: "the contents of the key's file", text: error.to_string().into() }
        }
    })
}

/// A store of authorities.
pub(crate) fn authorities(
    mut store: RootCertStore,
    certificates: impl IntoIterator<Item = CertificateDer<'static>>,
) -> Result<RootCertStore, TlsConfigError> {
    for (at, certificate) in certificates.into_iter().enumerate() {
        let number = at + 1;
        store.add(certificate).map_err(|error| TlsConfigError::Authority { number, error })?;
    }
    Ok(store)
}
