//! From one step of a `Dial` to the next, and to its failure.

use alloc::boxed::Box;
use core::mem;
use core::net::SocketAddr;
use core::time::Duration;

use crate::dial::cause::DialCause;
use crate::dial::error::{DialError, Inner};
use crate::dial::machine::{Dial, Link, Stage};
use crate::dial::race::Race;
use crate::dial::step::{DialStep, DialStepKind};
use crate::time::Instant;

impl Dial {
    /// Begins the way to the present URL.
    pub(super) fn begin(&mut self, now: Instant) {
        let url = self.request.url();
        let (host, ip, port) = match &self.proxy {
            Some(proxy) => (proxy.host(), proxy.ip(), proxy.port()),
            None => (url.host(), url.ip(), url.port()),
        };
        let race = match ip {
            Some(ip) => Race::of_address(&self.config, SocketAddr::new(ip, port), now),
            None => {
                let (host, addresses) = (host.into(), self.config.addresses);
                self.journal.push(DialStep::Resolve { host, port, addresses });
                Race::new(&self.config, now)
            }
        };
        self.stage = Stage::Connecting(Box::new(race));
        self.advance(now);
    }

    pub(super) fn advance(&mut self, now: Instant) {
        if let Stage::Connecting(race) = &mut self.stage {
            if !race.advance(now, &mut self.journal) {
                self.fail(now);
            }
        }
    }

    /// From here on the bytes are the server's.
    //= https://www.rfc-editor.org/rfc/rfc6455#section-4.1
    //# If /secure/ is true, the client MUST perform a TLS handshake over
    //# the connection after opening the connection and before sending
    //# the handshake data [RFC2818].
    pub(super) fn secure(&mut self, link: Link, now: Instant) {
        let url = self.request.url();
        if !url.is_secure() {
            self.open(link, now);
            return;
        }
        // RFC 6066 section 3: without the dot that ends an absolute name.
        let server_name = url.host().strip_suffix('.').unwrap_or(url.host()).into();
        self.journal.push(DialStep::Tls { attempt: link.attempt, server_name });
        self.stage = Stage::Securing(Link { since: now, ..link });
    }

    pub(super) fn open(&mut self, link: Link, now: Instant) {
        let mut config = self.client.clone();
        // What is left of the time is the handshake's, so that it says itself how far it came.
        config.timeouts.handshake = self.within(config.timeouts.handshake, now);
        let request = Box::new(self.request.clone());
        self.journal.push(DialStep::Handshake { attempt: link.attempt, request, config: Box::new(config) });
        self.stage = Stage::Opening(Link { since: now, ..link });
    }

    /// Fails in a step that has a connection to itself.
    pub(super) fn fail_link(&mut self, link: Link, step: DialStepKind, cause: DialCause, now: Instant) {
        self.journal.abandon(link.attempt);
        self.journal.fail(step, Some(link.address), link.since, now, cause);
        self.fail(now);
    }

    pub(super) fn fail(&mut self, now: Instant) {
        self.stage = Stage::Over;
        let decisive = self.journal.decisive().unwrap_or_default();
        let attempts = mem::take(&mut self.journal.failed);
        let redirects = mem::take(&mut self.passed);
        let elapsed = now.since(self.started);
        self.journal.push(DialStep::Failed(DialError::new(Inner { attempts, decisive, redirects, elapsed })));
    }

    /// When the time for all of it is over.
    pub(super) fn last(&self) -> Option<Instant> {
        self.client.timeouts.connect.map(|limit| self.started + limit)
    }

    /// `limit`, or what is left of the time for all of it if that is less.
    pub(super) fn within(&self, limit: Option<Duration>, now: Instant) -> Option<Duration> {
        [limit, self.last().map(|last| last.since(now))].into_iter().flatten().min()
    }
}
