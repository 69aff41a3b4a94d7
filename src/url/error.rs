//! Why a text is not a WebSocket URI, and where in it.

use thiserror::Error;

/// Why a text is not a WebSocket URI (RFC 6455 section 3).
///
/// `at` is always an offset in bytes from the start of the text that was given: `text[at..]` begins with what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UrlError {
    /// A space, a line end or another control character.
    #[error("the URL has whitespace or a control character at byte {at}; percent-encode it")]
    Whitespace {
        /// Where the first of them is.
        at: usize,
    },
    /// There is no `://`.
    #[error("the URL has no scheme: it must begin with ws:// or wss://")]
    NoScheme,
    /// A scheme other than `ws` and `wss`.
    #[error("the URL's scheme must be ws (for http) or wss (for https)")]
    Scheme,
    /// Nothing between `://` and the path.
    #[error("the URL has no host")]
    EmptyHost,
    /// `user@host` where there can be a host and a port only.
    #[error("there is user information before the host")]
    Userinfo,
    /// A character in user name or password that must be percent-encoded, or cannot be sent at all: a control character, and a
    /// colon in the name ([RFC 7617 section 2]).
    ///
    /// [RFC 7617 section 2]: https://www.rfc-editor.org/rfc/rfc7617#section-2
    #[error(
        "the URL has a character at byte {at}, in user name or password, that must be percent-encoded, or that no user name or password has"
    )]
    UserinfoCharacter {
        /// Where it is.
        at: usize,
    },
    /// The host is no international name: its characters cannot be in a name, or not in this order. Only with the feature
    /// `idn`.
    #[error("the URL's host is not an international domain name (UTS 46)")]
    InternationalName,
    /// A character that no host name has. Without the feature `idn`, that is every character that is not ASCII.
    #[error(
        "the URL's host has the character {character:?} at byte {at}; write international names in their ASCII form (xn--...)"
    )]
    HostCharacter {
        /// Where it is.
        at: usize,
        /// The first such character.
        character: char,
    },
    /// Something in brackets that is not an IPv6 address, or a bracket without its other.
    #[error("the URL's host in brackets is not an IPv6 address (a zone is not allowed)")]
    Ipv6,
    /// A host that ends in a number must be an IPv4 address of four numbers.
    #[error("the URL's host ends in a number but is not an IPv4 address")]
    Ipv4,
    /// The port is not a number from 1 to 65535.
    #[error("the URL's port is not a number from 1 to 65535")]
    Port,
    /// A fragment, which has no meaning here.
    #[error(
        "the URL has a fragment, which a WebSocket URI must not have; a '#' in path or query is written %23"
    )]
    Fragment,
    /// A `%` without two hexadecimal digits behind it.
    #[error("the URL has a '%' at byte {at} without two hexadecimal digits behind it")]
    PercentEscape {
        /// Where the `%` is.
        at: usize,
    },
    /// A character in path or query that must be percent-encoded.
    #[error("the URL has a character at byte {at}, in path or query, that must be percent-encoded")]
    Character {
        /// Where it is.
        at: usize,
    },
}

impl UrlError {
    /// The same fault, found in a part of the text that begins `offset` bytes behind its start.
    pub(crate) fn moved_by(mut self, offset: usize) -> Self {
        if let Some(at) = self.offset() {
            *at += offset;
        }
        self
    }

    /// The same fault, in a text that begins `offset` bytes behind the start of the one in which it was found.
    pub(crate) fn moved_back(mut self, offset: usize) -> Self {
        if let Some(at) = self.offset() {
            *at = at.saturating_sub(offset);
        }
        self
    }

    fn offset(&mut self) -> Option<&mut usize> {
        if let Self::Whitespace { at }
        | Self::HostCharacter { at, .. }
        | Self::UserinfoCharacter { at }
        | Self::PercentEscape { at }
        | Self::Character { at } = self
        {
            Some(at)
        } else {
            None
        }
    }
}
