//! What runs at once on the way to a server: the search for addresses, and TCP to several of them.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use sansocket::{Addresses, AttemptId, TcpOptions};

use crate::dial::Dialer;

type Job<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// Futures that all are polled whenever one of them is woken: there are two or three. What is dropped, is given up.
pub(super) struct Race<R: Dialer> {
    search: Option<Job<Vec<SocketAddr>>>,
    attempts: Vec<(AttemptId, Job<R::Stream>)>,
}

/// What has ended.
pub(super) enum Ended<S> {
    Search(io::Result<Vec<SocketAddr>>),
    Attempt(AttemptId, io::Result<S>),
}

impl<R: Dialer> Race<R> {
    pub(super) fn new() -> Self {
        Self { search: None, attempts: Vec::new() }
    }

    /// Begins to search, in place of an older search.
    pub(super) fn resolve(&mut self, host: String, port: u16, addresses: Addresses) {
        self.search = Some(Box::pin(R::resolve(host, port, addresses)));
    }

    pub(super) fn connect(&mut self, attempt: AttemptId, address: SocketAddr, tcp: TcpOptions) {
        self.attempts.push((attempt, Box::pin(R::connect(address, tcp))));
    }

    pub(super) fn abandon(&mut self, attempt: AttemptId) {
        self.attempts.retain(|(running, _)| *running != attempt);
    }

    /// Ends the search: nobody needs more addresses.
    pub(super) fn stop_search(&mut self) {
        self.search = None;
    }

    /// The first that has ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended<R::Stream>> {
        for at in 0..self.attempts.len() {
            if let Some((attempt, job)) = self.attempts.get_mut(at) {
                if let Poll::Ready(result) = job.as_mut().poll(cx) {
                    let attempt = *attempt;
                    drop(self.attempts.swap_remove(at));
                    return Poll::Ready(Ended::Attempt(attempt, result));
                }
            }
        }
        if let Some(search) = &mut self.search {
            if let Poll::Ready(found) = search.as_mut().poll(cx) {
                self.search = None;
                return Poll::Ready(Ended::Search(found));
            }
        }
        Poll::Pending
    }
}
