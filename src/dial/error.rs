//! The error of a `Dial`: every attempt, with its address, step, time and cause.

use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};
use core::net::SocketAddr;
use core::time::Duration;

use crate::dial::advice::advice;
use crate::dial::cause::DialCause;
use crate::dial::journal::Route;
use crate::dial::proxy::ProxyFault;
use crate::dial::step::DialStepKind;
use crate::handshake::{Elapsed, HandshakeError, HandshakeErrorKind};
use crate::url::Url;

/// Why there is no connection.
///
/// `Display` is one line that stands alone in a log, about the [attempt that decided](Self::decisive);
/// [`report`](Self::report) has all of them. Neither shows credentials, nor the query of a URL, which may be as secret.
///
/// [`source`](core::error::Error::source) is the error of the layer that failed, such as the [`HandshakeError`].
#[derive(Debug, Clone)]
pub struct DialError {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    /// Never empty.
    pub(crate) attempts: Vec<DialAttempt>,
    pub(crate) decisive: usize,
    pub(crate) redirects: Vec<Url>,
    pub(crate) elapsed: Duration,
}

/// A step on the way to a server that failed.
#[derive(Debug, Clone)]
pub struct DialAttempt {
    pub(crate) route: Arc<Route>,
    pub(crate) step: DialStepKind,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) began: Duration,
    pub(crate) elapsed: Duration,
    pub(crate) cause: DialCause,
}

impl DialAttempt {
    /// The server that was to be reached, as `scheme://host:port`.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.route.server
    }

    /// The proxy in between, as `scheme://host:port`.
    #[must_use]
    pub fn proxy(&self) -> Option<&str> {
        self.route.proxy.as_deref()
    }

    /// The address that TCP was to be, or was, connected to: the server's, or the proxy's if there is one. `None` if it was
    /// the address that was not found.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// What failed.
    #[must_use]
    pub fn step(&self) -> DialStepKind {
        self.step
    }

    /// When the step began, from the start of the [`Dial`](crate::Dial).
    #[must_use]
    pub fn began(&self) -> Duration {
        self.began
    }

    /// Time from the beginning of the step to its failure.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Why it failed.
    #[must_use]
    pub fn cause(&self) -> &DialCause {
        &self.cause
    }

    /// What it was about: the address, or the host whose address was not found.
    fn place(&self) -> impl fmt::Display + '_ {
        Place(self)
    }
}

struct Place<'a>(&'a DialAttempt);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.address {
            Some(address) => write!(f, "{address}"),
            None => f.write_str(&self.0.route.host),
        }
    }
}

/// The place, where the name of the server does not say it already.
struct By<'a>(&'a DialAttempt);

impl fmt::Display for By<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.0.place().to_string();
        match self.0.server().split_once("://") {
            Some((_, server)) if server == place => Ok(()),
            _ => write!(f, " by {place}"),
        }
    }
}

/// That a step had no more than was left of the time for all of it, if that is so.
struct Left<'a>(&'a DialAttempt);

impl fmt::Display for Left<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(attempt) = self;
        let limit = match &attempt.cause {
            DialCause::Proxy(error) => match error.fault() {
                ProxyFault::TimedOut { limit } => *limit,
                _ => return Ok(()),
            },
            DialCause::Handshake(error) => match error.kind() {
                HandshakeErrorKind::TimedOut { limit } => *limit,
                _ => return Ok(()),
            },
            _ => return Ok(()),
        };
        match attempt.route.overall {
            (Some(all), option) if attempt.began.saturating_add(limit) >= all => {
                write!(f, "; that was left of {}, which is {option}", Elapsed(all))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for DialAttempt {
    /// What happened, in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            DialCause::Proxy(error) => write!(f, "{error}{}", Left(self)),
            DialCause::Handshake(error) => write!(f, "{error}{}", Left(self)),
            _ => write!(f, "{}", Sentence(self)),
        }
    }
}

/// What happened, in one sentence without its full stop, its circumstances and its code.
struct Sentence<'a>(&'a DialAttempt);

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(attempt) = self;
        let (place, host, server) = (attempt.place(), &attempt.route.host, attempt.server());
        match &attempt.cause {
            DialCause::Resolve(error) => write!(f, "the name {host} was not resolved: {error}"),
            DialCause::NoAddress => write!(f, "the name {host} has no address of the wanted families"),
            DialCause::Connect(error) => write!(f, "{place} {error}"),
            DialCause::Proxy(error) => write!(f, "{}{}", error.fault(), Left(attempt)),
            DialCause::Tls(error) => write!(f, "TLS with {server}{} failed: {error}", By(attempt)),
            DialCause::Handshake(error) => {
                write!(f, "opening handshake failed: {}{}", error.sentence(), Left(attempt))
            }
            DialCause::Redirect(error) => write!(f, "{error}"),
            DialCause::ResolveTimedOut { limit } => {
                write!(f, "the name {host} was not resolved within {}", Elapsed(*limit))
            }
            DialCause::ConnectTimedOut { limit } => {
                write!(f, "{place} did not answer within {}", Elapsed(*limit))
            }
            DialCause::TlsTimedOut { limit } => {
                write!(f, "TLS with {server}{} was not established within {}", By(attempt), Elapsed(*limit))
            }
            DialCause::OverallTimedOut { step, limit } => {
                let (limit, option) = (Elapsed(*limit), attempt.route.overall.1);
                write!(f, "{limit}, which is {option}, were over in the step {step} of {place}")
            }
        }
    }
}

impl DialError {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// All attempts that failed, in the order in which they did. There is at least one.
    #[must_use]
    pub fn attempts(&self) -> &[DialAttempt] {
        &self.inner.attempts
    }

    /// The attempt that says best why there is no connection: the one that came farthest on the way to the last URL. Of
    /// addresses that all failed, one that refused says more than one that did not answer or has no route.
    #[must_use]
    pub fn decisive(&self) -> &DialAttempt {
        let Inner { attempts, decisive, .. } = &*self.inner;
        // INVARIANT: `Dial` notes an attempt before it fails, and finds this one among them.
        &attempts[*decisive]
    }

    /// Why that attempt failed.
    #[must_use]
    pub fn cause(&self) -> &DialCause {
        self.decisive().cause()
    }

    /// A short name of the cause that does not change: see [`DialCause::code`]. Where it is the opening handshake that failed, its code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.cause().code()
    }

    /// The error of the opening handshake, if it is that which failed, or which was answered with a redirect.
    #[must_use]
    pub fn handshake(&self) -> Option<&HandshakeError> {
        match self.cause() {
            DialCause::Handshake(error) => Some(error),
            DialCause::Redirect(error) => Some(error.handshake()),
            _ => None,
        }
    }

    /// The URLs that redirected, in their order.
    #[must_use]
    pub fn redirects(&self) -> &[Url] {
        &self.inner.redirects
    }

    /// How long all of it took.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.inner.elapsed
    }

    /// What can be done about it: one sentence for a person.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        advice(self.cause(), self.decisive().proxy().is_some())
    }

    /// All that is known, on several lines: what was to be reached, what happened, each attempt, and what to do. For people; the
    /// format may change.
    #[must_use]
    pub fn report(&self) -> String {
        let mut out = String::new();
        // Writing to a `String` cannot fail.
        let _ = self.write_report(&mut out);
        out
    }

    fn write_report(&self, out: &mut String) -> fmt::Result {
        let decisive = self.decisive();
        writeln!(out, "No connection to {}: {}.", decisive.server(), Sentence(decisive))?;
        writeln!(out, "  code      {}", self.code())?;
        writeln!(out, "  elapsed   {}", Elapsed(self.elapsed()))?;
        if let Some(proxy) = decisive.proxy() {
            writeln!(out, "  proxy     {proxy}")?;
        }
        for url in self.redirects() {
            writeln!(out, "  from      {}", url.for_people())?;
        }
        for (at, attempt) in self.attempts().iter().enumerate() {
            let (step, began, elapsed) = (attempt.step, Elapsed(attempt.began), Elapsed(attempt.elapsed));
            write!(out, "  attempt   {step} at {began}, for {elapsed}: ")?;
            match at == self.inner.decisive {
                // The first line has said it.
                true => writeln!(out, "as above")?,
                false => writeln!(out, "{attempt}")?,
            }
        }
        match self.cause() {
            DialCause::Handshake(error) => error.write_details(out)?,
            DialCause::Proxy(error) if !error.body().is_empty() => {
                writeln!(out, "  body      \"{}\"", error.body().escape_ascii())?;
            }
            _ => {}
        }
        writeln!(out, "  advice    {}", self.advice())
    }
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decisive = self.decisive();
        write!(f, "no connection to {}", decisive.server())?;
        if let Some(proxy) = decisive.proxy() {
            write!(f, " by the proxy {proxy}")?;
        }
        write!(f, ": {} ({}; ", Sentence(decisive), self.code())?;
        match decisive.cause() {
            DialCause::Handshake(error) => {
                error.write_circumstances(f)?;
                f.write_str("; in all ")?;
            }
            DialCause::Proxy(error) => {
                error.write_circumstances(f)?;
                f.write_str("; in all ")?;
            }
            _ => {}
        }
        write!(f, "{}", Elapsed(self.elapsed()))?;
        let others = self.attempts().iter().enumerate().filter(|(at, _)| *at != self.inner.decisive);
        for (_, other) in others.clone().take(SHOWN_OTHERS) {
            write!(f, ", {} {}", other.place(), other.cause.code())?;
        }
        match others.count().saturating_sub(SHOWN_OTHERS) {
            0 => f.write_str(")"),
            more => write!(f, " and {more} more)"),
        }
    }
}

impl core::error::Error for DialError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.cause().source()
    }
}

/// Attempts that `Display` shows besides the decisive one: more than most hosts have, and few enough for one line.
const SHOWN_OTHERS: usize = 4;
