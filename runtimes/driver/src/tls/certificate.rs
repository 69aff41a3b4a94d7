//! What a person wants to know of a certificate (RFC 5280 section 4.1): whom it is for, who signed it, from when to when it is
//! valid. Nothing is checked: that is rustls's business.
//!
//! ```text
//! Certificate ─► TBSCertificate ─► [0] version, serial number, signature, issuer, validity, subject, ...
//! ```

/// What is read of a certificate. Names are what a peer sent, and are to be escaped where they are shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Certificate {
    pub(crate) subject: String,
    pub(crate) issuer: String,
    /// Seconds since 1970, as all times here.
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
}

impl Certificate {
    /// Reads a certificate from its DER. `None` if it is none.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let (certificate, _) = expect(SEQUENCE, der)?;
        let (mut rest, _) = expect(SEQUENCE, certificate)?;
        if let Some((VERSION, _, behind)) = element(rest) {
            rest = behind;
        }
        let (_serial, rest) = expect(INTEGER, rest)?;
        let (_signature, rest) = expect(SEQUENCE, rest)?;
        let (issuer, rest) = expect(SEQUENCE, rest)?;
        let (validity, rest) = expect(SEQUENCE, rest)?;
        let (subject, _) = expect(SEQUENCE, rest)?;
        let (kind, not_before, validity) = element(validity)?;
        let not_before = time(kind, not_before)?;
        let (kind, not_after, _) = element(validity)?;
        let not_after = time(kind, not_after)?;
        Some(Self { subject: name(subject), issuer: name(issuer), not_before, not_after })
    }
}

/// The first element: its tag, its content, and what comes behind it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        // No certificate is so long that its length needs more than four bytes.
        0x81..=0x84 => {
            let (len, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            (len.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((tag, content, rest))
}

/// The content of the first element, which must have this tag, and what comes behind it.
fn expect(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    element(der).filter(|(seen, ..)| *seen == tag).map(|(_, content, rest)| (content, rest))
}

fn elements(mut der: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, content, rest) = element(der)?;
        der = rest;
        Some((tag, content))
    })
}

/// A distinguished name in short: the common name, and the organization where there is one, or what there is. May be empty.
fn name(der: &[u8]) -> String {
    let attributes = || {
        let sets = elements(der).filter(|(tag, _)| *tag == SET);
        sets.flat_map(|(_, set)| elements(set)).filter_map(|(_, attribute)| {
            let (oid, value) = expect(OID, attribute)?;
            let (kind, value, _) = element(value)?;
            Some((oid, text(kind, value)))
        })
    };
    let of = |wanted: &[u8]| attributes().find(|(oid, _)| *oid == wanted).map(|(_, text)| text);
    match (of(&COMMON_NAME), of(&ORGANIZATION)) {
        (Some(name), Some(organization)) if name != organization => format!("{name}, {organization}"),
        (Some(name), _) | (None, Some(name)) => name,
        (None, None) => attributes().next().map(|(_, text)| text).unwrap_or_default(),
    }
}

/// A string of any of the kinds that names are made of, up to [`MAX_NAME`] characters.
fn text(kind: u8, value: &[u8]) -> String {
    let text = match kind {
        BMP_STRING => {
            let units: Vec<u16> = value
                .chunks_exact(2)
                .map(|pair| pair.iter().fold(0, |sum, &byte| sum << 8 | u16::from(byte)))
                .collect();
            String::from_utf16_lossy(&units)
        }
        _ => String::from_utf8_lossy(value).into_owned(),
    };
    text.chars().take(MAX_NAME).collect()
}

/// A UTCTime (`YYMMDDhhmmssZ`) or a GeneralizedTime (`YYYYMMDDhhmmssZ`), as RFC 5280 section 4.1.2.5 restricts them.
fn time(kind: u8, value: &[u8]) -> Option<i64> {
    let digits = value.strip_suffix(b"Z").filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let year_len = match kind {
        UTC_TIME => 2,
        GENERALIZED_TIME => 4,
        _ => return None,
    };
    let (year, rest) = digits.split_at_checked(year_len)?;
    let number = |digits: &[u8]| digits.iter().fold(0, |sum, &digit| sum * 10 + i64::from(digit - b'0'));
    let year = match (kind, number(year)) {
        // Section 4.1.2.5.1: 50 and later are of the 20th century.
        (UTC_TIME, year @ 50..) => 1900 + year,
        (UTC_TIME, year) => 2000 + year,
        (_, year) => year,
    };
    let mut parts = rest.chunks(2).map(number);
    let [month, day, hour, minute, second] = std::array::from_fn(|_| parts.next());
    let is_date = rest.len() == 10 && matches!(month, Some(1..=12)) && matches!(day, Some(1..=31));
    let days = days_of(year, month.filter(|_| is_date)?, day?);
    Some(days * 86_400 + hour? * 3600 + minute? * 60 + second?)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Counted in years that begin with March, so that the day that some have
/// more is the last one.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before_year = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let before_month = (months * 153 + 2) / 5;
    before_year + before_month + day - 1 - 719_468 /* those up to 1970-01-01 */
}

const INTEGER: u8 = 0x02;
const OID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const BMP_STRING: u8 = 0x1E;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// `[0] EXPLICIT`.
const VERSION: u8 = 0xA0;

/// `id-at-commonName` and `id-at-organizationName`, RFC 5280 appendix A.1.
const COMMON_NAME: [u8; 3] = [0x55, 4, 3];
const ORGANIZATION: [u8; 3] = [0x55, 4, 10];

/// Characters that are kept of each part of a name; X.520 allows 64.
const MAX_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, DnValue, KeyPair, date_time_ymd};

    use super::*;

    fn der(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = CertificateParams::default();
        change(&mut params);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn names_and_dates_are_read() {
        let read = |change: fn(&mut CertificateParams)| Certificate::read(&der(change)).unwrap();
        let certificate = read(|params| {
            params.distinguished_name = rcgen::DistinguishedName::new();
            params.distinguished_name.push(DnType::OrganizationName, "M\u{fc}ller & Co");
            params.distinguished_name.push(DnType::CommonName, "a.example");
            params.not_before = date_time_ymd(1999, 12, 31);
            params.not_after = date_time_ymd(2100, 3, 1);
        });
        let name = "a.example, M\u{fc}ller & Co";
        assert_eq!((&*certificate.subject, &*certificate.issuer), (name, name));
        assert_eq!((certificate.not_before, certificate.not_after), (946_598_400, 4_107_542_400));
        let certificate = read(|params| {
            let wide = DnValue::BmpString("B\u{fc}ro".try_into().unwrap());
            params.distinguished_name = rcgen::DistinguishedName::new();
            params.distinguished_name.push(DnType::OrganizationalUnitName, wide);
            params.not_after = date_time_ymd(2024, 2, 29);
        });
        assert_eq!((&*certificate.subject, certificate.not_after), ("B\u{fc}ro", 1_709_164_800));
        let nameless = read(|params| params.distinguished_name = rcgen::DistinguishedName::new());
        assert_eq!(nameless.subject, "");
    }

    #[test]
    fn what_is_cut_or_changed_is_no_certificate_and_never_panics() {
        let whole = der(|_| {});
        for len in 0..whole.len() {
            assert_eq!(Certificate::read(&whole[..len]), None);
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7F, 0x80, 0x84, 0xFF] {
                let mut changed = whole.clone();
                changed[at] = value;
                let _ = Certificate::read(&changed);
            }
        }
    }
}
