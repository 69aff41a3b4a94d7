//! Whether a failure is worth another try: the one place where statuses, close codes and diagnoses are judged.

use alloc::vec::Vec;
use core::time::Duration;

use crate::closed::Closed;
use crate::dial::{DialCause, DialError, ProxyFault, SocksReply, TlsFault};
use crate::error::Cause;
use crate::frame::CloseCode;
use crate::handshake::{HandshakeError, HandshakeErrorKind as Kind};
use crate::role::Role;
use crate::session::retry_after::retry_after;

/// What a failed attempt or a lost connection means for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may work another time.
    Retry(Pace),
    /// It will fail in the same way every time: this server is not tried again.
    Never,
    /// The server has said that all is done (close code 1000). Not a failure.
    Done,
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// After the ordinary back-off.
    Normal,
    /// Not before this time is over, which the server has named, and then spread by the ordinary back-off.
    After(Duration),
    /// After a random delay from [`SessionConfig::restart_delay`](crate::SessionConfig::restart_delay): all clients of a server that
    /// restarts lose it at once.
    Restart,
    /// After a back-off three steps further than the ordinary one, and no less than half of it: the server is overloaded.
    Slower,
}

/// Exceptions from the defaults. An entry here decides; `never` comes before `retry`.
///
/// The defaults are, for the HTTP status of a refused handshake: 408, 425, 429 and 5xx are worth a retry, 501 and 505 and
/// everything else are not. For the close code of a lost connection:
///
/// | code | |
/// |---|---|
/// | 1000 | done |
/// | none, 1001, 1005, 1006, 1011, 1014 | retry |
/// | 1012 | retry after a random delay |
/// | 1013 | retry, more slowly |
/// | 1002, 1003, 1007 to 1010, 1015 | never |
/// | 3000 (unauthorized), 3003 (forbidden) | never |
/// | all others, 4000 to 4999 among them | retry: what they mean is the application's secret |
///
/// ```
/// use sansocket::{CloseCode, RetryRules, SessionConfig, ClientRequest};
///
/// let mut config = SessionConfig::new(ClientRequest::new("wss://example.com/feed")?);
/// // While this service is deployed its proxy answers 404; and it closes with 4001 when an account is closed.
/// config.rules.retry_statuses = vec![404];
/// config.rules.never_codes = vec![CloseCode(4001)];
/// # Ok::<(), sansocket::UrlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RetryRules {
    /// HTTP statuses that are worth a retry.
    pub retry_statuses: Vec<u16>,
    /// HTTP statuses that are final.
    pub never_statuses: Vec<u16>,
    /// Close codes that are worth a retry. [`CloseCode::NORMAL`] here reconnects after a normal close too.
    pub retry_codes: Vec<CloseCode>,
    /// Close codes that are final. [`CloseCode::ABNORMAL`] stands for the end without a Close frame.
    pub never_codes: Vec<CloseCode>,
}

impl RetryRules {
    /// Judges a refused handshake by its status. `retry_after` is what the response says about when to come back.
    #[must_use]
    pub fn status(&self, status: u16, retry_after: Option<Duration>) -> Verdict {
        let retry = match status {
            _ if self.never_statuses.contains(&status) => false,
            _ if self.retry_statuses.contains(&status) => true,
            // The server does not have what is asked for, and will not while it is the same.
            501 | 505 => false,
            408 | 425 | 429 | 500..=599 => true,
            _ => false,
        };
        match retry_after {
            _ if !retry => Verdict::Never,
            Some(time) => Verdict::Retry(Pace::After(time)),
            // "Too many requests" without a time: fewer, then.
            None if status == 429 => Verdict::Retry(Pace::Slower),
            None => Verdict::Retry(Pace::Normal),
        }
    }

    /// Judges the close code that a server sent.
    #[must_use]
    pub fn close_code(&self, code: CloseCode) -> Verdict {
        let pace = match code {
            CloseCode::SERVICE_RESTART => Pace::Restart,
            CloseCode::TRY_AGAIN_LATER => Pace::Slower,
            _ => Pace::Normal,
        };
        match code.0 {
            _ if self.never_codes.contains(&code) => Verdict::Never,
            _ if self.retry_codes.contains(&code) => Verdict::Retry(pace),
            1000 => Verdict::Done,
            1002 | 1003 | 1007..=1010 | 1015 | 3000 | 3003 => Verdict::Never,
            _ => Verdict::Retry(pace),
        }
    }

    /// Judges the end of a connection that its client did not ask for: by the server's Close frame if there was one, else by
    /// what this endpoint found.
    #[must_use]
    pub fn closed(&self, closed: &Closed) -> Verdict {
        match (&closed.received, closed.cause) {
            // What this endpoint complained about is still so, whatever the server answered.
            (_, Cause::Failed(failure)) => self.close_code(failure.close_code()),
            (Some(frame), _) if closed.first == Role::Server => self.close_code(frame.code()),
            // This client was closed by its application behind the back of its session.
            (Some(_), Cause::Clean) => Verdict::Done,
            _ => self.close_code(CloseCode::ABNORMAL),
        }
    }

    /// Judges a failed dial, by the attempt that [decided](DialError::decisive).
    ///
    /// The network, the resolver and time limits are worth a retry: a name that does not exist is what many resolvers say where there
    /// is no network. So are certificates outside of their time, which is put right by the server or by this machine's clock.
    #[must_use]
    pub fn dial(&self, error: &DialError) -> Verdict {
        let never = match error.cause() {
            DialCause::Handshake(error) => return self.handshake(error),
            DialCause::Redirect(error) => return self.handshake(error.handshake()),
            DialCause::Proxy(error) => match error.fault() {
                ProxyFault::Refused { status } => return self.status(*status, None),
                ProxyFault::AuthenticationRequired { .. } => return self.status(407, None),
                ProxyFault::Closed | ProxyFault::TransportFailed(_) | ProxyFault::TimedOut { .. } => false,
                ProxyFault::Reply(reply) => {
                    [SocksReply::NOT_ALLOWED, SocksReply::COMMAND, SocksReply::ADDRESS_TYPE].contains(reply)
                }
                _ => true,
            },
            DialCause::Tls(error) => match error.fault() {
                TlsFault::Expired
                | TlsFault::NotYetValid
                | TlsFault::Closed
                | TlsFault::TransportFailed
                | TlsFault::Other => false,
                TlsFault::UntrustedIssuer
                | TlsFault::WrongName
                | TlsFault::Revoked
                | TlsFault::BadCertificate
                | TlsFault::ClientCertificate
                | TlsFault::NotTls
                | TlsFault::Version
                | TlsFault::Refused
                | TlsFault::Unavailable => true,
            },
            DialCause::Resolve(_)
            | DialCause::NoAddress
            | DialCause::Connect(_)
            | DialCause::ResolveTimedOut { .. }
            | DialCause::ConnectTimedOut { .. }
            | DialCause::TlsTimedOut { .. }
            | DialCause::OverallTimedOut { .. } => false,
        };
        if never { Verdict::Never } else { Verdict::Retry(Pace::Normal) }
    }

    /// Judges a failed opening handshake.
    #[must_use]
    pub fn handshake(&self, error: &HandshakeError) -> Verdict {
        match error.kind() {
            Kind::ClosedBeforeFirstByte
            | Kind::ClosedInsideHead
            | Kind::ClosedBeforeReply
            | Kind::TransportFailed(_)
            | Kind::TimedOut { .. } => Verdict::Retry(Pace::Normal),
            Kind::Rejected { status }
            | Kind::NotUpgraded { status }
            | Kind::Redirected { status, .. }
            | Kind::VersionRefused { status, .. }
            | Kind::ServerBusy { status, .. }
            | Kind::GatewayFailed { status }
            | Kind::UnexpectedStatus { status } => {
                self.status(*status, error.response().and_then(retry_after))
            }
            Kind::AuthenticationRequired { .. } => self.status(401, None),
            Kind::ProxyAuthenticationRequired { .. } => self.status(407, None),
            // A limit of this client, a peer that speaks something else, or a handshake that breaks the rules: the next
            // answer will be the same.
            Kind::HeadTooLarge { .. }
            | Kind::TooManyFields { .. }
            | Kind::RequestLineTooLong { .. }
            | Kind::NotHttp
            | Kind::MalformedHead { .. }
            | Kind::HttpVersion { .. }
            | Kind::MethodNotGet { .. }
            | Kind::BadTarget { .. }
            | Kind::MissingHost
            | Kind::BadHost { .. }
            | Kind::PlainRequest { .. }
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
            | Kind::MissingAccept
            | Kind::AcceptMismatch { .. }
            | Kind::UnsolicitedExtension { .. }
            | Kind::BadExtension { .. }
            | Kind::UnsolicitedSubprotocol { .. }
            | Kind::SeveralSubprotocols { .. }
            | Kind::Finished => Verdict::Never,
        }
    }
}
