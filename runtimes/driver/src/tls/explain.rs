//! Why a certificate is not accepted, for people: whose it is, who signed it, and dates that can be read. rustls counts seconds since
//! 1970, and does not name the issuer.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use sansocket::TlsFault;

use crate::tls::certificate::Certificate;
use crate::tls::fault::of_certificate;

/// A verifier that decides as another one does, and remembers for [`take`] what there is to say about a certificate that is not
/// accepted: rustls keeps none that was not.
#[derive(Debug)]
pub(crate) struct Explaining(pub(crate) Arc<dyn ServerCertVerifier>);

thread_local! {
    /// What the last check on this thread found. A handshake checks and fails within one poll, so that it is its own.
    static FOUND: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What is to be said about the certificate for which the handshake that has just been polled failed with `error`, if it was that.
pub(crate) fn take(error: &Error) -> Option<String> {
    let found = FOUND.take();
    match error {
        Error::InvalidCertificate(error) => found.or_else(|| dates(error)),
        _ => None,
    }
}

/// What is to be said with the error alone.
pub(crate) fn dates(error: &CertificateError) -> Option<String> {
    let unix = |time: &UnixTime| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match error {
        CertificateError::ExpiredContext { time, not_after } => {
            Some(format!("it {}", Until { not_after: unix(not_after), now: unix(time) }))
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            Some(format!("it {}", From { not_before: unix(not_before), now: unix(time) }))
        }
        _ => None,
    }
}

impl ServerCertVerifier for Explaining {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let found = match &verified {
            Err(Error::InvalidCertificate(error)) => {
                let chain = std::iter::once(end_entity).chain(intermediates);
                // All or none: what is said names the first, and counts them.
                let chain: Option<Vec<_>> = chain.map(|der| Certificate::read(der)).collect();
                let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
                chain.and_then(|chain| explain(error, &chain, now))
            }
            _ => None,
        };
        FOUND.set(found);
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.0.requires_raw_public_keys()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.0.root_hint_subjects()
    }
}

/// What is to be said about `chain`, the server's own certificate first. `None` where rustls says enough.
fn explain(error: &CertificateError, chain: &[Certificate], now: i64) -> Option<String> {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            let old = chain.iter().find(|certificate| certificate.not_after < now)?;
            Some(format!("{} {}", Whose(old), Until { not_after: old.not_after, now }))
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            let young = chain.iter().find(|certificate| certificate.not_before > now)?;
            Some(format!("{} {}", Whose(young), From { not_before: young.not_before, now }))
        }
        error if of_certificate(error) == TlsFault::UntrustedIssuer => {
            let (own, count) = (chain.first()?, chain.len());
            let s = if count == 1 { "" } else { "s" };
            Some(format!("{}; the server sent {count} certificate{s}", Whose(own)))
        }
        _ => None,
    }
}

/// Whose certificate it is, and who signed it.
struct Whose<'a>(&'a Certificate);

impl fmt::Display for Whose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Certificate { subject, issuer, .. } = self.0;
        match &**subject {
            // Many have their names in an extension only.
            "" => f.write_str("the one")?,
            subject => write!(f, "that of {subject:?}")?,
        }
        match subject == issuer {
            true => f.write_str(", signed by itself"),
            false => write!(f, ", issued by {issuer:?},"),
        }
    }
}

/// Until when it was valid, and how long ago that is.
struct Until {
    not_after: i64,
    now: i64,
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { not_after, now } = *self;
        let ago = Span(now.saturating_sub(not_after));
        write!(f, "was valid until {}, {ago} ago by this machine's clock", Date(not_after))
    }
}

/// From when on it is valid, and how long it is until then.
struct From {
    not_before: i64,
    now: i64,
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { not_before, now } = *self;
        let until = Span(not_before.saturating_sub(now));
        write!(f, "is valid from {} on, {until} from now by this machine's clock", Date(not_before))
    }
}

/// A length of time in its largest unit of which there are two.
struct Span(i64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match self.0 {
            seconds @ 172_800.. => (seconds / 86_400, "day"),
            seconds @ 7200.. => (seconds / 3600, "hour"),
            seconds @ 120.. => (seconds / 60, "minute"),
            seconds => (seconds, "second"),
        };
        let s = if count == 1 { "" } else { "s" };
        write!(f, "{count} {unit}{s}")
    }
}

/// A time in seconds since 1970, as `2026-11-01 12:00:00 UTC`.
struct Date(i64);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        // Counted in years that begin with March, in periods of 400 years, each with 146,097 days.
        let days = days.saturating_add(719_468);
        let (period, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (year * 365 + year / 4 - year / 100);
        let month = (day * 5 + 2) / 153;
        let day = day - (month * 153 + 2) / 5 + 1;
        let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = period * 400 + year + next_year;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(subject: &str, not_before: i64, not_after: i64) -> Certificate {
        Certificate { subject: subject.into(), issuer: "An authority".into(), not_before, not_after }
    }

    #[test]
    fn dates_can_be_read() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_795_442_461, "2026-11-23 14:01:01 UTC"),
            (4_107_456_000, "2100-02-28 00:00:00 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(Date(seconds).to_string(), text);
        }
        for (seconds, text) in [
            (1, "1 second"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7200, "2 hours"),
            (864_000, "10 days"),
        ] {
            assert_eq!(Span(seconds).to_string(), text);
        }
    }

    #[test]
    fn it_is_said_which_certificate_it_is() {
        let now = 1_795_442_461;
        let chain = [certificate("a.example", 0, now + 9), certificate("Middle", now + 7200, now - 864_000)];
        assert_eq!(
            explain(&CertificateError::Expired, &chain, now).unwrap(),
            "that of \"Middle\", issued by \"An authority\", was valid until 2026-11-13 14:01:01 UTC, \
             10 days ago by this machine's clock"
        );
        assert_eq!(
            explain(&CertificateError::NotValidYet, &chain, now).unwrap(),
            "that of \"Middle\", issued by \"An authority\", is valid from 2026-11-23 16:01:01 UTC on, \
             2 hours from now by this machine's clock"
        );
        assert!(
            explain(&CertificateError::UnknownIssuer, &chain, now)
                .unwrap()
                .ends_with("; the server sent 2 certificates")
        );
        let mut own = certificate("me\r\n", 0, 1);
        own.issuer.clone_from(&own.subject);
        assert_eq!(Whose(&own).to_string(), "that of \"me\\r\\n\", signed by itself");
        assert_eq!(explain(&CertificateError::Revoked, &chain, now), None);
    }
}
