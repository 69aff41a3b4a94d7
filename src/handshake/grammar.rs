//! The rules of RFC 9112 that a head or a request target can break, by name and in words.

/// A rule of the grammar of a head ([RFC 9112]).
///
/// [RFC 9112]: https://www.rfc-editor.org/rfc/rfc9112
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// A request line is `method SP request-target SP HTTP-version` (section 3).
    RequestLine,
    /// A status line is `HTTP-version SP status-code SP [reason-phrase]` (section 4).
    StatusLine,
    /// A field line begins with a token and a colon (section 5.1).
    FieldName,
    /// A field value has no control characters (section 5.5 of RFC 9110).
    FieldValue,
    /// A carriage return stands only before a line feed (section 2.2).
    LineEnd,
    /// A field value is on one line (section 5.2).
    Folding,
}

impl Malformed {
    /// The rule, as a clause.
    pub(crate) const fn rule(self) -> &'static str {
        match self {
            Self::RequestLine => "a request line is: method, space, target, space, HTTP version",
            Self::StatusLine => "a status line is: HTTP version, space, three digits, space, reason",
            Self::FieldName => "a field line begins with a name without spaces, and a colon",
            Self::FieldValue => "a field value has no control characters",
            Self::LineEnd => "a carriage return stands only before a line feed",
            Self::Folding => "a field line must not begin with a space or a tab",
        }
    }
}

/// Why a request target is not a resource name ([RFC 9112 section 3.2]).
///
/// [RFC 9112 section 3.2]: https://www.rfc-editor.org/rfc/rfc9112#section-3.2
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadTarget {
    /// `*` is for OPTIONS.
    Asterisk,
    /// Neither a path that begins with `/` nor an absolute URI: `host:port`, which is for CONNECT, or a query alone.
    NotAPath,
    /// An absolute URI whose scheme is none of `http`, `https`, `ws`, `wss`.
    Scheme,
    /// An absolute URI whose host or port is missing or malformed, or that has user information.
    Authority,
    /// There is a fragment.
    Fragment,
    /// A `%` without two hexadecimal digits behind it.
    PercentEscape,
    /// A character that is not visible ASCII.
    Character,
}

impl BadTarget {
    /// What is wrong with the target, as the rest of a sentence about it.
    pub(crate) const fn fault(self) -> &'static str {
        match self {
            Self::Asterisk => "is for OPTIONS and names no resource",
            Self::NotAPath => "does not begin with \"/\" and is no absolute URI",
            Self::Scheme => "has a scheme other than http, https, ws and wss",
            Self::Authority => "has no valid host and port",
            Self::Fragment => "has a fragment (\"#\")",
            Self::PercentEscape => "has a \"%\" without two hexadecimal digits behind it",
            Self::Character => "has a character that must be percent-encoded",
        }
    }
}
