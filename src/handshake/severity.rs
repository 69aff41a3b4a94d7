//! How serious a failed handshake is: a total function of what went wrong and of who the peer appears to be.

use core::fmt;

use crate::handshake::kind::HandshakeErrorKind as Kind;
use crate::handshake::peer::Peer;
use crate::role::Role;

/// How serious a failed handshake is, and with that, whose business. The later, the more serious.
///
/// Which codes deserve an alert is in `docs/diagnosing.md` in the repository.
///
/// ```
/// use sansocket::Severity;
///
/// assert!(Severity::Probe < Severity::Local);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Somebody looked whether the port is open, and said nothing or next to nothing: a health check, a port scan, the losing
    /// side of a race between two connections. Nobody's business; deserves the level *debug*.
    Probe,
    /// The peer is not meant for this port, or this request not for this server: a browser, TLS on a port without it, a
    /// redirect, a request that the application refused, whatever its reason. Deserves *info*.
    WrongPeer,
    /// The peer is meant for this port, and it or the network between is faulty or fails. Deserves *warn*.
    BadPeer,
    /// The peer went over a limit that no ordinary peer goes over. Deserves *warn*, and a look at where it comes from.
    Abuse,
    /// This end has to be looked at: its credentials or the program. Deserves *error*.
    Local,
}

impl Severity {
    /// All, from the least to the most serious.
    pub const ALL: [Self; 5] = [Self::Probe, Self::WrongPeer, Self::BadPeer, Self::Abuse, Self::Local];

    /// A short name that does not change, for metrics: `probe`, `wrong-peer`, `bad-peer`, `abuse` or `local`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::WrongPeer => "wrong-peer",
            Self::BadPeer => "bad-peer",
            Self::Abuse => "abuse",
            Self::Local => "local",
        }
    }

    /// How serious it is for an endpoint of this role that the handshake failed like this.
    pub(crate) fn of(kind: &Kind, peer: &Peer, role: Role) -> Self {
        match (kind, role) {
            // Who has said nothing, or not even a method, wanted no answer. A client, though, was promised one.
            (Kind::ClosedBeforeFirstByte, Role::Server) => Self::Probe,
            (Kind::ClosedInsideHead | Kind::TimedOut { .. } | Kind::TransportFailed(_), Role::Server)
                if matches!(peer, Peer::Silent | Peer::Unclear) =>
            {
                Self::Probe
            }
            (Kind::NotHttp | Kind::PlainRequest { .. }, _)
            | (Kind::NotUpgraded { .. } | Kind::Redirected { .. }, _)
            // What the application decides is no fault of this end, be it 503 when it is full. With 500 it says that it is.
            | (Kind::Rejected { status: ..=499 | 501.. }, _) => Self::WrongPeer,
            // Fails as HTTP/1.0 or POST do, but was not meant as a handshake at all.
            (
                Kind::MethodNotGet { .. } | Kind::HttpVersion { .. } | Kind::UpgradeNotWebSocket { .. },
                Role::Server,
            ) if matches!(peer, Peer::HttpClient { .. }) => Self::WrongPeer,
            (Kind::HeadTooLarge { .. } | Kind::TooManyFields { .. } | Kind::RequestLineTooLong { .. }, _) => {
                Self::Abuse
            }
            (Kind::Rejected { .. } | Kind::Finished, _)
            | (Kind::AuthenticationRequired { .. } | Kind::ProxyAuthenticationRequired { .. }, _) => {
                Self::Local
            }
            (
                Kind::ClosedBeforeFirstByte
                | Kind::ClosedInsideHead
                | Kind::ClosedBeforeReply
                | Kind::TransportFailed(_)
                | Kind::TimedOut { .. }
                | Kind::MalformedHead { .. }
                | Kind::HttpVersion { .. }
                | Kind::MethodNotGet { .. }
                | Kind::BadTarget { .. }
                | Kind::MissingHost
                | Kind::BadHost { .. }
                | Kind::MissingUpgrade
                | Kind::UpgradeNotWebSocket { .. }
                | Kind::MissingConnection
                | Kind::ConnectionNotUpgrade { .. }
                | Kind::MissingVersion
                | Kind::UnsupportedVersion { .. }
                | Kind::MissingKey
                | Kind::BadKey { .. }
                | Kind::DuplicateField { .. }
                | Kind::HasContent { .. }
                | Kind::TransferCoding { .. }
                | Kind::Expectation { .. }
                | Kind::BadSubprotocol { .. }
                | Kind::DuplicateSubprotocol { .. }
                | Kind::VersionRefused { .. }
                | Kind::ServerBusy { .. }
                | Kind::GatewayFailed { .. }
                | Kind::UnexpectedStatus { .. }
                | Kind::MissingAccept
                | Kind::AcceptMismatch { .. }
                | Kind::UnsolicitedExtension { .. }
                | Kind::BadExtension { .. }
                | Kind::UnsolicitedSubprotocol { .. }
                | Kind::SeveralSubprotocols { .. },
                _,
            ) => Self::BadPeer,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
