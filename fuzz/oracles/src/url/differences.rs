//! Where the library and the URL Standard differ. The standard says what a browser does with whatever people type; the library takes
//! what RFC 3986 and RFC 6455 call a URI, and repairs nothing.

use sansocket::UrlError;

/// Texts that the standard accepts and the library refuses, by the library's reason.
pub(super) fn is_accepted(text: &str, error: UrlError) -> bool {
    let lower = text.to_ascii_lowercase();
    match error {
        // The standard removes some of them, and encodes the others.
        UrlError::Whitespace { .. } => {
            text.bytes().any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control())
        }
        // Slashes may lack in it, or be backslashes.
        UrlError::NoScheme => !text.contains("://"),
        UrlError::Scheme => {
            text.contains(['\\', ':']) && !["ws://", "wss://"].iter().any(|start| lower.starts_with(start))
        }
        // There may be any number of slashes.
        UrlError::EmptyHost => text.contains("///") || text.contains("//\\"),
        // RFC 6455 section 3.
        UrlError::Fragment => text.contains('#'),
        // Port 0, which nobody can connect to; and a port behind a backslash.
        UrlError::Port => text.contains(":0") || text.contains('\\'),
        // The numbers of an address in other ways: fewer of them, octal, hexadecimal, a dot at the end.
        UrlError::Ipv4 => true,
        // The standard has International Domain Names, removes percent-encoding of a host, and lets characters through that are no
        // part of a `reg-name`.
        UrlError::HostCharacter { character, .. } => !character.is_ascii() || "%\\\"`{}".contains(character),
        UrlError::UserinfoCharacter { .. } => true,
        UrlError::Character { .. } | UrlError::PercentEscape { .. } => true,
        _ => false,
    }
}

/// Hosts that the library takes for names and the standard for none: what begins as the ASCII form of an international name and is
/// not, which only the feature `idn` could tell.
pub(super) fn is_refused(host: &str) -> bool {
    host.split('.').any(|label| label.starts_with("xn--"))
}

/// Texts that both accept, for different addresses.
pub(super) fn is_read_otherwise(text: &str) -> bool {
    // A slash to the standard, and part of a name in a query or path to RFC 3986.
    text.contains('\\')
}

/// References that lead elsewhere.
pub(super) fn is_joined_otherwise(base: &str, reference: &str) -> bool {
    let both = [base, reference].map(str::to_ascii_lowercase);
    // `%2e` is a dot to the standard, and not to RFC 3986 section 5.2.4.
    let dots = both.iter().any(|text| text.contains("%2e"));
    // A scheme without slashes is as good as none, if it is that of the base.
    let relative = both[1].split_once(':').is_some_and(|(_, rest)| !rest.starts_with("//"));
    // To the crate a letter and a colon are a drive in every scheme, and nothing leads out of one; to the standard in `file` only.
    let drive = both
        .iter()
        .flat_map(|text| text.split('/'))
        .any(|segment| matches!(segment.as_bytes(), [b'a'..=b'z', b':' | b'|', ..]));
    // The standard has removed dot segments from the base before; RFC 3986 section 5.2.3 takes its last segment as it is.
    let has_dots =
        base.split('?').next().unwrap_or_default().split('/').any(|part| matches!(part, "." | ".."));
    // The standard removes some whitespace and control characters before it reads.
    dots || relative
        || drive
        || has_dots
        || both.iter().any(|text| text.contains(|c: char| c == '\\' || c == ' ' || c.is_ascii_control()))
}

#[cfg(test)]
mod tests {
    use sansocket::Url;
    use url::Url as Standard;

    use super::*;

    #[test]
    fn the_standard_repairs_what_the_library_refuses() {
        for (text, repaired) in [
            (" ws://a/", "ws://a/"),
            ("ws://a/\tb", "ws://a/b"),
            ("ws:a", "ws://a/"),
            ("ws:\\\\a", "ws://a/"),
            ("ws:///a", "ws://a/"),
            ("ws://a/#b", "ws://a/#b"),
            ("ws://a:0/", "ws://a:0/"),
            ("ws://a:80\\b", "ws://a/b"),
            ("ws://127.1/", "ws://127.0.0.1/"),
            ("ws://0x7f.0.0.1/", "ws://127.0.0.1/"),
            ("ws://0x7f000001/", "ws://127.0.0.1/"),
            ("ws://1.2.3.4./", "ws://1.2.3.4/"),
            ("ws://%61/", "ws://a/"),
            ("ws://m\u{fc}nchen/", "ws://xn--mnchen-3ya/"),
            ("ws://a\\b/", "ws://a/b/"),
            ("ws://a`b/", "ws://a`b/"),
            ("ws://u<r@a/", "ws://u%3Cr@a/"),
            ("ws://a/caf\u{e9}", "ws://a/caf%C3%A9"),
            ("ws://a/%", "ws://a/%"),
        ] {
            let error = text.parse::<Url>().expect_err(text);
            assert!(is_accepted(text, error), "{text}: {error}");
            assert_eq!(Standard::parse(text).map(String::from).as_deref(), Ok(repaired));
        }
    }

    #[test]
    fn the_library_does_not_know_international_names() {
        let url: Url = "ws://xn--a/".parse().expect("the library takes it for a name");
        assert!(is_refused(url.host()) && Standard::parse("ws://xn--a/").is_err());
    }

    #[test]
    fn a_backslash_is_no_slash() {
        let url: Url = "ws://a/b\\c".parse().expect("an address");
        assert!(is_read_otherwise("ws://a/b\\c"));
        assert_eq!(url.resource_name(), "/b\\c");
        assert_eq!(Standard::parse("ws://a/b\\c").map(String::from).as_deref(), Ok("ws://a/b/c"));
    }

    #[test]
    fn an_encoded_dot_is_no_dot() {
        let base: Url = "ws://a/b/%2e%2e/c".parse().expect("an address");
        assert!(is_joined_otherwise(base.resource_name(), "../d"));
        assert_eq!(base.join("../d").map(|url| url.to_string()).as_deref(), Ok("ws://a/b/d"));
        let theirs = Standard::parse("ws://a/b/%2e%2e/c").and_then(|base| base.join("../d"));
        assert_eq!(theirs.map(String::from).as_deref(), Ok("ws://a/d"));
    }

    #[test]
    fn dots_at_the_end_of_a_base_are_its_last_segment() {
        let base: Url = "ws://a/b/c/..".parse().expect("an address");
        assert!(is_joined_otherwise(base.resource_name(), "d"));
        assert_eq!(base.join("d").map(|url| url.to_string()).as_deref(), Ok("ws://a/b/c/d"));
        let theirs = Standard::parse("ws://a/b/c/..").and_then(|base| base.join("d"));
        assert_eq!(theirs.map(String::from).as_deref(), Ok("ws://a/b/d"));
    }

    #[test]
    fn a_letter_and_a_colon_are_no_drive() {
        let base: Url = "ws://a/b/c:/d".parse().expect("an address");
        assert!(is_joined_otherwise(base.resource_name(), "../e"));
        assert_eq!(base.join("../e").map(|url| url.to_string()).as_deref(), Ok("ws://a/b/e"));
        let theirs = Standard::parse("ws://a/b/c:/d").and_then(|base| base.join("../e"));
        assert_ne!(theirs.map(String::from).as_deref(), Ok("ws://a/b/e"));
    }

    #[test]
    fn a_scheme_without_slashes_is_no_relative_reference() {
        let base: Url = "ws://a/b".parse().expect("an address");
        assert!(is_joined_otherwise("/b", "ws:c") && base.join("ws:c").is_err());
        let theirs = Standard::parse("ws://a/b").and_then(|base| base.join("ws:c"));
        assert_eq!(theirs.map(String::from).as_deref(), Ok("ws://a/c"));
    }
}
