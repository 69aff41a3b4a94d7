//! Where a reference leads to that was found at a URL, as the `Location` of a redirect (RFC 3986 section 5).

use alloc::format;
use alloc::string::String;

use crate::url::Url;
use crate::url::error::UrlError;

impl Url {
    /// The URL that `reference` means when it is found at this one: `wss://other/path`, `//other/path`, `/path`, `../path`,
    /// `?query` ([RFC 3986 section 5.2]).
    ///
    /// Servers and proxies that know nothing of WebSocket write `http` and `https`, which are taken for `ws` and `wss`. A
    /// fragment is dropped, as there is nothing that it could point to.
    ///
    /// ```
    /// use sansocket::Url;
    ///
    /// let url: Url = "wss://example.com/chat/room?id=7".parse()?;
    /// assert_eq!(url.join("../lobby")?.to_string(), "wss://example.com/lobby");
    /// assert_eq!(url.join("https://example.net")?.to_string(), "wss://example.net/");
    /// # Ok::<(), sansocket::UrlError>(())
    /// ```
    ///
    /// Credentials are those of the reference. This URL's are not taken over.
    ///
    /// # Errors
    ///
    /// What `reference` means is not a WebSocket URI. Offsets count from the start of the absolute form.
    ///
    /// [RFC 3986 section 5.2]: https://www.rfc-editor.org/rfc/rfc3986#section-5.2
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        let reference = reference.split_once('#').map_or(reference, |(before, _fragment)| before);
        if let Some((scheme, rest)) = reference.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) {
            let scheme = match scheme {
                _ if scheme.eq_ignore_ascii_case("http") => "ws",
                _ if scheme.eq_ignore_ascii_case("https") => "wss",
                _ => scheme,
            };
            return format!("{scheme}:{rest}").parse();
        }
        if reference.starts_with("//") {
            return format!("{}:{reference}", self.scheme()).parse();
        }
        let (path, query) = split_query(reference);
        let (base_path, base_query) = split_query(self.resource_name());
        let (path, query) = match path {
            "" if query.is_empty() => (base_path.into(), base_query),
            "" => (base_path.into(), query),
            _ if path.starts_with('/') => (remove_dot_segments(path), query),
            _ => {
                let directory = base_path.rsplit_once('/').map_or("", |(directory, _)| directory);
                (remove_dot_segments(&format!("{directory}/{path}")), query)
            }
        };
        let mut authority = String::new();
        // Writing to a `String` cannot fail.
        let _ = self.write_authority(&mut authority);
        format!("{}://{authority}{path}{query}", self.scheme()).parse()
    }
}

/// `scheme` of RFC 3986 section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// Path, and query with its `?`.
fn split_query(text: &str) -> (&str, &str) {
    text.split_at(text.find('?').unwrap_or(text.len()))
}

/// RFC 3986 section 5.2.4, for a path that begins with `/`.
fn remove_dot_segments(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => out.truncate(out.rfind('/').unwrap_or_default()),
            _ => {
                out.push('/');
                out.push_str(segment);
                continue;
            }
        }
        // What ends in dots is a directory.
        if is_last {
            out.push('/');
        }
    }
    out
}
