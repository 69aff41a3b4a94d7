//! Which end of the connection an endpoint is (RFC 6455 section 1.3).

/// Which end of the connection this endpoint is.
///
/// The role decides who masks ([RFC 6455 section 5.1]), who ends TCP first (section 7.1.1) and who speaks first.
///
/// [RFC 6455 section 5.1]: https://www.rfc-editor.org/rfc/rfc6455#section-5.1
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The endpoint that opened the connection; it masks every frame that it sends.
    Client,
    /// The endpoint that accepted the connection; it never masks.
    Server,
}

impl Role {
    /// The role of the endpoint at the other end.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl core::fmt::Display for Role {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}
