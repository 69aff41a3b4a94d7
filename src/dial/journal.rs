//! What a `Dial` has to hand out, and what it has to remember: the steps, and what failed.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use crate::config::Timeouts;
use crate::dial::cause::DialCause;
use crate::dial::config::TcpOptions;
use crate::dial::error::DialAttempt;
use crate::dial::proxy::Proxy;
use crate::dial::step::{AttemptId, DialStep, DialStepKind};
use crate::time::Instant;
use crate::url::Url;

/// Steps to hand out, and attempts that failed.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) steps: VecDeque<DialStep>,
    pub(crate) failed: Vec<DialAttempt>,
    /// Where in `failed` the attempts begin that are for the present URL.
    round: usize,
    route: Arc<Route>,
    tcp: TcpOptions,
    started: Instant,
    attempts: u32,
}

/// Who is to be reached, for people.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// `scheme://host:port`. Without the resource, which may hold secrets.
    pub(crate) server: String,
    /// `scheme://host:port`.
    pub(crate) proxy: Option<Box<str>>,
    /// The host that TCP is connected to.
    pub(crate) host: String,
    /// The time limit for all of it, and what the user knows it as.
    pub(crate) overall: (Option<Duration>, &'static str),
}

impl Route {
    pub(crate) fn new(url: &Url, proxy: Option<&Proxy>, limits: &Timeouts) -> Self {
        Self {
            server: format!("{}://{}", url.scheme(), url.authority_with_port()),
            proxy: proxy.map(|proxy| proxy.to_string().into()),
            host: proxy.map_or(url.host(), Proxy::host).into(),
            overall: (limits.connect, limits.name_of_connect()),
        }
    }
}

impl Journal {
    pub(crate) fn new(route: Route, tcp: TcpOptions, started: Instant) -> Self {
        Self {
            steps: VecDeque::new(),
            failed: Vec::new(),
            round: 0,
            route: Arc::new(route),
            tcp,
            started,
            attempts: 0,
        }
    }

    /// From now on it is about another URL.
    pub(crate) fn turn_to(&mut self, route: Route) {
        self.route = Arc::new(route);
        self.round = self.failed.len();
    }

    pub(crate) fn route(&self) -> &Route {
        &self.route
    }

    pub(crate) fn push(&mut self, step: DialStep) {
        self.steps.push_back(step);
    }

    /// Begins an attempt to connect to `address`.
    pub(crate) fn connect(&mut self, address: SocketAddr) -> AttemptId {
        let attempt = AttemptId(self.attempts);
        self.attempts += 1;
        self.push(DialStep::Connect { attempt, address, tcp: self.tcp });
        attempt
    }

    pub(crate) fn abandon(&mut self, attempt: AttemptId) {
        self.push(DialStep::Abandon { attempt });
    }

    /// Notes that `step`, which began at `since`, failed.
    pub(crate) fn fail(
        &mut self,
        step: DialStepKind,
        address: Option<SocketAddr>,
        since: Instant,
        now: Instant,
        cause: DialCause,
    ) {
        let (began, elapsed) = (since.since(self.started), now.since(since));
        let route = Arc::clone(&self.route);
        self.failed.push(DialAttempt { route, step, address, began, elapsed, cause });
    }

    /// Which of the attempts says best why the present URL was not reached: what came farthest, and of those the last one that
    /// says the most.
    pub(crate) fn decisive(&self) -> Option<usize> {
        let attempts = self.failed.iter().enumerate().skip(self.round);
        let best = attempts.max_by_key(|(_, attempt)| (attempt.step, attempt.cause.weight()))?;
        Some(best.0)
    }
}
