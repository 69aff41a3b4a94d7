//! Runs the library's exchange with a proxy over pieces: what came of it, and how much memory it held.

use core::time::Duration;

use bytes::{Buf, BytesMut};
use sansocket::{
    Instant, Limits, Proxy, ProxyError, ProxyFault, ProxyHandshake, ProxyStep, TransportError, Url,
};

use crate::memory;

#[derive(Debug, Clone, Copy)]
pub(super) struct Setup<'a> {
    pub(super) proxy: &'a Proxy,
    pub(super) server: &'a Url,
    pub(super) limits: &'a Limits,
}

/// What comes behind the last piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Eof,
    Reset,
    /// Nothing, until the deadline.
    Timeout,
}

impl Ended {
    pub(super) fn fault(self) -> ProxyFault {
        match self {
            Self::Eof => ProxyFault::Closed,
            Self::Reset => ProxyFault::TransportFailed(TransportError::Reset),
            Self::Timeout => ProxyFault::TimedOut { limit: LIMIT },
        }
    }
}

/// What an exchange came to, without what depends on how the input was split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// With all that was sent, and what is left of the input.
    Open { sent: Vec<u8>, left: Vec<u8> },
    Failed {
        fault: ProxyFault,
        body: Vec<u8>,
        bytes: u64,
        /// Whether the end decided it, and not a byte.
        at_end: bool,
    },
}

pub(super) fn start(proxy: &Proxy, server: &Url, limits: &Limits) -> Result<ProxyHandshake, ProxyError> {
    ProxyHandshake::new(proxy, server, limits, Some(LIMIT), Instant::ZERO)
}

/// Gives `pieces` to the client, and then `end` if it needs more.
pub(super) fn run(setup: Setup<'_>, pieces: &[&[u8]], end: Ended) -> Outcome {
    let (mut handshake, mut held) =
        memory::held(|| start(setup.proxy, setup.server, setup.limits).expect("the name is short enough"));
    let debug = format!("{handshake:?} {0:?} {0}", setup.proxy);
    assert!(!debug.contains("SECRET") && !debug.contains("U0VDUkVU"), "{debug}");
    let most = setup.limits.head_bytes + 8 * setup.limits.error_body;
    let (mut sent, mut input, mut given) = (written(&mut handshake), BytesMut::new(), 0);
    for (at, piece) in pieces.iter().enumerate() {
        input.extend_from_slice(piece);
        given += piece.len();
        let ((step, peak), change) = memory::held(|| memory::peak(|| handshake.receive(&mut input, NOW)));
        let bound = 8 * given.min(most) + 8 * 1024;
        assert!(
            held + peak as isize <= bound as isize,
            "{peak} and {held} bytes held after {given} were received"
        );
        held += change;
        match step {
            Ok(ProxyStep::NeedMore) => {
                assert!(input.is_empty(), "more is needed, so all is taken");
                sent.extend(written(&mut handshake));
            }
            Ok(ProxyStep::Open) => {
                sent.extend(written(&mut handshake));
                assert_eq!(handshake.receive(&mut input, NOW), Ok(ProxyStep::Open));
                assert_eq!((handshake.deadline(), handshake.timeout(LATER)), (None, Ok(())));
                let left = input.iter().copied().chain(pieces[at + 1..].concat()).collect();
                return Outcome::Open { sent, left };
            }
            Err(error) => return failed(handshake, &error, false),
        }
    }
    let error = match end {
        Ended::Eof => handshake.eof(NOW),
        Ended::Reset => handshake.failed(TransportError::Reset, NOW),
        Ended::Timeout => {
            let deadline = handshake.deadline().expect("nothing is decided");
            assert!(deadline <= Instant::ZERO + LIMIT, "the limit is one for all of it");
            assert_eq!(handshake.timeout(Instant::from_nanos(deadline.as_nanos() - 1)), Ok(()), "too early");
            handshake.timeout(deadline).expect_err("the time is over")
        }
    };
    failed(handshake, &error, true)
}

fn failed(mut handshake: ProxyHandshake, error: &ProxyError, at_end: bool) -> Outcome {
    assert!(handshake.transmit().is_empty(), "nothing is written after a failure");
    let mut input = BytesMut::from(&b"more"[..]);
    for again in [handshake.receive(&mut input, LATER).expect_err("it failed"), handshake.eof(LATER)] {
        assert_eq!(&again, error, "a failure does not change");
    }
    assert_eq!((&input[..], handshake.deadline()), (&b"more"[..], None));
    let line = error.to_string();
    assert!(!line.contains(char::is_control) && line.len() < 1_000, "{line}");
    Outcome::Failed {
        fault: error.fault().clone(),
        body: error.body().to_vec(),
        bytes: error.bytes(),
        at_end,
    }
}

fn written(handshake: &mut ProxyHandshake) -> Vec<u8> {
    let out = handshake.transmit();
    let len = out.remaining();
    out.copy_to_bytes(len).to_vec()
}

const LIMIT: Duration = Duration::from_secs(10);
const NOW: Instant = Instant::from_nanos(1_000_000);
const LATER: Instant = Instant::from_nanos(60_000_000_000);
