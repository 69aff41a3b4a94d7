//! International domain names: from what people write to what DNS, TLS and HTTP carry (UTS 46, RFC 5890).

use alloc::borrow::Cow;

use crate::url::error::UrlError;

/// `authority` with its host in ASCII; what is ASCII already stays as it is.
#[cfg(feature = "idn")]
pub(crate) fn to_ascii(authority: &str) -> Result<Cow<'_, str>, UrlError> {
    use idna::AsciiDenyList;

    if authority.is_ascii() {
        return Ok(Cow::Borrowed(authority));
    }
    let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
    // What is left of a percent sign or a bracket afterwards is found where ASCII hosts are checked.
    let host = idna::domain_to_ascii_cow(host.as_bytes(), AsciiDenyList::URL)
        .map_err(|_| UrlError::InternationalName)?;
    Ok(Cow::Owned([&*host, port].concat()))
}

/// `authority` as it is: what is not ASCII is refused where hosts are checked.
#[cfg(not(feature = "idn"))]
pub(crate) fn to_ascii(authority: &str) -> Result<Cow<'_, str>, UrlError> {
    Ok(Cow::Borrowed(authority))
}
