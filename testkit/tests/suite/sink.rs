//! An end that only reads, and notes what came when.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use sansocket::{Instant, TransportError};
use sansocket_testkit::{Context, Drive, Ended, Link, Network, Outcome, RawEndpoint, Script};

/// When something was read, counted from the start, and what.
type Read = (Duration, Vec<u8>);

/// When the stream ended, and how.
type End = (Duration, Ended);

/// An end that only reads, and notes when. It never closes.
struct Sink {
    reads: Rc<RefCell<Vec<Read>>>,
    start: Option<Instant>,
    ended: Rc<RefCell<Vec<End>>>,
}

impl Sink {
    fn since_start(&mut self, cx: &Context<'_>) -> Duration {
        cx.now().since(*self.start.get_or_insert(cx.now()))
    }
}

impl Drive for Sink {
    fn receive(&mut self, bytes: BytesMut, cx: &mut Context<'_>) {
        let at = self.since_start(cx);
        self.reads.borrow_mut().push((at, bytes.to_vec()));
    }

    fn eof(&mut self, cx: &mut Context<'_>) {
        let at = self.since_start(cx);
        self.ended.borrow_mut().push((at, Ended::Eof));
    }

    fn failed(&mut self, _error: TransportError, cx: &mut Context<'_>) {
        let at = self.since_start(cx);
        self.ended.borrow_mut().push((at, Ended::Reset));
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn timeout(&mut self, _cx: &mut Context<'_>) {}

    fn transmit(&mut self, _room: usize, cx: &mut Context<'_>) -> Bytes {
        self.since_start(cx);
        Bytes::new()
    }

    fn is_closed(&self) -> bool {
        false
    }
}

/// What a sink behind `link` reads of `script`, and how its stream ends.
pub(crate) fn play(link: Link, script: Script) -> (Vec<Read>, Vec<End>) {
    let sink = Sink { reads: Rc::default(), start: None, ended: Rc::default() };
    let (reads, ended) = (sink.reads.clone(), sink.ended.clone());
    let mut sim = Network::new(1).to_server(link).join(RawEndpoint::new(script), sink);
    assert_eq!(sim.run(), Outcome::Quiet);
    (reads.take(), ended.take())
}
